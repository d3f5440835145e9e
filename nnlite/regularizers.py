"""Penalties on weights, added to the loss once a batch: l1 sum |w| + l2 sum w^2, without a factor 1/2. Formulas:
keras.regularizers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.config import era
from nnlite.errors import UnsupportedError, number
from nnlite.registry import Configurable, Family, older_spellings

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Regularizer(Configurable):
    """Base of all regularizers; call one on an array to get its penalty. The engine reads `l1` and `l2`.

    >>> L1L2(0.5, 0.25)([1.0, -2.0])
    2.75
    """

    l1: float = 0.0
    l2: float = 0.0

    def __call__(self, w: NDArray[Any]) -> float:
        return float(self.l1 * np.sum(np.abs(w)) + self.l2 * np.sum(np.square(w)))


def _in_python(regularizer: Any) -> UnsupportedError:
    return UnsupportedError(
        f"regularizer {regularizer!r} is computed in Python, which the engine cannot differentiate; use l1, l2 or "
        "l1_l2 of nnlite.regularizers, or add the penalty in a loss of your own."
    )


def _adopt(function: Callable[..., Any]) -> Regularizer:
    raise _in_python(function)


REGULARIZERS = Family("regularizer", Regularizer, _adopt)


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


def get(identifier: Any) -> Regularizer | None:
    """Return the regularizer meant by None (none), a name, a config, a class or a regularizer.

    Raises ValueError for an unknown name, with the closest ones, and UnsupportedError for a function.

    >>> get({"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}})([1.0, 2.0])
    2.5
    """
    regularizer = None if identifier is None else REGULARIZERS.get(identifier)
    if regularizer is not None and type(regularizer).__call__ is not Regularizer.__call__:
        raise _in_python(regularizer)
    return regularizer


deserialize = get


def serialize(regularizer: Regularizer | None) -> dict[str, Any] | None:
    """Return the config from which `get` makes an equal regularizer.

    >>> serialize(L2(0.5))
    {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    return None if regularizer is None else REGULARIZERS.serialize(regularizer)


def __getattr__(name: str) -> Callable[..., Regularizer]:
    return REGULARIZERS.attribute(__name__, name).make


__all__ = ["Regularizer", "deserialize", "get", "serialize", *REGULARIZERS.exports()]
