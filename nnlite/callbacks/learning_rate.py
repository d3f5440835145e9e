"""Callbacks that set the learning rate: after a plan, or when a value gets no better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnlite.callbacks.callback import Callback
from nnlite.callbacks.monitor import Monitor, epoch_name
from nnlite.config import era
from nnlite.errors import ArgumentError, number, unknown_argument
from nnlite.registry import arguments, older_spellings


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch, and records it in the history.

    Args:
        schedule: function ``f(epoch, rate)``, or ``f(epoch)``, that returns the rate of the epoch, counted from 0.
        verbose: whether to print the rate.

    Raises ArgumentError if `schedule` is no function or returns no number, ValueError for a rate below 0.

    >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch % 10 == 9 else rate)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        if not callable(schedule):
            raise ArgumentError(f"schedule must be a function of the epoch; received {schedule!r}.")
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        known = (float(optimizer.learning_rate),) if self._takes_rate else ()
        rate = number("the result of schedule", self.schedule(epoch, *known), 0)
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"\nEpoch {epoch_name(epoch)}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Add the rate to the values of the epoch."""
        _log_rate(self.model, logs)


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a value has not become better for some epochs.

    Args:
        monitor, verbose, mode, min_delta: as in `Monitor`; Keras 1 called min_delta epsilon.
        factor: by which the rate is multiplied, below 1.
        patience: epochs without a better value before that.
        cooldown: epochs after it that do not count.
        min_lr: the least rate.

    Raises ValueError for numbers out of range, ArgumentError for an unknown argument.

    >>> lower = ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=5)
    """

    @older_spellings(epsilon="min_delta")
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **unknown: Any,
    ) -> None:
        for name in unknown:
            raise unknown_argument("ReduceLROnPlateau", name, arguments(ReduceLROnPlateau.__init__))
        super().__init__(monitor, mode, min_delta, verbose)
        self.factor = number("factor", factor, 0)
        if self.factor >= 1:
            raise ValueError(f"factor must be below 1, to lower the learning rate; received {factor!r}.")
        self.patience, self.cooldown = number("patience", patience, 0), number("cooldown", cooldown, 0)
        self.min_lr = number("min_lr", min_lr, 0)
        self.wait = 0
        self.cooldown_counter = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget earlier trainings."""
        self.wait, self.cooldown_counter = 0, 0.0
        self.restart()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Look at the value, and lower the rate if it has been no better for long enough."""
        _log_rate(self.model, logs)
        value = self.value(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.better(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            rate = float(self.model.optimizer.learning_rate)
            if self.wait >= self.patience and rate > self.min_lr:
                self._lower(epoch, max(rate * self.factor, self.min_lr))

    def _lower(self, epoch: int, rate: float) -> None:
        self.model.optimizer.learning_rate = rate
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            print(f"\nEpoch {epoch_name(epoch)}: ReduceLROnPlateau reducing learning rate to {rate}.")


def _log_rate(model: Any, logs: Any) -> None:
    if logs is not None:
        logs[era("learning_rate.name")] = float(model.optimizer.learning_rate)


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether `function` takes two arguments."""
    from inspect import signature  # here, because only schedules need it

    try:
        signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a function written in C that does not tell
        return True
    return True
