"""The formulas of every row of the engine, in float64 NumPy: the slow, obvious truth the engine is tested against.

Each family is a dict by row name. Arguments end with the row's numbers in the engine's order; arrays are (rows, units).
tests/golden/ holds what Keras and PyTorch make of the same formulas, and test_reference.py compares the two. One file
for most families, so that whoever adds a row finds where its line belongs.
"""

# mypy: disable-error-code=no-any-return
# (NumPy's own annotations give Any for most of these expressions)

import math
from collections.abc import Callable

import numpy as np
from reference_optimizers import OPTIMIZERS as OPTIMIZERS
from reference_optimizers import Array as Array
from reference_optimizers import State as State
from reference_optimizers import clip_gradients as clip_gradients
from reference_optimizers import decayed_rate as decayed_rate

# ---- activations: forward(x, *numbers) -> y, backward(x, dy, *numbers) -> dx ----

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
LOWEST = np.finfo(np.float64).min


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x), arranged so that nothing overflows."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def tanh_backward(x: Array, dy: Array) -> Array:
    """1 / cosh^2 x, from 1 + tanh x = 2 sigmoid(2x) so that nothing overflows."""
    return dy * 4 * sigmoid(2 * x) * sigmoid(-2 * x)


def softmax(x: Array) -> Array:
    """e^x / sum e^x of each row; subtracting the largest x changes nothing but the overflow."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(x: Array, dy: Array) -> Array:
    """The Jacobian of softmax is diag(y) - y y'."""
    y = softmax(x)
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


def elu(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_backward(x: Array, dy: Array, alpha: float) -> Array:
    return dy * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))


def rectifier(x: Array, negative_slope: float, max_value: float, threshold: float) -> Array:
    """Cut at max_value above the threshold, a line through 0 at the threshold below, for slope 0 even at -inf."""
    below = negative_slope * np.maximum(x - threshold, LOWEST)
    return np.where(x > threshold, np.minimum(x, max_value), below)


def rectifier_backward(x: Array, dy: Array, negative_slope: float, max_value: float, threshold: float) -> Array:
    return dy * np.where(x > threshold, x < max_value, negative_slope)


def hard_sigmoid(x: Array, slope: float, offset: float) -> Array:
    return np.clip(slope * x + offset, 0, 1)


def hard_sigmoid_backward(x: Array, dy: Array, slope: float, offset: float) -> Array:
    y = hard_sigmoid(x, slope, offset)
    return dy * slope * ((y > 0) & (y < 1))


def log_softmax(x: Array) -> Array:
    shifted = x - np.real(x).max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def gate(x: Array) -> Array:
    """x, but finite, so that a factor of 0 makes it 0."""
    return np.clip(x, LOWEST, -LOWEST)


def normal_share(x: Array) -> Array:
    """The normal distribution function."""
    return np.vectorize(math.erfc, otypes=[np.float64])(-x / math.sqrt(2)) / 2


def gelu_backward(x: Array, dy: Array) -> Array:
    return dy * (normal_share(x) + gate(x) * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))


def gelu_tanh(x: Array) -> Array:
    """(1 + tanh u) / 2 is sigmoid(2u)."""
    return gate(x) * sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


def gelu_tanh_backward(x: Array, dy: Array) -> Array:
    z = np.clip(x, -1e3, 1e3)
    u, slope = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3), math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)
    return dy * sigmoid(2 * u) * (1 + 2 * z * slope * sigmoid(-2 * u))


def mish_backward(x: Array, dy: Array) -> Array:
    inner = np.logaddexp(0, x)
    return dy * np.tanh(inner) + gate(x) * tanh_backward(inner, dy) * sigmoid(x)


def hard_silu_backward(x: Array, dy: Array) -> Array:
    return dy * np.where(np.abs(x) < 3, (2 * x + 3) / 6, x >= 3)


