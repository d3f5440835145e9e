"""Initial weights. To add one: an entry here, a line of tests/reference.py. Formulas: keras.initializers.

Random numbers are values of a counter-based stream named by a key (seed, stream), so the same key gives the same
weights on every machine. A kernel has shape (inputs, units): fan_in = inputs, fan_out = units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import _engine
from nnlite.config import FLOATS, floatx
from nnlite.errors import ArgumentError, UnsupportedError, choice, number
from nnlite.registry import Configurable, Family, arguments

if TYPE_CHECKING:
    from numpy.typing import NDArray

Key = tuple[int, int]

# Standard deviation of a standard normal variable cut at two deviations.
_TRUNCATED_DEVIATION = 0.87962566103423978


def new_seed() -> int:
    """Return a seed drawn from NumPy's global generator, so that ``numpy.random.seed`` makes it repeatable."""
    return int(np.random.randint(0, 2**63 - 1, dtype=np.int64))  # noqa: NPY002 - the one that scripts seed


class Initializer(Configurable):
    """Base of all initializers.

    Call one with a shape, a dtype (`config.floatx` if None) and a key for weights. The `seed` of the initializer
    itself, when it has one, takes the place of the key; with neither, a new seed is drawn.

    >>> GlorotUniform(seed=1)((5, 20)).shape
    (5, 20)
    """

    seed: int | None = None

    def __call__(self, shape: Sequence[int], dtype: str | None = None, *, key: Key | None = None) -> NDArray[Any]:
        if self.seed is not None:
            key = (int(self.seed), 0)
        name = dtype or floatx()
        if not (isinstance(name, str) and name in FLOATS):
            name = np.dtype(name).name
        return self.fill(tuple(map(int, shape)), name, key or (new_seed(), 0))

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        """Return the weights; what an entry defines."""
        raise NotImplementedError


class FunctionInitializer(Initializer):
    """A function ``f(shape)`` or ``f(shape, dtype=...)``, or an object called that way, as initializer."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        called = self.function if hasattr(self.function, "__code__") else type(self.function).__call__
        takes_dtype = "dtype" in arguments(called)
        return _fitted(
            self.function(shape, dtype=dtype) if takes_dtype else self.function(shape), shape, dtype, self.__name__
        )


class ArrayInitializer(Initializer):
    """An array of the weight's shape as initializer."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        return _fitted(self.values, shape, dtype, "the array given as initializer")


def _fitted(values: Any, shape: tuple[int, ...], dtype: str, source: str) -> NDArray[Any]:
    array = np.array(values)
    if array.dtype.kind not in "fiub":
        raise ArgumentError(f"an initializer must return real numbers; {source} returned {values!r:.60}.")
    array = array.astype(dtype)
    if array.shape != shape:
        raise ValueError(
            f"an initializer must return the shape of the weight, {shape}; {source} returned {array.shape}."
        )
    return array


INITIALIZERS = Family("initializer", Initializer, FunctionInitializer)


def _seed(value: Any) -> int | None:
    if value is None or (isinstance(value, (int, np.integer)) and value >= 0):
        return None if value is None else int(value)
    raise ArgumentError(f"seed must be a non-negative int or None; received {value!r}.")


def _random(distribution: str, a: float, b: float, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
    return _engine.random(distribution, a, b, *key, shape, dtype)


@INITIALIZERS.entry("zeros", "zero")
class Zeros(Initializer):
    """All 0.

    >>> Zeros()((3,))
    array([0., 0., 0.], dtype=float32)
    """

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        return np.zeros(shape, dtype)


@INITIALIZERS.entry("ones", "one")
class Ones(Initializer):
    """All 1.

    >>> Ones()((3,))
    array([1., 1., 1.], dtype=float32)
    """

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        return np.ones(shape, dtype)


@INITIALIZERS.entry("constant")
class Constant(Initializer):
    """All `value`, 0 unless given.

    >>> Constant(0.5)((2,))
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = number("value", value)

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        return np.full(shape, self.value, dtype)


@INITIALIZERS.entry("random_uniform", "uniform")
class RandomUniform(Initializer):
    """Uniform on [minval, maxval), -0.05 and 0.05 unless given. Keras 1 gave -scale and scale.

    >>> w = RandomUniform(-0.1, 0.1, seed=1)((200, 200))
    >>> bool((abs(w) <= 0.1).all())
    True
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None, *, scale: float | None = None
    ) -> None:
        self.minval = number("minval", minval if scale is None else -scale)
        self.maxval = number("maxval", maxval if scale is None else scale)
        self.seed = _seed(seed)

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        return _random("uniform", self.minval, self.maxval, shape, dtype, key)


