"""Layers. A new one needs its class in a module here and nothing else; `LAYERS` finds it by name."""

from typing import TYPE_CHECKING, Any

from nnlite.layers.activation import Lambda
from nnlite.layers.advanced_activations import ELU, LeakyReLU, ReLU, Softmax, ThresholdedReLU
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
from nnlite.layers.reshaping import Permute, RepeatVector

__all__ = [
    "ELU",
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
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Normalization",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "ThresholdedReLU",
    "UnitNormalization",
]

if not TYPE_CHECKING:  # type checkers are to know what there is

    def __getattr__(name: str) -> Any:
        from nnlite.layers.unsupported import unsupported  # here, because only scripts for other nets need it

        layer = unsupported(name)
        if layer is None:
            from nnlite.keras_compat import lack

            raise AttributeError(lack(f"{__name__}.{name}"))
        return layer