def celu(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def squareplus(x: Array, b: float) -> Array:
    """(x + sqrt(x^2 + b)) / 2, below 0 multiplied out so that nothing cancels."""
    mean = np.hypot(x, math.sqrt(b)) / 2 + np.abs(x) / 2
    return np.where(x >= 0, mean, b / 4 / mean)


def squareplus_backward(x: Array, dy: Array, b: float) -> Array:
    return dy * squareplus(gate(x), b) / np.hypot(gate(x), math.sqrt(b))


def sparse_plus(x: Array) -> Array:
    return np.where(x >= 1, x, np.clip((x + 1) / 2, 0, 1) ** 2)


def sparsemax(x: Array) -> Array:
    """The nearest point of the simplex: the k largest elements less a level, where the k-th just exceeds that; the
    largest is taken off first, and a row that is not finite has no such point.
    """
    x = x - x.max(axis=-1, keepdims=True) + 0 * x.sum(axis=-1, keepdims=True)
    ordered = -np.sort(-x, axis=-1)
    count = np.arange(1, x.shape[-1] + 1)
    total = np.cumsum(ordered, axis=-1)
    k = (1 + count * ordered > total).sum(axis=-1, keepdims=True)
    level = (np.take_along_axis(total, np.maximum(k, 1) - 1, axis=-1) - 1) / np.maximum(k, 1)
    return np.maximum(x - level, 0)


def sparsemax_backward(x: Array, dy: Array) -> Array:
    """dy less its mean over the elements above the level, 0 for the others."""
    above = sparsemax(x) > 0
    return above * (dy - (above * dy).sum(axis=-1, keepdims=True) / above.sum(axis=-1, keepdims=True))


ACTIVATIONS: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    "linear": (lambda x: x, lambda x, dy: dy),
    "relu": (lambda x: np.maximum(x, 0), lambda x, dy: dy * (x > 0)),
    "leaky_relu": (
        lambda x, slope: np.where(x >= 0, x, slope * x),
        lambda x, dy, slope: dy * np.where(x >= 0, 1, slope),
    ),
    "rectifier": (rectifier, rectifier_backward),
    "sigmoid": (sigmoid, lambda x, dy: dy * sigmoid(x) * sigmoid(-x)),
    "hard_sigmoid": (hard_sigmoid, hard_sigmoid_backward),
    "tanh": (np.tanh, tanh_backward),
    "softmax": (softmax, softmax_backward),
    "softplus": (lambda x: np.logaddexp(0, x), lambda x, dy: dy * sigmoid(x)),
    "softsign": (lambda x: x / (1 + np.abs(x)), lambda x, dy: dy / (1 + np.abs(x)) ** 2),
    "elu": (elu, elu_backward),
    "selu": (lambda x: SELU_SCALE * elu(x, SELU_ALPHA), lambda x, dy: SELU_SCALE * elu_backward(x, dy, SELU_ALPHA)),
    "exponential": (np.exp, lambda x, dy: dy * np.exp(x)),
    "silu": (
        lambda x: gate(x) * sigmoid(x),
        lambda x, dy: dy * sigmoid(x) * (1 + gate(x) * sigmoid(-x)),
    ),
    "gelu": (lambda x: gate(x) * normal_share(x), gelu_backward),
    "gelu_tanh": (gelu_tanh, gelu_tanh_backward),
    "mish": (lambda x: gate(x) * np.tanh(np.logaddexp(0, x)), mish_backward),
    "log_softmax": (log_softmax, lambda x, dy: dy - softmax(x) * dy.sum(axis=-1, keepdims=True)),
    "log_sigmoid": (lambda x: -np.logaddexp(0, -x), lambda x, dy: dy * sigmoid(-x)),
    "hard_silu": (lambda x: gate(x) * np.clip(x + 3, 0, 6) / 6, hard_silu_backward),
    "hard_tanh": (lambda x: np.clip(x, -1, 1), lambda x, dy: dy * (np.abs(x) < 1)),
    "celu": (celu, lambda x, dy, alpha: dy * np.exp(np.minimum(x, 0) / alpha)),
    "soft_shrink": (
        lambda x, threshold: x - np.clip(x, -threshold, threshold),
        lambda x, dy, threshold: dy * (np.abs(x) > threshold),
    ),
    "hard_shrink": (
        lambda x, threshold: np.where(np.abs(x) <= threshold, 0, x),
        lambda x, dy, threshold: dy * (np.abs(x) > threshold),
    ),
    "tanh_shrink": (lambda x: x - np.tanh(x), lambda x, dy: dy * np.tanh(x) ** 2),
    "squareplus": (squareplus, squareplus_backward),
    "sparse_plus": (sparse_plus, lambda x, dy: dy * np.clip((x + 1) / 2, 0, 1)),
    "threshold": (
        lambda x, threshold, value: np.where(x <= threshold, value, x),
        lambda x, dy, threshold, value: dy * (x > threshold),
    ),
    "sparsemax": (sparsemax, sparsemax_backward),
}

