"""The lines of Keras 3's progress: a thin bar of steps between colour codes, which are written off a terminal too."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from nnlite.progress_lines import remaining, shown

WIDTH = 20
_BOLD, _GREEN, _WHITE, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


@lru_cache  # for a full bar ends every epoch
def bar(current: int, target: int, width: int = WIDTH) -> str:
    """Return the count and the bar: the part done in green, the rest in white."""
    filled = int(width * current / target)
    done = f"{_GREEN}{'━' * filled}{_PLAIN}" if filled else ""
    count = f"{current:{len(str(target))}d}/{target}"
    return f"{_BOLD}{count}{_PLAIN} {done}{_WHITE}{'━' * (width - filled)}{_PLAIN}"


def per_step(seconds: float, units: int) -> str:
    """Return the time of one of `units`: ``" 4ms/step"``."""
    each = seconds / units if units else 0.0
    if each >= 1 or each == 0:
        return f" {each:.0f}s/step"
    return f" {each * 1e3:.0f}ms/step" if each >= 1e-3 else f" {each * 1e6:.0f}us/step"


def bar_line(
    current: int, target: int | None, elapsed: float, pairs: Iterable[tuple[str, float]], width: int = WIDTH
) -> str:
    """Return the whole line of a bar: count, bar, time left or spent, time of a step, values."""
    count = f"{current:7d}/Unknown" if target is None else bar(current, target, width)
    time = f"{elapsed:.0f}s"
    if target is not None and current < target:
        time = remaining(elapsed / current * (target - current) if current else 0.0)
    return f"{count} {_BOLD}{time}{_PLAIN}{per_step(elapsed, current)}{shown(pairs)}"


def brief_line(units: int, elapsed: float, pairs: Iterable[tuple[str, float]]) -> str:
    """Return the line of verbose=2: ``"13/13 - 0s - 2ms/step - accuracy: 0.5000 - loss: 0.6998"``."""
    return f"{units}/{units} - {elapsed:.0f}s -{per_step(elapsed, units)}{shown(pairs, brief=True)}"
