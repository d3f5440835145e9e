"""What all metrics share, and the family they are found in. Every loss is a metric too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from nnlite.config import era_name
from nnlite.errors import ShapeError
from nnlite.loss import Loss, RowFunction, python_values, row_values, spread_weights
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

    >>> from nnlite.metrics import BinaryAccuracy
    >>> metric = BinaryAccuracy()
    >>> metric.update_state([[0], [1]], [[0.25], [0.4]])
    >>> metric.update_state([[1], [1]], [[0.75], [0.6]])
    >>> metric.result()
    0.75
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

    @property
    def rows(self) -> tuple[Row, ...]:
        """The engine's rows whose means decide it; none if it is written in Python."""
        record = self.record
        return () if record is None else (record,)

    @property
    def by_batch(self) -> bool:
        """Whether it has to see each batch by itself, where Python counts it; else several may come as one."""
        return True

    def value(self, means: Sequence[float], count: float) -> float:
        """Return its value for `count` rows of the batch, over which the engine's rows have these means."""
        return means[0]

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
        if sample_weight is None:
            self.total += float(values.sum())
            self.count += values.size
        else:
            weights = spread_weights(sample_weight, values.shape)
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
    """A function ``f(y_true, y_pred)`` on arrays as metric: the mean of what it returns.

    Args:
        function: returns a number for the batch, or an array whose first axis are the rows.
        name, dtype: as for `Metric`.
        parameters: further arguments of the function.

    >>> far = PythonMetric(lambda y_true, y_pred: abs(y_true - y_pred))
    >>> far(np.array([[1.0], [2.0]]), np.array([[1.5], [2.0]]))
    0.25
    """

    def __init__(
        self, function: Callable[..., Any], name: str | None = None, dtype: Any = None, **parameters: Any
    ) -> None:
        super().__init__(name or getattr(function, "__name__", type(function).__name__), dtype)
        self.function, self.parameters = function, parameters

    def call(self, y_true: Any, y_pred: Any) -> Any:
        values = python_values(f"metric {self.name!r}", self.function(y_true, y_pred, **self.parameters))
        rows = np.shape(y_pred)[:1]
        if values.ndim and values.shape[:1] != rows:
            raise ShapeError(
                f"metric {self.name!r} must return one number, or an array with a first axis of {rows} rows; "
                f"it returned the shape {values.shape}."
            )
        return values.reshape(len(values), -1).mean(axis=1) if values.ndim > 1 else values


class LossMetric(Metric):
    """A loss as metric."""

    def __init__(self, loss: Loss, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name or loss.name, dtype)
        self.loss = loss

    @property
    def class_name(self) -> str:
        return "CosineProximity" if self.loss.entry_name == "cosine_similarity" else self.loss.class_name

    def get_config(self) -> dict[str, Any]:
        parameters = {key: value for key, value in self.loss.get_config().items() if key not in ("name", "reduction")}
        return {"name": self.name, "dtype": self.dtype} | parameters

    @property
    def record(self) -> Row | None:
        return None if self.loss.in_python else self.loss.rule()

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.loss.call(y_true, y_pred)


def _adopt(function: Callable[..., Any]) -> Metric:
    if isinstance(function, RowFunction) or (isinstance(function, type) and issubclass(function, Loss)):
        function = function.make() if isinstance(function, RowFunction) else function()
    if isinstance(function, Metric):
        return function
    return LossMetric(function) if isinstance(function, Loss) else PythonMetric(function)


METRICS = Family("metric", Metric, _adopt)


def _enter_loss(entry: Entry[Loss]) -> None:
    """Enter a loss as a metric of the same names."""

    def make(name: str | None = None, dtype: Any = None, **parameters: Any) -> Metric:
        return LossMetric(entry.make(**parameters), name or own_name, dtype)

    make.__doc__ = entry.make.__doc__
    # the one that Keras calls otherwise
    of_metric, own_name = (("LogCoshError",), "logcosh") if entry.name == "log_cosh" else ((), None)
    METRICS.entry(entry.name, *entry.aliases, *entry.class_name(), *of_metric, rows=entry.rows)(make)


for _entry in LOSSES.entries.values():
    if _entry.name != "cosine_similarity":  # the metric of that name has the other sign
        _enter_loss(_entry)
