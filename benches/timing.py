"""How times are taken: everyone in turn, several rounds, so that a slow minute of a shared machine hits all alike.

A turn is long enough for a busy machine to interrupt it, and its figure is a mean. The median of short calls would pass
between the interruptions that a long call cannot escape, and make the short one look faster than it is.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median, quantiles
from typing import Any, NamedTuple

TURN = 0.2  # seconds, at least
PAUSE = 0.05  # before each turn: the last one's pool of threads stops spinning


class Time(NamedTuple):
    """Seconds of one call: by the clock, and of all cores together. Without threads the second is what the first would
    be on a machine that does nothing else.
    """

    wall: float
    cpu: float


Turn = Callable[[], Time]
Ready = Callable[[], Callable[[], Any]]


class Spread(NamedTuple):
    """Lower quartile, median, upper quartile."""

    low: float
    middle: float
    high: float


def spread(values: list[float]) -> Spread:
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(low, median(values), high)


def wall_of(times: list[Time]) -> list[float]:
    return [t.wall for t in times]


def cpu_of(times: list[Time]) -> list[float]:
    return [t.cpu for t in times]


def timed(call: Callable[[], Any], count: int = 1, cpu_clock: Callable[[], float] = time.process_time) -> Time:
    """Time of a call, the mean of `count` in a row, without the garbage collector."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        cpu, wall = cpu_clock(), time.perf_counter()
        for _ in range(count):
            call()
        return Time((time.perf_counter() - wall) / count, (cpu_clock() - cpu) / count)
    finally:
        if was_on:
            gc.enable()


def turn_of_fits(ready: Ready, turn_seconds: float = TURN) -> Turn:
    """`ready` returns something to be called once, and is not timed: a fresh model, say."""

    def turn() -> Time:
        wall = cpu = 0.0
        count = 0
        while wall < turn_seconds and count < 1000:
            one = timed(ready())
            wall, cpu, count = wall + one.wall, cpu + one.cpu, count + 1
        return Time(wall / count, cpu / count)

    return turn


def turn_of_calls(call: Callable[[], Any], turn_seconds: float = TURN) -> Turn:
    """For calls that may be repeated."""
    call()
    count = 1
    while (taken := timed(call, count).wall) * count < turn_seconds / 100:
        count *= 4
    count = max(1, round(turn_seconds / taken))
    return lambda: timed(call, count)


def interleave(turns: Mapping[str, Turn], rounds: int) -> dict[str, list[Time]]:
    """Times by name, one a round; the order moves on by one each round."""
    taken: dict[str, list[Time]] = {name: [] for name in turns}
    names = list(turns)
    for i in range(rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            gc.collect()
            time.sleep(PAUSE)
            taken[name].append(turns[name]())
    return taken


class Replay:
    """A clock for pytest-benchmark that shows times taken before: its statistics and files get the figures taken in
    turn.
    """

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def of(self, times: list[Time]) -> Callable[[], None]:
        """A function that lets the clock advance by the next of the times at each call, and begins again after all."""
        calls = 0

        def advance() -> None:
            nonlocal calls
            self.now += times[calls % len(times)].wall
            calls += 1

        return advance
