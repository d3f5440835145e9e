"""The update rules of every optimizer row of the engine, in float64 NumPy; reference.py hands them on."""

# mypy: disable-error-code=no-any-return

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# ---- optimizers: step(w, g, state, t, rate, *numbers) -> new w ----
# state: this tensor's slots by name, empty before the first step, which is t = 1.

State = dict[str, Any]
Step = Callable[..., Array]
OPTIMIZERS: dict[str, Step] = {}


def optimizer(step: Step) -> Step:
    OPTIMIZERS[step.__name__] = step
    return step


def running_mean(state: State, slot: str, rho: float, x: Array) -> Array:
    state[slot] = rho * state.get(slot, 0.0) + (1 - rho) * x
    return state[slot]


@optimizer
def sgd(w: Array, g: Array, state: State, t: int, rate: float) -> Array:
    return w - rate * g


@optimizer
def momentum(w: Array, g: Array, state: State, t: int, rate: float, momentum: float) -> Array:
    state["velocity"] = momentum * state.get("velocity", 0.0) - rate * g
    return w + state["velocity"]


@optimizer
def nesterov(w: Array, g: Array, state: State, t: int, rate: float, momentum: float) -> Array:
    state["velocity"] = momentum * state.get("velocity", 0.0) - rate * g
    return w + momentum * state["velocity"] - rate * g


@optimizer
def rmsprop(w: Array, g: Array, state: State, t: int, rate: float, rho: float, inner: float, outer: float) -> Array:
    square = running_mean(state, "mean_square", rho, g**2)
    return w - rate * g / (np.sqrt(square + inner) + outer)


@optimizer
def rmsprop_momentum(
    w: Array, g: Array, state: State, t: int, rate: float, rho: float, inner: float, outer: float, momentum: float
) -> Array:
    square = running_mean(state, "mean_square", rho, g**2)
    state["velocity"] = momentum * state.get("velocity", 0.0) + rate * g / (np.sqrt(square + inner) + outer)
    return w - state["velocity"]


@optimizer
def rmsprop_centered(
    w: Array, g: Array, state: State, t: int, rate: float, rho: float, inner: float, outer: float, momentum: float
) -> Array:
    variance = np.maximum(running_mean(state, "mean_square", rho, g**2) - running_mean(state, "mean", rho, g) ** 2, 0)
    state["velocity"] = momentum * state.get("velocity", 0.0) + rate * g / (np.sqrt(variance + inner) + outer)
    return w - state["velocity"]


@optimizer
def adagrad(w: Array, g: Array, state: State, t: int, rate: float, inner: float, outer: float, initial: float) -> Array:
    state["sum"] = state.get("sum", initial) + g**2
    return w - rate * g / (np.sqrt(state["sum"] + inner) + outer)


@optimizer
def adadelta(w: Array, g: Array, state: State, t: int, rate: float, rho: float, epsilon: float) -> Array:
    square = running_mean(state, "mean_square", rho, g**2)
    change = g * np.sqrt(state.get("mean_square_change", 0.0) + epsilon) / np.sqrt(square + epsilon)
    running_mean(state, "mean_square_change", rho, change**2)
    return w - rate * change


@optimizer
def adam(w: Array, g: Array, state: State, t: int, rate: float, beta_1: float, beta_2: float, epsilon: float) -> Array:
    """Epsilon meets the second moment before its bias is corrected, as in Keras; PyTorch adds it afterwards."""
    first, second = running_mean(state, "first_moment", beta_1, g), running_mean(state, "second_moment", beta_2, g**2)
    return w - rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t) * first / (np.sqrt(second) + epsilon)


@optimizer
def amsgrad(
    w: Array, g: Array, state: State, t: int, rate: float, beta_1: float, beta_2: float, epsilon: float
) -> Array:
    first, second = running_mean(state, "first_moment", beta_1, g), running_mean(state, "second_moment", beta_2, g**2)
    state["largest"] = np.maximum(state.get("largest", 0.0), second)
    return w - rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t) * first / (np.sqrt(state["largest"]) + epsilon)


@optimizer
def adamax(
    w: Array, g: Array, state: State, t: int, rate: float, beta_1: float, beta_2: float, epsilon: float
) -> Array:
    first = running_mean(state, "first_moment", beta_1, g)
    state["norm"] = np.maximum(beta_2 * state.get("norm", 0.0), np.abs(g))
    return w - rate / (1 - beta_1**t) * first / (state["norm"] + epsilon)


@optimizer
def nadam(
    w: Array, g: Array, state: State, t: int, rate: float, beta_1: float, beta_2: float, epsilon: float, schedule: float
) -> Array:
    mu = [beta_1 * (1 - 0.5 * 0.96 ** (i * schedule)) for i in range(1, t + 2)]  # mu_1 ... mu_(t+1)
    first, second = running_mean(state, "first_moment", beta_1, g), running_mean(state, "second_moment", beta_2, g**2)
    ahead = (1 - mu[-2]) * g / (1 - math.prod(mu[:-1])) + mu[-1] * first / (1 - math.prod(mu))
    return w - rate * ahead / (np.sqrt(second / (1 - beta_2**t)) + epsilon)


@optimizer
def lion(w: Array, g: Array, state: State, t: int, rate: float, beta_1: float, beta_2: float) -> Array:
    direction = np.sign(beta_1 * state.get("mean", 0.0) + (1 - beta_1) * g)
    running_mean(state, "mean", beta_2, g)
    return w - rate * direction


@optimizer
def ftrl(
    w: Array,
    g: Array,
    state: State,
    t: int,
    rate: float,
    learning_rate_power: float,
    initial: float,
    l1: float,
    l2: float,
    l2_shrinkage: float,
    beta: float,
) -> Array:
    before = state.get("sum", initial + 0 * g)
    state["sum"] = before + g**2
    root, root_before = state["sum"] ** -learning_rate_power, before**-learning_rate_power
    linear = state.get("linear", 0.0) + g + 2 * l2_shrinkage * w - (root - root_before) / rate * w
    state["linear"] = linear
    return (np.clip(linear, -l1, l1) - linear) / (root / rate + 2 * l2 + beta / rate)


def decayed_rate(learning_rate: float, decay: float, t: int) -> float:
    return learning_rate / (1 + decay * (t - 1))


def clip_gradients(gradients: list[Array], clipvalue: float, clipnorm: float, global_clipnorm: float) -> list[Array]:
    """The norm of all together, then of each tensor, then elements; 0 = off."""
    if global_clipnorm:
        norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
        gradients = [g * min(1, global_clipnorm / norm) if norm else g for g in gradients]
    if clipnorm:
        gradients = [g * min(1, clipnorm / np.sqrt((g**2).sum())) if g.any() else g for g in gradients]
    return [np.clip(g, -clipvalue, clipvalue) for g in gradients] if clipvalue else gradients
