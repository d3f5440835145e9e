"""The data sets scikit-learn ships, as PyTorch in golden/make_real_data.py and nnlite in test_real_data.py see them:
for each seed the same rows to train on and the same to be judged by, and the same net."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SEEDS = range(10)


class Task(NamedTuple):
    """A net for a data set, and how it is trained with Adam."""

    hidden: tuple[int, ...]
    activation: str
    outputs: int  # 1: a sigmoid; more: a softmax
    learning_rate: float
    batch_size: int
    epochs: int


TASKS = {
    "iris": Task((16,), "relu", 3, 0.01, 16, 60),
    "wine": Task((16,), "tanh", 3, 0.01, 16, 30),
    "breast_cancer": Task((16,), "relu", 1, 0.001, 32, 50),
    "digits": Task((64, 32), "relu", 10, 0.001, 32, 20),
}


class Split(NamedTuple):
    """Rows to train on, four fifths of all, and rows to be judged by."""

    x: Array
    y: Array
    x_test: Array
    y_test: Array


def split(name: str, seed: int) -> Split:
    """Return the rows of a data set in the order of `seed`, standardized by mean and deviation of those to train on:
    of each column, but of all pixels together, some of which are the same in all those rows."""
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = x[order], y[order]
    cut = len(x) * 4 // 5
    axis = None if name == "digits" else 0
    x = ((x - x[:cut].mean(axis=axis)) / x[:cut].std(axis=axis)).astype(np.float32)
    return Split(x[:cut], y[:cut], x[cut:], y[cut:])
