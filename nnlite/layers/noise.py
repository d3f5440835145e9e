"""Layers that are random in training and change nothing otherwise: Dropout and its relatives."""

from __future__ import annotations

from typing import Any

from nnlite.errors import UnsupportedError, number
from nnlite.layers.layer import LAYERS, Layer
from nnlite.records import LayerRecord
from nnlite.registry import older_spellings


class Rated(Layer):
    """The base of layers whose noise is set by a rate.

    Args:
        rate: share of elements lost, 0 ... 1; 0 and, as in Keras 2, 1 change nothing.
        noise_shape: which elements are lost together: None, every one on its own; (None, 1), those of a row; (1,
            units), those of a unit; (1, 1), all.
        seed: without effect; the model's seed decides.
        common: the arguments of `Layer`.
    """

    def __init__(self, rate: float, noise_shape: Any, seed: int | None, **common: Any) -> None:
        super().__init__(**common)
        self.rate = number("rate", rate, 0, 1)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self._shared = shared_by(type(self).__name__, self.noise_shape)

    def record(self) -> LayerRecord | None:
        """Return the engine's row; none where nothing changes."""
        shared = () if self.entry_name == "gaussian_dropout" else (float(self._shared),)
        return LayerRecord(self.entry_name, 0, (self.rate, *shared)) if 0 < self.rate < 1 else None


def shared_by(owner: str, noise_shape: tuple[Any, ...] | None) -> int:
    """Return which elements go together, as the engine's rows number them. Raises UnsupportedError for other shapes."""
    if noise_shape is None:
        return 0
    if len(noise_shape) != 2:
        raise UnsupportedError(
            f"noise_shape of {owner} must have two sizes, of the batch and of a row; received {noise_shape!r}."
        )
    batch, units = noise_shape
    return int(units == 1) + 2 * int(batch == 1)


@LAYERS.entry("dropout")
class Dropout(Rated):
    """In training, each element is 0 with probability `rate`, the others are divided by 1 - rate. Srivastava et al.,
    2014.

    Args:
        rate: share of elements lost, 0 ... 1; 0 and, as in Keras 2, 1 change nothing.
        noise_shape: which elements are lost together: None, every one on its own; (None, 1), those of a row; (1,
            units), those of a unit; (1, 1), all.
        seed: without effect; the model's seed decides.
        common: the arguments of `Layer`. Keras 1's name of `rate`, p, is taken too.

    Raises:
        ValueError: `rate` is not within 0 ... 1.
        UnsupportedError: noise_shape has not two sizes.

    >>> from nnlite import Sequential
    >>> model = Sequential([Dropout(0.5, input_dim=2)])
    >>> model.predict([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    """

    @older_spellings(p="rate")
    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **common: Any) -> None:
        super().__init__(rate, noise_shape, seed, **common)


@LAYERS.entry("alpha_dropout")
class AlphaDropout(Rated):
    """Dropout that keeps mean 0 and variance 1, to be used with selu: in training, each element becomes
    p = -1.7580993408473766 with probability `rate`, then all go y = a x + b with
    a = ((1 - rate)(1 + rate p^2))^(-1/2) and b = -a p rate. Klambauer et al., 2017.

    Args:
        rate, noise_shape, seed, common: as for `Dropout`.

    Raises what `Dropout` raises.

    >>> AlphaDropout(0.1).rate
    0.1
    """

    @older_spellings(p="rate")
    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **common: Any) -> None:
        super().__init__(rate, noise_shape, seed, **common)


@LAYERS.entry("gaussian_dropout")
class GaussianDropout(Rated):
    """In training, each element is multiplied by a normal number of mean 1 and deviation sqrt(rate / (1 - rate)).
    Srivastava et al., 2014.

    Args:
        rate, seed, common: as for `Dropout`.

    Raises:
        ValueError: `rate` is not within 0 ... 1.

    >>> GaussianDropout(0.1).rate
    0.1
    """

    @older_spellings(p="rate")
    def __init__(self, rate: float, seed: int | None = None, **common: Any) -> None:
        super().__init__(rate, None, seed, **common)


@LAYERS.entry("gaussian_noise")
class GaussianNoise(Layer):
    """In training, a normal number of mean 0 and deviation `stddev` is added to each element.

    Args:
        stddev: the deviation, at least 0.
        seed: without effect; the model's seed decides.
        common: the arguments of `Layer`. Keras 1's name of `stddev`, sigma, is taken too.

    Raises:
        ValueError: `stddev` is negative.

    >>> from nnlite import Sequential
    >>> model = Sequential([GaussianNoise(0.1, input_dim=2)])
    >>> model.predict([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    """

    @older_spellings(sigma="stddev")
    def __init__(self, stddev: float, seed: int | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.stddev = number("stddev", stddev, 0)
        self.seed = seed

    def record(self) -> LayerRecord | None:
        """Return the engine's row; none where nothing changes."""
        return LayerRecord("gaussian_noise", 0, (self.stddev,)) if self.stddev > 0 else None
