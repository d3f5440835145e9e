"""Optimizers. To add one: its routines and row in csrc/engine/optimizers.h, an entry here, a line of
tests/reference_optimizers.py.

An entry is a class whose constructor names its numbers and whose `rule` turns them into a row of the engine; formulas
and papers stand there. What moves while training (moments, the step count) belongs to the model, so two models may
share an optimizer. Defaults: keras.optimizers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self
from weakref import WeakSet

from nnlite.config import epsilon as default_epsilon
from nnlite.config import era
from nnlite.errors import ArgumentError, UnsupportedError, number, unknown_argument
from nnlite.records import OptimizerRecord, Row, row
from nnlite.registry import Configurable, Family, arguments

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from nnlite._engine import EngineModel

    class Options(TypedDict, total=False):
        """What every optimizer takes besides its own numbers; see `Optimizer`."""

        lr: float | None
        decay: float | None
        weight_decay: float | None
        clipvalue: float | None
        clipnorm: float | None
        global_clipnorm: float | None
        name: str | None


_OFF = ("decay", "weight_decay", "clipvalue", "clipnorm", "global_clipnorm")  # numbers that None or 0 switches off

# Arguments of newer Keras that change nothing at these values: accepted so, refused otherwise.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "use_ema": (False,),
    "ema_overwrite_frequency": (None,),
    "gradient_accumulation_steps": (None, 1),
    "loss_scale_factor": (None, 1),
}
_IGNORED = ("ema_momentum", "jit_compile", "is_legacy_optimizer")


class LearningRate(float):
    """What ``optimizer.lr`` gives: a number that knows its optimizer, for ``K.set_value(optimizer.lr, 0.01)``."""

    _optimizer: Optimizer

    def __new__(cls, value: float, optimizer: Optimizer) -> LearningRate:
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    def assign(self, value: float) -> None:
        """Set the optimizer's learning rate."""
        self._optimizer.learning_rate = value

    def numpy(self) -> float:
        """Return the plain number."""
        return float(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return float, (float(self),)


class Optimizer(Configurable):
    """Base of all optimizers.

    Args:
        learning_rate: factor on the step; `lr` is an older name. May be set at any time, also while a callback runs.
        decay: rate of step t (from 0) = learning_rate / (1 + decay t).
        weight_decay: each step first takes rate * weight_decay * w off the weights.
        clipvalue: elements of gradients are cut to [-clipvalue, clipvalue].
        clipnorm: longer gradients are scaled down to it: all together in keras2, each tensor's by itself in keras3.
        global_clipnorm: as clipnorm, together in every era.
        name: what `get_config` calls it.

    Raises:
        ArgumentError: an unknown argument, one that is no number, or both `lr` and `learning_rate`.
        ValueError: a number out of its range.
    """

    default_rate: ClassVar[float] = 0.001  # where the eras agree on it

    def __init__(self, learning_rate: float | None, options: Mapping[str, Any]) -> None:
        unknown = [name for name in options if name not in (*_OFF, "lr", "name", *_WITHOUT_EFFECT, *_IGNORED)]
        if unknown:
            known = {*arguments(type(self).__init__), "learning_rate", "lr", "name", *_OFF}
            raise unknown_argument(type(self).__name__, unknown[0], known)
        for name, harmless in _WITHOUT_EFFECT.items():
            if options.get(name, harmless[0]) not in harmless:
                raise UnsupportedError(
                    f"{name} of {type(self).__name__} must be {harmless[0]!r}; received {options[name]!r}."
                )
        lr = options.get("lr")
        if lr is not None and learning_rate is not None:
            raise ArgumentError(
                f"lr is learning_rate: give one of them; received lr={lr!r} and learning_rate={learning_rate!r}."
            )
        self._engines: WeakSet[EngineModel] = WeakSet()
        if lr is None and learning_rate is None:
            lr = era(f"{self.entry_name}.learning_rate", self.default_rate)
        self.learning_rate = learning_rate if lr is None else lr
        self.decay, self.weight_decay, self.clipvalue, self.clipnorm, self.global_clipnorm = (
            number(name, options.get(name) or 0.0, 0) for name in _OFF
        )
        self.name = options.get("name") or self.entry_name

    def rule(self) -> Row:
        """Return the engine's row with the optimizer's own numbers; what an entry defines."""
        raise UnsupportedError(f"{type(self).__name__} has no row in the engine; derive from one of nnlite.optimizers.")

    def record(self) -> OptimizerRecord:
        """Return what ``EngineModel.compile`` takes, as the era in force has it."""
        tensor_norm, all_norm = (self.clipnorm, self.global_clipnorm)
        if not era("clipnorm.of_each_tensor") and tensor_norm:
            tensor_norm, all_norm = 0.0, min(tensor_norm, all_norm or tensor_norm)
        return OptimizerRecord(
            *self.rule(), self._learning_rate, self.decay, self.weight_decay, self.clipvalue, tensor_norm, all_norm
        )

    @property
    def learning_rate(self) -> float:
        """The learning rate, before decay. Setting it also sets that of the models trained with this optimizer."""
        return LearningRate(self._learning_rate, self)

    @learning_rate.setter
    def learning_rate(self, value: float | None) -> None:
        self._learning_rate = number("learning_rate", value, 0)
        for engine in self._engines:
            engine.learning_rate = self._learning_rate

    @property
    def lr(self) -> float:
        """The older name of `learning_rate`."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: float) -> None:
        self.learning_rate = value

    def attach(self, engine: EngineModel) -> None:
        """Let the learning rate of `engine`, which was compiled with this optimizer, follow this one's."""
        self._engines.add(engine)

    def detach(self, engine: EngineModel) -> None:
        """Undo `attach`, because `engine` has been compiled with another optimizer."""
        self._engines.discard(engine)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer, in Keras 3's spelling, with None for what is off."""
        own = super().get_config() | {"learning_rate": self._learning_rate}
        return {"name": self.name} | own | {name: getattr(self, name) or None for name in _OFF}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        return cls(**config)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_config, (self.get_config(),)


OPTIMIZERS = Family("optimizer", Optimizer)


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
    """


@OPTIMIZERS.entry("nadam")
class Nadam(_TwoMoments):
    """Adam with Nesterov's momentum. Dozat, 2016.

    Args: learning_rate 0.002 (keras3: 0.001); schedule_decay, how fast the momentum reaches beta_1, 0.004 (keras3:
    1); the others as `Adam`.
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


def get(identifier: Any) -> Optimizer:
    """Return the optimizer meant by a name, a config, a class or an optimizer.

    Raises ValueError for an unknown name, with the closest ones.

    >>> get("rmsprop").rule()
    Row(name='rmsprop', numbers=(0.9, 0.0, 1e-07))
    """
    return OPTIMIZERS.get(identifier)


deserialize = get


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return the config from which `get` makes an equal optimizer."""
    return OPTIMIZERS.serialize(optimizer)


def __getattr__(name: str) -> Callable[..., Optimizer]:
    return OPTIMIZERS.attribute(__name__, name).make


__all__ = ["Optimizer", "deserialize", "get", "serialize", *OPTIMIZERS.exports()]
