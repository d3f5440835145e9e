"""What one call costs, argument handling included: prediction, a short fit, one batch, a new model, the import."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from conftest import FOUND, replay
from peers import nnlite_peer
from tasks import TASKS, data
from timing import Time, Turn, cpu_of, spread, timed, turn_of_calls, turn_of_fits


def fit_one_epoch() -> Turn:
    """The public fit, whole call, 400 rows in batches of 32, on a model that has been fitted before."""
    model, rows = nnlite_peer.model_of(TASKS["T4"]), data(TASKS["T4"])
    return turn_of_calls(lambda: model.fit(rows.x, rows.y, epochs=1, batch_size=32, verbose=0))


def evaluate_400_rows() -> Turn:
    model, rows = nnlite_peer.model_of(TASKS["T4"]), data(TASKS["T4"])
    return turn_of_calls(lambda: model.evaluate(rows.x, rows.y, verbose=0))


def train_on_batch() -> Turn:
    model, rows = nnlite_peer.model_of(TASKS["T4"]), data(TASKS["T4"])
    x, y = rows.x[:32], rows.y[:32]
    return turn_of_calls(lambda: model.train_on_batch(x, y))


def new_model() -> Turn:
    """Construct two layers, compile, and make the weights."""
    return turn_of_calls(lambda: nnlite_peer.model_of(TASKS["T4"]).get_weights())


def new_model_and_first_fit() -> Turn:
    """The first fit of a fresh model makes the engine's model and workspace; construction itself is not in it."""
    rows = data(TASKS["T4"])

    def ready() -> Callable[[], Any]:
        model = nnlite_peer.model_of(TASKS["T4"])
        return lambda: model.fit(rows.x, rows.y, epochs=1, batch_size=32, verbose=0)

    return turn_of_fits(ready)


CALLS = {
    "fit of 1 epoch, 400 rows": fit_one_epoch,
    "first fit of 1 epoch": new_model_and_first_fit,
    "train_on_batch, 32 rows": train_on_batch,
    "evaluate, 400 rows": evaluate_400_rows,
    "new model": new_model,
}


@pytest.mark.benchmark(timer=replay, group="calls of nnlite, net of T4")
@pytest.mark.parametrize("call", CALLS)
def test_call(call: str, in_turn: Callable[..., dict[str, list[Time]]], benchmark: Any) -> None:
    taken = in_turn("calls of nnlite, net of T4", CALLS)[call]
    benchmark.pedantic(replay.of(taken), rounds=len(taken))


PREDICTIONS = {"1 row of T1": ("T1", 1), "100 000 rows of T1": ("T1", 100_000), "60 000 rows of T7": ("T7", 60_000)}
PAIRS = [
    (task, peer, what) for what, (task, _) in PREDICTIONS.items() for peer in FOUND if FOUND[peer].choices(TASKS[task])
]


@pytest.mark.benchmark(timer=replay)
@pytest.mark.parametrize(("task", "peer", "what"), PAIRS, ids=[f"{what}-{peer}" for _, peer, what in PAIRS])
def test_predict(
    task: str, peer: str, what: str, in_turn: Callable[..., dict[str, list[Time]]], benchmark: Any
) -> None:
    rows = PREDICTIONS[what][1]
    x = np.resize(data(TASKS[task]).x, (rows, TASKS[task].inputs))

    def turn_of(name: str) -> Callable[[], Turn]:
        def make() -> Turn:
            predict = FOUND[name].predictor(TASKS[task])
            p = predict(x)
            assert len(p) == rows and np.allclose(p.sum(axis=1), 1, atol=1e-5)
            return turn_of_calls(lambda: predict(x))

        return make

    able = [name for name in FOUND if FOUND[name].choices(TASKS[task])]
    taken = in_turn(f"predict {what}", {name: turn_of(name) for name in able})[peer]
    benchmark.group = f"predict {what}"
    benchmark.pedantic(replay.of(taken), rounds=len(taken))


IMPORTS = ("numpy", "numpy, nnlite")


def cpu_of_children() -> float:
    """Seconds of the processes that were started and have ended."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.skipif(sys.platform == "win32", reason="the CPU time of children is asked for as Unix has it")
@pytest.mark.benchmark(timer=replay, group="import in a new process")
@pytest.mark.parametrize("modules", IMPORTS)
def test_import(
    modules: str,
    in_turn: Callable[..., dict[str, list[Time]]],
    benchmark: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What nnlite adds to a new process that imports NumPy. Bytecode is cached, as after an installation, in a folder
    of the bench's own: whether the environment lets Python write any does not matter.
    """
    environment = dict(os.environ, PYTHONPYCACHEPREFIX=str(tmp_path_factory.getbasetemp() / "bytecode"))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def turn_of(names: str) -> Turn:
        def start() -> None:
            subprocess.run([sys.executable, "-c", f"import {names}"], check=True, env=environment)

        start()
        return lambda: timed(start, 5, cpu_of_children)

    taken = in_turn("import in a new process", {names: partial(turn_of, names) for names in IMPORTS})
    own, base = (spread(cpu_of(taken[names])).middle for names in (modules, "numpy"))
    benchmark.extra_info["cpu_milliseconds_beyond_numpy"] = 1e3 * (own - base)
    benchmark.pedantic(replay.of(taken[modules]), rounds=len(taken[modules]))