# Rows that take two numbers as large as x from each other, or multiply x with what may be subnormal: their rounding is
# one of x, not of y.
ROUNDS_LIKE_INPUT = {"silu", "gelu", "gelu_tanh", "mish", "log_softmax", "tanh_shrink"}

# Rows whose outputs are shares of 1: those below LEAST_SHARE are 0, for subnormal numbers are slow.
SHARES = {"sigmoid", "softmax"}
LEAST_SHARE = {"float32": math.exp(-69), "float64": math.exp(-623)}

# ---- layers: forward(p, x, training, *numbers) -> y, backward(p, x, dy, training, *numbers) -> (dx, gradients) ----
# p, gradients: the layer's tensors by name; in training, forward moves the statistics.

Tensors = dict[str, Array]
Layer = tuple[Callable[..., Array], Callable[..., tuple[Array, Tensors]]]


def dense(p: Tensors, x: Array, training: bool, use_bias: float) -> Array:
    return x @ p["kernel"] + (p["bias"] if use_bias else 0)


def dense_backward(p: Tensors, x: Array, dy: Array, training: bool, use_bias: float) -> tuple[Array, Tensors]:
    gradients = {"kernel": x.T @ dy} | ({"bias": dy.sum(axis=0)} if use_bias else {})
    return dy @ p["kernel"].T, gradients


def batch_normalization(
    p: Tensors, x: Array, training: bool, momentum: float, epsilon: float, center: float, scale: float, rests: float = 0
) -> Array:
    batch_mean, batch_variance = x.mean(axis=0), x.var(axis=0)
    if training:
        p["moving_mean"] = momentum * p["moving_mean"] + (1 - momentum) * batch_mean
        p["moving_variance"] = momentum * p["moving_variance"] + (1 - momentum) * batch_variance
    else:
        batch_mean, batch_variance = p["moving_mean"], p["moving_variance"]
    z = (x - batch_mean) / np.sqrt(batch_variance + epsilon)
    return z * p.get("gamma", 1) + p.get("beta", 0)


def batch_normalization_backward(
    p: Tensors,
    x: Array,
    dy: Array,
    training: bool,
    momentum: float,
    epsilon: float,
    center: float,
    scale: float,
    rests: float = 0,
) -> tuple[Array, Tensors]:
    """Mean and variance depend on x in training only: they take from dz its mean and its part along z."""
    mean, variance = (x.mean(axis=0), x.var(axis=0)) if training else (p["moving_mean"], p["moving_variance"])
    deviation = np.sqrt(variance + epsilon)
    z, dz = (x - mean) / deviation, dy * p.get("gamma", 1)
    gradients = ({"gamma": (dy * z).sum(axis=0)} if scale else {}) | ({"beta": dy.sum(axis=0)} if center else {})
    taken = dz.mean(axis=0) + z * (dz * z).mean(axis=0) if training else 0
    return (dz - taken) / deviation, gradients


def layer_normalization(p: Tensors, x: Array, training: bool, epsilon: float, center: float, scale: float) -> Array:
    z = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    return z * p.get("gamma", 1) + p.get("beta", 0)


