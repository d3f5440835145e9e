"""What a comparison ran on: processor, versions, the build of nnlite, and the peak rate of multiply-adds."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
from compiled import CannotCompileError, compiled
from timing import Time

import nnlite
from nnlite import _engine


def processor() -> str:
    """The model of the CPU, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def build() -> str:
    """The wheel nnlite was installed from, or that it runs from a checkout."""
    library = Path(_engine.__file__)
    size = f"{library.name}, {library.stat().st_size / 1e6:.2f} MB"
    try:
        found = distribution("nnlite")
        tag = re.search(r"^Tag: (.*)$", found.read_text("WHEEL") or "", re.MULTILINE)
        installed = Path(str(found.locate_file("nnlite"))).resolve() == Path(nnlite.__file__).parent.resolve()
    except PackageNotFoundError:
        installed, tag = False, None
    return f"wheel nnlite-{nnlite.__version__}-{tag[1]}, {size}" if installed and tag else f"built in place, {size}"


def machine() -> dict[str, Any]:
    return {
        "processor": processor(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "nnlite": build(),
    }


class Peak:
    """Rates of fused multiply-adds, float32, on so many threads: one measurement a turn, taken in turn with the fits.
    A turn of it is no time of anything.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.gflops: list[float] = []

    def __call__(self) -> Time:
        command = [str(compiled("peak.c", "-march=native")), str(self.threads), "0.1"]
        self.gflops.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        return Time(0.1, 0.1 * self.threads)

    @staticmethod
    def available() -> bool:
        try:
            compiled("peak.c", "-march=native")
        except CannotCompileError:
            return False
        return True
