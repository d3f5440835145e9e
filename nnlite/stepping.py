"""Optimizer steps in which Python has a part: gradients added up over several batches, averages of the weights,
penalties and limits of weights written in Python, and updates that Python computes as a whole.

The engine finds the gradients; a `Step` ends what it has begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnlite.config import era
from nnlite.errors import ShapeError
from nnlite.loss import python_values

if TYPE_CHECKING:
    from nnlite._engine import EngineModel
    from nnlite.layers.layer import Weight
    from nnlite.optimizer import Optimizer

Array = NDArray[Any]


class Stepper:
    """What a compiled model keeps from one step to the next, and ends its steps with.

    Args:
        optimizer: that of the model.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.state: dict[str, Any] = {}  # of an update written in Python
        self._summed: list[Array] = []
        self._batches = 0  # added up
        self._averages: dict[int, Array] = {}
        self._averaged = 0  # batches

    def has_part(self, ruled: bool) -> bool:
        """Whether Python has a part in the steps of a model; `ruled`: it has one in the rules of the weights."""
        optimizer = self.optimizer
        return ruled or optimizer.in_python or optimizer.use_ema or self._wanted > 1

    @property
    def _wanted(self) -> int:
        """How many batches make a step."""
        return self.optimizer.gradient_accumulation_steps or 1

    @property
    def keeps(self) -> bool:
        """Whether it has something a file of the model would not hold."""
        return bool(self.state or self._averages or self._batches)

    def take(self, engine: EngineModel, weights: Sequence[Weight]) -> float:
        """Take the step the gradients of `engine` ask for, or keep them for a later one; return the penalties of the
        weights before.
        """
        moving = [i for i, (*_, moves) in enumerate(engine.tensors()) if moves]
        of_frozen = era("penalties.of_frozen")
        penalty = sum(weight.penalty() for i, weight in enumerate(weights) if of_frozen or i in moving)
        if self._gathered(engine, moving):
            for i in moving:
                regularizer = weights[i].regularizer
                if regularizer is not None and (regularizer.in_python or self.optimizer.in_python):
                    slope = regularizer.gradient(engine.read(0, i))
                    engine.write(1, i, engine.read(1, i) + slope.astype(engine.dtype))
            if self.optimizer.in_python:
                self._update(engine, weights, moving)
            engine.update()
            for i in moving:
                constraint = weights[i].constraint
                if constraint is not None and constraint.in_python:
                    engine.write(0, i, constrained(weights[i], engine.read(0, i)))
        else:  # as if it had been a step, so that noise is another for every batch, and weights are where they may be
            engine.state = engine.state | {"iterations": engine.iterations + 1}
            for i in moving:
                limit = weights[i].constraint
                if limit is not None:
                    engine.write(0, i, constrained(weights[i], engine.read(0, i)))
        self._average(engine, moving)
        return penalty

    def _gathered(self, engine: EngineModel, moving: list[int]) -> bool:
        """Whether it is time for an update, with the mean gradients of all batches since the last."""
        wanted = self._wanted
        if wanted == 1:
            return True
        gradients = [engine.read(1, i) for i in moving]
        self._summed = [a + b for a, b in zip(self._summed, gradients, strict=True)] if self._batches else gradients
        self._batches += 1
        if self._batches < wanted:
            return False
        for i, total in zip(moving, self._summed, strict=True):
            engine.write(1, i, (total / wanted).astype(engine.dtype))
        self._batches = 0
        return True

    def _update(self, engine: EngineModel, weights: Sequence[Weight], moving: list[int]) -> None:
        """Put what Python makes of weights and gradients in the place of the weights; the engine's own update, at the
        rate 0, only constrains and counts.
        """
        before = [engine.read(0, i) for i in moving]
        steps = engine.iterations // self._wanted
        made = self.optimizer.python_step(before, [engine.read(1, i) for i in moving], self.state, steps)
        made = before if made is None else list(made)
        if len(made) != len(moving):
            raise ShapeError(
                f"optimizer {self.optimizer.name!r} must return an array for each of the {len(moving)} weights; "
                f"it returned {len(made)}."
            )
        values = [python_values(f"optimizer {self.optimizer.name!r}", array) for array in made]
        for i, array in zip(moving, values, strict=True):
            if array.shape != weights[i].shape:
                raise ShapeError(
                    f"optimizer {self.optimizer.name!r} must return weights of their shape; {weights[i].name} has "
                    f"{weights[i].shape}, and it returned {array.shape}."
                )
        for i, array in zip(moving, values, strict=True):
            engine.write(0, i, array.astype(engine.dtype))
            engine.write(1, i, np.zeros(weights[i].shape, engine.dtype))

    def _average(self, engine: EngineModel, moving: list[int]) -> None:
        """Let the averages follow the weights, and take their place when it is time."""
        optimizer = self.optimizer
        if not optimizer.use_ema:
            return
        starts = self._averaged < self._wanted  # Keras begins with the first update
        self._averaged += 1
        for i in moving:
            now, keep = engine.read(0, i), engine.dtype.type(optimizer.ema_momentum)
            self._averages[i] = now if starts else keep * self._averages[i] + (1 - keep) * now
        often = optimizer.ema_overwrite_frequency
        if often and ((engine.iterations - 1) // self._wanted + 1) % often == 0:
            self.finish(engine)

    def finish(self, engine: EngineModel) -> None:
        """Put the averages of the weights, if there are any, in their place: at the end of a training."""
        for i, average in self._averages.items():
            engine.write(0, i, average)

    def swap(self, engine: EngineModel) -> None:
        """Exchange the weights and their averages."""
        for i, average in self._averages.items():
            self._averages[i] = engine.read(0, i)
            engine.write(0, i, average)


def constrained(weight: Weight, values: Array) -> Array:
    """Return what a constraint written in Python makes of a weight. Raises ShapeError if it has another shape."""
    made = python_values(f"the constraint of {weight.name}", weight.constraint(values))  # type: ignore[misc]
    if made.shape != weight.shape:
        raise ShapeError(
            f"the constraint of {weight.name} must return its shape, {weight.shape}; it returned {made.shape}."
        )
    return made.astype(values.dtype)