def layer_normalization_backward(
    p: Tensors, x: Array, dy: Array, training: bool, epsilon: float, center: float, scale: float
) -> tuple[Array, Tensors]:
    deviation = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    z, dz = (x - x.mean(axis=-1, keepdims=True)) / deviation, dy * p.get("gamma", 1)
    gradients = ({"gamma": (dy * z).sum(axis=0)} if scale else {}) | ({"beta": dy.sum(axis=0)} if center else {})
    taken = dz.mean(axis=-1, keepdims=True) + z * (dz * z).mean(axis=-1, keepdims=True)
    return (dz - taken) / deviation, gradients


def unit_normalization(p: Tensors, x: Array, training: bool, epsilon: float) -> Array:
    return x / np.maximum(np.sqrt((x**2).sum(axis=-1, keepdims=True)), epsilon)


def unit_normalization_backward(
    p: Tensors, x: Array, dy: Array, training: bool, epsilon: float
) -> tuple[Array, Tensors]:
    """The part of dy along the row changes its length, which is divided away; too short a row is only scaled."""
    length = np.sqrt((x**2).sum(axis=-1, keepdims=True))
    y = x / np.maximum(length, epsilon)
    along = np.where(length < epsilon, 0, (dy * y).sum(axis=-1, keepdims=True))
    return (dy - y * along) / np.maximum(length, epsilon), {}


def normalization(p: Tensors, x: Array, training: bool, epsilon: float, invert: float) -> Array:
    deviation = np.maximum(np.sqrt(p["variance"]), epsilon)
    return x * deviation + p["mean"] if invert else (x - p["mean"]) / deviation


def normalization_backward(
    p: Tensors, x: Array, dy: Array, training: bool, epsilon: float, invert: float
) -> tuple[Array, Tensors]:
    deviation = np.maximum(np.sqrt(p["variance"]), epsilon)
    return (dy * deviation if invert else dy / deviation), {}


def prelu_backward(p: Tensors, x: Array, dy: Array, training: bool) -> tuple[Array, Tensors]:
    """At 0 neither branch has a slope, as in Keras."""
    slope = np.where(x > 0, 1, np.where(x < 0, p["alpha"], 0))
    return dy * slope, {"alpha": (dy * np.minimum(x, 0)).sum(axis=0)}


# Rows that draw random numbers in training and are the identity otherwise, which is what stands here.
NOISE = ("dropout", "gaussian_dropout", "gaussian_noise", "alpha_dropout")

LAYERS: dict[str, Layer] = {
    "dense": (dense, dense_backward),
    "batch_normalization": (batch_normalization, batch_normalization_backward),
    "layer_normalization": (layer_normalization, layer_normalization_backward),
    "unit_normalization": (unit_normalization, unit_normalization_backward),
    "normalization": (normalization, normalization_backward),
    "rescaling": (
        lambda p, x, training, factor, offset: factor * x + offset,
        lambda p, x, dy, training, factor, offset: (factor * dy, {}),
    ),
    "prelu": (lambda p, x, training: np.where(x > 0, x, p["alpha"] * x), prelu_backward),
    "given": (lambda p, x, training: x, lambda p, x, dy, training: (dy, {})),  # where nothing is given
    **{row: (lambda p, x, training, *n: x, lambda p, x, dy, training, *n: (dy, {})) for row in NOISE},
    "activity_regularization": (
        lambda p, x, training, l1, l2, per_row=0: x,
        lambda p, x, dy, training, l1, l2, per_row=0: (
            dy + penalty_gradient(x, l1, l2) / (len(x) if per_row else 1),
            {},
        ),
    ),
}


def as_layer(forward: Callable[..., Array], backward: Callable[..., Array]) -> Layer:
    return lambda p, x, training, *n: forward(x, *n), lambda p, x, dy, training, *n: (backward(x, dy, *n), {})


LAYERS |= {row: as_layer(*routines) for row, routines in ACTIVATIONS.items()}

