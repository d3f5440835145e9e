"""Layers that normalise: over the batch, over each row, or by statistics that were given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite import constraints, initializers, regularizers
from nnlite.config import era
from nnlite.data import reals
from nnlite.errors import ArgumentError, NotBuiltError, ShapeError, UnsupportedError, number
from nnlite.layers.layer import LAYERS, Layer, Shape, Weight
from nnlite.records import LayerRecord
from nnlite.registry import older_spellings

Array = NDArray[Any]


def of_features(layer: Layer, axis: Any) -> Any:
    """Return `axis` if it means the features of a row, the last axis; raise UnsupportedError if not."""
    if isinstance(axis, bool) or axis not in (-1, 1, [1], (1,), [-1], (-1,)):
        raise UnsupportedError(
            f"axis of {type(layer).__name__} must be -1, the features; received {axis!r}. Put Flatten() before."
        )
    return axis


class Scaled(Layer):
    """The base of layers that end with gamma z + beta, one of each for every feature.

    Args:
        center, scale: whether there is a beta, a gamma.
        rules: initializer, regularizer and constraint of beta and gamma, such as ``beta_initializer``.
        common: the arguments of `Layer`.
    """

    def __init__(self, center: bool, scale: bool, rules: dict[str, Any], **common: Any) -> None:
        super().__init__(**common)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(rules["beta_initializer"])
        self.gamma_initializer = initializers.get(rules["gamma_initializer"])
        self.beta_regularizer = regularizers.get(rules["beta_regularizer"])
        self.gamma_regularizer = regularizers.get(rules["gamma_regularizer"])
        self.beta_constraint = constraints.get(rules["beta_constraint"])
        self.gamma_constraint = constraints.get(rules["gamma_constraint"])
        self.gamma: Weight | None = None
        self.beta: Weight | None = None

    def build(self, input_row: Shape) -> None:
        """State gamma and beta."""
        if self.scale:
            self.gamma = self.add_weight(
                "gamma", input_row, self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint
            )
        if self.center:
            self.beta = self.add_weight(
                "beta", input_row, self.beta_initializer, self.beta_regularizer, self.beta_constraint
            )

    def output_row(self, input_row: Shape) -> Shape:
        """Return the shape of the input. Raises ShapeError if rows are no vectors."""
        self.require_vectors(input_row)
        return input_row


@LAYERS.entry("batch_normalization")
class BatchNormalization(Scaled):
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

    >>> from nnlite import Sequential
    >>> model = Sequential([BatchNormalization(input_dim=3)])
    >>> model.count_params(), len(model.trainable_weights)
    (12, 2)
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
            if common.pop(variant, None) and variant != "fused":  # which is how, not what
                raise UnsupportedError(
                    f"{variant} of BatchNormalization must be left out: statistics are those of each feature and batch."
                )
        for of_variant in ("renorm_clipping", "renorm_momentum", "adjustment"):
            common.pop(of_variant, None)
        rules = {
            "beta_initializer": beta_initializer, "gamma_initializer": gamma_initializer,
            "beta_regularizer": beta_regularizer, "gamma_regularizer": gamma_regularizer,
            "beta_constraint": beta_constraint, "gamma_constraint": gamma_constraint,
        }  # fmt: skip
        super().__init__(center, scale, rules, **common)
        self.axis = of_features(self, axis)
        self.momentum, self.epsilon = number("momentum", momentum, 0, 1), number("epsilon", epsilon, 0)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.moving_mean: Weight | None = None
        self.moving_variance: Weight | None = None

    def build(self, input_row: Shape) -> None:
        """State gamma, beta and the moving statistics."""
        super().build(input_row)
        self.moving_mean = self.add_weight("moving_mean", input_row, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_weight(
            "moving_variance", input_row, self.moving_variance_initializer, trainable=False
        )

    def record(self) -> LayerRecord:
        """Return the engine's row."""
        rests = float(era("batch_normalization.rests"))
        numbers = (self.momentum, self.epsilon, float(self.center), float(self.scale), rests)
        return LayerRecord("batch_normalization", 0, numbers, self.rules())


