"""Writes optimizers.json: 50 training steps of small networks by Keras 3 (on JAX) and PyTorch, all in float64.

    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python tests/golden/make_optimizers.py

made with keras 3.15.1, jax 0.10.2 and torch 2.13.0. The file holds starting points and batches too, so that tests
need neither library. Keras adds epsilon inside the root of rmsprop and adagrad, PyTorch outside; each makes its own.
"""

import json
import sys
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import torch
from keras.src.backend.common import dtypes

STEPS, ROWS, BATCH = 50, 12, 4


def wave(rows: int, columns: int, salt: int) -> np.ndarray:
    """Odd multiples of 1/64 in (-1/2, 1/2) without a visible pattern or a random generator."""
    i = np.arange(rows * columns)
    return (((7 * i * i + salt * i + 5) % 31) - 15.5).reshape(rows, columns) / 32


def dense(layer: int, inputs: int, units: int, salt: int) -> list[list[Any]]:
    return [[layer, "kernel", wave(inputs, units, salt)], [layer, "bias", wave(1, units, salt + 1)[0]]]


def normalization(layer: int, units: int) -> list[list[Any]]:
    start = {
        "gamma": 1 + wave(1, units, 2)[0],
        "beta": wave(1, units, 3)[0],
        "moving_mean": np.zeros(units),
        "moving_variance": np.ones(units),
    }
    return [[layer, name, value] for name, value in start.items()]


PROBLEMS: dict[str, dict[str, Any]] = {
    "regression": {
        "layers": [["dense", 5, [1]], ["tanh", 0, []], ["dense", 2, [1]]],
        "loss": ["mean_squared_error", []],
        "parameters": dense(0, 3, 5, 11) + dense(2, 5, 2, 4),
        "x": 2 * wave(ROWS, 3, 9),
        "t": wave(ROWS, 2, 20),
    },
    "two_classes": {
        "layers": [["dense", 6, [1]], ["relu", 0, []], ["dense", 1, [1]], ["sigmoid", 0, []]],
        "loss": ["binary_crossentropy", [0.0, 1e-7]],
        "parameters": dense(0, 4, 6, 13) + dense(2, 6, 1, 6),
        "x": 2 * wave(ROWS, 4, 3),
        "t": (wave(ROWS, 1, 8) > 0) * 1.0,
    },
    "normalized": {
        "layers": [
            ["batch_normalization", 0, [0.9, 1e-3, 1, 1]],
            ["dense", 5, [0]],
            ["activity_regularization", 0, [0.003, 0.002]],
            ["elu", 0, [0.7]],
            ["dense", 3, [1]],
            ["softmax", 0, []],
        ],
        "loss": ["categorical_crossentropy", [0.1, 1e-7]],
        "parameters": normalization(0, 4) + dense(1, 4, 5, 17)[:1] + dense(4, 5, 3, 10),
        "x": 3 * wave(ROWS, 4, 14) + 1,
        "t": np.eye(3)[np.arange(ROWS) * 5 % 7 % 3],
        "weights": 1 + 2 * wave(1, ROWS, 7)[0],
    },
}

