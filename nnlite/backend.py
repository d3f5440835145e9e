"""What scripts ask of ``keras.backend``: settings, names of layers, values of weights, and functions of arrays, which
are those of `nnlite.ops`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite import ops
from nnlite.config import epsilon, era, floatx, set_epsilon, set_floatx
from nnlite.errors import UnsupportedError, choice

_names: Counter[str] = Counter()


def backend() -> str:
    """Return the name of what computes.

    >>> backend()
    'nnlite'
    """
    return "nnlite"


def image_data_format() -> str:
    """Return ``"channels_last"``, as NumPy arrays are laid out.

    >>> image_data_format()
    'channels_last'
    """
    return "channels_last"


def image_dim_ordering() -> str:
    """Return ``"tf"``, Keras 1's name of ``"channels_last"``.

    >>> image_dim_ordering()
    'tf'
    """
    return "tf"


def set_image_data_format(data_format: str) -> None:
    """Do nothing for ``"channels_last"``. Raises ValueError for any other.

    >>> set_image_data_format("channels_last")
    """
    choice("data_format", data_format, ("channels_last",))


def learning_phase() -> int:
    """Return 0: outside of `fit` layers do what they do in prediction.

    >>> learning_phase()
    0
    """
    return 0


def set_learning_phase(value: int) -> None:
    """Do nothing for 0. Raises UnsupportedError for 1: ``model(x, training=True)`` says it for one call.

    >>> set_learning_phase(0)
    """
    if value:
        raise UnsupportedError("set_learning_phase takes 0; call model(x, training=True) for outputs as in training.")


def get_uid(prefix: str = "") -> int:
    """Return how often this was called with `prefix` since the start or `clear_session`: 1, 2, ...

    >>> clear_session()
    >>> get_uid("dense"), get_uid("dense")
    (1, 2)
    >>> clear_session()
    """
    _names[prefix] += 1
    return _names[prefix]


@cache
def snake_case(name: str) -> str:
    """Return a class's name as layers are named after it.

    >>> snake_case("BatchNormalization"), snake_case("PReLU")
    ('batch_normalization', 'p_re_lu')
    """
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


def unique_name(class_name: str) -> str:
    """Return a name for an object of a class: ``"dense_1"``, ``"dense_2"``, ...; in keras3 ``"dense"``, ``"dense_1"``.

    >>> clear_session()
    >>> unique_name("LeakyReLU"), unique_name("LeakyReLU")
    ('leaky_re_lu_1', 'leaky_re_lu_2')
    >>> clear_session()
    """
    name = snake_case(class_name)
    number = get_uid(name)
    if era("layer.first_has_number"):
        return f"{name}_{number}"
    return name if number == 1 else f"{name}_{number - 1}"


def clear_session() -> None:
    """Let names be counted from 1 again. Models need no clearing: they are freed when nobody refers to them.

    >>> clear_session()
    >>> unique_name("Dense")
    'dense_1'
    >>> clear_session()
    """
    _names.clear()


def get_value(variable: Any) -> Any:
    """Return the value of a weight, as an array, or of a learning rate, as a float.

    >>> get_value(variable([1.0, 2.0]))
    array([1., 2.], dtype=float32)
    """
    return variable.numpy() if hasattr(variable, "numpy") else variable


def set_value(variable: Any, value: Any) -> None:
    """Set the value of a weight or of an optimizer's learning rate: ``set_value(model.optimizer.lr, 0.01)``.

    >>> rate = variable(0.5)
    >>> set_value(rate, 0.25); get_value(rate)
    array(0.25, dtype=float32)
    """
    variable.assign(value)


def batch_get_value(variables: Any) -> list[Any]:
    """Return the values of several weights.

    >>> batch_get_value([variable(1.0), variable([2.0])])
    [array(1., dtype=float32), array([2.], dtype=float32)]
    """
    return [get_value(variable) for variable in variables]


def batch_set_value(tuples: Any) -> None:
    """Set the values of several weights, given as pairs of a weight and its value.

    >>> weight = variable(1.0)
    >>> batch_set_value([(weight, 2.0)]); get_value(weight)
    array(2., dtype=float32)
    """
    for variable, value in tuples:
        set_value(variable, value)


def count_params(x: Any) -> int:
    """Return the number of elements of a weight or an array.

    >>> count_params(np.zeros((2, 3)))
    6
    """
    return int(np.size(x))


def dtype(x: Any) -> str:
    """Return the name of the type of the elements of `x`.

    >>> dtype(variable(1.0))
    'float32'
    """
    return np.asarray(x).dtype.name


def permute_dimensions(x: Any, pattern: Sequence[int]) -> NDArray[Any]:
    """Return `x` with its axes in the order `pattern`.

    >>> permute_dimensions(np.zeros((2, 3)), (1, 0)).shape
    (3, 2)
    """
    return np.transpose(x, pattern)


class Variable(np.ndarray[Any, Any]):
    """An array whose values can be set, as a variable of Keras.

    >>> weight = variable([1.0, 2.0])
    >>> weight.assign([3.0, 4.0]); weight.numpy()
    array([3., 4.], dtype=float32)
    """

    def numpy(self) -> NDArray[Any]:
        """Return a copy of its values."""
        return np.array(self)

    def assign(self, value: Any) -> None:
        """Set its values. Raises ValueError if the shape is another."""
        self[...] = value


def variable(value: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """Return a variable of those values, of type ``floatx()`` if `dtype` is None.

    >>> weight = variable(0.5); set_value(weight, 0.25); float(weight * 2)
    0.5
    """
    return np.array(value, dtype or floatx()).view(Variable)


def constant(value: Any, dtype: Any = None, shape: Sequence[int] | None = None, name: str | None = None) -> Any:
    """Return an array of that value, of type ``floatx()`` if `dtype` is None.

    >>> constant(2, shape=(3,))
    array([2., 2., 2.], dtype=float32)
    """
    array = np.asarray(value, dtype or floatx())
    return array if shape is None else np.broadcast_to(array, tuple(shape)).copy()


def eval(x: Any) -> Any:
    """Return the value of a variable or an array.

    >>> eval(variable([1.0]) + 1)
    array([2.], dtype=float32)
    """
    return get_value(x)


def flatten(x: Any) -> NDArray[Any]:
    """Return all elements of `x` in one row.

    >>> flatten([[1, 2], [3, 4]])
    array([1, 2, 3, 4])
    """
    return np.reshape(x, -1)


def batch_flatten(x: Any) -> NDArray[Any]:
    """Return `x` (rows, ...) as a matrix (rows, elements).

    >>> batch_flatten(np.zeros((2, 3, 4))).shape
    (2, 12)
    """
    return np.reshape(x, (len(x), -1))


def int_shape(x: Any) -> tuple[int, ...]:
    """Return the shape of `x`.

    >>> int_shape([[1, 2, 3]])
    (1, 3)
    """
    return np.shape(x)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return the elements of one where `condition` holds and of the other elsewhere; functions are called first.

    >>> switch(np.array([True, False]), np.array([1, 2]), np.array([3, 4]))
    array([1, 4])
    """
    chosen = [value() if callable(value) else value for value in (then_expression, else_expression)]
    return np.where(condition, *chosen)


