"""Random numbers: ``keras.random`` of Keras 3. Without a seed they come from NumPy's global generator, which
`utils.set_random_seed` seeds; the engine's own, for weights and shuffles, are elsewhere.
"""
# ruff: noqa: NPY002  (the global generator is what scripts seed)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.config import floatx
from nnlite.data import whole
from nnlite.prediction import Prediction


class SeedGenerator:
    """A source of seeds, each used once.

    Args:
        seed: where it starts; drawn from NumPy's global generator if None.

    >>> bool((normal((3,), seed=SeedGenerator(1)) == normal((3,), seed=SeedGenerator(1))).all())
    True
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.seed = int(np.random.randint(2**31)) if seed is None else whole("seed", seed, 0)
        self.name = name
        self._used = 0

    def next(self) -> int:
        """Return the next seed."""
        self._used += 1
        return (self.seed + 0x9E3779B9 * (self._used - 1)) % 2**32


def _generator(seed: Any) -> Any:
    if seed is None:
        return np.random
    return np.random.RandomState(seed.next() if isinstance(seed, SeedGenerator) else whole("seed", seed, 0))


def _tensor(values: Any, dtype: Any = None) -> Prediction:
    return np.asarray(values).astype(dtype or floatx()).view(Prediction)


def normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Prediction:
    """Return normal numbers.

    Args:
        shape: of the result.
        mean, stddev: of the distribution.
        dtype: of the result; `config.floatx` if None.
        seed: an int, for the same numbers each time; a `SeedGenerator`; or None.

    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    return _tensor(_generator(seed).normal(mean, stddev, tuple(shape)), dtype)


def truncated_normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Prediction:
    """Return normal numbers, drawn again beyond two deviations. Arguments: `normal`.

    >>> bool((abs(truncated_normal((1000,), seed=1)) <= 2).all())
    True
    """
    generator = _generator(seed)
    values = generator.normal(size=tuple(shape))
    while (far := abs(values) > 2).any():
        values[far] = generator.normal(size=int(far.sum()))
    return _tensor(mean + stddev * values, dtype)


def uniform(
    shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Prediction:
    """Return numbers evenly spread over [minval, maxval); whole ones for a dtype of integers. Arguments: `normal`.

    >>> bool((uniform((1000,), 2.0, 3.0, seed=1) >= 2).all())
    True
    """
    if dtype is not None and np.issubdtype(dtype, np.integer):
        return randint(shape, int(minval), int(maxval), dtype, seed)
    return _tensor(_generator(seed).uniform(minval, maxval, tuple(shape)), dtype)


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Prediction:
    """Return whole numbers of [minval, maxval). Arguments: `normal`.

    >>> randint((1000,), 0, 3, seed=1).max().numpy()
    array(2, dtype=int32)
    """
    return _tensor(_generator(seed).randint(minval, maxval, tuple(shape)), dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Prediction:
    """Return `x` with its rows, or what lies along `axis`, in a random order.

    >>> sorted(shuffle([3, 1, 2], seed=1).tolist())
    [1, 2, 3]
    """
    values = np.asarray(x)
    order = _generator(seed).permutation(values.shape[axis])
    return _tensor(np.take(values, order, axis), values.dtype)


__all__ = ["SeedGenerator", "normal", "randint", "shuffle", "truncated_normal", "uniform"]
