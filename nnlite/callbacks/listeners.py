"""What `fit` asks of its callbacks.

Training runs in C for as long as no callback listens: all epochs when none does, one epoch when one has
``on_epoch_...``, one batch when one has ``on_batch_...``. `Listeners` finds out which hooks a callback has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nnlite.callbacks.callback import HOOKS, Callback
from nnlite.errors import ArgumentError

if TYPE_CHECKING:
    from nnlite.models import Model

# What a callback has under the second name is called with the first.
_PLAIN_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def _own(callback: Any, hook: str) -> Any:
    """The callback's method for a hook, or None if it has only the base's, which does nothing."""
    method = getattr(callback, hook, None)
    return None if getattr(method, "__func__", method) is getattr(Callback, hook) else method


class Listeners:
    """The callbacks of one training, asked only for the hooks they have.

    Raises ArgumentError if one of `callbacks` has no hook at all, such as a class in place of an object.

    >>> Listeners(None).each_batch
    False
    """

    each_batch = each_epoch = each_test_batch = each_test = False

    def __init__(self, callbacks: Any) -> None:
        self.callbacks: list[Any] = []
        self._methods: dict[str, list[Callable[..., Any]]] = {}
        if callbacks is not None:
            self._hear(callbacks if isinstance(callbacks, Iterable) else [callbacks])

    def _hear(self, given: Iterable[Any]) -> None:
        self.callbacks = [callback for callback in given if callback is not None]
        heard = self._methods
        for callback in self.callbacks:
            if isinstance(callback, type) or not any(hasattr(callback, hook) for hook in HOOKS):
                raise ArgumentError(
                    f"callbacks must be objects with methods such as on_epoch_end; received {callback!r}."
                )
            for name in HOOKS:
                method = _own(callback, name)
                if method is not None:
                    heard.setdefault(_PLAIN_NAMES.get(name, name), []).append(method)
        self.each_batch = "on_batch_begin" in heard or "on_batch_end" in heard
        self.each_epoch = "on_epoch_begin" in heard or "on_epoch_end" in heard
        self.each_test_batch = "on_test_batch_begin" in heard or "on_test_batch_end" in heard
        self.each_test = self.each_test_batch or "on_test_begin" in heard or "on_test_end" in heard

    def introduce(self, model: Model, params: Mapping[str, Any], validation: list[Any] | None = None) -> None:
        """Tell the callbacks what is trained, evaluated or asked."""
        for callback in self.callbacks:
            callback.validation_data = validation
            for name, value in (("params", params), ("model", model)):
                setter = getattr(callback, f"set_{name}", None)
                setattr(callback, name, value) if setter is None else setter(value)

    def call(self, hook: str, *arguments: Any) -> None:
        """Call a hook of every callback that has it."""
        for method in self._methods.get(hook, ()):
            method(*arguments)
