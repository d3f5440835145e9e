"""Engine models from compact descriptions, filled with numbers that anyone can make again: no random generator, no
library's rounding.

Everything derives from the engine's rows and the signatures in reference.py: a new row is tested without a line here.
"""

import hashlib
import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from reference import ACTIVATIONS, CONSTRAINTS, LAYERS, LOSSES, METRICS, OPTIMIZERS, Array
from reference_network import Key, Layer, Optimizer, Rule

from nnlite import _engine
from nnlite._engine import EngineModel, Run

# Sizes around the 16 lanes of the engine.
SIZES = (1, 2, 15, 16, 17, 33)

# A net with a layer as wide as this keeps units in its lanes, one of small layers only keeps rows there: two sets of
# routines to test.
WIDE = 130

# Values of the rows' numbers by their names in reference.py; 0.25 for a name that is not here. float32 holds nearly
# all of them exactly.
# Kinks lie at multiples of 1/256, where sums made of `inputs` and `fill` never come near.
VALUES = {
    "use_bias": 1.0,
    "center": 1.0,
    "scale": 1.0,
    "momentum": 0.875,
    "epsilon": 2.0**-10,
    "inner": 2.0**-10,
    "outer": 2.0**-9,
    "initial": 0.125,
    "rho": 0.875,
    "beta_1": 0.875,
    "beta_2": 0.96875,
    "schedule_decay": 0.004,
    "smoothing": 0.125,
    "threshold": 0.25,
    "offset": 0.5,
    "invert": 0.0,
    "k": 2.0,
    "alpha": 0.75,
    "max_value": 0.75,
    "learning_rate_power": -0.5,
    "gamma": 2.0,
    "negative": 0.75,
    "per_row": 0.0,
    "rests": 0.0,
    "zero_is_minus": 1.0,
    "l1": 0.03125,
    "l2": 0.0625,
}

# Where each family's formulas are, and how many of their arguments come before the row's numbers.
FORMULAS: dict[str, list[tuple[dict[str, Any], int]]] = {
    "layer": [(ACTIVATIONS, 1), (LAYERS, 3)],
    "activation": [(ACTIVATIONS, 1)],
    "loss": [(LOSSES, 2)],
    "metric": [(METRICS, 2)],
    "optimizer": [(OPTIMIZERS, 5)],
    "constraint": [(CONSTRAINTS, 1)],
}


def formula(family: str, row: str) -> tuple[Callable[..., Any], int]:
    for formulas, arguments in FORMULAS[family]:
        if row in formulas:
            entry = formulas[row]
            return (entry[0] if isinstance(entry, tuple) else entry), arguments
    raise LookupError(f"the engine's {family} {row!r} has no formula in tests/reference.py: add one under that name")


def numbers(family: str, row: str) -> tuple[float, ...]:
    """The numbers that tests give a row, in the order of its formula's arguments."""
    function, arguments = formula(family, row)
    if isinstance(function, np.ufunc):  # NumPy's own, without numbers and without a signature
        return ()
    return tuple(VALUES.get(name, 0.25) for name in list(inspect.signature(function).parameters)[arguments:])


def chain(*items: str | Layer) -> list[Layer]:
    """Layer records from "dense 20", "relu", ... or, with numbers other than the usual ones, ("dropout", 0, (0.5,))."""
    result: list[Layer] = []
    for item in items:
        if isinstance(item, str):
            row, _, units = item.partition(" ")
            item = (row, int(units or 0), numbers("layer", row))
        result.append(item)
    return result


