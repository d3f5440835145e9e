"""What callbacks that watch one value have in common: where it is, whether it rises or falls, when it is better."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from nnlite.callbacks.callback import ByName, Callback, canonical
from nnlite.config import era
from nnlite.errors import number
from nnlite.metrics import METRICS

MODES = ("auto", "min", "max")
# Parts of the names of values that are better when larger.
_RISING = ("acc", "auc", "precision", "recall", "f1", "fbeta", "fmeasure", "r2_score")


def epoch_name(epoch: int) -> str:
    """Return how messages name `epoch`, counted from 0: ``"00001"``, or ``"1"`` in keras3."""
    return f"{epoch + 1:0{era('callback.epoch_digits')}d}"


class Monitor(Callback):
    """Base of callbacks that watch a value.

    Args:
        monitor: name of the value in any era's spelling, such as "val_loss" or "val_acc".
        mode: "min" if less is better, "max" if more is, "auto" to tell from the name. Anything else warns and is
            "auto", as in Keras.
        min_delta: a value must be better by more than this.
        verbose: whether to print what is done.

    Attributes:
        best: the best value so far; infinite before the first.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float, verbose: int) -> None:
        if mode not in MODES:
            known = ", ".join(map(repr, MODES))
            text = f"mode of {type(self).__name__} must be one of {known}; received {mode!r}, taken as 'auto'."
            warnings.warn(text, RuntimeWarning, stacklevel=3)
            mode = "auto"
        self.monitor, self.mode, self.verbose = monitor, mode, verbose
        self.min_delta = abs(number("min_delta", min_delta))
        self.best = math.inf

    @property
    def rises(self) -> bool:
        """Whether more is better. Raises ValueError if keras3 is in force and neither mode nor name tells."""
        if self.mode != "auto":
            return self.mode == "max"
        plain = canonical(self.monitor).removeprefix("val_")
        rises = any(part in plain for part in _RISING)
        if not rises and plain != "loss" and plain not in METRICS and era("monitor.must_be_known"):
            raise ValueError(
                f"mode of {type(self).__name__} must be 'min' or 'max' for {self.monitor!r}, of which it is not known "
                "whether more is better; received 'auto'."
            )
        return rises

    def restart(self, best: float | None = None) -> None:
        """Forget all values; the best so far is `best`, or worse than any if None."""
        worst = -math.inf if self.rises else math.inf
        self.best = worst if best is None else best

    def better(self, value: float, than: float) -> bool:
        """Whether `value` is better than another by more than `min_delta`; NaN never is."""
        return value - self.min_delta > than if self.rises else value + self.min_delta < than

    def value(self, logs: Mapping[str, Any] | None) -> float | None:
        """Return the value, or None if this epoch has none.

        Warns with the names there are, unless the value comes with validation and this epoch had none.
        """
        found = ByName(logs or {})
        if self.monitor in found:
            return float(found[self.monitor])
        if self.monitor not in ByName.fromkeys(self.params.get("metrics", ())):
            known = ", ".join(found) or "nothing"
            text = f"{type(self).__name__} watches {self.monitor!r}, which is not there. Available are: {known}."
            warnings.warn(text, RuntimeWarning, stacklevel=3)
        return None
