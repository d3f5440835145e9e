"""Metrics that hold one rate and ask for the best of another: over thresholds on the outputs, the highest precision at
a wanted recall and the like. They are counted in Python, batch by batch. Formulas: keras.metrics.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nnlite.confusion import Array, columns, ratio
from nnlite.data import whole
from nnlite.errors import number
from nnlite.metric import METRICS, Metric


class OperatingPoint(Metric):
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
        super().__init__(name, dtype)
        self.least = number(self.held, least, 0, 1)
        self.num_thresholds = whole("num_thresholds", num_thresholds)
        self.class_id = None if class_id is None else whole("class_id", class_id, 0)
        self._limits = np.array([0.5]) if self.num_thresholds == 1 else np.linspace(0, 1, self.num_thresholds)
        self.reset_state()

    def rates(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """Return the held rate and the one in question, at each threshold."""
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the rows of a batch in, each `sample_weight` times."""
        t, p, weights = columns(y_true, y_pred, sample_weight)
        spread = np.broadcast_to(weights, p.shape)
        chosen = slice(None) if self.class_id is None else [self.class_id]
        t, p, spread = t[:, chosen].ravel(), p[:, chosen].ravel(), spread[:, chosen].ravel()
        above = np.searchsorted(self._limits, p, side="left")  # how many limits each output exceeds
        for kind, of_kind in enumerate((t != 0, t == 0)):
            counts = np.bincount(above[of_kind], spread[of_kind], len(self._limits) + 1)
            self.taken[kind] += counts[::-1].cumsum()[::-1][1:]
            self.totals[kind] += spread[of_kind].sum()

    def result(self) -> float:
        """Return the largest rate, 0 where no threshold reaches the held one."""
        (tp, fp), (positive, negative) = self.taken, self.totals
        held, asked = self.rates(tp, fp, negative - fp, positive - tp)
        return float(asked[held >= self.least].max(initial=0.0))

    def reset_state(self) -> None:
        """Forget all rows."""
        self.taken, self.totals = np.zeros((2, len(self._limits))), np.zeros(2)

    reset_states = reset_state


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
