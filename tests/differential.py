"""Training a task of random_models.py with any library that has Keras' names, and comparing what came of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from random_models import Task

from nnlite.layers import LAYERS, noise

STEPS = 50

# How far two float64 trainings of one model may be apart, relative to the largest number of its kind; and where Keras
# does not compute in float64: metrics, by the ends of their names, and activations.
EXACT, COARSE = 1e-9, 1e-6
COARSE_METRICS = {
    "io_u": "Keras divides in float32, and adds epsilon to the denominator",
    "f1_score": "Keras adds epsilon to the denominators",
    "fbeta_score": "Keras adds epsilon to the denominators",
}
COARSE_ACTIVATIONS = {
    "hard_sigmoid": "PyTorch's derivative has 1/6 of float32",
    "celu": "PyTorch's derivative has constants of float32",
}

Record = dict[str, np.ndarray]


def random(task: Task) -> bool:
    """Whether training would draw random numbers, which no two libraries share."""
    noisy = {entry.make.__name__ for entry in LAYERS.entries.values() if entry.make.__module__ == noise.__name__}
    return any(layer.name in noisy and any(layer.arguments.values()) for layer in task.layers)


def train(library: Any, task: Task, dtype: str) -> Record:
    """Train for STEPS steps, first by `fit`, then by `train_on_batch`; return everything seen on the way.

    Keys: outputs before and after, loss and metrics of each call by name, weights by layer and place. A model with
    random layers is only evaluated.
    """
    library.config.set_floatx(dtype)
    library.backend.clear_session()  # names count from the start
    layers = [layer.make(library) for layer in task.layers]
    model = library.Sequential([library.Input((task.inputs,)), *layers])
    own = [layer for layer in layers if type(layer).__name__ != "Normalization"]  # whose statistics are given
    weights = task.first_weights([[tuple(w.shape) for w in layer.get_weights()] for layer in own])
    for layer, values in zip(own, weights, strict=True):
        layer.set_weights([task.nudged(w) for w in values])
    model.compile(
        task.optimizer.make(library), task.loss.make(library), metrics=[m.make(library) for m in task.metrics]
    )
    x = task.nudged(task.x)
    size = {"batch_size": task.batch_size, "verbose": 0}
    found: Record = {"outputs before": model.predict(x, **size)}

    training = len(x)
    if "validation_split" in task.fit:
        training = int(training * (1 - task.fit["validation_split"]))
    batches = -(-training // task.batch_size)
    total = 0 if random(task) else STEPS
    epochs = min(4, total // batches)
    if epochs:
        history = model.fit(x, task.y, epochs=epochs, shuffle=False, **task.weights, **task.fit, **size)
        found |= {f"fit {name}": np.array(values) for name, values in history.history.items()}
    each_row = task.weights.get("sample_weight")
    steps = []
    for step in range(total - epochs * batches):
        rows = (np.arange(task.batch_size) + step * task.batch_size) % len(x)
        given = task.weights if each_row is None else {"sample_weight": each_row[rows]}
        model.reset_metrics()
        steps.append(model.train_on_batch(x[rows], task.y[rows], return_dict=True, **given))
    for name in steps[0] if steps else ():
        found[f"train_on_batch {name}"] = np.array([float(step[name]) for step in steps])
    means = model.evaluate(x, task.y, sample_weight=each_row, return_dict=True, **size)
    found |= {f"evaluate {name}": np.array(value) for name, value in means.items()}
    found["outputs after"] = model.predict(x, **size)
    for place, layer in enumerate(own):
        found |= {f"weights {place}.{i}": np.asarray(values) for i, values in enumerate(layer.get_weights())}
    return {name: np.asarray(values, np.float64) for name, values in found.items()}


def distance(one: Record, other: Record) -> dict[str, float]:
    """Return the largest difference of each part of two records, relative to the largest number of that part."""
    assert one.keys() == other.keys(), f"{sorted(one.keys() ^ other.keys())} in one of them only"
    return {name: apart(values, other[name]) for name, values in one.items()}


def apart(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape, (one.shape, other.shape)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(all="ignore"):
        difference = np.abs(np.where(same, 0, one) - np.where(same, 0, other)).max(initial=0) / size_of(one)
    return float(np.nan_to_num(difference, nan=np.inf))


def size_of(values: np.ndarray) -> float:
    """The largest number of a part, at least 1/100: what errors are relative to."""
    return float(np.abs(np.nan_to_num(values)).max(initial=1e-2))


def allowed(task: Task, part: str) -> float:
    """Return how far that part of two float64 records of a model may be apart."""
    coarse = part.rstrip("_0123456789").endswith(tuple(COARSE_METRICS))
    return COARSE if coarse or any(thing.name in COARSE_ACTIVATIONS for thing in task.things()) else EXACT


def rounded_starts(library: Any, task: Task, exact: Record, times: int = 8) -> float:
    """Return how far a float64 training moves from inputs and weights moved by a few roundings of float32.

    What is close to a kink, or to a decision, jumps in any training in float32: nothing is wrong with it.
    """
    return max(
        max(distance(exact, train(library, replace(task, nudge=1 + start), "float64")).values())
        for start in range(times)
    )


def digest(record: Record) -> dict[str, dict[str, float | None]]:
    """Return one number for each part of a record, a mean with uneven weights; None where it is not finite."""
    found: dict[str, dict[str, float | None]] = {}
    for name, values in record.items():
        call, _, part = name.partition(" ")
        number = uneven_mean(values)
        found.setdefault(call, {})[part] = float(f"{number:.15g}") if np.isfinite(number) else None
    return found


def uneven_mean(values: np.ndarray) -> float:
    return float(np.mean(values.ravel() * (1 + 0.5 * np.cos(np.arange(values.size)))))
