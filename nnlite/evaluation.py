"""Evaluation: of arrays by the engine at once, of batches one by one, told to those who listen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnlite.batches import GivenBatches
from nnlite.callbacks import ByName, Listeners
from nnlite.config import era
from nnlite.data import Data
from nnlite.errors import ShapeError
from nnlite.objective import Measures
from nnlite.progress import in_order

if TYPE_CHECKING:
    from nnlite._engine import Run

Array = NDArray[Any]


# How many outputs a metric is shown at a time if batches are all the same to it: they stay in the caches.
_OUTPUTS = 2**15


class Counting:
    """Shows batches to the metrics written in Python: to those that do not have to see each by itself, many as one.

    Args:
        measures: loss and metrics.

    Attributes:
        by_batch: whether batches have to come as they are cut.
    """

    def __init__(self, measures: Measures) -> None:
        counted = list(measures.counted())
        self._single = [(metric, weighted) for metric, weighted in counted if weighted or metric.by_batch]
        self._joint = [metric for metric, weighted in counted if not (weighted or metric.by_batch)]
        self._kept: list[tuple[Array, Array]] = []
        self._room = 0  # for outputs before they are counted; the first batch is at once, so that errors are told early
        self.by_batch = bool(self._single) or measures.record is None

    def add(self, y: Array, p: Array, weights: Array | None) -> None:
        """Count a batch in, at the latest at the next `flush`: targets, outputs (rows, units) and weights (rows,)."""
        if self._joint:
            if p.size < self._room:
                self._kept.append((y.copy(), p.copy()))  # whoever gave them may write over them
                self._room -= p.size
            else:
                self._kept.append((y, p))
                self.flush()
        for metric, weighted in self._single:
            if weighted and weights is not None:
                metric.update_state(y, p, weights)
            else:
                metric.update_state(y, p)

    def flush(self) -> None:
        """Count in what is left."""
        if self._kept:
            y, p = self._kept[0] if len(self._kept) == 1 else map(np.concatenate, zip(*self._kept, strict=True))
            self._kept, self._room = [], _OUTPUTS
            for metric in self._joint:
                metric.update_state(y, p)


def evaluate(run: Run, measures: Measures, data: Data) -> list[float]:
    """Return the means of loss and metrics over all rows of `data`."""
    if not measures.in_python:
        return measures.values(_means(run, measures, data), len(data.x))
    with _counting_apart(measures):
        return measures.values(_counted(run, measures, data), len(data.x))


@contextmanager
def _counting_apart(measures: Measures) -> Iterator[None]:
    """Let the metrics count anew, and put back what they have counted in a training under way."""
    counts = [dict(vars(metric)) for metric in measures.metrics]
    for metric in measures.metrics:
        metric.reset_state()
    try:
        yield
    finally:
        for metric, count in zip(measures.metrics, counts, strict=True):
            vars(metric).update(count)


def _means(run: Run, measures: Measures, data: Data) -> list[float]:
    if measures.in_python:
        return _counted(run, measures, data)
    loss, *known = run.evaluate(*data)
    return [loss + measures.penalty(), *known]


def _counted(run: Run, measures: Measures, data: Data) -> list[float]:
    """The means of the loss and of the engine's rows over `data`, which metrics written in Python count."""
    outputs = run.predict(data.x)
    fits = data.y.shape[1] in (1, outputs.shape[1])
    total, *known = run.evaluate(data.x, data.y if fits or measures.rows else np.zeros_like(outputs), data.weights)
    counting = Counting(measures)
    size = run.batch_size if counting.by_batch else max(run.batch_size, _OUTPUTS // outputs.shape[1])
    for p, y, weights in Data(outputs, data.y, data.weights).parts(size):
        if measures.record is None:
            total += measures.weight * float(np.mean(measures.loss(y, p, weights))) * len(p) / len(data.x)
        counting.add(y, p, weights)
    counting.flush()
    return [total + measures.penalty(), *known]


def evaluate_batches(run: Run, measures: Measures, batches: Iterable[Data], listeners: Listeners) -> list[float]:
    """Return the means of loss and metrics over all rows of all batches, telling those who listen of each.

    Raises ShapeError if there is no batch.
    """
    rows, sums = 0, np.zeros(1 + len(measures.rows))
    with _counting_apart(measures):
        for number, batch in enumerate(batches):
            logs: ByName[float] = ByName() if era("batch_logs.so_far") else ByName(batch=number, size=len(batch.x))
            listeners.call("on_test_batch_begin", number, logs)
            means = _means(run, measures, batch)
            sums += np.array(means) * len(batch.x)
            rows += len(batch.x)
            if era("batch_logs.so_far"):
                means, counted = (sums / rows).tolist(), rows
            else:
                counted = len(batch.x)
            values = measures.values(means, counted)
            logs.update((measures.names[i], values[i]) for i in in_order(measures.names))
            listeners.call("on_test_batch_end", number, logs)
        if rows:
            return measures.values((sums / rows).tolist(), rows)
    raise ShapeError("evaluation needs at least one batch; the generator gave none. A generator starts but once.")


def test(run: Run, measures: Measures, source: Data | GivenBatches, listeners: Listeners) -> list[float]:
    """Evaluate arrays or batches with the hooks of testing. Arrays give the same bits whoever listens."""
    if not listeners.each_test and isinstance(source, Data):
        return evaluate(run, measures, source)
    listeners.call("on_test_begin", ByName())
    if isinstance(source, GivenBatches):
        means = evaluate_batches(run, measures, source.epoch(), listeners)
    else:
        if listeners.each_test_batch:
            evaluate_batches(run, measures, source.parts(run.batch_size), listeners)
        means = evaluate(run, measures, source)
    listeners.call("on_test_end", ByName((measures.names[i], means[i]) for i in in_order(measures.names)))
    return means


class Validation:
    """An evaluation after epochs of training that needs Python.

    Args:
        run, measures, source, listeners: as in `test`.
        epochs: number of epochs between two, or the numbers, from 1, of the epochs it follows.
    """

    def __init__(
        self, run: Run, measures: Measures, source: Data | GivenBatches, listeners: Listeners, epochs: int | set[int]
    ) -> None:
        self._test = run, measures, source, listeners
        self._epochs = epochs

    def means(self, epoch: int) -> list[float]:
        """Return the means after `epoch`, from 0; none if it is not the turn of that epoch."""
        number, epochs = epoch + 1, self._epochs
        due = number in epochs if isinstance(epochs, set) else number % epochs == 0
        return test(*self._test) if due else []
