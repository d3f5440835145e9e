"""What training shows: lines of the era in force, from progress_lines.py and keras3_lines.py.

On a terminal a line is redrawn in place. Elsewhere each line is written once, when it is final, so that logs stay
short. Everything is written once per slice of training, however many epochs finished in it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from nnlite import keras3_lines, progress_lines
from nnlite.config import era

# Least seconds between two redraws of a line.
INTERVAL = 0.05


def lines() -> ModuleType:
    """Return the module that writes lines as the era in force does."""
    return keras3_lines if era("progress.like_keras3") else progress_lines


def in_order(names: Sequence[str]) -> list[int]:
    """Return the places of values in the order they are shown in: in keras3 by name, those of the validation last.

    >>> in_order(["loss", "acc", "val_loss", "val_acc"])
    [0, 1, 2, 3]
    """
    if not era("logs.sorted"):
        return list(range(len(names)))
    return sorted(range(len(names)), key=lambda i: (names[i].startswith("val_"), names[i]))


class Line:
    """A line of standard output that is redrawn in place on a terminal and written only when final elsewhere."""

    def __init__(self) -> None:
        self.dynamic = bool(getattr(sys.stdout, "isatty", bool)()) or "ipykernel" in sys.modules
        self.drawn = 0  # characters on the line now

    def redrawn(self, text: str, final: bool) -> str:
        """Return what to write for the line to become `text`."""
        if not self.dynamic:
            return text + "\n" if final else ""
        length = progress_lines.visible(text)
        before = "\b" * self.drawn + "\r" + text + " " * (self.drawn - length)
        self.drawn = 0 if final else length
        return before + "\n" if final else before


def write(text: str) -> None:
    """Write to standard output at once."""
    if text:
        sys.stdout.write(text)
        sys.stdout.flush()


class Progbar:
    """The progress bar of ``keras.utils``.

    Args:
        target: the number of units to come; None if that is not known.
        width: of the bar, in characters; 30, in keras3 20, if None.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        interval: least seconds between two redraws.
        stateful_metrics: names whose values are shown as they come, not averaged.

    >>> bar = Progbar(10, verbose=0); bar.update(10, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int | None = None,
        verbose: int = 1,
        interval: float = INTERVAL,
        stateful_metrics: Iterable[str] | None = None,
    ) -> None:
        self.target, self.verbose, self.interval = target, verbose, interval
        self._lines = lines()
        self.width = self._lines.WIDTH if width is None else width
        self.stateful_metrics = set(stateful_metrics or ())
        self._sums: dict[str, tuple[float, float]] = {}
        self._seen = 0
        self._start = time.perf_counter()
        self._shown = -interval
        self._line = Line()

    def update(
        self, current: int, values: Iterable[tuple[str, float]] | None = None, finalize: bool | None = None
    ) -> None:
        """Show `current` units as done; each value stands for the units since the last call, and running means are
        shown. The line is final when all units are done, or as `finalize` says.
        """
        for name, value in values or ():
            share = current - self._seen
            total, count = (0.0, 0.0) if name in self.stateful_metrics else self._sums.get(name, (0.0, 0.0))
            self._sums[name] = (value, 1.0) if name in self.stateful_metrics else (total + value * share, count + share)
        self._seen = current
        elapsed = time.perf_counter() - self._start
        final = (self.target is not None and current >= self.target) if finalize is None else finalize
        if not self.verbose or (not final and (self.verbose == 2 or elapsed - self._shown < self.interval)):
            return
        self._shown = elapsed
        means = [(name, total / max(1.0, count)) for name, (total, count) in self._sums.items()]
        if self.verbose == 2:
            write(self._lines.brief_line(current, elapsed, means) + "\n")
        else:
            target = current if final and self.target is None else self.target
            write(self._line.redrawn(self._lines.bar_line(current, target, elapsed, means, self.width), final))

    def add(self, n: int, values: Iterable[tuple[str, float]] | None = None) -> None:
        """Show `n` more units as done."""
        self.update(self._seen + n, values)


class PassReport:
    """What `evaluate` and `predict` show of their one pass: its time, and in keras3 the values.

    Args:
        verbose: 0 nothing, 1 a bar, 2 a line, which keras2 does not have.
        rows: to be passed; None if that is not known.
        steps: the batches they are cut into; None if that is not known.
    """

    def __init__(self, verbose: int, rows: int | None, steps: int | None) -> None:
        like_keras3 = era("progress.like_keras3")
        self._units = (steps if like_keras3 or rows is None else rows) or 1
        self._shows_values = like_keras3
        shown = verbose if like_keras3 else int(verbose == 1)
        self._bar = Progbar(self._units, verbose=shown) if shown else None

    def done(self, names: Sequence[str] = (), means: Sequence[float] = ()) -> None:
        """Show the pass as done, with its values."""
        if self._bar is None:
            return
        chosen = in_order(names) if self._shows_values else []
        self._bar.update(self._units, [(names[i], means[i]) for i in chosen])


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
        self.verbose, self.epochs, self.target = verbose, epochs, target
        self.by_steps = by_steps
        if not verbose:
            return
        self._lines, self._order = lines(), in_order(names)
        self.names = [names[i] for i in self._order]
        self._line = Line()
        self._begun = -1
        self._shown = 0.0
        self._plain = "".join([f" - {name}: %.4f" for name in self.names])  # the values of a row that all exceed 0.001
        self._headed = epochs > 1 or not era("progress.like_keras3")
        if validation_rows and not era("progress.like_keras3"):
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
            text += self._line.redrawn(self._lines.bar_line(done, self.target, elapsed, self._pairs(means)), False)
        write(text)

    def end(self) -> None:
        """Leave a line that is not finished."""
        if self.verbose and self._line.drawn:
            write("\n")

    def finished(
        self,
        epoch: int,
        means: Sequence[Sequence[float]],
        seconds: Sequence[float],
        added: Iterable[tuple[str, float]] = (),
    ) -> None:
        """Show the epochs from `epoch` on as finished: a row of means and the seconds taken for each, and at the end
        of their lines what callbacks have `added`.
        """
        more = progress_lines.shown(added)
        written, target = [], self.target or 1
        for i, (row, elapsed) in enumerate(zip(means, seconds, strict=True)):
            written.append(self._header(epoch + i))
            if len(row) == len(self.names) and min(row) > 1e-3:
                pairs, plain = [], self._plain % tuple([row[j] for j in self._order])
            else:
                pairs, plain = self._pairs(row), ""
            plain += more
            if self.verbose == 1:
                text = self._lines.bar_line(target, target, elapsed, pairs) + plain
                written.append(self._line.redrawn(text, True))
            else:
                written.append(self._lines.brief_line(target, elapsed, pairs) + plain + "\n")
        write("".join(written))

    def _pairs(self, row: Sequence[float]) -> list[tuple[str, float]]:
        """Names and values as they are shown, of a row that may lack those of the validation."""
        return [(name, row[i]) for name, i in zip(self.names, self._order, strict=True) if i < len(row)]

    def _header(self, epoch: int) -> str:
        if epoch <= self._begun or not self._headed:
            return ""
        self._begun = epoch
        return f"Epoch {epoch + 1}/{self.epochs}\n"


def level(verbose: Any) -> int:
    """Return `verbose` as 0, 1 or 2; True and "auto" are 1. Raises ValueError for anything else."""
    if isinstance(verbose, int) and 0 <= verbose <= 2:
        return int(verbose)
    if isinstance(verbose, str) and verbose == "auto":
        return 1
    raise ValueError(f"verbose must be 0 (silent), 1 (a bar) or 2 (a line an epoch); received {verbose!r}.")
