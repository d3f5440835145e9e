"""What all layers share: name, shapes, weights, config.

A layer is a description. Its weights live in the engine of the model it belongs to; a layer knows their rules and,
once the model is built, their places. To add a layer: a class here that names its engine row, states its weights in
`build` and its numbers in `record`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from nnlite import activations, backend, regularizers
from nnlite.config import FLOATS, era
from nnlite.constraints import Constraint, PythonConstraint
from nnlite.data import whole
from nnlite.errors import ArgumentError, NotBuiltError, ShapeError, UnsupportedError, choice, unknown_argument
from nnlite.initializers import ArrayInitializer, FunctionInitializer, Initializer
from nnlite.records import LayerRecord, Row, TensorRecord
from nnlite.registry import Configurable, Family, arguments
from nnlite.regularizers import PythonRegularizer, Regularizer

if TYPE_CHECKING:
    from nnlite._engine import EngineModel

Array = NDArray[Any]
Shape = tuple[int, ...]

NO_LIMIT = Row("none")  # the engine's constraint of a weight that has none there


class Weight:
    """A weight of a layer: its rule, and the place where an engine keeps its values.

    It can be used as a variable of Keras: `numpy`, `assign`, `shape`, `dtype`, and wherever NumPy takes an array.
    """

    def __init__(
        self,
        layer: Layer,
        name: str,
        shape: Shape,
        initializer: Initializer,
        regularizer: Regularizer | None = None,
        constraint: Constraint | None = None,
        trainable: bool = True,
    ) -> None:
        self.name = f"{layer.name}/{name}:0"
        self.shape = shape
        self.initializer = initializer
        self.regularizer = regularizer
        self.constraint = constraint
        self.trainable = trainable
        self._layer = ref(layer)
        self._engine: EngineModel | None = None
        self._tensor = 0
        self._training: Callable[[], bool] = bool

    @property
    def size(self) -> int:
        """The number of its elements."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its elements."""
        return self.engine.dtype

    @property
    def engine(self) -> EngineModel:
        """The engine that keeps its values. Raises NotBuiltError if it is part of no model."""
        if self._engine is None:
            layer = self._layer()
            model = layer.owner() if layer is not None and layer.owner is not None else None
            if model is not None:
                _ = model.engine  # which binds it
        if self._engine is None:
            raise NotBuiltError(f"{self.name} has no values: its layer is part of no model.")
        return self._engine

    @property
    def bound(self) -> bool:
        """Whether it has values."""
        return self._engine is not None

    def bind(self, engine: EngineModel, tensor: int, training: Callable[[], bool]) -> None:
        """Let the values be those of tensor number `tensor` of `engine`, of a model that says whether it is training.

        Values that another model keeps move here; if that one is training, they stay there and are copied.
        """
        if self._engine is engine:
            return
        if self._engine is not None:
            engine.write(0, tensor, self.numpy())
            if self._training():
                return
        self._engine, self._tensor, self._training = engine, tensor, training

    def record(self) -> TensorRecord:
        """Return its rule for the engine."""
        penalty, limit = self.regularizer, self.constraint
        row = NO_LIMIT if limit is None or limit.in_python else limit.record
        l1, l2 = (penalty.l1, penalty.l2) if penalty is not None else (0.0, 0.0)
        return TensorRecord(self.trainable, l1, l2, *row)

    def initial(self, seed: int, stream: int, dtype: str) -> Array:
        """Return its first values: numbers of the stream (seed, stream) where they are random."""
        return self.checked(self.initializer(self.shape, dtype, key=(seed, stream)))

    def checked(self, value: Any) -> Array:
        """Return `value` as an array of its shape. Raises ValueError if it has another, or holds no real numbers."""
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ShapeError(f"{self.name} has the shape {self.shape}; received an array of shape {array.shape}.")
        if array.dtype.kind not in "fiub":
            raise ArgumentError(f"{self.name} must be real numbers; received an array of type {array.dtype}.")
        return array

    def numpy(self) -> Array:
        """Return a copy of its values."""
        return self.engine.read(0, self._tensor)

    def assign(self, value: Any) -> None:
        """Set its values. Raises ValueError if the shape is another."""
        self.put(self.checked(value))

    def put(self, array: Array) -> None:
        """Set its values to an array that `checked` has returned."""
        self.engine.write(0, self._tensor, array)

    def penalty(self) -> float:
        """Return what its regularizer adds to the loss."""
        return 0.0 if self.regularizer is None else self.regularizer.penalty(self.name, self.numpy())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        values = self.numpy()
        return values if dtype is None else values.astype(dtype)

    def __repr__(self) -> str:
        return f"<Weight {self.name} shape={self.shape}>"


