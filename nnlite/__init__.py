"""nnlite: training of small dense networks on a CPU, by a C engine under a Keras-style API.

``import nnlite as keras`` and ``from nnlite.models import Sequential`` run the scripts of Keras tutorials.
"""

from typing import TYPE_CHECKING, Any

from nnlite import keras_compat  # also finds the modules of nnlite by their other names

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
    "initializers",
    "keras_compat",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "utils",
]

if TYPE_CHECKING:  # type checkers are to know what there is
    from nnlite import (
        activations,
        backend,
        callbacks,
        config,
        constraints,
        initializers,
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
else:

    def __getattr__(name: str) -> Any:  # nothing is imported before it is used: a script waits for what it needs only
        if name not in __all__ or name.islower():
            return keras_compat.submodule(__name__, name)
        return getattr(keras_compat.submodule(__name__, "layers" if name == "Input" else "models"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
