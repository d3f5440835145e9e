"""The tasks that are timed, as data: rows, net, loss, optimizer, epochs. To add one: its rows, and a row of TASKS.

T1 to T4 are nets of well-known tutorials, T6 to T9 grow from digits to a thousand units. The numbers are those under
which the tasks and the figures to reach were first written down; that list has no T5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Rows = tuple[Array, Array]  # x (rows, inputs); y (rows,) class numbers or labels, or (rows, outputs)

# Constants every peer uses, under the names Keras gives them. Keras 2's place of epsilon: outside the root.
OPTIMIZERS: dict[str, dict[str, float]] = {
    "sgd": {"learning_rate": 0.01},
    "rmsprop": {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-7},
    "adam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
}


class Score(NamedTuple):
    """What the last epoch reports: the mean training loss while it ran; the accuracy on the validation rows or, without
    any, on the training rows while it ran; NaN where the task has none.
    """

    loss: float
    accuracy: float


class Data(NamedTuple):
    """float32 rows, targets as the losses of Keras take them (one-hot for a softmax); classes: their numbers, int64."""

    x: Array
    y: Array
    classes: Array
    held_x: Array
    held_y: Array
    held_classes: Array


@dataclass(frozen=True)
class Task:
    """One fit. The last `validation_rows` rows are not trained on: loss and accuracy on them are taken each epoch."""

    name: str
    rows: Callable[[], Rows]
    inputs: int
    units: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    optimizer: str
    batch_size: int
    epochs: int
    validation_rows: int = 0
    shuffle: bool = True
    full_batch: bool = False  # all rows in one batch: batch_size is their number
    needs: str = ""  # the module the rows come from
    limit: int | None = None  # of the training rows: with it, only the first so many

    @property
    def constants(self) -> dict[str, float]:
        return OPTIMIZERS[self.optimizer]

    @property
    def widths(self) -> tuple[int, ...]:
        return (self.inputs, *self.units)

    @property
    def has_accuracy(self) -> bool:
        return self.loss != "mean_squared_error"

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole fit."""
        return -(-len(data(self).x) // self.batch_size) * self.epochs

    @property
    def wide(self) -> bool:
        """Whether dense products are nearly all there is to do: the share of the processor's peak says something."""
        return max(self.units) >= 128

    @property
    def operations(self) -> int:
        """Floating-point operations of the dense products on a row: forward, kernel gradients, and input gradients of
        all layers but the first.
        """
        products = [a * b for a, b in zip(self.widths, self.units, strict=False)]
        return 2 * (3 * sum(products) - products[0])

    def __str__(self) -> str:
        net = "-".join(map(str, self.widths))
        return f"{self.name} {net} {'/'.join(self.activations)}, {self.loss}, {self.optimizer}, batch {self.batch_size}"


def sum_of_five() -> Rows:
    """Is the sum of five numbers above its mean?"""
    x = np.random.default_rng(5).random((250, 5))
    return x, (x.sum(axis=1) > 2.5).astype(int)


def sum_of_five_signs() -> Rows:
    x, classes = sum_of_five()
    return x, classes * 2 - 1


def noisy_step() -> Rows:
    """Four points with noise; the label is whether the second coordinate is nearer to 1."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, (1000, 2)) + rng.normal(scale=0.2, size=(1000, 2))
    return x, (x[:, 1] > 0.5).astype(int)


def two_squares() -> Rows:
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.uniform(0.2, 0.4, (200, 2)), rng.uniform(0.5, 0.7, (200, 2))])
    order = rng.permutation(400)
    return x[order], (np.arange(400) >= 200).astype(int)[order]


def digits() -> Rows:
    """1797 pictures of 8 x 8 pixels, 0..1."""
    from sklearn.datasets import load_digits

    x, classes = load_digits(return_X_y=True)
    return x / 16, classes


def blurred_centres() -> Rows:
    """60 000 rows of 784 numbers in ten overlapping classes: as large as the digits everybody downloads."""
    rng = np.random.default_rng(7)
    centres, classes = rng.random((10, 784), np.float32), rng.integers(0, 10, 60_000)
    x = rng.random((60_000, 784), np.float32)
    x += 0.1 * centres[classes]
    return x, classes


def bent_plane() -> Rows:
    rng = np.random.default_rng(9)
    x = rng.standard_normal((20_000, 256), np.float32)
    return x, np.tanh(x @ rng.standard_normal((256, 256), np.float32) / 16)


def exponentials() -> Rows:
    """2 x 2 matrices of normal numbers and their matrix exponentials, row by row: the example of SimpleChains.jl."""
    x = np.random.default_rng(10).standard_normal((10_000, 4))
    middle = (x[:, 0] + x[:, 3]) / 2
    rest = x - np.outer(middle, [1, 0, 0, 1])  # of trace 0: its square is a multiple of the identity
    root = np.sqrt((rest[:, 0] ** 2 + rest[:, 1] * rest[:, 2]).astype(complex))
    cosine, sine = np.cosh(root).real, np.where(root == 0, 1, np.sinh(root) / np.where(root == 0, 1, root)).real
    return x, np.exp(middle)[:, None] * (np.outer(cosine, [1, 0, 0, 1]) + sine[:, None] * rest)


def five_classes() -> Rows:
    """Which of five weighted sums of ten numbers is the largest?"""
    rng = np.random.default_rng(11)
    x = rng.standard_normal((10_000, 10))
    return x, (x @ rng.standard_normal((10, 5))).argmax(axis=1)


_FIVE: dict[str, Any] = {"inputs": 5, "batch_size": 32, "epochs": 150, "validation_rows": 50}
_WIDE: dict[str, Any] = {
    "rows": blurred_centres,
    "inputs": 784,
    "loss": "categorical_crossentropy",
    "optimizer": "adam",
    "batch_size": 128,
}

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "T1",
            sum_of_five,
            units=(20, 2),
            activations=("relu", "softmax"),
            loss="categorical_crossentropy",
            optimizer="rmsprop",
            **_FIVE,
        ),
        Task(
            "T2",
            sum_of_five_signs,
            units=(20, 1),
            activations=("tanh", "tanh"),
            loss="hinge",
            optimizer="adam",
            **_FIVE,
        ),
        Task("T3", noisy_step, 2, (1,), ("sigmoid",), "binary_crossentropy", "sgd", 32, 20),
        Task("T4", two_squares, 2, (2, 1), ("sigmoid", "sigmoid"), "binary_crossentropy", "rmsprop", 32, 50),
        Task(
            "T6",
            digits,
            64,
            (64, 32, 10),
            ("relu", "relu", "softmax"),
            "categorical_crossentropy",
            "adam",
            32,
            30,
            needs="sklearn",
        ),
        Task("T7", units=(128, 10), activations=("relu", "softmax"), epochs=2, **_WIDE),
        Task("T8", units=(512, 512, 10), activations=("relu", "relu", "softmax"), epochs=1, **_WIDE),
        Task(
            "T9", bent_plane, 256, (1024, 1024, 256), ("relu", "relu", "linear"), "mean_squared_error", "adam", 256, 1
        ),
        # keras-team/keras#10096: seconds with one release of a backend, minutes with the next.
        Task(
            "KI",
            five_classes,
            10,
            (10, 5),
            ("relu", "softmax"),
            "categorical_crossentropy",
            "adam",
            50,
            10,
        ),
        # All rows in one batch: SimpleChains.jl's published net, and what FANN can do (see peers/fann_peer.py).
        Task(
            "SC",
            exponentials,
            4,
            (32, 16, 4),
            ("tanh", "tanh", "linear"),
            "mean_squared_error",
            "adam",
            10_000,
            100,
            full_batch=True,
        ),
        Task(
            "FB", two_squares, 2, (2, 1), ("sigmoid", "sigmoid"), "mean_squared_error", "sgd", 400, 500, full_batch=True
        ),
    )
}
DEFAULT = ("T1", "T4", "T6")


def in_brief(task: Task) -> Task:
    """The same work on a tenth of the epochs or, where there are few, on fifty batches: to try settings on."""
    return replace(task, epochs=-(-task.epochs // 10), limit=None if task.epochs >= 10 else 50 * task.batch_size)


def available(task: Task) -> bool:
    """Whether the module the rows come from is installed."""
    return not task.needs or find_spec(task.needs) is not None


@lru_cache(maxsize=2)
def _arrays(rows: Callable[[], Rows], one_hot: int, validation_rows: int) -> Data:
    x, labels = rows()
    x = np.ascontiguousarray(x, np.float32)
    y = np.eye(one_hot, dtype=np.float32)[labels] if one_hot else labels.reshape(len(x), -1).astype(np.float32)
    classes = labels.astype(np.int64) if labels.ndim == 1 else np.zeros(len(x), np.int64)
    n = len(x) - validation_rows
    return Data(x[:n], y[:n], classes[:n], x[n:], y[n:], classes[n:])


def data(task: Task) -> Data:
    """The rows of a task; every peer gets the same arrays and must not write to them."""
    rows = _arrays(task.rows, task.units[-1] if task.loss == "categorical_crossentropy" else 0, task.validation_rows)
    return Data(*(a[: task.limit] for a in rows[:3]), *rows[3:])


def start(task: Task) -> list[Array]:
    """Kernel, bias, kernel, bias, ...: Glorot's uniform kernels and zeros, the same for every peer that takes them."""
    rng = np.random.default_rng(len(task.units))
    tensors: list[Array] = []
    for inputs, units in zip(task.widths, task.units, strict=False):
        limit = (6 / (inputs + units)) ** 0.5
        tensors += [rng.uniform(-limit, limit, (inputs, units)).astype(np.float32), np.zeros(units, np.float32)]
    return tensors
