"""The whole comparison as one command: fits, predictions, single calls and dense products, beside the figures to reach.

python benches/report.py [T1 T4 ... predictions calls products] [--peers torch jax ...] [--rounds N] [--json FILE]
    [--keep] [--program TASK=COMMAND ...]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import calls
import compare
import goals
import peers
import products
import readme
from compiled import CannotCompileError
from machine import machine
from programs import Program, program
from tasks import TASKS, available
from timing import Time, interleave, spread, wall_of

KEPT = Path(__file__).parent / "results.json"
PARTS = (*TASKS, "predictions", "calls", "products")


def group(turns: calls.Group, names: Mapping[str, str], rounds: int) -> dict[str, Any]:
    """Times of calls taken in turn: microseconds and, of the first, the ratio of medians."""
    taken = interleave({name: make() for name, make in turns.items()}, rounds)
    first = spread(wall_of(next(iter(taken.values())))).middle
    return {name: entry(names[name], times, first) for name, times in taken.items()}


def entry(name: str, times: list[Time], first: float) -> dict[str, Any]:
    low, middle, high = (compare.rounded(1e6 * t) for t in spread(wall_of(times)))
    ratio = compare.rounded(spread(wall_of(times)).middle / first)
    return {"name": name, "microseconds": middle, "quartiles": [low, high], "ratio": ratio}


def show(title: str, entries: Mapping[str, dict[str, Any]]) -> None:
    print(f"\n{title + ', µs':45}{'quartiles':>20}{'ratio':>12}")
    for one in entries.values():
        low, high = one["quartiles"]
        print(f"  {one['name']:25}{one['microseconds']:13.2f}{low:13.2f} -{high:11.2f}{one['ratio']:10.2f}", flush=True)


def fits(names: list[str], found: dict[str, peers.Peer], rounds: int, programs: list[Program]) -> dict[str, Any]:
    results = {}
    for name in names:
        if not available(TASKS[name]):
            print(f"\n{name} is left out: its rows come from {TASKS[name].needs}, which is not installed")
            continue
        comparison = compare.compare(TASKS[name], found, rounds, programs)
        print(f"\n{compare.table(comparison)}", flush=True)
        results[name] = compare.record(comparison)
    return results


def elsewhere(fits: Mapping[str, Any]) -> float | None:
    """Share of the clock that other processes had, while nnlite trained on one thread: 0 on a quiet machine."""
    own = [
        p
        for task in fits.values()
        for p in task["peers"].values()
        if (p["name"], p["choice"]) == ("nnlite", "1 thread")
    ]
    pairs = [pair for p in own for pair in zip(p["cpu_seconds"], p["seconds"], strict=True)]
    return (
        compare.rounded(max(0.0, 1 - sum(cpu for cpu, _ in pairs) / sum(wall for _, wall in pairs))) if pairs else None
    )


def run(wanted: list[str], found: dict[str, peers.Peer], rounds: int, programs: list[Program]) -> goals.Results:
    versions = {name: peer.version() for name, peer in found.items()}
    results: goals.Results = {"machine": machine(), "versions": versions, "rounds": rounds}
    print(", ".join(f"{key} {value}" for key, value in results["machine"].items()))
    print(", ".join(f"{peer.NAME} {versions[name]}" for name, peer in found.items()), flush=True)
    results["fits"] = measured_fits = fits([name for name in TASKS if name in wanted], found, rounds, programs)
    results["elsewhere"] = elsewhere(measured_fits)
    results["predictions"] = {}
    for what in calls.PREDICTIONS if "predictions" in wanted else ():
        turns = calls.predictions(found, what)
        entries = group(turns, {name: found[name].NAME for name in turns}, rounds)
        show(f"predict {what}", entries)
        results["predictions"][what] = {"peers": entries}
    costs = group(calls.CALLS, {name: name for name in calls.CALLS}, rounds) if "calls" in wanted else {}
    if costs:
        show("calls of nnlite, net of T4", costs)
    results["calls"] = {name: {"peers": {"nnlite": cost}} for name, cost in costs.items()}
    results["products"] = []
    if "products" in wanted:
        try:
            results["products"] = products.measure()
            print(f"\n{products.table(results['products'])}")
        except CannotCompileError as error:
            print(f"\ndense products are left out: {error}")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {' '.join(PARTS)}; without: all")
    parser.add_argument("--rounds", type=int, default=5, help="turns of everyone who is compared (default 5)")
    parser.add_argument("--json", type=Path, help="where to write machine, versions, medians and every round")
    parser.add_argument(
        "--keep", action="store_true", help=f"write {KEPT.name} and the README's table; of a whole run only"
    )
    parser.add_argument(
        "--peers", nargs="*", metavar="PEER", help="beside nnlite, none allowed; without: all installed"
    )
    parser.add_argument(
        "--program", action="append", default=[], metavar="TASK=COMMAND", help="a program as one more peer of a task"
    )
    options = parser.parse_args()
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"there is no part {' '.join(unknown)}; there are {' '.join(PARTS)}")
    if options.keep and (options.parts or options.peers is not None):
        parser.error("--keep is for a run of everything beside everyone; leave out the parts and --peers")
    found = peers.installed()
    if unknown := [name for name in options.peers or [] if name not in found]:
        parser.error(f"no installed peer is called {' '.join(unknown)}; there are {' '.join(found)}")
    if options.peers is not None:
        found = {name: peer for name, peer in found.items() if name == "nnlite" or name in options.peers}
    try:
        programs = [program(text) for text in options.program]
    except ValueError as error:
        parser.error(str(error))
    begin = time.monotonic()
    results = run(options.parts or list(PARTS), found, options.rounds, programs)
    print(f"\n{goals.table(results)}\n\nIt took {(time.monotonic() - begin) / 60:.1f} minutes.")
    for path in [options.json, KEPT if options.keep else None]:
        if path:
            path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if options.keep:
        readme.write(results)


if __name__ == "__main__":
    main()
