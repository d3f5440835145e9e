"""Metrics made of counts of right and wrong decisions: a target is positive if it is not 0, an output is taken for
positive if it exceeds a threshold.

With one threshold the counts are rows of csrc/engine/metrics.h, and training stays in the engine; lists of thresholds
and the other choices are counted in Python. Formulas: keras.metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nnlite.data import whole
from nnlite.errors import ShapeError, UnsupportedError, choice, number
from nnlite.metric import METRICS, Metric
from nnlite.records import Row, row

Array = NDArray[np.float64]


def ratio(a: Any, b: Any) -> Any:
    """a / b, 0 where b is 0."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b != 0)


def columns(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Array, Array, Array | None]:
    """Targets and outputs (rows, units), outputs of float32 as they are, else float64, and weights (rows, 1) or None.
    Raises ShapeError if they do not go together."""
    p = np.asarray(y_pred)
    p = p if p.dtype == np.float32 else p.astype(np.float64)
    p = p.reshape(len(p), -1) if p.ndim else p.reshape(1, 1)
    t = np.asarray(y_true)
    if t.size != p.size:
        raise ShapeError(f"y_true must have the shape of y_pred, {np.shape(y_pred)}; received {np.shape(y_true)}.")
    if sample_weight is None:
        return t.reshape(p.shape), p, None
    weights = np.asarray(sample_weight, np.float64).reshape(-1, 1)
    return t.reshape(p.shape), p, np.broadcast_to(weights, (len(p), 1))


