"""Constraints on weights, applied after each optimizer step. To add one: its routine and row in csrc/engine/update.h,
an entry here, a line of tests/reference.py. Formulas: keras.constraints. A norm is that of one unit's weights: of a
column of a kernel, of a whole bias; over another axis Python computes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.errors import ArgumentError, number
from nnlite.records import Row, row
from nnlite.registry import Configurable, Family, older_spellings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPSILON = 1e-7


class Constraint(Configurable):
    """Base of all constraints; call one on weights (inputs, units) or (units,) to get them constrained.

    A subclass with no record of its own is written in Python: its `__call__` returns the new weights.

    >>> NonNeg()([[-1.0, 2.0]])
    array([[0., 2.]])
    """

    axis: Any = 0

    @property
    def record(self) -> Row:
        """The engine's row and its numbers; that of no constraint if Python computes it."""
        return row("none")

    @property
    def in_python(self) -> bool:
        """Whether Python computes it: it has no row, or another axis than the engine's."""
        return type(self).record is Constraint.record or self.axis != 0

    def __call__(self, w: NDArray[Any]) -> NDArray[Any]:
        raise NotImplementedError


class PythonConstraint(Constraint):
    """A function of weights that returns new ones, as constraint."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, w: NDArray[Any]) -> Any:
        return self.function(w)


CONSTRAINTS = Family("constraint", Constraint, PythonConstraint)


def _axis(axis: Any) -> Any:
    """Return the axis, 0 where it is the engine's."""
    if axis in (0, [0], (0,)):
        return 0
    axes = axis if isinstance(axis, list | tuple) else [axis]
    if not axes or not all(isinstance(one, int) for one in axes):
        raise ArgumentError(f"axis of a constraint must be an integer or a list of them; received {axis!r}.")
    return axis


def _norms(w: NDArray[Any], axis: Any) -> NDArray[Any]:
    over = tuple(axis) if isinstance(axis, list | tuple) else axis
    return np.asarray(np.sqrt(np.sum(np.square(w), axis=over, keepdims=True)))


@CONSTRAINTS.entry("max_norm")
class MaxNorm(Constraint):
    """w clip(n, 0, max_value) / (1e-7 + n), n the norm: units no longer than `max_value` (2). Keras 1 called it `m`.

    >>> MaxNorm(1.0)(np.array([[3.0], [4.0]])).round(4)
    array([[0.6],
           [0.8]])
    """

    @older_spellings(m="max_value")
    def __init__(self, max_value: float = 2.0, axis: int = 0) -> None:
        self.max_value = number("max_value", max_value, 0)
        self.axis = _axis(axis)

    @property
    def record(self) -> Row:
        return row("max_norm", self.max_value)

    def __call__(self, w: NDArray[Any]) -> NDArray[Any]:
        norms = _norms(w, self.axis)
        return np.asarray(w * (np.minimum(norms, self.max_value) / (_EPSILON + norms)))


@CONSTRAINTS.entry("non_neg")
class NonNeg(Constraint):
    """max(w, 0).

    >>> NonNeg()([-1.0, 2.0])
    array([0., 2.])
    """

    @property
    def record(self) -> Row:
        return row("non_neg")

    def __call__(self, w: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.maximum(w, 0))


@CONSTRAINTS.entry("unit_norm")
class UnitNorm(Constraint):
    """w / (1e-7 + n), n the norm.

    >>> UnitNorm()(np.array([[3.0], [4.0]])).round(4)
    array([[0.6],
           [0.8]])
    """

    def __init__(self, axis: int = 0) -> None:
        self.axis = _axis(axis)

    @property
    def record(self) -> Row:
        return row("unit_norm")

    def __call__(self, w: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(w / (_EPSILON + _norms(w, self.axis)))


@CONSTRAINTS.entry("min_max_norm")
class MinMaxNorm(Constraint):
    """w (rate clip(n, min_value, max_value) + (1 - rate) n) / (1e-7 + n), n the norm; 0, 1 and 1 by default. Keras 1:
    `low`, `high`.

    >>> MinMaxNorm(0.5, 2.0)(np.array([[3.0], [4.0]])).round(4)
    array([[1.2],
           [1.6]])
    """

    @older_spellings(low="min_value", high="max_value")
    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int = 0) -> None:
        self.min_value = number("min_value", min_value, 0)
        self.max_value = number("max_value", max_value, self.min_value)
        self.rate = number("rate", rate, 0, 1)
        self.axis = _axis(axis)

    @property
    def record(self) -> Row:
        return row("min_max_norm", self.min_value, self.max_value, self.rate)

    def __call__(self, w: NDArray[Any]) -> NDArray[Any]:
        norms = _norms(w, self.axis)
        wanted = self.rate * np.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return np.asarray(w * (wanted / (_EPSILON + norms)))


def get(identifier: Any) -> Constraint | None:
    """Return the constraint meant by None (none), a name, a config, a class, a constraint, or a function of weights.

    Raises ValueError for an unknown name, with the closest ones.

    >>> get("max_norm").record
    Row(name='max_norm', numbers=(2.0,))
    """
    return None if identifier is None else CONSTRAINTS.get(identifier)


deserialize = get


def serialize(constraint: Constraint | None) -> Any:
    """Return the config from which `get` makes an equal constraint; a function is its own.

    >>> serialize(MaxNorm(3.0))
    {'class_name': 'MaxNorm', 'config': {'max_value': 3.0, 'axis': 0}}
    """
    if isinstance(constraint, PythonConstraint):
        return constraint.function
    return None if constraint is None else CONSTRAINTS.serialize(constraint)


def __getattr__(name: str) -> Callable[..., Constraint]:
    return CONSTRAINTS.attribute(__name__, name).make


__all__ = ["Constraint", "deserialize", "get", "serialize", *CONSTRAINTS.exports()]
