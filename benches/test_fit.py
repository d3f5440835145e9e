"""Whole fits beside other libraries: python -m pytest benches/test_fit.py [--tasks T1,T7 or all] [-k "T7 and torch"]"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from compare import Comparison
from conftest import FOUND, replay
from tasks import TASKS

PAIRS = [(name, peer) for name, task in TASKS.items() for peer in FOUND if FOUND[peer].choices(task)]


@pytest.mark.benchmark(timer=replay)
@pytest.mark.parametrize(("task", "peer"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_fit(task: str, peer: str, compared: Callable[[str], Comparison], benchmark: Any) -> None:
    """Fails if the peer's loss or accuracy is not nnlite's within the bands of compare.py."""
    comparison = compared(task)
    assert peer not in comparison.refused, comparison.refused[peer]
    result = comparison.results[peer]
    benchmark.group = f"fit {TASKS[task]}"
    benchmark.extra_info |= {
        "version": result.version,
        "choice": result.choice,
        "note": result.note,
        "loss": result.score.loss,
        "accuracy": result.score.accuracy,
        "microseconds_per_step": 1e6 * result.wall.middle / comparison.steps,
        "ratio": comparison.ratio(peer),
        "cpu_ratio": comparison.cpu_ratio(peer),
    }
    benchmark.pedantic(replay.of(result.times), rounds=len(result.times))
