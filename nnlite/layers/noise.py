"""Layers that do something only in training: Dropout."""

from __future__ import annotations

from typing import Any

from nnlite.errors import UnsupportedError, number
from nnlite.layers.layer import LAYERS, Layer, older_spellings
from nnlite.records import LayerRecord


@LAYERS.entry("dropout")
class Dropout(Layer):
    """In training, each element is 0 with probability `rate`, the others are divided by 1 - rate. Srivastava et al.,
    2014.

    Args:
        rate: share of elements lost, 0 ... 1; 0 and, as in Keras, 1 change nothing.
        noise_shape: None, every element on its own.
        seed: without effect; the model's seed decides.
        common: the arguments of `Layer`. Keras 1's name of `rate`, p, is taken too.

    Raises:
        ValueError: `rate` is not within 0 ... 1.
        UnsupportedError: a noise_shape is given.
    """

    @older_spellings(p="rate")
    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.rate = number("rate", rate, 0, 1)
        if noise_shape is not None:
            raise UnsupportedError(
                f"noise_shape of Dropout must be None, every element on its own; received {noise_shape!r}."
            )
        self.noise_shape = None
        self.seed = seed

    def record(self) -> LayerRecord | None:
        """Return the engine's row; none where nothing changes."""
        return LayerRecord("dropout", 0, (self.rate,)) if 0 < self.rate < 1 else None
