"""A callback that shows the averages of the weights in place of the weights."""

from __future__ import annotations

from typing import Any

from nnlite.callbacks.callback import Callback
from nnlite.errors import ArgumentError


class SwapEMAWeights(Callback):
    """Evaluation and prediction use the averages an optimizer with ``use_ema=True`` keeps, training the weights.

    Args:
        swap_on_epoch: whether the averages also stand in for the weights at the end of each epoch, so that a checkpoint
            saves them: put that callback after this one.

    Raises ArgumentError at the start of a training whose optimizer keeps no averages.

    >>> shown = SwapEMAWeights(swap_on_epoch=True)
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = bool(swap_on_epoch)

    def _swap(self) -> None:
        self.model.stepper.swap(self.model.engine)

    def on_train_begin(self, logs: Any = None) -> None:
        """Look for averages."""
        if not getattr(self.model.optimizer, "use_ema", False):
            raise ArgumentError(
                f"SwapEMAWeights needs an optimizer with use_ema=True; received {self.model.optimizer!r}."
            )
        self._swapped = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Put the weights back."""
        if self._swapped:
            self._swap()
            self._swapped = False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Show the averages, if that is wanted."""
        if self.swap_on_epoch:
            self._swap()
            self._swapped = True

    def on_train_end(self, logs: Any = None) -> None:
        """Put the weights back; the averages then take their place."""
        self.on_epoch_begin(0)

    def on_test_begin(self, logs: Any = None) -> None:
        """Show the averages."""
        self._swap()

    def on_test_end(self, logs: Any = None) -> None:
        """Put the weights back."""
        self._swap()

    def on_predict_begin(self, logs: Any = None) -> None:
        """Show the averages."""
        self._swap()

    def on_predict_end(self, logs: Any = None) -> None:
        """Put the weights back."""
        self._swap()
