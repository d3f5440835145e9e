"""Callbacks: the base class, what records the history, and what `fit` asks of them.

Training runs in C for as long as no callback listens: all epochs when none does, one epoch when one has
``on_epoch_...``, one batch when one has ``on_batch_...``. `Listeners` finds out which hooks a callback has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

from nnlite.errors import ArgumentError, unknown_argument
from nnlite.metrics import METRICS

if TYPE_CHECKING:
    from nnlite.models import Model

V = TypeVar("V")


def canonical(name: str) -> str:
    """Return the one name of a value in the history, whatever era's name it is given by.

    >>> canonical("val_acc"), canonical("mse"), canonical("lr")
    ('val_accuracy', 'mean_squared_error', 'learning_rate')
    """
    prefix = "val_" if name.startswith("val_") else ""
    plain = name[len(prefix) :]
    if plain == "lr":
        return prefix + "learning_rate"
    return prefix + (METRICS.find(plain).name if plain in METRICS else plain)


class ByName(dict[str, V]):
    """A dict whose keys are found by the names of every era: "acc" and "accuracy", "mse" and "mean_squared_error",
    with "val_" too.

    >>> ByName(acc=0.5)["accuracy"]
    0.5
    """

    def _key(self, name: object) -> str | None:
        wanted = canonical(name) if isinstance(name, str) else None
        return next((key for key in self if canonical(key) == wanted), None)

    def __missing__(self, name: str) -> V:
        key = self._key(name)
        if key is None:
            raise KeyError(f"no value is called {name!r}; there are {', '.join(self)}")
        return self[key]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._key(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of any era's `name`, or `default`."""
        key = self._key(name)
        return default if key is None else self[key]


class Callback:
    """The base of all callbacks. Override what is needed; `logs` holds the values so far by name.

    Attributes:
        model: the model that is trained.
        params: dict of epochs, batch_size, samples, steps, verbose, do_validation, metrics.
        validation_data: [x, y, sample weights], or None.

    Set ``self.model.stop_training = True`` to stop after the batch or epoch.
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


class History(Callback):
    """What `fit` returns: the values of every epoch.

    Attributes:
        epoch: numbers of the epochs, from 0.
        history: lists of the values by name; names of every era are found, ``history["acc"]`` as
            ``history["accuracy"]``.
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
        self.extend(epoch, list(logs), [list(logs.values())])

    def extend(self, epoch: int, names: Sequence[str], means: Sequence[Sequence[float]]) -> None:
        """Record the epochs from `epoch` on: a row of values called `names` for each."""
        self.epoch.extend(range(epoch, epoch + len(means)))
        for name, column in zip(names, zip(*means, strict=True), strict=False):
            self.history.setdefault(name, []).extend(column)

    def keep(self, epochs: int) -> None:
        """Forget all but the first epochs."""
        del self.epoch[epochs:]
        for values in self.history.values():
            del values[epochs:]


def _nobody() -> None:
    return None


class LambdaCallback(Callback):
    """A callback made of functions, each with the arguments of the hook it is given as.

    Args:
        on_epoch_begin, on_epoch_end, on_batch_begin, on_batch_end, on_train_begin, on_train_end, on_train_batch_begin,
            on_train_batch_end: functions or None.
        others: become attributes.

    >>> stop = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(self, **functions: Any) -> None:
        for name, function in functions.items():
            if name in HOOKS and function is not None and not callable(function):
                raise ArgumentError(f"{name} must be a function or None; received {function!r}.")
            if name not in HOOKS and name.startswith("on_"):
                raise unknown_argument("LambdaCallback", name, HOOKS)
            if name not in HOOKS or function is not None:
                setattr(self, name, function)


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
# What a callback has under the second name is called with the first.
_PLAIN_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def _own(callback: Any, hook: str) -> Any:
    """The callback's method for a hook, or None if it has only the base's, which does nothing."""
    method = getattr(callback, hook, None)
    return None if getattr(method, "__func__", method) is getattr(Callback, hook) else method


class Listeners:
    """The callbacks of one training, asked only for the hooks they have.

    Raises ArgumentError if one of `callbacks` has no hook at all, such as a class in place of an object.
    """

    def __init__(self, callbacks: Any) -> None:
        given = callbacks if isinstance(callbacks, Iterable) else [callbacks]
        self.callbacks = [callback for callback in given if callback is not None]
        self._methods: dict[str, list[Callable[..., Any]]] = {}
        for callback in self.callbacks:
            if isinstance(callback, type) or not any(hasattr(callback, hook) for hook in HOOKS):
                raise ArgumentError(
                    f"callbacks must be objects with methods such as on_epoch_end; received {callback!r}."
                )
            for name in HOOKS:
                method = _own(callback, name)
                if method is not None:
                    self._methods.setdefault(_PLAIN_NAMES.get(name, name), []).append(method)
        self.each_batch = "on_batch_begin" in self._methods or "on_batch_end" in self._methods
        self.each_epoch = "on_epoch_begin" in self._methods or "on_epoch_end" in self._methods

    def begin(self, model: Model, params: Mapping[str, Any], validation: list[Any] | None) -> None:
        """Tell the callbacks what is trained, and that it begins."""
        for callback in self.callbacks:
            callback.validation_data = validation
            for name, value in (("params", params), ("model", model)):
                setter = getattr(callback, f"set_{name}", None)
                setattr(callback, name, value) if setter is None else setter(value)
        self.call("on_train_begin", ByName())

    def call(self, hook: str, *arguments: Any) -> None:
        """Call a hook of every callback that has it."""
        for method in self._methods.get(hook, ()):
            method(*arguments)
