"""Metrics. To add one: its routine and row in csrc/engine/metrics.h, an entry here, a line of tests/reference.py.
Every loss is a metric too.

An entry is a class; its docstring is the formula for one row of the batch, t its targets and p the outputs. The value
of a metric is the mean over the rows. Formulas: keras.metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from nnlite import losses
from nnlite.config import era, era_name
from nnlite.errors import number
from nnlite.loss import Loss, RowFunction, row_values
from nnlite.losses import LOSSES
from nnlite.records import Row, row
from nnlite.registry import Configurable, Entry, Family


class Metric(Configurable):
    """Base of all metrics.

    Args:
        name: its key in the history; the entry's own, as the era calls it, if None.
        dtype: taken for Keras' sake.

    Use one by itself with `update_state`, `result` and `reset_state`. A subclass with a `call` or `update_state` of
    its own is a metric written in Python.
    """

    sparse: ClassVar[bool] = False  # targets are class numbers, one column, rather than one column for each output

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        self.name = name or era_name(self.entry_name) or type(self).__name__
        self.dtype = dtype
        self.total = self.count = 0.0

    def rule(self) -> Row:
        """Return the engine's row and its numbers; what an entry with parameters defines."""
        return row(self.entry_name)

    @property
    def record(self) -> Row | None:
        """The engine's row and its numbers; None if the metric is written in Python."""
        own = type(self)
        return self.rule() if own.call is Metric.call and own.update_state is Metric.update_state else None

    def resolve(self, loss: Loss | None, output_units: int, target_units: int) -> Metric:
        """Return the metric meant for a model of that loss and those widths: itself, unless it leaves a choice."""
        return self

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the metric of every row: arrays (..., units) give (...,)."""
        return row_values(self.rule(), y_true, y_pred, self.sparse)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the rows of a batch in, each `sample_weight` times."""
        values = np.asarray(self.call(y_true, y_pred), np.float64)
        if values.ndim == 0:  # one value for the batch counts for each of its rows
            values = np.full(np.shape(y_pred)[:1], values)
        weights = np.ones_like(values) if sample_weight is None else np.broadcast_to(sample_weight, values.shape)
        self.total += float((values * weights).sum())
        self.count += float(weights.sum())

    def result(self) -> float:
        """Return the mean over all rows counted in since the last reset; 0 if there were none."""
        return self.total / self.count if self.count else 0.0

    def reset_state(self) -> None:
        """Forget all rows."""
        self.total = self.count = 0.0

    reset_states = reset_state

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()


class PythonMetric(Metric):
    """A function ``f(y_true, y_pred)`` on arrays as metric: the mean of what it returns."""

    def __init__(self, function: Callable[..., Any], name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name or getattr(function, "__name__", type(function).__name__), dtype)
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        values = np.asarray(self.function(y_true, y_pred))
        return values.reshape(len(values), -1).mean(axis=1) if values.ndim > 1 else values


class LossMetric(Metric):
    """A loss as metric."""

    def __init__(self, loss: Loss, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name or loss.name, dtype)
        self.loss = loss

    @property
    def class_name(self) -> str:
        return self.loss.class_name

    def get_config(self) -> dict[str, Any]:
        parameters = {key: value for key, value in self.loss.get_config().items() if key not in ("name", "reduction")}
        return {"name": self.name, "dtype": self.dtype} | parameters

    @property
    def record(self) -> Row | None:
        return None if self.loss.in_python else self.loss.rule()

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.loss.call(y_true, y_pred)


def _adopt(function: Callable[..., Any]) -> Metric:
    if isinstance(function, RowFunction):
        return METRICS.get(function.__name__)
    if isinstance(function, type) and issubclass(function, Loss):
        function = function()
    return LossMetric(function) if isinstance(function, Loss) else PythonMetric(function)


METRICS = Family("metric", Metric, _adopt)


def _enter_loss(entry: Entry[Loss]) -> None:
    """Enter a loss as a metric of the same names."""

    def make(name: str | None = None, dtype: Any = None, **parameters: Any) -> Metric:
        return LossMetric(entry.make(**parameters), name, dtype)

    METRICS.entry(entry.name, *entry.aliases, *entry.class_name(), rows=entry.rows)(make)


