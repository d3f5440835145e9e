"""nnlite: training of small dense networks on a CPU, by a C engine under a Keras-style API.

``import nnlite as keras`` and ``from nnlite.models import Sequential`` run the scripts of Keras tutorials.
"""

from typing import TYPE_CHECKING, Any

from nnlite import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    initializers,
    keras_compat,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from nnlite.layers import Input
from nnlite.models import Model, Sequential
from nnlite.threads import get_num_threads, set_num_threads

__version__ = "0.1.0"

__all__ = [
    "Input",
    "Model",
    "Sequential",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "get_num_threads",
    "initializers",
    "keras_compat",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "set_num_threads",
    "utils",
]

if not TYPE_CHECKING:  # type checkers are to know what there is

    def __getattr__(name: str) -> Any:
        return keras_compat.submodule(__name__, name)
