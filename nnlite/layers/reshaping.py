"""Layers that move no number: Permute and RepeatVector, as far as they are another reading of the same row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnlite.data import whole
from nnlite.errors import ShapeError, UnsupportedError
from nnlite.layers.layer import LAYERS, Layer, Shape


@LAYERS.entry("permute", rows=())
class Permute(Layer):
    """Rows with their axes in another order, where only axes of size 1 change places.

    Args:
        dims: the axes of the input in the order of the output, from 1: ``(2, 1)`` swaps two. The other arguments are
            those of `Layer`.

    Raises:
        ValueError: `dims` is no order of the axes.
        UnsupportedError: when built, if numbers would have to move; reorder the data with numpy.transpose.

    >>> Permute((2, 1)).compute_output_shape((None, 1, 6))
    (None, 6, 1)
    """

    def __init__(self, dims: Sequence[int], **common: Any) -> None:
        super().__init__(**common)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"dims of Permute must hold each of 1 ... {len(self.dims)} once; received {dims!r}.")

    def output_row(self, input_row: Shape) -> Shape:
        """Return the sizes in the new order."""
        if len(input_row) != len(self.dims):
            raise ShapeError(
                f"layer {self.name!r} orders {len(self.dims)} axes; it receives rows of shape {input_row}."
            )
        moved = [dim for dim in self.dims if input_row[dim - 1] > 1]
        if moved != sorted(moved):
            raise UnsupportedError(
                f"layer {self.name!r} would move numbers of rows of shape {input_row}: Permute exchanges axes of size "
                "1 only. Reorder the data before, with numpy.transpose."
            )
        return tuple(input_row[dim - 1] for dim in self.dims)


@LAYERS.entry("repeat_vector", rows=())
class RepeatVector(Layer):
    """Rows (features,) as rows (1, features).

    Args:
        n: number of copies, 1. The other arguments are those of `Layer`.

    Raises UnsupportedError for more copies; repeat the data with numpy.repeat.

    >>> RepeatVector(1).compute_output_shape((None, 6))
    (None, 1, 6)
    """

    def __init__(self, n: int, **common: Any) -> None:
        super().__init__(**common)
        self.n = whole("n", n)
        if self.n != 1:
            raise UnsupportedError(f"n of RepeatVector must be 1; received {n}. Repeat the data with numpy.repeat.")

    def output_row(self, input_row: Shape) -> Shape:
        """Return (1, features). Raises ShapeError if rows are no vectors."""
        self.require_vectors(input_row)
        return (1, *input_row)


__all__ = ["Permute", "RepeatVector"]