for _entry in LOSSES.entries.values():
    _enter_loss(_entry)


@METRICS.entry("binary_accuracy", rows=("binary_accuracy", "rounded_accuracy"))
class BinaryAccuracy(Metric):
    """Mean of 1 where t = (p > threshold), else 0; without a threshold, keras2 rounds p and keras3 takes 0.5."""

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float | None = None) -> None:
        super().__init__(name, dtype)
        self.threshold = None if threshold is None else number("threshold", threshold)

    def rule(self) -> Row:
        if self.threshold is None and era("binary_accuracy.rounds"):
            return row("rounded_accuracy")
        return row("binary_accuracy", 0.5 if self.threshold is None else self.threshold)


@METRICS.entry("categorical_accuracy")
class CategoricalAccuracy(Metric):
    """1 where the largest p stands where the largest t does, else 0."""


@METRICS.entry("sparse_categorical_accuracy")
class SparseCategoricalAccuracy(Metric):
    """1 where the largest p stands at t, the number of the class, else 0."""

    sparse = True


class _Chosen(Metric):
    """A word that means one of three metrics, depending on the model."""

    binary: str
    sparse_categorical: str
    categorical: str

    def resolve(self, loss: Loss | None, output_units: int, target_units: int) -> Metric:
        by_loss = era("accuracy.chosen_by") == "loss" and isinstance(loss, losses.BinaryCrossentropy)
        if target_units < output_units:
            chosen = METRICS.get(self.sparse_categorical)
        else:
            chosen = METRICS.get(self.binary if output_units == 1 or by_loss else self.categorical)
        chosen.name = self.name
        return chosen

    def call(self, y_true: Any, y_pred: Any) -> Any:
        outputs = np.shape(y_pred)
        one_column = np.ndim(y_true) < len(outputs) or np.shape(y_true)[-1] == 1
        return self.resolve(None, outputs[-1], 1 if one_column else outputs[-1]).call(y_true, y_pred)


@METRICS.entry("accuracy", "acc", rows=())
class Accuracy(_Chosen):
    """The share of right answers: binary, categorical or sparse categorical accuracy.

    Binary for one output (in keras2 also for several, if the loss is binary crossentropy), sparse categorical where
    the targets are class numbers, else categorical.
    """

    binary, sparse_categorical, categorical = "binary_accuracy", "sparse_categorical_accuracy", "categorical_accuracy"


@METRICS.entry("crossentropy", "ce", rows=())
class Crossentropy(_Chosen):
    """Binary, categorical or sparse categorical crossentropy, chosen as by `Accuracy`."""

    binary, sparse_categorical = "binary_crossentropy", "sparse_categorical_crossentropy"
    categorical = "categorical_crossentropy"


def get(
    identifier: Any, loss: Loss | None = None, output_units: int | None = None, target_units: int | None = None
) -> Metric:
    """Return the metric meant by a name, a config, a class, a metric, or a function ``f(y_true, y_pred)``.

    Args:
        loss, output_units, target_units: of the model, for "accuracy" and "crossentropy", which leave a choice; without
            the widths they choose when they see data.

    A metric given by name is called as the era in force calls it: "mse" is "mean_squared_error" in keras2.
    Raises ValueError for an unknown name, with the closest ones.

    >>> get("accuracy", None, output_units=3, target_units=1).record
    Row(name='sparse_categorical_accuracy', numbers=())
    """
    metric = METRICS.get(identifier)
    if isinstance(identifier, str) and era("metric.named_as_written"):
        metric.name = identifier
    if output_units is None:
        return metric
    return metric.resolve(loss, output_units, output_units if target_units is None else target_units)


deserialize = get


def serialize(metric: Any) -> str | dict[str, Any]:
    """Return the config from which `get` makes an equal metric, or for a function its name."""
    chosen = get(metric)
    return chosen.name if isinstance(chosen, PythonMetric) else METRICS.serialize(chosen)


def __getattr__(name: str) -> Any:
    entry = METRICS.attribute(__name__, name)
    return RowFunction(entry) if name in (name.lower(), name.upper()) else entry.make


__all__ = ["Metric", "deserialize", "get", "serialize", *METRICS.exports()]
