"""The functions of ``keras.ops`` and of ``keras.backend`` that losses and metrics written in Python use, on arrays.

Most are NumPy's own, which bear the same names. Losses made of them need no gradients: see
`nnlite.losses.Loss.value_and_gradient`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite import activations
from nnlite.config import epsilon

Array = NDArray[Any]

# NumPy's functions that Keras has under the same names.
_OF_NUMPY = """
    abs absolute add all any arange arccos arcsin arctan arctan2 argmax argmin argpartition argsort array average
    bincount broadcast_to ceil clip concatenate conj cos cosh count_nonzero cross cumprod cumsum diag diff divide dot
    einsum equal exp expand_dims expm1 eye flip floor floor_divide full full_like greater greater_equal hstack
    identity isclose isfinite isinf isnan less less_equal linspace log log10 log1p log2 logical_and logical_not
    logical_or logical_xor logspace matmul max maximum mean median meshgrid min minimum mod moveaxis multiply
    nan_to_num ndim negative nonzero not_equal ones ones_like outer pad power prod quantile ravel reciprocal repeat
    reshape roll round shape sign sin sinh size sort split sqrt square squeeze stack std subtract sum swapaxes take
    take_along_axis tan tanh tensordot tile trace transpose tri tril triu true_divide var vdot vstack where zeros
    zeros_like
""".split()  # noqa: SIM905  (sixty lines as a list)


pow = np.power


def rsqrt(x: Any) -> Array:
    """Return 1 / sqrt(x).

    >>> rsqrt(4.0)
    array(0.5)
    """
    return np.asarray(1 / np.sqrt(x))


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Array, Array]:
    """Return the `k` largest values along the last axis, from the largest on, and their places.

    >>> top_k([0.25, 1.0, 0.5], 2)
    (array([1. , 0.5]), array([1, 2]))
    """
    values = np.asarray(x)
    places = np.argsort(-values, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(values, places, -1), places


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
    if name in _OF_NUMPY:
        return getattr(np, name)
    if name in __all__:
        return getattr(activations, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


__all__ = [
    *_OF_NUMPY, *activations.ACTIVATIONS.names(),
    "binary_crossentropy", "cast", "categorical_crossentropy", "convert_to_numpy", "convert_to_tensor",
    "l2_normalize", "logsumexp", "norm", "one_hot", "pow", "rsqrt",
    "sparse_categorical_crossentropy", "stop_gradient", "top_k",
]  # fmt: skip
