"""What training takes of memory is what `Model.fit` says, and calls leave nothing behind."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.threads import get_num_threads

STATUS = Path("/proc/self/status")
pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="resident memory is asked for as Linux has it")


def kilobytes(field: str) -> int:
    return next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(field))


def padded(n: int) -> int:
    return -(-n // 16) * 16


def bytes_of_fit(widths: list[int], slots: int, batch_size: int, rows: int) -> int:
    """The formula of `Model.fit`, float32."""
    kernels = sum((inputs + 1) * padded(units) for inputs, units in pairwise(widths))
    return 4 * (kernels * (2 + slots) + batch_size * 4 * sum(map(padded, widths)) * get_num_threads() + rows)


def growth_of_fit(widths: list[int], rows: int, batch_size: int, optimizer: str, options: dict[str, Any]) -> int:
    """Kilobytes a fit takes at its peak above what is there before the model is made; for a process of its own."""

    def model(widths: list[int]) -> Sequential:
        made = Sequential([Dense(units, activation="relu") for units in widths[1:]], seed=1)
        made.compile(optimizer, "mse")
        return made

    small = np.zeros((64, 3), np.float32)
    model([3, 40, 2]).fit(small, small[:, :2], epochs=2, verbose=0, **options)  # whatever is loaded once
    x, y = (np.full((rows, width), 0.25, np.float32) for width in (widths[0], widths[-1]))
    before = kilobytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    model(widths).fit(x, y, batch_size=batch_size, verbose=0, **options)
    return kilobytes("VmHWM") - before


@pytest.mark.parametrize("options", [{}, {"validation_split": 0.25}, {"shuffle": False}], ids=str)
@pytest.mark.parametrize(
    ("widths", "rows", "batch_size", "optimizer"),
    [
        ([64, 16, 4], 200_000, 32, "sgd"),  # the rows are all but everything
        ([64, 256, 256, 64], 100_000, 512, "adam"),  # parameters, their slots and the workspace count too
    ],
    ids=["rows", "parameters"],
)
def test_fit_takes_no_more_than_it_says(
    widths: list[int], rows: int, batch_size: int, optimizer: str, options: dict[str, Any]
) -> None:
    """A copy of the rows, which are used in place, would be several times as much."""
    slots = {"sgd": 0, "adam": 2}[optimizer]
    argument = json.dumps([widths, rows, batch_size, optimizer, options])
    done = subprocess.run([sys.executable, __file__, argument], capture_output=True, text=True, check=True)
    taken, stated = 1024 * int(done.stdout), bytes_of_fit(widths, slots, batch_size, rows)
    allowance = 2_000_000  # Python's own objects, history, and whole pages
    assert taken <= stated + allowance
    assert stated + allowance < 4 * rows * (widths[0] + widths[-1]) / 2


def small_model() -> Sequential:
    model = Sequential([Dense(20, activation="relu", input_dim=5), Dense(2, activation="softmax")], seed=1)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def calls() -> dict[str, tuple[Callable[[], object], int]]:
    """Calls by name, and how often each is repeated."""
    model, x, y = small_model(), np.full((32, 5), 0.25, np.float32), np.eye(2, dtype=np.float32)[np.arange(32) % 2]
    return {
        "predict": (lambda: model.predict(x[:1], verbose=0), 20_000),
        "train_on_batch": (lambda: model.train_on_batch(x, y), 5_000),
        "fit": (lambda: model.fit(x, y, epochs=2, verbose=0), 1_000),
        "evaluate": (lambda: model.evaluate(x, y, verbose=0), 2_000),
        "new model": (lambda: small_model().fit(x, y, verbose=0), 300),
    }


def repeat(call: Callable[[], object], count: int) -> None:
    for _ in range(count):
        call()
    gc.collect()


@pytest.mark.parametrize("name", calls())
def test_calls_leave_nothing_behind(name: str) -> None:
    """Neither Python objects nor blocks of the engine: 64 bytes a call would be seen in both."""
    call, count = calls()[name]
    repeat(call, count // 10)
    resident = kilobytes("VmRSS")
    repeat(call, count)
    resident = kilobytes("VmRSS") - resident
    tracemalloc.start()
    try:
        repeat(call, count // 10)
        held = tracemalloc.get_traced_memory()[0]
        repeat(call, count // 10)
        held = tracemalloc.get_traced_memory()[0] - held
    finally:
        tracemalloc.stop()
    assert held < 32 * (count // 10) + 4_000
    assert 1024 * resident < 64 * count + 200_000


if __name__ == "__main__":
    print(growth_of_fit(*json.loads(sys.argv[1])))
