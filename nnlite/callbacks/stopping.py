"""Callbacks that stop a training: when a value gets no better, when the loss is lost."""

from __future__ import annotations

import math
from typing import Any

from nnlite.callbacks.callback import Callback
from nnlite.callbacks.monitor import Monitor, epoch_name
from nnlite.config import era
from nnlite.errors import number


class EarlyStopping(Monitor):
    """Stops when a value has not become better for some epochs.

    Args:
        monitor, min_delta, verbose, mode: as in `Monitor`.
        patience: stop after this many epochs without a better value; 0 stops at the first.
        baseline: a value to beat. In keras2 it is the best so far from the start; in keras3 the count of epochs starts
            anew only when a value is the best and beats it.
        restore_best_weights: go back to the weights of the best epoch: in keras2 when this callback stops the
            training, in keras3 whenever the training ends.
        start_from_epoch: number of the first epoch, from 0, whose value counts.

    Attributes:
        wait: epochs since the best. stopped_epoch: where it stopped, from 0; 0 if it did not. best_epoch: the best.

    Keras 3 never stops in the first epoch. Raises ValueError or ArgumentError for numbers out of range.

    >>> stop = EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta, verbose)
        self.patience = number("patience", patience, 0)
        self.baseline = None if baseline is None else number("baseline", baseline)
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = number("start_from_epoch", start_from_epoch, 0)
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget earlier trainings."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best_weights = None
        self.restart(self.baseline if era("early_stopping.starts_at_baseline") else None)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Look at the value, and stop if it has been no better for long enough."""
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch >= era("early_stopping.first_epoch"):
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if not era("early_stopping.restores_at_end"):
                self._restore()

    def on_train_end(self, logs: Any = None) -> None:
        """Say where it stopped, and restore the best weights where the era does so now."""
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {epoch_name(self.stopped_epoch)}: early stopping")
        if era("early_stopping.restores_at_end"):
            self._restore()

    def _restore(self) -> None:
        if self.best_weights is None:
            return
        if self.verbose:
            print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
        self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """Stops after the first batch whose loss is NaN or infinite.

    Args:
        raise_error: raise RuntimeError in place of a message.

    >>> TerminateOnNaN(raise_error=True).raise_error
    True
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"the loss of batch {batch} is {loss}: use a smaller learning rate or clipnorm.")
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
