"""Training: how many batches the engine may run before Python is needed, and what happens then.

There is one loop, `Training.epochs`. It drives a `Run` of the engine, or, where a loss or a metric is written in
Python or batches come from it, a `PythonRun`, which has the same face.
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import TYPE_CHECKING

from nnlite.callbacks import ByName, History, Listeners
from nnlite.config import era
from nnlite.evaluation import Validation
from nnlite.progress import EpochReport, in_order
from nnlite.python_run import OutOfBatches, PythonRun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnlite._engine import Run
    from nnlite.model import Model

# How long the engine may run before Python looks at stop_training and the terminal, in seconds.
SLICE = 0.05
_ALL = sys.maxsize


class Training:
    """One call of `Model.fit`: a run with its data bound, and everyone who watches it.

    Args:
        model: what `stop_training` is read from.
        run: with data bound.
        names: of a row of means: loss, metrics, and the same of the validation data.
        rows: of the training data; None if that is not known.
        listeners, history, report: who is told.
        validation: that which `run` does not do itself.
    """

    def __init__(
        self,
        model: Model,
        run: Run | PythonRun,
        names: list[str],
        rows: int | None,
        listeners: Listeners,
        history: History,
        report: EpochReport,
        validation: Validation | None = None,
    ) -> None:
        self.model, self.run, self.names, self.rows = model, run, names, rows
        self.listeners, self.history, self.report, self.validation = listeners, history, report, validation
        self._by_epoch = listeners.each_epoch or listeners.each_batch or validation is not None
        self._width = len(run.last)
        self._warned = False
        self._optimizer = model.optimizer
        self._done = self._iterations = self._recorded = 0

    def skip(self, epochs: int) -> None:
        """Take the epochs before number `epochs` for done; called before the first."""
        self._done = epochs

    def seek(self, batch: int, sums: NDArray[np.float64]) -> None:
        """Go on after so many batches of an epoch, whose run had those sums then."""
        self.run.seek(batch, sums)
        self._iterations -= batch

    def epochs(self, first: int, last: int) -> None:
        """Train the epochs `first` ... `last` - 1, or until somebody stops it.

        An exception, Ctrl-C among them, leaves weights, optimizer and history as they are after the last step.
        """
        epoch = self._first = max(first, self._done)
        self._iterations += self.run.model.iterations
        self._began = time.perf_counter()
        try:
            while epoch < last and not self.model.stop_training:
                epoch += self._advance(epoch, last)
        except OutOfBatches:  # the run has warned of it
            pass
        except BaseException:  # it may have come between two lines of the recording
            self.history.keep(self._recorded)
            self._record()
            raise
        finally:
            self.report.end()

    def _advance(self, epoch: int, last: int) -> int:
        """Run the batches nobody has to hear of, tell those who listen, and return the number of epochs finished."""
        run, listeners = self.run, self.listeners
        if self._by_epoch and run.batch == 0:
            self.report.begin(epoch)
            listeners.call("on_epoch_begin", epoch, ByName())
        if listeners.each_batch:
            done = self._advance_batch()
        elif self._optimizer.schedule is not None:
            self._optimizer.prepare(run.model)
            done = run.advance(1, 1)
        else:
            done = run.advance(_ALL, 1 if self._by_epoch else last - epoch, SLICE)
        if done:
            self._began = time.perf_counter()
            self._finished(epoch)
        elif run.batch:
            count = run.batch if self.report.by_steps else run.rows
            self.report.running(epoch, count, time.perf_counter() - self._began, run.partial)
            if self.model.stop_training:
                means = run.partial
                self._tell(epoch, ByName((self.names[i], means[i]) for i in in_order(self.names[: len(means)])))
        if run.bad_iteration and not self._warned:
            self._warn()
        return done

    def _advance_batch(self) -> int:
        run = self.run
        batch, logs = run.batch, ByName[float]()
        so_far = era("batch_logs.so_far")
        if not so_far:
            logs["batch"] = batch
            if self.rows is not None:
                logs["size"] = min(run.batch_size, self.rows - run.rows)
        self.listeners.call("on_batch_begin", batch, logs)
        self._optimizer.prepare(run.model)
        done = run.advance(1, 1)
        if so_far:
            means = [column[-1] for column in run.history(self._recorded)] if done else run.partial
            logs.update((self.names[i], means[i]) for i in in_order(self.names[: self._width]))
        else:
            if isinstance(run, PythonRun):
                logs["size"] = run.size
            logs.update(zip(self.names, run.last, strict=False))
        self.listeners.call("on_batch_end", batch, logs)
        return done

    def _finished(self, epoch: int) -> None:
        """End the epochs from `epoch` on, that have finished: several only if nobody has to hear of each."""
        if self.report.target is None:
            self.report.target = self.run.batches
        if self._by_epoch:
            self._finished_one(epoch)
        else:
            columns = self._record()
            if self.report.verbose:
                self.report.finished(epoch, list(zip(*columns, strict=True)), self.run.epoch_times())

    def _finished_one(self, epoch: int) -> None:
        began = time.perf_counter()
        means = [column[0] for column in self.run.history(self._recorded)]
        if self.validation is not None:
            means += self.validation.means(epoch)
        seconds = [taken + time.perf_counter() - began for taken in self.run.epoch_times()]
        logs = ByName((self.names[i], means[i]) for i in self._columns(len(means)))
        like_keras3 = era("progress.like_keras3")
        if like_keras3:  # it shows what callbacks add, such as the learning rate
            self._tell(epoch, logs)
        if self.report.verbose:
            added = [(name, value) for name, value in logs.items() if name not in self.names]
            self.report.finished(epoch, [means], seconds, added)
        if not like_keras3:
            self._tell(epoch, logs)

    def _columns(self, width: int) -> list[int]:
        """The order of the values of a row, `width` of them, in the history: in keras2 validation comes first."""
        if era("logs.sorted"):
            return in_order(self.names[:width])
        return [*range(self._width, width), *range(self._width)]

    def _tell(self, epoch: int, logs: ByName[float]) -> None:
        """End an epoch: callbacks first, so that the history has what they add."""
        try:
            self.listeners.call("on_epoch_end", epoch, logs)
        finally:
            self.history.on_epoch_end(epoch, logs)
            self._recorded += 1

    def _record(self) -> list[list[float]]:
        """Add to the history what the run has finished since, and return it."""
        columns = self.run.history(self._recorded)
        count = len(columns[0])
        if count:
            first = self._first + self._recorded
            named = [(self.names[i], columns[i]) for i in self._columns(len(columns))]
            self.history.extend(range(first, first + count), named)
            self._recorded += count
        return columns

    def _warn(self) -> None:
        self._warned = True
        step = self.run.bad_iteration - self._iterations - 1
        if self.run.batches:
            epoch, step = divmod(step, self.run.batches)
            warn_of_loss(f"in epoch {self._first + epoch + 1}, step {step + 1}")
        else:
            warn_of_loss(f"step {step + 1}")


def warn_of_loss(where: str) -> None:
    """Warn that a loss is not finite."""
    advice = "use a smaller learning rate or clipnorm, and look for NaN in the data"
    warnings.warn(f"the loss is not finite since {where}: {advice}.", RuntimeWarning, stacklevel=2)
