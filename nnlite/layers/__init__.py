"""Layers. A new one needs its class in a module here and nothing else; `LAYERS` finds it by name."""

from nnlite.layers.core import Activation, ActivityRegularization, Dense, Flatten, Input, InputLayer, Reshape
from nnlite.layers.layer import LAYERS, Layer
from nnlite.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from nnlite.layers.normalization import (
    BatchNormalization,
    LayerNormalization,
    Normalization,
    Rescaling,
    UnitNormalization,
)
from nnlite.layers.prelu import PReLU

__all__ = [
    "LAYERS",
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "Normalization",
    "PReLU",
    "Rescaling",
    "Reshape",
    "UnitNormalization",
]
