"""A task in every peer: results checked, the best setting of each found, fits in turn, the table of what came out."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from peers import Peer, fit
from tasks import Score, Task
from timing import Spread, Time, cpu_of, interleave, spread, turn_of_fits, wall_of

# A peer must agree with nnlite before the clock starts: |difference| <= relative * nnlite's + absolute, for loss and
# accuracy. Which band holds is what the peer says of the task in `differs`.
BANDS = {
    # The same numbers but for rounding.
    "rounding": {"loss": (1e-4, 0.0), "accuracy": (0.0, 0.005)},
    # Rounding that grows in the course of a fit.
    "growing": {"loss": (2e-3, 0.0), "accuracy": (0.0, 0.005)},
    # Adam with epsilon beside the corrected second moment: larger steps where gradients are tiny.
    "epsilon": {"loss": (0.04, 0.0), "accuracy": (0.0, 0.005)},
    # Weights of its own to start from, or a relative of the optimizer: the same kind of result.
    "start": {"loss": (0.35, 0.05), "accuracy": (0.0, 0.15)},
}


@dataclass
class Result:
    peer: str
    version: str
    choice: str
    note: str
    score: Score
    times: list[Time]  # of a fit, one a round
    ratios: list[float]  # to nnlite by the clock, round by round

    @property
    def wall(self) -> Spread:
        return spread(wall_of(self.times))

    @property
    def cpu(self) -> Spread:
        return spread(cpu_of(self.times))


@dataclass
class Comparison:
    task: Task
    steps: int
    results: dict[str, Result]

    def ratio(self, peer: str) -> float:
        """To nnlite, of the medians by the clock."""
        return self.results[peer].wall.middle / self.results["nnlite"].wall.middle

    def cpu_ratio(self, peer: str) -> float:
        """To nnlite, of the medians of CPU time."""
        return self.results[peer].cpu.middle / self.results["nnlite"].cpu.middle


def disagreement(name: str, score: Score, reference: Score, band: dict[str, tuple[float, float]]) -> str:
    """A sentence, or nothing."""
    for what, (relative, absolute) in band.items():
        value, wanted = getattr(score, what), getattr(reference, what)
        allowed = relative * abs(wanted) + absolute
        if not (abs(value - wanted) <= allowed or (what == "accuracy" and math.isnan(value) and math.isnan(wanted))):
            return f"{name} ends with {what} {value:.6f}, nnlite with {wanted:.6f}: they may differ by {allowed:.6f}"
    return ""


def check(task: Task, peers: dict[str, Peer]) -> dict[str, str]:
    """Sentences about those that disagree with nnlite, by peer. All start from the same weights, if they can be given
    any, and go through the rows in order.
    """
    ordered = replace(task, shuffle=False)
    reference = fit(peers["nnlite"], ordered)
    found = {}
    for name, peer in peers.items():
        if peer.choices(task):
            score = fit(peer, ordered)
            found[name] = disagreement(peer.NAME, score, reference, BANDS[peer.differs(task)])
    return {name: sentence for name, sentence in found.items() if sentence}


def best_choice(task: Task, peer: Peer) -> str:
    """The fastest setting over a tenth of the epochs: some are hopeless where cores are busy (two threads)."""
    choices = peer.choices(task)
    if len(choices) == 1:
        return choices[0]
    short = replace(task, epochs=-(-task.epochs // 10))
    turns = {choice: turn_of_fits(partial(peer.prepare, short, choice), turn_seconds=0.05) for choice in choices}
    taken = interleave(turns, 2)
    return min(choices, key=lambda choice: min(wall_of(taken[choice])))


def compare(task: Task, peers: dict[str, Peer], rounds: int = 5) -> Comparison:
    """Times all peers that can express the task. Raises AssertionError if one does not agree with nnlite."""
    wrong = check(task, peers)
    assert not wrong, f"{task.name}: " + "; ".join(wrong.values())
    able = {name: peer for name, peer in peers.items() if peer.choices(task)}
    best = {name: best_choice(task, peer) for name, peer in able.items()}
    scores = {name: peer.prepare(task, best[name])() for name, peer in able.items()}
    turns = {name: turn_of_fits(partial(peer.prepare, task, best[name])) for name, peer in able.items()}
    taken = interleave(turns, rounds)
    results = {
        name: Result(
            peer.NAME,
            peer.version(),
            best[name],
            peer.note(task),
            scores[name],
            taken[name],
            [t.wall / own.wall for t, own in zip(taken[name], taken["nnlite"], strict=True)],
        )
        for name, peer in able.items()
    }
    return Comparison(task, task.steps, results)


def table(comparison: Comparison) -> str:
    task = comparison.task
    lines = [f"{task}: {task.epochs} epochs, {comparison.steps} steps"]
    heading = f"  {'':15}{'µs/step':>10}{'quartiles':>19}{'ratio':>10}{'quartiles':>19}{'CPU µs':>10}{'ratio':>9}"
    heading += f"{'loss':>9}{'accuracy':>9}  how"
    lines.append(heading)
    for name, result in comparison.results.items():
        low, middle, high = (1e6 * t / comparison.steps for t in result.wall)
        ratios = spread(result.ratios)
        how = "; ".join(part for part in (result.choice, result.note) if part)
        times = f"{middle:10.3f}{low:9.3f} -{high:8.3f}"
        factors = f"{comparison.ratio(name):10.2f}{ratios.low:9.2f} -{ratios.high:8.2f}"
        factors += f"{1e6 * result.cpu.middle / comparison.steps:10.3f}{comparison.cpu_ratio(name):9.2f}"
        lines.append(f"  {result.peer:15}{times}{factors}{result.score.loss:9.4f}{result.score.accuracy:9.3f}  {how}")
    return "\n".join(lines)


def processor() -> str:
    """The model of the CPU, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine() -> dict[str, Any]:
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def record(comparisons: Iterable[Comparison]) -> dict[str, Any]:
    """What the JSON file holds: seconds of whole fits, medians and quartiles, and every round."""
    comparisons = list(comparisons)
    versions = {name: result.version for c in comparisons for name, result in c.results.items()}
    tasks = {}
    for c in comparisons:
        tasks[c.task.name] = {"task": str(c.task), "epochs": c.task.epochs, "steps": c.steps, "peers": {}}
        for name, result in c.results.items():
            loss, accuracy = (None if math.isnan(v) else v for v in result.score)
            tasks[c.task.name]["peers"][name] = {
                "choice": result.choice,
                "note": result.note,
                "loss": loss,
                "accuracy": accuracy,
                "seconds": result.wall._asdict(),
                "cpu_seconds": result.cpu._asdict(),
                "microseconds_per_step": 1e6 * result.wall.middle / c.steps,
                "ratio": c.ratio(name),
                "ratio_quartiles": spread(result.ratios)._asdict(),
                "cpu_ratio": c.cpu_ratio(name),
                "rounds": result.times,
            }
    return {"machine": machine(), "versions": versions, "tasks": tasks}
