"""FANN, the C library, through a small C file that is compiled here (Debian: libfann-dev).

What FANN cannot do: batches between one row and all rows, Adam or RMSprop without its own changes, cross-entropy,
softmax, relu, shuffling between epochs. So of the tasks only FB is left, sigmoids under gradient descent with all rows
in one batch; there it computes the same numbers.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from compiled import compiled
from tasks import Array, Score, Task, data, start

NAME = "FANN"

_library = ctypes.CDLL(str(compiled("peers/fann_fit.c", "-shared", "-fPIC", "-lfloatfann", "-lm")))
_library.fit_run.restype = ctypes.c_double


class _Fit(ctypes.Structure):
    _fields_ = (("net", ctypes.c_void_p), ("rows", ctypes.c_void_p))


def version() -> str:
    """As the name of the loaded library tells it, where the system lists those: FANN has no call for it."""
    maps = Path("/proc/self/maps")
    found = re.search(r"libfloatfann\.so\.([\d.]+)", maps.read_text()) if maps.exists() else None
    return found[1] if found else "of the system"


def choices(task: Task) -> tuple[str, ...]:
    able = task.loss == "mean_squared_error" and task.optimizer == "sgd" and set(task.activations) == {"sigmoid"}
    return ("1 thread",) if able and task.full_batch else ()


def differs(task: Task) -> str:
    return "rounding"


def note(task: Task) -> str:
    return "does not shuffle"


class _Net:
    """FANN's net with the task's first weights and rows; freed with the object."""

    def __init__(self, task: Task) -> None:
        rows, tensors = data(task), start(task)
        parts = [np.vstack([kernel, bias]).T.ravel() for kernel, bias in zip(tensors[::2], tensors[1::2], strict=True)]
        weights, widths = np.concatenate(parts), (ctypes.c_uint * len(task.widths))(*task.widths)
        # FANN follows the gradient of half the squared error, summed over the outputs and averaged over the rows.
        rate = ctypes.c_float(2 * task.constants["learning_rate"] / task.units[-1])
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (weights, rows.x, rows.y)]
        self.fit = _Fit()
        if _library.fit_new(ctypes.byref(self.fit), widths, len(widths), *pointers, len(rows.x), rate):
            raise MemoryError("FANN made no net")

    def __del__(self) -> None:
        _library.fit_free(ctypes.byref(self.fit))


def prepare(task: Task, choice: str) -> Callable[[], Score]:
    net = _Net(task)
    return lambda: Score(_library.fit_run(ctypes.byref(net.fit), task.epochs), float("nan"))


def predictor(task: Task, choice: str) -> Callable[[Array], Array]:
    net = _Net(task)

    def predict(x: Array) -> Array:
        y = np.empty((len(x), task.units[-1]), np.float32)
        _library.fit_predict(
            ctypes.byref(net.fit), ctypes.c_void_p(x.ctypes.data), len(x), ctypes.c_void_p(y.ctypes.data)
        )
        return y

    return predict
