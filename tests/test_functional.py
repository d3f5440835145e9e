"""Functional models that are chains, and models that have layers in common."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnlite import backend, models
from nnlite.callbacks import LambdaCallback
from nnlite.errors import UnsupportedError
from nnlite.functional import Functional
from nnlite.layers import Activation, Dense, Input, Layer
from nnlite.models import Model, Sequential

RANDOM = np.random.default_rng(0)
X = RANDOM.random((60, 6))


def autoencoder() -> tuple[Model, Model, Model]:
    """An autoencoder, its encoder and its decoder, as tutorials make them."""
    inputs = Input(shape=(6,))
    code = Dense(2, activation="tanh")(inputs)
    whole = Model(inputs, Dense(6, activation="sigmoid")(code))
    code_input = Input(shape=(2,))
    return whole, Model(inputs, code), Model(inputs=code_input, outputs=whole.layers[-1](code_input))


def test_a_chain_is_a_sequential_model() -> None:
    inputs = Input(shape=(6,))
    outputs = Activation("softmax")(Dense(3)(Dense(4, activation="relu")(inputs)))
    assert outputs.shape == (None, 3)
    for model in (
        Model(inputs, outputs),
        Model(inputs=[inputs], outputs=[outputs]),
        Model(input=inputs, output=outputs),
    ):
        assert isinstance(model, Sequential) and isinstance(model, Functional) and len(model.layers) == 3
        model.compile("sgd", "categorical_crossentropy")
        assert model.fit(X, np.eye(3)[np.arange(60) % 3], verbose=0).history["loss"][0] > 0
        assert model.input_shape == (None, 6) and model.output_shape == (None, 3)


def test_names(keras3: None) -> None:
    backend.clear_session()
    whole, encoder, _ = autoencoder()
    assert (whole.name, encoder.name) == ("functional", "functional_1")


def test_parts_share_weights() -> None:
    whole, encoder, decoder = autoencoder()
    whole.compile("adam", "mse")
    for _ in range(2):
        before = decoder.get_weights()[0].copy()
        whole.fit(X, X, epochs=3, verbose=0)
        np.testing.assert_array_equal(decoder.predict(encoder.predict(X)), whole.predict(X))
        assert (decoder.get_weights()[0] != before).any()
    encoder.set_weights([np.zeros((6, 2)), np.zeros(2)])
    assert (whole.predict(X) == whole.predict(X[:1])).all()
    decoder.compile("sgd", "mse")
    decoder.train_on_batch(np.ones((4, 2)), np.ones((4, 6)))
    np.testing.assert_array_equal(whole.get_weights()[2], decoder.get_weights()[0])


def test_a_part_may_be_asked_while_the_whole_trains() -> None:
    """What is trained goes on from its own weights, and has them in the end."""
    alone, watched = autoencoder()[0], autoencoder()
    for whole in (alone, watched[0]):
        whole.compile("adam", "mse")
        whole.fit(X, X, epochs=1, verbose=0)
    watched[0].set_weights(alone.get_weights())
    asked: list[Any] = []
    asking = LambdaCallback(on_epoch_end=lambda epoch, logs: asked.append(watched[1].predict(X)))
    watched[0].fit(X, X, epochs=4, verbose=0, callbacks=[asking])
    assert len(asked) == 4 and (asked[0] != asked[3]).any()
    np.testing.assert_array_equal(asked[3], watched[1].predict(X))
    kernel, bias = watched[0].get_weights()[:2]
    np.testing.assert_allclose(asked[3], np.tanh(X @ kernel + bias), rtol=1e-4, atol=1e-6)


def test_nested_models_as_in_an_adversarial_net() -> None:
    """What is trainable is settled when a model is compiled: the judge alone learns, within the whole it does not."""
    maker = Sequential([Dense(5, activation="relu", input_dim=3), Dense(2)])
    judge = Sequential([Dense(5, activation="relu", input_dim=2), Dense(1, activation="sigmoid")])
    judge.compile("sgd", "binary_crossentropy")
    judge.trainable = False
    whole = Sequential([maker, judge])
    whole.compile("sgd", "binary_crossentropy")
    assert len(whole.layers) == 4 and whole.input_shape == (None, 3)
    noise = RANDOM.random((16, 3))
    made, judged = maker.get_weights(), judge.get_weights()
    whole.train_on_batch(noise, np.ones(16))
    assert all((a == b).all() for a, b in zip(judged, judge.get_weights(), strict=True))
    assert any((a != b).any() for a, b in zip(made, maker.get_weights(), strict=True))
    judge.train_on_batch(maker.predict(noise), np.zeros(16))
    assert any((a != b).any() for a, b in zip(judged, judge.get_weights(), strict=True))
    np.testing.assert_array_equal(judge.predict(maker.predict(noise)), whole.predict(noise))


def test_nested_models_on_an_input() -> None:
    encoder, decoder = Sequential([Dense(2, input_dim=6)]), Sequential([Dense(6, input_dim=2)])
    inputs = Input((6,))
    whole = Model(inputs, decoder(encoder(inputs)))
    np.testing.assert_array_equal(whole.predict(X), decoder.predict(encoder.predict(X)))


def test_a_nested_model_without_a_shape() -> None:
    inner = Sequential([Dense(3, activation="tanh")])
    outer = Sequential([inner, Dense(1)])
    outer.compile("sgd", "mse")
    outer.fit(X, X[:, :1], verbose=0)
    kernel, bias = outer.layers[1].get_weights()
    np.testing.assert_allclose(inner.predict(X) @ kernel + bias, outer.predict(X), rtol=1e-5, atol=1e-6)


def test_features_of_a_trained_model() -> None:
    model = Sequential([Dense(4, input_dim=6, name="hidden"), Dense(1)])
    features = Model(inputs=model.input, outputs=model.get_layer("hidden").output)
    kernel, bias = model.layers[0].get_weights()
    np.testing.assert_allclose(features.predict(X), X @ kernel + bias, rtol=1e-5, atol=1e-6)
    rest = Model(inputs=model.layers[1].input, outputs=model.output)
    np.testing.assert_allclose(rest.predict(features.predict(X)), model.predict(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.layers[0](X), features.predict(X))


def test_layers_of_a_trained_model_in_a_new_one() -> None:
    model = Sequential([Dense(4, activation="relu", input_dim=6), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    other = Sequential()
    for layer in model.layers[:-1]:
        layer.trainable = False
        other.add(layer)
    other.add(Dense(3, activation="softmax"))
    other.compile("sgd", "sparse_categorical_crossentropy")
    before = other.get_weights()
    other.fit(X, np.arange(60) % 3, verbose=0)
    after = other.get_weights()
    assert (before[0] == after[0]).all() and (before[2] != after[2]).any()


def test_a_model_whose_sharer_is_gone_keeps_its_weights() -> None:
    whole, encoder, decoder = autoencoder()
    codes, weights = encoder.predict(X), whole.get_weights()
    del whole, decoder
    np.testing.assert_array_equal(encoder.predict(X), codes)
    np.testing.assert_array_equal(encoder.get_weights()[0], weights[0])


@pytest.mark.parametrize(
    "again",
    [
        copy.deepcopy,
        models.clone_model,
        lambda model: models.model_from_json(model.to_json()),
        lambda model: Functional.from_config(model.get_config()),
    ],
)
def test_copies_are_sequential(again: Callable[[Model], Sequential]) -> None:
    whole = autoencoder()[0]
    copied = again(whole)
    assert type(copied) is Sequential and copied.name == whole.name
    assert [weight.shape for weight in copied.weights] == [weight.shape for weight in whole.weights]


class Doubled(Layer):
    def call(self, inputs: Any) -> Any:
        return 2 * inputs


class Written(Model):
    def call(self, inputs: Any) -> Any:
        return inputs


A = Input((4,))
B = Dense(2)(A)
REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: Model([A, Input((3,))], B), UnsupportedError, "inputs must be one: nnlite has no branches"),
    (lambda: Model(A, [B, Dense(1)(A)]), UnsupportedError, "outputs must be one: nnlite has no branches"),
    (lambda: Dense(1)([B, Dense(2)(A)]), UnsupportedError, "takes one input: nnlite has no branches"),
    (lambda: A * 2, UnsupportedError, "computes nothing between layers"),
    (lambda: np.square(A), UnsupportedError, "computes nothing between layers"),
    (lambda: B + 1, UnsupportedError, "computes nothing between layers"),
    (lambda: np.ones(2) * B, UnsupportedError, "computes nothing between layers"),
    (lambda: np.square(B), UnsupportedError, "computes nothing between layers"),
    (lambda: Model(Input((4,)), B), ValueError, "outputs must follow from inputs"),
    (lambda: Model(A, A), ValueError, "outputs must follow from inputs"),
    (lambda: Model(A), TypeError, "outputs must be an Input or what a layer gives"),
    (lambda: Model(3, 4), TypeError, "inputs must be an Input or what a layer gives"),
    (Written, UnsupportedError, "Written derives from Model, .* Sequential, or .* Model"),
    (lambda: Sequential([Doubled()]), UnsupportedError, r"doubled_\d+' is computed in Python, by its call"),
    (lambda: Dense(1).output, AttributeError, "has no input and output before"),
    (lambda: Sequential([Dense(1)]).input, AttributeError, "before the shape of a row is known"),
]


@pytest.mark.parametrize(("act", "error", "text"), REFUSED)
def test_what_is_no_chain(act: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        act()
