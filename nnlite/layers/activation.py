"""Activations as layers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nnlite import activations
from nnlite.activation import PythonActivation
from nnlite.errors import ArgumentError
from nnlite.layers.layer import LAYERS, Layer
from nnlite.records import LayerRecord


def activation_of(identifier: Any) -> activations.Activation:
    """Return the activation meant by anything `activations.get` takes, or by an activation layer."""
    return activations.get(
        getattr(identifier, "activation", identifier) if isinstance(identifier, Layer) else identifier
    )


def activation_records(activation: activations.Activation) -> list[LayerRecord]:
    """Return what the engine computes for an activation after a layer: nothing for the linear one."""
    name, numbers = activation.record
    if isinstance(activation, PythonActivation):
        return [LayerRecord(name, 0, numbers, (), activation)]
    return [] if name == "linear" else [LayerRecord(name, 0, numbers)]


@LAYERS.entry("activation", rows=())
class Activation(Layer):
    """An activation as a layer of its own.

    Args:
        activation: name or activation of `nnlite.activations`. The other arguments are those of `Layer`.

    Raises:
        ValueError: unknown name, with the closest ones.

    >>> Activation("tanh").activation([0.0])
    array([0.], dtype=float32)
    """

    def __init__(self, activation: Any, **common: Any) -> None:
        super().__init__(**common)
        self.activation = activation_of(activation)

    def following(self) -> list[LayerRecord]:
        """Return the activation."""
        return activation_records(self.activation)


@LAYERS.entry("lambda", rows=("given",))
class Lambda(Layer):
    """A function of the rows, computed in Python, that leaves their shape: see `nnlite.activation.PythonActivation`.

    Args:
        function: takes an array (rows, units) and returns another; each row of it depends on that row alone.
        arguments: dict of further arguments of the function.
        common: the arguments of `Layer`. Keras' output_shape and mask are taken and not needed.

    Raises:
        ArgumentError: `function` is no function.

    >>> from nnlite import Sequential
    >>> Sequential([Lambda(lambda x: x**2, input_shape=(2,))]).predict([[1.0, 3.0]]).tolist()
    [[1.0, 9.0]]
    """

    def __init__(self, function: Any, arguments: Mapping[str, Any] | None = None, **common: Any) -> None:
        for not_needed in ("output_shape", "mask"):
            common.pop(not_needed, None)
        super().__init__(**common)
        if isinstance(function, str | Mapping):  # as a file has it
            known = activations.get(function)
            function = known.function if isinstance(known, PythonActivation) else known
        if not callable(function):
            raise ArgumentError(f"function of Lambda must be a function of an array; received {function!r}.")
        self.function, self.arguments = function, None if arguments is None else dict(arguments)

    def following(self) -> list[LayerRecord]:
        """Return what asks the function."""
        function = self.function if self.arguments is None else partial(self.function, **self.arguments)
        return activation_records(PythonActivation(function))
