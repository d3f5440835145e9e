"""The same work in other libraries, one file each. To add one: a file `<name>_peer.py` with the members of `Peer`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol

from tasks import Array, Score, Task


class Peer(Protocol):
    NAME: str

    def version(self) -> str: ...

    def choices(self, task: Task) -> tuple[str, ...]:
        """Settings among which the fastest is taken before the rounds; none when the peer cannot express the task."""

    def differs(self, task: Task) -> str:
        """Why its results are not nnlite's to the last bit: which of the bands of compare.py holds."""

    def note(self, task: Task) -> str:
        """What the peer does otherwise than the task says, and what its time leaves out."""

    def prepare(self, task: Task, choice: str) -> Callable[[], Score]:
        """A fresh model and its data, ready to be fitted once by the function returned: that call is what is timed."""

    def predictor(self, task: Task, choice: str) -> Callable[[Array], Array]:
        """An untrained model of a task it has choices for, as a function x -> outputs, both NumPy arrays."""


def installed() -> dict[str, Peer]:
    """The peers whose libraries can be imported, by the names of their files; nnlite comes first."""
    names = sorted(path.stem.removesuffix("_peer") for path in Path(__file__).parent.glob("*_peer.py"))
    found: dict[str, Peer] = {}
    for name in sorted(names, key=lambda name: name != "nnlite"):
        try:
            with warnings.catch_warnings(action="ignore"):  # of others' imports
                found[name] = import_module(f"peers.{name}_peer")  # type: ignore[assignment]
        except ModuleNotFoundError as error:
            if name == "nnlite" or error.name is None or error.name.startswith("peers"):
                raise
    return found
