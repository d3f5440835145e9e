"""Models in Keras' functional style, as far as they are chains: ``Model(inputs, Dense(1)(Dense(4)(inputs)))``.

A chain is a `Sequential` model. Layers, and whole models, may be part of several models, which then share their
weights: an autoencoder, its encoder and its decoder. Graphs with branches are refused where one is begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnlite import backend
from nnlite.config import era_name
from nnlite.errors import ArgumentError, UnsupportedError
from nnlite.layers.core import InputLayer
from nnlite.layers.layer import Layer, Shape
from nnlite.layers.symbolic import Symbolic
from nnlite.models import Sequential


class Chain(Symbolic):
    """What a layer gives when it is called on an `Input`: that input, and the layers its rows have passed.

    >>> from nnlite import Input, layers
    >>> layers.Dense(4)(Input(shape=(5,))).shape
    (None, 4)
    """

    def __init__(self, start: InputLayer, layers: tuple[Layer, ...]) -> None:
        self.start, self.layers = start, layers

    @property
    def row(self) -> Shape:
        """Shape of a row."""
        row = self.start.declared_shape or ()
        for layer in self.layers:
            row = layer.output_row(row)
        return row

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of the output, the batch as None."""
        return (None, *self.row)

    def __repr__(self) -> str:
        return f"<output of {self.layers[-1].name} shape={self.shape}>"


def passed(x: Any, layers: Sequence[Layer], owner: str) -> Any:
    """Return what layers give for `x`: a `Chain` for an `Input` or a `Chain`, their outputs for arrays.

    Raises UnsupportedError, which names the `owner` of the layers, for several inputs.
    """
    if isinstance(x, list | tuple) and any(isinstance(part, Layer | Chain) for part in x):
        if len(x) > 1:
            raise UnsupportedError(
                f"{owner} takes one input: nnlite has no branches; join columns of the data with numpy.hstack."
            )
        x = x[0]
    if isinstance(x, InputLayer):
        chain = Chain(x, tuple(layers))
    elif isinstance(x, Chain):
        chain = Chain(x.start, (*x.layers, *layers))
    else:
        return Sequential(list(layers), name=owner)(x)
    _ = chain.row  # a layer that cannot follow is told here
    return chain


class Functional(Sequential):
    """The model between an input and an output: what ``Model(inputs, outputs)`` makes. It is saved as `Sequential`.

    Args:
        inputs: an `Input`, or what a layer gives; alone or in a list. Keras 1 called it input.
        outputs: what the last layer gives. Keras 1 called it output.
        name: name of the model; "model_1" and so on if None.
        seed: as for `Sequential`.

    Raises:
        ArgumentError: they are neither.
        UnsupportedError: there are several.
        ValueError: the outputs do not follow from the inputs.

    >>> from nnlite import Input, Model, layers
    >>> inputs = Input(shape=(5,))
    >>> hidden = layers.Dense(4, activation="relu")(inputs)
    >>> Model(inputs, layers.Dense(1)(hidden)).count_params()
    29
    """

    described_as = "Sequential"

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        *,
        input: Any = None,
        output: Any = None,
        seed: int | None = None,
    ) -> None:
        start, end = _one("inputs", input if inputs is None else inputs), _one("outputs", output or outputs)
        before = start.layers if isinstance(start, Chain) else ()
        first = start.start if isinstance(start, Chain) else start
        if not isinstance(end, Chain) or end.start is not first or end.layers[: len(before)] != before:
            raise ValueError("outputs must follow from inputs: call layers one after the other, from inputs on.")
        if isinstance(start, Chain):
            first = InputLayer(shape=start.row)
        front: list[Any] = [first, *end.layers[len(before) :]]
        super().__init__(front, backend.unique_name(era_name("functional")) if name is None else name, seed=seed)

    def like(self, layers: Sequence[Layer]) -> Sequential:
        """Return a `Sequential` model of other layers."""
        return Sequential(layers, self.name)

    @classmethod
    def from_config(cls, config: Any) -> Any:
        """Return the `Sequential` model a config describes."""
        return Sequential.from_config(config)


def _one(argument: str, given: Any) -> InputLayer | Chain:
    """Return the only input or output. Raises if there is none, or there are several."""
    parts = list(given.values()) if isinstance(given, dict) else given if isinstance(given, list | tuple) else [given]
    if len(parts) > 1:
        raise UnsupportedError(
            f"{argument} must be one: nnlite has no branches; join columns of the data with numpy.hstack, or train a "
            f"model for each; received {len(parts)}."
        )
    if not parts or not isinstance(parts[0], InputLayer | Chain):
        raise ArgumentError(
            f"{argument} must be an Input or what a layer gives for one, such as Dense(1)(inputs); received {given!r}."
        )
    return parts[0]


__all__ = ["Chain", "Functional"]
