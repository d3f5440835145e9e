"""``tf.nn``: the activations, which give tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite import activations
from nnlite.activations import Activation
from nnlite.prediction import Prediction as Tensor


def __getattr__(name: str) -> Any:
    activation = getattr(activations, name)
    if not isinstance(activation, Activation):
        return activation

    def on_tensors(*values: Any, **parameters: Any) -> Any:
        result = activation(*values, **parameters)
        return result.view(Tensor) if isinstance(result, np.ndarray) else result  # a layer asks for the activation

    on_tensors.__name__, on_tensors.__doc__ = name, activation.__doc__
    return on_tensors


def __dir__() -> list[str]:
    return list(activations.__all__)
