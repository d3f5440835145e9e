"""Activations as layers."""

from __future__ import annotations

from typing import Any

from nnlite import activations
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
