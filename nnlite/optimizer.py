"""What all optimizers share: the learning rate, decay and clipping. The optimizers themselves are in optimizers.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from nnlite import schedules
from nnlite.backend import Variable
from nnlite.config import era
from nnlite.data import count, whole
from nnlite.errors import (
    ArgumentError,
    NotBuiltError,
    ShapeError,
    UnsupportedError,
    choice,
    number,
    unknown_argument,
)
from nnlite.records import OptimizerRecord, Row
from nnlite.registry import Configurable, Family, arguments

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
        use_ema: bool
        ema_momentum: float
        ema_overwrite_frequency: int | None
        gradient_accumulation_steps: int | None
        loss_scale_factor: float | None
        name: str | None


Array = NDArray[Any]

_OFF = ("decay", "weight_decay", "clipvalue", "clipnorm", "global_clipnorm")  # numbers that None or 0 switches off

# What Keras 3 takes besides, with what it is when it is not given.
_BY_STEPS: dict[str, Any] = {
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "gradient_accumulation_steps": None,
    "loss_scale_factor": None,
}
_IGNORED = ("jit_compile", "is_legacy_optimizer")
_OPTIONS = {*_OFF, "lr", "name", *_BY_STEPS, *_IGNORED}


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


class Steps(int):
    """What ``optimizer.iterations`` gives: a number that can be asked as a variable of Keras."""

    def numpy(self) -> int:
        """Return the plain number."""
        return int(self)


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
        use_ema: whether averages of the weights, average = ema_momentum average + (1 - ema_momentum) w, replace them at
            the end of a training and after every `ema_overwrite_frequency` steps, if that is given.
        ema_momentum: share of the average that stays, 0.99.
        ema_overwrite_frequency: see there.
        gradient_accumulation_steps: batches of which the mean gradient makes a step, 1 if None.
        loss_scale_factor: taken for Keras' sake; the loss needs no scaling here.
        name: what `get_config` calls it.

    A subclass that updates weights in Python has an `update_step`, as in Keras 3, or a `python_step` for all weights at
    once; `build` and `add_variable_from_reference` make what it keeps.

    Raises:
        ArgumentError: an unknown argument, one that is no number, or both `lr` and `learning_rate`.
        ValueError: a number out of its range, or in keras3 more than one kind of clipping.

    >>> from nnlite.optimizers import SGD
    >>> optimizer = SGD(0.1, clipnorm=1.0)
    >>> optimizer.learning_rate = 0.05
    >>> optimizer.lr
    0.05
    """

    default_rate: ClassVar[float] = 0.001  # where the eras agree on it

    def __init__(self, learning_rate: Any = None, options: Mapping[str, Any] | None = None, **more: Any) -> None:
        options = {**(options or {}), **more}
        unknown = [name for name in options if name not in _OPTIONS]
        if unknown:
            known = {*arguments(type(self).__init__), "learning_rate", "lr", "name", *_OFF}
            raise unknown_argument(type(self).__name__, unknown[0], known)
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
        self.decay, self.weight_decay, self.clipvalue, self.clipnorm, self.global_clipnorm = [
            number(name, options[name], 0) if options.get(name) else 0.0 for name in _OFF
        ]
        clipping = [name for name in _OFF[2:] if options.get(name)]
        if len(clipping) > 1 and era("clipping.of_one_kind"):
            raise ValueError(f"only one of clipvalue, clipnorm and global_clipnorm can be given; received {clipping}.")
        self.use_ema = bool(options.get("use_ema"))
        self.ema_momentum = number("ema_momentum", options.get("ema_momentum", 0.99), 0, 1)
        self.ema_overwrite_frequency = count("ema_overwrite_frequency", options.get("ema_overwrite_frequency"))
        self.gradient_accumulation_steps = count(
            "gradient_accumulation_steps", options.get("gradient_accumulation_steps")
        )
        scale = options.get("loss_scale_factor")
        self.loss_scale_factor = None if scale is None else number("loss_scale_factor", scale, 0)
        self.name = options.get("name") or self.entry_name or type(self).__name__

    def rule(self) -> Row:
        """Return the engine's row with the optimizer's own numbers; what an entry defines."""
        raise UnsupportedError(f"{type(self).__name__} has no row in the engine; derive from one of nnlite.optimizers.")

    def record(self) -> OptimizerRecord:
        """Return what ``EngineModel.compile`` takes, as the era in force has it."""
        if self.in_python:  # the engine only constrains and counts
            return OptimizerRecord("sgd", (), 0.0)
        tensor_norm, all_norm = (self.clipnorm, self.global_clipnorm)
        if tensor_norm and not era("clipnorm.of_each_tensor"):
            tensor_norm, all_norm = 0.0, min(tensor_norm, all_norm or tensor_norm)
        return OptimizerRecord(
            *self.rule(), self._learning_rate, self.decay, self.weight_decay, self.clipvalue, tensor_norm, all_norm
        )

    # ---- updates written in Python ----

    @property
    def in_python(self) -> bool:
        """Whether Python computes the new weights."""
        own = type(self)
        return own.update_step is not Optimizer.update_step or own.python_step is not Optimizer.python_step

    def python_step(
        self, weights: list[Array], gradients: list[Array], state: dict[str, Any], iterations: int
    ) -> Sequence[Any] | None:
        """Return the new weights, in order, or change `weights` in place and return None.

        Args:
            weights, gradients: of all that are trained, arrays of one shape each.
            state: what the model keeps from step to step, empty at first. It is not saved with the model.
            iterations: steps taken before.
        """
        if not state:
            state["variables"] = [array.copy().view(Variable) for array in weights]
            self.build(state["variables"])
        variables = state["variables"]
        rate = self._learning_rate / (1 + self.decay * iterations)
        for variable, array in zip(variables, weights, strict=True):
            variable.assign(array * (1 - rate * self.weight_decay))
        for gradient, variable in zip(self.clipped(gradients), variables, strict=True):
            self.update_step(gradient, variable, rate)
        return [variable.numpy() for variable in variables]

    def clipped(self, gradients: list[Array]) -> list[Array]:
        """Return the gradients, clipped as the engine does it."""
        record = (self.global_clipnorm or self.clipnorm, 0.0)
        if era("clipnorm.of_each_tensor"):
            record = (self.global_clipnorm, self.clipnorm)
        of_all, of_each = record
        if of_all:
            norm = sum(float(np.square(g, dtype=np.float64).sum()) for g in gradients) ** 0.5
            gradients = [g * min(1.0, of_all / max(norm, 1e-300)) for g in gradients]
        if of_each:
            gradients = [g * min(1.0, of_each / max(float(np.linalg.norm(g)), 1e-300)) for g in gradients]
        return [np.clip(g, -self.clipvalue, self.clipvalue) for g in gradients] if self.clipvalue else gradients

    def build(self, variables: list[Any]) -> None:
        """Make what `update_step` keeps for each of the variables; called before the first step."""
        self._variables = list(variables)

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: str = "zeros"
    ) -> Any:
        """Return a variable of the shape and type of another, of zeros, or of ones."""
        choice("initializer", initializer, ("zeros", "ones"))
        return (np.zeros_like(reference_variable) + (initializer == "ones")).view(Variable)

    def update_step(self, gradient: Any, variable: Any, learning_rate: float) -> None:
        """Update one weight in place, ``variable.assign(...)``; what a subclass defines."""
        raise NotImplementedError

    def assign(self, variable: Any, value: Any) -> None:
        """Set a variable."""
        variable.assign(value)

    def assign_add(self, variable: Any, value: Any) -> None:
        """Add to a variable."""
        variable.assign(variable + value)

    def assign_sub(self, variable: Any, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign(variable - value)

    def _get_variable_index(self, variable: Any) -> int:
        """Return the number of a variable among those given to `build`, which Keras 3 calls so."""
        return next(i for i, one in enumerate(self._variables) if one is variable)

    # ---- the learning rate ----

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
        for engine in () if self.in_python else self._engines:
            engine.learning_rate = self._learning_rate

    def prepare(self, engine: EngineModel) -> None:
        """Let `engine` take its next step at the rate of the schedule, if there is one."""
        if self.schedule is not None:
            self._learning_rate = number("learning_rate", self.schedule(engine.iterations), 0)
            if not self.in_python:
                engine.learning_rate = self._learning_rate

    @property
    def lr(self) -> float:
        """The older name of `learning_rate`."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: float) -> None:
        self.learning_rate = value

    def attach(self, engine: EngineModel) -> None:
        """Let the learning rate of `engine`, which was compiled with this optimizer, follow this one's. That of an
        optimizer written in Python stays 0: the engine takes no step of its own.
        """
        self._engines.add(engine)

    def detach(self, engine: EngineModel) -> None:
        """Undo `attach`, because `engine` has been compiled with another optimizer."""
        self._engines.discard(engine)

    # ---- what it has come to ----

    @property
    def iterations(self) -> Steps:
        """How many steps the model it was compiled for has taken; 0 before there is one."""
        return Steps(max((engine.iterations for engine in self._engines), default=0))

    def _engine_of_its_model(self) -> EngineModel:
        if len(self._engines) != 1:
            raise NotBuiltError(
                f"optimizer {self.name!r} has state in {len(self._engines)} models; build and compile one with it."
            )
        return next(iter(self._engines))

    def get_weights(self) -> list[Any]:
        """Return the number of steps and copies of its moments, as Keras 2.3 orders them: of each kind in turn, one for
        each weight that is trained. Raises NotBuiltError unless one built model was compiled with it.
        """
        engine = self._engine_of_its_model()
        return [engine.iterations, *(engine.read(2 + slot, i) for slot, i in _moments(engine))]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set what `get_weights` returns. Raises ValueError if numbers or shapes are others, and what that raises."""
        engine = self._engine_of_its_model()
        places, known = _moments(engine), engine.tensors()
        wanted = [(), *(known[i][2] for _, i in places)]
        shapes = [np.shape(array) for array in weights]
        if shapes != wanted:
            text = f"the weights of optimizer {self.name!r} must have the shapes {wanted}"
            raise ShapeError(f"{text}; received {shapes}.")
        steps = whole("the number of steps", weights[0], 0)
        for (slot, i), array in zip(places, weights[1:], strict=True):
            engine.write(2 + slot, i, np.asarray(array))
        engine.state = engine.state | {"iterations": steps, "products": self._products(steps)}

    def _products(self, steps: int) -> list[float]:
        """The engine's running products after so many steps."""
        from nnlite.keras_config import products  # which needs the optimizers

        name, numbers = ("sgd", ()) if self.in_python else self.rule()
        of_nadam = 1.0
        for step in range(1, steps + 1 if name == "nadam" else 1):
            of_nadam *= numbers[0] * (1 - 0.5 * 0.96 ** (step * numbers[3]))
        return products(name, numbers, steps, of_nadam)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer, in Keras 3's spelling, with None for what is off."""
        own = super().get_config() | {
            "learning_rate": self._learning_rate if self.schedule is None else schedules.serialize(self.schedule)
        }
        by_steps = {name: getattr(self, name) for name, usual in _BY_STEPS.items() if getattr(self, name) != usual}
        return {"name": self.name} | own | {name: getattr(self, name) or None for name in _OFF} | by_steps

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        return cls(**config)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_config, (self.get_config(),)


def _moments(engine: EngineModel) -> list[tuple[int, int]]:
    """Slot and tensor of each moment of what is trained."""
    moving = [i for i, (*_, moves) in enumerate(engine.tensors()) if moves]
    return [(slot, i) for slot in range(engine.slots) for i in moving]


class PythonOptimizer(Optimizer):
    """A function ``f(weights, gradients, state)`` as optimizer: it returns the new weights, or changes them in place.

    Args:
        function: gets lists of arrays, one for each weight that is trained, and a dict that the model keeps from step
            to step. If it has arguments `learning_rate` or `iterations`, it gets the rate and the number of steps
            before.
        learning_rate, options: as for `Optimizer`; decay, clipping and weight decay are left to the function.

    >>> def descend(weights, gradients, state, learning_rate):
    ...     return [w - learning_rate * g for w, g in zip(weights, gradients)]
    >>> PythonOptimizer(descend, 0.1).in_python
    True
    """

    def __init__(self, function: Callable[..., Any], learning_rate: float | None = None, **options: Any) -> None:
        super().__init__(learning_rate, {"name": getattr(function, "__name__", type(function).__name__)} | options)
        self.function = function
        known = arguments(function if hasattr(function, "__code__") else type(function).__call__)
        self._wanted = [name for name in ("learning_rate", "iterations") if name in known]

    def python_step(
        self, weights: list[Array], gradients: list[Array], state: dict[str, Any], iterations: int
    ) -> Sequence[Any] | None:
        """Return what the function makes of the weights."""
        offered = {"learning_rate": self._learning_rate, "iterations": iterations}
        wanted = {name: offered[name] for name in self._wanted}
        made: Sequence[Any] | None = self.function(weights, gradients, state, **wanted)
        return made

    def get_config(self) -> dict[str, Any]:
        """Return the function and the rate."""
        return {"function": self.function, "learning_rate": self._learning_rate, "name": self.name}


OPTIMIZERS = Family("optimizer", Optimizer, PythonOptimizer)
