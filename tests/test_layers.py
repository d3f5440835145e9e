"""Layers: their arguments of every era, shapes, weights and configs. What they compute is compared with
reference.py elsewhere.
"""

from typing import Any

import numpy as np
import pytest

from nnlite import _engine, activations, initializers
from nnlite.layers import (
    LAYERS,
    Activation,
    ActivityRegularization,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    Input,
    InputLayer,
    Layer,
    Reshape,
)
from nnlite.models import Sequential

# One way to make each layer; a new layer needs a line here.
EXAMPLES: dict[str, dict[str, Any]] = {
    "input_layer": {"shape": (6,)},
    "dense": {"units": 3, "activation": "relu", "kernel_regularizer": "l2", "bias_constraint": "non_neg"},
    "activation": {"activation": "tanh"},
    "flatten": {},
    "reshape": {"target_shape": (2, 3)},
    "activity_regularization": {"l1": 0.25, "l2": 0.5},
    "batch_normalization": {"momentum": 0.5, "gamma_initializer": "zeros", "scale": True},
    "layer_normalization": {"epsilon": 0.5, "center": False, "gamma_regularizer": "l2"},
    "unit_normalization": {},
    "normalization": {"mean": [1.0] * 6, "variance": [4.0] * 6},
    "rescaling": {"scale": 0.5, "offset": 1.0},
    "p_re_lu": {"alpha_initializer": "ones", "alpha_constraint": "non_neg"},
    "dropout": {"rate": 0.25},
    "re_lu": {"max_value": 6.0, "negative_slope": 0.25, "threshold": 0.5},
    "leaky_re_lu": {"negative_slope": 0.25},
    "elu": {"alpha": 0.5},
    "thresholded_re_lu": {"theta": 0.5},
    "softmax": {},
    "permute": {"dims": (1,)},
    "repeat_vector": {"n": 1},
    "alpha_dropout": {"rate": 0.25},
    "gaussian_dropout": {"rate": 0.25},
    "gaussian_noise": {"stddev": 0.25},
    "lambda": {"function": np.tanh},
}


def example(entry: str, **more: Any) -> Layer:
    return LAYERS.find(entry).make(**EXAMPLES[entry] | more)


def built(*layers: Layer) -> Sequential:
    model = Sequential(list(layers))
    _ = model.engine
    return model


def test_engine_and_python_have_the_same_layers() -> None:
    rows = set(_engine.rows("layer")) - set(_engine.rows("activation"))
    assert rows == set(LAYERS.rows()), (
        "a layer is a row of csrc/engine and a class of nnlite/layers with that row's name"
    )


@pytest.mark.parametrize("name", LAYERS.entries)
class TestEveryLayer:
    def test_has_an_example(self, name: str) -> None:
        assert name in EXAMPLES, f"add an example of layer {name!r} to EXAMPLES"

    def test_config_makes_an_equal_layer(self, name: str) -> None:
        layer = example(name, input_shape=(6,), name="mine", trainable=False)
        config = layer.get_config()
        assert (config["name"], config["trainable"], config["batch_input_shape"]) == ("mine", False, (None, 6))
        assert type(layer).from_config(config).get_config() == config
        assert LAYERS.get(LAYERS.serialize(layer)).get_config() == config

    def test_names_follow_the_class(self, name: str) -> None:
        assert example(name).name.startswith("input_" if name == "input_layer" else f"{name}_")

    def test_unknown_argument(self, name: str) -> None:
        for error in (TypeError, ValueError):
            with pytest.raises(error, match=r"'trainabel'\. Did you mean 'trainable'"):
                example(name, trainabel=True)

    def test_weights_are_the_tensors_of_the_engine(self, name: str) -> None:
        if name == "input_layer":
            return
        model = built(example(name, input_shape=(6,)))
        tensors = [(tensor, shape) for _, tensor, shape, _ in model.engine.tensors()]
        layer = model.layers[0]
        assert [(weight.name.split("/")[1], weight.shape) for weight in layer.weights] == [
            (f"{t}:0", s) for t, s in tensors
        ]
        assert layer.count_params() == sum(array.size for array in layer.get_weights())
        assert layer.output_shape == layer.compute_output_shape((None, 6))
        assert model.predict(np.zeros((3, 6))).shape == (3, *layer.output_shape[1:])

    def test_has_no_weights_before_it_is_built(self, name: str) -> None:
        layer = example(name)
        assert layer.weights == []
        if name == "input_layer":  # which knows its shape
            assert layer.built and layer.output_shape == (None, 6) and layer.count_params() == 0
            return
        assert not layer.built
        with pytest.raises(AttributeError, match="no shapes before"):
            _ = layer.output_shape
        for error in (ValueError, RuntimeError):
            with pytest.raises(error, match="no weights to count"):
                layer.count_params()

    def test_repr(self, name: str) -> None:
        assert repr(example(name, name="mine")) == f"<{LAYERS.find(name).make.__name__} mine>"


