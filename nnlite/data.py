"""What users hand over, turned into what the engine takes: C-contiguous matrices of the model's type, checked.

Nothing here changes an array it was given. Every message names the argument, the rule, what was received and the
usual fix.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray  # as np.ndarray it would be looked up anew for each row that is predicted
from numpy.typing import NDArray

from nnlite.config import era
from nnlite.errors import ArgumentError, ShapeError, number
from nnlite.loss import Loss
from nnlite.reals import reals as reals

Array = NDArray[Any]

# How labels of any kind become class numbers.
_NUMBERED = "classes, y = np.unique(y, return_inverse=True)"


class Data(NamedTuple):
    """Inputs (rows, input units), targets (rows, target units), and weights (rows,) or None."""

    x: Array
    y: Array
    weights: Array | None

    def part(self, start: int, stop: int) -> Data:
        """Return rows `start` ... `stop` of all three, as views."""
        return Data(self.x[start:stop], self.y[start:stop], None if self.weights is None else self.weights[start:stop])

    def parts(self, size: int) -> Iterator[Data]:
        """Yield parts of `size` rows each, the last of what is left."""
        return (self.part(start, start + size) for start in range(0, len(self.x), size))


class Door(NamedTuple):
    """What a built model takes and gives: shape of a row of input and of output, the type, and the names of its
    first and last layer."""

    input_row: tuple[int, ...]
    output_row: tuple[int, ...]
    dtype: np.dtype[Any]
    first_layer: str
    last_layer: str

    @property
    def input_units(self) -> int:
        """Numbers in a row of input."""
        return prod(self.input_row)

    @property
    def output_units(self) -> int:
        """Numbers in a row of output."""
        return prod(self.output_row)


def ready(value: Any, row: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether `value` is a matrix the engine takes as it is."""
    if type(value) is not ndarray or value.dtype is not dtype or len(row) != 1:
        return False
    shape = value.shape
    return len(shape) == 2 and shape[1] == row[0] and value.flags.c_contiguous


def inputs(argument: str, value: Any, door: Door) -> Array:
    """Return `value` as inputs (rows, input units) of the model; a one-dimensional array is one number a row.

    Raises ShapeError if rows have another shape, and what `reals` raises.
    """
    if ready(value, door.input_row, door.dtype):
        return value  # type: ignore[no-any-return]
    array = reals(argument, value)
    row = array.shape[1:] or (1,)
    if row != door.input_row:
        raise ShapeError(_wrong_row(argument, array, door))
    return np.ascontiguousarray(array.reshape(len(array), door.input_units), door.dtype)


def _wrong_row(argument: str, array: Array, door: Door) -> str:
    expected = ", ".join(map(str, door.input_row))
    text = f"{argument} must have the shape (rows, {expected})"
    text += f" for layer {door.first_layer!r}; received shape {array.shape}"
    if array.ndim == 1:
        if array.size == door.input_units:
            return f"{text}. One row? Use x.reshape(1, -1)."
        return f"{text}: expected {door.input_units} features, got 1 (a 1-D array is treated as one feature per row)."
    if prod(array.shape[1:]) == door.input_units:
        return f"{text}. Use x.reshape({', '.join(map(str, (-1, *door.input_row)))})."
    return f"{text}. Give the first layer input_shape={array.shape[1:]}, or select the columns it was built for."


def targets(argument: str, value: Any, rows: int, loss: Loss, columns: int | None, door: Door) -> Array:
    """Return `value` as targets (rows, columns) for `loss`; None is any number of columns.

    Raises:
        ShapeError: not as many rows as inputs, or not as many columns as the loss compares.
        ValueError: a class number the last layer has no unit for.
    """
    as_it_is = ready(value, door.output_row, door.dtype)
    array = value if as_it_is else reals(argument, value)
    if len(array) != rows:
        raise ShapeError(f"{argument} must have as many rows as its inputs, {rows}; received shape {array.shape}.")
    if array.ndim != 2:
        array = array.reshape(rows, prod(array.shape[1:]))
    if columns is not None and array.shape[1] != columns:
        raise ShapeError(_wrong_targets(argument, array, loss, columns, door))
    if columns == 1 and (loss.sparse or door.output_units > 1):
        counts = loss.counts(array)
        _check_classes(argument, array if counts is None else array[counts], door)
    if array.dtype.kind in "iu":
        _check_probabilities(argument, array, loss)
    return array if as_it_is else np.ascontiguousarray(array, door.dtype)


def _wrong_targets(argument: str, array: Array, loss: Loss, columns: int, door: Door) -> str:
    width, units = array.shape[1], door.output_units
    if columns < units:
        text = f"{argument} must be class numbers in one column for the loss {loss.name!r}; received {width} columns."
        return f"{text} One-hot rows? Use {argument}.argmax(axis=1), or the loss 'categorical_crossentropy'."
    text = f"{argument} must have {units} columns, one for each unit of layer {door.last_layer!r}; received {width}."
    if width == 1 and "crossentropy" in loss.name:
        return f"{text} Class numbers? Use utils.to_categorical, or the loss 'sparse_categorical_crossentropy'."
    return f"{text} Give the last layer {width} units, or take other columns of {argument}."


