"""Metrics. To add one: its routine and row in csrc/engine/metrics.h, an entry here or, for one made of counts of right
and wrong decisions, in confusion.py, a line of tests/reference.py. Every loss is a metric too.

An entry is a class; its docstring is the formula for one row of the batch, t its targets and p the outputs. The value
of a metric is the mean over the rows. Formulas: keras.metrics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite import confusion as confusion  # these enter their metrics
from nnlite import losses
from nnlite import operating_points as operating_points
from nnlite import overlap as overlap
from nnlite.config import epsilon, era
from nnlite.data import whole
from nnlite.errors import UnsupportedError, choice, number
from nnlite.loss import Loss, RowFunction, row_values
from nnlite.metric import METRICS as METRICS
from nnlite.metric import Metric, PythonMetric
from nnlite.records import Row, row


@METRICS.entry("binary_accuracy", rows=("binary_accuracy", "rounded_accuracy"))
class BinaryAccuracy(Metric):
    """Mean of 1 where t = (p > threshold), else 0; without a threshold, keras2 rounds p and keras3 takes 0.5.

    >>> BinaryAccuracy()([[0], [1], [1]], [[0.25], [0.75], [0.4]])
    0.6666666666666666
    """

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float | None = None) -> None:
        super().__init__(name, dtype)
        self.threshold = None if threshold is None else number("threshold", threshold)

    def rule(self) -> Row:
        if self.threshold is None and era("binary_accuracy.rounds"):
            return row("rounded_accuracy")
        return row("binary_accuracy", 0.5 if self.threshold is None else self.threshold)


@METRICS.entry("categorical_accuracy")
class CategoricalAccuracy(Metric):
    """1 where the largest p stands where the largest t does, else 0.

    >>> CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]])
    0.5
    """


@METRICS.entry("sparse_categorical_accuracy")
class SparseCategoricalAccuracy(Metric):
    """1 where the largest p stands at t, the number of the class, else 0.

    >>> SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.3, 0.7]])
    0.5
    """

    sparse = True


class _TopK(Metric):
    """A metric that asks whether the class is among the k largest outputs."""

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.k = whole("k", k)

    def rule(self) -> Row:
        return row(self.entry_name, self.k)


@METRICS.entry("top_k_categorical_accuracy")
class TopKCategoricalAccuracy(_TopK):
    """1 where fewer than k outputs are larger than the one where the largest t stands, else 0.

    >>> TopKCategoricalAccuracy(k=2)([[0, 1, 0], [1, 0, 0]], [[0.5, 0.4, 0.1], [0.2, 0.5, 0.3]])
    0.5
    """


@METRICS.entry("sparse_top_k_categorical_accuracy")
class SparseTopKCategoricalAccuracy(_TopK):
    """1 where fewer than k outputs are larger than the one at t, the number of the class, else 0.

    >>> SparseTopKCategoricalAccuracy(k=2)([1, 0], [[0.5, 0.4, 0.1], [0.2, 0.5, 0.3]])
    0.5
    """

    sparse = True

    def __init__(
        self, k: int = 5, name: str | None = None, dtype: Any = None, *, from_sorted_ids: bool = False
    ) -> None:
        if from_sorted_ids:
            raise UnsupportedError("from_sorted_ids must be False: outputs are a number for each class.")
        super().__init__(k, name, dtype)


@METRICS.entry("exact_accuracy")
class Accuracy(Metric):
    """Mean of 1 where t = p, else 0. The word "accuracy" does not mean this but what `AccuracyOfModel` chooses.

    >>> Accuracy()([[1], [2]], [[1], [3]])
    0.5
    """

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name or "accuracy", dtype)

    @property
    def class_name(self) -> str:
        return "ExactAccuracy"


@METRICS.entry("root_mean_squared_error", "rmse", rows=())
class RootMeanSquaredError(Metric):
    """Square root of the mean over all rows of the mean of (p - t)^2.

    >>> RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [3.0]])
    3.0
    """

    def rule(self) -> Row:
        return row("mean_squared_error")

    def value(self, means: Sequence[float], count: float) -> float:
        return math.sqrt(means[0])

    def result(self) -> float:
        return math.sqrt(super().result())


@METRICS.entry("r2_score", rows=())
class R2Score(Metric):
    """1 - sum (t - p)^2 / sum (t - mean t)^2 over all rows: the mean of the outputs' scores, each of them alike.

    Args:
        class_aggregation: "uniform_average", or "variance_weighted_average": by the sums of (t - mean t)^2.
        num_regressors: p in the adjusted score 1 - (1 - score) (n - 1) / (n - p - 1) for n rows; 0 leaves it.

    >>> R2Score()([[0.0], [1.0], [2.0]], [[0.0], [1.0], [1.0]])
    0.5
    """

    def __init__(
        self,
        class_aggregation: str = "uniform_average",
        num_regressors: int = 0,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        known = ("uniform_average", "variance_weighted_average")
        self.class_aggregation = choice("class_aggregation", class_aggregation, known)
        self.num_regressors = whole("num_regressors", num_regressors, 0)
        self.sums: NDArray[np.float64] = np.zeros((4, 1))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        p = np.asarray(y_pred, np.float64)
        p = p.reshape(len(p), -1)
        t = np.asarray(y_true, np.float64).reshape(p.shape)
        w = np.ones((len(p), 1)) if sample_weight is None else np.reshape(sample_weight, (-1, 1))
        sums = np.array([(w * t).sum(0), (w * t**2).sum(0), (w * (t - p) ** 2).sum(0), w.sum(0) + 0 * t[0]])
        self.sums = self.sums + sums
        self.count += len(p)

    def result(self) -> float:
        if not self.count:
            return 0.0
        sums, squares, errors, weight = self.sums
        spread = squares - sums**2 / weight
        with np.errstate(all="ignore"):
            scores = np.where(spread == 0, 0.0, 1 - errors / spread)
        weighted = self.class_aggregation == "variance_weighted_average" and spread.sum() > 0
        score = float(np.average(scores, weights=spread if weighted else None))
        rest = self.count - self.num_regressors - 1
        return 1 - (1 - score) * (self.count - 1) / rest if self.num_regressors and rest > 0 else score

    def reset_state(self) -> None:
        """Forget all rows."""
        self.sums, self.count = np.zeros((4, 1)), 0.0

    reset_states = reset_state


@METRICS.entry("cosine_similarity")
class CosineSimilarity(Metric):
    """The cosine of the angle between t and p: minus the loss of that name, which is the metric `CosineProximity`.

    Args: axis -1; name, dtype as for `Metric`.

    >>> CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]])
    1.0
    """

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name or "cosine_similarity", dtype)
        self.axis = losses.CosineSimilarity(axis).axis

    @property
    def record(self) -> Row | None:
        """None: its value is minus the mean of the engine's row."""
        return None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The engine's row, of the loss."""
        return (row("cosine_similarity"),)

    def value(self, means: Sequence[float], count: float) -> float:
        """Return minus the mean loss."""
        return -means[0]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the cosine of every row."""
        return -row_values(row("cosine_similarity"), y_true, y_pred)


@METRICS.entry("cosine_proximity", "cosine", rows=("cosine_similarity",))
class CosineProximity(CosineSimilarity):
    """Minus the cosine of the angle between t and p, which Keras 1 and 2 called so.

    >>> CosineProximity()([[3.0, 4.0]], [[6.0, 8.0]])
    -1.0
    """

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name or "cosine_proximity", dtype, axis)

    def value(self, means: Sequence[float], count: float) -> float:
        """Return the mean loss."""
        return means[0]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return minus the cosine of every row."""
        return -super().call(y_true, y_pred)