# ---- losses: value(t, p, *numbers) -> one value per row; t targets, p outputs ----
# Written so that p may be complex, which loss_gradient uses: NumPy compares complex numbers by their real parts first,
# so maximum and clip are right as they are, but the absolute value is not.


def magnitude(x: Array) -> Array:
    """|x| that can be differentiated."""
    return x * np.sign(np.real(x))


def mean(x: Array) -> Array:
    return x.mean(axis=-1)


def smooth(t: Array, smoothing: float, classes: int) -> Array:
    return t * (1 - smoothing) + smoothing / classes


def one_hot(t: Array, classes: int) -> Array:
    return (t.reshape(-1, 1) == np.arange(classes)).astype(np.float64)


def log_probability(p: Array, epsilon: float) -> Array:
    return np.log(np.clip(p / p.sum(axis=-1, keepdims=True), epsilon, 1 - epsilon))


def softplus(x: Array) -> Array:
    return (x + magnitude(x)) / 2 + np.log1p(np.exp(-magnitude(x)))


def binary_crossentropy(t: Array, p: Array, smoothing: float, epsilon: float) -> Array:
    y, q = smooth(t, smoothing, 2), np.clip(p, epsilon, 1 - epsilon)
    return mean(-y * np.log(q) - (1 - y) * np.log(1 - q))


def binary_crossentropy_from_logits(t: Array, z: Array, smoothing: float) -> Array:
    y = smooth(t, smoothing, 2)
    return mean(y * softplus(-z) + (1 - y) * softplus(z))


def categorical_crossentropy(t: Array, p: Array, smoothing: float, epsilon: float) -> Array:
    return -(smooth(t, smoothing, t.shape[-1]) * log_probability(p, epsilon)).sum(axis=-1)


def categorical_crossentropy_from_logits(t: Array, z: Array, smoothing: float) -> Array:
    return -(smooth(t, smoothing, t.shape[-1]) * log_softmax(z)).sum(axis=-1)


def focal(y: Array, miss: Array, crossentropy: Array, gamma: float, positive: float, negative: float) -> Array:
    return mean((y * positive + (1 - y) * negative) * np.maximum(miss, 0) ** gamma * crossentropy)


def binary_focal_crossentropy(
    t: Array, p: Array, smoothing: float, epsilon: float, gamma: float, positive: float, negative: float
) -> Array:
    y, q = smooth(t, smoothing, 2), np.clip(p, epsilon, 1 - epsilon)
    crossentropy = -y * np.log(q) - (1 - y) * np.log(1 - q)
    return focal(y, y * (1 - p) + (1 - y) * p, crossentropy, gamma, positive, negative)


def binary_focal_crossentropy_from_logits(
    t: Array, z: Array, smoothing: float, gamma: float, positive: float, negative: float
) -> Array:
    y = smooth(t, smoothing, 2)
    miss = y / (1 + np.exp(z)) + (1 - y) / (1 + np.exp(-z))
    return focal(y, miss, y * softplus(-z) + (1 - y) * softplus(z), gamma, positive, negative)


def categorical_focal(y: Array, log_q: Array, alpha: float, gamma: float) -> Array:
    return -alpha * (y * np.maximum(1 - np.exp(log_q), 0) ** gamma * log_q).sum(axis=-1)


def huber(t: Array, p: Array, delta: float) -> Array:
    d = magnitude(p - t)
    return mean(np.where(np.real(d) <= delta, d**2 / 2, delta * (d - delta / 2)))


def mean_squared_logarithmic_error(t: Array, p: Array, epsilon: float) -> Array:
    return mean((np.log1p(np.maximum(p, epsilon)) - np.log1p(np.maximum(t, epsilon))) ** 2)


def log_cosh(t: Array, p: Array) -> Array:
    d = magnitude(p - t)
    return mean(d + np.log1p(np.exp(-2 * d)) - math.log(2))


