"""Models as stacks of layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from nnlite import backend
from nnlite._engine import EngineModel
from nnlite.composing import Composable
from nnlite.data import Door, whole
from nnlite.errors import ArgumentError, EmptyModelError, NotBuiltError, ShapeError, UnsupportedError
from nnlite.initializers import new_seed
from nnlite.layers.core import Input as Input  # keras.engine has it beside models
from nnlite.layers.core import InputLayer
from nnlite.layers.layer import LAYERS, Layer, Shape, Weight, row_shape
from nnlite.model import Model
from nnlite.records import LayerRecord
from nnlite.saving import (
    Saved,
    clone_model,
    load_model,
    model_from_config,
    model_from_json,
    model_from_yaml,
    save_model,
)
from nnlite.summary import print_summary

Array = NDArray[Any]

NOTHING = [LayerRecord("linear")]  # what the engine computes for layers that compute nothing


class Sequential(Composable, Saved, Model):
    """A model whose layers follow one another.

    Args:
        layers: list of layers, as for `add`.
        name: name of the model; "sequential_1" and so on if None.
        trainable: whether training changes its weights.
        seed: what initial weights, shuffles and dropout follow from; if None, it is drawn from NumPy's global generator
            when the model is built.

    The model is built, which means that its weights exist, as soon as the shape of its input is known: from the first
    layer's `input_shape` or `input_dim`, from an `Input` in front, from `build`, or from the first data.

    >>> from nnlite.layers import Dense
    >>> model = Sequential([Dense(20, activation="relu", input_dim=5), Dense(2, activation="softmax")])
    >>> model.count_params()
    162
    """

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        name: str | bool | None = None,
        trainable: bool | str = True,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        if isinstance(name, bool) or isinstance(trainable, str):  # Keras 3 has trainable second
            name, trainable = trainable if isinstance(trainable, str) else None, bool(name)
        self.name = backend.unique_name(type(self).__name__) if name is None else str(name)
        self._trainable = bool(trainable)
        self._seed = None if seed is None else whole("seed", seed, 0)
        self._layers: list[Layer] = []
        self._input: InputLayer | None = None  # an Input in front
        self._trained: dict[str, bool] = {}  # which layers were trainable when it was compiled
        for given in layers or ():
            for layer in self.parts(given, not self._layers and self._input is None):
                if self._admits(layer):
                    self._take(layer)
        row = self._known_row(self._layers[0]) if self._layers else None
        if row is not None:  # once for all layers, not for each again
            self._set_layers(self._layers, row)

    # ---- layers ----

    @property
    def layers(self) -> list[Layer]:
        """The layers, without an `Input`."""
        return list(self._layers)

    def add(self, layer: Layer | Sequential) -> None:
        """Append a layer, or the layers of a model. A shape given to any but the first is ignored. Weights that exist
        are kept. What is part of another model already has its weights in common with that.

        Raises:
            ArgumentError: it is no layer.
            ValueError: another layer has its name, or an `Input` does not come first.
            ShapeError: it cannot follow the last layer.
            UnsupportedError: it is computed in Python.
        """
        for part in self.parts(layer, not self._layers and self._input is None):
            if self._admits(part):
                row = self._known_row(part) if self._door is None else self._door.input_row
                if row is not None:
                    self._set_layers([*self._layers, part], row)
                self._take(part)

    def _admits(self, layer: Layer) -> bool:
        """Check that a layer may be added; an `Input` is taken here and is none of the layers."""
        if not isinstance(layer, Layer):
            hint = " A class? Call it: Dense(1)." if isinstance(layer, type) else ""
            raise ArgumentError(f"a model is made of layers, objects of nnlite.layers; received {layer!r}.{hint}")
        if isinstance(layer, InputLayer):
            if self._input is not None or self._layers:
                raise ValueError(
                    f"{layer.name!r} stands for the input and must be the first layer of model {self.name!r}."
                )
            self._input = layer
            return False
        if hasattr(layer, "call"):
            raise UnsupportedError(
                f"layer {layer.name!r} is computed in Python, by its call(), which the engine cannot differentiate; "
                "use layers of nnlite, or compute it on the data before."
            )
        if layer in self._layers:
            raise ArgumentError(
                f"layer {layer.name!r} is part of model {self.name!r} already; make one for each place."
            )
        if layer.name in [other.name for other in self._layers]:
            raise ValueError(
                f"model {self.name!r} has a layer called {layer.name!r} already; give each layer a name of its own."
            )
        return True

    def _take(self, layer: Layer) -> None:
        self._layers.append(layer)
        owner = None if layer.owner is None else layer.owner()
        if owner is None or not owner.built:
            layer.owner = ref(self)
        if owner is not None:
            owner.shares = self.shares = True
        layer.trainable = layer.trainable and self._trainable

    def pop(self) -> Layer:
        """Remove the last layer and return it. Raises EmptyModelError if there is none."""
        if not self._layers:
            raise EmptyModelError(f"model {self.name!r} has no layer to remove.")
        layer = self._layers.pop()
        if self._door is not None and self._layers:
            self._set_layers(self._layers, self._door.input_row)
        else:
            self._reset(None)
        if layer.owner is not None and layer.owner() is self:
            layer.owner = None
        return layer

    def _known_row(self, first: Layer) -> Shape | None:
        """The shape of a row of input, if the input or the first layer states it."""
        front = self._input or (self._layers[0] if self._layers else first)
        return front.declared_shape

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of that name, or at that place. Raises ValueError if there is none."""
        if index is not None:
            if not -len(self._layers) <= index < len(self._layers):
                raise ValueError(f"index must be below {len(self._layers)}, the number of layers; received {index}.")
            return self._layers[index]
        for layer in self._layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"model {self.name!r} has no layer {name!r}; it has {', '.join(layer.name for layer in self._layers)}."
        )

    # ---- build ----

    @property
    def built(self) -> bool:
        """Whether the shape of the input, and with it every weight, is known."""
        return self._door is not None

    def build(self, input_shape: int | Sequence[int | None] | None = None) -> None:
        """Build the model for inputs of that shape, the batch in front: ``build((None, 5))``.

        Raises:
            ValueError: no shape is given, or it is none.
            ShapeError: a layer cannot take what the one before gives, or the model is built for another shape.
        """
        if input_shape is None:
            if self._door is None:
                raise ValueError(
                    f"input_shape must be given for model {self.name!r}, such as build((None, 5)); received None."
                )
            return
        sizes = tuple(input_shape)[1:] if isinstance(input_shape, Sequence) else (input_shape,)
        row = row_shape("input_shape", sizes)
        if self._door is not None and row != self._door.input_row:
            raise ShapeError(f"model {self.name!r} is built for rows of shape {self._door.input_row}; received {row}.")
        if not self._layers:
            raise ArgumentError(f"model {self.name!r} needs a layer before it can be built: add(Dense(1)).")
        if self._door is None:
            self._set_layers(self._layers, row)

    def _set_layers(self, layers: list[Layer], row: Shape) -> None:
        """Build `layers` for rows of that shape; the engine for them is made when it is needed."""
        door = self._door_of(layers, row)
        for layer in layers:
            row = layer.built_for(row)
        if self._seed is None:
            self._seed = new_seed()
        self._reset(door)

    def _door_of(self, layers: Sequence[Layer], row: Shape) -> Door:
        output = row
        for layer in layers:
            output = layer.output_row(output)
        first, last = layers[0], layers[-1]
        dtype = np.dtype((self._input or first).dtype or backend.floatx())
        return Door(row, output, dtype, first.name, last.name)

    def last_row(self) -> str:
        """Return the row of the engine its outputs come from."""
        for layer in reversed(self._layers):
            records = layer.following() or layer.records()
            if records:
                return records[-1].row
        return NOTHING[-1].row

    def door_for(self, array: Array) -> Door:
        """Return what the model takes and gives, for rows like those of `array` if it is not built."""
        if self._door is not None:
            return self._door
        if not self._layers:
            raise NotBuiltError(f"model {self.name!r} has no layers: add(Dense(1)).")
        return self._door_of(self._layers, array.shape[1:] or (1,))

    def made_for(self, door: Door) -> EngineModel:
        """Return the engine, built and made now if need be."""
        if self._door is None:
            self._set_layers(self._layers, door.input_row)
        engine = self.engine
        for layer in self._layers:
            layer.require_ready()
        return engine

    @property
    def engine(self) -> EngineModel:
        """The engine that keeps the weights. Raises NotBuiltError before the model is built."""
        if self._engine is None:
            self._engine = self._made()
        elif self.shares:
            self._bind(self._engine)
        return self._engine

    def _bind(self, engine: EngineModel) -> None:
        """Let the engine keep the values of the weights."""
        for i, weight in enumerate(self.weights):
            weight.bind(engine, i, self._turn.taken)

    def begin_with(self, values: list[Array]) -> None:
        """Let the first values of its weights, which have none yet, be those; no initializer is asked."""
        self._engine = self._made(values)

    def _made(self, given: list[Array] | None = None) -> EngineModel:
        """Make the engine: weights that have values keep them, the others get those given or their initial ones."""
        if self._door is None or self._seed is None:
            raise NotBuiltError(
                f"model {self.name!r} has no weights yet: build it with build((None, 5)), fit() or an input shape."
            )
        records = [record for layer in self._layers for record in layer.records()] or NOTHING
        dtype = f"float{8 * self._door.dtype.itemsize}"  # dtype.name takes NumPy nearly as long as all that follows
        engine = EngineModel(records, self._door.input_units, dtype, None, self._seed)
        values: list[Array] = [] if given is None else given
        for layer in self._layers if given is None else ():
            bound = all([weight.bound for weight in layer.weights])
            values += layer.get_weights() if bound else layer.first_values(self._seed, len(values), dtype)
        for i, value in enumerate(values):
            engine.write(0, i, value)
        if self._objective is not None:
            self._objective.compile(engine, self.settled())
        self._engine = engine
        self._bind(engine)
        self.freeze_weights()
        return engine

    def settle_trainable(self) -> None:
        """Remember which layers are to be trained."""
        self._trained = {layer.name: layer.trainable for layer in self._layers}

    def freeze_weights(self) -> None:
        """Tell the engine which weights the optimizer or, for a moving statistic, training leaves alone."""
        assert self._engine is not None
        place = 0
        for layer in self._layers:
            trained = self._trained.get(layer.name, layer.trainable)
            for _ in layer.weights:
                self._engine.set_trainable(place, trained)
                place += 1

    # ---- weights and shapes ----

    @property
    def weights(self) -> list[Weight]:
        """The weights of all layers, in order; empty before the model is built."""
        return [weight for layer in self._layers for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights training changes."""
        return [weight for layer in self._layers for weight in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights no optimizer changes."""
        return [weight for layer in self._layers for weight in layer.non_trainable_weights]

    trainable_variables = trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether training changes its weights. Set, it is set for every layer, and holds from the next `compile`."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self._layers:
            layer.trainable = self._trainable

    def get_weights(self) -> list[Array]:
        """Return copies of all weights: layer after layer, kernel, bias; gamma, beta, moving mean and variance."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all weights, in the order of `get_weights`. Raises ValueError if their number or shapes are others."""
        own = self.weights
        if self._door is None:
            raise NotBuiltError(f"model {self.name!r} has no weights yet: build it first, with build((None, 5)).")
        if len(weights) != len(own):
            raise ValueError(f"weights of model {self.name!r} must be {len(own)} arrays; received {len(weights)}.")
        arrays = [weight.checked(value) for weight, value in zip(own, weights, strict=True)]
        if self._engine is None and not any([weight.bound for weight in own]):
            self.begin_with(arrays)
        else:
            for weight, array in zip(own, arrays, strict=True):
                weight.put(array)

    def count_params(self) -> int:
        """Return the number of elements of all weights. Raises NotBuiltError before the model is built."""
        if self._door is None:
            raise NotBuiltError(f"model {self.name!r} has no weights to count: build it first, with build((None, 5)).")
        return sum(layer.count_params() for layer in self._layers)

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of the input, the batch as None. Raises AttributeError before the model is built."""
        return (None, *self._known_door().input_row)

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """Shape of the output, the batch as None. Raises AttributeError before the model is built."""
        return (None, *self._known_door().output_row)

    def _known_door(self) -> Door:
        if self._door is None:
            raise AttributeError(f"model {self.name!r} has no shapes before it is built.")
        return self._door

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print a table of the layers; arguments as in `nnlite.summary.print_summary`."""
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # ---- config ----

    def get_config(self) -> dict[str, Any]:
        """Return name and layers, from which `from_config` makes an equal model with new weights."""
        front = [] if self._input is None else [self._input]
        config: dict[str, Any] = {
            "name": self.name,
            "layers": [LAYERS.serialize(layer) for layer in (*front, *self._layers)],
        }
        if self._door is not None and self._known_row(self._layers[0]) is None:
            config["build_input_shape"] = (None, *self._door.input_row)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Self:
        """Return the model a config describes; Keras 1's list of layers is taken too, and a seed."""
        described: Mapping[str, Any] = config if isinstance(config, Mapping) else {"layers": config}
        layers = [LAYERS.get(layer) for layer in described["layers"]]
        model = cls(layers, described.get("name"), seed=described.get("seed"))
        if not model.built and described.get("build_input_shape"):
            model.build(described["build_input_shape"])
        return model

    def like(self, layers: Sequence[Layer]) -> Sequential:
        """Return a model of its kind and name of other layers."""
        return type(self)(layers, self.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {len(self._layers)} layers>"


__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
]
