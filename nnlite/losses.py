"""Losses. To add one: its routines and row in csrc/engine/losses.h, an entry here, a line of tests/reference.py.

An entry is a class; its docstring is the formula for one row of the batch, t its targets and p the outputs of the
network. The function of the same name, ``losses.mean_squared_error(y_true, y_pred)``, follows from it. Formulas:
keras.losses.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite import batch_losses as batch_losses  # enters its losses
from nnlite.config import epsilon, era
from nnlite.errors import UnsupportedError, number
from nnlite.loss import LOSSES as LOSSES
from nnlite.loss import Loss, PythonLoss, Reduction, RowFunction
from nnlite.records import Row, row

Array = NDArray[Any]


@LOSSES.entry("mean_squared_error", "mse")
class MeanSquaredError(Loss):
    """Mean of (p - t)^2.

    >>> float(MeanSquaredError()([[0.0, 1.0]], [[0.5, 1.0]]))
    0.125
    """


@LOSSES.entry("mean_absolute_error", "mae")
class MeanAbsoluteError(Loss):
    """Mean of |p - t|.

    >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[0.5, 1.0]]))
    0.25
    """


class _WithEpsilon(Loss):
    """A loss whose only number is `config.epsilon`."""

    def rule(self) -> Row:
        return row(self.entry_name, epsilon())


@LOSSES.entry("mean_absolute_percentage_error", "mape")
class MeanAbsolutePercentageError(_WithEpsilon):
    """100 times the mean of |p - t| / max(|t|, epsilon).

    >>> float(MeanAbsolutePercentageError()([[2.0, 1.0]], [[1.0, 1.0]]))
    25.0
    """


@LOSSES.entry("mean_squared_logarithmic_error", "msle")
class MeanSquaredLogarithmicError(_WithEpsilon):
    """Mean of (log(1 + max(p, epsilon)) - log(1 + max(t, epsilon)))^2.

    >>> round(float(MeanSquaredLogarithmicError()([[0.0]], [[1.0]])), 4)
    0.4805
    """


class _Crossentropy(Loss):
    """What the crossentropies share: the choice between probabilities and logits, and smoothing."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits = bool(from_logits)
        self.label_smoothing = number("label_smoothing", label_smoothing, 0, 1)
        self.axis = _last_axis(axis)

    def rule(self) -> Row:
        if self.from_logits:
            return row(f"{self.entry_name}_from_logits", self.label_smoothing)
        return row(self.entry_name, self.label_smoothing, epsilon())

    def record(self, units: int, activation: str) -> Row | None:
        _warn_about_outputs(self.name, self.from_logits, activation)
        return super().record(units, activation)


def _last_axis(axis: Any) -> int:
    if axis in (-1, 1):
        return -1
    raise UnsupportedError(
        f"axis of a loss must be -1, the last; received {axis!r}. Move the axis with numpy.moveaxis."
    )


def _warn_about_outputs(name: str, from_logits: bool, activation: str) -> None:
    if from_logits and activation in ("sigmoid", "softmax"):
        text = f"{name} has from_logits=True, but the outputs of {activation} are no logits; leave the activation out."
        warnings.warn(text, UserWarning, stacklevel=2)


@LOSSES.entry("binary_crossentropy", "bce", rows=("binary_crossentropy", "binary_crossentropy_from_logits"))
class BinaryCrossentropy(_Crossentropy):
    """Mean of -(y log p + (1 - y) log(1 - p)), y = t (1 - label_smoothing) + label_smoothing / 2, p cut to [epsilon,
    1 - epsilon].

    Args: from_logits, to take sigmoid(p) for p, uncut; label_smoothing 0 ... 1; axis -1. For the rest see `Loss`.

    >>> round(float(BinaryCrossentropy()([[0.0], [1.0]], [[0.5], [0.9]])), 4)
    0.3993
    """


@LOSSES.entry(
    "categorical_crossentropy", "cce", rows=("categorical_crossentropy", "categorical_crossentropy_from_logits")
)
class CategoricalCrossentropy(_Crossentropy):
    """-sum y log p, y = t (1 - label_smoothing) + label_smoothing / units, p divided by its sum and cut to [epsilon,
    1 - epsilon].

    Args: from_logits, to take softmax(p) for p, uncut; label_smoothing 0 ... 1; axis -1. For the rest see `Loss`.

    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.2, 0.8]])), 4)
    0.2231
    """