optimizers = keras.optimizers
KERAS: dict[str, Any] = {
    "sgd": lambda **common: optimizers.SGD(**common),
    "momentum": lambda momentum, **common: optimizers.SGD(momentum=momentum, **common),
    "nesterov": lambda momentum, **common: optimizers.SGD(momentum=momentum, nesterov=True, **common),
    "rmsprop": lambda rho, inner, outer, **common: optimizers.RMSprop(rho=rho, epsilon=inner, **common),
    "rmsprop_momentum": lambda rho, inner, outer, momentum, **common: optimizers.RMSprop(
        rho=rho, epsilon=inner, momentum=momentum, **common
    ),
    "rmsprop_centered": lambda rho, inner, outer, momentum, **common: optimizers.RMSprop(
        rho=rho, epsilon=inner, momentum=momentum, centered=True, **common
    ),
    "adagrad": lambda inner, outer, initial, **common: optimizers.Adagrad(
        epsilon=inner, initial_accumulator_value=initial, **common
    ),
    "adadelta": lambda rho, epsilon, **common: optimizers.Adadelta(rho=rho, epsilon=epsilon, **common),
    "adam": lambda b1, b2, epsilon, **common: optimizers.Adam(beta_1=b1, beta_2=b2, epsilon=epsilon, **common),
    "amsgrad": lambda b1, b2, epsilon, **common: optimizers.Adam(
        beta_1=b1, beta_2=b2, epsilon=epsilon, amsgrad=True, **common
    ),
    "adamax": lambda b1, b2, epsilon, **common: optimizers.Adamax(beta_1=b1, beta_2=b2, epsilon=epsilon, **common),
    "nadam": lambda b1, b2, epsilon, schedule_decay, **common: optimizers.Nadam(
        beta_1=b1, beta_2=b2, epsilon=epsilon, **common
    ),
    "lion": lambda b1, b2, **common: optimizers.Lion(beta_1=b1, beta_2=b2, **common),
    "ftrl": lambda power, initial, l1, l2, shrinkage, beta, **common: optimizers.Ftrl(
        learning_rate_power=power,
        initial_accumulator_value=initial,
        l1_regularization_strength=l1,
        l2_regularization_strength=l2,
        l2_shrinkage_regularization_strength=shrinkage,
        beta=beta,
        **common,
    ),
}
TORCH: dict[str, Any] = {
    "sgd": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr, momentum: torch.optim.SGD(p, lr, momentum=momentum),
    "nesterov": lambda p, lr, momentum: torch.optim.SGD(p, lr, momentum=momentum, nesterov=True),
    "rmsprop": lambda p, lr, rho, inner, outer: torch.optim.RMSprop(p, lr, alpha=rho, eps=outer),
    "rmsprop_momentum": lambda p, lr, rho, inner, outer, momentum: torch.optim.RMSprop(
        p, lr, alpha=rho, eps=outer, momentum=momentum
    ),
    "rmsprop_centered": lambda p, lr, rho, inner, outer, momentum: torch.optim.RMSprop(
        p, lr, alpha=rho, eps=outer, momentum=momentum, centered=True
    ),
    "adagrad": lambda p, lr, inner, outer, initial: torch.optim.Adagrad(
        p, lr, eps=outer, initial_accumulator_value=initial
    ),
    "adadelta": lambda p, lr, rho, epsilon: torch.optim.Adadelta(p, lr, rho=rho, eps=epsilon),
    "adam": lambda p, lr, b1, b2, epsilon: torch.optim.Adam(p, lr, betas=(b1, b2), eps=epsilon),
    "amsgrad": lambda p, lr, b1, b2, epsilon: torch.optim.Adam(p, lr, betas=(b1, b2), eps=epsilon, amsgrad=True),
    "adamax": lambda p, lr, b1, b2, epsilon: torch.optim.Adamax(p, lr, betas=(b1, b2), eps=epsilon),
    "nadam": lambda p, lr, b1, b2, epsilon, schedule_decay: torch.optim.NAdam(
        p, lr, betas=(b1, b2), eps=epsilon, momentum_decay=schedule_decay
    ),
}

# (maker, row, numbers, learning rate). Epsilons are large to show their place; NEGLIGIBLE where PyTorch's is not ours.
NEGLIGIBLE = 1e-30
PLAIN: list[tuple[str, str, list[float], float]] = [
    ("keras", "sgd", [], 0.2),
    ("torch", "sgd", [], 0.2),
    ("keras", "momentum", [0.9], 0.05),
    ("torch", "momentum", [0.9], 0.05),
    ("keras", "nesterov", [0.9], 0.05),
    ("torch", "nesterov", [0.9], 0.05),
    ("keras", "rmsprop", [0.9, 1e-3, 0], 0.02),
    ("torch", "rmsprop", [0.9, 0, 1e-3], 0.02),
    ("keras", "rmsprop_momentum", [0.8, 1e-3, 0, 0.7], 0.01),
    ("torch", "rmsprop_momentum", [0.8, 0, 1e-3, 0.7], 0.01),
    ("keras", "rmsprop_centered", [0.8, 1e-3, 0, 0.7], 0.01),
    ("torch", "rmsprop_centered", [0.8, 0, 1e-3, 0.7], 0.01),
    ("keras", "adagrad", [1e-3, 0, 0.1], 0.1),
    ("torch", "adagrad", [0, 1e-3, 0.0], 0.1),
    ("keras", "adadelta", [0.95, 1e-4], 1.0),
    ("torch", "adadelta", [0.95, 1e-4], 1.0),
    ("keras", "adam", [0.9, 0.99, 1e-3], 0.02),
    ("torch", "adam", [0.9, 0.99, NEGLIGIBLE], 0.02),
    ("keras", "amsgrad", [0.8, 0.7, 1e-3], 0.02),
    ("torch", "amsgrad", [0.8, 0.7, NEGLIGIBLE], 0.02),
    ("keras", "adamax", [0.9, 0.99, 1e-3], 0.02),
    ("torch", "adamax", [0.9, 0.99, NEGLIGIBLE], 0.02),
    ("keras", "nadam", [0.9, 0.99, 1e-3, 1.0], 0.02),
    ("torch", "nadam", [0.9, 0.99, 1e-3, 0.004], 0.02),
    ("keras", "lion", [0.9, 0.99], 0.005),
    ("keras", "ftrl", [-0.5, 0.1, 0.0, 0.0, 0.0, 0.0], 0.1),
    ("keras", "ftrl", [-0.7, 0.2, 0.01, 0.02, 0.03, 0.1], 0.1),
]

