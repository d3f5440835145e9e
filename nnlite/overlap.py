"""Metrics of the overlap of classes, intersection over union, from counts of which class was taken for which. They are
counted in Python. Formulas: keras.metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.confusion import Array, Tally, ratio
from nnlite.data import whole
from nnlite.errors import number
from nnlite.metric import METRICS


@METRICS.entry("io_u", rows=())
class IoU(Tally):
    """Mean over some classes of TP / (TP + FP + FN), of those that occur.

    Args:
        num_classes: how many classes there are; others in the data do not count.
        target_class_ids: the classes whose mean is taken.
        name, dtype: as for `Metric`.
        ignore_class: rows of this class do not count.
        sparse_y_true, sparse_y_pred: whether targets, outputs are class numbers; else the largest column is the class.
        axis: -1.

    Raises:
        ValueError: a class is none of the `num_classes`.

    >>> IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1])
    0.3333333333333333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        self.num_classes = whole("num_classes", num_classes)
        super().__init__((self.num_classes, self.num_classes), name, dtype)
        self.target_class_ids = [whole("target_class_ids", one, 0) for one in target_class_ids]
        if not self.target_class_ids or max(self.target_class_ids) >= self.num_classes:
            raise ValueError(
                f"target_class_ids must name classes 0 ... {self.num_classes - 1}; received {target_class_ids!r}."
            )
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = bool(sparse_y_true), bool(sparse_y_pred)

    def tally(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Array:
        """Return how many rows of each class were taken for each."""
        t, p = np.asarray(y_true), np.asarray(y_pred)
        t = (t if self.sparse_y_true else t.argmax(axis=self.axis)).ravel().astype(np.int64)
        p = (p if self.sparse_y_pred else p.argmax(axis=self.axis)).ravel().astype(np.int64)
        weights = np.broadcast_to(1.0 if sample_weight is None else np.ravel(sample_weight), t.shape)
        counts = (t >= 0) & (t < self.num_classes) & (p >= 0) & (p < self.num_classes)
        if self.ignore_class is not None:
            counts &= t != self.ignore_class
        places = t[counts] * self.num_classes + p[counts]
        return np.asarray(np.bincount(places, weights[counts], self.num_classes**2).reshape(self.counts.shape), float)

    def result(self) -> float:
        """Return the mean overlap of the classes that occur; 0 if none does."""
        both = np.diag(self.counts)
        either = self.counts.sum(axis=0) + self.counts.sum(axis=1) - both
        chosen = self.target_class_ids
        return float(ratio(ratio(both, either)[chosen].sum(), (either[chosen] > 0).sum()))


@METRICS.entry("mean_io_u", rows=())
class MeanIoU(IoU):
    """`IoU` of all classes.

    >>> MeanIoU(2)([0, 0, 1, 1], [0, 1, 0, 1])
    0.3333333333333333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        classes = range(whole("num_classes", num_classes))
        super().__init__(num_classes, classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


@METRICS.entry("one_hot_io_u", rows=())
class OneHotIoU(IoU):
    """`IoU` of one-hot targets, and of outputs whose largest column is the class unless `sparse_y_pred`.

    >>> OneHotIoU(2, [0, 1])([[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]])
    0.25
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


@METRICS.entry("one_hot_mean_io_u", rows=())
class OneHotMeanIoU(OneHotIoU):
    """`OneHotIoU` of all classes.

    >>> OneHotMeanIoU(2)([[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]])
    0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        classes = range(whole("num_classes", num_classes))
        super().__init__(num_classes, classes, name, dtype, ignore_class, sparse_y_pred, axis)


@METRICS.entry("binary_io_u", rows=())
class BinaryIoU(IoU):
    """`IoU` of the classes 0 and 1, or one of them, outputs of at least `threshold` being 1.

    >>> BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
    0.3333333333333333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = number("threshold", threshold)

    def tally(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Array:
        """Return how many rows of each class were taken for each."""
        return super().tally(y_true, np.asarray(y_pred) >= self.threshold, sample_weight)
