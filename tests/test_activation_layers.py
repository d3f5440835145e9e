"""Activations as layers of their own, layers that only reshape, and layers nnlite does not have."""

from typing import Any

import numpy as np
import pytest

from nnlite import Sequential, activations, layers
from nnlite.layers import ELU, Dense, LeakyReLU, Permute, ReLU, RepeatVector, Softmax, ThresholdedReLU

X = np.array([[-2.0, -0.5, 0.0, 0.5, 1.0, 1.5, 7.0]], np.float32)

# Each layer, what it computes in NumPy's words, and the era's other spelling of it.
LAYERS = [
    (LeakyReLU(), np.where(X >= 0, X, 0.3 * X)),
    (LeakyReLU(0.1), np.where(X >= 0, X, 0.1 * X)),
    (LeakyReLU(alpha=0.2), np.where(X >= 0, X, 0.2 * X)),
    (LeakyReLU(negative_slope=0.2), np.where(X >= 0, X, 0.2 * X)),
    (ReLU(), np.maximum(X, 0)),
    (ReLU(6), np.clip(X, 0, 6)),
    (ReLU(max_value=6, negative_slope=0.1, threshold=1), np.where(X > 1, np.minimum(X, 6), 0.1 * (X - 1))),
    (ELU(), np.where(X > 0, X, np.expm1(X))),
    (ELU(alpha=0.5), np.where(X > 0, X, 0.5 * np.expm1(X))),
    (ThresholdedReLU(), np.where(X > 1, X, 0)),
    (ThresholdedReLU(theta=0.5), np.where(X > 0.5, X, 0)),
    (Softmax(), np.exp(X) / np.exp(X).sum()),
]


@pytest.mark.parametrize(("layer", "expected"), LAYERS, ids=[repr(layer) for layer, _ in LAYERS])
def test_layer(layer: Any, expected: Any) -> None:
    """By itself, made again from its config, and as the activation of another layer."""
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    model = Sequential([again])
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)
    assert model.count_params() == 0 and model.output_shape == (None, 7)
    copy = Sequential.from_config(model.get_config())
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    dense = Sequential([Dense(7, activation=layer, kernel_initializer="identity", input_dim=7)])
    np.testing.assert_allclose(dense.predict(X), expected, rtol=1e-6)
    model = Sequential([Dense(7, input_dim=7), type(layer).from_config(layer.get_config() | {"name": "last"})])
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(X, X, epochs=2, verbose=0).history["loss"]).all()


def test_defaults_of_layer_and_function_differ() -> None:
    """The layer's slope is 0.3, the function's 0.2, as in Keras."""
    assert LeakyReLU().activation([-1.0]) == np.float32(-0.3)
    assert activations.leaky_relu([-1.0]) == np.float32(-0.2)


def test_names() -> None:
    from nnlite.backend import clear_session

    clear_session()
    made = [kind().name for kind in (LeakyReLU, ReLU, ELU, ThresholdedReLU, Softmax)]
    assert made == ["leaky_re_lu_1", "re_lu_1", "elu_1", "thresholded_re_lu_1", "softmax_1"]


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: LeakyReLU("a"), TypeError, "negative_slope must be a number; received 'a'"),
        (lambda: LeakyReLU(0.1, alpha=0.2), TypeError, "received both"),
        (lambda: LeakyReLU(slope=1), TypeError, "no argument 'slope'.*negative_slope"),
        (lambda: ReLU(max_value=-1), ValueError, "max_value must be finite and at least 0; received -1"),
        (lambda: ELU(float("inf")), ValueError, "alpha must be finite"),
        (lambda: ThresholdedReLU(None), TypeError, "threshold must be a number"),
        (lambda: Softmax(axis=0), NotImplementedError, "axis of softmax must be -1"),
        (lambda: Permute((1, 3)), ValueError, r"dims of Permute must hold each of 1 \.\.\. 2 once"),
        (lambda: RepeatVector(3), NotImplementedError, "numpy.repeat"),
        (lambda: RepeatVector(0), ValueError, "n must be"),
    ],
)
def test_mistakes(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_permute() -> None:
    """Axes of size 1 change places; numbers stay where they are."""
    model = Sequential([Permute((2, 1), input_shape=(1, 3)), layers.Flatten()])
    assert model.layers[0].output_shape == (None, 3, 1)
    x = np.arange(6, dtype=np.float32).reshape(2, 1, 3)
    np.testing.assert_array_equal(model.predict(x), np.transpose(x, (0, 2, 1)).reshape(2, 3))
    assert Sequential.from_config(model.get_config()).output_shape == (None, 3)
    with pytest.raises(NotImplementedError, match=r"would move numbers of rows of shape \(2, 3\).*numpy.transpose"):
        Sequential([Permute((2, 1), input_shape=(2, 3))])
    with pytest.raises(ValueError, match=r"orders 2 axes; it receives rows of shape \(3,\)"):
        Sequential([Permute((2, 1), input_shape=(3,))])


def test_repeat_vector() -> None:
    assert Sequential([RepeatVector(1, input_shape=(3,))]).predict(X[:, :3]).shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Conv2D", "use Dense"),
        ("Convolution2D", "use Dense"),
        ("MaxPooling2D", "use Dense"),
        ("GlobalAveragePooling1D", "use Dense"),
        ("LSTM", "Flatten"),
        ("GRU", "Flatten"),
        ("SimpleRNN", "Flatten"),
        ("Bidirectional", "Flatten"),
        ("TimeDistributed", "Flatten"),
        ("Embedding", "one-hot"),
        ("Masking", "without the masked steps"),
        ("Concatenate", "numpy.hstack"),
        ("concatenate", "numpy.hstack"),
        ("Merge", "numpy.hstack"),
        ("MultiHeadAttention", "Dense"),
        ("MaxoutDense", "Dense"),
        ("TextVectorization", "NumPy"),
        ("GroupNormalization", "BatchNormalization"),
    ],
)
def test_unsupported(name: str, text: str) -> None:
    """It can be imported and asked for, and says what to use when one is made."""
    kind = getattr(layers, name)
    assert not isinstance(Dense(1), kind)
    with pytest.raises(NotImplementedError, match=f"layer {name} is not supported: .*{text}"):
        kind(32, 3)


def test_no_layer_at_all() -> None:
    with pytest.raises(AttributeError, match=r"no nnlite.layers.Dnese: .*'Dense'"):
        _ = layers.Dnese  # type: ignore[attr-defined]


def test_supported_layers_are_not_called_unsupported() -> None:
    from nnlite.layers.unsupported import unsupported

    assert [name for name in layers.__all__ if unsupported(name) is not None] == []


@pytest.mark.parametrize("before", [True, False])
def test_frozen_layer(before: bool) -> None:
    """trainable=False, given or set before compile, keeps the weights and counts them as not trainable."""
    frozen = Dense(3, input_dim=2, trainable=not before)
    model = Sequential([frozen, Dense(1)])
    if not before:
        assert len(model.trainable_weights) == 4
    frozen.trainable = False
    assert len(model.trainable_weights) == len(model.non_trainable_weights) == 2
    model.compile("sgd", "mse")
    kept, free = [layer.get_weights() for layer in model.layers]
    model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0)
    for old, new in zip(kept, frozen.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert any((old != new).any() for old, new in zip(free, model.layers[1].get_weights(), strict=True))
    frozen.trainable = True
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 2)), np.zeros(8), verbose=0)
    assert (frozen.get_weights()[0] != kept[0]).any()
