"""The common layers: Input, Dense, Flatten, Reshape, ActivityRegularization, and Activation and Dropout from their own
files, for Keras had them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from nnlite import backend, constraints, initializers, regularizers
from nnlite.config import era_name
from nnlite.data import whole
from nnlite.errors import ArgumentError, ShapeError, UnsupportedError
from nnlite.layers.activation import Activation, activation_of, activation_records
from nnlite.layers.layer import LAYERS, Layer, Shape, Weight, described
from nnlite.layers.noise import Dropout
from nnlite.layers.symbolic import Symbolic
from nnlite.records import LayerRecord
from nnlite.registry import older_spellings


@LAYERS.entry("input_layer", rows=())
class InputLayer(Symbolic, Layer):
    """Says what a row of input looks like; it stands first in a model and computes nothing.

    Args:
        shape: shape of one row, as `input_shape`, which older Keras called it. The other arguments are those of
            `Layer`. sparse, ragged, tensor and optional must be off.

    Raises:
        ArgumentError: no shape is given.

    >>> InputLayer(shape=(5,)).shape
    (None, 5)
    """

    @older_spellings(batch_shape="batch_input_shape")
    def __init__(self, shape: int | Sequence[int] | None = None, **common: Any) -> None:
        if shape is not None:
            common["input_shape"] = shape
        for must_be_off in ("sparse", "ragged", "tensor", "input_tensor", "optional"):
            if common.pop(must_be_off, None):
                raise UnsupportedError(f"{must_be_off} of Input must be left out: rows are plain numbers.")
        if common.get("name") is None:
            common["name"] = backend.unique_name(era_name("input_layer"))
        super().__init__(**common)
        if self.declared_shape is None:
            raise ArgumentError(
                "Input needs a shape, such as Input(shape=(5,)) for rows of five numbers; received none."
            )
        self.built, self._input_row = True, self.declared_shape

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of the input, the batch as None."""
        return (None, *(self.declared_shape or ()))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer."""
        config = super().get_config()
        del config["shape"]
        return config


def Input(shape: int | Sequence[int] | None = None, **common: Any) -> InputLayer:
    """Return an `InputLayer`.

    >>> Input(shape=(5,)).shape
    (None, 5)
    """
    return InputLayer(shape, **common)


@LAYERS.entry("dense")
class Dense(Layer):
    """A fully connected layer: activation(x kernel + bias).

    Args:
        units: width of a row of output.
        activation: name or activation of `nnlite.activations`; None is linear.
        use_bias: whether to add a bias.
        kernel_initializer, bias_initializer: see `nnlite.initializers`.
        kernel_regularizer, bias_regularizer: see `nnlite.regularizers`.
        activity_regularizer: penalty on the output, summed over the batch.
        kernel_constraint, bias_constraint: see `nnlite.constraints`.
        lora_rank, lora_alpha, quantization_config: without effect.
        common: the arguments of `Layer`. Keras 1's names are taken too: output_dim, init, W_regularizer,
            b_regularizer, W_constraint, b_constraint, bias.

    Weights: kernel (inputs, units), bias (units,).

    Raises:
        ValueError: `units` is no positive integer, or a name is unknown.
        ArgumentError: an unknown argument.

    >>> Dense(20, activation="relu", input_dim=5).units
    20
    """

    @older_spellings(
        output_dim="units",
        init="kernel_initializer",
        W_regularizer="kernel_regularizer",
        b_regularizer="bias_regularizer",
        W_constraint="kernel_constraint",
        b_constraint="bias_constraint",
        bias="use_bias",
    )
    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **common: Any,
    ) -> None:
        for without_effect in ("lora_rank", "lora_alpha", "quantization_config"):
            common.pop(without_effect, None)
        super().__init__(activity_regularizer=activity_regularizer, **common)
        self.units = whole("units", units)
        self.activation = activation_of(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Weight | None = None
        self.bias: Weight | None = None

    @property
    def W(self) -> Weight | None:
        """Keras 1's name of `kernel`."""
        return self.kernel

    @property
    def b(self) -> Weight | None:
        """Keras 1's name of `bias`."""
        return self.bias

    def build(self, input_row: Shape) -> None:
        """State kernel and bias for rows of that shape."""
        shape = (input_row[0], self.units)
        self.kernel = self.add_weight(
            "kernel", shape, self.kernel_initializer, self.kernel_regularizer, self.kernel_constraint
        )
        if self.use_bias:
            self.bias = self.add_weight(
                "bias", shape[1:], self.bias_initializer, self.bias_regularizer, self.bias_constraint
            )

    def record(self) -> LayerRecord:
        """Return the engine's row."""
        return LayerRecord("dense", self.units, (float(self.use_bias),), self.rules())

    def following(self) -> list[LayerRecord]:
        """Return the activation."""
        return activation_records(self.activation)

    def output_row(self, input_row: Shape) -> Shape:
        """Return (units,). Raises ShapeError if rows are no vectors."""
        self.require_vectors(input_row)
        return (self.units,)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer."""
        return super().get_config() | {"activity_regularizer": described(self.activity_regularizer)}


@LAYERS.entry("flatten", rows=())
class Flatten(Layer):
    """Rows of any shape laid out as vectors: (batch, a, b) becomes (batch, a * b).

    Args:
        data_format: without effect. The other arguments are those of `Layer`.

    >>> Flatten(input_shape=(28, 28)).compute_output_shape((None, 28, 28))
    (None, 784)
    """

    def __init__(self, data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.data_format = data_format

    def output_row(self, input_row: Shape) -> Shape:
        """Return (product of sizes,)."""
        return (prod(input_row),)


@LAYERS.entry("reshape", rows=())
class Reshape(Layer):
    """Rows in another shape of as many elements.

    Args:
        target_shape: shape of a row of output; one size may be -1, which is what is left. The other arguments are
            those of `Layer`.

    Raises:
        ValueError: when built, if the numbers of elements differ.

    >>> Reshape((-1, 2)).compute_output_shape((None, 6))
    (None, 3, 2)
    """

    def __init__(self, target_shape: int | Sequence[int], **common: Any) -> None:
        super().__init__(**common)
        sizes = target_shape if isinstance(target_shape, Sequence) else (target_shape,)
        self.target_shape = tuple(-1 if size == -1 else whole("target_shape", size) for size in sizes)
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"target_shape may hold -1 once; received {target_shape!r}.")

    def output_row(self, input_row: Shape) -> Shape:
        """Return the target shape. Raises ShapeError if it does not hold as many elements."""
        known = prod(size for size in self.target_shape if size != -1)
        row = tuple(prod(input_row) // known if size == -1 else size for size in self.target_shape)
        if prod(row) != prod(input_row):
            raise ShapeError(f"layer {self.name!r} cannot reshape rows of shape {input_row} to {self.target_shape}.")
        return row


@LAYERS.entry("activity_regularization")
class ActivityRegularization(Layer):
    """The identity, with a penalty l1 sum |y| + l2 sum y^2 on its output, summed over the batch.

    Args:
        l1, l2: factors of the penalty. The other arguments are those of `Layer`.

    >>> ActivityRegularization(l1=0.01).activity_regularizer
    L1L2(l1=0.01, l2=0.0)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **common: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **common)
        self.l1, self.l2 = float(l1), float(l2)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer."""
        config = super().get_config()
        del config["activity_regularizer"]
        return config


__all__ = ["Activation", "ActivityRegularization", "Dense", "Dropout", "Flatten", "Input", "InputLayer", "Reshape"]
