"""The functions of ``keras.ops`` and of ``keras.backend`` that losses and metrics written in Python use, on arrays.

Most are NumPy's own, which bear the same names. Losses made of them need no gradients: see
`nnlite.losses.Loss.value_and_gradient`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.activations import elu, hard_sigmoid, leaky_relu, relu, selu, sigmoid, softmax, softplus, softsign
from nnlite.config import epsilon

Array = NDArray[Any]

# NumPy's functions that Keras has under the same names.
_OF_NUMPY = """
    abs add all any arange argmax argmin broadcast_to ceil clip concatenate cos cumsum divide dot equal exp
    expand_dims expm1 eye floor full greater greater_equal isfinite isnan less less_equal linspace log log1p
    logical_and logical_not logical_or matmul max maximum mean min minimum multiply ndim negative not_equal ones
    ones_like power prod reshape round shape sign sin sqrt square squeeze stack std subtract sum tanh tile
    transpose var where zeros zeros_like
""".split()  # noqa: SIM905  (sixty lines as a list)


pow = np.power


def cast(x: Any, dtype: Any) -> Array:
    """Return `x` in the type `dtype`.

    >>> cast([0.4, 1.6], "int32")
    array([0, 1], dtype=int32)
    """
    return np.asarray(x).astype(dtype)


def convert_to_numpy(x: Any) -> Array:
    """Return `x` as a plain array.

    >>> convert_to_numpy([1, 2])
    array([1, 2])
    """
    return np.asarray(x)


def convert_to_tensor(x: Any, dtype: Any = None) -> Array:
    """Return `x` as an array, of type `dtype` if given.

    >>> convert_to_tensor([1, 2], dtype="float32")
    array([1., 2.], dtype=float32)
    """
    return np.asarray(x, dtype)


def stop_gradient(x: Any) -> Any:
    """Return `x`. Its gradient is not stopped: a loss that needs that must bring its own, as attribute `gradient`.

    >>> stop_gradient(2.0)
    2.0
    """
    return x


def l2_normalize(x: Any, axis: int | None = None) -> Array:
    """Return `x` divided by its length along `axis`, or by 1e-6 where that is less.

    >>> l2_normalize(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """
    return np.asarray(x / np.sqrt(np.maximum(np.sum(np.square(x), axis=axis, keepdims=True), 1e-12)))


def norm(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return the length of `x`, along `axis` if given.

    >>> float(norm([3.0, 4.0]))
    5.0
    """
    return np.linalg.norm(x, axis=axis, keepdims=keepdims)


def logsumexp(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return log sum e^x along `axis`.

    >>> round(float(logsumexp([0.0, 0.0])), 4)
    0.6931
    """
    largest = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(np.asarray(x) - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis)


def one_hot(x: Any, num_classes: int) -> Array:
    """Return rows that are 1 at the class number and 0 elsewhere, in float32.

    >>> one_hot([1], 3)
    array([[0., 1., 0.]], dtype=float32)
    """
    return np.asarray(np.asarray(x)[..., None] == np.arange(num_classes)).astype(np.float32)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Array:
    """Return -t log p - (1 - t) log(1 - p) of each element, p cut to [epsilon, 1 - epsilon]; p = sigmoid(output) if
    `from_logits`.

    >>> binary_crossentropy([1.0, 0.0], [0.5, 0.5]).round(4)
    array([0.6931, 0.6931])
    """
    t, p = np.asarray(target), np.asarray(output)
    if from_logits:
        return np.asarray(np.maximum(p, 0) - p * t + np.log1p(np.exp(-np.abs(p))))
    p = np.clip(p, epsilon(), 1 - epsilon())
    return np.asarray(-t * np.log(p) - (1 - t) * np.log(1 - p))


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Array:
    """Return -sum t log p along `axis`, p = output over its sum, cut to [epsilon, 1 - epsilon]; p = softmax(output) if
    `from_logits`.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4)
    array([0.6931])
    """
    t, p = np.asarray(target), np.asarray(output)
    if from_logits:
        return np.asarray(-np.sum(t * (p - logsumexp(p, axis, True)), axis=axis))
    p = np.clip(p / np.sum(p, axis=axis, keepdims=True), epsilon(), 1 - epsilon())
    return np.asarray(-np.sum(t * np.log(p), axis=axis))


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Array:
    """Return `categorical_crossentropy` for class numbers, one for each row of `output`.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(4)
    array([0.6931])
    """
    p = np.moveaxis(np.asarray(output), axis, -1)
    rows = one_hot(np.reshape(target, p.shape[:-1]), p.shape[-1])
    return categorical_crossentropy(rows, p, from_logits)


def __getattr__(name: str) -> Any:
    if name not in _OF_NUMPY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(np, name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    *_OF_NUMPY,
    "binary_crossentropy", "cast", "categorical_crossentropy", "convert_to_numpy", "convert_to_tensor", "elu",
    "hard_sigmoid", "l2_normalize", "leaky_relu", "logsumexp", "norm", "one_hot", "pow", "relu", "selu", "sigmoid",
    "softmax", "softplus", "softsign", "sparse_categorical_crossentropy", "stop_gradient",
]  # fmt: skip