def exceeding(limits: Array, t: Array, p: Array, weights: Array | None) -> Array:
    """Return counts (2, 1 + limits) of targets that are not 0, and of those that are: all of them, and those whose
    output exceeds each of the ascending limits. NaN exceeds all limits.

    Looking the limits up among sorted outputs takes a tenth of the time of the other way round, which weights need.
    """
    width, t, p = 1 + len(limits), t.ravel(), p.ravel()
    if weights is None:
        counts = np.zeros((2, width))
        for found, some in zip(counts, (p[np.flatnonzero(t != 0)], p), strict=True):
            found[1:] = np.searchsorted(np.sort(some), limits, side="right")
            np.subtract(len(some), found, out=found)
        counts[1] -= counts[0]
        return counts
    above = np.searchsorted(limits, p) + width * (t == 0)  # how many limits each output exceeds
    spread = np.broadcast_to(weights, (len(weights), len(p) // len(weights))).ravel()
    return np.bincount(above, spread, 2 * width).reshape(2, width)[:, ::-1].cumsum(axis=1)[:, ::-1]


class Tally(Metric):
    """The base of metrics made of counts that add up over batches, so that several batches may be counted as one.

    Args:
        shape: of the counts.
        name, dtype: as for `Metric`.

    Attributes:
        counts: of all rows since the last reset.
    """

    counts: Array

    def __init__(self, shape: tuple[int, ...], name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self._shape = shape
        self.reset_state()

    @property
    def by_batch(self) -> bool:
        """Whether a subclass has an `update_state` of its own, for which batches may matter."""
        return type(self).update_state is not Tally.update_state

    def tally(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Array:
        """Return the counts of a batch, each row `sample_weight` times."""
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the rows of a batch in, each `sample_weight` times."""
        self.counts = self.counts + self.tally(y_true, y_pred, sample_weight)

    def reset_state(self) -> None:
        """Forget all rows."""
        self.counts = np.zeros(self._shape)

    reset_states = reset_state


class Counted(Tally):
    """The base: counts of each kind in `kinds`, and what `of` makes of them.

    Args:
        thresholds: a number, or a list of them, for each of which there is a result; 0.5 if None.
        top_k: only the k largest outputs of a row can be positive, by default whatever their size.
        class_id: only this column counts.
        name, dtype: as for `Metric`.

    Raises:
        ValueError: a threshold is not within 0 ... 1, or top_k or class_id is no such integer.
    """

    kinds: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        listed = thresholds if isinstance(thresholds, list | tuple | np.ndarray) else [thresholds]
        self.thresholds = thresholds
        self.top_k = None if top_k is None else whole("top_k", top_k)
        self.class_id = None if class_id is None else whole("class_id", class_id, 0)
        otherwise = 0.5 if top_k is None else -np.inf
        limits = [otherwise if limit is None else number("thresholds", limit, 0, 1) for limit in listed]
        self._limits, self._places = np.unique(limits, return_inverse=True)
        super().__init__((2, 1 + len(self._limits)), name, dtype)

    def of(self, *counts: Any) -> Any:
        """Return the metric from its counts, in the order of `kinds`."""
        return counts[0]

    @property
    def record(self) -> Row | None:
        """None: it is no mean of a row of the engine; see `rows`."""
        return None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The engine's counts, or none where Python has to count."""
        if isinstance(self.thresholds, list | tuple | np.ndarray) or self.top_k or self.class_id is not None:
            return ()
        return tuple(row(kind, *self._limits) for kind in self.kinds)

    def value(self, means: Sequence[float], count: float) -> float:
        """Return its value from the mean counts of a row."""
        return float(self.of(*(np.rint(mean * count) if np.isfinite(mean) else mean for mean in means)))

    def tally(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Array:
        """Return the counts of `exceeding`."""
        t, p, weights = columns(y_true, y_pred, sample_weight)
        if self.top_k:
            rank = (-p).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
            p = np.where(rank < self.top_k, p, -np.inf)
        if self.class_id is not None:
            if self.class_id >= p.shape[1]:
                raise ValueError(
                    f"class_id must be below {p.shape[1]}, the number of outputs; received {self.class_id}."
                )
            t, p = t[:, [self.class_id]], p[:, [self.class_id]]
        return exceeding(self._limits, t, np.fmax(p, -np.inf), weights)  # NaN is not taken for positive

    def result(self) -> Any:
        """Return a number, or an array with one for each of a list of thresholds."""
        (tp, fp), (fn, tn) = self.counts[:, 1:], self.counts[:, :1] - self.counts[:, 1:]
        found = {"true_positives": tp, "false_positives": fp, "true_negatives": tn, "false_negatives": fn}
        values = np.asarray(self.of(*(found[kind] for kind in self.kinds)))[self._places]
        return values if isinstance(self.thresholds, list | tuple | np.ndarray) else float(values[0])


class _OneCount(Counted):
    """A count by itself."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, None, None, name, dtype)

    def rule(self) -> Row:
        """Return the engine's count, for the function of that name."""
        return row(self.kinds[0], self._limits[0])


@METRICS.entry("true_positives")
class TruePositives(_OneCount):
    """How many t != 0 have p > threshold.

    >>> TruePositives()([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1])
    1.0
    """

    kinds = ("true_positives",)


@METRICS.entry("false_positives")
class FalsePositives(_OneCount):
    """How many t = 0 have p > threshold.

    >>> FalsePositives()([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1])
    1.0
    """

    kinds = ("false_positives",)


@METRICS.entry("true_negatives")
class TrueNegatives(_OneCount):
    """How many t = 0 have p <= threshold.

    >>> TrueNegatives()([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1])
    1.0
    """

    kinds = ("true_negatives",)


@METRICS.entry("false_negatives")
class FalseNegatives(_OneCount):
    """How many t != 0 have p <= threshold.

    >>> FalseNegatives()([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1])
    1.0
    """

    kinds = ("false_negatives",)


@METRICS.entry("precision", rows=())
class Precision(Counted):
    """True positives / (true positives + false positives), over all rows; 0 if nothing is taken for positive.

    >>> Precision()([1, 0, 1], [0.9, 0.8, 0.3])
    0.5
    """

    kinds = ("true_positives", "false_positives")

    def of(self, *counts: Any) -> Any:
        right, wrong = counts
        return ratio(right, right + wrong)


@METRICS.entry("recall", rows=())
class Recall(Counted):
    """True positives / (true positives + false negatives), over all rows; 0 if nothing is positive.

    >>> Recall()([1, 0, 1, 1], [0.9, 0.8, 0.3, 0.2])
    0.3333333333333333
    """

    kinds = ("true_positives", "false_negatives")

    def of(self, *counts: Any) -> Any:
        right, missed = counts
        return ratio(right, right + missed)


@METRICS.entry("matthews_correlation", rows=())
class MatthewsCorrelation(_OneCount):
    """(TP TN - FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN)), from the counts over all rows; Keras 1 took the
    mean of batches.

    >>> MatthewsCorrelation()([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1])
    0.0
    """

    kinds = ("true_positives", "false_positives", "true_negatives", "false_negatives")

    def of(self, *counts: Any) -> Any:
        tp, fp, tn, fn = counts
        return ratio(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


@METRICS.entry("fbeta_score", rows=())
class FBetaScore(Tally):
    """(1 + beta^2) precision recall / (beta^2 precision + recall), from the counts over all rows.

    Args:
        average: None: an array with the score of each output; "micro": of all outputs' counts together; "macro": the
            mean of the scores; "weighted": their mean by the number of positive targets.
        beta: weight of recall.
        threshold: above which an output is positive; None: the largest of a row is.
        name, dtype: as for `Metric`.

    Raises:
        ValueError: an unknown average, or a beta or threshold that is not above 0.

    >>> round(FBetaScore("micro", beta=2.0, threshold=0.5)([1, 0, 0, 1], [0.9, 0.8, 0.7, 0.1]), 4)
    0.4545
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__((3, 1), name, dtype)  # (3, outputs) once there are any
        self.average = None if average is None else choice("average", average, ("micro", "macro", "weighted"))
        self.beta = number("beta", beta, np.nextafter(0, 1))
        self.threshold = None if threshold is None else number("threshold", threshold, 0, 1)

    @property
    def record(self) -> Row | None:
        """None: it is no mean of a row of the engine; see `rows`."""
        return None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The engine's counts of all outputs together, or none where Python has to count."""
        if self.threshold is None or self.average != "micro":
            return ()
        return tuple(row(kind, self.threshold) for kind in ("true_positives", "false_positives", "false_negatives"))

    def value(self, means: Sequence[float], count: float) -> float:
        """Return its value from the mean counts of a row."""
        return float(self._of(*(np.asarray(mean * count) for mean in means)))

    def _of(self, tp: Array, fp: Array, fn: Array) -> Any:
        share = self.beta**2
        return ratio((1 + share) * tp, (1 + share) * tp + share * fn + fp)

    def tally(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Array:
        """Return the true positives, false positives and false negatives of each output."""
        t, p, weights = columns(y_true, np.asarray(y_pred, np.float64), sample_weight)
        limit = p.max(axis=1, keepdims=True) if self.threshold is None else self.threshold
        taken = (p >= limit if self.threshold is None else p > limit) & (abs(p) > 1e-12)
        positive = t != 0
        found = (positive & taken, ~positive & taken, positive & ~taken)
        return np.array([(kind if weights is None else weights * kind).sum(axis=0) for kind in found])

    def result(self) -> Any:
        """Return a number, or an array with one for each output if the average is None."""
        if self.average == "micro":
            return float(self._of(*self.counts.sum(axis=1)))
        scores = self._of(*self.counts)
        if self.average is None:
            return scores
        positive = self.counts[0] + self.counts[2]
        return float(scores.mean() if self.average == "macro" else ratio((scores * positive).sum(), positive.sum()))


@METRICS.entry("f1_score", rows=())
class F1Score(FBetaScore):
    """The `FBetaScore` of beta 1: 2 precision recall / (precision + recall).

    >>> F1Score(average="micro", threshold=0.5)([1, 0, 1], [0.9, 0.8, 0.3])
    0.5
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)


@METRICS.entry("fmeasure", rows=())
class FMeasure(FBetaScore):
    """The F1 score of all outputs together at 0.5, as Keras 1 called it; over all rows, where Keras 1 took the mean of
    batches.

    >>> FMeasure()([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1])
    0.5
    """

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__("micro", 1.0, 0.5, name, dtype)


@METRICS.entry("auc", rows=())
class AUC(Tally):
    """The area under the curve of true over false positive rate (ROC), or of precision over recall (PR), all outputs
    counted together, from counts at thresholds.

    Args:
        num_thresholds: how many thresholds, evenly spaced from 0 to 1.
        curve: "ROC" or "PR".
        summation_method: "interpolation" (for PR: Davis and Goadrich, 2006), "minoring" or "majoring".
        name, dtype: as for `Metric`.
        thresholds: those between 0 and 1, in place of evenly spaced ones.
        multi_label, num_labels, label_weights: must be left out.
        from_logits: whether outputs are logits, to be put through a sigmoid.

    Raises:
        ValueError: an unknown curve or method, or fewer than 2 thresholds.
        UnsupportedError: multi_label is asked for.

    >>> AUC()([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        if multi_label or num_labels is not None or label_weights is not None:
            raise UnsupportedError("multi_label, num_labels and label_weights of AUC must be left out: use one AUC.")
        self.curve = choice("curve", curve, ("roc", "pr")).upper()
        self.summation_method = choice("summation_method", summation_method, ("interpolation", "minoring", "majoring"))
        self.num_thresholds = whole("num_thresholds", num_thresholds, 2)
        self.thresholds = thresholds
        self.multi_label, self.num_labels, self.label_weights = False, None, None
        self.from_logits = bool(from_logits)
        inner = np.arange(1, self.num_thresholds - 1) / (self.num_thresholds - 1)
        if thresholds is not None:
            inner = np.sort([number("thresholds", limit, 0, 1) for limit in thresholds])
        self._limits = np.array([-1e-7, *inner, 1 + 1e-7])  # so that all, and nothing, is taken at the ends
        super().__init__((2, 1 + len(self._limits)), name, dtype)

    def tally(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Array:
        """Return the counts of `exceeding`."""
        t, p, weights = columns(y_true, y_pred, sample_weight)
        if self.from_logits:
            p = 0.5 * (1 + np.tanh(p.astype(np.float64) / 2))
        return exceeding(self._limits, t, p, weights)

    def result(self) -> float:
        """Return the area."""
        (positive, negative), (tp, fp) = self.counts[:, 0], self.counts[:, 1:]
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._interpolated(tp, tp + fp, positive)
        x, y = ratio(fp, negative), ratio(tp, positive)
        if self.curve == "PR":
            x, y = y, ratio(tp, tp + fp)
        heights = {
            "interpolation": (y[:-1] + y[1:]) / 2,
            "minoring": np.minimum(y[:-1], y[1:]),
            "majoring": np.maximum(y[:-1], y[1:]),
        }
        return float(((x[:-1] - x[1:]) * heights[self.summation_method]).sum())

    def _interpolated(self, tp: Array, taken: Array, positive: float) -> float:
        """Between two thresholds true positives go in a straight line with those taken, and precision is their
        ratio."""
        rise = tp[:-1] - tp[1:]
        slope = ratio(rise, taken[:-1] - taken[1:])
        start = tp[1:] - slope * taken[1:]
        grown = np.where((taken[:-1] > 0) & (taken[1:] > 0), ratio(taken[:-1], taken[1:]), 1.0)
        return float(ratio(slope * (rise + start * np.log(grown)), positive).sum())
