"""What all losses share: how the losses of rows become one number, and losses written in Python. The losses themselves
are in losses.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nnlite.config import era_name
from nnlite.errors import ArgumentError, ShapeError, choice
from nnlite.records import LayerRecord, LossRecord, OptimizerRecord, Row, as_reals, row
from nnlite.registry import Configurable, Entry, Family

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MEANS = ("sum_over_batch_size", "auto", "mean")
_REDUCTIONS = (*_MEANS, "sum", "none", "mean_with_sample_weight")


class Reduction:
    """Names of the reductions, as tf.keras spells them.

    >>> Reduction.SUM
    'sum'
    """

    AUTO = "auto"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    SUM = "sum"
    NONE = "none"


class Loss(Configurable):
    """Base of all losses.

    Args:
        reduction: makes one number of the losses of the rows. "sum_over_batch_size" (also "auto", "mean"): their
            weighted sum over their count; "sum": their weighted sum; "mean_with_sample_weight": that over the sum of
            the weights; "none" (None): the weighted losses themselves. Training takes the first for "none".
        name: what configs call it.

    Call one as ``loss(y_true, y_pred, sample_weight=None)`` on arrays. A subclass with a `call` of its own is a loss
    written in Python.

    >>> from nnlite.losses import MeanSquaredError
    >>> MeanSquaredError(reduction="none")([[0.0], [1.0]], [[0.5], [1.0]])
    array([0.25, 0.  ], dtype=float32)
    """

    sparse: ClassVar[bool] = False  # targets are class numbers, one column, rather than one column for each output

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, *, dtype: Any = None
    ) -> None:
        self.reduction = "none" if reduction is None else choice("reduction", reduction, _REDUCTIONS)
        self.name = name or era_name(self.entry_name) or type(self).__name__

    def rule(self) -> Row:
        """Return the engine's row and its numbers; what an entry with parameters defines."""
        return row(self.entry_name)

    def record(self, units: int, activation: str) -> Row | None:
        """Return the engine's row and its numbers; None if the loss is written in Python, see `value_and_gradient`.

        `units` and `activation` (an activation row) are those of the output layer.
        """
        return None if self.in_python else self.rule()

    @property
    def in_python(self) -> bool:
        """Whether the loss has a `call` of its own, which the engine does not know."""
        return type(self).call is not Loss.call

    def counts(self, y_true: Any) -> NDArray[Any] | None:
        """Return for a loss written in Python which rows count; None if all do. The others weigh 0, these the more."""
        return None

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of every row: arrays (..., units) give (...,)."""
        return row_values(self.rule(), y_true, y_pred, self.sparse)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        values = np.asarray(self.call(y_true, y_pred))
        if not values.ndim and sample_weight is not None:  # one loss of the whole batch counts for each of its rows
            values = np.full(np.shape(sample_weight)[:1], values)
        weights = np.ones_like(values) if sample_weight is None else spread_weights(sample_weight, values.shape)
        values = values * weights
        if self.reduction == "none":
            return values
        counts = self.counts(y_true)
        if counts is not None and self.reduction in _MEANS:
            return values.sum() / max(counts.sum(), 1)
        total = values.sum()
        if self.reduction == "sum":
            return total
        return total / (weights.sum() if self.reduction == "mean_with_sample_weight" else max(values.size, 1))

    def value_and_gradient(
        self, y_true: NDArray[Any], y_pred: NDArray[Any], sample_weight: NDArray[Any] | None = None
    ) -> tuple[float, NDArray[Any]]:
        """Return the loss of a batch and its derivative in y_pred (rows, units), for losses written in Python.

        The derivative is what ``gradient(y_true, y_pred)`` of the loss or its function says, of each row's loss or of
        the one number it gives for a batch, or else central differences in float64, exact to about nine digits where
        the loss is smooth.

        Raises ArgumentError or ShapeError if what is written in Python returns no numbers, or not as many as it must.
        """
        outputs = np.asarray(y_pred, np.float64)
        rows = len(outputs)
        weights = np.ones(rows) if sample_weight is None else np.asarray(sample_weight, np.float64).reshape(rows)
        divisor = {"sum": 1.0, "mean_with_sample_weight": weights.sum() or 1.0}.get(self.reduction, rows)
        scale = weights / divisor
        counts = self.counts(y_true)
        if counts is not None and self.reduction in _MEANS:
            scale = weights * counts / max(counts.sum(), 1)
        source = f"loss {self.name!r}"

        def value(p: NDArray[Any]) -> NDArray[Any]:
            return _by_row(python_values(source, self.call(y_true, p)), rows) * scale

        values = python_values(source, self.call(y_true, outputs))
        if not values.ndim and sample_weight is None:  # one loss of the whole batch, which no sum makes more
            scale = weights / rows
        mixed, given = values.shape[:1] != (rows,), getattr(self, "gradient", None)
        if values.ndim and mixed:
            raise ShapeError(
                f"{source} must return one number, or an array with a first axis of {rows} rows; it returned the shape "
                f"{values.shape}."
            )
        if given is not None:
            gradient = python_values(f"the gradient of {source}", given(y_true, outputs))
            if gradient.size != outputs.size:
                raise ShapeError(
                    f"the gradient of {source} must have the shape of y_pred, {outputs.shape}; it returned the shape "
                    f"{gradient.shape}."
                )
            gradient = gradient.reshape(outputs.shape) * (scale.sum() if mixed else scale[:, None])
        else:
            gradient = differences(value, outputs, mixed)
        return float(value(outputs).sum()), gradient.astype(y_pred.dtype)


def spread_weights(sample_weight: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return weights of rows (rows,) or (rows, 1), or one for all, in the shape of values whose first axis are rows."""
    weights = np.asarray(sample_weight)
    while weights.ndim > len(shape) and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if weights.ndim:
        weights = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    return np.broadcast_to(weights, shape)


