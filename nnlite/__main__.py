"""The command ``nnlite``, also ``python -m nnlite``.

    nnlite demo                          train the tasks of the tutorials and show how well and how fast
    nnlite info                          show the version and what this CPU runs
    nnlite eras                          show what Keras 2 and Keras 3 do differently, and what older names mean
    nnlite script.py [arguments]         run a script for Keras, in which keras and tensorflow.keras are nnlite
    nnlite --compat keras3 script.py     the same with Keras 3's numbers and names where they differ
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from collections.abc import Sequence

import numpy as np

import nnlite
from nnlite import _engine, config, demo, eras, keras_compat


def info() -> str:
    """Return a report of the version, the targets and the settings in force, a line each."""
    targets = _engine.targets()
    model = nnlite.Sequential([nnlite.layers.Dense(1, input_dim=1)], seed=0)
    lines = {
        "nnlite": nnlite.__version__,
        "NumPy": np.__version__,
        "Python": sys.version.split()[0],
        "this CPU runs": ", ".join(name for name, available in targets.items() if available),
        "this CPU lacks": ", ".join(name for name, available in targets.items() if not available) or "nothing",
        "target": f"{model.engine.target} (NNLITE_TARGET=... chooses another)",
        "compat": f"{config.compat()} (NNLITE_COMPAT=... or --compat chooses another)",
        "type of reals": config.floatx(),
    }
    return "".join([f"{name + ':':16}{value}\n" for name, value in lines.items()])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, that of the process if None, and return its exit status."""
    parser = argparse.ArgumentParser("nnlite", description="Trains small dense neural networks on a CPU.")
    parser.add_argument("--version", action="version", version=f"nnlite {nnlite.__version__}")
    parser.add_argument("--compat", choices=config.ERAS, help="the Keras that decides where Keras 2 and 3 differ")
    what = "train the tutorials' tasks, show version and targets, show how Keras 2 and 3 differ, or run a script"
    parser.add_argument("command", metavar="demo | info | eras | SCRIPT.py", help=what)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the demo (--seed N) or of the script")
    given = parser.parse_args(argv)
    if given.compat:
        config.set_compat(given.compat)
    if given.command == "demo":
        return demo.main(given.arguments)
    if given.command in ("info", "eras"):
        if given.arguments:
            parser.error(f"{given.command} takes no arguments; received {' '.join(given.arguments)}")
        print(info() if given.command == "info" else eras.page(), end="")
        return 0
    if not os.path.isfile(given.command):
        parser.error(f"expected demo, info, eras or a Python file; received {given.command!r}")
    sys.argv = [given.command, *given.arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(given.command)))  # so that the script finds its neighbours
    keras_compat.install()
    try:
        runpy.run_path(given.command, run_name="__main__")
    finally:
        keras_compat.uninstall()
    return 0


if __name__ == "__main__":
    sys.exit(main())
