"""A program of the reader's own as one more peer: a loop written by hand for one task's net, say.

--program T4='./w4 {rows}' runs that command in every round. {rows} becomes the path of the task's rows, raw float32:
inputs, then targets, validation rows at the end. The program measures itself and prints lines of JSON; of the first
line with "us_step", that is its time of a step in microseconds and "loss" the mean training loss of its last epoch,
which must be like nnlite's before anything is timed. "peer", if there, is what the tables call it.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tasks import TASKS, Array, Score, Task, data
from timing import Time


@dataclass(frozen=True)
class Program:
    """The members of `peers.Peer` that a comparison needs; a turn of it is one run of the command."""

    task: str
    command: str
    NAME: str = "program"

    def version(self) -> str:
        return Path(shlex.split(self.command)[0]).name

    def choices(self, task: Task) -> tuple[str, ...]:
        return ("as it is",) if task.name == self.task else ()

    def differs(self, task: Task) -> str:
        return "program"

    def note(self, task: Task) -> str:
        return "measures itself, own initial weights"

    def run(self, task: Task) -> dict[str, Any]:
        """The first line that tells a step's time. Raises ValueError when there is none with a loss."""
        rows = data(task)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "rows.f32"
            parts = [np.hstack(pair) for pair in ((rows.x, rows.y), (rows.held_x, rows.held_y))]
            np.concatenate(parts).astype(np.float32).tofile(path)
            command = [part.replace("{rows}", str(path)) for part in shlex.split(self.command)]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for line in output.splitlines():
            found = json.loads(line) if line.startswith("{") else {}
            if {"us_step", "loss"} <= found.keys():
                return dict(found)
        raise ValueError(f"{self.command} printed no line of JSON with us_step and loss")

    def prepare(self, task: Task, choice: str) -> Callable[[], Score]:
        def fit() -> Score:
            found = self.run(task)
            accuracy = found.get("val_acc" if task.validation_rows else "acc", float("nan"))
            return Score(float(found["loss"]), float(accuracy))

        return fit

    def turn(self, task: Task) -> Callable[[], Time]:
        def turn() -> Time:
            seconds = 1e-6 * float(self.run(task)["us_step"]) * task.steps
            return Time(seconds, seconds)

        return turn

    def predictor(self, task: Task, choice: str) -> Callable[[Array], Array]:
        raise NotImplementedError("programs are compared in fits only")


def program(text: str) -> Program:
    """From NAME=COMMAND, the name a task's."""
    name, _, command = text.partition("=")
    if name not in TASKS or not command:
        raise ValueError(f"--program wants TASK=COMMAND with a task of {' '.join(TASKS)}, not {text!r}")
    return Program(name, command)
