"""Optimizers. To add one: its routines and row in csrc/engine/optimizers.h, an entry here, a line of
tests/reference_optimizers.py.

An entry is a class whose constructor names its numbers and whose `rule` turns them into a row of the engine; formulas
and papers stand there. What moves while training (moments, the step count) belongs to the model, so two models may
share an optimizer. Defaults: keras.optimizers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nnlite import python_optimizers as python_optimizers  # enters its optimizers
from nnlite import schedules
from nnlite.config import epsilon as default_epsilon
from nnlite.config import era
from nnlite.errors import number
from nnlite.optimizer import OPTIMIZERS as OPTIMIZERS
from nnlite.optimizer import Optimizer, PythonOptimizer
from nnlite.records import Row, row

if TYPE_CHECKING:
    from typing import Unpack

    from nnlite.optimizer import Options

def _epsilon(value: float | None) -> float:
    return default_epsilon() if value is None else number("epsilon", value, 0)


def _share(argument: str, value: float) -> float:
    """Return the share a running mean keeps, which is less than 1 because its bias is divided by 1 - share."""
    if number(argument, value, 0) >= 1:
        raise ValueError(f"{argument} must be at least 0 and less than 1; received {value!r}.")
    return float(value)


def _inner_outer(epsilon: float) -> tuple[float, float]:
    """Return epsilon's place in sqrt(a + inner) + outer."""
    return (epsilon, 0.0) if era("root.epsilon_inside") else (0.0, epsilon)


@OPTIMIZERS.entry("sgd", rows=("sgd", "momentum", "nesterov"))
class SGD(Optimizer):
    """Gradient descent: w -= learning_rate g; with momentum, v = momentum v - learning_rate g and w += v.

    Args: learning_rate 0.01; momentum 0 ... 1; nesterov, to step from where the momentum leads. For the rest see
    `Optimizer`.

    >>> SGD(lr=0.1, momentum=0.9).rule()
    Row(name='momentum', numbers=(0.9,))
    """

    default_rate = 0.01

    def __init__(
        self,
        learning_rate: float | None = None,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, options)
        self.momentum = number("momentum", momentum, 0, 1)
        self.nesterov = bool(nesterov)

    def rule(self) -> Row:
        if self.momentum == 0:
            return row("sgd")
        return row("nesterov" if self.nesterov else "momentum", self.momentum)


@OPTIMIZERS.entry("rmsprop", rows=("rmsprop", "rmsprop_momentum", "rmsprop_centered"))
class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squared gradients. Tieleman and Hinton, 2012.

    Args: learning_rate 0.001; rho 0.9, the share the mean keeps; momentum; epsilon, added to the denominator
    (`config.epsilon`); centered, to take the variance in place of the mean square. For the rest see `Optimizer`.

    >>> RMSprop(learning_rate=0.01, momentum=0.5).rule()
    Row(name='rmsprop_momentum', numbers=(0.9, 0.0, 1e-07, 0.5))
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float | None = None,
        centered: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, options)
        self.rho, self.momentum = number("rho", rho, 0, 1), number("momentum", momentum, 0, 1)
        self.epsilon, self.centered = _epsilon(epsilon), bool(centered)

    def rule(self) -> Row:
        numbers = (self.rho, *_inner_outer(self.epsilon))
        if self.centered:
            return row("rmsprop_centered", *numbers, self.momentum)
        return row("rmsprop_momentum", *numbers, self.momentum) if self.momentum else row("rmsprop", *numbers)


@OPTIMIZERS.entry("adagrad")
class Adagrad(Optimizer):
    """Steps divided by the root of the sum of squared gradients. Duchi et al., 2011.

    Args: learning_rate 0.01 (keras3: 0.001); initial_accumulator_value, where the sum starts, 0 (keras3: 0.1);
    epsilon, added to the denominator (`config.epsilon`). For the rest see `Optimizer`.

    >>> float(Adagrad().learning_rate)
    0.01
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        initial_accumulator_value: float | None = None,
        epsilon: float | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, options)
        if initial_accumulator_value is None:
            initial_accumulator_value = era("adagrad.initial_accumulator_value")
        self.initial_accumulator_value = number("initial_accumulator_value", initial_accumulator_value, 0)
        self.epsilon = _epsilon(epsilon)

    def rule(self) -> Row:
        return row("adagrad", *_inner_outer(self.epsilon), self.initial_accumulator_value)


@OPTIMIZERS.entry("adadelta")
class Adadelta(Optimizer):
    """Steps scaled by the ratio of running means of squared steps and squared gradients. Zeiler, 2012.

    Args: learning_rate 1.0 (keras3: 0.001); rho 0.95, the share the means keep; epsilon, inside both roots
    (`config.epsilon`). For the rest see `Optimizer`.

    >>> float(Adadelta().learning_rate)
    1.0
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        rho: float = 0.95,
        epsilon: float | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, options)
        self.rho, self.epsilon = number("rho", rho, 0, 1), _epsilon(epsilon)

    def rule(self) -> Row:
        return row("adadelta", self.rho, self.epsilon)


class _TwoMoments(Optimizer):
    """What the optimizers with a first and a second moment share: their decay rates and epsilon."""

    def __init__(
        self,
        learning_rate: float | None = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, options)
        self.beta_1, self.beta_2 = _share("beta_1", beta_1), _share("beta_2", beta_2)
        self.epsilon = _epsilon(epsilon)

    def rule(self) -> Row:
        return row(self.entry_name, self.beta_1, self.beta_2, self.epsilon)


