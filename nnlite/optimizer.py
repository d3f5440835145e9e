"""What all optimizers share: the learning rate, decay and clipping. The optimizers themselves are in optimizers.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self
from weakref import WeakSet

from nnlite import schedules
from nnlite.config import era
from nnlite.errors import ArgumentError, UnsupportedError, number, unknown_argument
from nnlite.records import OptimizerRecord, Row
from nnlite.registry import Configurable, arguments

if TYPE_CHECKING:
    from typing import TypedDict

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
            A schedule of `nnlite.schedules`, or another function of the step's number, gives it for each step.
        decay: rate of step t (from 0) = learning_rate / (1 + decay t).
        weight_decay: each step first takes rate * weight_decay * w off the weights.
        clipvalue: elements of gradients are cut to [-clipvalue, clipvalue].
        clipnorm: longer gradients are scaled down to it: all together in keras2, each tensor's by itself in keras3.
        global_clipnorm: as clipnorm, together in every era.
        name: what `get_config` calls it.

    Raises:
        ArgumentError: an unknown argument, one that is no number, or both `lr` and `learning_rate`.
        ValueError: a number out of its range.

    >>> from nnlite.optimizers import SGD
    >>> optimizer = SGD(0.1, clipnorm=1.0)
    >>> optimizer.learning_rate = 0.05
    >>> optimizer.lr
    0.05
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
        rate = learning_rate if lr is None else lr
        self.schedule = schedules.get(rate) if callable(rate) or isinstance(rate, Mapping) else None
        self._learning_rate = number("learning_rate", rate if self.schedule is None else self.schedule(0), 0)
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
        if self.schedule is not None:
            raise TypeError(
                f"learning_rate is given by {self.schedule!r} and cannot be set; received {value!r}. Compile with an "
                "optimizer of a plain rate instead."
            )
        self._learning_rate = number("learning_rate", value, 0)
        for engine in self._engines:
            engine.learning_rate = self._learning_rate

    def prepare(self, engine: EngineModel) -> None:
        """Let `engine` take its next step at the rate of the schedule, if there is one."""
        if self.schedule is not None:
            self._learning_rate = number("learning_rate", self.schedule(engine.iterations), 0)
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
        own = super().get_config() | {
            "learning_rate": self._learning_rate if self.schedule is None else schedules.serialize(self.schedule)
        }
        return {"name": self.name} | own | {name: getattr(self, name) or None for name in _OFF}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        return cls(**config)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_config, (self.get_config(),)
