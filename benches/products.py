"""Dense products of the engine beside NumPy's OpenBLAS, from C on both sides and on one thread: products.c says how.

Through Python a small product would drown in the call, and NumPy's as much as nnlite's.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from compiled import HERE, CannotCompileError, compiled

from nnlite import _engine

# (rows, inputs, units): layers of the tasks, from the smallest to the widest.
SHAPES = [
    (32, 2, 2),
    (32, 5, 20),
    (32, 20, 2),
    (32, 16, 32),
    (32, 32, 32),
    (32, 64, 64),
    (128, 784, 128),
    (128, 512, 512),
    (256, 1024, 1024),
]
KINDS = {"forward": 3, "kernel_gradient": 3, "input_gradient": 2}  # products of each in a turn

CSRC = HERE.parent / "csrc"
# nnlite.c names every target; here all of them are the one that is compiled in.
_ENGINES = [f"nn_engine_{target}_f{bits}" for target in ("avx512", "avx2", "neon", "scalar") for bits in (32, 64)]


def openblas() -> str:
    """Path of the OpenBLAS in NumPy's wheel, or - where NumPy has another BLAS."""
    folder = Path(np.__file__).parent
    places = (folder.parent / "numpy.libs", folder / ".dylibs")
    return str(next((path for place in places for path in place.glob("*scipy_openblas64*")), "-"))


def program(target: str) -> Path:
    """Raises CannotCompileError where there is no compiler."""
    definitions = [f"-D{name}=nn_engine_of_bench" for name in _ENGINES]
    return compiled(
        "products.c",
        "-ffp-contract=off",
        "-fno-math-errno",
        "-fno-tree-vectorize",  # as setup.py has it
        "-fno-unswitch-loops",
        "-fno-split-loops",
        "-fno-ipa-cp-clone",
        f'-DNN_SIMD="engine/simd_{target}.h"',
        f'-DNN_TARGET="{target}"',
        "-DNN_ENGINE=nn_engine_of_bench",
        *definitions,
        f"-I{CSRC}",
        *sorted(str(path) for path in CSRC.glob("*.c")),
        "-ldl",
        "-lm",
    )


def measure(shapes: list[tuple[int, int, int]] = SHAPES) -> list[dict[str, Any]]:
    """A row for each shape: rows, inputs, units and, for each kind of product, nnlite's GFLOP/s, OpenBLAS' and their
    ratio. Raises CannotCompileError where the program cannot be made, or fails.
    """
    numbers = [str(n) for shape in shapes for n in shape]
    command = [str(program(_engine.default_target())), openblas(), *numbers]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotCompileError("products.c", done.stderr.strip() or f"it ended with {done.returncode}")
    found = []
    for row in map(json.loads, done.stdout.splitlines()):
        operations = 2 * row["rows"] * row["inputs"] * row["units"]
        for kind, count in KINDS.items():
            rates = [round(count * operations / seconds / 1e9, 2) for seconds in row[kind]]
            row[kind] = dict(zip(("nnlite", "openblas"), rates, strict=False))
            if len(rates) == 2:
                row[kind]["ratio"] = round(rates[0] / rates[1], 3)
        found.append(row)
    return found


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'dense products, one thread, GFLOP/s':40}" + "".join(f"{kind.replace('_', ' '):>32}" for kind in KINDS)]
    lines.append(f"  {'rows x inputs x units':38}" + f"{'nnlite':>14}{'OpenBLAS':>10}{'ratio':>8}" * 3)
    for row in rows:
        cells = (row[kind] for kind in KINDS)
        text = "".join(
            f"{c['nnlite']:14.1f}{c.get('openblas', float('nan')):10.1f}{c.get('ratio', float('nan')):8.2f}"
            for c in cells
        )
        lines.append(f"  {row['rows']:5} x {row['inputs']:5} x {row['units']:5}{'':17}{text}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(measure()))