def python_values(source: str, values: Any) -> NDArray[np.float64]:
    """Return what a function written in Python returned as float64. Raises ArgumentError if it is no real numbers."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ArgumentError(f"{source} must return real numbers; it returned {values!r:.60}.")
    return array.astype(np.float64)


def _by_row(values: Any, rows: int) -> NDArray[Any]:
    """Return one value for each row: the mean of what a loss returned for it, or for the whole batch."""
    array = np.asarray(values, np.float64)
    return np.asarray(
        array.reshape(rows, -1).mean(axis=1) if array.shape[:1] == (rows,) else np.full(rows, array.mean())
    )


def differences(f: Callable[[NDArray[Any]], NDArray[Any]], p: NDArray[Any], mixed: bool) -> NDArray[Any]:
    """Return the derivative of sum f(p) in p (rows, units) by central differences.

    Value i of f depends on row i of p alone, so that a whole column of p can be moved at a time, unless `mixed`.
    """
    gradient, step = np.empty_like(p), np.cbrt(np.finfo(p.dtype).eps) * np.maximum(1, np.abs(p))
    rows, units = p.shape
    for where in np.ndindex(rows, units) if mixed else ((slice(None), u) for u in range(units)):
        high, low = p.copy(), p.copy()
        high[where] += step[where]
        low[where] -= step[where]
        change = f(high) - f(low)
        gradient[where] = (change.sum() if mixed else change) / (high[where] - low[where])
    return gradient


def row_values(rule: Row, y_true: Any, y_pred: Any, sparse: bool = False) -> NDArray[Any]:
    """Return what the engine's metric row (every loss is one) makes of each row: arrays (..., units) give (...,).

    Raises ShapeError if the targets do not have the shape of the outputs, or, if `sparse`, one column.
    """
    from nnlite import _engine

    p = as_reals(y_pred)
    t = np.asarray(y_true, p.dtype)
    wanted = (*p.shape[:-1], 1) if sparse else p.shape
    if t.size != np.prod(wanted) or [n for n in t.shape if n != 1] != [n for n in wanted if n != 1]:
        raise ShapeError(
            f"y_true must have shape {wanted} to go with outputs of shape {p.shape}; received shape {t.shape}."
        )
    t, rows = np.ascontiguousarray(t.reshape(-1, wanted[-1])), p.reshape(-1, p.shape[-1])
    judge = _engine.EngineModel([LayerRecord("linear")], p.shape[-1], p.dtype.name)
    # the loss is not looked at, but must take targets of that width
    loss = "sparse_categorical_crossentropy_from_logits" if sparse else "mean_squared_error"
    judge.compile(LossRecord(loss), False, [rule], OptimizerRecord("sgd", (), 0.0))
    run = _engine.Run(judge, 1)
    values = [run.evaluate(rows[i : i + 1], t[i : i + 1])[1] for i in range(len(rows))]
    return np.array(values, p.dtype).reshape(p.shape[:-1])


class PythonLoss(Loss):
    """A function ``f(y_true, y_pred)`` on arrays as loss: the mean of what it returns.

    The function may have an attribute `gradient`, see `value_and_gradient`.
    """

    def __init__(
        self, function: Callable[..., Any], reduction: str | None = "sum_over_batch_size", name: str | None = None
    ) -> None:
        super().__init__(reduction, name or getattr(function, "__name__", type(function).__name__))
        self.function = function
        if hasattr(function, "gradient"):
            self.gradient = function.gradient

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.function(y_true, y_pred)


def _adopt(function: Callable[..., Any]) -> Loss:
    return LOSSES.get(function.__name__) if isinstance(function, RowFunction) else PythonLoss(function)


LOSSES = Family("loss", Loss, _adopt)


class RowFunction:
    """A loss or metric as a function of arrays: (..., units) give (...,). Further arguments are its parameters."""

    def __init__(self, entry: Entry[Any]) -> None:
        self.make = entry.make
        self.__name__ = era_name(entry.name)
        self.__doc__ = entry.make.__doc__

    def __call__(self, y_true: Any, y_pred: Any, *values: Any, **parameters: Any) -> Any:
        return self.make(*values, **parameters).call(y_true, y_pred)
