"""nnlite through its public API: fit with its history, as a user calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from machine import cores
from tasks import TASKS, Array, Score, Task, data, start

import nnlite
from nnlite import optimizers
from nnlite.layers import Dense
from nnlite.models import Sequential

NAME = "nnlite"


def version() -> str:
    """With the target the engine runs on, by itself or by NNLITE_TARGET."""
    return f"{nnlite.__version__} {model_of(TASKS['T4']).engine.target}"


def choices(task: Task) -> tuple[str, ...]:
    """One thread and two, where a step has work enough for two."""
    enough = task.operations * task.batch_size >= 200_000
    return ("2 threads", "1 thread") if enough else ("1 thread",)


def differs(task: Task) -> str:
    return "rounding"


def note(task: Task) -> str:
    return ""


def model_of(task: Task) -> Any:
    model = Sequential(seed=1)
    for i, (units, activation) in enumerate(zip(task.units, task.activations, strict=True)):
        model.add(Dense(units, activation=activation, **({} if i else {"input_shape": (task.inputs,)})))
    optimizer = optimizers.get({"class_name": task.optimizer, "config": dict(task.constants)})
    model.compile(optimizer, task.loss, metrics=["accuracy"] if task.has_accuracy else None)
    return model


def prepare(task: Task, choice: str) -> Callable[[], Score]:
    model, rows = model_of(task), data(task)
    model.set_weights(start(task))
    held = (rows.held_x, rows.held_y) if task.validation_rows else None
    accuracy = ("val_" if held else "") + model.metrics_names[-1] if task.has_accuracy else None
    nnlite.set_num_threads(int(choice[0]))

    def fit() -> Score:
        history = model.fit(
            rows.x,
            rows.y,
            batch_size=task.batch_size,
            epochs=task.epochs,
            validation_data=held,
            shuffle=task.shuffle,
            verbose=0,
        ).history
        return Score(history["loss"][-1], history[accuracy][-1] if accuracy else float("nan"))

    return fit


def predictor(task: Task, choice: str) -> Callable[[Array], Array]:
    """With as many threads as the engine finds worth while."""
    model = model_of(task)
    nnlite.set_num_threads(cores())
    return lambda x: model.predict(x, verbose=0)