def signs(t: Array, zero_is_minus: float) -> Array:
    return np.where((t == 0) & bool(zero_is_minus), -1, t)


def categorical_hinge(t: Array, p: Array) -> Array:
    return np.maximum(1 + ((1 - t) * p).max(axis=-1) - (t * p).sum(axis=-1), 0)


def kl_divergence(t: Array, p: Array, epsilon: float) -> Array:
    y, q = np.clip(t, epsilon, 1), np.clip(p, epsilon, 1)
    return (y * np.log(y / q)).sum(axis=-1)


def cosine_similarity(t: Array, p: Array) -> Array:
    """Minus the cosine of the angle; lengths count as at least 1e-6."""
    length_t, length_p = (np.sqrt(np.maximum((v**2).sum(axis=-1), 1e-12)) for v in (t, p))
    return -(t * p).sum(axis=-1) / (length_t * length_p)


LOSSES: dict[str, Callable[..., Array]] = {
    "mean_squared_error": lambda t, p: mean((p - t) ** 2),
    "mean_absolute_error": lambda t, p: mean(magnitude(p - t)),
    "mean_absolute_percentage_error": lambda t, p, epsilon: (
        100 * mean(magnitude(p - t) / np.maximum(np.abs(t), epsilon))
    ),
    "mean_squared_logarithmic_error": mean_squared_logarithmic_error,
    "binary_crossentropy": binary_crossentropy,
    "binary_crossentropy_from_logits": binary_crossentropy_from_logits,
    "categorical_crossentropy": categorical_crossentropy,
    "categorical_crossentropy_from_logits": categorical_crossentropy_from_logits,
    "sparse_categorical_crossentropy": lambda t, p, epsilon: categorical_crossentropy(
        one_hot(t, p.shape[-1]), p, 0, epsilon
    ),
    "sparse_categorical_crossentropy_from_logits": lambda t, z: categorical_crossentropy_from_logits(
        one_hot(t, z.shape[-1]), z, 0
    ),
    "hinge": lambda t, p, zero_is_minus=0: mean(np.maximum(1 - signs(t, zero_is_minus) * p, 0)),
    "squared_hinge": lambda t, p, zero_is_minus=0: mean(np.maximum(1 - signs(t, zero_is_minus) * p, 0) ** 2),
    "categorical_hinge": categorical_hinge,
    "log_cosh": log_cosh,
    "kl_divergence": kl_divergence,
    "poisson": lambda t, p, epsilon: mean(p - t * np.log(p + epsilon)),
    "cosine_similarity": cosine_similarity,
    "huber": huber,
    "binary_focal_crossentropy": binary_focal_crossentropy,
    "binary_focal_crossentropy_from_logits": binary_focal_crossentropy_from_logits,
    "categorical_focal_crossentropy": lambda t, p, smoothing, epsilon, alpha, gamma: categorical_focal(
        smooth(t, smoothing, t.shape[-1]), log_probability(p, epsilon), alpha, gamma
    ),
    "categorical_focal_crossentropy_from_logits": lambda t, z, smoothing, alpha, gamma: categorical_focal(
        smooth(t, smoothing, t.shape[-1]), log_softmax(z), alpha, gamma
    ),
}

# (activation, loss): the loss that is differentiated at the logits instead, with the same numbers but epsilon.
FUSED = {
    ("sigmoid", "binary_crossentropy"): "binary_crossentropy_from_logits",
    ("softmax", "categorical_crossentropy"): "categorical_crossentropy_from_logits",
    ("softmax", "sparse_categorical_crossentropy"): "sparse_categorical_crossentropy_from_logits",
}


def loss_gradient(name: str, t: Array, p: Array, *numbers: float) -> Array:
    """d loss / d p of each row by complex steps: f(p + ih) = f(p) + ih f'(p), exact to rounding for tiny h."""
    h, gradient = 1e-30, np.empty_like(p)
    for u in range(p.shape[-1]):
        nudged = p.astype(np.complex128)
        nudged[:, u] += 1j * h
        gradient[:, u] = LOSSES[name](t, nudged, *numbers).imag / h
    return gradient


