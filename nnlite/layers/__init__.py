"""Layers. A new one needs its class in a module here and nothing else; `LAYERS` finds it by name."""

from nnlite.layers.core import Activation, ActivityRegularization, Dense, Flatten, Input, InputLayer, Reshape
from nnlite.layers.layer import LAYERS, Layer
from nnlite.layers.noise import Dropout
from nnlite.layers.normalization import BatchNormalization

__all__ = [
    "LAYERS",
    "Activation",
    "ActivityRegularization",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "Layer",
    "Reshape",
]
