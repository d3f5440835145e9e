"""Layers, losses and class weights where Keras 2 and Keras 3 train differently. Values of keras3: Keras 3.15.1 on
PyTorch, from the same weights, rows and batches."""

from typing import Any

import numpy as np
import pytest

from nnlite import Sequential, config, layers, optimizers

R = np.random.default_rng(8)
X = np.round(R.normal(size=(12, 3)), 2)
Y = (X.sum(axis=1, keepdims=True) > 0.2).astype(float)  # a column: Keras' own squared_hinge needs one
FIRST = [np.round(R.normal(size=(3, 2)), 2), np.array([0.25, -0.5])]
LAST = [np.round(R.normal(size=(2, 1)), 2), np.array([0.125])]


def trained(kind: str) -> list[float]:
    """Losses and metrics of two epochs, then some weights."""
    middle = {
        "frozen": lambda: layers.BatchNormalization(momentum=0.5, trainable=False),
        "active": lambda: layers.ActivityRegularization(0.125, 0.25),
    }.get(kind)
    model = Sequential(
        [
            layers.Input((3,)),
            layers.Dense(2, activation="tanh", activity_regularizer="l2" if kind == "active" else None),
            *([] if middle is None else [middle()]),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.layers[0].set_weights(FIRST)
    model.layers[-1].set_weights(LAST)
    if kind == "frozen":
        model.layers[1].set_weights([np.array(v) for v in ([1.5, 0.5], [0.25, 0.0], [0.5, -0.25], [0.75, 2.0])])
    model.compile("sgd", "hinge" if kind == "hinge" else "mse", metrics=["accuracy", "squared_hinge"])
    more: dict[str, Any] = {"class_weight": {1: 3.0}, "validation_split": 0.25} if kind == "weights" else {}
    history = model.fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0, **more).history
    values = [value for name in sorted(history) for value in history[name]]
    values += model.layers[0].get_weights()[0].ravel().tolist()
    return values + (model.layers[1].get_weights()[2].tolist() if kind == "frozen" else [])


OF_KERAS3: dict[str, list[float]] = {
    "hinge": [
        0.8333333,
        0.8333333,
        0.8330091,
        0.8321092,
        0.9372081,
        0.9354128,
        1.555699,
        -0.8611718,
        -2.472686,
        -1.242065,
        1.189176,
        -0.8190905,
    ],
    "frozen": [
        0.6666667,
        0.6666667,
        0.2348195,
        0.2337053,
        1.223492,
        1.221431,
        1.552959,
        -0.8605525,
        -2.474099,
        -1.240376,
        1.189447,
        -0.8198932,
        0.5,
        -0.25,
    ],
    "active": [
        0.8333333,
        0.8333333,
        0.6642487,
        0.6632259,
        0.9370382,
        0.9361348,
        1.553944,
        -0.8603832,
        -2.47373,
        -1.236566,
        1.1878,
        -0.8210884,
    ],
    "weights": [
        0.8888889,
        0.8888889,
        0.1775846,
        0.1761119,
        0.9490226,
        0.9473475,
        0.6666667,
        0.6666667,
        0.09680281,
        0.09622524,
        0.9017372,
        0.9012486,
        1.554642,
        -0.8613141,
        -2.473186,
        -1.240714,
        1.189316,
        -0.8201566,
    ],
}


@pytest.mark.parametrize("kind", OF_KERAS3)
def test_keras3(kind: str, keras3: None) -> None:
    np.testing.assert_allclose(trained(kind), OF_KERAS3[kind], rtol=2e-5, atol=1e-6)


def test_a_frozen_normalization_of_keras2_keeps_to_the_batch() -> None:
    """It trains with the statistics of the batch and leaves the moving ones alone; predictions use those."""
    model = Sequential([layers.BatchNormalization(momentum=0.5, input_shape=(3,)), layers.Dense(1)])
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    fixed = model.layers[0].get_weights()
    model.fit(X, Y, verbose=0)
    for before, after in zip(fixed, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    kernel, bias = model.layers[1].get_weights()
    expected = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + 1e-3) @ kernel + bias
    np.testing.assert_allclose(model(X, training=True), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(X), X / np.sqrt(1 + 1e-3) @ kernel + bias, rtol=1e-5, atol=1e-6)
    model.layers[0].trainable = True
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.layers[0].get_weights()[2], fixed[2])


def test_keras2_divides_no_activity_by_the_batch() -> None:
    model = Sequential([layers.ActivityRegularization(0.5, 0.25, input_shape=(3,))])
    model.compile("sgd", None)
    assert model.evaluate(X, X, 12, 0) == pytest.approx(0.5 * abs(X).sum() + 0.25 * (X**2).sum(), rel=1e-6)


def test_keras2_wants_a_weight_for_every_class_and_weighs_validation_too() -> None:
    model = Sequential([layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"must have a weight for every class in y; \[0\] are missing"):
        model.fit(X, Y, class_weight={1: 3.0}, verbose=0)
    model.optimizer.lr = 0.0
    found = model.fit(X, Y, class_weight={0: 1, 1: 3.0}, validation_split=0.25, verbose=0).history["val_loss"]
    assert found == pytest.approx([model.evaluate(X[9:], Y[9:], 32, 0, 1 + 2 * Y[9:, 0])])


def test_keras3_takes_no_two_kinds_of_weights(keras3: None) -> None:
    model = Sequential([layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="class_weight and sample_weight cannot be given together"):
        model.fit(X, Y, class_weight={0: 1, 1: 3.0}, sample_weight=Y[:, 0], verbose=0)


@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize("compat", ["keras2", "keras3"])
@pytest.mark.parametrize("loss", ["mse", lambda y_true, y_pred: np.mean((y_true - y_pred) ** 2, axis=-1)])
def test_penalties_of_frozen_weights_count_in_keras2(compat: str, loss: Any, batches: int, keras3: None) -> None:
    config.set_compat(compat)
    frozen = layers.Dense(2, kernel_regularizer="l2", trainable=False, input_shape=(3,))
    model = Sequential([frozen, layers.Dense(1, bias_initializer="ones", bias_regularizer="l1")])
    model.compile(optimizers.SGD(0.0, gradient_accumulation_steps=batches), loss)
    error = np.mean((model.predict(X) - Y) ** 2)
    penalty = 0.01 * np.sum(frozen.get_weights()[0] ** 2) if compat == "keras2" else 0.0
    assert model.train_on_batch(X, Y) == pytest.approx(error + 0.01 + penalty, rel=1e-5)
    assert model.evaluate(X, Y, 12, 0) == pytest.approx(error + 0.01 + penalty, rel=1e-5)