@LAYERS.entry("layer_normalization")
class LayerNormalization(Scaled):
    """Every row shifted and scaled: gamma (x - mean) / sqrt(variance + epsilon) + beta, with mean and (biased) variance
    of the row, in training and after. Ba, Kiros and Hinton, 2016.

    Args:
        axis: the last, the features.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer: see `nnlite.initializers`.
        beta_regularizer, gamma_regularizer: see `nnlite.regularizers`.
        beta_constraint, gamma_constraint: see `nnlite.constraints`.
        common: the arguments of `Layer`.

    Weights, each (features,): gamma, beta.

    Raises:
        UnsupportedError: another axis, or rms_scaling, is asked for.

    >>> from nnlite import Sequential
    >>> Sequential([LayerNormalization(input_shape=(2,), epsilon=0.0)]).predict([[1.0, 3.0], [8.0, 4.0]]).tolist()
    [[-1.0, 1.0], [1.0, -1.0]]
    """

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **common: Any,
    ) -> None:
        if common.pop("rms_scaling", None):
            raise UnsupportedError("rms_scaling of LayerNormalization must be left out: rows are also centred.")
        rules = {
            "beta_initializer": beta_initializer, "gamma_initializer": gamma_initializer,
            "beta_regularizer": beta_regularizer, "gamma_regularizer": gamma_regularizer,
            "beta_constraint": beta_constraint, "gamma_constraint": gamma_constraint,
        }  # fmt: skip
        super().__init__(center, scale, rules, **common)
        self.axis = of_features(self, axis)
        self.epsilon = number("epsilon", epsilon, 0)

    def record(self) -> LayerRecord:
        """Return the engine's row."""
        numbers = (self.epsilon, float(self.center), float(self.scale))
        return LayerRecord("layer_normalization", 0, numbers, self.rules())


@LAYERS.entry("unit_normalization")
class UnitNormalization(Layer):
    """Every row divided by its length: x / max(sqrt(sum x^2), 1e-12).

    Args:
        axis: the last, the features. The other arguments are those of `Layer`.

    Raises:
        UnsupportedError: another axis is asked for.

    >>> from nnlite import Sequential
    >>> Sequential([UnitNormalization(input_shape=(2,))]).predict([[3.0, 4.0]]).round(6).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """

    def __init__(self, axis: int = -1, **common: Any) -> None:
        super().__init__(**common)
        self.axis = of_features(self, axis)

    def record(self) -> LayerRecord:
        """Return the engine's row."""
        return LayerRecord("unit_normalization", 0, (1e-12,))

    def output_row(self, input_row: Shape) -> Shape:
        """Return the shape of the input. Raises ShapeError if rows are no vectors."""
        self.require_vectors(input_row)
        return input_row


