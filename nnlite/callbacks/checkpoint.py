"""The callback that saves models while they are trained."""

from __future__ import annotations

import math
import os
from typing import Any

from nnlite.callbacks.callback import ByName
from nnlite.callbacks.monitor import Monitor, epoch_name
from nnlite.config import era
from nnlite.data import whole
from nnlite.errors import ArgumentError, number


class ModelCheckpoint(Monitor):
    """Saves the model after epochs or batches.

    Args:
        filepath: path of the file, in which ``{epoch}`` (from 1), ``{batch}`` (from 1) and the names of values are
            filled in: ``"w.{epoch:02d}-{val_loss:.2f}.h5"``. Missing directories are made.
        monitor, verbose, mode: as in `Monitor`.
        save_best_only: save only when the value is the best so far. Without the value keras2 saves nothing, keras3
            saves.
        save_weights_only: call ``model.save_weights`` in place of ``model.save``.
        period: epochs between two savings.
        save_freq: "epoch", or the number of batches between two savings, in place of `period`.
        options: of tf.keras; without effect.
        initial_value_threshold: a value to beat from the start.

    Raises ValueError for numbers out of range, ArgumentError for a `filepath` that is no path, KeyError when a name in
    it has no value; the message lists those there are.

    >>> keep = ModelCheckpoint("best.h5", monitor="val_acc", save_best_only=True)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        period: int = 1,
        save_freq: str | int = "epoch",
        options: Any = None,
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, 0.0, verbose)
        if not isinstance(filepath, str | os.PathLike):
            raise ArgumentError(f"filepath must be a path, such as 'best.h5'; received {filepath!r}.")
        self.filepath = os.fspath(filepath)
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.period = whole("period", period)
        self.save_freq = save_freq if save_freq == "epoch" else whole("save_freq", save_freq)
        threshold = initial_value_threshold
        self.initial_value_threshold = None if threshold is None else number("initial_value_threshold", threshold)
        self._started = False
        self._waited = self._epoch = 0
        if save_freq != "epoch":  # only then does training have to stop after each batch
            self.on_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Any = None) -> None:
        """Start with no best value; a second training goes on from the best of the first."""
        if not self._started:
            self._started = True
            self.restart(self.initial_value_threshold)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch, for the names of files."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save, if it is time."""
        if self.save_freq == "epoch":
            self._count(self.period, epoch, logs)

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        self._count(int(self.save_freq), self._epoch, logs, batch)

    def _count(self, period: int, epoch: int, logs: Any, batch: int = -1) -> None:
        self._waited += 1
        if self._waited >= period:
            self._waited = 0
            self._save(epoch, batch, ByName(logs or {}))

    def _save(self, epoch: int, batch: int, logs: ByName[Any]) -> None:
        names = ByName({**logs, "epoch": epoch + 1, "batch": batch + 1})
        path, what, before = self.filepath.format_map(names), f"Epoch {epoch_name(epoch)}:", self.best
        message = f"{what} saving model to {path}"
        if self.save_best_only:
            value = self.value(logs)
            if value is None and not era("checkpoint.saves_without_monitor"):
                return
            if value is not None:
                if not self.better(value, before):
                    self._say(f"\n{what} {self.monitor} did not improve from {before:.5f}")
                    return
                self.best = value
                first = era("checkpoint.writes_like_keras3") and math.isinf(before)
                text = "None" if first else f"{before:.5f}"
                message = f"{what} {self.monitor} improved from {text} to {value:.5f}, saving model to {path}"
        self._say(f"\n{message}")
        directory = os.path.dirname(path)
        if directory:
            os.makedirs(directory, exist_ok=True)
        if os.path.isdir(path):
            raise IsADirectoryError(f"filepath must name a file; received {path!r}, which is a directory.")
        (self.model.save_weights if self.save_weights_only else self.model.save)(path, overwrite=True)
        if era("checkpoint.writes_like_keras3"):
            self._say(f"{what} finished saving model to {path}")

    def _say(self, text: str) -> None:
        if self.verbose:
            print(text)