def _check_classes(argument: str, array: Array, door: Door) -> None:
    units = door.output_units
    if array.size and (array.min() < 0 or array.max() >= units or (array.dtype.kind == "f" and (array % 1).any())):
        wrong = array[(array < 0) | (array >= units) | (array % 1 != 0)][0]
        text = f"{argument} must hold class numbers 0 ... {units - 1}, for layer {door.last_layer!r} has {units} units"
        raise ValueError(f"{text}; received {wrong}. Labels of your own? Number them: {_NUMBERED}.")


def _check_probabilities(argument: str, array: Array, loss: Loss) -> None:
    """Refuse integers that are no labels 0 and 1, for a loss that takes targets for probabilities."""
    if "crossentropy" in loss.name and not loss.sparse and array.size:
        low, high = array.min(), array.max()
        if low < 0 or high > 1:
            text = f"{argument} must be 0, 1 or between for the loss {loss.name!r}; received {min(low, 0) or high}."
            raise ValueError(f"{text} Labels of your own? Number them: {_NUMBERED}. Or take another loss, as 'mse'.")


def row_weights(argument: str, value: Any, rows: int, door: Door) -> Array:
    """Return `value` as weights (rows,). Raises ShapeError for another shape."""
    array = reals(argument, value)
    if array.shape not in ((rows,), (rows, 1)):
        raise ShapeError(f"{argument} must have one weight a row, shape ({rows},); received shape {array.shape}.")
    return np.ascontiguousarray(array.reshape(rows), door.dtype)


def class_weights(class_weight: Any, y: Array, door: Door) -> Array:
    """Return the weight of each row from a dict of weights by class.

    y (rows, columns) is one-hot, or the class in one column.
    Raises ArgumentError if it is no dict, ValueError if a class in y has no weight; in keras3 its weight is then 1.
    """
    if not isinstance(class_weight, Mapping):
        raise ArgumentError(
            f"class_weight must be a dict from class to weight, such as {{0: 1, 1: 5}}; received {class_weight!r}."
        )
    classes, where = np.unique(y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0], return_inverse=True)
    missing = [int(c) for c in classes if c not in class_weight]
    if missing and not era("class_weight.may_miss"):
        raise ValueError(
            f"class_weight must have a weight for every class in y; {missing} are missing from {dict(class_weight)!r}."
        )
    weights = [number(f"class_weight[{int(c)}]", class_weight.get(c, 1), 0) for c in classes]
    return np.ascontiguousarray(np.array(weights, door.dtype)[where.reshape(-1)])


def whole(argument: str, value: Any, least: int = 1) -> int:
    """Return `value` as an int of at least `least`; integral floats are taken. Raises ValueError if it is none."""
    if type(value) is int and value >= least:  # nearly always
        return value
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if is_number and value == value // 1 >= least:
        return int(value)
    raise ValueError(f"{argument} must be an integer of at least {least}; received {value!r}.")


def count(argument: str, value: Any) -> int | None:
    """Return `value` as an int of at least 1, or None for None. Raises ValueError if it is neither."""
    return None if value is None else whole(argument, value)


def checked(
    kind: str,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Mapping[Any, float] | None,
    loss: Loss,
    columns: int | None,
    door: Door,
) -> Data:
    """Return arrays checked against the model and each other; `kind` is put before their names in messages."""
    rows = inputs(f"{kind}x", x, door)
    if not len(rows):
        raise no_rows(f"{kind}x", rows)
    goals = targets(f"{kind}y", y, len(rows), loss, columns, door)
    weights = None
    if sample_weight is not None:
        weights = row_weights(f"{kind}sample_weight", sample_weight, len(rows), door)
    if class_weight is not None and weights is None:
        weights = class_weights(class_weight, reals("y", y).reshape(len(goals), -1), door)
    elif class_weight is not None and era("class_weight.excludes_sample_weight"):
        raise ArgumentError("class_weight and sample_weight cannot be given together; multiply them.")
    elif class_weight is not None:
        warnings.warn("class_weight has no effect beside sample_weight.", UserWarning, stacklevel=4)
    return Data(rows, goals, weights)


def no_rows(argument: str, array: Array) -> ShapeError:
    """Return the error for an array that has none."""
    return ShapeError(f"{argument} must have at least one row; received shape {array.shape}.")


def split(data: Data, fraction: float) -> tuple[Data, Data | None]:
    """Return the first rows for training and the last `fraction` for validation, in the order given; None for 0.

    Raises ValueError if either part would be empty, or `fraction` is not within 0 ... 1.
    """
    fraction = number("validation_split", fraction, 0, 1)
    if fraction == 0:
        return data, None
    rows = len(data.x)
    first = int(rows * (1.0 - fraction))
    if first == 0 or first == rows:
        left = f"{first} for training, {rows - first} for validation"
        raise ValueError(f"validation_split must leave rows on both sides; {fraction} of {rows} rows leaves {left}.")
    return data.part(0, first), data.part(first, rows)
