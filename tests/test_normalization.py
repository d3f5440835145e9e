"""LayerNormalization, UnitNormalization, Normalization, Rescaling and PReLU as layers of Keras; their formulas and
gradients are compared with reference.py elsewhere."""

from typing import Any

import numpy as np
import pytest

from nnlite import initializers, regularizers
from nnlite.layers import Dense, LayerNormalization, Normalization, PReLU, Rescaling, UnitNormalization
from nnlite.models import Sequential

X = np.array([[1.0, 2.0, 6.0], [-1.0, 0.0, 4.0], [3.0, -2.0, 2.0], [5.0, 4.0, 0.0]])


def output(layer: Any, x: Any = X) -> Any:
    return Sequential([layer]).predict(np.array(x, np.float64))


def names(layer: Any) -> list[str]:
    model = Sequential([layer])
    return [weight.name.split("/")[1] for weight in model.weights]


# ---- LayerNormalization ----


def test_layer_normalization_is_by_row() -> None:
    expected = (X - X.mean(axis=1, keepdims=True)) / np.sqrt(X.var(axis=1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(output(LayerNormalization(input_shape=(3,))), expected, rtol=1e-5, atol=1e-6)
    model = Sequential([LayerNormalization(input_shape=(3,))])
    assert (model(X, training=True) == model(X)).all()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [({}, ["gamma:0", "beta:0"]), ({"center": False}, ["gamma:0"]), ({"scale": False}, ["beta:0"])],
)
def test_layer_normalization_weights(arguments: dict[str, Any], expected: list[str]) -> None:
    assert names(LayerNormalization(input_shape=(3,), **arguments)) == expected


def test_layer_normalization_trains_and_follows_its_rules() -> None:
    rules = {"gamma_constraint": "non_neg", "beta_regularizer": regularizers.l2(0.5), "beta_initializer": "ones"}
    layer = LayerNormalization(**rules)
    model = Sequential([Dense(4, input_shape=(3,)), layer, Dense(1)], seed=1)
    model.compile("sgd", "mse")
    before = model.evaluate(X, X[:, :1], verbose=0)
    assert before > 0.5 * 4  # beta is charged
    model.fit(X, X[:, :1], epochs=30, verbose=0)
    assert model.evaluate(X, X[:, :1], verbose=0) < before
    gamma, beta = layer.get_weights()
    assert (gamma >= 0).all() and abs(beta).max() < 1


@pytest.mark.parametrize("make", [LayerNormalization, UnitNormalization, Normalization])
def test_other_axes(make: Any) -> None:
    for axis in (-1, 1, [-1]):
        make(axis=axis)
    for axis in (0, 2, (1, 2), True):
        with pytest.raises(NotImplementedError, match="axis of"):
            make(axis=axis)
    with pytest.raises(ValueError, match="takes vectors"):
        Sequential([make(input_shape=(2, 2))])


def test_rms_scaling() -> None:
    with pytest.raises(NotImplementedError, match="rms_scaling"):
        LayerNormalization(rms_scaling=True)


# ---- UnitNormalization ----


def test_unit_normalization() -> None:
    y = output(UnitNormalization(input_shape=(3,)))
    np.testing.assert_allclose((y**2).sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(y[0] / y[0, 0], X[0], rtol=1e-6)
    assert output(UnitNormalization(input_shape=(2,)), [[0.0, 0.0], [0.0, -2.0]]).tolist() == [[0, 0], [0, -1]]


# ---- Normalization ----


def test_adapt_takes_mean_and_biased_variance() -> None:
    layer = Normalization()
    layer.adapt(X)
    model = Sequential([layer, Dense(3, kernel_initializer="identity")])
    np.testing.assert_allclose(model.predict(X), (X - X.mean(axis=0)) / X.std(axis=0), rtol=1e-5)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, X, epochs=3, verbose=0)
    mean, variance, kernel, _ = model.get_weights()
    assert (mean == before[0]).all() and (variance == before[1]).all() and (kernel != before[2]).any()
    assert (model.layers[0].count_params(), len(model.trainable_weights)) == (6, 2)


def test_adapt_once_it_is_in_a_model() -> None:
    layer = Normalization(input_shape=(3,))
    model = Sequential([layer])
    with pytest.raises(ValueError, match=r"call its adapt\(x\)"):
        model.predict(X)
    layer.adapt(X)
    assert abs(model.predict(X).mean(axis=0)).max() < 1e-6
    layer.adapt(X + 10)
    assert abs(model.predict(X + 10).mean(axis=0)).max() < 1e-6
    with pytest.raises(ValueError, match=r"rows of shape \(3,\)"):
        layer.adapt(X[:, :2])
    assert abs(model.predict(X + 10).mean(axis=0)).max() < 1e-6


def test_statistics_that_are_given() -> None:
    assert output(Normalization(mean=1, variance=4, input_shape=(3,)))[0].tolist() == [0, 0.5, 2.5]
    by_feature = Normalization(mean=[1.0, 2.0, 6.0], variance=[1.0, 4.0, 0.0], input_shape=(3,))
    assert output(by_feature)[:2].tolist() == [[0, 0, 0], [-2, -1, -2e7]]
    assert output(Normalization(mean=1, variance=4, invert=True, input_shape=(3,)))[0].tolist() == [3, 5, 13]
    with pytest.raises(ValueError, match=r"its mean and variance have shapes \(2,\) and \(2,\)"):
        output(Normalization(mean=[1, 2], variance=[1, 2], input_shape=(3,)))


def test_statistics_that_were_set() -> None:
    model = Sequential([Normalization(input_shape=(3,))])
    assert np.isnan(model.get_weights()[0]).all()
    model.set_weights([np.ones(3), np.full(3, 4.0)])
    assert model.predict(X)[0].tolist() == [0, 0.5, 2.5]


def test_one_statistic_for_all() -> None:
    layer = Normalization(axis=None, input_shape=(3,))
    layer.adapt(X)
    np.testing.assert_allclose(output(layer), (X - X.mean()) / X.std(), rtol=1e-5)


def test_one_feature() -> None:
    layer = Normalization(input_shape=(1,))
    layer.adapt(np.array([1, 3]))
    assert output(layer, [[1.0], [5.0]]).tolist() == [[-1], [3]]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"mean": 1}, "mean and variance together"),
        ({"variance": 1}, "mean and variance together"),
        ({"mean": 1, "variance": -1}, "must not be negative"),
        ({"mean": [np.nan], "variance": [1]}, "mean of Normalization must be finite"),
    ],
)
def test_no_statistics(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Normalization(**arguments)


def test_adapt_to_nothing() -> None:
    with pytest.raises(ValueError, match="must have rows"):
        Normalization().adapt(np.zeros((0, 3)))


# ---- Rescaling ----


def test_rescaling() -> None:
    assert output(Rescaling(2, input_shape=(3,)))[0].tolist() == [2, 4, 12]
    assert output(Rescaling(scale=0.5, offset=-1, input_shape=(3,)))[0].tolist() == [-0.5, 0, 2]
    with pytest.raises(TypeError, match="scale must be a number"):
        Rescaling("a")


# ---- PReLU ----


def test_prelu_starts_as_relu_and_learns() -> None:
    model = Sequential([PReLU(input_shape=(3,))])
    assert (model.predict(X) == np.maximum(X, 0)).all()
    model.compile("sgd", "mse")
    model.fit(X, np.where(X > 0, X, -X), epochs=200, verbose=0)
    assert model.evaluate(X, np.where(X > 0, X, -X), verbose=0) < 0.1
    assert names(PReLU(input_shape=(3,))) == ["alpha:0"]


def test_prelu_arguments() -> None:
    quarter = initializers.Constant(0.25)
    for layer in (PReLU(quarter, input_shape=(3,)), PReLU(init=quarter, input_shape=(3,))):
        assert output(layer)[1].tolist() == [-0.25, 0, 4]
        assert layer.name.startswith("p_re_lu_")
    for nothing in (None, []):
        PReLU(shared_axes=nothing)
    with pytest.raises(NotImplementedError, match="shared_axes"):
        PReLU(shared_axes=[1])
