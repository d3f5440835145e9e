"""What scripts ask of ``keras.backend``: settings, names of layers, values of weights."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from nnlite.config import epsilon, floatx, set_epsilon, set_floatx

_names: Counter[str] = Counter()


def backend() -> str:
    """Return the name of what computes."""
    return "nnlite"


def image_data_format() -> str:
    """Return ``"channels_last"``, as NumPy arrays are laid out."""
    return "channels_last"


def get_uid(prefix: str = "") -> int:
    """Return how often this was called with `prefix` since the start or `clear_session`: 1, 2, ..."""
    _names[prefix] += 1
    return _names[prefix]


def snake_case(name: str) -> str:
    """Return a class's name as layers are named after it.

    >>> snake_case("BatchNormalization"), snake_case("PReLU")
    ('batch_normalization', 'p_re_lu')
    """
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


def unique_name(class_name: str) -> str:
    """Return a name for an object of a class: ``"dense_1"``, ``"dense_2"``, ..."""
    name = snake_case(class_name)
    return f"{name}_{get_uid(name)}"


def clear_session() -> None:
    """Let names be counted from 1 again. Models need no clearing: they are freed when nobody refers to them."""
    _names.clear()


def get_value(variable: Any) -> Any:
    """Return the value of a weight, as an array, or of a learning rate, as a float."""
    return variable.numpy() if hasattr(variable, "numpy") else variable


def set_value(variable: Any, value: Any) -> None:
    """Set the value of a weight or of an optimizer's learning rate: ``set_value(model.optimizer.lr, 0.01)``."""
    variable.assign(value)


def batch_get_value(variables: Any) -> list[Any]:
    """Return the values of several weights."""
    return [get_value(variable) for variable in variables]


__all__ = [
    "backend",
    "batch_get_value",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "get_value",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_value",
    "snake_case",
    "unique_name",
]
