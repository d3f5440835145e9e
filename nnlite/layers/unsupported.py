"""Layers of Keras that nnlite does not have: they can be imported and named, and say what to use when one is made."""

from __future__ import annotations

import re
from typing import Any

from nnlite.errors import UnsupportedError
from nnlite.layers.layer import Layer

# Patterns of names of Keras' layers, each with what to use in their place; the first that matches counts.
_IN_PLACE = {
    r"Embedding": "nnlite takes numbers; give it one-hot rows, from utils.to_categorical, and a Dense layer",
    r"Masking": "nnlite has no sequences; give rows without the masked steps",
    r"Wrapper|TimeDistributed|Bidirectional|(\w+)?RNN|(\w*)(LSTM|GRU)(Cell)?|SimpleRNNCell": (
        "nnlite has no sequences; flatten the steps of a row with Flatten and use Dense"
    ),
    r"(\w*)Conv\w*[123]D(Transpose)?|Convolution[123]D|LocallyConnected[12]D|Cropping[123]D|ZeroPadding[123]D|"
    r"UpSampling[123]D|(Global|Adaptive)?(Max|Average|Avg)Pool(ing)?[123]D|SpatialDropout[123]D|Global(Max|Average)Pool(ing)?[123]D|"
    r"(Random|Center|Auto)\w+": (
        "nnlite has no convolutions or images; flatten a row with Flatten and use Dense"
    ),
    r"Merge|merge|Add|add|Subtract|subtract|Multiply|multiply|Average|average|Maximum|maximum|Minimum|minimum|"
    r"Concatenate|concatenate|Dot|dot": (
        "nnlite has no branches; stack layers in a Sequential, and join columns of the data with numpy.hstack"
    ),
    r"\w*Attention": "nnlite has no attention; use Dense",
    r"MaxoutDense|Highway": "use Dense(units, activation='relu')",
    r"GroupNormalization|RMSNormalization|SpectralNormalization": "use BatchNormalization",
    r"Discretization|CategoryEncoding|(String|Integer)Lookup|TextVectorization|Hashing|HashedCrossing|FeatureSpace": (
        "prepare columns with NumPy before, such as utils.to_categorical"
    ),
    r"EinsumDense|TorchModuleWrapper|FlaxLayer|JaxLayer|TFSMLayer|Identity|Pipeline|StackedRNNCells": (
        "use Dense and Activation"
    ),
}  # fmt: skip


def unsupported(name: str) -> type[Layer] | None:
    """Return a class for Keras' layer `name` that raises UnsupportedError when called; None if Keras has no such layer.

    >>> unsupported("Conv2D").__name__
    'Conv2D'
    """
    hint = next((hint for pattern, hint in _IN_PLACE.items() if re.fullmatch(pattern, name)), None)
    if hint is None:
        return None

    def refuse(self: Layer, *_: Any, **__: Any) -> None:
        raise UnsupportedError(f"layer {name} is not supported: {hint}.")

    return type(name, (Layer,), {"__init__": refuse, "__doc__": f"Not supported: {hint}.", "__module__": __name__})