@pytest.mark.parametrize(
    "declared",
    [
        {"input_shape": (5,)},
        {"input_shape": [5]},
        {"input_shape": 5},
        {"input_dim": 5},
        {"input_dim": np.int64(5)},
        {"batch_input_shape": (None, 5)},
        {"batch_input_shape": (32, 5)},
    ],
)
def test_ways_to_state_the_input(declared: dict[str, Any]) -> None:
    assert built(Dense(3, **declared)).input_shape == (None, 5)


@pytest.mark.parametrize(
    "front",
    [Input(shape=(5,)), Input((5,)), InputLayer(input_shape=(5,)), InputLayer(batch_shape=(None, 5)), Input(shape=5)],
)
def test_input_in_front(front: Layer) -> None:
    model = built(front, Dense(3))
    assert (model.input_shape, len(model.layers)) == ((None, 5), 1)


@pytest.mark.parametrize("shape", [0, (-1,), ("a",), (2.5,), (True,)])
def test_no_input_shape(shape: Any) -> None:
    with pytest.raises(ValueError, match="input_shape must be an integer of at least 1"):
        Dense(3, input_shape=shape)


def test_input_without_shape() -> None:
    with pytest.raises(ValueError, match=r"Input\(shape=\(5,\)\)"):
        Input()


class TestDense:
    @pytest.mark.parametrize(
        ("old", "modern"),
        [
            ({"output_dim": 3}, {"units": 3}),
            ({"units": 3, "init": "zeros"}, {"units": 3, "kernel_initializer": "zeros"}),
            ({"units": 3, "W_regularizer": "l2"}, {"units": 3, "kernel_regularizer": "l2"}),
            ({"units": 3, "b_regularizer": "l1"}, {"units": 3, "bias_regularizer": "l1"}),
            ({"units": 3, "W_constraint": "maxnorm"}, {"units": 3, "kernel_constraint": "max_norm"}),
            ({"units": 3, "b_constraint": "nonneg"}, {"units": 3, "bias_constraint": "non_neg"}),
            ({"units": 3, "bias": False}, {"units": 3, "use_bias": False}),
        ],
    )
    def test_spellings_of_keras_1(self, old: dict[str, Any], modern: dict[str, Any]) -> None:
        assert Dense(name="a", **old).get_config() == Dense(name="a", **modern).get_config()

    def test_both_spellings(self) -> None:
        with pytest.raises(TypeError, match="'units' or its older name 'output_dim'"):
            Dense(3, output_dim=3)
        with pytest.raises(TypeError, match="'use_bias' or its older name 'bias'"):
            Dense(3, use_bias=True, bias=False)

    def test_needs_units(self) -> None:
        with pytest.raises(TypeError, match="units"):
            Dense()  # type: ignore[call-arg]

    @pytest.mark.parametrize("units", [0, -1, 2.5, "a", None, True])
    def test_units_that_are_none(self, units: Any) -> None:
        with pytest.raises(ValueError, match="units must be an integer of at least 1"):
            Dense(units)

    @pytest.mark.parametrize("units", [3, 3.0, np.int32(3), np.float64(3)])
    def test_units(self, units: Any) -> None:
        assert Dense(units).units == 3

    @pytest.mark.parametrize(
        "activation", ["relu", "ReLU", activations.relu, Activation("relu"), lambda x: activations.relu(x)]
    )
    def test_activation(self, activation: Any) -> None:
        assert Dense(3, activation).activation == activations.relu

    def test_without_bias(self) -> None:
        layer = built(Dense(3, use_bias=False, input_dim=2)).layers[0]
        assert [array.shape for array in layer.get_weights()] == [(2, 3)]
        assert layer.bias is None

    def test_computes_activation_of_x_kernel_plus_bias(self) -> None:
        kernel, bias = np.arange(6.0).reshape(2, 3) - 3, np.array([1.0, 0.0, -1.0])
        model = Sequential([Dense(3, "relu", weights=[kernel, bias], input_dim=2)])
        x = np.array([[1.0, -2.0], [0.5, 0.25]])
        assert model.predict(x).tolist() == np.maximum(x @ kernel + bias, 0).tolist()

    @pytest.mark.parametrize(
        "weights", [[np.zeros((2, 3))], [np.zeros((3, 2)), np.zeros(3)], [np.zeros((2, 3)), np.zeros(2)]]
    )
    def test_weights_that_do_not_fit(self, weights: Any) -> None:
        with pytest.raises(ValueError, match=r"weights of layer|has the shape"):
            Sequential([Dense(3, input_dim=2, weights=weights)])

    def test_initializers(self) -> None:
        layer = built(
            Dense(3, kernel_initializer="ones", bias_initializer=initializers.Constant(2), input_dim=2)
        ).layers[0]
        kernel, bias = layer.get_weights()
        assert (kernel == 1).all() and (bias == 2).all()

    def test_weights_are_there_at_once(self) -> None:
        model = Sequential([Dense(3, input_dim=2), Dense(1)])
        assert [array.shape for array in model.layers[1].get_weights()] == [(3, 1), (1,)]
        assert np.asarray(model.trainable_weights[0]).shape == (2, 3)

    def test_weights_of_no_model(self) -> None:
        model = Sequential([Dense(3, input_dim=2)])
        layer = model.pop()
        with pytest.raises(ValueError, match="part of no model"):
            layer.get_weights()

    @pytest.mark.parametrize("dtype", ["float16", "int32", "real"])
    def test_types_there_are_not(self, dtype: str) -> None:
        with pytest.raises(ValueError, match="dtype must be one of"):
            Dense(3, dtype=dtype)

    def test_variables(self) -> None:
        layer = built(Dense(3, input_dim=2, name="d")).layers[0]
        assert layer.kernel is layer.W and layer.bias is layer.b
        assert (layer.kernel.name, layer.kernel.shape, layer.kernel.dtype) == ("d/kernel:0", (2, 3), np.float32)
        layer.kernel.assign(np.ones((2, 3)))
        assert (np.asarray(layer.kernel) == 1).all() and np.sum(layer.kernel) == 6
        assert np.asarray(layer.kernel, np.float64).dtype == np.float64

    def test_rows_that_are_no_vectors(self) -> None:
        with pytest.raises(ValueError, match=r"Put Flatten\(\) before"):
            Sequential([Dense(3, input_shape=(2, 2))])

    @pytest.mark.parametrize(
        "argument", ["activation", "kernel_initializer", "kernel_regularizer", "kernel_constraint"]
    )
    def test_unknown_names(self, argument: str) -> None:
        with pytest.raises(ValueError, match="'nonesuch'"):
            Dense(3, **{argument: "nonesuch"})