def noise(shape: tuple[int, ...] | int, salt: int, steps: int = 8) -> Array:
    """Multiples of 1/steps in [-1, 1] without a visible pattern: splitmix64 of the index."""
    n = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt + 1) * np.uint64(
            0xD1342543DE82EF95
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    level = ((z >> np.uint64(32)) % np.uint64(2 * steps + 1)).astype(np.int64) - steps
    return (level / steps).reshape(shape)


def inputs(rows: int, columns: int, dtype: str = "float64", salt: int = 77) -> Array:
    """Multiples of 1/8 in [-1, 1]."""
    return noise((rows, columns), salt).astype(dtype)


def fill(model: EngineModel, salt: int = 0) -> EngineModel:
    """Kernels are odd multiples of 1/32, so never 0; vectors are odd multiples of 1/512; what must be positive is.

    A mean to be subtracted is an even one: the difference stays off the kinks."""
    for i, (_, name, shape, _) in enumerate(model.tensors()):
        if len(shape) == 2:
            value = noise(shape, salt + i) / 2 + 1 / 32
        elif name == "gamma" or name.endswith("variance"):
            value = noise(shape, salt + i) / 2 + 1 + 1 / 512
        elif name == "mean":
            value = noise(shape, salt + i) / 4
        else:
            value = noise(shape, salt + i) / 4 + 1 / 512
        model.write(0, i, value)
    return model


def build(
    layers: Sequence[Layer],
    input_units: int,
    dtype: str = "float64",
    target: str | None = None,
    seed: int = 1,
    rules: dict[Key, Rule] | None = None,
    salt: int = 0,
) -> EngineModel:
    """A model with filled parameters. rules: by layer and tensor, as for reference_network.Network."""

    def make(of_tensor: dict[Key, Rule], names: dict[int, list[str]]) -> EngineModel:
        records = []
        for i, (row, units, values) in enumerate(layers):
            own = [of_tensor.get((i, name), Rule()) for name in names.get(i, [""] * 4)]
            records.append((row, units, values, [(r.trainable, r.l1, r.l2, *r.constraint) for r in own]))
        return EngineModel(records, input_units, dtype, target, seed)

    model = make({}, {})
    if rules:
        names: dict[int, list[str]] = {}
        for layer, name, _, _ in model.tensors():
            names.setdefault(layer, []).append(name)
        model = make(rules, names)
    return fill(model, salt)


def compiled(
    model: EngineModel,
    loss: str = "mean_squared_error",
    optimizer: Optimizer | None = None,
    metrics: Sequence[str] = (),
    fuse: bool = False,
    weight: float = 1.0,
    total: bool = False,
    loss_numbers: tuple[float, ...] | None = None,
    by_weight: bool = False,
) -> EngineModel:
    """The model with a loss, by default the mean squared error, and an optimizer, by default sgd with rate 1. total:
    sum over rows; by_weight: over the sum of their weights."""
    o = optimizer or Optimizer("sgd", learning_rate=1.0)
    rates = (o.learning_rate, o.decay, o.weight_decay, o.clipvalue, o.clipnorm, o.global_clipnorm)
    record = (loss, numbers("loss", loss) if loss_numbers is None else loss_numbers, weight, total, by_weight, False)
    model.compile(record, fuse, [(name, numbers("metric", name)) for name in metrics], (o.row, o.numbers, *rates))
    return model


def targets(loss: str, rows: int, units: int, dtype: str = "float64", salt: int = 55) -> Array:
    """Targets that make sense for a loss or metric: class numbers, one-hot rows, signs, or shares near 0 and near 1."""
    classes = np.abs(noise((rows, 1), salt, 10**6) * 10**6).astype(np.int64) % units
    if loss.startswith("sparse_"):
        return classes.astype(dtype)
    if loss.startswith("categorical_"):
        return (classes == np.arange(units)).astype(dtype)
    level = noise((rows, units), salt, 31)
    if "hinge" in loss or "accuracy" in loss:
        return np.where(level > 0, 1, -1 if "hinge" in loss else 0).astype(dtype)
    return (np.where(level > 0, 0.95, 0.05) + level / 32).astype(dtype)


def parameters(model: EngineModel, buffer: int = 0) -> dict[Key, Array]:
    """Every tensor of the model by layer and name."""
    return {(layer, name): model.read(buffer, i) for i, (layer, name, _, _) in enumerate(model.tensors())}


def digest(model: EngineModel, *more: Array) -> str:
    """SHA-256 of parameters, optimizer slots and whatever else, in the model's own number type."""
    h = hashlib.sha256()
    for buffer in (0, *range(2, 2 + model.slots)):
        for i in range(len(model.tensors())):
            h.update(model.read(buffer, i).tobytes())
    for array in more:
        h.update(np.ascontiguousarray(array).tobytes())
    return h.hexdigest()


def history(run: Run) -> Array:
    """The means `Run.history` tells next, (epochs, columns)."""
    return np.array(run.history()).T


def train(model: EngineModel, batch_size: int, data: tuple[Array, ...], epochs: int, shuffle: int = 1) -> Array:
    """Trains in one call; the history, (epochs, 1 + metrics)."""
    run = Run(model, batch_size)
    run.bind(*data, shuffle=shuffle)
    while run.epochs < epochs:
        run.advance(2**40, epochs - run.epochs, 60.0)
    return history(run)


def in_another_process(call: Callable[[], None]) -> None:
    """Calls a function of a test file; what might crash the interpreter does so in one of its own."""
    code = f"import {call.__module__}; {call.__module__}.{call.__name__}()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-P", "-c", code]  # not from the folder that happens to be current
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Task:
    """A small training: 37 rows of 5 inputs in batches of 8, 12 epochs."""

    layers: list[Layer]
    loss: str = "mean_squared_error"
    optimizer: str = "sgd"
    options: dict[str, float] = field(default_factory=dict)
    rules: dict[Key, Rule] = field(default_factory=dict)
    weighted: bool = False
    shuffle: int = 1
    seed: int = 7

    ROWS: ClassVar = 37
    BATCH: ClassVar = 8
    EPOCHS: ClassVar = 12

    def data(self, dtype: str) -> tuple[Array, Array, Array | None]:
        units = next((units for _, units, _ in reversed(self.layers) if units), 5)
        weights = (1 + noise(self.ROWS, 3)).astype(dtype) if self.weighted else None
        return inputs(self.ROWS, 5, dtype), targets(self.loss, self.ROWS, units, dtype), weights

    def model(self, dtype: str, target: str | None = None) -> EngineModel:
        options = {"learning_rate": 0.0625} | self.options
        optimizer = Optimizer(self.optimizer, numbers("optimizer", self.optimizer), **options)
        model = build(self.layers, 5, dtype, target, self.seed, self.rules)
        return compiled(model, self.loss, optimizer, [self.loss], fuse=True)

    def digest(self, dtype: str, target: str | None = None) -> str:
        """Of everything there is after the training."""
        model, (x, t, weights) = self.model(dtype, target), self.data(dtype)
        history = train(model, self.BATCH, (x, t, weights), self.EPOCHS, self.shuffle)
        assert np.isfinite(history).all()
        run = Run(model, 16)
        return digest(model, history, run.predict(x), np.array(run.evaluate(x, t, weights)))