# Numbers common to all optimizers, and rules of single tensors: (problem, row, numbers, common, rules), by Keras.
OPTIONS: list[tuple[str, str, list[float], dict[str, float], list[list[Any]]]] = [
    ("two_classes", "momentum", [0.5], {"learning_rate": 0.1, "decay": 0.05}, []),
    ("two_classes", "adam", [0.9, 0.99, 1e-7], {"learning_rate": 0.02, "weight_decay": 0.3}, []),
    ("regression", "sgd", [], {"learning_rate": 0.3, "clipvalue": 0.02}, []),
    ("regression", "sgd", [], {"learning_rate": 0.3, "clipnorm": 0.05}, []),
    ("regression", "sgd", [], {"learning_rate": 0.3, "global_clipnorm": 0.1}, []),
    ("normalized", "sgd", [], {"learning_rate": 0.1}, []),
    (
        "normalized",
        "adam",
        [0.9, 0.99, 1e-7],
        {"learning_rate": 0.03},
        [
            [0, "gamma", {"constraint": ["non_neg", []]}],
            [1, "kernel", {"l1": 0.01, "l2": 0.02, "constraint": ["max_norm", [0.6]]}],
            [4, "kernel", {"constraint": ["min_max_norm", [0.7, 0.9, 0.5]]}],
            [4, "bias", {"l2": 0.1, "constraint": ["unit_norm", []]}],
        ],
    ),
    (
        "normalized",
        "sgd",
        [],
        {"learning_rate": 0.1},
        [[1, "kernel", {"trainable": False}], [0, "beta", {"trainable": False}]],
    ),
]


def keras_layer(index: int, record: list[Any], rules: list[list[Any]]) -> keras.layers.Layer:
    row, units, numbers = record
    arguments: dict[str, Any] = {}
    for layer, tensor, rule in rules:
        if layer == index and "trainable" not in rule:
            constraint, values = rule.get("constraint", ["none", []])
            classes = {
                "non_neg": "NonNeg",
                "max_norm": "MaxNorm",
                "min_max_norm": "MinMaxNorm",
                "unit_norm": "UnitNorm",
            }
            if constraint != "none":
                arguments[tensor + "_constraint"] = getattr(keras.constraints, classes[constraint])(*values)
            if "l1" in rule or "l2" in rule:
                arguments[tensor + "_regularizer"] = keras.regularizers.L1L2(rule.get("l1", 0.0), rule.get("l2", 0.0))
    if row == "dense":
        return keras.layers.Dense(units, use_bias=bool(numbers[0]), **arguments)
    if row == "batch_normalization":
        return keras.layers.BatchNormalization(momentum=numbers[0], epsilon=numbers[1], **arguments)
    if row == "activity_regularization":
        return keras.layers.ActivityRegularization(
            *(BATCH * number for number in numbers)
        )  # Keras 3 divides by the rows, our row does not
    return keras.layers.ELU(*numbers) if row == "elu" else keras.layers.Activation(row)