@OPTIMIZERS.entry("adam", rows=("adam", "amsgrad"))
class Adam(_TwoMoments):
    """Steps by a running mean of gradients over the root of one of their squares, both corrected for their start.
    Kingma and Ba, 2014.

    Args: learning_rate 0.001; beta_1 0.9 and beta_2 0.999, the shares the means keep; epsilon, added to the
    denominator (`config.epsilon`); amsgrad, to divide by the largest second moment so far (Reddi et al., 2018). For
    the rest see `Optimizer`.

    >>> Adam().rule()
    Row(name='adam', numbers=(0.9, 0.999, 1e-07))
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        amsgrad: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.amsgrad = bool(amsgrad)

    def rule(self) -> Row:
        return row("amsgrad" if self.amsgrad else "adam", self.beta_1, self.beta_2, self.epsilon)


@OPTIMIZERS.entry("adamax")
class Adamax(_TwoMoments):
    """Adam with the largest gradient, fading by beta_2, in place of the second moment. Kingma and Ba, 2014, section 7.

    Args: learning_rate 0.002 (keras3: 0.001); the others as `Adam`.

    >>> float(Adamax().learning_rate)
    0.002
    """


@OPTIMIZERS.entry("nadam")
class Nadam(_TwoMoments):
    """Adam with Nesterov's momentum. Dozat, 2016.

    Args: learning_rate 0.002 (keras3: 0.001); schedule_decay, how fast the momentum reaches beta_1, 0.004 (keras3:
    1); the others as `Adam`.

    >>> Nadam().rule()
    Row(name='nadam', numbers=(0.9, 0.999, 1e-07, 0.004))
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        schedule_decay: float | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.schedule_decay = number(
            "schedule_decay", era("nadam.schedule_decay") if schedule_decay is None else schedule_decay, 0
        )

    def rule(self) -> Row:
        return row("nadam", self.beta_1, self.beta_2, self.epsilon, self.schedule_decay)


@OPTIMIZERS.entry("adamw", rows=())
class AdamW(Adam):
    """Adam with weight decay. "Decoupled weight decay regularization", Loshchilov and Hutter, 2017.

    Args: learning_rate 0.001; weight_decay 0.004: each step first takes rate * weight_decay * w off the weights; the
    others as `Adam`.

    >>> AdamW().weight_decay
    0.004
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **options | {"weight_decay": weight_decay})


@OPTIMIZERS.entry("lion")
class Lion(Optimizer):
    """Steps of one length, in the sign of a running mean of gradients. "Symbolic discovery of optimization algorithms",
    Chen et al., 2023.

    Args: learning_rate 0.001; beta_1 0.9, the share of the mean in the direction; beta_2 0.99, the share the mean
    keeps. For the rest see `Optimizer`.

    >>> Lion().rule()
    Row(name='lion', numbers=(0.9, 0.99))
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, options)
        self.beta_1, self.beta_2 = number("beta_1", beta_1, 0, 1), number("beta_2", beta_2, 0, 1)

    def rule(self) -> Row:
        return row("lion", self.beta_1, self.beta_2)


@OPTIMIZERS.entry("ftrl")
class Ftrl(Optimizer):
    """Follow the regularized leader: weights from the sums of gradients, so that small ones can be exactly 0. Where
    there is no gradient it does not keep the initial weights. "Ad click prediction: a view from the trenches",
    McMahan et al., 2013.

    Args: learning_rate 0.001, more than 0; learning_rate_power -0.5, at most 0: rates fall with that power of the sum
    of squared gradients; initial_accumulator_value 0.1, where that sum starts; l1_regularization_strength,
    l2_regularization_strength; l2_shrinkage_regularization_strength, a penalty on the weights of the moment; beta. For
    the rest see `Optimizer`.

    >>> Ftrl(l1_regularization_strength=0.5).l1_regularization_strength
    0.5
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, options)
        self.learning_rate_power = -number("-learning_rate_power", -learning_rate_power, 0)
        self.initial_accumulator_value = number("initial_accumulator_value", initial_accumulator_value, 0)
        self.l1_regularization_strength = number("l1_regularization_strength", l1_regularization_strength, 0)
        self.l2_regularization_strength = number("l2_regularization_strength", l2_regularization_strength, 0)
        self.l2_shrinkage_regularization_strength = number(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength, 0
        )
        self.beta = number("beta", beta, 0)

    def rule(self) -> Row:
        return row(
            "ftrl",
            self.learning_rate_power,
            self.initial_accumulator_value,
            self.l1_regularization_strength,
            self.l2_regularization_strength,
            self.l2_shrinkage_regularization_strength,
            self.beta,
        )


def get(identifier: Any) -> Optimizer:
    """Return the optimizer meant by a name, a config, a class or an optimizer.

    Raises ValueError for an unknown name, with the closest ones.

    >>> get("rmsprop").rule()
    Row(name='rmsprop', numbers=(0.9, 0.0, 1e-07))
    """
    return OPTIMIZERS.get(identifier)


deserialize = get


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return the config from which `get` makes an equal optimizer.

    >>> serialize(SGD())["class_name"]
    'SGD'
    """
    return OPTIMIZERS.serialize(optimizer)


def __getattr__(name: str) -> Callable[..., Optimizer]:
    return OPTIMIZERS.attribute(__name__, name).make


legacy = sys.modules[__name__]  # tf.keras' name of what it was before, which is here too

__all__ = ["Optimizer", "PythonOptimizer", "deserialize", "get", "schedules", "serialize", *OPTIMIZERS.exports()]
