"""Training that needs Python for every batch: a loss or a metric is written in it, or the batches come from it."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnlite import _engine
from nnlite._engine import Run
from nnlite.batches import ArrayBatches, Batches
from nnlite.data import Data
from nnlite.evaluation import Counting, evaluate
from nnlite.objective import NO_LOSS, Measures
from nnlite.records import LayerRecord, OptimizerRecord
from nnlite.stepping import Stepper

if TYPE_CHECKING:
    from nnlite._engine import EngineModel
    from nnlite.layers.layer import Weight

Array = NDArray[Any]


class OutOfBatches(Exception):
    """There is no batch to begin an epoch with."""


class DerivedRun(Run):
    """A `Run` whose means are turned into metrics that are no means themselves, such as precision."""

    measures: Measures

    def bind(
        self, x: Array, y: Array, sample_weight: Array | None = None, shuffle: int = 1, validation: Any = None
    ) -> None:
        """Take the data of a training, as `Run.bind` does."""
        super().bind(x, y, sample_weight, shuffle, validation)
        self._rows = [len(x)] if validation is None else [len(x), len(validation[0])]

    def history(self, start: int | None = None) -> list[list[float]]:
        """Return the values of the epochs from `start` on, as `Run.history` does."""
        columns, known, found = super().history(start), 1 + len(self.measures.rows), list[list[float]]()
        for i, rows in enumerate(self._rows):
            epochs = zip(*columns[i * known : (i + 1) * known], strict=True)
            values = [self.measures.values(means, rows) for means in epochs]
            found += _columns(values, len(self.measures.names))
        return found

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
    """What `Run` is, for training that needs Python for every batch.

    Args:
        engine: compiled for `measures`.
        batch_size: rows of a batch.
        measures: loss and metrics.
        weights: of the model.
        stepper: what ends its steps, where Python has a part in them.

    Attributes:
        batches: of an epoch; 0 while that is not known.
        size: rows of the last batch.
    """

    def __init__(
        self, engine: EngineModel, batch_size: int, measures: Measures, weights: Sequence[Weight], stepper: Stepper
    ) -> None:
        self.model, self._measures, self._weights = engine, measures, weights
        self._statistics = [weight for weight in weights if not weight.trainable]
        self._stepper = stepper if stepper.has_part(measures.ruled) else None
        # a model of nothing that applies the engine's metrics to given outputs
        self._judging = _engine.EngineModel([LayerRecord("linear")], engine.output_units, engine.dtype.name)
        self._judging.compile(NO_LOSS, False, measures.rows, OptimizerRecord("sgd", (), 0.0))
        self._make_room(batch_size)

    def _make_room(self, rows: int) -> None:
        """Have workspaces for batches of so many rows."""
        self.batch_size = rows
        self._run, self._judge = _engine.Run(self.model, rows), _engine.Run(self._judging, rows)
        self._run.holds = self._stepper is not None

    def bind(
        self, x: Array, y: Array, sample_weight: Array | None = None, shuffle: int = 1, validation: Data | None = None
    ) -> None:
        """Take the data of a training, as `Run.bind` does."""
        self.bind_batches(ArrayBatches(Data(x, y, sample_weight), self.batch_size, shuffle), validation)

    def bind_batches(self, source: Batches, validation: Data | None = None) -> None:
        """Take the batches of a training; `validation` as in `Run.bind`."""
        self._source, self._validation = source, validation
        self.batches = source.steps or 0
        self.epochs = self.batch = self.rows = self.size = self.bad_iteration = 0
        self._sums = self._last = [0.0] * (1 + len(self._measures.rows))
        self._counting = Counting(self._measures)
        self._means: list[list[float]] = []
        self._times: list[float] = []
        self._ahead: Data | None = None
        self._warned = False

    @property
    def sums(self) -> NDArray[np.float64]:
        """What `seek` goes on from: rows of the epoch under way, place in the source, sums over those rows."""
        number, taken = self._source.place
        return np.array([self.rows, number, taken - (self._ahead is not None), *self._sums])

    def seek(self, batch: int, sums: NDArray[np.float64]) -> None:
        """Go on after so many batches of an epoch, as `Run.seek` does. Metrics written in Python count from here."""
        rows, number, taken = map(int, sums[:3])
        self._sums = sums[3:].tolist()
        self._source.seek(self.model.seed, number, taken)
        self.batch, self.rows, self._ahead, self._began = batch, rows, None, time.perf_counter()

    def advance(self, max_batches: int, max_epochs: int, seconds: float = 0.05) -> int:
        """Train as `Run.advance` does; return the number of epochs finished.

        Raises OutOfBatches if there is no batch to begin an epoch with. Warns where batches run out.
        """
        done, end = 0, time.perf_counter() + seconds
        while max_batches > 0 and done < max_epochs:
            try:
                done += self._train_batch()
            except OutOfBatches:
                if not done:
                    raise
                break  # the epochs before are told first; the next call raises
            max_batches -= 1
            if time.perf_counter() > end:
                break
        return done

    def _take(self) -> Data | None:
        batch, self._ahead = self._ahead, None
        if batch is None:
            batch = self._source.take(self.model.seed, self.model.epochs_done)
        return batch

    def _train_batch(self) -> int:
        if self.batch == 0:
            self._began = time.perf_counter()
        batch = self._take()
        if batch is not None:
            self._train(batch)
            if self._source.steps is None:
                self._ahead = self._take()
            over = self._ahead is None if self._source.steps is None else self.batch == self._source.steps
            return self._end_epoch() if over else 0
        if not self._warned:
            self._warned = True
            text = "the batches ran out and end the training: a generator must yield steps_per_epoch * epochs of them."
            warnings.warn(text, UserWarning, stacklevel=2)
        if self.batch == 0:
            raise OutOfBatches
        return self._end_epoch()

    def _train(self, batch: Data) -> None:
        if self.batch == 0:
            self._sums = [0.0] * len(self._sums)
            for metric in self._measures.metrics:
                metric.reset_state()
        self.size = len(batch.x)
        if self.size > self.batch_size:
            self._make_room(self.size)
        self._last = self._step(batch)
        self._sums = [total + value * self.size for total, value in zip(self._sums, self._last, strict=True)]
        self.batch += 1
        self.rows += self.size
        if not (self.bad_iteration or math.isfinite(self._last[0])):
            self.bad_iteration = self.model.iterations

    @property
    def partial(self) -> list[float]:
        """The values over the rows of the epoch under way."""
        return self._values([total / max(self.rows, 1) for total in self._sums], self.rows)

    @property
    def last(self) -> list[float]:
        """The values over the last batch, of metrics written in Python over the epoch; zeros before the first."""
        return self._values(self._last, self.size)

    def _values(self, means: list[float], rows: int) -> list[float]:
        if not self.size:  # what is written in Python need not have a result yet
            return [0.0] * len(self._measures.names)
        self._counting.flush()
        return self._measures.values(means, rows)

    def _end_epoch(self) -> int:
        self.model.state = self.model.state | {"epochs": self.model.epochs_done + 1}
        self._source.end_epoch()
        means = self.partial
        checked = evaluate(self._run, self._measures, self._validation) if self._validation else []
        self._means.append(means + checked)
        self._times.append(time.perf_counter() - self._began)
        self.epochs += 1
        self.batches = self.batch
        self.batch = self.rows = 0
        return 1

    def _step(self, batch: Data) -> list[float]:
        """Take one step; return loss and the engine's metrics, and let the others see the outputs before it."""
        measures = self._measures
        if measures.record is None:
            outputs = self._run.forward(batch.x, True)
            value, gradient = measures.loss.value_and_gradient(batch.y, outputs, batch.weights)
            self._run.backward(np.ascontiguousarray(gradient * measures.weight, outputs.dtype))
            loss = measures.weight * value + self._run.activity + self._update()
            self._counting.add(batch.y, outputs, batch.weights)
            return [loss, *(self._judge.evaluate(outputs, batch.y)[1:] if measures.rows else [])]
        epochs = self.model.epochs_done
        if measures.in_python:
            self._counting.add(batch.y, self._outputs(batch.x), batch.weights)
        try:
            self._run.bind(*batch, 0)
            self._run.advance(1, 1)
        finally:
            self.model.state = self.model.state | {"epochs": epochs}
        loss, *known = self._run.last
        return [loss if self._stepper is None else loss + self._update(), *known]

    def _update(self) -> float:
        """Take the step the gradients ask for; return the penalties of the weights before it."""
        return self.model.update() if self._stepper is None else self._stepper.take(self.model, self._weights)

    def _outputs(self, x: Array) -> Array:
        """The outputs of the step to come, which the engine does not show: of a pass that leaves no trace."""
        kept = [weight.numpy() for weight in self._statistics]
        try:
            return self._run.forward(x, True)
        finally:
            for weight, values in zip(self._statistics, kept, strict=True):
                weight.assign(values)

    def history(self, start: int) -> list[list[float]]:
        """Return the means of the epochs from `start` on, as `Run.history` does."""
        return _columns(self._means[start:], len(self._measures.names) * (1 if self._validation is None else 2))

    def epoch_times(self) -> list[float]:
        """Return the seconds each of them took."""
        times, self._times = self._times, []
        return times


def _columns(rows: list[list[float]], width: int) -> list[list[float]]:
    """The rows, each of `width` values, turned."""
    return [[row[k] for row in rows] for k in range(width)]