@INITIALIZERS.entry("random_normal", "normal")
class RandomNormal(Initializer):
    """Normal with mean 0 and standard deviation 0.05 unless given.

    >>> w = RandomNormal(stddev=0.5, seed=1)((200, 200))
    >>> round(float(w.std()), 2)
    0.5
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = number("mean", mean), number("stddev", stddev, 0), _seed(seed)

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        return _random("normal", self.mean, self.stddev, shape, dtype, key)


@INITIALIZERS.entry("truncated_normal")
class TruncatedNormal(RandomNormal):
    """Normal, drawn again beyond two deviations; `stddev` is that of the uncut distribution.

    >>> w = TruncatedNormal(stddev=0.5, seed=1)((200, 200))
    >>> bool((abs(w) <= 1).all())
    True
    """

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        return _random("truncated_normal", self.mean, self.stddev, shape, dtype, key)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight: the last two axes are inputs and units, axes before them count for both."""
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    rest = math.prod(shape[:-2])
    return rest * shape[-2], rest * shape[-1]


def _refuse_axes(input_axes: None, output_axes: None) -> None:
    if input_axes is not None or output_axes is not None:
        raise UnsupportedError(
            "input_axes and output_axes must be left out: a kernel has its inputs first and its units last."
        )


@INITIALIZERS.entry("variance_scaling")
class VarianceScaling(Initializer):
    """Variance scale / fan, whatever the distribution.

    Args:
        scale: positive factor, 1 by default.
        mode: the fan: "fan_in" (the default), "fan_out" or their mean "fan_avg".
        distribution: "truncated_normal" (the default; also "normal"), cut at two deviations and widened to keep the
            variance; "untruncated_normal"; or "uniform".
        seed: makes the weights the same at every call.
        input_axes, output_axes: must be left out.

    >>> w = VarianceScaling(2.0, mode="fan_out", seed=1)((100, 200))
    >>> round(float(w.var()), 3)
    0.01
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        *,
        input_axes: None = None,
        output_axes: None = None,
    ) -> None:
        _refuse_axes(input_axes, output_axes)
        self.scale = number("scale", scale, 0)
        if self.scale == 0:
            raise ValueError("scale must be positive; received 0. For weights of 0 use 'zeros'.")
        self.mode = choice("mode", mode, ("fan_in", "fan_out", "fan_avg"))
        self.distribution = choice(
            "distribution", distribution, ("normal", "truncated_normal", "untruncated_normal", "uniform")
        )
        self.seed = _seed(seed)

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return _random("uniform", -limit, limit, shape, dtype, key)
        if self.distribution == "untruncated_normal":
            return _random("normal", 0.0, math.sqrt(variance), shape, dtype, key)
        return _random("truncated_normal", 0.0, math.sqrt(variance) / _TRUNCATED_DEVIATION, shape, dtype, key)


class _NamedScaling(VarianceScaling):
    """A `VarianceScaling` with a name of its own, whose scale, mode and distribution are those of the class."""

    def __init__(self, seed: int | None = None, *, input_axes: None = None, output_axes: None = None) -> None:
        _refuse_axes(input_axes, output_axes)
        self.seed = _seed(seed)


@INITIALIZERS.entry("glorot_uniform", "xavier_uniform")
class GlorotUniform(_NamedScaling):
    """Uniform, variance 2 / (fan_in + fan_out). Glorot and Bengio, 2010.

    >>> w = GlorotUniform(seed=1)((300, 200))
    >>> round(float(w.var()), 4)
    0.004
    """

    scale, mode, distribution = 1.0, "fan_avg", "uniform"


@INITIALIZERS.entry("glorot_normal", "xavier_normal")
class GlorotNormal(_NamedScaling):
    """Truncated normal, variance 2 / (fan_in + fan_out). Glorot and Bengio, 2010.

    >>> w = GlorotNormal(seed=1)((300, 200))
    >>> round(float(w.var()), 4)
    0.004
    """

    scale, mode, distribution = 1.0, "fan_avg", "truncated_normal"


@INITIALIZERS.entry("he_uniform")
class HeUniform(_NamedScaling):
    """Uniform, variance 2 / fan_in. He et al., 2015.

    >>> w = HeUniform(seed=1)((200, 300))
    >>> round(float(w.var()), 3)
    0.01
    """

    scale, mode, distribution = 2.0, "fan_in", "uniform"


@INITIALIZERS.entry("he_normal")
class HeNormal(_NamedScaling):
    """Truncated normal, variance 2 / fan_in. He et al., 2015.

    >>> w = HeNormal(seed=1)((200, 300))
    >>> round(float(w.var()), 3)
    0.01
    """

    scale, mode, distribution = 2.0, "fan_in", "truncated_normal"


@INITIALIZERS.entry("lecun_uniform")
class LecunUniform(_NamedScaling):
    """Uniform, variance 1 / fan_in. LeCun et al., 1998.

    >>> w = LecunUniform(seed=1)((200, 300))
    >>> round(float(w.var()), 4)
    0.005
    """

    scale, mode, distribution = 1.0, "fan_in", "uniform"


@INITIALIZERS.entry("lecun_normal")
class LecunNormal(_NamedScaling):
    """Truncated normal, variance 1 / fan_in. LeCun et al., 1998.

    >>> w = LecunNormal(seed=1)((200, 300))
    >>> round(float(w.var()), 4)
    0.005
    """

    scale, mode, distribution = 1.0, "fan_in", "truncated_normal"


@INITIALIZERS.entry("orthogonal", "orthogonal_initializer")
class Orthogonal(Initializer):
    """`gain` (1) times a random matrix with orthonormal columns, or rows if it is wide. Saxe et al., 2013.

    >>> w = Orthogonal(seed=1)((3, 2), "float64")
    >>> bool(np.allclose(w.T @ w, np.eye(2)))
    True
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = number("gain", gain), _seed(seed)

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        if len(shape) < 2:
            raise ValueError(
                f"orthogonal weights need at least two axes; received shape {shape}. Vectors take 'zeros' or 'normal'."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = _random("normal", 0.0, 1.0, (max(rows, columns), min(rows, columns)), "float64", key)
        q = _orthonormal_columns(normal)
        return np.ascontiguousarray((self.gain * (q if rows >= columns else q.T)).reshape(shape), dtype)


def _orthonormal_columns(a: NDArray[Any]) -> NDArray[Any]:
    """Return the columns of a (rows, columns) made orthonormal from left to right, Gram and Schmidt's way.

    LAPACK's result depends on the machine; element-wise operations and sums over a tree of halves do not.
    """
    rows, columns = a.shape
    q = np.zeros((1 << (rows - 1).bit_length(), columns))  # rows padded to a power of two, for the tree
    q[:rows] = a
    for j in range(columns):
        q[:, j] /= np.sqrt(_column_sums(q[:, j : j + 1] ** 2))
        rest = q[:, j + 1 :]
        rest -= q[:, j : j + 1] * _column_sums(q[:, j : j + 1] * rest)
    return q[:rows]


def _column_sums(a: NDArray[Any]) -> NDArray[Any]:
    while len(a) > 1:
        half = len(a) // 2
        a = a[:half] + a[half:]
    return np.asarray(a[0])


@INITIALIZERS.entry("identity", "eye", "identity_initializer")
class Identity(Initializer):
    """`gain` (1) on the diagonal of a matrix, 0 elsewhere.

    >>> Identity()((2, 2))
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = number("gain", gain)

    def fill(self, shape: tuple[int, ...], dtype: str, key: Key) -> NDArray[Any]:
        if len(shape) != 2:
            raise ValueError(f"identity weights must be a matrix; received shape {shape}.")
        return np.asarray(self.gain * np.eye(*shape)).astype(dtype)


def get(identifier: Any) -> Initializer:
    """Return the initializer meant by a name, a config, a class, an initializer, a function of a shape, or an array.

    None means glorot_uniform, as where Keras 3 adds a weight.
    Raises ValueError for an unknown name, with the closest ones.

    >>> get("ones")((2,), "float32")
    array([1., 1.], dtype=float32)
    """
    if identifier is None:
        return GlorotUniform()
    if isinstance(identifier, (np.ndarray, list)):
        return ArrayInitializer(identifier)
    initializer = INITIALIZERS.get(identifier)
    written_for_keras = type(initializer).__call__ is not Initializer.__call__  # its __call__ knows no key
    return FunctionInitializer(initializer) if written_for_keras else initializer


deserialize = get


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return the config from which `get` makes an equal initializer.

    >>> serialize(Constant(0.5))
    {'class_name': 'Constant', 'config': {'value': 0.5}}
    """
    return INITIALIZERS.serialize(initializer)


def __getattr__(name: str) -> Callable[..., Initializer]:
    return INITIALIZERS.attribute(__name__, name).make


__all__ = ["Initializer", "deserialize", "get", "serialize", *INITIALIZERS.exports()]
