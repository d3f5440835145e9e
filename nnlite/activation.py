"""What all activations share, and those written in Python. The activations themselves are in activations.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.errors import ArgumentError, ShapeError, unknown_argument
from nnlite.loss import python_values
from nnlite.records import Row, as_reals, row
from nnlite.registry import Family, arguments


class Activation:
    """A function applied to the output of a layer, with its parameters.

    Call it on an array of any shape to apply it: ``relu(x)``, ``relu(x, alpha=0.1)``. The result has the shape of
    `x`; float64 stays float64, all else becomes `config.floatx`. Raises ArgumentError for an unknown parameter.

    >>> from nnlite.activations import relu
    >>> relu([-1.0, 2.0], alpha=0.5)
    array([-0.5,  2. ], dtype=float32)
    """

    def __init__(self, rule: Callable[..., Row], parameters: dict[str, Any], spellings: dict[str, str]) -> None:
        self.name = self.__name__ = rule.__name__
        self.__doc__ = rule.__doc__
        self.parameters = parameters
        self._rule = rule
        self.older_spellings = spellings

    def __call__(self, x: Any, *values: Any, **parameters: Any) -> Any:
        activation = self.with_parameters(*values, **parameters)
        return activation if x is _ANY_INPUT else activation._apply(x)

    def with_parameters(self, *values: Any, **parameters: Any) -> Activation:
        """Return this activation with other parameters, by position or by name of any era; itself for none."""
        if not values and not parameters:
            return self
        known = arguments(self._rule)
        if len(values) > len(known):
            raise ArgumentError(f"{self.name} takes {len(known)} parameters {known}; received {values!r}.")
        chosen = self.parameters | dict(zip(known, values, strict=False))
        for name, value in parameters.items():
            name = self.older_spellings.get(name, name)
            if name not in known:
                raise unknown_argument(self.name, name, known)
            chosen[name] = value
        changed = Activation(self._rule, chosen, self.older_spellings)
        _ = changed.record  # a wrong value is told here, not when the model is built
        return changed

    @property
    def record(self) -> Row:
        """The engine's row and its numbers, as the era in force has them."""
        return self._rule(**self.parameters)

    def get_config(self) -> dict[str, Any]:
        """Return the parameters that were given."""
        return dict(self.parameters)

    def __repr__(self) -> str:
        return f"<activation {self.name}{self.parameters or ''}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activation) and (self.name, self.parameters) == (other.name, other.parameters)

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, ({"class_name": self.name, "config": self.parameters},)

    def _apply(self, x: Any) -> Any:
        from nnlite import _engine

        values = as_reals(x)
        rows = values.reshape(-1, values.shape[-1] if values.ndim else 1)
        result = _engine.activate(*self.record, rows).reshape(values.shape)
        return result.view(type(x)) if isinstance(x, np.ndarray) else result  # a tensor gives a tensor


# Stands for the input when adopt looks through a function.
_ANY_INPUT = object()


class PythonActivation(Activation):
    """A function ``f(x)`` of an array (rows, units), which returns another of that shape, as activation.

    Each row of the result must depend on that row of `x` alone. The derivative is what the function's attribute
    ``gradient(x, dy)`` makes of the gradient `dy` in the result, or else central differences: one pair of calls where
    every element depends on itself alone, which is tried, and one pair for every unit otherwise.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__doc__ = getattr(function, "__doc__", None)
        self.parameters = {}

    @property
    def record(self) -> Row:
        """The engine's row, which asks outside."""
        return row("given")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PythonActivation) and self.function == other.function

    def __hash__(self) -> int:
        return hash(self.function)

    def __reduce__(self) -> tuple[Any, ...]:
        return PythonActivation, (self.function,)

    def with_parameters(self, *values: Any, **parameters: Any) -> Activation:
        """Return itself. Raises ArgumentError if parameters are given; the function has them fixed."""
        if values or parameters:
            raise ArgumentError(f"activation {self.name!r} takes no parameters; received {values} {parameters}.")
        return self

    def _apply(self, x: Any) -> Any:
        return self.forward(np.asarray(x))

    def forward(self, x: Any) -> Any:
        """Return what the function makes of `x`. Raises ArgumentError or ShapeError if that is not an array like it."""
        y = python_values(f"activation {self.name!r}", self.function(x))
        if y.shape != x.shape:
            raise ShapeError(
                f"activation {self.name!r} must return the shape of its input, {x.shape}; it returned {y.shape}."
            )
        return y.astype(x.dtype)

    def backward(self, x: Any, dy: Any) -> Any:
        """Return the gradient in `x` from that in the result, both (rows, units)."""
        given = getattr(self.function, "gradient", None)
        if given is not None:
            dx = python_values(f"the gradient of activation {self.name!r}", given(x, dy))
            if dx.shape != x.shape:
                raise ShapeError(
                    f"the gradient of activation {self.name!r} must have the shape of its input, {x.shape}; it "
                    f"returned {dx.shape}."
                )
            return dx
        points = x.astype(np.float64)
        step = np.cbrt(np.finfo(np.float64).eps) * np.maximum(1, np.abs(points))
        if self._each_by_itself(points):
            return dy * (self.forward(points + step) - self.forward(points - step)) / (2 * step)
        dx = np.empty_like(points)
        for unit in range(points.shape[1]):
            moved = np.zeros_like(points)
            moved[:, unit] = step[:, unit]
            change = (self.forward(points + moved) - self.forward(points - moved)) / (2 * step[:, [unit]])
            dx[:, unit] = (dy * change).sum(axis=1)
        return dx

    def _each_by_itself(self, x: Any) -> bool:
        """Whether the function gives the same for all elements in one column."""
        try:
            alone = np.asarray(self.function(x.reshape(-1, 1)))
        except Exception:  # it wants rows of that length
            return False
        return alone.size == x.size and bool(np.allclose(alone.reshape(x.shape), self.forward(x), 1e-12, 1e-300, True))


def _adopt(function: Callable[..., Any]) -> Activation:
    """Return the activation that a function passes its argument on to, as ``lambda x: relu(x, alpha=0.1)`` does, or one
    that calls the function.
    """
    try:
        result = function(_ANY_INPUT)
    except Exception:
        result = None
    return result if isinstance(result, Activation) else PythonActivation(function)


ACTIVATIONS = Family("activation", Activation, _adopt)


def _again(config: dict[str, Any]) -> Activation:
    return ACTIVATIONS.get(config)


def activation(
    *aliases: str, rows: tuple[str, ...] | None = None, **spellings: str
) -> Callable[[Callable[..., Row]], Activation]:
    """Enter the decorated rule as an activation of its name; `spellings` are other eras' names of its parameters."""

    def enter(rule: Callable[..., Row]) -> Activation:
        made = Activation(rule, {}, spellings)
        ACTIVATIONS.entry(made.name, *aliases, rows=rows)(made.with_parameters)
        return made

    return enter
