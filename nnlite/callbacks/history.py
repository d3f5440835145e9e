"""What records the values of every epoch, and what averages those of the batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import ref

from nnlite.callbacks.callback import ByName, Callback


class History(Callback):
    """What `fit` returns: the values of every epoch.

    Attributes:
        epoch: numbers of the epochs, from 0.
        history: lists of the values by name; names of every era are found, ``history["acc"]`` as
            ``history["accuracy"]``.

    >>> from nnlite import Sequential, layers
    >>> model = Sequential([layers.Dense(1, input_dim=1)])
    >>> model.compile("sgd", "mse")
    >>> model.fit([[0.0]], [[0.0]], epochs=3, verbose=0).history["loss"]
    [0.0, 0.0, 0.0]
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: ByName[list[float]] = ByName()
        self._model: Callable[[], Any] = _nobody  # a weak reference, for the model refers to its history

    @property
    def model(self) -> Any:
        """The model that was trained, or None if it is gone."""
        return self._model()

    def set_model(self, model: Any) -> None:
        """Remember the model."""
        self._model = ref(model)

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget earlier epochs."""
        self.epoch, self.history = [], ByName()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record an epoch."""
        logs = logs or {}
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def extend(self, epochs: Iterable[int], columns: Iterable[tuple[str, list[float]]]) -> None:
        """Record several epochs at once: their numbers, and by name the values of each, in lists to be kept."""
        self.epoch.extend(epochs)
        for name, values in columns:
            recorded = self.history.setdefault(name, values)
            if recorded is not values:
                recorded.extend(values)

    def keep(self, epochs: int) -> None:
        """Forget all but the first epochs."""
        del self.epoch[epochs:]
        for values in self.history.values():
            del values[epochs:]


def _nobody() -> None:
    return None


class BaseLogger(Callback):
    """Averages the values of the batches over an epoch, as Keras 2 has it; `fit` does so by itself.

    Args:
        stateful_metrics: names of values that are not averaged.

    Attributes:
        totals: sums of the values times the rows of their batches.
        seen: the number of rows.

    >>> logger = BaseLogger()
    >>> logger.on_batch_end(0, {"size": 2, "loss": 1.0}); logger.on_batch_end(1, {"size": 1, "loss": 4.0})
    >>> logs = {}
    >>> logger.on_epoch_end(0, logs); logs
    {'loss': 2.0}
    """

    def __init__(self, stateful_metrics: Iterable[str] | None = None) -> None:
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen, self.totals = 0, ByName[float]()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start anew."""
        self.seen, self.totals = 0, ByName()

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count a batch in."""
        size = (logs or {}).get("size", 0)
        self.seen += size
        for name, value in (logs or {}).items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            elif name not in ("batch", "size"):
                self.totals[name] = self.totals.get(name, 0.0) + value * size

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the means into `logs` where it has no value yet."""
        for name, total in self.totals.items() if logs is not None and self.seen else ():
            logs.setdefault(name, total if name in self.stateful_metrics else total / self.seen)
