"""keras.backend and keras.ops: functions of arrays, variables, settings."""

from typing import Any

import numpy as np
import pytest

from nnlite import Sequential, backend, losses, ops
from nnlite import backend as K
from nnlite.layers import Dense

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.25, -0.125]])
T = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
P = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]])


@pytest.mark.parametrize("name", ops.__all__)
def test_backend_has_every_operation(name: str) -> None:
    assert getattr(backend, name) is getattr(ops, name)
    assert name in dir(backend) and name in dir(ops)


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (lambda: K.mean(X, axis=-1, keepdims=True), [[2 / 3], [0.625 / 3]]),
        (lambda: K.sum(X), 2.625),
        (lambda: K.max(X, axis=0), [1, 0.25, 3]),
        (lambda: K.square(K.abs(X)), X * X),
        (lambda: K.clip(X, -1, 1), np.clip(X, -1, 1)),
        (lambda: K.pow(X, 2), X**2),
        (lambda: K.cast(K.greater(X, 0), K.floatx()), X > 0),
        (lambda: K.flatten(X), X.reshape(-1)),
        (lambda: K.batch_flatten(X[:, None]), X),
        (lambda: K.dot(X, K.transpose(X)), X @ X.T),
        (lambda: K.l2_normalize(X, axis=-1), X / np.linalg.norm(X, axis=-1, keepdims=True)),
        (lambda: K.norm(X), np.linalg.norm(X)),
        (lambda: K.logsumexp(X, axis=1), np.log(np.exp(X).sum(axis=1))),
        (lambda: K.logsumexp(X, 1, True), np.log(np.exp(X).sum(axis=1, keepdims=True))),
        (lambda: K.sigmoid(X), 1 / (1 + np.exp(-X))),
        (lambda: K.softmax(X), np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)),
        (lambda: K.switch(X > 0, X, lambda: 0 * X), np.maximum(X, 0)),
        (lambda: K.binary_crossentropy(T, P), -T * np.log(P) - (1 - T) * np.log(1 - P)),
        (lambda: K.binary_crossentropy(T, np.log(P / (1 - P)), from_logits=True), K.binary_crossentropy(T, P)),
        (lambda: K.categorical_crossentropy(T, P), -np.log([0.5, 0.75])),
        (lambda: K.categorical_crossentropy(T, np.log(P), from_logits=True), -np.log([0.5, 0.75])),
        (lambda: K.sparse_categorical_crossentropy([[0], [1]], P), -np.log([0.5, 0.75])),
        (lambda: K.one_hot([0, 1], 3), T),
        (lambda: K.stop_gradient(X), X),
        (lambda: K.convert_to_numpy(K.convert_to_tensor([1, 2], "float32")), [1, 2]),
        (lambda: K.constant(2, shape=(2, 2)), [[2, 2], [2, 2]]),
        (lambda: K.eval(K.variable([1.0, 2.0])), [1, 2]),
    ],
)
def test_function(got: Any, wanted: Any) -> None:
    np.testing.assert_allclose(got(), wanted, rtol=1e-12)


def test_shapes() -> None:
    assert (K.int_shape(X), K.shape(X)[0], K.ndim(X)) == ((2, 3), 2, 2)


def test_variable() -> None:
    weight = K.variable(0.5)
    assert weight.dtype == np.float32 and K.get_value(weight) == 0.5
    K.set_value(weight, 0.25)
    assert K.get_value(weight) == 0.25 and float(weight * 4) == 1
    with pytest.raises(ValueError, match="array"):
        weight.assign([1.0, 2.0])


def test_loss_of_backend_functions_trains_as_the_engines() -> None:
    """A loss written with K, differentiated numerically, takes the steps of the built-in one."""

    def squares(y_true: Any, y_pred: Any) -> Any:
        return K.mean(K.square(y_pred - y_true), axis=-1)

    weights = []
    for loss in (squares, "mse"):
        model = Sequential([Dense(4, activation="tanh", input_dim=3), Dense(3)], seed=1)
        model.compile("sgd", loss)
        model.fit(X, T, epochs=20, verbose=0)
        weights.append(model.get_weights())
    for ours, engines in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, engines, rtol=1e-4, atol=1e-6)


def test_losses_agree_with_those_of_the_engine() -> None:
    np.testing.assert_allclose(K.mean(K.binary_crossentropy(T, P), -1), losses.binary_crossentropy(T, P), rtol=1e-6)
    np.testing.assert_allclose(K.categorical_crossentropy(T, P), losses.categorical_crossentropy(T, P), rtol=1e-6)


def test_settings() -> None:
    assert (K.learning_phase(), K.image_dim_ordering(), K.image_data_format()) == (0, "tf", "channels_last")
    K.set_learning_phase(0)
    K.set_image_data_format("channels_last")
    with pytest.raises(ValueError, match="data_format must be one of 'channels_last'"):
        K.set_image_data_format("channels_first")
    with pytest.raises(NotImplementedError, match=r"model\(x, training=True\)"):
        K.set_learning_phase(1)


@pytest.mark.parametrize("name", backend._OF_GRAPHS)
def test_what_only_graphs_have(name: str) -> None:
    with pytest.raises(NotImplementedError, match=f"keras.backend.{name} works on graphs"):
        getattr(K, name)()


@pytest.mark.parametrize("module", [K, ops])
def test_no_such_function(module: Any) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = module.nothing
