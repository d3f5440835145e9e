"""Training: how many batches the engine may run before Python is needed, and what happens then.

There is one loop, `Training.epochs`. It drives a `Run` of the engine, or, where a loss or a metric is written in
Python, a `PythonRun`, which has the same face.
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nnlite.callbacks import ByName, History, Listeners
from nnlite.progress import EpochReport

if TYPE_CHECKING:
    from nnlite._engine import Run
    from nnlite.model import Model
    from nnlite.python_run import PythonRun

# How long the engine may run before Python looks at stop_training and the terminal, in seconds.
SLICE = 0.05
_ALL = sys.maxsize


class Training:
    """One call of `Model.fit`: a run with its data bound, and everyone who watches it.

    Args:
        model: what `stop_training` is read from.
        run: with data bound.
        names: of a row of means: loss, metrics, and the same of the validation data.
        rows: of the training data.
        listeners, history, report: who is told.
    """

    def __init__(
        self,
        model: Model,
        run: Run | PythonRun,
        names: list[str],
        rows: int,
        listeners: Listeners,
        history: History,
        report: EpochReport,
    ) -> None:
        self.model, self.run, self.names, self.rows = model, run, names, rows
        self.listeners, self.history, self.report = listeners, history, report
        width = len(run.last)  # validation comes first in the history, as in Keras 2
        self._columns = [*range(width, len(names)), *range(width)]
        self._names = [names[i] for i in self._columns]
        self._warned = False
        self._optimizer = model.optimizer

    def epochs(self, first: int, last: int) -> None:
        """Train the epochs `first` ... `last` - 1, or until somebody stops it.

        An exception, Ctrl-C among them, leaves weights, optimizer and history as they are after the last step.
        """
        self._first, self._iterations = first, self.run.model.iterations
        epoch = first
        self._began = time.perf_counter()
        try:
            while epoch < last and not self.model.stop_training:
                epoch += self._advance(epoch, last)
        finally:
            self._record(epoch, self.run.history())
            self.report.end()

    def _advance(self, epoch: int, last: int) -> int:
        """Run the batches nobody has to hear of, tell those who listen, and return the number of epochs finished."""
        run, listeners = self.run, self.listeners
        by_epoch = listeners.each_epoch or listeners.each_batch
        if by_epoch and run.batch == 0:
            self.report.begin(epoch)
            listeners.call("on_epoch_begin", epoch, ByName())
        if listeners.each_batch:
            done = self._advance_batch()
        elif self._optimizer.schedule is not None:
            self._optimizer.prepare(run.model)
            done = run.advance(1, 1)
        else:
            done = run.advance(_ALL, 1 if by_epoch else last - epoch, SLICE)
        if done:
            self._began = time.perf_counter()
            self._finished(epoch, by_epoch)
        elif run.batch:
            self.report.running(epoch, run.rows, time.perf_counter() - self._began, run.partial)
            if self.model.stop_training:
                self._tell(epoch, ByName(zip(self.names, run.partial, strict=False)))
        self._warn_if_lost()
        return done

    def _advance_batch(self) -> int:
        run = self.run
        batch = run.batch
        logs: ByName[float] = ByName(batch=batch, size=min(run.batch_size, self.rows - run.rows))
        self.listeners.call("on_batch_begin", batch, logs)
        self._optimizer.prepare(run.model)
        done = run.advance(1, 1)
        logs.update(zip(self.names, run.last, strict=False))
        self.listeners.call("on_batch_end", batch, logs)
        return done

    def _finished(self, epoch: int, by_epoch: bool) -> None:
        means, seconds = self.run.history(), self.run.epoch_times()
        if not by_epoch:
            self._record(epoch, means)
        if self.report.verbose:
            self.report.finished(epoch, means.tolist(), seconds.tolist())
        if by_epoch:
            self._tell(epoch, ByName(zip(self._names, means[0, self._columns].tolist(), strict=True)))

    def _tell(self, epoch: int, logs: ByName[float]) -> None:
        """End an epoch: callbacks first, so that the history has what they add."""
        try:
            self.listeners.call("on_epoch_end", epoch, logs)
        finally:
            self.history.on_epoch_end(epoch, logs)

    def _record(self, epoch: int, means: NDArray[np.float64]) -> None:
        if len(means):
            self.history.extend(epoch, self._names, means[:, self._columns].tolist())

    def _warn_if_lost(self) -> None:
        if self.run.bad_iteration and not self._warned:
            self._warned = True
            epoch, step = divmod(self.run.bad_iteration - self._iterations - 1, self.run.batches)
            warn_of_loss(f"in epoch {self._first + epoch + 1}, step {step + 1}")


def warn_of_loss(where: str) -> None:
    """Warn that a loss is not finite."""
    advice = "use a smaller learning rate or clipnorm, and look for NaN in the data"
    warnings.warn(f"the loss is not finite since {where}: {advice}.", RuntimeWarning, stacklevel=2)
