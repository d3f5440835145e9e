"""A task in every peer: results checked, the best setting of each found, fits in turn, the table of what came out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from machine import Peak
from peers import Peer
from programs import Program
from tasks import Score, Task, data, in_brief
from timing import Spread, Time, Turn, cpu_of, interleave, spread, turn_of_fits, wall_of

Competitor = Peer | Program

# A peer must agree with nnlite before the clock starts: |difference| <= relative * nnlite's + absolute, for loss and
# accuracy. Which band holds is what the peer says of the task in `differs`.
BANDS = {
    # The same numbers but for rounding.
    "rounding": {"loss": (1e-4, 0.0), "accuracy": (0.0, 0.005)},
    # Rounding that grows in the course of a fit.
    "growing": {"loss": (2e-3, 0.0), "accuracy": (0.0, 0.015)},
    # Rounding that grows; accuracy is taken at the end instead of while the last epoch ran, so loss alone can tell.
    "afterwards": {"loss": (2e-3, 0.0)},
    # Epsilon elsewhere: beside Adam's corrected second moment, inside RMSprop's root; matters where gradients are tiny.
    "epsilon": {"loss": (0.04, 0.0), "accuracy": (0.0, 0.005)},
    # Weights of its own to start from, or a relative of the optimizer: the same kind of result.
    "start": {"loss": (0.35, 0.05), "accuracy": (0.0, 0.15)},
    # The same, and it may not tell an accuracy.
    "program": {"loss": (0.35, 0.05)},
}


@dataclass
class Result:
    peer: str
    version: str
    choice: str
    note: str
    score: Score  # of the fit with the rows in order, by which it was checked
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
    refused: dict[str, str]  # a sentence about each peer that learns something else: it is not timed
    peaks: dict[int, float]  # GFLOP/s of fused multiply-adds, the most of any turn, by threads, of wide tasks

    def ratio(self, peer: str) -> float:
        """To nnlite, of the medians by the clock."""
        return self.results[peer].wall.middle / self.results["nnlite"].wall.middle

    def cpu_ratio(self, peer: str) -> float:
        """To nnlite, of the medians of CPU time."""
        return self.results[peer].cpu.middle / self.results["nnlite"].cpu.middle

    def share(self, peer: str) -> float | None:
        """Of the peak of as many threads as it was given: the operations of the dense products over all the time."""
        result = self.results[peer]
        peak = self.peaks.get(threads_of(result.choice))
        operations = self.task.operations * len(data(self.task).x) * self.task.epochs
        return operations / result.wall.middle / 1e9 / peak if peak else None


def threads_of(choice: str) -> int:
    return int(choice[0]) if "thread" in choice and choice[0].isdigit() else 0


def disagreement(name: str, score: Score, reference: Score, band: dict[str, tuple[float, float]]) -> str:
    """A sentence, or nothing."""
    for what, (relative, absolute) in band.items():
        value, wanted = getattr(score, what), getattr(reference, what)
        allowed = relative * abs(wanted) + absolute
        if not (abs(value - wanted) <= allowed or (what == "accuracy" and math.isnan(value) and math.isnan(wanted))):
            return f"{name} ends with {what} {value:.6f}, nnlite with {wanted:.6f}: they may differ by {allowed:.6f}"
    return ""


def check(task: Task, peers: Mapping[str, Competitor]) -> tuple[dict[str, Score], dict[str, str]]:
    """Scores of all, and sentences about those that disagree with nnlite, by peer. All start from the same weights, if
    they can be given any, and go through the rows in order. Tasks of few epochs do so in brief: in wide nets a rounding
    error now and then moves a row across the edge of a relu, and after hundreds of steps that is another path.
    """
    ordered = replace(task if task.epochs >= 10 else in_brief(task), shuffle=False)
    scores = {name: peer.prepare(ordered, peer.choices(task)[0])() for name, peer in peers.items()}
    found = {
        name: disagreement(peer.NAME, scores[name], scores["nnlite"], BANDS[peer.differs(task)])
        for name, peer in peers.items()
    }
    return scores, {name: sentence for name, sentence in found.items() if sentence}


def best_choice(task: Task, peer: Competitor) -> str:
    """The fastest setting in brief. Some are hopeless (two threads where cores are busy): those get one turn."""
    choices = peer.choices(task)
    if len(choices) == 1:
        return choices[0]
    turns = {c: turn_of_fits(partial(peer.prepare, in_brief(task), c), turn_seconds=0.05) for c in choices}
    first = {choice: times[0].wall for choice, times in interleave(turns, 1).items()}
    close = {choice: turns[choice] for choice in choices if first[choice] < 2 * min(first.values())}
    again = {choice: times[0].wall for choice, times in interleave(close, 1).items()}
    return min(close, key=lambda choice: min(first[choice], again[choice]))


def compare(
    task: Task, peers: Mapping[str, Competitor], rounds: int = 5, programs: Iterable[Program] = ()
) -> Comparison:
    """Times all that can express the task and agree with nnlite: nnlite as it comes and with its other settings, and
    the others with their best. Programs beside the peers are for their tasks alone.
    """
    entrants: dict[str, Competitor] = {name: peer for name, peer in peers.items() if peer.choices(task)}
    entrants |= {f"program {i}": program for i, program in enumerate(programs, 1) if program.choices(task)}
    scores, refused = check(task, entrants)
    as_it_comes = entrants["nnlite"].choices(task)[0]  # with as many threads as the engine finds worth while
    own = {"nnlite": as_it_comes}
    best = own | {name: best_choice(task, peer) for name, peer in entrants.items() if name not in refused | own}
    starters = {name: (entrants[name], choice) for name, choice in best.items()}
    for choice in entrants["nnlite"].choices(task):
        if choice != best["nnlite"]:
            starters[f"nnlite, {choice}"] = entrants["nnlite"], choice
            scores[f"nnlite, {choice}"] = scores["nnlite"]
    turns: dict[str, Turn] = {
        name: peer.turn(task) if isinstance(peer, Program) else turn_of_fits(partial(peer.prepare, task, choice))
        for name, (peer, choice) in starters.items()
    }
    peaks = {}
    if task.wide and Peak.available():
        wanted = {threads_of(choice) for name, (_, choice) in starters.items() if name.startswith("nnlite")}
        peaks = {f"peak, {threads}": Peak(threads) for threads in wanted}
    taken = interleave(turns | peaks, rounds)
    results = {
        name: Result(
            peer.NAME,
            peer.version(),
            choice,
            peer.note(task),
            scores[name],
            taken[name],
            [t.wall / own.wall for t, own in zip(taken[name], taken["nnlite"], strict=True)],
        )
        for name, (peer, choice) in starters.items()
    }
    highest = {peak.threads: max(peak.gflops) for peak in peaks.values()}  # a neighbour's work makes no peak lower
    return Comparison(task, task.steps, results, refused, highest)


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
        if (share := comparison.share(name)) is not None:
            how += f"; {share:.0%} of the peak of {comparison.peaks[threads_of(result.choice)]:.0f} GFLOP/s"
        lines.append(f"  {result.peer:15}{times}{factors}{result.score.loss:9.4f}{result.score.accuracy:9.3f}  {how}")
    lines += [f"  refused: {sentence}" for sentence in comparison.refused.values()]
    return "\n".join(lines)


def rounded(value: float | None) -> float | None:
    """Five digits: more say nothing."""
    return None if value is None or math.isnan(value) else float(f"{value:.5g}")


def record(comparison: Comparison) -> dict[str, Any]:
    """What the JSON file holds of a task: seconds of whole fits, every round and the medians."""
    c = comparison
    peers = {
        name: {
            "name": result.peer,
            "choice": result.choice,
            "note": result.note,
            "loss": rounded(result.score.loss),
            "accuracy": rounded(result.score.accuracy),
            "microseconds_per_step": rounded(1e6 * result.wall.middle / c.steps),
            "ratio": rounded(c.ratio(name)),
            "ratio_quartiles": [rounded(spread(result.ratios).low), rounded(spread(result.ratios).high)],
            "cpu_ratio": rounded(c.cpu_ratio(name)),
            "share_of_peak": rounded(c.share(name)),
            "seconds": [rounded(t.wall) for t in result.times],
            "cpu_seconds": [rounded(t.cpu) for t in result.times],
        }
        for name, result in c.results.items()
    }
    head = {"task": str(c.task), "epochs": c.task.epochs, "steps": c.steps, "refused": c.refused}
    return head | {"peak_gflops": {str(k): rounded(v) for k, v in c.peaks.items()}, "peers": peers}
