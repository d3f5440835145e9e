"""The base of all callbacks, callbacks made of functions, and the dict in which they find values by any era's name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from nnlite.errors import ArgumentError, unknown_argument
from nnlite.metrics import METRICS

V = TypeVar("V")


@lru_cache
def canonical(name: str) -> str:
    """Return the one name of a value in the history, whatever era's name it is given by.

    >>> canonical("val_acc"), canonical("mse"), canonical("lr")
    ('val_accuracy', 'mean_squared_error', 'learning_rate')
    """
    prefix = "val_" if name.startswith("val_") else ""
    plain = name[len(prefix) :]
    if plain == "lr":
        return prefix + "learning_rate"
    metric = METRICS.known(plain)
    return prefix + (plain if metric is None else metric.name)


class ByName(dict[str, V]):
    """A dict whose keys are found by the names of every era: "acc" and "accuracy", "mse" and "mean_squared_error",
    with "val_" too.

    >>> ByName(acc=0.5)["accuracy"]
    0.5
    """

    def _key(self, name: object) -> str | None:
        wanted = canonical(name) if isinstance(name, str) else None
        for key in self:
            if canonical(key) == wanted:
                return key
        return None

    def __missing__(self, name: str) -> V:
        key = self._key(name)
        if key is None:
            raise KeyError(f"no value is called {name!r}; there are {', '.join(self)}")
        return self[key]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._key(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of any era's `name`, or `default`."""
        try:
            return self[name]
        except KeyError:
            return default


class Callback:
    """The base of all callbacks. Override what is needed; `logs` holds the values so far by name.

    Attributes:
        model: the model that is trained.
        params: dict of epochs, batch_size, samples, steps, verbose, do_validation, metrics.
        validation_data: [x, y, sample weights], or None.

    Set ``self.model.stop_training = True`` to stop after the batch or epoch.

    >>> class Announce(Callback):
    ...     def on_train_begin(self, logs=None):
    ...         print("here we go")
    >>> Announce().on_train_begin()
    here we go
    """

    model: Any = None
    params: Mapping[str, Any] = {}
    validation_data: list[Any] | None = None

    def set_model(self, model: Any) -> None:
        """Called first, with the model."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Called first, with the parameters of the training."""
        self.params = params

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch; the first is 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch; `logs` has the means over it and the validation's, and what is added is recorded in the
        history.
        """

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch; `logs` has its number and size."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch; `logs` has its number, size, loss and metrics."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """tf.keras' name of `on_batch_begin`."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """tf.keras' name of `on_batch_end`."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Before an evaluation, that of a validation too."""

    def on_test_end(self, logs: Any = None) -> None:
        """After it; `logs` has loss and metrics."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of it; `logs` has its number and size."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of it; `logs` has its number, size, loss and metrics."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After it."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of it; `logs` has its number and size."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of it; `logs` has its number, size and outputs."""


class LambdaCallback(Callback):
    """A callback made of functions, each with the arguments of the hook it is given as.

    Args:
        on_epoch_begin, on_epoch_end, on_batch_begin, on_batch_end, on_train_begin, on_train_end and the other hooks of
            `Callback`: functions or None.
        others: become attributes.

    >>> stop = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(self, on_epoch_begin: Any = None, on_epoch_end: Any = None, **functions: Any) -> None:
        functions |= {"on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end}
        for name, function in functions.items():
            if name in HOOKS and function is not None and not callable(function):
                raise ArgumentError(f"{name} must be a function or None; received {function!r}.")
            if name not in HOOKS and name.startswith("on_"):
                raise unknown_argument("LambdaCallback", name, HOOKS)
            if name not in HOOKS or function is not None:
                setattr(self, name, function)


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
