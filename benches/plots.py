"""How time grows with rows, width, depth, batch and threads, one SVG each.

python benches/plots.py [rows width depth batch threads] [--peers numpy torch ...] [--rounds N] [--into FOLDER]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from machine import cores
from peers import Peer, installed, nnlite_peer
from tasks import Rows, Task
from timing import interleave, spread, turn_of_fits, wall_of

Points = dict[int, float]  # value on the axis -> seconds


@lru_cache
def made_rows(rows: int, inputs: int) -> Callable[[], Rows]:
    """Normal numbers in ten classes, each by its largest of ten random projections."""

    def make() -> Rows:
        rng = np.random.default_rng(1)
        x = rng.standard_normal((rows, inputs), np.float32)
        return x, (x @ rng.standard_normal((inputs, 10), np.float32)).argmax(axis=1)

    return make


def task(name: str, rows: int, inputs: int, hidden: tuple[int, ...], batch_size: int, epochs: int) -> Task:
    activations = ("relu",) * len(hidden) + ("softmax",)
    loss = "categorical_crossentropy"
    return Task(name, made_rows(rows, inputs), inputs, (*hidden, 10), activations, loss, "adam", batch_size, epochs)


@dataclass(frozen=True)
class Axis:
    label: str
    values: tuple[int, ...]
    task_of: Callable[[int], Task]
    unit: str  # what the seconds of a fit are divided by
    per: Callable[[Task], float]
    title: str


AXES = {
    "rows": Axis(
        "rows",
        (32, 128, 512, 2048, 8192, 32_768),
        lambda n: task("rows", n, 32, (32,), 32, max(1, 8192 // n)),
        "epoch",
        lambda t: t.epochs,
        "32-32-10, batch 32",
    ),
    "width": Axis(
        "units of each hidden layer, and inputs",
        (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
        lambda n: task("width", 1024, n, (n, n), 32, max(1, 64 // n)),
        "step",
        lambda t: t.steps,
        "n-n-n-10, batch 32",
    ),
    "depth": Axis(
        "hidden layers",
        (1, 2, 4, 8, 16, 32),
        lambda n: task("depth", 1024, 32, (32,) * n, 32, 4),
        "step",
        lambda t: t.steps,
        "layers of 32 units, batch 32",
    ),
    "batch": Axis(
        "rows of a batch",
        (1, 4, 16, 64, 256, 1024, 4096),
        lambda n: task("batch", 4096, 64, (64,), n, 1),
        "row",
        lambda t: t.epochs * 4096,
        "64-64-10, 4096 rows",
    ),
    "threads": Axis(
        "threads",
        tuple(range(1, cores() + 1)),
        lambda n: task("threads", 12_800, 784, (512, 512), 128, 1),
        "step",
        lambda t: t.steps,
        "784-512-512-10, batch 128",
    ),
}


def measure(axis: Axis, peer: Peer, rounds: int) -> Points:
    """Medians. Along threads, each value is the setting of so many, where the peer has that; else its first setting."""
    turns = {}
    for value in axis.values:
        one = axis.task_of(value)
        choices = peer.choices(one)
        if axis.label == "threads":
            choices = tuple(c for c in choices if c.startswith(f"{value} thread"))
        if choices:
            turns[value] = turn_of_fits(partial(peer.prepare, one, choices[0]), 0.05)
    taken = interleave({str(value): turn for value, turn in turns.items()}, rounds)
    return {v: spread(wall_of(taken[str(v)])).middle / axis.per(axis.task_of(v)) for v in turns}


def draw(name: str, axis: Axis, lines: dict[str, Points], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for label, points in lines.items():
        axes.plot(list(points), [1e6 * seconds for seconds in points.values()], "o-", label=label)
    axes.set(xlabel=axis.label, ylabel=f"µs a {axis.unit}", title=axis.title, yscale="log")
    if name != "threads":
        axes.set_xscale("log", base=2)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("axes", nargs="*", metavar="AXIS", help=f"of {' '.join(AXES)}; without: all")
    parser.add_argument("--peers", nargs="*", default=["numpy", "torch"], metavar="PEER", help="beside nnlite")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every point (default 3)")
    parser.add_argument("--into", type=Path, default=Path("plots"), metavar="FOLDER", help="default: plots")
    options = parser.parse_args()
    if unknown := [name for name in options.axes if name not in AXES]:
        parser.error(f"there is no axis {' '.join(unknown)}; there are {' '.join(AXES)}")
    if find_spec("matplotlib") is None:  # told before minutes are spent on figures
        parser.error('matplotlib draws the plots and is missing: pip install ".[bench]"')
    found = installed()
    chosen = {nnlite_peer.NAME: found["nnlite"]} | {found[n].NAME: found[n] for n in options.peers if n in found}
    options.into.mkdir(parents=True, exist_ok=True)
    for name in options.axes or AXES:
        lines = {
            label: points for label, peer in chosen.items() if (points := measure(AXES[name], peer, options.rounds))
        }
        path = options.into / f"{name}.svg"
        draw(name, AXES[name], lines, path)
        for label, points in lines.items():
            figures = ", ".join(f"{value}: {1e6 * seconds:.4g}" for value, seconds in points.items())
            print(f"{name}, µs a {AXES[name].unit}, {label}: {figures}", flush=True)
        print(f"  {path}")


if __name__ == "__main__":
    main()
