"""Layers that normalise: BatchNormalization."""

from __future__ import annotations

from typing import Any

from nnlite import constraints, initializers, regularizers
from nnlite.errors import UnsupportedError, number
from nnlite.layers.layer import LAYERS, Layer, Shape, Weight, older_spellings
from nnlite.records import LayerRecord


@LAYERS.entry("batch_normalization")
class BatchNormalization(Layer):
    """Every feature shifted and scaled: gamma (x - mean) / sqrt(variance + epsilon) + beta. Ioffe and Szegedy, 2015.

    In training mean and (biased) variance are those of the batch, and moving = momentum moving + (1 - momentum)
    batch. Otherwise the moving
    ones are used: after few steps they are still near 0 and 1, and predictions then differ much from what training
        showed.

    Args:
        axis: the last, the features.
        momentum: share of the moving statistics that stays after a step.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: see
            `nnlite.initializers`.
        beta_regularizer, gamma_regularizer: see `nnlite.regularizers`.
        beta_constraint, gamma_constraint: see `nnlite.constraints`.
        synchronized, renorm, fused, virtual_batch_size: must be off or None.
        common: the arguments of `Layer`. Keras 1's beta_init, gamma_init and mode=0 are taken too.

    Weights, each (features,): gamma, beta, moving_mean, moving_variance.

    Raises:
        UnsupportedError: another axis, mode, or one of the variants is asked for.
    """

    @older_spellings(beta_init="beta_initializer", gamma_init="gamma_initializer")
    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **common: Any,
    ) -> None:
        for variant in ("mode", "synchronized", "renorm", "fused", "virtual_batch_size"):
            if common.pop(variant, None) and variant != "fused":
                raise UnsupportedError(
                    f"{variant} of BatchNormalization must be left out: statistics are those of each feature and batch."
                )
        super().__init__(**common)
        if axis not in (-1, 1, [1], (1,), [-1], (-1,)):
            raise UnsupportedError(f"axis of BatchNormalization must be -1, the features; received {axis!r}.")
        self.axis = axis
        self.momentum, self.epsilon = number("momentum", momentum, 0, 1), number("epsilon", epsilon, 0)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Weight | None = None
        self.beta: Weight | None = None
        self.moving_mean: Weight | None = None
        self.moving_variance: Weight | None = None

    def build(self, input_row: Shape) -> None:
        """State gamma, beta and the moving statistics."""
        if self.scale:
            self.gamma = self.add_weight(
                "gamma", input_row, self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint
            )
        if self.center:
            self.beta = self.add_weight(
                "beta", input_row, self.beta_initializer, self.beta_regularizer, self.beta_constraint
            )
        self.moving_mean = self.add_weight("moving_mean", input_row, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_weight(
            "moving_variance", input_row, self.moving_variance_initializer, trainable=False
        )

    def record(self) -> LayerRecord:
        """Return the engine's row."""
        numbers = (self.momentum, self.epsilon, float(self.center), float(self.scale))
        return LayerRecord("batch_normalization", 0, numbers, self.rules())

    def output_row(self, input_row: Shape) -> Shape:
        """Return the shape of the input. Raises ShapeError if rows are no vectors."""
        self.require_vectors(input_row)
        return input_row
