"""The little of TensorFlow that scripts for dense nets use beside ``tf.keras``: seeds, arrays, questions about the
machine. Scripts run with ``python -m nnlite`` find it as ``tensorflow``.

Tensors are NumPy arrays that also answer ``numpy()``; ``tf.square``, ``tf.reduce_mean`` and the like are the functions
of `nnlite.ops`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from nnlite import ops, optimizers
from nnlite import random as draws
from nnlite.backend import variable
from nnlite.config import era
from nnlite.keras_compat import SHOWN, lack, submodule
from nnlite.prediction import Prediction as Tensor
from nnlite.utils import set_random_seed

__path__: list[str] = []  # what lies below is found by the names in keras_compat.SHOWN
float16, float32, float64, int32, int64, uint8 = np.float16, np.float32, np.float64, np.int32, np.int64, np.uint8


def constant(value: Any, dtype: Any = None, shape: Sequence[int] | None = None, name: str | None = None) -> Tensor:
    """Return `value` as a tensor; numbers without a type become float32 or int32, as in TensorFlow.

    >>> constant([1.0, 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """
    array = np.asarray(value, dtype)
    if dtype is None and not isinstance(value, np.ndarray):
        array = array.astype({"f": np.float32, "i": np.int32}.get(array.dtype.kind, array.dtype))
    return (array if shape is None else np.broadcast_to(array, shape).copy()).view(Tensor)


convert_to_tensor = constant


random = SimpleNamespace(
    set_seed=set_random_seed, set_random_seed=set_random_seed, normal=draws.normal, uniform=draws.uniform,
    truncated_normal=draws.truncated_normal, shuffle=draws.shuffle,
)  # fmt: skip
train = SimpleNamespace(
    AdagradOptimizer=optimizers.Adagrad,
    AdamOptimizer=optimizers.Adam,
    GradientDescentOptimizer=optimizers.SGD,
    MomentumOptimizer=optimizers.SGD,
    RMSPropOptimizer=optimizers.RMSprop,
)
logging = SimpleNamespace(set_verbosity=lambda level: None, DEBUG=10, INFO=20, WARN=30, ERROR=40, FATAL=50)
_experimental = SimpleNamespace(
    list_physical_devices=lambda device_type=None: [],
    set_memory_growth=lambda device, enable: None,
    run_functions_eagerly=lambda eagerly: None,
)
_threads = SimpleNamespace(
    set_inter_op_parallelism_threads=lambda threads: None, set_intra_op_parallelism_threads=lambda threads: None
)
config = SimpleNamespace(
    list_physical_devices=_experimental.list_physical_devices,
    run_functions_eagerly=_experimental.run_functions_eagerly,
    experimental=_experimental,
    threading=_threads,
)
test = SimpleNamespace(is_gpu_available=lambda: False, gpu_device_name=lambda: "", is_built_with_cuda=lambda: False)


def Variable(initial_value: Any, trainable: bool = True, name: str | None = None, dtype: Any = None) -> Any:
    """Return an array whose values can be set.

    >>> Variable([1.0, 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """
    return variable(initial_value, dtype)


def enable_eager_execution() -> None:
    """Do nothing: values are there at once.

    >>> enable_eager_execution()
    """


disable_eager_execution = disable_v2_behavior = enable_v2_behavior = enable_eager_execution


def function(called: Any = None, **_: Any) -> Any:
    """Return `called` as it is, for there is no graph to make of it.

    >>> function(abs)(-1)
    1
    """
    return (lambda given: given) if called is None else called


def executing_eagerly() -> Any:
    """Return True: values are there at once.

    >>> executing_eagerly()
    True
    """
    return True


def get_logger() -> Any:
    """Return a logger on which scripts set a level.

    >>> get_logger().name
    'nnlite'
    """
    from logging import getLogger  # here, because nothing else needs it

    return getLogger("nnlite")


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return era("tensorflow.version")
    if f"{__name__}.{name}" in SHOWN:
        return submodule(__name__, name)
    operation = getattr(ops, name.removeprefix("reduce_"), None) if not name.startswith("_") else None
    if operation is None:
        raise AttributeError(lack(f"{__name__}.{name}"))
    return lambda *values, **options: np.asarray(operation(*values, **options)).view(Tensor)


__all__ = [
    "Tensor", "Variable", "config", "constant", "convert_to_tensor", "disable_eager_execution", "disable_v2_behavior",
    "enable_eager_execution", "enable_v2_behavior", "executing_eagerly", "float16", "float32",
    "float64", "function", "get_logger", "int32", "int64", "logging", "random", "set_random_seed", "test", "train",
    "uint8",
]  # fmt: skip
