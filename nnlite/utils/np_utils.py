"""Labels and arrays: the functions of ``keras.utils.np_utils``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.data import reals
from nnlite.registry import older_spellings


@older_spellings(nb_classes="num_classes")
def to_categorical(y: Any, num_classes: int | None = None, dtype: str = "float32") -> NDArray[Any]:
    """Return one-hot rows of class numbers.

    Args:
        y: class numbers, array of any shape; a last axis of size 1 is dropped.
        num_classes: number of columns, ``max(y) + 1`` if None. Keras 1 called it `nb_classes`.
        dtype: type of the result.

    Raises:
        IndexError: a class number is not within 0 ... num_classes - 1.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = reals("y", y).astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    columns = int(labels.max(initial=-1)) + 1 if num_classes is None else int(num_classes)
    if labels.size and (labels.min() < 0 or labels.max() >= columns):
        raise IndexError(f"y must hold class numbers 0 ... {columns - 1}; received {labels.min()} ... {labels.max()}.")
    return np.asarray(labels[..., None] == np.arange(columns)).astype(dtype)


def normalize(x: Any, axis: int = -1, order: int = 2) -> NDArray[Any]:
    """Return `x` divided by its norm of that order along `axis`; a norm of 0 counts as 1.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return np.asarray(np.asarray(x) / np.expand_dims(norm, axis))


def probas_to_classes(y_pred: Any) -> NDArray[Any]:
    """Return the class of each row of probabilities: the largest column, or for one column whether it exceeds 1/2.

    >>> probas_to_classes([[0.2, 0.8], [0.9, 0.1]])
    array([1, 0])
    """
    p = np.asarray(y_pred)
    return p.argmax(axis=1) if p.ndim > 1 and p.shape[1] > 1 else (p.reshape(-1) > 0.5).astype(np.int64)


def categorical_probas_to_classes(p: Any) -> NDArray[Any]:
    """Return the column of the largest probability of each row.

    >>> categorical_probas_to_classes([[0.2, 0.8], [0.9, 0.1]])
    array([1, 0])
    """
    return np.asarray(np.argmax(p, axis=1))


__all__ = ["categorical_probas_to_classes", "normalize", "probas_to_classes", "to_categorical"]
