"""What training shows: Keras 2.2's lines, byte for byte.

On a terminal a line is redrawn in place. Elsewhere each line is written once, when it is final, so that logs stay
short. Everything is written once per slice of training, however many epochs finished in it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

WIDTH = 30
# Least seconds between two redraws of a line.
INTERVAL = 0.05


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


def values(pairs: Iterable[tuple[str, float]]) -> str:
    """Return ``" - loss: 0.6998 - acc: 0.5000"``."""
    return "".join(
        [f" - {name}: {value:.4f}" if abs(value) > 1e-3 else f" - {name}: {value:.4e}" for name, value in pairs]
    )


def _brief_values(pairs: Iterable[tuple[str, float]]) -> str:
    """`values` as verbose=2 has them: negative numbers always in e-notation."""
    return "".join([f" - {name}: {value:.4f}" if value > 1e-3 else f" - {name}: {value:.4e}" for name, value in pairs])


class Line:
    """A line of standard output that is redrawn in place on a terminal and written only when final elsewhere."""

    def __init__(self) -> None:
        self.dynamic = bool(getattr(sys.stdout, "isatty", bool)()) or "ipykernel" in sys.modules
        self.drawn = 0  # characters on the line now

    def redrawn(self, text: str, final: bool) -> str:
        """Return what to write for the line to become `text`."""
        if not self.dynamic:
            return text + "\n" if final else ""
        before = "\b" * self.drawn + "\r" + text + " " * (self.drawn - len(text))
        self.drawn = 0 if final else len(text)
        return before + "\n" if final else before


def write(text: str) -> None:
    """Write to standard output at once."""
    if text:
        sys.stdout.write(text)
        sys.stdout.flush()


class Progbar:
    """The progress bar of ``keras.utils``.

    Args:
        target: the number of units to come.
        width: of the bar, in characters.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        interval: least seconds between two redraws.
        stateful_metrics: names whose values are shown as they come, not averaged.

    >>> bar = Progbar(10, verbose=0); bar.update(10, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int,
        width: int = WIDTH,
        verbose: int = 1,
        interval: float = INTERVAL,
        stateful_metrics: Iterable[str] | None = None,
    ) -> None:
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.stateful_metrics = set(stateful_metrics or ())
        self._sums: dict[str, tuple[float, float]] = {}
        self._seen = 0
        self._start = time.perf_counter()
        self._shown = -interval
        self._line = Line()

    def update(self, current: int, values: Iterable[tuple[str, float]] | None = None) -> None:
        """Show `current` units as done; each value stands for the units since the last call, and running means are
        shown.
        """
        for name, value in values or ():
            share = current - self._seen
            total, count = (0.0, 0.0) if name in self.stateful_metrics else self._sums.get(name, (0.0, 0.0))
            self._sums[name] = (value, 1.0) if name in self.stateful_metrics else (total + value * share, count + share)
        self._seen = current
        elapsed = time.perf_counter() - self._start
        final = current >= self.target
        if not self.verbose or (not final and (self.verbose == 2 or elapsed - self._shown < self.interval)):
            return
        self._shown = elapsed
        means = [(name, total / max(1.0, count)) for name, (total, count) in self._sums.items()]
        if self.verbose == 2:
            write(duration(elapsed, current) + _brief_values(means) + "\n")
        else:
            write(self._line.redrawn(bar_line(current, self.target, elapsed, means, self.width), final))

    def add(self, n: int, values: Iterable[tuple[str, float]] | None = None) -> None:
        """Show `n` more units as done."""
        self.update(self._seen + n, values)


def bar_line(
    current: int, target: int | None, elapsed: float, pairs: Iterable[tuple[str, float]], width: int = WIDTH
) -> str:
    """Return the whole line of a bar: count, bar, time, values. A target of None is not known yet."""
    if target is None:
        return f"{current:7d}/Unknown{duration(elapsed, current)}{values(pairs)}"
    if current < target:
        left = elapsed / current * (target - current) if current else 0.0
        return f"{bar(current, target, width)} - ETA: {remaining(left)}{values(pairs)}"
    return bar(current, target, width) + duration(elapsed, target) + values(pairs)


class EpochReport:
    """What `fit` shows of its epochs.

    Args:
        verbose: 0 nothing, 1 a bar for each epoch, 2 a line for each.
        names: of the values of a row: loss, metrics, and the same of the validation data.
        epochs: number of the last epoch.
        target: of the bar: rows of an epoch, or its steps; None while that is not known.
        validation_rows: number of them, to be told in advance; 0 tells nothing.
        by_steps: whether the bar counts steps.
        rows: of an epoch, where that is not the target.
    """

    def __init__(
        self,
        verbose: int,
        names: Sequence[str],
        epochs: int,
        target: int | None,
        validation_rows: int,
        by_steps: bool = False,
        rows: int | None = None,
    ) -> None:
        self.verbose, self.names, self.epochs, self.target = verbose, names, epochs, target
        self.by_steps = by_steps
        self._line = Line()
        self._begun = -1
        self._shown = 0.0
        self._plain = "".join([f" - {name}: %.4f" for name in names])  # the values of a row that all exceed 0.001
        if verbose and validation_rows:
            write(f"Train on {rows or target} samples, validate on {validation_rows} samples\n")

    def begin(self, epoch: int) -> None:
        """Show that `epoch`, from 0, begins, unless that is shown already."""
        if self.verbose:
            write(self._header(epoch))

    def running(self, epoch: int, done: int, elapsed: float, means: Sequence[float]) -> None:
        """Show that `done` rows or steps of `epoch` are, with the means so far, if the last such line was shown long
        enough ago.
        """
        if not self.verbose:
            return
        text, now = self._header(epoch), time.perf_counter()
        if self.verbose == 1 and self._line.dynamic and now - self._shown >= INTERVAL:
            self._shown = now
            text += self._line.redrawn(
                bar_line(done, self.target, elapsed, zip(self.names, means, strict=False)), False
            )
        write(text)

    def end(self) -> None:
        """Leave a line that is not finished."""
        write("\n" if self._line.drawn else "")

    def finished(self, epoch: int, means: Sequence[Sequence[float]], seconds: Sequence[float]) -> None:
        """Show the epochs from `epoch` on as finished: a row of means and the seconds taken for each."""
        lines, target = [], self.target or 1
        full = bar(target, target) if self.verbose == 1 else ""
        for i, (row, elapsed) in enumerate(zip(means, seconds, strict=True)):
            lines.append(self._header(epoch + i))
            if len(row) == len(self.names) and min(row) > 1e-3:
                shown = self._plain % tuple(row)
            else:
                shown = (values if self.verbose == 1 else _brief_values)(zip(self.names, row, strict=False))
            if self.verbose == 1:
                lines.append(self._line.redrawn(full + duration(elapsed, target) + shown, True))
            else:
                lines.append(f" - {elapsed:.0f}s{shown}\n")
        write("".join(lines))

    def _header(self, epoch: int) -> str:
        if epoch <= self._begun:
            return ""
        self._begun = epoch
        return f"Epoch {epoch + 1}/{self.epochs}\n"


def level(verbose: Any) -> int:
    """Return `verbose` as 0, 1 or 2; True and "auto" are 1. Raises ValueError for anything else."""
    if isinstance(verbose, str) and verbose == "auto":
        return 1
    if isinstance(verbose, int) and 0 <= verbose <= 2:
        return int(verbose)
    raise ValueError(f"verbose must be 0 (silent), 1 (a bar) or 2 (a line an epoch); received {verbose!r}.")
