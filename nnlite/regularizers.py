"""Penalties on weights, added to the loss once a batch: l1 sum |w| + l2 sum w^2, without a factor 1/2. Formulas:
keras.regularizers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.config import era
from nnlite.errors import ShapeError, choice, number
from nnlite.loss import differences, python_values
from nnlite.registry import Configurable, Family, older_spellings

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Regularizer(Configurable):
    """Base of all regularizers; call one on an array to get its penalty. The engine reads `l1` and `l2`.

    A subclass with a `__call__` of its own is written in Python; its `gradient` may say the derivative.

    >>> L1L2(0.5, 0.25)([1.0, -2.0])
    2.75
    """

    l1: float = 0.0
    l2: float = 0.0

    def __call__(self, w: NDArray[Any]) -> float:
        return float(self.l1 * np.sum(np.abs(w)) + self.l2 * np.sum(np.square(w)))

    @property
    def in_python(self) -> bool:
        """Whether it has a penalty of its own, which the engine does not know."""
        return type(self).__call__ is not Regularizer.__call__

    def gradient(self, w: NDArray[Any]) -> NDArray[Any]:
        """Return the derivative of the penalty in each weight: of one written in Python by central differences in
        float64, two calls for each weight, exact to about nine digits where the penalty is smooth.
        """
        if not self.in_python:
            return np.asarray(self.l1 * np.sign(w) + 2 * self.l2 * w)
        return differences(lambda values: np.asarray(self(values)), w.astype(np.float64), mixed=True)

    def penalty(self, weight: str, w: NDArray[Any]) -> float:
        """Return the penalty of a weight called so. Raises ArgumentError or ShapeError if it is not one number."""
        value = python_values(f"the regularizer of {weight}", self(w))
        if value.size != 1:
            text = f"the regularizer of {weight} must return one number"
            raise ShapeError(f"{text}; it returned the shape {value.shape}.")
        return float(value.item())


class PythonRegularizer(Regularizer):
    """A function ``f(w)`` of an array, which returns the penalty, as regularizer.

    The function may have an attribute `gradient`, a function of the array that returns the derivative.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        if hasattr(function, "gradient"):
            self.gradient = function.gradient  # type: ignore[method-assign]

    def __call__(self, w: NDArray[Any]) -> Any:
        return self.function(w)


REGULARIZERS = Family("regularizer", Regularizer, PythonRegularizer)


@REGULARIZERS.entry("l1", "activity_l1", rows=())
class L1(Regularizer):
    """l1 sum |w|; `l1` is 0.01 by default. Keras 1 and 2 called it `l`.

    >>> L1(0.5)([1.0, -2.0])
    1.5
    """

    @older_spellings(l="l1")
    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = number("l1", l1, 0)


@REGULARIZERS.entry("l2", "activity_l2", rows=())
class L2(Regularizer):
    """l2 sum w^2; `l2` is 0.01 by default. Keras 1 and 2 called it `l`.

    >>> L2(0.25)([1.0, -2.0])
    1.25
    """

    @older_spellings(l="l2")
    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = number("l2", l2, 0)


@REGULARIZERS.entry("weight_regularizer", "activity_regularizer", rows=())
class L1L2(Regularizer):
    """l1 sum |w| + l2 sum w^2, each 0 unless given. Keras 1 called it WeightRegularizer.

    >>> L1L2(l2=0.25)([1.0, -2.0])
    1.25
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = number("l1", 0.0 if l1 is None else l1, 0)
        self.l2 = number("l2", 0.0 if l2 is None else l2, 0)


@REGULARIZERS.entry("l1_l2", "activity_l1l2", rows=())  # takes over the spelling L1L2, which as a name means the same
def l1_l2(l1: float | None = None, l2: float | None = None) -> L1L2:
    """Return `L1L2`, whose factors are 0.01 in keras2 and 0 in keras3 unless given.

    >>> l1_l2(l1=0.5, l2=0.25)([1.0, -2.0])
    2.75
    """
    default: float = era("l1_l2.factor")
    return L1L2(default if l1 is None else l1, default if l2 is None else l2)


@REGULARIZERS.entry("orthogonal_regularizer", "orthogonal", rows=())
class OrthogonalRegularizer(Regularizer):
    """factor times the mean of |cosine of the angle| over all pairs of rows of a kernel, or of its columns. Computed in
    Python.

    Args: factor 0.01; mode "rows" or "columns".

    >>> round(OrthogonalRegularizer(0.5)(np.array([[1.0, 0.0], [1.0, 1.0]])), 6)
    0.353553
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor, self.mode = number("factor", factor), choice("mode", mode, ("rows", "columns"))

    def _units(self, w: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], int]:
        """Lengths of the rows (or columns), these at length 1, their cosines, 0 on the diagonal, and the pairs."""
        if np.ndim(w) != 2:
            raise ShapeError(f"the orthogonal regularizer takes kernels, of two axes; received shape {np.shape(w)}.")
        rows = np.asarray(w, np.float64) if self.mode == "rows" else np.asarray(w, np.float64).T
        lengths = np.sqrt(np.maximum((rows**2).sum(axis=1, keepdims=True), 1e-12))
        units = rows / lengths
        return lengths, units, units @ units.T * (1 - np.eye(len(rows))), max(len(rows) * (len(rows) - 1) // 2, 1)

    def __call__(self, w: NDArray[Any]) -> float:
        _, _, cosines, pairs = self._units(w)
        return float(self.factor * 0.5 * np.abs(cosines).sum() / pairs)

    def gradient(self, w: NDArray[Any]) -> NDArray[Any]:
        """Return the derivative of the penalty in each weight."""
        lengths, units, cosines, pairs = self._units(w)
        slope = self.factor / pairs * np.sign(cosines) @ units
        slope = (slope - units * (units * slope).sum(axis=1, keepdims=True)) / lengths
        return np.asarray(slope if self.mode == "rows" else slope.T)


def get(identifier: Any) -> Regularizer | None:
    """Return the regularizer meant by None (none), a name, a config, a class, a regularizer, or a function of an array.

    Raises ValueError for an unknown name, with the closest ones.

    >>> get({"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}})([1.0, 2.0])
    2.5
    """
    return None if identifier is None else REGULARIZERS.get(identifier)


deserialize = get


def serialize(regularizer: Regularizer | None) -> Any:
    """Return the config from which `get` makes an equal regularizer; a function is its own.

    >>> serialize(L2(0.5))
    {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    if isinstance(regularizer, PythonRegularizer):
        return regularizer.function
    return None if regularizer is None else REGULARIZERS.serialize(regularizer)


def __getattr__(name: str) -> Callable[..., Regularizer]:
    return REGULARIZERS.attribute(__name__, name).make


__all__ = ["Regularizer", "deserialize", "get", "serialize", *REGULARIZERS.exports()]
