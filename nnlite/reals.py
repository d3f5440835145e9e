"""Whatever holds numbers, as an array: arrays of every kind, nested lists, data frames, what other libraries have.

Nothing here changes what it was given. What holds something else is refused with the way to make numbers of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.errors import ArgumentError, ShapeError

Array = NDArray[Any]


def reals(argument: str, value: Any) -> Array:
    """Return `value` as an array of real numbers with at least one axis.

    Arrays, nested lists, frames and series of pandas and polars, whatever NumPy takes; a list or dict of one array
    stands for the array, as in Keras. Values that are missing in a frame become NaN.

    Raises:
        ArgumentError: it is None, its elements are no real numbers, or some are masked.
        ShapeError: its rows differ in length, or it is a single number.
    """
    array = value if type(value) is np.ndarray else _as_array(argument, value)
    if array.dtype.kind not in "fiub":
        text = f"{argument} must hold real numbers; received {type(value).__name__} of type {array.dtype}."
        raise ArgumentError(f"{text} {_advice(argument.rpartition(' ')[2], value, array)}")
    if array.ndim == 0:
        raise ShapeError(f"{argument} must be an array of rows; received the single number {value!r}.")
    return array


def _as_array(argument: str, value: Any) -> Array:
    if value is None:
        raise ArgumentError(f"{argument} must be an array; received None.")
    if isinstance(value, Mapping) and len(value) == 1:
        value = next(iter(value.values()))
    several = isinstance(value, list | tuple) and all(hasattr(part, "__array__") for part in value)
    if several and len(value) == 1:
        value = value[0]
    _check_columns(argument, value)
    masked = np.count_nonzero(value.mask) if isinstance(value, np.ma.MaskedArray) else 0
    if masked:
        raise ArgumentError(f"{argument} must have a value everywhere; {masked} are masked. Fill them: x.filled(0).")
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O" and hasattr(value, "to_numpy"):
            array = _of_mixed_columns(value, array)
        return array
    except ValueError as error:
        text = f"{argument} must be rectangular; received rows of different lengths ({error})."
        if several:
            text += " Inputs and targets are two arguments: fit(x, y)."
        raise ShapeError(text) from None


def _check_columns(argument: str, frame: Any) -> None:
    """Refuse columns of a frame that hold neither numbers nor booleans, by their names."""
    if not hasattr(frame, "columns") or not hasattr(frame, "dtypes"):
        return
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if hasattr(dtype, "is_numeric"):  # of polars
            good = dtype.is_numeric() or str(dtype) in ("Boolean", "Null")
        else:  # of pandas, where columns of objects may yet hold numbers
            good = dtype.kind in "fiub" or str(dtype) == "object"
        if not good:
            text = f"{argument} must hold real numbers; received a column {name!r} of type {dtype}."
            raise ArgumentError(
                f"{text} Leave it out, or make numbers of it: times minus the first, 0 and 1 for words."
            )


def _of_mixed_columns(value: Any, array: Array) -> Array:
    """A frame of numbers and booleans, or of numbers that may be missing, as numbers; as it is if it is none."""
    if any(isinstance(element, str) for element in array.flat):
        return array
    if hasattr(value, "isna"):  # of pandas, whose missing values NumPy does not know
        array = value.to_numpy(dtype=object, na_value=np.nan)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        return array


def _advice(name: str, value: Any, array: Array) -> str:
    """How the numbers that are meant may be had."""
    if callable(value):
        return f"Give what it returns: {name}()."
    if hasattr(value, "collect"):
        return f"Give the frame itself: {name}.collect()."
    if isinstance(value, Mapping):
        return f"Give the columns side by side: np.column_stack(list({name}.values()))."
    kind = array.dtype.kind
    if kind in "mM":
        return f"Make numbers of times: ({name} - {name}.min()) / np.timedelta64(1, 'D')."
    if kind == "c":
        return f"Give real and imaginary parts side by side: np.hstack([{name}.real, {name}.imag])."
    if kind == "V":
        return f"Give the fields side by side: np.lib.recfunctions.structured_to_unstructured({name})."
    advice = f"Numbers kept as objects or text become numbers by {name}.astype('float32')."
    if name == "y":
        return f"Names of classes? Number them: classes, y = np.unique(y, return_inverse=True). {advice}"
    return advice
