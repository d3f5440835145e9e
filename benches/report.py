"""The comparison of fits as one command.

python benches/report.py [T1 T4 ...] [--peers torch jax ...] [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import peers
from compare import compare, machine, record, table
from tasks import DEFAULT, TASKS, available


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {' '.join(TASKS)}; without: {' '.join(DEFAULT)}")
    parser.add_argument("--rounds", type=int, default=5, help="turns of every peer (default 5)")
    parser.add_argument(
        "--json", type=Path, help="where to write machine, versions, medians, quartiles and every round"
    )
    parser.add_argument(
        "--peers", nargs="*", metavar="PEER", help="beside nnlite, none allowed; without: all installed"
    )
    options = parser.parse_args()
    if unknown := [name for name in options.tasks if name not in TASKS]:
        parser.error(f"no task is called {' '.join(unknown)}; there are {' '.join(TASKS)}")

    found = peers.installed()
    if unknown := [name for name in options.peers or [] if name not in found]:
        parser.error(f"no installed peer is called {' '.join(unknown)}; there are {' '.join(found)}")
    if options.peers is not None:
        found = {name: peer for name, peer in found.items() if name == "nnlite" or name in options.peers}
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print(", ".join(f"{peer.NAME} {peer.version()}" for peer in found.values()), flush=True)
    comparisons = []
    for name in options.tasks or DEFAULT:
        if not available(TASKS[name]):
            print(f"\n{name} is left out: its rows come from {TASKS[name].needs}, which is not installed")
            continue
        comparisons.append(compare(TASKS[name], found, options.rounds))
        print(f"\n{table(comparisons[-1])}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(record(comparisons), indent=1) + "\n")


if __name__ == "__main__":
    main()
