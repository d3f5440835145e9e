"""What scripts register under names of their own, so that names and configs find it, as in ``keras.utils``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from nnlite.registry import custom_objects

T = TypeVar("T", bound=Callable[..., Any])


def get_custom_objects() -> dict[str, Any]:
    """Return the names registered, a dict to change: ``get_custom_objects()["mine"] = f``.

    >>> get_custom_objects()
    {}
    """
    return custom_objects


class CustomObjectScope:
    """Registers names within a ``with`` block.

    Args:
        objects: dicts from a name to a class or function.

    >>> with CustomObjectScope({"mine": "relu"}):
    ...     get_custom_objects()
    {'mine': 'relu'}
    """

    def __init__(self, *objects: Mapping[str, Any]) -> None:
        self.objects = {name: value for given in objects for name, value in given.items()}

    def __enter__(self) -> Self:
        self._before = dict(custom_objects)
        custom_objects.update(self.objects)
        return self

    def __exit__(self, *_: object) -> None:
        custom_objects.clear()
        custom_objects.update(self._before)


custom_object_scope = CustomObjectScope


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Decorate a class or function, so that configs find it by its name and by ``"package>name"``.

    Args:
        package: first part of the name.
        name: second part, that of the class if None.

    Raises ValueError, when it decorates, for a class without ``get_config``.

    >>> @register_keras_serializable(package="mine")
    ... def distance(y_true, y_pred):
    ...     return abs(y_true - y_pred)
    >>> get_registered_name(distance)
    'mine>distance'
    >>> for name in ("mine>distance", "distance"):
    ...     _ = get_custom_objects().pop(name)
    """

    def register(thing: T) -> T:
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(f"{thing.__name__} must have a get_config to be registered; return its arguments there.")
        own = getattr(thing, "__name__", type(thing).__name__)
        custom_objects[f"{package}>{name or own}"] = custom_objects[name or own] = thing
        return thing

    return register


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return what is registered as `name`, or what one of two dicts has; None if nothing is.

    >>> get_registered_object("nothing of that name") is None
    True
    """
    for known in (get_custom_objects(), custom_objects or {}, module_objects or {}):
        if name in known:
            return known[name]
    return None


def get_registered_name(thing: Any) -> str:
    """Return the name `thing` is registered under, else its own.

    >>> get_registered_name(get_registered_name)
    'get_registered_name'
    """
    names = [name for name, known in custom_objects.items() if known is thing]
    return max(names, key=len) if names else str(thing.__name__)


__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
]