@LOSSES.entry(
    "sparse_categorical_crossentropy",
    "scce",
    rows=("sparse_categorical_crossentropy", "sparse_categorical_crossentropy_from_logits"),
)
class SparseCategoricalCrossentropy(Loss):
    """-log p[t], t the number of the class, p divided by its sum and cut to [epsilon, 1 - epsilon].

    Args: from_logits, to take softmax(p) for p, uncut; ignore_class, a number whose rows do not count, which is then
    computed in Python; axis -1. For the rest see `Loss`.

    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.2, 0.8]])), 4)
    0.2231
    """

    sparse = True

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name)
        self.ignore_class = None if ignore_class is None else int(number("ignore_class", ignore_class))
        self.from_logits, self.axis = bool(from_logits), _last_axis(axis)

    def rule(self) -> Row:
        return row(f"{self.entry_name}_from_logits") if self.from_logits else row(self.entry_name, epsilon())

    def record(self, units: int, activation: str) -> Row | None:
        _warn_about_outputs(self.name, self.from_logits, activation)
        return super().record(units, activation)

    @property
    def in_python(self) -> bool:
        """Whether rows are left out, which the engine does not do."""
        return self.ignore_class is not None

    def counts(self, y_true: Any) -> Array | None:
        """Return which rows count, of targets (rows,) or (rows, 1)."""
        return None if self.ignore_class is None else np.asarray(y_true).reshape(-1) != self.ignore_class

    def _shares(self, y_true: Any, y_pred: Any) -> tuple[Array, Array, Array, Array]:
        """Which rows count, their classes (0 for the others), the outputs (rows, units), and these as probabilities."""
        outputs = np.asarray(y_pred, np.float64)
        outputs = outputs.reshape(-1, outputs.shape[-1])
        labels, kept = np.asarray(y_true).reshape(-1), self.counts(y_true)
        kept = np.ones(len(labels), bool) if kept is None else kept
        labels = np.where(kept, labels, 0).astype(np.int64)
        if (labels < 0).any() or (labels >= outputs.shape[1]).any():
            wrong = labels[(labels < 0) | (labels >= outputs.shape[1])][0]
            raise ValueError(f"y_true must hold class numbers 0 ... {outputs.shape[1] - 1}; received {wrong}.")
        shares = np.exp(outputs - outputs.max(axis=1, keepdims=True)) if self.from_logits else outputs
        return kept, labels, outputs, shares / shares.sum(axis=1, keepdims=True)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of every row, 0 for those that do not count."""
        if not self.in_python:
            return super().call(y_true, y_pred)
        kept, labels, _, shares = self._shares(y_true, y_pred)
        own = shares[np.arange(len(labels)), labels]
        return np.where(kept, -np.log(own if self.from_logits else np.clip(own, epsilon(), 1 - epsilon())), 0.0)

    def gradient(self, y_true: Any, y_pred: Any) -> Array:
        """Return the derivative of every row's loss in its outputs."""
        kept, labels, outputs, shares = self._shares(y_true, y_pred)
        target = np.eye(outputs.shape[1])[labels]
        if self.from_logits:
            return kept[:, None] * (shares - target)
        own = shares[np.arange(len(labels)), labels]
        inside = kept & (own >= epsilon()) & (own <= 1 - epsilon())
        own_output = outputs[np.arange(len(labels)), labels][:, None]
        slope = 1 / outputs.sum(axis=1, keepdims=True) - target / np.where(own_output == 0, 1, own_output)
        return np.where(inside[:, None], slope, 0.0)


@LOSSES.entry("binary_focal_crossentropy", rows=("binary_focal_crossentropy", "binary_focal_crossentropy_from_logits"))
class BinaryFocalCrossentropy(_Crossentropy):
    """Mean of the terms of `BinaryCrossentropy`, each times (1 - p_t)^gamma, p_t = y p + (1 - y)(1 - p). "Focal loss
    for dense object detection", Lin et al., 2017.

    Args: apply_class_balancing, to multiply with alpha where y is 1 and 1 - alpha where it is 0; alpha 0 ... 1;
    gamma, at least 0; the others as `BinaryCrossentropy`.

    >>> round(float(BinaryFocalCrossentropy()([[0.0], [1.0]], [[0.5], [0.9]])), 4)
    0.0872
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name)
        self.apply_class_balancing = bool(apply_class_balancing)
        self.alpha, self.gamma = number("alpha", alpha, 0, 1), number("gamma", gamma, 0)

    def rule(self) -> Row:
        name, numbers = super().rule()
        shares = (self.alpha, 1 - self.alpha) if self.apply_class_balancing else (1.0, 1.0)
        return row(name, *numbers, self.gamma, *shares)


@LOSSES.entry(
    "categorical_focal_crossentropy",
    rows=("categorical_focal_crossentropy", "categorical_focal_crossentropy_from_logits"),
)
class CategoricalFocalCrossentropy(_Crossentropy):
    """Sum of the terms of `CategoricalCrossentropy`, each times alpha (1 - p)^gamma. Lin et al., 2017.

    Args: alpha; gamma, at least 0; the others as `CategoricalCrossentropy`.

    >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.2, 0.8]])), 4)
    0.0022
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name)
        self.alpha, self.gamma = number("alpha", alpha), number("gamma", gamma, 0)

    def rule(self) -> Row:
        name, numbers = super().rule()
        return row(name, *numbers, self.alpha, self.gamma)