def tasks() -> dict[str, Task]:
    """Trainings that together use every row of the engine, and some that mix what people mix."""
    result = {}
    for storage, width in (("", 17), (", wide", WIDE)):
        for row in _engine.rows("layer"):
            item = f"dense {width}" if row == "dense" else row
            result[f"layer {row}{storage}"] = Task(chain(f"dense {width}", item, "dense 3"), optimizer="adam")
        for row in _engine.rows("loss"):
            layers = chain(f"dense {width}", "tanh", "dense 3", "sigmoid")
            result[f"loss {row}{storage}"] = Task(layers, loss=row, optimizer="momentum")
        for row in _engine.rows("optimizer"):
            layers = chain(f"dense {width}", "tanh", "dropout", "dense 3", "softmax")
            result[f"optimizer {row}{storage}"] = Task(layers, "categorical_crossentropy", row, weighted=True)
        for row in _engine.rows("constraint"):
            rule = Rule(constraint=(row, numbers("constraint", row)), l1=0.01, l2=0.01)
            rules = {(0, "kernel"): rule, (2, "bias"): rule}
            result[f"constraint {row}{storage}"] = Task(chain(f"dense {width}", "elu", "dense 2"), rules=rules)
    return result | {
        "one unit": Task(chain("dense 1", "sigmoid"), "binary_crossentropy"),
        "two by two": Task(chain("dense 2", "sigmoid", "dense 1", "sigmoid"), "binary_crossentropy", "rmsprop"),
        "classifier": Task(
            chain("dense 20", "relu", "dense 2", "softmax"),
            loss="sparse_categorical_crossentropy",
            optimizer="rmsprop",
        ),
        "deep": Task(
            chain("dense 16", "relu", "dense 33", "selu", "dense 15", "softplus", "dense 4"),
            loss="log_cosh",
            optimizer="nadam",
        ),
        "units side by side": Task(
            chain("dense 32", "tanh", "dense 16", "relu", "dense 32", "sigmoid", "dense 3"), optimizer="adam"
        ),
        "normalized": Task(
            chain("batch_normalization", "dense 17", "batch_normalization", "relu", "dropout", "dense 3", "softmax"),
            loss="categorical_crossentropy",
            optimizer="amsgrad",
            options={"decay": 0.01, "weight_decay": 0.1, "clipnorm": 1.0},
            weighted=True,
            shuffle=2,
        ),
        "clipped": Task(
            chain("dense 12", "tanh", "dense 1", "tanh"),
            loss="squared_hinge",
            optimizer="adamax",
            options={"clipvalue": 0.1},
            shuffle=0,
        ),
        "all together clipped": Task(
            chain("dense 12", "exponential", "dense 2", "softplus"),
            loss="poisson",
            optimizer="nesterov",
            options={"global_clipnorm": 0.5},
        ),
        "half frozen": Task(
            chain("dense 18", "softsign", "dense 18", "activity_regularization", "dense 2"),
            loss="mean_absolute_error",
            optimizer="adagrad",
            rules={(0, "kernel"): Rule(trainable=False, l2=0.01), (2, "bias"): Rule(trainable=False)},
            weighted=True,
        ),
    }
