"""The table of a model's layers, as Keras 2.2 prints it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nnlite.layers.layer import Layer, Weight

WIDTH = 65
POSITIONS = (0.45, 0.85, 1.0)


def row(fields: Sequence[str], ends: Sequence[int]) -> str:
    """Return the fields in columns that end at `ends`; too long ones are cut.

    >>> row(["dense_1 (Dense)", "(None, 2)", "6"], [20, 35, 40])
    'dense_1 (Dense)     (None, 2)      6    '
    """
    line = ""
    for field, end in zip(fields, ends, strict=False):
        line = line[:-1] + " " if line else line
        line = (line + field)[:end].ljust(end)
    return line


def print_summary(
    layers: Sequence[Layer],
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print the table, a line at a time.

    Args:
        layers: of the model; one that is not built has the shape ``?``.
        line_length: width in characters, 65 if None.
        positions: where columns end, as shares of the width or in characters.
        print_fn: takes each line; `print` if None.
    """
    write = print if print_fn is None else print_fn
    width = WIDTH if line_length is None else line_length
    shares = POSITIONS if positions is None else tuple(positions)
    ends = [int(width * share) for share in shares] if shares[-1] <= 1 else [int(end) for end in shares]
    write("_" * width)
    write(row(["Layer (type)", "Output Shape", "Param #"], ends))
    write("=" * width)
    for i, layer in enumerate(layers):
        shape, count = (str(layer.output_shape), str(layer.count_params())) if layer.built else ("?", "?")
        write(row([f"{layer.name} ({type(layer).__name__})", shape, count], ends))
        write(("=" if i == len(layers) - 1 else "_") * width)
    trainable = _size(weight for layer in layers for weight in layer.trainable_weights)
    frozen = _size(weight for layer in layers for weight in layer.non_trainable_weights)
    write(f"Total params: {trainable + frozen:,}")
    write(f"Trainable params: {trainable:,}")
    write(f"Non-trainable params: {frozen:,}")
    write("_" * width)


def _size(weights: Iterable[Weight]) -> int:
    return sum(weight.size for weight in weights)