class TestBatchNormalization:
    @pytest.mark.parametrize(
        ("arguments", "names"),
        [
            ({}, ["gamma", "beta", "moving_mean", "moving_variance"]),
            ({"scale": False}, ["beta", "moving_mean", "moving_variance"]),
            ({"center": False}, ["gamma", "moving_mean", "moving_variance"]),
        ],
    )
    def test_weights(self, arguments: dict[str, Any], names: list[str]) -> None:
        layer = built(BatchNormalization(input_shape=(2,), **arguments)).layers[0]
        assert [weight.name.split("/")[1] for weight in layer.weights] == [f"{name}:0" for name in names]
        assert [weight.trainable for weight in layer.weights] == [name[:6] != "moving" for name in names]

    def test_normalises(self) -> None:
        model = Sequential([BatchNormalization(input_shape=(1,), epsilon=0, momentum=0.75)])
        x = np.array([[1.0], [3.0]])
        assert model(x, training=True).tolist() == [[-1.0], [1.0]]
        gamma, beta, mean, variance = model.get_weights()
        assert (gamma[0], beta[0], mean[0], variance[0]) == (1, 0, 0.5, 1)
        assert model.predict(x).tolist() == [[0.5], [2.5]]

    def test_keras_1(self) -> None:
        layer = BatchNormalization(mode=0, beta_init="zero", gamma_init="one")
        assert type(layer.gamma_initializer).__name__ == "Ones"

    @pytest.mark.parametrize("argument", [{"axis": 2}, {"mode": 2}, {"renorm": True}, {"synchronized": True}])
    def test_what_there_is_not(self, argument: dict[str, Any]) -> None:
        with pytest.raises(NotImplementedError, match="BatchNormalization"):
            BatchNormalization(**argument)


