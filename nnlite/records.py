"""What Python hands to the engine: names of rows with their numbers, as plain tuples, and arrays of reals.

A *row* is one routine of the engine's lists (``_engine.rows(family)`` names them); its numbers parameterise it, in
the order the routine states in ``csrc/engine``. These tuples are passed to ``EngineModel`` as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnlite.config import floatx

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Row(NamedTuple):
    """A routine of the engine and the numbers that parameterise it."""

    name: str
    numbers: tuple[float, ...] = ()


class TensorRecord(NamedTuple):
    """What an optimizer step does with one tensor of a layer; l1 and l2 are penalties as in `nnlite.regularizers`."""

    trainable: bool = True
    l1: float = 0.0
    l2: float = 0.0
    constraint: str = "none"
    constraint_numbers: tuple[float, ...] = ()


class LayerRecord(NamedTuple):
    """One layer: its row, its width (0 = that of its input), the row's numbers, its tensors in the row's order."""

    row: str
    units: int = 0
    numbers: tuple[float, ...] = ()
    tensors: tuple[TensorRecord, ...] = ()
    function: Any = None  # what a layer of the row "given" computes: forward(x) and backward(x, dy)


class LossRecord(NamedTuple):
    """The loss of a model; `weight` multiplies it, not the penalties; `sum`: over the rows of a batch in place of
    their mean; `by_weight`: their mean is over the sum of the rows' weights; `skip_frozen`: penalties of frozen weights
    do not count.
    """

    row: str
    numbers: tuple[float, ...] = ()
    weight: float = 1.0
    sum: bool = False
    by_weight: bool = False
    skip_frozen: bool = False


class OptimizerRecord(NamedTuple):
    """An update rule with the numbers every rule has; 0 switches decay, weight decay and clipping off."""

    row: str
    numbers: tuple[float, ...]
    learning_rate: float
    decay: float = 0.0
    weight_decay: float = 0.0
    clipvalue: float = 0.0
    clipnorm: float = 0.0
    global_clipnorm: float = 0.0


def row(name: str, *numbers: float) -> Row:
    """Return the row `name` with its numbers: ``row("elu", 1)`` is ``("elu", (1.0,))``."""
    return Row(name, tuple(map(float, numbers)))


def as_reals(values: Any) -> NDArray[Any]:
    """Return `values` as a contiguous array of reals: float32 and float64 arrays keep their type, all else gets
    `config.floatx`.
    """
    dtype = getattr(values, "dtype", None)
    return np.ascontiguousarray(values, dtype if dtype in (np.float32, np.float64) else floatx()).reshape(
        np.shape(values)
    )
