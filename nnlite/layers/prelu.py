"""PReLU, the activation whose slope is learnt."""

from __future__ import annotations

from typing import Any

from nnlite import constraints, initializers, regularizers
from nnlite.errors import UnsupportedError
from nnlite.layers.layer import LAYERS, Layer, Shape, Weight
from nnlite.records import LayerRecord
from nnlite.registry import older_spellings


@LAYERS.entry("p_re_lu", rows=("prelu",))
class PReLU(Layer):
    """x where x > 0, alpha x below, with an alpha for each feature that is learnt. He et al., 2015.

    Args:
        alpha_initializer: see `nnlite.initializers`.
        alpha_regularizer: see `nnlite.regularizers`.
        alpha_constraint: see `nnlite.constraints`.
        shared_axes: None; every feature has its own alpha.
        common: the arguments of `Layer`. Keras 1's name of `alpha_initializer`, init, is taken too.

    Weights: alpha (features,).

    Raises:
        UnsupportedError: shared_axes are given.

    >>> from nnlite import Sequential
    >>> Sequential([PReLU("ones", input_shape=(2,))]).predict([[-1.0, 2.0]]).tolist()
    [[-1.0, 2.0]]
    """

    @older_spellings(init="alpha_initializer")
    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes:
            raise UnsupportedError(
                f"shared_axes of PReLU must be None, an alpha for each feature; received {shared_axes!r}."
            )
        self.shared_axes = None
        self.alpha: Weight | None = None

    def build(self, input_row: Shape) -> None:
        """State alpha."""
        self.alpha = self.add_weight(
            "alpha", input_row, self.alpha_initializer, self.alpha_regularizer, self.alpha_constraint
        )

    def record(self) -> LayerRecord:
        """Return the engine's row."""
        return LayerRecord("prelu", 0, (), self.rules())

    def output_row(self, input_row: Shape) -> Shape:
        """Return the shape of the input. Raises ShapeError if rows are no vectors."""
        self.require_vectors(input_row)
        return input_row