class _Margin(Loss):
    """A loss for targets -1 and +1; where the era says so, a target of 0 is taken as -1."""

    def rule(self) -> Row:
        return row(self.entry_name, float(era("hinge.converts_labels")))


@LOSSES.entry("hinge")
class Hinge(_Margin):
    """Mean of max(1 - t p, 0), t = -1 or +1; in keras3 a target of 0 is taken as -1.

    >>> float(Hinge()([[-1.0], [1.0]], [[0.5], [0.5]]))
    1.0
    """


@LOSSES.entry("squared_hinge")
class SquaredHinge(_Margin):
    """Mean of max(1 - t p, 0)^2, t as for `Hinge`.

    >>> float(SquaredHinge()([[-1.0], [1.0]], [[0.5], [0.5]]))
    1.25
    """


@LOSSES.entry("categorical_hinge")
class CategoricalHinge(Loss):
    """max(0, 1 + max((1 - t) p) - sum t p), t one-hot.

    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """


@LOSSES.entry("huber", "huber_loss")
class Huber(Loss):
    """Mean of d^2 / 2 where d = |p - t| is at most delta, else delta (d - delta / 2). Huber, 1964.

    Args: delta, at least 0. For the rest see `Loss`.

    >>> float(Huber(delta=1.0)([[0.0], [0.0]], [[0.5], [2.0]]))
    0.8125
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name)
        self.delta = number("delta", delta, 0)

    def rule(self) -> Row:
        return row("huber", self.delta)


@LOSSES.entry("log_cosh", "logcosh")
class LogCosh(Loss):
    """Mean of log cosh(p - t).

    >>> round(float(LogCosh()([[0.0]], [[1.0]])), 4)
    0.4338
    """


@LOSSES.entry("kl_divergence", "kld", "kullback_leibler_divergence")
class KLDivergence(_WithEpsilon):
    """Sum of t log(t / p), both cut to [epsilon, 1].

    >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
    0.1438
    """


@LOSSES.entry("poisson")
class Poisson(_WithEpsilon):
    """Mean of p - t log(p + epsilon).

    >>> float(Poisson()([[0.0], [0.0]], [[1.0], [2.0]]))
    1.5
    """


@LOSSES.entry("cosine_similarity", "cosine_proximity", "cosine")
class CosineSimilarity(Loss):
    """Minus the cosine of the angle between t and p.

    >>> round(float(CosineSimilarity()([[1.0, 0.0]], [[3.0, 4.0]])), 4)
    -0.6
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name)
        self.axis = _last_axis(axis)


def get(identifier: Any) -> Loss | None:
    """Return the loss meant by None (none), a name, a config, a class, a loss, or a function ``f(y_true, y_pred)``.

    Raises ValueError for an unknown name, with the closest ones.

    >>> get("mse").rule()
    Row(name='mean_squared_error', numbers=())
    """
    return None if identifier is None else LOSSES.get(identifier)


deserialize = get


def serialize(loss: Any) -> str | dict[str, Any]:
    """Return the config from which `get` makes an equal loss, or for a function its name.

    >>> serialize("mse")
    {'class_name': 'MeanSquaredError', 'config': {'reduction': 'sum_over_batch_size', 'name': 'mean_squared_error'}}
    """
    chosen = get(loss)
    return chosen.name if isinstance(chosen, PythonLoss) else LOSSES.serialize(chosen)


def __getattr__(name: str) -> Any:
    entry = LOSSES.attribute(__name__, name)
    return RowFunction(entry) if name in (name.lower(), name.upper()) else entry.make


__all__ = ["Loss", "Reduction", "deserialize", "get", "serialize", *LOSSES.exports()]
