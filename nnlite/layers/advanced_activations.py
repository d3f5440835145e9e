"""Activations with parameters as layers of their own: another spelling of ``Activation``. Defaults: keras.layers."""

from __future__ import annotations

from typing import Any

from nnlite import activations
from nnlite.layers.activation import activation_records
from nnlite.layers.layer import LAYERS, Layer
from nnlite.records import LayerRecord
from nnlite.registry import older_spellings


class _ActivationLayer(Layer):
    """A layer that applies `activation`, which may also be another layer's ``activation=``."""

    activation: activations.Activation

    def following(self) -> list[LayerRecord]:
        """Return the activation."""
        return activation_records(self.activation)


@LAYERS.entry("re_lu", rows=())
class ReLU(_ActivationLayer):
    """max_value above it, x above the threshold, negative_slope (x - threshold) below; max(x, 0) by default.

    Args:
        max_value: largest output, none if None.
        negative_slope: slope below the threshold.
        threshold: where the output starts to rise. The other arguments are those of `Layer`.

    Raises ArgumentError or ValueError if one is no finite number, or max_value is negative.

    >>> ReLU(max_value=6).activation.record
    Row(name='rectifier', numbers=(0.0, 6.0, 0.0))
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float | None = 0.0,
        threshold: float | None = 0.0,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope or 0.0, threshold or 0.0
        self.activation = activations.relu.with_parameters(self.negative_slope, max_value, self.threshold)


@LAYERS.entry("leaky_re_lu", rows=())
class LeakyReLU(_ActivationLayer):
    """x if x >= 0, else negative_slope x. The function `nnlite.activations.leaky_relu` has another default, 0.2.

    Args:
        negative_slope: slope below 0; Keras 2 called it alpha. The other arguments are those of `Layer`.

    Raises ArgumentError or ValueError if it is no finite number.

    >>> LeakyReLU(alpha=0.1).activation([-1.0, 1.0])
    array([-0.1,  1. ], dtype=float32)
    """

    @older_spellings(alpha="negative_slope")
    def __init__(self, negative_slope: float = 0.3, **common: Any) -> None:
        super().__init__(**common)
        self.activation = activations.leaky_relu.with_parameters(negative_slope)
        self.negative_slope = float(negative_slope)


@LAYERS.entry("elu", rows=())
class ELU(_ActivationLayer):
    """x if x > 0, else alpha (e^x - 1).

    Args:
        alpha: minus the limit on the left. The other arguments are those of `Layer`.

    Raises ArgumentError or ValueError if it is no finite number.

    >>> ELU(alpha=0.5).activation([-1.0, 1.0])
    array([-0.31606027,  1.        ], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **common: Any) -> None:
        super().__init__(**common)
        self.activation = activations.elu.with_parameters(alpha)
        self.alpha = float(alpha)


@LAYERS.entry("thresholded_re_lu", rows=())
class ThresholdedReLU(_ActivationLayer):
    """x if x > theta, else 0.

    Args:
        theta: the threshold. The other arguments are those of `Layer`.

    Raises ArgumentError or ValueError if it is no finite number.

    >>> ThresholdedReLU(theta=2.0).activation([2.5, 3.0])
    array([2.5, 3. ], dtype=float32)
    """

    def __init__(self, theta: float = 1.0, **common: Any) -> None:
        super().__init__(**common)
        self.activation = activations.relu.with_parameters(threshold=theta)
        self.theta = float(theta)


@LAYERS.entry("softmax", rows=())
class Softmax(_ActivationLayer):
    """e^x / sum of e^x over a row.

    Args:
        axis: the last. The other arguments are those of `Layer`.

    Raises UnsupportedError for another axis.

    >>> Softmax().activation([1.0, 1.0])
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, axis: int = -1, **common: Any) -> None:
        super().__init__(**common)
        self.activation = activations.softmax.with_parameters(axis)
        self.axis = axis


__all__ = ["ELU", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU"]
