"""Activations. To add one: its routines and row in csrc/engine/activations.h, an entry here, a line of
tests/reference.py.

An entry is a function from the activation's parameters to its row of the engine; its docstring is the formula. The
decorator turns it into an `Activation`: callable on arrays, usable as ``activation=`` of a layer, found by name.
Formulas and defaults: keras.activations.
"""

from __future__ import annotations

from typing import Any

from nnlite.activation import ACTIVATIONS as ACTIVATIONS
from nnlite.activation import Activation, PythonActivation, activation
from nnlite.config import era
from nnlite.errors import UnsupportedError, number
from nnlite.records import Row, row


def _last_axis(name: str, axis: Any) -> None:
    if axis not in (-1, 1):
        raise UnsupportedError(
            f"axis of {name} must be -1, the last; received {axis!r}. Move the axis with numpy.moveaxis."
        )


def _positive(argument: str, value: Any) -> float:
    if number(argument, value) <= 0:
        raise ValueError(f"{argument} must be greater than 0; received {value!r}.")
    return float(value)


@activation()
def linear() -> Row:
    """x.

    >>> linear([-1.0, 2.0])
    array([-1.,  2.], dtype=float32)
    """
    return row("linear")


@activation(rows=("relu", "rectifier"), alpha="negative_slope")
def relu(negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Row:
    """max_value above it, x from the threshold on, negative_slope (x - threshold) below; max(x, 0) by default.

    >>> relu([-1.0, 2.0], negative_slope=0.5)
    array([-0.5,  2. ], dtype=float32)
    """
    slope, threshold = number("negative_slope", negative_slope), number("threshold", threshold)
    if max_value is None and threshold == 0:
        return row("leaky_relu", slope) if slope else row("relu")
    return row("rectifier", slope, float("inf") if max_value is None else number("max_value", max_value, 0), threshold)


@activation(alpha="negative_slope")
def leaky_relu(negative_slope: float = 0.2) -> Row:
    """x if x >= 0, else negative_slope x. "Rectifier nonlinearities improve neural network acoustic models", Maas et
    al., 2013.

    >>> leaky_relu([-1.0, 2.0])
    array([-0.2,  2. ], dtype=float32)
    """
    return row("leaky_relu", number("negative_slope", negative_slope))


@activation()
def sigmoid() -> Row:
    """1 / (1 + e^-x), and 0 where that is below about 1e-30 (float64: 1e-270), for smaller numbers are slow.

    >>> sigmoid([-1.0, 0.0])
    array([0.26894143, 0.5       ], dtype=float32)
    """
    return row("sigmoid")


@activation()
def hard_sigmoid() -> Row:
    """slope x + 1/2 cut to [0, 1]; slope 0.2 in keras2, 1/6 in keras3.

    >>> hard_sigmoid([-1.0, 0.0, 9.0])
    array([0.3, 0.5, 1. ], dtype=float32)
    """
    return row("hard_sigmoid", era("hard_sigmoid.slope"), 0.5)


@activation()
def tanh() -> Row:
    """The hyperbolic tangent.

    >>> tanh([-1.0, 0.0])
    array([-0.76159424,  0.        ], dtype=float32)
    """
    return row("tanh")


@activation()
def softmax(axis: int = -1) -> Row:
    """e^x / sum of e^x over the last axis, and 0 where e^x is below about 1e-30 (float64: 1e-270) of the largest.

    >>> softmax([1.0, 1.0, 2.0])
    array([0.21194156, 0.21194156, 0.57611686], dtype=float32)
    """
    _last_axis("softmax", axis)
    return row("softmax")


@activation()
def softplus() -> Row:
    """log(1 + e^x).

    >>> softplus([-1.0, 0.0])
    array([0.3132617, 0.6931472], dtype=float32)
    """
    return row("softplus")


@activation()
def softsign() -> Row:
    """x / (1 + |x|).

    >>> softsign([-1.0, 3.0])
    array([-0.5 ,  0.75], dtype=float32)
    """
    return row("softsign")


@activation()
def elu(alpha: float = 1.0) -> Row:
    """x if x > 0, else alpha (e^x - 1). "Fast and accurate deep network learning by exponential linear units",
    Clevert et al., 2015.

    >>> elu([-1.0, 2.0])
    array([-0.63212055,  2.        ], dtype=float32)
    """
    return row("elu", number("alpha", alpha))


@activation()
def selu() -> Row:
    """1.0507 elu(x, 1.6733). "Self-normalizing neural networks", Klambauer et al., 2017.

    >>> selu([-1.0, 2.0])
    array([-1.1113307,  2.101402 ], dtype=float32)
    """
    return row("selu")


@activation()
def exponential() -> Row:
    """e^x.

    >>> exponential([0.0, 1.0])
    array([1.       , 2.7182817], dtype=float32)
    """
    return row("exponential")


@activation("swish")
def silu() -> Row:
    """x sigmoid(x). "Searching for activation functions", Ramachandran et al., 2017.

    >>> silu([-1.0, 2.0])
    array([-0.26894143,  1.761594  ], dtype=float32)
    """
    return row("silu")


@activation(rows=("gelu", "gelu_tanh"))
def gelu(approximate: bool = False) -> Row:
    """x P(x), P the normal distribution function; approximate: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
    "Gaussian error linear units", Hendrycks and Gimpel, 2016.

    >>> gelu([-1.0, 2.0])
    array([-0.15865526,  1.9544997 ], dtype=float32)
    """
    return row("gelu_tanh" if approximate else "gelu")


@activation()
def mish() -> Row:
    """x tanh(log(1 + e^x)). "Mish: a self regularized non-monotonic activation function", Misra, 2019.

    >>> mish([-1.0, 2.0])
    array([-0.30340147,  1.943959  ], dtype=float32)
    """
    return row("mish")


@activation(rows=())
def relu6() -> Row:
    """min(max(x, 0), 6).

    >>> relu6([0.5, 2.0, 9.0])
    array([0.5, 2. , 6. ], dtype=float32)
    """
    return relu.with_parameters(max_value=6.0).record


@activation(rows=())
def thresholded_relu(theta: float = 1.0) -> Row:
    """x if x > theta, else 0.

    >>> thresholded_relu([1.5, 2.5])
    array([1.5, 2.5], dtype=float32)
    """
    return row("rectifier", 0.0, float("inf"), number("theta", theta, 0))


@activation()
def log_softmax(axis: int = -1) -> Row:
    """x - log(sum of e^x over the last axis).

    >>> log_softmax([1.0, 1.0, 2.0])
    array([-1.5514448, -1.5514448, -0.5514447], dtype=float32)
    """
    _last_axis("log_softmax", axis)
    return row("log_softmax")


@activation("logsigmoid")
def log_sigmoid() -> Row:
    """-log(1 + e^-x).

    >>> log_sigmoid([-1.0, 0.0])
    array([-1.3132617, -0.6931472], dtype=float32)
    """
    return row("log_sigmoid")


@activation("hard_swish")
def hard_silu() -> Row:
    """x times (x + 3) / 6 cut to [0, 1]. "Searching for MobileNetV3", Howard et al., 2019.

    >>> hard_silu([-1.0, 9.0])
    array([-0.33333334,  9.        ], dtype=float32)
    """
    return row("hard_silu")


@activation()
def hard_tanh() -> Row:
    """x cut to [-1, 1].

    >>> hard_tanh([-2.0, 0.5])
    array([-1. ,  0.5], dtype=float32)
    """
    return row("hard_tanh")


@activation()
def celu(alpha: float = 1.0) -> Row:
    """x if x > 0, else alpha (e^(x / alpha) - 1). "Continuously differentiable exponential linear units", Barron,
    2017.

    >>> celu([-1.0, 2.0])
    array([-0.63212055,  2.        ], dtype=float32)
    """
    return row("celu", _positive("alpha", alpha))


@activation()
def soft_shrink(threshold: float = 0.5) -> Row:
    """x moved towards 0 by threshold, 0 within it.

    >>> soft_shrink([-2.0, 0.25])
    array([-1.5,  0. ], dtype=float32)
    """
    return row("soft_shrink", number("threshold", threshold, 0))


@activation()
def hard_shrink(threshold: float = 0.5) -> Row:
    """x if |x| > threshold, else 0.

    >>> hard_shrink([-2.0, 0.25])
    array([-2.,  0.], dtype=float32)
    """
    return row("hard_shrink", number("threshold", threshold, 0))


@activation()
def tanh_shrink() -> Row:
    """x - tanh x.

    >>> tanh_shrink([-2.0, 0.25])
    array([-1.0359724 ,  0.00508134], dtype=float32)
    """
    return row("tanh_shrink")


@activation()
def squareplus(b: float = 4.0) -> Row:
    """(x + sqrt(x^2 + b)) / 2. "Squareplus: a softplus-like algebraic rectifier", Barron, 2021.

    >>> squareplus([0.0, 1.5])
    array([1., 2.], dtype=float32)
    """
    return row("squareplus", _positive("b", b))


@activation()
def sparse_plus() -> Row:
    """0 if x <= -1, x if x >= 1, else (x + 1)^2 / 4.

    >>> sparse_plus([-2.0, 0.0, 2.0])
    array([0.  , 0.25, 2.  ], dtype=float32)
    """
    return row("sparse_plus")


@activation(rows=())
def sparse_sigmoid() -> Row:
    """(x + 1) / 2 cut to [0, 1].

    >>> sparse_sigmoid([-2.0, 0.0, 2.0])
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return row("hard_sigmoid", 0.5, 0.5)


@activation(value="default_value")
def threshold(threshold: float = 0.0, default_value: float = 0.0) -> Row:
    """x above the threshold, else default_value.

    >>> threshold([0.5, 1.5], 1.0, -2.0)
    array([-2. ,  1.5], dtype=float32)
    """
    return row("threshold", number("threshold", threshold), number("default_value", default_value))


@activation()
def sparsemax(axis: int = -1) -> Row:
    """The nearest probabilities: max(x - level, 0) with the level that makes their sum 1. "From softmax to sparsemax",
    Martins and Astudillo, 2016. Keras 3 adds up wrong sums for the level where several outputs exceed it, so that its
    sum is not 1.

    >>> sparsemax([1.0, 0.5, -1.0])
    array([0.75, 0.25, 0.  ], dtype=float32)
    """
    _last_axis("sparsemax", axis)
    return row("sparsemax")


def get(identifier: Any = None) -> Activation:
    """Return the activation meant by None (linear), a name, a config, an activation, or a function of an array, see
    `PythonActivation`.

    Raises ValueError for an unknown name, with the closest ones.

    >>> get("elu").record
    Row(name='elu', numbers=(1.0,))
    """
    return linear if identifier is None else ACTIVATIONS.get(identifier)


deserialize = get


def serialize(activation: Any) -> Any:
    """Return the name of an activation, or with parameters of its own its config; a function is its own. `get` takes
    all of them.

    >>> serialize(relu), serialize(elu.with_parameters(alpha=0.5))
    ('relu', {'class_name': 'elu', 'config': {'alpha': 0.5}})
    """
    chosen = get(activation)
    if isinstance(chosen, PythonActivation):
        return chosen.function
    return {"class_name": chosen.name, "config": chosen.get_config()} if chosen.parameters else chosen.name


def __getattr__(name: str) -> Activation:
    activation: Activation = globals()[ACTIVATIONS.attribute(__name__, name).name]  # by another of its names
    return activation


__all__ = ["Activation", "deserialize", "get", "serialize", *ACTIVATIONS.exports()]
