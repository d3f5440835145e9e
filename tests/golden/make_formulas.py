"""Writes formulas.json: single activations, losses, metrics, ... by Keras 3 (on JAX) and PyTorch, in float64.

    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python tests/golden/make_formulas.py

made with keras 3.15.1, jax 0.10.2 and torch 2.13.0. PyTorch stands in where Keras 3 does not have the row.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import torch
from keras.src.backend.common import dtypes

Array = np.ndarray
Entry = dict[str, Any]

SIZES = [1e-9, 0.001, 0.3, 0.75, 1.0, 2.25, 4.5, 11.0, 35.0, 700.0]
LINE = np.array([[-x for x in reversed(SIZES)] + [0.0], [0.0, *SIZES]])
NO_ZERO = np.where(LINE == 0, 0.125, LINE)  # for rows with a kink at 0 whose derivative there is a matter of taste
RIGHT = np.maximum(LINE, -2.25)  # Keras' own digits cancel further left
NO_ONE = np.where(np.abs(LINE) == 1, LINE * 1.0625, LINE)  # likewise for rows with kinks at -1 and 1
SCORES = np.array(
    [[0.5, -1.25, 2.0, 0.0], [30.0, 29.0, -30.0, 30.5], [-700.0, 0.0, 700.0, 1.0], [1e-9, 0.0, -1e-9, 3.0]]
)
SLOPES = np.array([[0.5, -1.5, 1.25, 0.75], [-0.25, 2.0, 1.0, -1.0], [1.5, 0.25, -0.75, 0.5], [1.0, -2.0, 0.25, 1.75]])

relu, line = keras.activations.relu, LINE
# row, numbers, function, x
ACTIVATIONS: list[tuple[str, list[float], Callable[[Any], Any], Array]] = [
    ("linear", [], keras.activations.linear, line),
    ("relu", [], relu, line),
    ("leaky_relu", [0.3], lambda x: keras.activations.leaky_relu(x, 0.3), line),
    ("leaky_relu", [0.01], lambda x: keras.activations.leaky_relu(x, 0.01), line),
    ("rectifier", [0.0, 6.0, 0.0], lambda x: relu(x, max_value=6.0), NO_ZERO),
    ("rectifier", [0.2, 3.0, 0.5], lambda x: relu(x, 0.2, 3.0, 0.5), line),
    ("rectifier", [0.1, np.inf, -0.4], lambda x: relu(x, 0.1, None, -0.4), line),
    ("rectifier", [0.0, np.inf, 2.0], lambda x: relu(x, 0.0, None, 2.0), line),
    ("sigmoid", [], keras.activations.sigmoid, line),
    ("hard_sigmoid", [1 / 6, 0.5], keras.activations.hard_sigmoid, line),
    ("hard_sigmoid", [0.2, 0.5], lambda x: torch.clamp(0.2 * x + 0.5, 0, 1), line),  # Keras 1 and 2
    ("tanh", [], keras.activations.tanh, line),
    ("softmax", [], keras.activations.softmax, SCORES),
    ("softplus", [], keras.activations.softplus, line),
    ("softsign", [], keras.activations.softsign, line),
    ("elu", [1.0], keras.activations.elu, line),
    ("elu", [0.3], lambda x: keras.activations.elu(x, 0.3), line),
    ("selu", [], keras.activations.selu, line),
    ("exponential", [], keras.activations.exponential, line),
    ("silu", [], keras.activations.silu, line),
    ("gelu", [], lambda x: keras.activations.gelu(x, approximate=False), line),
    ("gelu_tanh", [], lambda x: keras.activations.gelu(x, approximate=True), line),
    ("mish", [], keras.activations.mish, line),
    ("log_softmax", [], keras.activations.log_softmax, SCORES),
    ("log_sigmoid", [], keras.activations.log_sigmoid, line),
    ("hard_silu", [], keras.activations.hard_silu, line),
    ("hard_tanh", [], keras.activations.hard_tanh, NO_ONE),
    ("celu", [1.0], keras.activations.celu, line),
    ("celu", [0.3], lambda x: keras.activations.celu(x, 0.3), line),
    ("soft_shrink", [0.5], keras.activations.soft_shrink, line),
    ("soft_shrink", [0.2], lambda x: keras.activations.soft_shrink(x, 0.2), line),
    ("hard_shrink", [0.5], keras.activations.hard_shrink, line),
    ("hard_shrink", [0.2], lambda x: keras.activations.hard_shrink(x, 0.2), line),
    ("tanh_shrink", [], keras.activations.tanh_shrink, line),
    ("squareplus", [4.0], keras.activations.squareplus, RIGHT),
    ("squareplus", [0.25], lambda x: keras.activations.squareplus(x, 0.25), RIGHT),
    ("sparse_plus", [], keras.activations.sparse_plus, line),
    ("threshold", [0.5, -1.5], lambda x: keras.activations.threshold(x, 0.5, -1.5), line),
]

T = np.array([[0.5, -1.5, 2.0], [1e-8, -0.25, 0.0], [4.0, 1.0, -3.0], [0.125, 60.0, -2.0]])
P = np.array([[0.75, -1.0, 1.75], [0.5, 0.25, -0.125], [-1.0, 2.5, -2.75], [-55.0, 0.5, 1.75]])
POSITIVE_T = np.array([[0.5, 1.5, 2.0], [0.0, 0.25, 3.0], [4.0, 1.0, 0.0]])
POSITIVE_P = np.array([[0.75, 1.0, 1.75], [0.5, 1e-4, 0.125], [0.25, 2.5, 2.75]])
SIGNS = np.array([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, 1.0, -1.0]])
LABELED = (SIGNS + 1) / 2
MARGINS = np.array([[0.5, 0.25, 2.0], [-1.5, 1.5, -0.5], [0.0, 0.75, -0.875]])
BITS = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.25, 0.0, 1.0], [1.0, 0.0, 0.0]])
CHANCES = np.array(
    [[0.5, 0.25, 0.875], [1e-4, 0.99, 0.25], [0.625, 0.5, 0.0625], [0.0, 1.0, 1e-9]]
)  # the last row is clipped
CLASSES = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
SHARES = np.array([[0.25, 0.5, 0.25], [0.1, 0.2, 0.9], [3.0, 1.0, 0.5], [1.0, 0.0, 1e-9]])  # rows need not sum to 1
LABELS = np.array([[1.0], [0.0], [2.0], [1.0]])
LOGITS = np.array([[0.5, -1.25, 2.0], [30.0, -29.0, 0.0], [-700.0, 650.0, 1.0], [1e-9, 0.0, -3.0]])
MILD_LOGITS = np.array(
    [[0.5, -1.25, 2.0], [-3.0, 1.5, 0.0], [0.25, -0.75, 1.0], [1e-9, 0.0, -2.5]]
)  # near enough to 0 that Keras, whose focal losses clip probabilities, does not
OUTSIDE = np.array([[0.5, 0.25, 0.875], [0.3, 0.9, 0.25], [0.625, 0.5, 0.0625], [1e-9, 2.0, -0.5]])  # likewise

losses = keras.losses
# row, numbers, function(t, p), t, p
LOSSES: list[tuple[str, list[float], Callable[[Any, Any], Any], Array, Array]] = [
    ("mean_squared_error", [], losses.mean_squared_error, T, P),
    ("mean_absolute_error", [], losses.mean_absolute_error, T, P),
    ("mean_absolute_percentage_error", [1e-7], losses.mean_absolute_percentage_error, T, P),
    ("mean_absolute_percentage_error", [1e-3], losses.mean_absolute_percentage_error, T, P),
    ("mean_squared_logarithmic_error", [1e-7], losses.mean_squared_logarithmic_error, T, P),
    ("mean_squared_logarithmic_error", [0.01], losses.mean_squared_logarithmic_error, POSITIVE_T, POSITIVE_P),
    ("binary_crossentropy", [0.0, 1e-7], losses.binary_crossentropy, BITS, CHANCES),
    (
        "binary_crossentropy",
        [0.2, 1e-3],
        lambda t, p: losses.binary_crossentropy(t, p, label_smoothing=0.2),
        BITS,
        CHANCES,
    ),
    ("binary_crossentropy_from_logits", [0.0], lambda t, p: losses.binary_crossentropy(t, p, True), BITS, LOGITS),
    ("binary_crossentropy_from_logits", [0.2], lambda t, p: losses.binary_crossentropy(t, p, True, 0.2), BITS, LOGITS),
    ("categorical_crossentropy", [0.0, 1e-7], losses.categorical_crossentropy, CLASSES, SHARES),
    (
        "categorical_crossentropy",
        [0.3, 1e-3],
        lambda t, p: losses.categorical_crossentropy(t, p, False, 0.3),
        CLASSES,
        SHARES,
    ),
    (
        "categorical_crossentropy_from_logits",
        [0.0],
        lambda t, p: losses.categorical_crossentropy(t, p, True),
        CLASSES,
        LOGITS,
    ),
    (
        "categorical_crossentropy_from_logits",
        [0.3],
        lambda t, p: losses.categorical_crossentropy(t, p, True, 0.3),
        CLASSES,
        LOGITS,
    ),
    ("sparse_categorical_crossentropy", [1e-7], losses.sparse_categorical_crossentropy, LABELS, SHARES),
    ("sparse_categorical_crossentropy", [1e-3], losses.sparse_categorical_crossentropy, LABELS, SHARES),
    (
        "sparse_categorical_crossentropy_from_logits",
        [],
        lambda t, p: losses.sparse_categorical_crossentropy(t, p, True),
        LABELS,
        LOGITS,
    ),
    ("hinge", [], losses.hinge, SIGNS, MARGINS),
    ("squared_hinge", [], losses.squared_hinge, SIGNS, MARGINS),
    ("hinge", [1.0], losses.hinge, LABELED, MARGINS),
    ("squared_hinge", [1.0], losses.squared_hinge, LABELED, MARGINS),
    ("categorical_hinge", [], losses.categorical_hinge, CLASSES, P),
    ("log_cosh", [], losses.log_cosh, T, P),
    ("kl_divergence", [1e-7], losses.kl_divergence, CLASSES, OUTSIDE),
    ("kl_divergence", [1e-3], losses.kl_divergence, CLASSES, OUTSIDE),
    ("poisson", [1e-7], losses.poisson, POSITIVE_T, POSITIVE_P),
    ("poisson", [1e-3], losses.poisson, POSITIVE_T, POSITIVE_P),
    ("cosine_similarity", [], losses.cosine_similarity, T, P),
    ("huber", [1.0], losses.huber, T, P),
    ("huber", [0.25], lambda t, p: losses.huber(t, p, 0.25), T, P),
    (
        "binary_focal_crossentropy",
        [0.0, 1e-7, 2.0, 1.0, 1.0],
        losses.binary_focal_crossentropy,
        BITS,
        CHANCES,
    ),
    (
        "binary_focal_crossentropy",
        [0.2, 1e-3, 1.5, 0.3, 0.7],
        lambda t, p: losses.binary_focal_crossentropy(t, p, True, 0.3, 1.5, label_smoothing=0.2),
        BITS,
        CHANCES,
    ),
    (
        "binary_focal_crossentropy_from_logits",
        [0.1, 3.0, 0.3, 0.7],
        lambda t, p: losses.binary_focal_crossentropy(t, p, True, 0.3, 3.0, True, 0.1),
        BITS,
        MILD_LOGITS,
    ),
    ("categorical_focal_crossentropy", [0.0, 1e-7, 0.25, 2.0], losses.categorical_focal_crossentropy, CLASSES, SHARES),
    (
        "categorical_focal_crossentropy",
        [0.3, 1e-3, 0.6, 1.5],
        lambda t, p: losses.categorical_focal_crossentropy(t, p, 0.6, 1.5, False, 0.3),
        CLASSES,
        SHARES,
    ),
    (
        "categorical_focal_crossentropy_from_logits",
        [0.3, 0.6, 1.5],
        lambda t, p: losses.categorical_focal_crossentropy(t, p, 0.6, 1.5, True, 0.3),
        CLASSES,
        MILD_LOGITS,
    ),
]

TIES = np.array([[0.5, 0.5, 0.25], [0.0, 1.0, 2.5], [1.5, -0.5, -1.5], [0.4, 0.6, 1.0]])
ROUNDED = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 2.0], [2.0, 0.0, -1.0], [0.0, 1.0, 1.0]])
metrics = keras.metrics


def each_row(make: Callable[[], Any], t: Array, p: Array) -> list[float]:
    """A metric that only counts, for one row after another."""
    return [float(make()(t[i : i + 1], p[i : i + 1])) for i in range(len(p))]


METRICS: list[tuple[str, list[float], Callable[[Any, Any], Any], Array, Array]] = [
    ("binary_accuracy", [0.5], lambda t, p: metrics.binary_accuracy(t, p).mean(-1), ROUNDED, TIES),
    ("binary_accuracy", [0.25], lambda t, p: metrics.binary_accuracy(t, p, 0.25).mean(-1), BITS, TIES),
    ("rounded_accuracy", [], lambda t, p: np.mean(t == torch.round(torch.tensor(p)).numpy(), axis=-1), ROUNDED, TIES),
    ("categorical_accuracy", [], metrics.categorical_accuracy, ROUNDED, TIES),
    ("sparse_categorical_accuracy", [], metrics.sparse_categorical_accuracy, LABELS, TIES),
    ("top_k_categorical_accuracy", [2], lambda t, p: metrics.top_k_categorical_accuracy(t, p, 2), ROUNDED, TIES),
    (
        "sparse_top_k_categorical_accuracy",
        [2],
        lambda t, p: metrics.sparse_top_k_categorical_accuracy(t[:, 0], p, 2),
        LABELS,
        TIES,
    ),
    ("exact_accuracy", [], lambda t, p: each_row(metrics.Accuracy, t, p), ROUNDED, TIES),
    ("true_positives", [0.5], lambda t, p: each_row(lambda: metrics.TruePositives(0.5), t, p), BITS, TIES),
    ("false_positives", [0.5], lambda t, p: each_row(lambda: metrics.FalsePositives(0.5), t, p), BITS, TIES),
    ("true_negatives", [0.25], lambda t, p: each_row(lambda: metrics.TrueNegatives(0.25), t, p), BITS, TIES),
    ("false_negatives", [0.25], lambda t, p: each_row(lambda: metrics.FalseNegatives(0.25), t, p), BITS, TIES),
]

constraints = keras.constraints
CONSTRAINTS: list[tuple[str, list[float], Callable[[Any], Any]]] = [
    ("none", [], lambda w: w),
    ("max_norm", [1.0], constraints.MaxNorm(1.0)),
    ("non_neg", [], constraints.NonNeg()),
    ("unit_norm", [], constraints.UnitNorm()),
    ("min_max_norm", [0.5, 1.5, 0.75], constraints.MinMaxNorm(0.5, 1.5, 0.75)),
]
KERNEL = np.array([[0.5, -2.0, 0.0], [0.25, 1.5, 0.0], [-1.0, 0.125, 0.0], [0.75, 0.5, -0.01]])
NO_ZEROS = KERNEL + 0.015625  # JAX lets |w| rise at 0, PyTorch and we keep it level
INITIALIZERS = ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"]
FAN_IN, FAN_OUT = 300, 1000


def activation(row: str, numbers: list[float], function: Callable[[Any], Any], x: Array) -> Entry:
    dy = SLOPES if x is SCORES else np.resize(SLOPES, x.shape)
    if row == "hard_sigmoid" and numbers[0] == 0.2:
        given = torch.tensor(x, requires_grad=True)
        value = function(given)
        value.backward(torch.tensor(dy))
        return {
            "maker": "torch",
            "row": row,
            "numbers": numbers,
            "x": x,
            "dy": dy,
            "y": value.detach().numpy(),
            "dx": given.grad.numpy(),
        }
    y, pull = jax.vjp(function, jax.numpy.asarray(x))
    return {
        "maker": "keras",
        "row": row,
        "numbers": numbers,
        "x": x,
        "dy": dy,
        "y": y,
        "dx": pull(jax.numpy.asarray(dy))[0],
    }


def loss(row: str, numbers: list[float], function: Callable[[Any, Any], Any], t: Array, p: Array) -> Entry:
    smooths = row.startswith(("binary_", "categorical_crossentropy", "categorical_focal"))
    epsilons = numbers[1:] if smooths else numbers
    without = row == "huber" or row.endswith("_from_logits") or not epsilons
    keras.config.set_epsilon(1e-7 if without else epsilons[0])
    gradient = jax.grad(lambda p: function(t, p).sum())(jax.numpy.asarray(p))
    result = {
        "maker": "keras",
        "row": row,
        "numbers": numbers,
        "t": t,
        "p": p,
        "value": function(t, p),
        "gradient": gradient,
    }
    keras.config.set_epsilon(1e-7)
    return result


def metric(row: str, numbers: list[float], function: Callable[[Any, Any], Any], t: Array, p: Array) -> Entry:
    maker = "torch" if row == "rounded_accuracy" else "keras"
    return {
        "maker": maker,
        "row": row,
        "numbers": numbers,
        "t": t,
        "p": p,
        "value": np.asarray(function(t, p), dtype=np.float64),
    }


def constraint(row: str, numbers: list[float], function: Callable[[Any], Any], w: Array) -> Entry:
    return {"maker": "keras", "row": row, "numbers": numbers, "w": w, "value": function(w)}


def initializer(row: str) -> Entry:
    """A large draw tells the deviation to a few parts in a thousand, and the limit."""
    drawn = np.asarray(keras.initializers.get({"class_name": row, "config": {"seed": 1}})((FAN_IN, FAN_OUT)))
    return {
        "maker": "keras",
        "row": row,
        "fans": [FAN_IN, FAN_OUT],
        "deviation": drawn.std(),
        "largest": np.abs(drawn).max(),
    }


def penalty(l1: float, l2: float) -> Entry:
    regularizer = keras.regularizers.L1L2(l1, l2)
    value, gradient = jax.value_and_grad(regularizer)(jax.numpy.asarray(NO_ZEROS))
    return {"maker": "keras", "numbers": [l1, l2], "w": NO_ZEROS, "value": value, "gradient": gradient}


def main() -> None:
    keras.config.set_floatx("float64")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else Keras rounds to float32 within many operations
    if keras.config.backend() != "jax" or not jax.config.jax_enable_x64:
        sys.exit("set KERAS_BACKEND=jax and JAX_ENABLE_X64=1")
    record = {
        "activations": [activation(*entry) for entry in ACTIVATIONS],
        "losses": [loss(*entry) for entry in LOSSES],
        "metrics": [metric(*entry) for entry in METRICS],
        "constraints": [constraint(*entry, w) for entry in CONSTRAINTS for w in (KERNEL, KERNEL[:, 0])],
        "initializers": [initializer(row) for row in INITIALIZERS],
        "penalties": [penalty(0.01, 0.0), penalty(0.0, 0.02), penalty(0.03, 0.5)],
    }
    text = json.dumps(record, default=lambda array: np.asarray(array).tolist(), separators=(",", ":"))
    Path(__file__).with_name("formulas.json").write_text(text.replace('{"maker"', '\n{"maker"') + "\n")


main()
