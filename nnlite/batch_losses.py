"""Losses that Python computes, with their derivatives: of the overlap of a whole batch, which is no mean over rows, and
one for wrong labels. Formulas: keras.losses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.config import epsilon
from nnlite.errors import ShapeError, UnsupportedError, number
from nnlite.loss import LOSSES, Loss

Array = NDArray[Any]


class _Overlap(Loss):
    """The base of losses 1 - a / (b + epsilon), a and b sums over the batch or, with axis -1, over each row."""

    def __init__(self, axis: Any, reduction: str | None, name: str | None) -> None:
        super().__init__(reduction, name)
        if axis not in (None, -1, 1, (1,), [1], (-1,), [-1], (0, 1), [0, 1]):
            raise UnsupportedError(f"axis of {type(self).__name__} must be None, the batch, or -1; received {axis!r}.")
        self.axis = axis
        self._over = None if axis in (None, (0, 1), [0, 1]) else -1

    def parts(self, t: Array, p: Array) -> tuple[Array, Array, Array, Array]:
        """Return the terms of a and of b, and their derivatives in p."""
        raise NotImplementedError

    def _sums(self, y_true: Any, y_pred: Any) -> tuple[Array, Array, Array, Array]:
        p = np.asarray(y_pred, np.float64)
        a, b, a_slope, b_slope = self.parts(np.asarray(y_true, np.float64).reshape(p.shape), p)
        sums = [np.sum(terms, axis=self._over, keepdims=True) for terms in (a, b)]
        return sums[0], sums[1] + epsilon(), a_slope, b_slope

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for the batch, or one for each row."""
        a, b, _, _ = self._sums(y_true, y_pred)
        values = 1 - a / b
        return values.item() if self._over is None else values[..., 0]

    def gradient(self, y_true: Any, y_pred: Any) -> Array:
        """Return the derivative of the loss, or of every row's loss, in the outputs."""
        a, b, a_slope, b_slope = self._sums(y_true, y_pred)
        return np.asarray((a * b_slope / b - a_slope) / b)


@LOSSES.entry("dice", rows=())
class Dice(_Overlap):
    """1 - 2 sum t p / (sum t + sum p + epsilon), over the whole batch.

    Args: axis, -1 for a loss of each row. For the rest see `Loss`.

    >>> round(float(Dice()([[1.0, 0.0]], [[0.5, 0.5]])), 6)
    0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: Any = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(axis, reduction, name)

    def parts(self, t: Array, p: Array) -> tuple[Array, Array, Array, Array]:
        """Return twice what both share, and what either has."""
        return 2 * t * p, t + p, 2 * t, np.ones_like(p)


@LOSSES.entry("tversky", rows=())
class Tversky(_Overlap):
    """1 - sum t p / (sum t p + alpha sum t (1 - p) + beta sum (1 - t) p + epsilon), over the whole batch. Salehi et
    al., 2017.

    Args: alpha, beta, the weights of what is missed and of what is wrong; axis, -1 for a loss of each row. For
    the rest see `Loss`.

    >>> round(float(Tversky(0.25, 0.75)([[1.0, 0.0]], [[0.5, 0.5]])), 6)
    0.5
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: Any = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(axis, reduction, name)
        self.alpha, self.beta = number("alpha", alpha), number("beta", beta)

    def parts(self, t: Array, p: Array) -> tuple[Array, Array, Array, Array]:
        """Return what both share, and that with the weighted rest of each."""
        either = t * p + self.alpha * t * (1 - p) + self.beta * (1 - t) * p
        return t * p, either, t, t - self.alpha * t + self.beta * (1 - t)


@LOSSES.entry("categorical_generalized_cross_entropy", rows=())
class CategoricalGeneralizedCrossEntropy(Loss):
    """(1 - p[t]^q) / q, t the number of the class: between crossentropy, near q = 0, and absolute error, at 1. Zhang
    and Sabuncu, 2018.

    Args: q, more than 0 and less than 1. For the rest see `Loss`.

    >>> round(float(CategoricalGeneralizedCrossEntropy(0.5)([1], [[0.75, 0.25]])), 6)
    1.0
    """

    sparse = True

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name)
        self.q = number("q", q, 0, 1)
        if self.q in (0, 1):
            raise ValueError(f"q must be more than 0 and less than 1; received {q!r}.")

    def _own(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        """The one-hot targets and the outputs there."""
        p = np.asarray(y_pred, np.float64)
        labels = np.asarray(y_true).reshape(-1, 1)
        if len(labels) != p[..., 0].size:
            raise ShapeError(f"y_true must be one class number a row, ({len(p)},); received shape {np.shape(y_true)}.")
        if (labels < 0).any() or (labels >= p.shape[-1]).any():
            raise ValueError(f"y_true must hold class numbers 0 ... {p.shape[-1] - 1}; received {labels.ravel()}.")
        target = (labels == np.arange(p.shape[-1])).reshape(p.shape)
        return target, (p * target).sum(axis=-1)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of every row."""
        return (1 - self._own(y_true, y_pred)[1] ** self.q) / self.q

    def gradient(self, y_true: Any, y_pred: Any) -> Array:
        """Return the derivative of every row's loss in its outputs; 0 where the probability is 0."""
        target, own = self._own(y_true, y_pred)
        with np.errstate(divide="ignore"):
            slope = np.where(own > 0, own ** (self.q - 1), 0.0)
        return np.asarray(target * -slope[..., None])
