"""Random models and what to train them on, each from its seed, the same in every library of Keras' names: the things
that random_things.py draws, put together so that they make sense.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from random_things import NOT_COMPARED, Draw, Thing, Vocabulary, called, plain_penalty

from nnlite import confusion, operating_points
from nnlite.losses import LOSSES
from nnlite.metrics import METRICS


@dataclass(frozen=True)
class Task:
    """A model and all it is trained and tested on, in float64 numbers that float32 holds."""

    seed: int
    inputs: int
    layers: list[Thing]
    loss: Thing
    optimizer: Thing
    metrics: list[Thing]
    x: np.ndarray
    y: np.ndarray
    batch_size: int
    fit: dict[str, Any]
    weights: dict[str, Any]  # sample_weight or class_weight
    nudge: int = 0  # if not 0, inputs and first weights are moved at random, by up to four roundings of float32

    def first_weights(self, shapes: list[list[tuple[int, ...]]]) -> list[list[np.ndarray]]:
        """Return the weights to start from for layers with weights of these shapes: vectors, which may be variances,
        are positive."""
        draw = np.random.RandomState(self.seed)
        return [
            [
                draw.uniform(-1, 1, shape) * (3 / shape[0]) ** 0.5 if len(shape) > 1 else draw.uniform(0.2, 1, shape)
                for shape in layer
            ]
            for layer in shapes
        ]

    def nudged(self, values: np.ndarray) -> np.ndarray:
        """Return numbers that float32 holds, or, if there is a nudge, somewhere near."""
        size = 4 * np.finfo(np.float32).eps * bool(self.nudge)
        return np.asarray(single(values) * (1 + size * np.random.RandomState(self.nudge).uniform(-1, 1, values.shape)))

    def things(self) -> list[Thing]:
        """Return everything drawn, for counting."""
        return [part for thing in (*self.layers, self.loss, self.optimizer, *self.metrics) for part in thing.parts()]


def single(values: Any) -> Any:
    """Round to float32, kept as float64, so that both types start from the same numbers."""
    return np.asarray(values, np.float32).astype(np.float64)


# What the targets of a loss are, reals unless told here or a class of a crossentropy.
TARGETS = {
    "dice": "bits",
    "tversky": "bits",
    "hinge": "signs",
    "squared_hinge": "signs",
    "categorical_hinge": "one_hot",
    "kl_divergence": "shares",
    "poisson": "counts",
    "mean_squared_logarithmic_error": "counts",
    "io_u": "labels",
    "mean_io_u": "labels",
}
# Activations whose outputs are what losses of such targets are for.
HEADS = {
    "bits": ["sigmoid"],
    "one_hot": ["softmax"],
    "labels": ["softmax"],
    "shares": ["softmax"],
    "counts": ["softplus", "exponential", "sigmoid"],
}


def target_kind(name: str) -> str:
    """What the targets of a loss or metric are."""
    make: Any = (LOSSES.entries if name in LOSSES.entries else METRICS.entries)[name].make
    if getattr(make, "sparse", False):
        return "labels"
    first = name.partition("_")[0]
    return TARGETS.get(name) or {"binary": "bits", "categorical": "one_hot", "one": "one_hot"}.get(first, "reals")


def targets(draw: Draw, kind: str, rows: int, units: int) -> np.ndarray:
    """Targets (rows, units) of that kind, (rows,) for labels."""
    classes = np.arange(rows) % units if rows >= units else draw.randint(units, size=rows)
    classes = draw.permutation(classes)
    if kind == "labels":
        return classes
    if kind == "one_hot":
        return np.eye(units)[classes]
    if kind in ("bits", "signs"):
        bits = draw.randint(2, size=(rows, units))
        return bits if kind == "bits" or draw.coin(0.3) else 2 * bits - 1  # hinge losses take 0 and 1 too
    if kind == "shares":
        shares = draw.uniform(0.1, 1, (rows, units))
        return single(shares / shares.sum(axis=1, keepdims=True))
    if kind == "counts":
        return draw.randint(0, 5, size=(rows, units))
    return single(draw.uniform(0.2, 1.5, (rows, units)) * (2 * draw.randint(2, size=(rows, units)) - 1))


def task(seed: int, words: Vocabulary) -> Task:
    """Return the model of that seed and its data."""
    draw = Draw(seed, words)
    name = draw.one(sorted(words["losses"]))
    kind, loss = target_kind(name), draw.thing("losses", name)
    inputs, outputs = draw_width(draw), max(draw_width(draw), 1 if kind in ("bits", "signs", "reals", "counts") else 2)
    head = "linear" if loss.arguments.get("from_logits") else draw.one(HEADS.get(kind, sorted(words["activations"])))
    layers = body(draw, inputs) + last_layers(draw, outputs, head)
    batch_size = int(draw.randint(1, 41))
    rows = int(draw.randint(batch_size + 1, 3 * batch_size + 2))
    x, y = single(draw.uniform(-1.5, 1.5, (rows, inputs))), targets(draw, kind, rows, outputs)
    weights: dict[str, Any] = {}
    if draw.coin(0.3):
        weights["sample_weight"] = single(draw.uniform(0.2, 2, rows))
    elif (kind in ("labels", "one_hot") or (kind == "bits" and outputs == 1)) and draw.coin(0.3):
        weights["class_weight"] = {c: draw.number(0.2, 2) for c in range(max(outputs, 2))}
    fit: dict[str, Any] = {}
    if draw.coin(0.3) and rows >= 4:
        fit["validation_split"] = draw.number(0.2, 0.5)
    elif draw.coin(0.5):
        held = int(draw.randint(1, 2 * batch_size + 1))
        fit["validation_data"] = (single(draw.uniform(-1.5, 1.5, (held, inputs))), targets(draw, kind, held, outputs))
        if draw.coin(0.4):
            fit["validation_data"] += (single(draw.uniform(0.2, 2, held)),)
    optimizer = draw.thing("optimizers")
    if any(thing.family == "constraints" for layer in layers for thing in layer.parts()):
        kept = {
            k: v for k, v in optimizer.arguments.items() if f"optimizers {k} beside constraints" not in NOT_COMPARED
        }
        optimizer = Thing(optimizer.family, optimizer.name, kept)
    return Task(
        seed, inputs, layers, loss, optimizer, measured_by(draw, kind, head, outputs), x, y, batch_size,
        fit, weights,
    )  # fmt: skip


def draw_width(draw: Draw) -> int:
    """From 1 to 40, half of them small: the engine keeps nets of at most 32 inputs otherwise than others."""
    return int(draw.one([draw.randint(1, 8), draw.randint(1, 8), draw.randint(8, 33), draw.randint(33, 41)]))


def body(draw: Draw, inputs: int) -> list[Thing]:
    """One to three layers before the last."""
    found: list[Thing] = []
    draw.width = inputs
    for _ in range(draw.randint(1, 4)):
        layer = draw.thing("layers", "dense" if draw.coin(0.4) else None)
        common = {
            "trainable": draw.coin(),
            "activity_regularizer": plain_penalty(draw),
        }
        kept = {name: value for name, value in common.items() if draw.coin(0.1)}
        if layer.name == called("layers", "activity_regularization"):  # whose arguments say the same
            kept.pop("activity_regularizer", None)
        found.append(Thing(layer.family, layer.name, kept | dict(layer.arguments)))
        if layer.name == called("layers", "repeat_vector"):
            found.append(Thing("layers", called("layers", "flatten")))
        draw.width = layer.arguments.get("units", draw.width)
    return found


def last_layers(draw: Draw, outputs: int, head: str) -> list[Thing]:
    """A dense layer of the outputs, its activation in it or behind it."""
    activation = draw.thing("activations", head)
    if draw.coin(0.7):
        return [draw.thing("layers", "dense", units=outputs, activation=activation)]
    behind = Thing("layers", called("layers", "activation"), {"activation": activation})
    return [draw.thing("layers", "dense", units=outputs, activation=None), behind]


def measured_by(draw: Draw, kind: str, head: str, outputs: int) -> list[Thing]:
    """Up to three metrics that such targets and outputs have a meaning for, each once."""
    probabilities = kind in ("bits", "one_hot") and head != "linear"
    known = []
    for name in sorted(draw.words["metrics"]):
        make: Any = METRICS.entries[name].make
        if getattr(make, "__module__", "") in (confusion.__name__, operating_points.__name__):
            fits = probabilities
        else:
            of = target_kind(name)
            fits = of == kind or (of == "reals" and kind != "labels")
        if fits or called("metrics", name) == name:  # a word fits all
            known.append(name)
    draw.width = outputs
    return [draw.thing("metrics", str(name)) for name in draw.permutation(known)[: draw.randint(0, 4)]]
