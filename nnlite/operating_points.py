"""Metrics that hold one rate and ask for the best of another: over thresholds on the outputs, the highest precision at
a wanted recall and the like. They are counted in Python. Formulas: keras.metrics.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nnlite.confusion import Array, Tally, columns, exceeding, ratio
from nnlite.data import whole
from nnlite.errors import number
from nnlite.metric import METRICS


class OperatingPoint(Tally):
    """The base: counts at evenly spaced thresholds from 0 to 1, and the largest rate where another is high enough.

    Args:
        least: what the held rate must reach, 0 ... 1.
        num_thresholds: how many thresholds; one is 0.5.
        class_id: only this column counts.
        name, dtype: as for `Metric`.

    Raises:
        ValueError: a number out of its range.
    """

    held: ClassVar[str] = ""  # the argument that says what is held

    def __init__(
        self, least: float, num_thresholds: int, class_id: int | None, name: str | None = None, dtype: Any = None
    ) -> None:
        self.least = number(self.held, least, 0, 1)
        self.num_thresholds = whole("num_thresholds", num_thresholds)
        self.class_id = None if class_id is None else whole("class_id", class_id, 0)
        self._limits = np.array([0.5]) if self.num_thresholds == 1 else np.linspace(0, 1, self.num_thresholds)
        super().__init__((2, 1 + len(self._limits)), name, dtype)

    def rates(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """Return the held rate and the one in question, at each threshold."""
        raise NotImplementedError

    def tally(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Array:
        """Return the counts of `exceeding`."""
        t, p, weights = columns(y_true, y_pred, sample_weight)
        chosen = slice(None) if self.class_id is None else [self.class_id]
        return exceeding(self._limits, t[:, chosen], p[:, chosen], weights)

    def result(self) -> float:
        """Return the largest rate, 0 where no threshold reaches the held one."""
        (tp, fp), (fn, tn) = self.counts[:, 1:], self.counts[:, :1] - self.counts[:, 1:]
        held, asked = self.rates(tp, fp, tn, fn)
        return float(asked[held >= self.least].max(initial=0.0))


@METRICS.entry("precision_at_recall", rows=())
class PrecisionAtRecall(OperatingPoint):
    """The highest precision at a threshold where recall is at least `recall`; the rest as `OperatingPoint`.

    >>> round(PrecisionAtRecall(0.8)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]), 6)
    0.5
    """

    held = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = self.least

    def rates(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """Return recall and precision."""
        return ratio(tp, tp + fn), ratio(tp, tp + fp)


@METRICS.entry("recall_at_precision", rows=())
class RecallAtPrecision(OperatingPoint):
    """The highest recall at a threshold where precision is at least `precision`; the rest as `OperatingPoint`.

    >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    0.5
    """

    held = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = self.least

    def rates(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """Return precision and recall."""
        return ratio(tp, tp + fp), ratio(tp, tp + fn)


@METRICS.entry("sensitivity_at_specificity", rows=())
class SensitivityAtSpecificity(OperatingPoint):
    """The highest share of positives found, where the share of negatives left alone is at least `specificity`; the rest
    as `OperatingPoint`.

    >>> SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    0.5
    """

    held = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = self.least

    def rates(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """Return specificity and sensitivity."""
        return ratio(tn, tn + fp), ratio(tp, tp + fn)


@METRICS.entry("specificity_at_sensitivity", rows=())
class SpecificityAtSensitivity(OperatingPoint):
    """The highest share of negatives left alone, where the share of positives found is at least `sensitivity`; the rest
    as `OperatingPoint`.

    >>> round(SpecificityAtSensitivity(0.3)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]), 6)
    0.666667
    """

    held = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = self.least

    def rates(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """Return sensitivity and specificity."""
        return ratio(tp, tp + fn), ratio(tn, tn + fp)