@LAYERS.entry("normalization")
class Normalization(Layer):
    """Every feature shifted and scaled by fixed statistics: (x - mean) / max(sqrt(variance), 1e-7).

    Args:
        axis: -1: a mean and a variance for each feature; None, in files (): one for all of them.
        mean, variance: the statistics, numbers or arrays (features,); without them `adapt` finds them.
        invert: whether to undo a normalization: x max(sqrt(variance), 1e-7) + mean.
        common: the arguments of `Layer`.

    Weights, each (features,), which no optimizer changes: mean, variance; NaN until they are given, found or set.

    Raises:
        ValueError: only one of mean and variance is given, or a variance is negative; and when a model uses the layer
            before it has statistics.
        UnsupportedError: another axis is asked for.

    >>> from nnlite import Sequential
    >>> layer = Normalization(input_shape=(1,))
    >>> layer.adapt([[1.0], [3.0]])
    >>> Sequential([layer]).predict([[1.0], [5.0]]).tolist()
    [[-1.0], [3.0]]
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **common: Any
    ) -> None:
        super().__init__(**common)
        self.axis = None if axis in (None, [], ()) else of_features(self, axis)
        if (mean is None) != (variance is None):
            raise ArgumentError(
                "Normalization needs mean and variance together, or neither and a call of adapt(); "
                f"received mean={mean!r}, variance={variance!r}."
            )
        self.invert = bool(invert)
        self._given: tuple[Array, Array] | None = None
        self._statistics: tuple[Array, Array] | None = None
        if mean is not None:
            self._given = self._statistics = (_statistic("mean", mean), _statistic("variance", variance))
            if not (self._given[1] >= 0).all():
                raise ValueError(f"variance of Normalization must not be negative; received {variance!r}.")
        self._weights: tuple[Weight, ...] = ()

    @property
    def mean(self) -> Any:
        """The mean that was given, as a list or number; None if there was none."""
        return None if self._given is None else self._given[0].tolist()

    @property
    def variance(self) -> Any:
        """The variance that was given, as a list or number; None if there was none."""
        return None if self._given is None else self._given[1].tolist()

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take mean and (biased) variance from `data`, in place of earlier ones.

        Args:
            data: array (rows, features), or (rows,) for one feature.
            batch_size, steps: without effect.

        Raises:
            ValueError: `data` has no rows.
            ArgumentError: it holds no real numbers.
            ShapeError: it does not fit the model the layer is part of.
        """
        rows = np.asarray(reals("data", data), np.float64)
        if not rows.size:
            raise ValueError(f"data of adapt() must have rows; received an array of shape {rows.shape}.")
        rows = rows.reshape(len(rows), -1)
        over = None if self.axis is None else 0
        found = rows.mean(axis=over), rows.var(axis=over)
        for weight, values in zip(self._weights, self._spread(found), strict=False):
            if weight.bound:
                weight.assign(values)
        self._statistics, self._given = found, None

    def _spread(self, statistics: tuple[Array, Array]) -> list[Array]:
        """Mean and variance with a number for each feature of the rows it is built for."""
        if not self.built:
            return []
        row = self._input_row
        try:
            return [np.broadcast_to(values.ravel() if values.ndim else values, row) for values in statistics]
        except ValueError:
            shapes = " and ".join(str(values.shape) for values in statistics)
            raise ShapeError(
                f"layer {self.name!r} takes rows of shape {row}; its mean and variance have shapes {shapes}."
            ) from None

    def build(self, input_row: Shape) -> None:
        """State mean and variance."""
        nothing = initializers.get("zeros")  # first_values says what they are
        self._weights = tuple(
            self.add_weight(name, input_row, nothing, trainable=False) for name in ("mean", "variance")
        )

    def first_values(self, seed: int, stream: int, dtype: str) -> list[Array]:
        """Return mean and variance, NaN if there are none yet."""
        if self._first_values is not None:
            return super().first_values(seed, stream, dtype)
        unknown = (np.array(np.nan), np.array(np.nan))
        return [values.astype(dtype) for values in self._spread(self._statistics or unknown)]

    def keras_weights(self) -> list[tuple[str, Array]]:
        """Return nothing if Keras has them as arguments; else mean, variance, and a count of rows, which it ignores."""
        if self._given is not None:
            return []
        found = super().keras_weights()
        values = found if self.axis is not None else [(name, array[0]) for name, array in found]
        return [*values, (f"{self.name}/count:0", np.array(0, np.int32))]

    def weights_of_keras(self, arrays: list[Array]) -> list[Array]:
        """Return mean and variance for each feature; those given for none."""
        if not arrays and self._given is not None:
            return self._spread(self._given)
        return self._spread((arrays[0], arrays[1])) if len(arrays) == 3 else arrays

    def require_ready(self) -> None:
        """Raise NotBuiltError if there are no statistics yet."""
        if any(np.isnan(weight.numpy()).all() for weight in self._weights):
            raise NotBuiltError(
                f"layer {self.name!r} has no mean and variance yet: call its adapt(x) with the training data first."
            )

    def record(self) -> LayerRecord:
        """Return the engine's row."""
        return LayerRecord("normalization", 0, (1e-7, float(self.invert)), self.rules())

    def output_row(self, input_row: Shape) -> Shape:
        """Return the shape of the input. Raises ShapeError if rows are no vectors."""
        self.require_vectors(input_row)
        return input_row


def _statistic(argument: str, value: Any) -> Array:
    values = np.asarray(reals(argument, np.atleast_1d(value)), np.float64).reshape(np.shape(value))
    if not np.isfinite(values).all():
        raise ValueError(f"{argument} of Normalization must be finite; received {value!r}.")
    return values


@LAYERS.entry("rescaling")
class Rescaling(Layer):
    """Every element times `scale` plus `offset`.

    Args:
        scale: the factor, such as 1 / 255.
        offset: what is added. The other arguments are those of `Layer`.

    Raises:
        ArgumentError: one of them is not a number.

    >>> from nnlite import Sequential
    >>> Sequential([Rescaling(0.5, offset=-1, input_shape=(2,))]).predict([[0.0, 4.0]]).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(self, scale: float, offset: float = 0.0, **common: Any) -> None:
        super().__init__(**common)
        self.scale, self.offset = number("scale", scale), number("offset", offset)

    def record(self) -> LayerRecord:
        """Return the engine's row."""
        return LayerRecord("rescaling", 0, (self.scale, self.offset))
