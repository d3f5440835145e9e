"""What one call costs, argument handling included: prediction, a short fit, one batch, a new model, the import."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from calls import CALLS, PREDICTIONS, predictions
from conftest import FOUND, replay
from timing import Time, Turn, cpu_of, spread, timed


@pytest.mark.benchmark(timer=replay, group="calls of nnlite, net of T4")
@pytest.mark.parametrize("call", CALLS)
def test_call(call: str, in_turn: Callable[..., dict[str, list[Time]]], benchmark: Any) -> None:
    taken = in_turn("calls of nnlite, net of T4", CALLS)[call]
    benchmark.pedantic(replay.of(taken), rounds=len(taken))


PAIRS = [(what, name) for what in PREDICTIONS for name in predictions(FOUND, what)]


@pytest.mark.benchmark(timer=replay)
@pytest.mark.parametrize(("what", "peer"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_predict(what: str, peer: str, in_turn: Callable[..., dict[str, list[Time]]], benchmark: Any) -> None:
    taken = in_turn(f"predict {what}", predictions(FOUND, what))[peer]
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