def run_keras(
    problem: dict[str, Any], row: str, numbers: list[float], common: dict[str, float], rules: list[list[Any]]
) -> dict[str, Any]:
    layers = [keras_layer(i, record, rules) for i, record in enumerate(problem["layers"])]
    model = keras.Sequential([keras.Input((problem["x"].shape[1],)), *layers])
    tensors = {(i, variable.name): variable for i, layer in enumerate(layers) for variable in layer.weights}
    for layer, name, value in problem["parameters"]:
        tensors[layer, name].assign(value)
    for layer, name, rule in rules:
        tensors[layer, name].trainable = rule.get("trainable", True)
    settings: dict[str, Any] = dict(common)
    if "decay" in settings:
        settings["learning_rate"] = optimizers.schedules.InverseTimeDecay(
            settings["learning_rate"], 1, settings.pop("decay")
        )
    loss, loss_numbers = problem["loss"]
    smoothing = {"label_smoothing": loss_numbers[0]} if loss_numbers else {}
    classes = {
        "mean_squared_error": "MeanSquaredError",
        "binary_crossentropy": "BinaryCrossentropy",
        "categorical_crossentropy": "CategoricalCrossentropy",
    }
    model.compile(KERAS[row](*numbers, **settings), getattr(keras.losses, classes[loss])(**smoothing))
    losses = []
    for step in range(STEPS):
        rows = batch_rows(step)
        model.reset_metrics()
        losses.append(
            float(
                model.train_on_batch(
                    problem["x"][rows], problem["t"][rows], problem["weights"][rows] if "weights" in problem else None
                )
            )
        )
    return {"losses": losses, "parameters": [[i, name, np.asarray(value)] for (i, name), value in tensors.items()]}


def run_torch(problem: dict[str, Any], row: str, numbers: list[float], learning_rate: float) -> dict[str, Any]:
    tensors = {(layer, name): torch.tensor(value, requires_grad=True) for layer, name, value in problem["parameters"]}
    optimizer = TORCH[row](list(tensors.values()), learning_rate, *numbers)
    losses = []
    for step in range(STEPS):
        rows = batch_rows(step)
        y = torch.tensor(problem["x"][rows])
        for i, (kind, _, _) in enumerate(problem["layers"]):
            y = y @ tensors[i, "kernel"] + tensors[i, "bias"] if kind == "dense" else getattr(torch, kind)(y)
        loss = {"mean_squared_error": torch.nn.MSELoss, "binary_crossentropy": torch.nn.BCELoss}[problem["loss"][0]]()
        value = loss(y, torch.tensor(problem["t"][rows]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return {"losses": losses, "parameters": [[i, name, value.detach().numpy()] for (i, name), value in tensors.items()]}


def batch_rows(step: int) -> np.ndarray:
    return (np.arange(BATCH) + BATCH * step) % ROWS


def main() -> None:
    keras.config.set_floatx("float64")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else Keras rounds to float32 within many operations
    torch.set_default_dtype(torch.float64)
    if keras.config.backend() != "jax" or not jax.config.jax_enable_x64:
        sys.exit("set KERAS_BACKEND=jax and JAX_ENABLE_X64=1")
    runs = []
    for maker, row, numbers, rate in PLAIN:
        for name in ("regression", "two_classes"):
            problem, common = PROBLEMS[name], {"learning_rate": rate}
            result = (
                run_keras(problem, row, numbers, common, [])
                if maker == "keras"
                else run_torch(problem, row, numbers, rate)
            )
            runs.append(
                {"maker": maker, "problem": name, "row": row, "numbers": numbers, "common": common, "rules": []}
                | result
            )
    for name, row, numbers, common, rules in OPTIONS:
        result = run_keras(PROBLEMS[name], row, numbers, common, rules)
        runs.append(
            {"maker": "keras", "problem": name, "row": row, "numbers": numbers, "common": common, "rules": rules}
            | result
        )
    record = {"batch_rows": [batch_rows(step) for step in range(STEPS)], "problems": PROBLEMS, "runs": runs}
    text = json.dumps(record, default=lambda array: array.tolist(), separators=(",", ":"))
    Path(__file__).with_name("optimizers.json").write_text(text.replace('{"maker"', '\n{"maker"') + "\n")


main()
