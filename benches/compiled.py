"""Small C programs and libraries of the benches, compiled when asked for with the compiler of the system."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
FLAGS = ("-std=gnu11", "-O3", "-pthread")


class CannotCompileError(ModuleNotFoundError):
    """No compiler, or a library of the source is missing: to a bench the same as a peer that is not installed."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source} cannot be compiled and run: {why}", name=source)


@lru_cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="nnlite-benches-")


def compiler() -> list[str]:
    return shlex.split(os.environ.get("CC", "cc"))


@lru_cache
def compiled(source: str, *arguments: str) -> Path:
    """Path of the program, or with -shared the library, made from a C file beside this one."""
    output = Path(_folder().name) / Path(source).with_suffix(".so" if "-shared" in arguments else ".out").name
    if shutil.which(compiler()[0]) is None:
        raise CannotCompileError(source, f"there is no compiler {compiler()[0]!r}; CC names another")
    command = [*compiler(), *FLAGS, str(HERE / source), "-o", str(output), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotCompileError(source, done.stderr.strip())
    return output