# What only a graph of tensors has, and what does its work here.
_OF_GRAPHS = {
    "function": "the outputs of a layer are predictions of Sequential(model.layers[:n]) with the same weights",
    "get_session": "there is no session, and nothing to initialize",
    "gradients": "a loss may have an attribute gradient(y_true, y_pred)",
    "placeholder": "Input(shape=(5,)) says what a row looks like",
    "set_session": "there is no session; NNLITE_TARGET chooses what computes",
}


def __getattr__(name: str) -> Any:
    if name in ops.__all__:
        return getattr(ops, name)
    if name not in _OF_GRAPHS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def unsupported(*_: Any, **__: Any) -> Any:
        raise UnsupportedError(f"keras.backend.{name} works on graphs, which nnlite has none of: {_OF_GRAPHS[name]}.")

    return unsupported


def __dir__() -> list[str]:
    return __all__


__all__ = [
    *ops.__all__,
    "Variable",
    "batch_flatten",
    "constant",
    "eval",
    "flatten",
    "image_dim_ordering",
    "int_shape",
    "learning_phase",
    "set_image_data_format",
    "set_learning_phase",
    "switch",
    "variable",
    "backend",
    "batch_get_value",
    "batch_set_value",
    "count_params",
    "dtype",
    "permute_dimensions",
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
