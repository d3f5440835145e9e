"""Files and sets of data: what of ``keras.utils.data_utils`` needs no network."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from nnlite.data import whole
from nnlite.errors import ShapeError, UnsupportedError


def get_file(fname: str | None = None, origin: str | None = None, *_: Any, **__: Any) -> str:
    """Return the path of a local file, where Keras downloads it if need be: `fname`, or that below
    ``~/.keras/datasets``.

    Raises UnsupportedError if it is not there, for nnlite downloads nothing.

    >>> get_file(__file__) == __file__
    True
    """
    name = fname or (origin or "").rpartition("/")[2]
    for path in (name, os.path.join(os.path.expanduser("~"), ".keras", "datasets", name)):
        if name and os.path.exists(path):
            return path
    raise UnsupportedError(f"nnlite downloads nothing: get {origin or 'the file'} yourself and save it as {name!r}.")


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """Return the first rows and the others of an array, or of a list or tuple of arrays, as such.

    Args:
        dataset: array (rows, ...), or several of as many rows.
        left_size, right_size: number of rows as an int, or share of them as a float; either or both.
        shuffle: whether to take the rows in a random order, that of `seed`, or of NumPy's global generator if None.

    Raises:
        ValueError: no size is given, or the sizes are more than there is.
        ShapeError: the arrays have different numbers of rows.

    >>> split_dataset(np.arange(5), left_size=0.4)
    (array([0, 1]), array([2, 3, 4]))
    """
    arrays = [np.asarray(array) for array in (dataset if isinstance(dataset, list | tuple) else [dataset])]
    rows = len(arrays[0])
    if any(len(array) != rows for array in arrays):
        raise ShapeError(f"arrays of a dataset must have as many rows; received {[len(array) for array in arrays]}.")
    if left_size is None and right_size is None:
        raise ValueError("split_dataset needs left_size or right_size, such as left_size=0.8.")
    right = None if right_size is None else _rows("right_size", right_size, rows)
    left = rows - (right or 0) if left_size is None else _rows("left_size", left_size, rows)
    right = rows - left if right is None else right
    if right < 0 or left + right > rows:
        raise ValueError(f"left_size and right_size must be at most the {rows} rows; received {left} and {right}.")
    order = np.arange(rows)
    if shuffle:
        generator = np.random if seed is None else np.random.RandomState(seed)
        order = generator.permutation(rows)
    parts = [[array[chosen] for array in arrays] for chosen in (order[:left], order[left : left + right])]
    if not isinstance(dataset, list | tuple):
        return parts[0][0], parts[1][0]
    return type(dataset)(parts[0]), type(dataset)(parts[1])


def _rows(argument: str, size: float, rows: int) -> int:
    """Return a size in rows."""
    if isinstance(size, float):
        if not 0 <= size <= 1:
            raise ValueError(f"{argument} must be a share between 0 and 1 or a number of rows; received {size!r}.")
        return round(size * rows)
    return whole(argument, size, 0)


__all__ = ["get_file", "split_dataset"]