class Layer(Configurable):
    """The base of all layers.

    Args:
        name: name in summaries and files; the class's name with a number if None.
        trainable: whether `Sequential.compile` lets the optimizer change its weights.
        dtype: "float32" or "float64"; that of the first layer is the model's. ``floatx()`` if None.
        input_shape: shape of one row of input, such as ``(5,)`` or ``5``; only the first layer's counts.
        input_dim: the same for rows that are vectors: ``input_dim=5``.
        batch_input_shape: the same with the batch in front: ``(None, 5)``.
        weights: initial values of all its weights, in the order of `get_weights`.
        activity_regularizer: penalty on its output, summed over the batch; in keras3 divided by its rows.

    Raises:
        ArgumentError: an argument it does not take.

    >>> from nnlite import Sequential, layers
    >>> model = Sequential([layers.Dense(2, input_dim=3, name="hidden"), layers.Dense(1)])
    >>> model.get_layer("hidden").output_shape
    (None, 2)
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        input_shape: int | Sequence[int] | None = None,
        input_dim: int | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        weights: Sequence[Any] | None = None,
        activity_regularizer: Any = None,
        input_dtype: str | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            known = {*arguments(type(self).__init__), *(Layer.__init__.__kwdefaults__ or ())}
            raise unknown_argument(type(self).__name__, next(iter(unknown)), known)
        self.name = backend.unique_name(type(self).__name__) if name is None else str(name)
        self.trainable = bool(trainable)
        self.dtype = None if not (dtype or input_dtype) else choice("dtype", dtype or input_dtype, FLOATS)
        self.declared_shape = self._declared(input_shape, input_dim, batch_input_shape)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if self.activity_regularizer is not None and self.activity_regularizer.in_python:
            raise UnsupportedError(
                f"activity_regularizer of {type(self).__name__} must be l1, l2 or l1_l2; received "
                f"{activity_regularizer!r}. Add the penalty of outputs in a loss of your own."
            )
        self.weights: list[Weight] = []
        self.built = False
        self.owner: Callable[[], Any] | None = None  # a weak reference to its model
        self._first_values = None if weights is None else list(weights)
        self._input_row: Shape = ()

    def _declared(self, shape: Any, dim: int | None, batch_shape: Sequence[int | None] | None) -> Shape | None:
        if dim is not None:
            return row_shape("input_dim", dim)
        if shape is not None:
            return row_shape("input_shape", shape)
        return None if batch_shape is None else row_shape("batch_input_shape", tuple(batch_shape)[1:])

    # ---- what a layer is: the parts subclasses state ----

    def build(self, input_row: Shape) -> None:
        """State the weights for rows of shape `input_row`, with `add_weight`."""

    def record(self) -> LayerRecord | None:
        """Return its row for the engine, with the rules of its weights; None if it computes nothing."""
        return None

    def following(self) -> list[LayerRecord]:
        """Return what the engine computes after `record` for the same layer, such as an activation."""
        return []

    def output_row(self, input_row: Shape) -> Shape:
        """Return the shape of one row of output."""
        return input_row

    def require_vectors(self, input_row: Shape) -> None:
        """Raise ShapeError if rows of that shape are no vectors."""
        if len(input_row) != 1:
            raise ShapeError(
                f"layer {self.name!r} takes vectors; it receives rows of shape {input_row}. Put Flatten() before."
            )

    def require_ready(self) -> None:
        """Raise if it cannot compute yet; asked before a model passes data through."""

    # ---- what follows from them ----

    def add_weight(self, name: str, shape: Shape, initializer: Initializer, *rule: Any, **more: Any) -> Weight:
        """State a weight, as `Weight` takes it. To be called in `build`, in the order of the engine row's tensors."""
        weight = Weight(self, name, shape, initializer, *rule, **more)
        self.weights.append(weight)
        return weight

    def built_for(self, input_row: Shape) -> Shape:
        """Build it for rows of `input_row`; return the shape of a row of its output.

        Raises:
            ShapeError: it has weights for another shape already, or cannot take that one.
        """
        output = self.output_row(input_row)
        if self.built and input_row == self._input_row:
            return output
        if any([weight.bound for weight in self.weights]):
            raise ShapeError(
                f"layer {self.name!r} was built for rows of shape {self._input_row}; received {input_row}."
            )
        self.weights, self.built = [], False
        self.build(input_row)
        if self._first_values is not None:
            self._check_values(self._first_values)
        self._input_row, self.built = input_row, True
        return output

    def records(self) -> list[LayerRecord]:
        """Return all it asks of the engine, in order."""
        first, penalty = self.record(), self.activity_regularizer
        records = ([] if first is None else [first]) + self.following()
        if penalty is not None:
            numbers = (penalty.l1, penalty.l2, float(era("activity.per_row")))
            records.append(LayerRecord("activity_regularization", 0, numbers))
        return records

    def rules(self) -> tuple[TensorRecord, ...]:
        """Return the rules of its weights for its record."""
        return tuple([weight.record() for weight in self.weights])

    def first_values(self, seed: int, stream: int, dtype: str) -> list[Array]:
        """Return initial values of its weights: those given as ``weights=``, or the streams from number `stream` on."""
        if self._first_values is not None:
            return [np.asarray(value, dtype) for value in self._first_values]
        return [weight.initial(seed, stream + i, dtype) for i, weight in enumerate(self.weights)]

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of its input, the batch as None. Raises AttributeError before it is built."""
        return (None, *self._built_row())

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """Shape of its output, the batch as None. Raises AttributeError before it is built."""
        return (None, *self.output_row(self._built_row()))

    def _built_row(self) -> Shape:
        if not self.built:
            raise AttributeError(f"layer {self.name!r} has no shapes before its model is built.")
        return self._input_row

    def __call__(self, inputs: Any) -> Any:
        """Return what it gives for an `Input`, for what another layer gives, or for arrays."""
        from nnlite.functional import passed  # which builds models of layers

        return passed(inputs, [self], self.name)

    @property
    def input(self) -> Any:
        """What it takes in the first model it is part of, for ``Model(inputs, outputs)``. AttributeError if in none."""
        return self._in_model(0)

    @property
    def output(self) -> Any:
        """What it gives there."""
        return self._in_model(1)

    def _in_model(self, more: int) -> Any:
        model = None if self.owner is None else self.owner()
        if model is None:
            raise AttributeError(f"layer {self.name!r} has no input and output before it is part of a model.")
        return model.output_of(model.layers.index(self) + more)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of the output for an input of that shape, both with the batch in front."""
        return (input_shape[0], *self.output_row(row_shape("input_shape", tuple(input_shape)[1:])))

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights an optimizer may change."""
        return [weight for weight in self.weights if weight.trainable and self.trainable]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights no optimizer changes: frozen ones and moving statistics."""
        return [weight for weight in self.weights if not (weight.trainable and self.trainable)]

    def count_params(self) -> int:
        """Return the number of its weights' elements. Raises NotBuiltError before it is built."""
        if not self.built:
            raise NotBuiltError(f"layer {self.name!r} has no weights to count before its model is built.")
        return sum(weight.size for weight in self.weights)

    def get_weights(self) -> list[Array]:
        """Return copies of its weights: trainable ones, then moving statistics."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set its weights, in the order of `get_weights`. Raises ValueError if their number or shapes are others."""
        for weight, array in zip(self.weights, self._check_values(weights), strict=True):
            weight.put(array)

    def keras_weights(self) -> list[tuple[str, Array]]:
        """Return names and values of the weights as files of Keras have them."""
        return [(weight.name, weight.numpy()) for weight in self.weights]

    def weights_of_keras(self, arrays: list[Array]) -> list[Array]:
        """Return the values a file of Keras has as those of the weights; for none those it has without the file."""
        return arrays

    def _check_values(self, values: Sequence[Any]) -> list[Array]:
        if len(values) != len(self.weights):
            raise ValueError(
                f"weights of layer {self.name!r} must be {len(self.weights)} arrays "
                f"of shapes {[weight.shape for weight in self.weights]}; received {len(values)}."
            )
        return [weight.checked(value) for weight, value in zip(self.weights, values, strict=True)]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer, without values of weights."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self.declared_shape is not None:
            config |= {"batch_input_shape": (None, *self.declared_shape), "dtype": self.dtype or backend.floatx()}
        config |= {name: described(getattr(self, name)) for name in arguments(type(self).__init__)}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = described(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the layer `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


LAYERS: Family[Layer] = Family("layer", Layer)


def row_shape(argument: str, shape: Any) -> Shape:
    """Return the shape of one row as a tuple of positive sizes. Raises ValueError for anything else."""
    sizes = shape if isinstance(shape, (tuple, Sequence, np.ndarray)) else (shape,)  # tuple first: Sequence is slow
    return tuple([whole(argument, size) for size in sizes])


def described(value: Any) -> Any:
    """Return `value` as it stands in a config."""
    if isinstance(value, activations.Activation):
        return activations.serialize(value)
    if isinstance(value, FunctionInitializer | PythonRegularizer | PythonConstraint):
        return value.function
    if isinstance(value, ArrayInitializer):
        return value.values
    if isinstance(value, Configurable):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    return value
