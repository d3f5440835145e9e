"""Learning rates as functions of the step, for ``learning_rate=`` of an optimizer. To add one: an entry here.

Formulas and defaults: keras.optimizers.schedules. The step is the number of steps taken before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from nnlite.errors import number
from nnlite.registry import Configurable, Family, arguments


class LearningRateSchedule(Configurable):
    """Base of all schedules: ``schedule(step)`` is the rate of the step with that number, from 0.

    A function of the step serves as well, but has no config.
    """

    name: str | None

    def __call__(self, step: int) -> float:
        raise NotImplementedError


SCHEDULES = Family("schedule", LearningRateSchedule)


def _steps(argument: str, value: Any) -> float:
    if number(argument, value) <= 0:
        raise ValueError(f"{argument} must be greater than 0; received {value!r}.")
    return float(value)


class _Decay(LearningRateSchedule):
    """What the schedules with a rate of decay share."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, 0)
        self.decay_steps, self.decay_rate = _steps("decay_steps", decay_steps), number("decay_rate", decay_rate, 0)
        self.staircase, self.name = bool(staircase), name

    def passed(self, step: int) -> float:
        """How many times decay_steps have passed; whole times only if staircase."""
        times = step / self.decay_steps
        return math.floor(times) if self.staircase else times


@SCHEDULES.entry("exponential_decay")
class ExponentialDecay(_Decay):
    """initial_learning_rate * decay_rate^(step / decay_steps); staircase rounds the exponent down.

    >>> ExponentialDecay(0.1, 10, 0.5)(20)
    0.025
    """

    def __call__(self, step: int) -> float:
        return float(self.initial_learning_rate * self.decay_rate ** self.passed(step))


@SCHEDULES.entry("inverse_time_decay")
class InverseTimeDecay(_Decay):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps); staircase rounds the quotient down.

    >>> InverseTimeDecay(0.1, 10, 1)(10)
    0.05
    """

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate / (1 + self.decay_rate * self.passed(step))


@SCHEDULES.entry("piecewise_constant_decay")
class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to step boundaries[0], values[1] up to boundaries[1], ..., the last value after them.

    >>> PiecewiseConstantDecay([5], [0.5, 0.25])(6)
    0.25
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str | None = None) -> None:
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                f"values must be one more than boundaries; received {len(values)} and {len(boundaries)} of them."
            )
        self.boundaries = [number("boundaries", step) for step in boundaries]
        self.values, self.name = [number("values", value, 0) for value in values], name

    def __call__(self, step: int) -> float:
        return self.values[sum(step > boundary for boundary in self.boundaries)]


@SCHEDULES.entry("polynomial_decay")
class PolynomialDecay(LearningRateSchedule):
    """From initial_learning_rate to end_learning_rate in decay_steps, as (1 - step / decay_steps)^power; cycle
    stretches decay_steps to its next multiple, in place of staying at the end.

    >>> PolynomialDecay(1.0, 10, 0.0)(5)
    0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, 0)
        self.decay_steps, self.power = _steps("decay_steps", decay_steps), number("power", power, 0)
        self.end_learning_rate = number("end_learning_rate", end_learning_rate, 0)
        self.cycle, self.name = bool(cycle), name

    def __call__(self, step: int) -> float:
        length = self.decay_steps * (max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1)
        left = 1 - min(step, length) / length
        return float((self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate)


@SCHEDULES.entry("cosine_decay")
class CosineDecay(LearningRateSchedule):
    """Along half a cosine from initial_learning_rate to alpha times it in decay_steps; with warmup_target, first in
    warmup_steps along a line up to that, from where the cosine then falls. "SGDR", Loshchilov and Hutter, 2016.

    >>> CosineDecay(1.0, 10)(10)
    0.0
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str | None = None,
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, 0)
        self.decay_steps, self.alpha = _steps("decay_steps", decay_steps), number("alpha", alpha, 0)
        self.warmup_target = None if warmup_target is None else number("warmup_target", warmup_target, 0)
        self.warmup_steps, self.name = number("warmup_steps", warmup_steps, 0), name

    def __call__(self, step: int) -> float:
        top, start = self.initial_learning_rate, 0.0
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            top, start = self.warmup_target, self.warmup_steps
        share = min((step - start) / self.decay_steps, 1.0)
        return top * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * share)) + self.alpha)


@SCHEDULES.entry("cosine_decay_restarts")
class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decays one after the other, each t_mul times as long as the one before and m_mul times as high; the first
    takes first_decay_steps. "SGDR", Loshchilov and Hutter, 2016.

    >>> CosineDecayRestarts(1.0, 10)(10)
    1.0
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, 0)
        self.first_decay_steps = _steps("first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul = number("t_mul", t_mul, 1), number("m_mul", m_mul, 0)
        self.alpha, self.name = number("alpha", alpha, 0), name

    def __call__(self, step: int) -> float:
        length, start, height = self.first_decay_steps, 0.0, 1.0
        if self.t_mul == 1:
            rounds = math.floor(step / length)
            start, height = rounds * length, self.m_mul**rounds
        while step >= start + length:
            start, length, height = start + length, length * self.t_mul, height * self.m_mul
        cosine = 0.5 * height * (1 + math.cos(math.pi * (step - start) / length))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)


def get(identifier: Any) -> Callable[[int], float]:
    """Return the schedule meant by a config, a schedule, or a function of the step, or, as in Keras 3, of nothing."""
    if not callable(identifier):
        return SCHEDULES.get(identifier)
    function: Callable[..., float] = identifier
    if hasattr(identifier, "__code__") and not arguments(identifier):
        return lambda step: function()
    return function


deserialize = get


def serialize(schedule: Any) -> Any:
    """Return the config from which `get` makes an equal schedule; a function is its own."""
    return SCHEDULES.serialize(schedule) if isinstance(schedule, LearningRateSchedule) else schedule