# ---- metrics: as losses ----


def among_largest(classes: Array, p: Array, k: float) -> Array:
    own = np.take_along_axis(p, classes[:, None], axis=-1)
    return ((p > own).sum(axis=-1) < k).astype(np.float64)


METRICS: dict[str, Callable[..., Array]] = {
    **LOSSES,
    "binary_accuracy": lambda t, p, threshold: mean(t == (p > threshold)),
    "rounded_accuracy": lambda t, p: mean(t == np.round(p)),
    "categorical_accuracy": lambda t, p: (t.argmax(axis=-1) == p.argmax(axis=-1)).astype(np.float64),
    "sparse_categorical_accuracy": lambda t, p: (t.reshape(-1) == p.argmax(axis=-1)).astype(np.float64),
    "top_k_categorical_accuracy": lambda t, p, k: among_largest(t.argmax(axis=-1), p, k),
    "sparse_top_k_categorical_accuracy": lambda t, p, k: among_largest(t.reshape(-1).astype(np.int64), p, k),
    "exact_accuracy": lambda t, p: mean(t == p),
    "true_positives": lambda t, p, threshold: ((t != 0) & (p > threshold)).sum(axis=-1),
    "false_positives": lambda t, p, threshold: ((t == 0) & (p > threshold)).sum(axis=-1),
    "true_negatives": lambda t, p, threshold: ((t == 0) & (p <= threshold)).sum(axis=-1),
    "false_negatives": lambda t, p, threshold: ((t != 0) & (p <= threshold)).sum(axis=-1),
}

# ---- constraints: new w from w (inputs, units) or (units,); lengths along axis 0. regularizers. initializers ----


def lengths(w: Array) -> Array:
    return np.sqrt((w**2).sum(axis=0, keepdims=True))


def scaled_to(w: Array, wanted: Array | float) -> Array:
    return w * wanted / (1e-7 + lengths(w))


def min_max_norm(w: Array, min_value: float, max_value: float, rate: float) -> Array:
    return scaled_to(w, rate * np.clip(lengths(w), min_value, max_value) + (1 - rate) * lengths(w))


CONSTRAINTS: dict[str, Callable[..., Array]] = {
    "none": lambda w: w,
    "max_norm": lambda w, max_value: scaled_to(w, np.clip(lengths(w), 0, max_value)),
    "non_neg": lambda w: np.maximum(w, 0),
    "unit_norm": lambda w: scaled_to(w, 1),
    "min_max_norm": min_max_norm,
}


def penalty(w: Array, l1: float, l2: float) -> float:
    return float(l1 * np.abs(w).sum() + l2 * (w**2).sum())


def penalty_gradient(w: Array, l1: float, l2: float) -> Array:
    return l1 * np.sign(w) + 2 * l2 * w


# Deviation of a standard normal variable cut at +-2; truncated normals are widened by it to keep the wanted one.
TRUNCATED_DEVIATION = 0.87962566103423978

# (fan_in, fan_out) -> "uniform" and its limit, or "normal" (truncated in Keras 2 and 3) and the deviation of values.
INITIALIZERS: dict[str, Callable[[int, int], tuple[str, float]]] = {
    "glorot_uniform": lambda fan_in, fan_out: ("uniform", math.sqrt(6 / (fan_in + fan_out))),
    "glorot_normal": lambda fan_in, fan_out: ("normal", math.sqrt(2 / (fan_in + fan_out))),
    "he_uniform": lambda fan_in, fan_out: ("uniform", math.sqrt(6 / fan_in)),
    "he_normal": lambda fan_in, fan_out: ("normal", math.sqrt(2 / fan_in)),
    "lecun_uniform": lambda fan_in, fan_out: ("uniform", math.sqrt(3 / fan_in)),
    "lecun_normal": lambda fan_in, fan_out: ("normal", math.sqrt(1 / fan_in)),
}
