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
    from nnlite.threads import get_num_threads, set_num_threads
else:
    _HOMES = {
        "Input": "layers",
        "Model": "models",
        "Sequential": "models",
        "get_num_threads": "threads",
        "set_num_threads": "threads",
    }

    def __getattr__(name: str) -> Any:  # nothing is imported before it is used: a script waits for what it needs only
        if name not in _HOMES:
            return keras_compat.submodule(__name__, name)
        found = globals()[name] = getattr(keras_compat.submodule(__name__, _HOMES[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
