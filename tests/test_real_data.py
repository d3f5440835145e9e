"""On real data nnlite gets as much right as PyTorch: tests/golden/real_data.json, written by make_real_data.py.

Compared are the means of the accuracies on held-out rows over ten seeds, which choose rows, initial weights and order.
They must lie within one standard error of their difference, the root of the sum of both variances (of ten values, over
n - 1) divided by ten. Both see the same rows, so that most of what the seeds change is common to both.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from real_data import SEEDS, TASKS, Split, Task, split

from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.optimizers import Adam

GOLDEN = json.loads((Path(__file__).parent / "golden" / "real_data.json").read_text())


def accuracy(task: Task, data: Split, seed: int) -> float:
    model = Sequential([Dense(units, task.activation) for units in task.hidden], seed=seed)
    model.add(Dense(task.outputs, "sigmoid" if task.outputs == 1 else "softmax"))
    loss = "binary_crossentropy" if task.outputs == 1 else "sparse_categorical_crossentropy"
    model.compile(Adam(task.learning_rate), loss)
    model.fit(data.x, data.y, task.batch_size, task.epochs, verbose=0)
    return float(np.mean(model.predict_classes(data.x_test).ravel() == data.y_test))


@pytest.mark.parametrize("name", TASKS)
def test_as_accurate_as_pytorch(name: str) -> None:
    pytest.importorskip("sklearn")
    ours = [accuracy(TASKS[name], split(name, seed), seed) for seed in SEEDS]
    theirs = GOLDEN[name]
    assert len(theirs) == len(ours) == 10
    standard_error = np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / 10)
    assert abs(np.mean(ours) - np.mean(theirs)) <= standard_error, (ours, theirs)