class _Correlation(Metric):
    """The base of correlations between the targets and the outputs of a row, whose mean over the rows is the metric."""

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = int(axis)

    def of(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Any:
        """Return the correlation over the axis, of arrays of one shape."""
        raise NotImplementedError

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the correlation over the axis."""
        p = np.asarray(y_pred, np.float64)
        t = np.asarray(y_true, np.float64).reshape(p.shape)
        with np.errstate(all="ignore"):  # nothing varies in one column: NaN, as in Keras
            return self.of(t, p)


@METRICS.entry("pearson_correlation", rows=())
class PearsonCorrelation(_Correlation):
    """Mean of (t - mean t)(p - mean p) over both deviations, for each row; NaN where one of them is 0.

    Args: axis, over which it is taken: -1, the outputs of a row, or 0, the rows of a batch; name, dtype: see `Metric`.

    >>> round(PearsonCorrelation()([[0, 1, 0.5]], [[0.1, 0.9, 0.5]]), 6)
    1.0
    """

    def of(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Any:
        """Return the mean product of both, standardised."""
        standard = [(v - v.mean(self.axis, keepdims=True)) / v.std(self.axis, keepdims=True) for v in (y_true, y_pred)]
        return (standard[0] * standard[1]).mean(self.axis)


@METRICS.entry("concordance_correlation", rows=())
class ConcordanceCorrelation(_Correlation):
    """2 covariance / (variance t + variance p + (mean t - mean p)^2 + epsilon), for each row. Lin, 1989.

    Args: as for `PearsonCorrelation`.

    >>> round(ConcordanceCorrelation()([[0, 1, 0.5]], [[0.1, 0.9, 0.5]]), 4)
    0.9756
    """

    def of(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Any:
        """Return the agreement of both."""
        means = [v.mean(self.axis, keepdims=True) for v in (y_true, y_pred)]
        together = ((y_true - means[0]) * (y_pred - means[1])).mean(self.axis)
        apart = y_true.var(self.axis) + y_pred.var(self.axis) + (means[0] - means[1]).squeeze(self.axis) ** 2
        return 2 * together / (apart + epsilon())


@METRICS.entry("mean_relative_error", rows=())
class MeanRelativeError(Metric):
    """Mean of |p - t| / normalizer, 0 where the normalizer is 0; a number, or one for each output.

    >>> MeanRelativeError(normalizer=[1.0, 4.0])([[1.0, 3.0]], [[2.0, 5.0]])
    0.75
    """

    def __init__(self, normalizer: Any, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.normalizer = normalizer

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean of every row."""
        p = np.asarray(y_pred, np.float64)
        return confusion.ratio(abs(p - np.asarray(y_true).reshape(p.shape)), self.normalizer).mean(axis=-1)


class _Reduced(Metric):
    """A metric of plain values: ``update_state(values, sample_weight=None)``."""

    def update_state(self, values: Any, y_pred: Any = None, sample_weight: Any = None) -> None:
        """Count values in, each `sample_weight` times, which may also come second."""
        values = np.asarray(values, np.float64)
        weights = sample_weight if y_pred is None else y_pred
        spread = np.broadcast_to(1.0 if weights is None else np.asarray(weights, np.float64), values.shape)
        self.total += float((values * spread).sum())
        self.count += float(spread.sum())

    def __call__(self, values: Any, sample_weight: Any = None) -> float:  # type: ignore[override]
        self.update_state(values, sample_weight)
        return self.result()


@METRICS.entry("mean", rows=())
class Mean(_Reduced):
    """The weighted mean of the values it is given.

    >>> Mean()([1.0, 3.0, 5.0])
    3.0
    """


@METRICS.entry("sum", rows=())
class Sum(_Reduced):
    """The weighted sum of the values it is given.

    >>> Sum()([1.0, 3.0, 5.0])
    9.0
    """

    def result(self) -> float:
        return self.total


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
class AccuracyOfModel(_Chosen):
    """The share of right answers: binary, categorical or sparse categorical accuracy.

    Binary for one output (in keras2 also for several, if the loss is binary crossentropy), sparse categorical where
    the targets are class numbers, else categorical.

    >>> AccuracyOfModel()([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]])
    0.5
    """

    binary, sparse_categorical, categorical = "binary_accuracy", "sparse_categorical_accuracy", "categorical_accuracy"


@METRICS.entry("crossentropy", "ce", rows=())
class Crossentropy(_Chosen):
    """Binary, categorical or sparse categorical crossentropy, chosen as by `AccuracyOfModel`.

    >>> round(Crossentropy()([[0, 1]], [[0.2, 0.8]]), 4)
    0.2231
    """

    binary, sparse_categorical = "binary_crossentropy", "sparse_categorical_crossentropy"
    categorical = "categorical_crossentropy"


class MeanMetricWrapper(PythonMetric):
    """A function as metric, as Keras calls it: see `nnlite.metric.PythonMetric`.

    >>> MeanMetricWrapper(fn=lambda t, p, by: abs(t - p) / by, name="share", by=4.0)(np.ones(2), np.zeros(2))
    0.25
    """

    def __init__(self, fn: Any, name: str | None = None, dtype: Any = None, **parameters: Any) -> None:
        super().__init__(fn, name, dtype, **parameters)
        self.fn = fn


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
    """Return the config from which `get` makes an equal metric, or for a function its name.

    >>> serialize("sparse_categorical_accuracy")
    {'class_name': 'SparseCategoricalAccuracy', 'config': {'name': 'sparse_categorical_accuracy', 'dtype': None}}
    """
    chosen = get(metric)
    return chosen.name if isinstance(chosen, PythonMetric) else METRICS.serialize(chosen)


def __getattr__(name: str) -> Any:
    entry = METRICS.attribute(__name__, name)
    make = entry.make
    of_rows = not (isinstance(make, type) and issubclass(make, Metric)) or entry.rows or make.call is not Metric.call
    return RowFunction(entry) if of_rows and name in (name.lower(), name.upper()) else make


__all__ = ["MeanMetricWrapper", "Metric", "deserialize", "get", "serialize", *METRICS.exports()]
