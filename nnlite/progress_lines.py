"""The lines of Keras 2's progress, byte for byte, and what those of every era share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

WIDTH = 30


@lru_cache  # for a full bar ends every epoch
def bar(current: int, target: int, width: int = WIDTH) -> str:
    """Return the count and the bar: ``" 32/400 [=>............................]"``."""
    filled = int(width * current / target)
    done = "=" * (filled - 1) + (">" if current < target else "=") if filled > 0 else ""
    return f"{current:{len(str(target))}d}/{target} [{done:.<{width}}]"


def remaining(seconds: float) -> str:
    """Return a time to wait: ``"5s"``, ``"1:05"`` or ``"1:01:05"``."""
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}" if seconds > 60 else f"{int(seconds)}s"


def duration(seconds: float, units: int) -> str:
    """Return a time spent and its share for each of `units`: ``" - 0s 143us/step"``."""
    each = seconds / units if units else 0.0
    if each >= 1:
        return f" - {seconds:.0f}s {each:.0f}s/step"
    return (
        f" - {seconds:.0f}s {each * 1e3:.0f}ms/step" if each >= 1e-3 else f" - {seconds:.0f}s {each * 1e6:.0f}us/step"
    )


def shown(pairs: Iterable[tuple[str, float]], brief: bool = False) -> str:
    """Return ``" - loss: 0.6998 - acc: 0.5000"``; if `brief`, negative numbers are always in e-notation."""
    return "".join(
        [
            f" - {name}: {value:.4f}" if (value if brief else abs(value)) > 1e-3 else f" - {name}: {value:.4e}"
            for name, value in pairs
        ]
    )


def bar_line(
    current: int, target: int | None, elapsed: float, pairs: Iterable[tuple[str, float]], width: int = WIDTH
) -> str:
    """Return the whole line of a bar: count, bar, time, values. A target of None is not known yet."""
    if target is None:
        return f"{current:7d}/Unknown{duration(elapsed, current)}{shown(pairs)}"
    if current < target:
        left = elapsed / current * (target - current) if current else 0.0
        return f"{bar(current, target, width)} - ETA: {remaining(left)}{shown(pairs)}"
    return bar(current, target, width) + duration(elapsed, target) + shown(pairs)


def brief_line(units: int, elapsed: float, pairs: Iterable[tuple[str, float]]) -> str:
    """Return the line of verbose=2: ``" - 0s - loss: 0.6998 - acc: 0.5000"``."""
    return f" - {elapsed:.0f}s{shown(pairs, brief=True)}"


def visible(text: str) -> int:
    """Return how many characters of `text` are seen: all but the codes for colours."""
    return len(re.sub(r"\x1b\[\d+m", "", text)) if "\x1b" in text else len(text)
