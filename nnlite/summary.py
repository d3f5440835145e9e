"""The table of a model's layers, as Keras 2.2 prints it, or as Keras 3 does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nnlite import keras3_summary
from nnlite.config import era
from nnlite.layers.layer import Layer, Weight

if TYPE_CHECKING:
    from nnlite.models import Sequential

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
    model: Sequential,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print the table of a model's layers: in keras2 a line at a time, in keras3 a box in one piece.

    Args:
        model: the model; what is not built yet has the shape ``?``.
        line_length: width in characters; if None 65, in keras3 that of the terminal less 4, at most 88.
        positions: where columns end, as shares of the width or, in keras2, in characters.
        print_fn: takes each line, in keras3 the whole text; `print` if None.
        expand_nested: without effect, for layers of nested models stand in a model as its own.
        show_trainable: whether to show which layers training changes.
        layer_range: names, or patterns of them, of the first and the last layer to show.

    Raises ValueError for a range of which no layer has the name.

    >>> from nnlite import Sequential, layers
    >>> print_summary(Sequential([layers.Dense(2, input_dim=3, name="sum")]))  # doctest: +NORMALIZE_WHITESPACE
    _________________________________________________________________
    Layer (type)                 Output Shape              Param #
    =================================================================
    sum (Dense)                  (None, 2)                 8
    =================================================================
    Total params: 8
    Trainable params: 8
    Non-trainable params: 0
    _________________________________________________________________
    """
    layers: Sequence[Layer] = model.layers
    if model.described_as is not None and model.front() is not None:  # a functional model shows its input
        layers = [layer for layer in (model.front(), *layers) if layer is not None]
    layers = layers if layer_range is None else _between(layers, *layer_range)
    trainable = _size(weight for layer in model.layers for weight in layer.trainable_weights)
    frozen = _size(weight for layer in model.layers for weight in layer.non_trainable_weights)
    if era("summary.like_keras3"):
        shares = keras3_summary.POSITIONS if positions is None else tuple(positions)
        shares = (*[0.9 * share for share in shares], 1.0) if show_trainable else shares
        rows = [_cells(layer, "0 (unbuilt)", show_trainable) for layer in layers]
        box = keras3_summary.table(_head(show_trainable), rows, line_length, shares)
        text = f'Model: "{model.name}"\n{box}{_totals_of_keras3(model, trainable, frozen)}'
        print(text, end="") if print_fn is None else print_fn(text)
        return
    write = print if print_fn is None else print_fn
    fourth = 10 * show_trainable
    width = WIDTH + fourth if line_length is None else line_length
    shares = POSITIONS if positions is None else tuple(positions)
    ends = [int(end) for end in shares]
    if shares[-1] <= 1:
        ends = [int((width - fourth) * share) for share in shares]
    ends += [width] * show_trainable
    write("_" * width)
    write(row(_head(show_trainable), ends))
    write("=" * width)
    for i, layer in enumerate(layers):
        write(row(_cells(layer, "?", show_trainable), ends))
        write(("=" if i == len(layers) - 1 else "_") * width)
    write(f"Total params: {trainable + frozen:,}")
    write(f"Trainable params: {trainable:,}")
    write(f"Non-trainable params: {frozen:,}")
    write("_" * width)


def _head(show_trainable: bool) -> list[str]:
    return ["Layer (type)", "Output Shape", "Param #", *["Trainable"] * show_trainable]


def _cells(layer: Layer, unbuilt: str, show_trainable: bool) -> list[str]:
    shape, count = ("?", unbuilt) if not layer.built else (str(layer.output_shape), str(layer.count_params()))
    if era("summary.like_keras3"):
        has_none = type(layer).build is Layer.build  # a layer without weights needs no building to have 0
        count = f"{layer.count_params():,}" if layer.built else "0" if has_none else unbuilt
    mark = "-" if layer.built and not layer.weights else "Y" if layer.trainable else "N"
    return [f"{layer.name} ({type(layer).__name__})", shape, count, *[mark] * show_trainable]


def _totals_of_keras3(model: Sequential, trainable: int, frozen: int) -> str:
    """The lines under the box; an optimizer that has taken a step counts, with its step count and learning rate."""
    kept, each = 0, model.engine.dtype.itemsize if model.built else 0
    if model.built and model.optimizer is not None and model.engine.iterations:
        kept = 2 + model.engine.slots * trainable
    counts = {"Total": trainable + frozen + kept, "Trainable": trainable, "Non-trainable": frozen}
    counts |= {"Optimizer": kept} if kept else {}
    lines = [f" {what} params: {count:,} ({keras3_summary.memory(count * each)})" for what, count in counts.items()]
    return "\n".join(lines) + "\n"


def _between(layers: Sequence[Layer], first: str, last: str) -> list[Layer]:
    """The layers from the first that matches `first` to the last that matches `last`."""
    firsts = [i for i, layer in enumerate(layers) if re.match(first, layer.name)]
    lasts = [i for i, layer in enumerate(layers) if re.match(last, layer.name)]
    if not firsts or not lasts:
        names = ", ".join(layer.name for layer in layers)
        raise ValueError(f"layer_range must name layers of the model, {names}; received {first!r} and {last!r}.")
    start, end = sorted((firsts[0], lasts[-1]))
    return list(layers[start : end + 1])


def _size(weights: Iterable[Weight]) -> int:
    return sum(weight.size for weight in weights)
