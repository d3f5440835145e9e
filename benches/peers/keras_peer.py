"""Keras 3 on one backend: JAX, or what KERAS_BACKEND says. `fit` with its history, as a user calls it.

Tried before the rounds: one step an execution, and several (`steps_per_execution`). Keras compiles a model during its
first fit, for about a second; here it is fitted once, gets its first weights and optimizer again, and then is timed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from tasks import Array, Score, Task, data, start

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras

NAME = "Keras 3"


def version() -> str:
    return f"{keras.__version__} on {keras.backend.backend()}"


def choices(task: Task) -> tuple[str, ...]:
    return ("1 step",) if task.full_batch else ("1 step", "8 steps an execution")


def differs(task: Task) -> str:
    return {"rmsprop": "epsilon", "adam": "growing"}.get(task.optimizer, "rounding")


def note(task: Task) -> str:
    inside = "epsilon inside the root, " if task.optimizer == "rmsprop" else ""
    return f"{inside}compiling not counted"


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """For labels -1 and 1, of which Keras 3's own knows nothing: an output is right when it rounds to its label."""
    return keras.ops.mean(keras.ops.equal(y_true, keras.ops.round(y_pred)), axis=-1)


@lru_cache(maxsize=2)
def model_of(task: Task, choice: str) -> Any:
    layers = [keras.layers.Dense(u, activation=a) for u, a in zip(task.units, task.activations, strict=True)]
    model = keras.Sequential([keras.Input((task.inputs,)), *layers])
    kinds = {"sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam}
    model.compile(
        kinds[task.optimizer](**task.constants),
        task.loss,
        metrics=([accuracy] if task.loss == "hinge" else ["accuracy"]) if task.has_accuracy else None,
        steps_per_execution=int(choice.split()[0]),
    )
    return model


def reset(task: Task, model: Any) -> None:
    """First weights, and an optimizer that has made no step."""
    model.set_weights(start(task))
    for variable in model.optimizer.variables:
        if variable.path != model.optimizer._learning_rate.path:
            variable.assign(np.zeros(variable.shape))


def prepare(task: Task, choice: str) -> Callable[[], Score]:
    rows = data(task)
    fresh = model_of.cache_info().misses
    model = model_of(task, choice)
    held = (rows.held_x, rows.held_y) if task.validation_rows else None
    reported = "val_accuracy" if held else "accuracy"
    options = {"batch_size": task.batch_size, "validation_data": held, "shuffle": task.shuffle, "verbose": 0}
    if model_of.cache_info().misses > fresh:
        model.fit(rows.x, rows.y, epochs=1, **options)
    reset(task, model)

    def fit() -> Score:
        history = model.fit(rows.x, rows.y, epochs=task.epochs, **options).history
        return Score(history["loss"][-1], history[reported][-1] if task.has_accuracy else float("nan"))

    return fit


def predictor(task: Task, choice: str) -> Callable[[Array], Array]:
    model = keras.Sequential(
        [
            keras.Input((task.inputs,)),
            *(keras.layers.Dense(u, activation=a) for u, a in zip(task.units, task.activations, strict=True)),
        ]
    )
    return lambda x: model.predict(x, batch_size=max(32, min(len(x), 4096)), verbose=0)