class TestDropout:
    def test_only_in_training(self) -> None:
        model = Sequential([Dropout(0.25, input_shape=(1000,))])
        x = np.ones((10, 1000))
        assert (model.predict(x) == 1).all()
        y = model(x, training=True).numpy()
        assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
        assert abs((y == 0).mean() - 0.25) < 0.02

    @pytest.mark.parametrize("rate", [0, 1])
    def test_rates_that_change_nothing(self, rate: float) -> None:
        assert (Sequential([Dropout(rate, input_shape=(3,))])(np.ones((2, 3)), training=True) == 1).all()

    @pytest.mark.parametrize("rate", [-0.1, 1.5, "a"])
    def test_no_rate(self, rate: Any) -> None:
        with pytest.raises(ValueError, match="rate must be"):
            Dropout(rate)

    def test_keras_1(self) -> None:
        assert Dropout(p=0.5).rate == 0.5

    def test_noise_shape(self) -> None:
        with pytest.raises(NotImplementedError, match="noise_shape"):
            Dropout(0.5, noise_shape=(1,))


class TestShapes:
    def test_flatten_in_front(self) -> None:
        model = Sequential([Flatten(input_shape=(2, 3)), Dense(1, kernel_initializer="ones")])
        x = np.arange(12.0).reshape(2, 2, 3)
        assert model.predict(x).tolist() == [[15.0], [51.0]]
        assert model.layers[0].output_shape == (None, 6)

    def test_flatten_of_vectors(self) -> None:
        assert Sequential([Flatten(input_shape=(3,))]).predict([[1.0, 2, 3]]).tolist() == [[1, 2, 3]]

    @pytest.mark.parametrize(
        ("target", "row"), [((2, 3), (2, 3)), ((-1, 2), (3, 2)), (6, (6,)), ((-1,), (6,)), ((3, -1), (3, 2))]
    )
    def test_reshape(self, target: Any, row: tuple[int, ...]) -> None:
        model = Sequential([Reshape(target, input_shape=(6,))])
        assert model.output_shape == (None, *row)
        assert model.predict(np.arange(12.0).reshape(2, 6)).shape == (2, *row)

    @pytest.mark.parametrize("target", [(4,), (4, -1), (-1, -1), (0, 6), ("a",)])
    def test_no_such_shape(self, target: Any) -> None:
        with pytest.raises(ValueError, match=r"target_shape|cannot reshape"):
            Sequential([Reshape(target, input_shape=(6,))])


class TestPenalties:
    @pytest.mark.parametrize(
        "layer",
        [
            ActivityRegularization(0.5, 0.25),
            Activation("linear", activity_regularizer={"class_name": "L1L2", "config": {"l1": 0.5, "l2": 0.25}}),
        ],
    )
    def test_on_outputs(self, layer: Layer) -> None:
        model = Sequential([Input(shape=(2,)), layer])
        model.compile("sgd", "mse")
        x = np.array([[1.0, -2.0]])
        assert model.evaluate(x, x, verbose=0) == 0.5 * 3 + 0.25 * 5

    def test_on_weights(self) -> None:
        weights = [np.array([[1.0], [-2.0]]), np.array([3.0])]
        model = Sequential([Dense(1, input_dim=2, weights=weights, kernel_regularizer="l1_l2", bias_regularizer="l2")])
        model.compile("sgd", "mse", loss_weights=2.0)
        assert model.evaluate([[0.0, 0.0]], [[2.0]], verbose=0) == pytest.approx(2 * 1 + 0.01 * (3 + 5) + 0.01 * 9)
        assert sum(weight.penalty() for weight in model.weights) == pytest.approx(0.01 * (3 + 5) + 0.01 * 9)

    def test_constraint(self) -> None:
        model = Sequential([Dense(3, input_dim=2, kernel_constraint="non_neg", bias_constraint="unit_norm")])
        model.compile("sgd", "mse")
        model.train_on_batch(np.ones((4, 2)), -np.ones((4, 3)))
        kernel, bias = model.get_weights()
        assert (kernel >= 0).all() and np.linalg.norm(bias) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("rows", [5, 16, 20])
@pytest.mark.parametrize("loss", ["categorical_crossentropy", "categorical_focal_crossentropy", "cosine_similarity"])
def test_a_penalty_on_the_output_leaves_no_holes_in_a_batch(loss: str, rows: int) -> None:
    """Losses divide by what is in rows of padding; a penalty of 0 changes nothing of a training."""
    weights = []
    for penalty in ([], [ActivityRegularization(0.0, 0.0)]):
        model = Sequential([Dense(3, activation="tanh", input_dim=2), Dense(3, activation="softmax"), *penalty], seed=1)
        model.compile("sgd", loss)
        x = np.linspace(-1, 1, 2 * rows).reshape(rows, 2)
        model.fit(x, np.eye(3)[np.arange(rows) % 3], rows, 3, verbose=0)
        weights.append(model.get_weights())
    for found, expected in zip(*weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
