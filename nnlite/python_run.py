"""Training and evaluation with a loss or a metric written in Python: the parts of the engine, joined batch by batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnlite import _engine
from nnlite._engine import Run
from nnlite.data import Data
from nnlite.objective import NO_LOSS, Measures
from nnlite.records import LayerRecord, OptimizerRecord

if TYPE_CHECKING:
    from nnlite._engine import EngineModel
    from nnlite.layers.layer import Weight

Array = NDArray[Any]


def evaluate(run: Run, measures: Measures, data: Data) -> list[float]:
    """Return the means of loss and metrics over all rows of `data`."""
    if not measures.in_python:
        return measures.values(run.evaluate(*data), len(data.x))
    outputs = run.predict(data.x)
    fits = data.y.shape[1] in (1, outputs.shape[1])
    total, *known = run.evaluate(data.x, data.y if fits or measures.rows else np.zeros_like(outputs), data.weights)
    counts = [dict(vars(metric)) for metric in measures.metrics]  # those of a training under way
    for metric in measures.metrics:
        metric.reset_state()
    for start in range(0, len(outputs), run.batch_size):
        part, p = data.part(start, start + run.batch_size), outputs[start : start + run.batch_size]
        if measures.record is None:
            total += measures.weight * float(np.mean(measures.loss(part.y, p, part.weights))) * len(p) / len(outputs)
        _count(measures, part.y, p)
    means = measures.values([total, *known], len(data.x))
    for metric, count in zip(measures.metrics, counts, strict=True):
        vars(metric).update(count)
    return means


def _count(measures: Measures, y: Array, p: Array) -> None:
    """Let the metrics written in Python see a batch."""
    for metric in measures.metrics:
        if not metric.rows:
            metric.update_state(y, p)


class DerivedRun(Run):
    """A `Run` whose means are turned into metrics that are no means themselves, such as precision."""

    measures: Measures

    def bind(
        self, x: Array, y: Array, sample_weight: Array | None = None, shuffle: int = 1, validation: Any = None
    ) -> None:
        """Take the data of a training, as `Run.bind` does."""
        super().bind(x, y, sample_weight, shuffle, validation)
        self._rows = [len(x)] if validation is None else [len(x), len(validation[0])]

    def history(self, start: int | None = None) -> NDArray[np.float64]:
        """Return the values of the epochs from `start` on, as `Run.history` does."""
        values = [
            [
                value
                for part, rows in zip(np.split(means, len(self._rows)), self._rows, strict=True)
                for value in self.measures.values(part.tolist(), rows)
            ]
            for means in super().history(start)
        ]
        return np.array(values, np.float64).reshape(len(values), len(self._rows) * len(self.measures.names))

    @property
    def partial(self) -> list[float]:
        """The values over the rows of the epoch under way."""
        return self.measures.values(super().partial, self.rows)

    @property
    def last(self) -> list[float]:
        """The values over the last batch."""
        before = (self.batches if self.batch == 0 else self.batch) - 1
        return self.measures.values(super().last, min(self.batch_size, self._rows[0] - before * self.batch_size))


class PythonRun:
    """What `Run` is, for a loss or metrics written in Python: it asks them for every batch.

    Args:
        engine: compiled for `measures`.
        batch_size: rows in a batch.
        statistics: the moving statistics of the model.
    """

    def __init__(self, engine: EngineModel, batch_size: int, measures: Measures, statistics: Sequence[Weight]) -> None:
        self.model, self.batch_size = engine, batch_size
        self._measures, self._statistics = measures, statistics
        self._run = _engine.Run(engine, batch_size)
        # a model of nothing that applies the engine's metrics to given outputs
        judge = _engine.EngineModel([LayerRecord("linear")], engine.output_units, engine.dtype.name)
        judge.compile(NO_LOSS, False, measures.rows, OptimizerRecord("sgd", (), 0.0))
        self._judge = _engine.Run(judge, batch_size)

    def bind(
        self, x: Array, y: Array, sample_weight: Array | None = None, shuffle: int = 1, validation: Data | None = None
    ) -> None:
        """Take the data of a training, as `Run.bind` does."""
        self._data, self._shuffle, self._validation = Data(x, y, sample_weight), shuffle, validation
        self.batches = -(-len(x) // self.batch_size)
        self.epochs = self.batch = self.rows = self.bad_iteration = 0
        self.partial = self.last = [0.0] * len(self._measures.names)
        self._means: list[list[float]] = []
        self._times: list[float] = []

    def advance(self, max_batches: int, max_epochs: int, seconds: float = 0.05) -> int:
        """Train as `Run.advance` does; return the number of epochs finished."""
        done, end = 0, time.perf_counter() + seconds
        while max_batches > 0 and done < max_epochs:
            done += self._train_batch()
            max_batches -= 1
            if time.perf_counter() > end:
                break
        return done

    def _train_batch(self) -> int:
        state = self.model.state
        if self.batch == 0:
            self._began = time.perf_counter()
            rows = len(self._data.x)
            self._order = _engine.order(rows, self.batch_size, self._shuffle, state["seed"], state["epochs"])
            self._sums = np.zeros(1 + len(self._measures.rows))
            for metric in self._measures.metrics:
                metric.reset_state()
        chosen = self._order[self.rows : self.rows + self.batch_size]
        x, y, weights = self._data
        batch = Data(x[chosen], y[chosen], None if weights is None else weights[chosen])
        values, outputs = self._step(batch)
        _count(self._measures, batch.y, outputs)
        self._sums += np.array(values) * len(chosen)
        self.batch += 1
        self.rows += len(chosen)
        if not (self.bad_iteration or np.isfinite(values[0])):
            self.bad_iteration = self.model.iterations
        loss, *known = (self._sums / self.rows).tolist()
        self.partial = self._measures.values([loss, *known], self.rows)
        self.last = self._measures.values(values, len(chosen))
        if self.rows < len(self._data.x):
            return 0
        self.model.state = self.model.state | {"epochs": state["epochs"] + 1}
        checked = evaluate(self._run, self._measures, self._validation) if self._validation else []
        self._means.append(self.partial + checked)
        self._times.append(time.perf_counter() - self._began)
        self.epochs += 1
        self.batch = self.rows = 0
        return 1

    def _step(self, batch: Data) -> tuple[list[float], Array]:
        """Take one step; return loss and the engine's metrics, and the outputs before it."""
        measures = self._measures
        if measures.record is None:
            outputs = self._run.forward(batch.x, True)
            value, gradient = measures.loss.value_and_gradient(batch.y, outputs, batch.weights)
            self._run.backward(np.ascontiguousarray(gradient * measures.weight, outputs.dtype))
            loss = measures.weight * value + self.model.update()
            return [loss, *(self._judge.evaluate(outputs, batch.y)[1:] if measures.rows else [])], outputs
        # the engine's own step does not show its outputs: they come from a pass of their own, which leaves no trace
        kept, epochs = [weight.numpy() for weight in self._statistics], self.model.epochs_done
        try:
            outputs = self._run.forward(batch.x, True)
        finally:
            for weight, values in zip(self._statistics, kept, strict=True):
                weight.assign(values)
        try:
            self._run.bind(*batch, 0)
            self._run.advance(1, 1)
        finally:
            self.model.state = self.model.state | {"epochs": epochs}
        return self._run.last, outputs

    def history(self, start: int) -> NDArray[np.float64]:
        """Return the means of the epochs from `start` on, as `Run.history` does."""
        means = self._means[start:]
        width = len(self._measures.names) * (1 if self._validation is None else 2)
        return np.array(means, np.float64).reshape(len(means), width)

    def epoch_times(self) -> NDArray[np.float64]:
        """Return the seconds each of them took."""
        times, self._times = self._times, []
        return np.array(times)
