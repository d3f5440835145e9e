"""Sequential: how models are put together, built, compiled, asked and described."""

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from nnlite import backend, config
from nnlite.layers import Activation, BatchNormalization, Dense, Dropout, Flatten, Input, Reshape
from nnlite.models import Model, Sequential

X = np.linspace(-1, 1, 20).reshape(10, 2)
Y = (X.sum(axis=1) > 0).astype(float)


def weights_of(model: Sequential) -> list[list[Any]]:
    return [array.tolist() for array in model.get_weights()]


def small(**more: Any) -> Sequential:
    return Sequential([Dense(3, activation="tanh", input_dim=2), Dense(1, activation="sigmoid")], **more)


class TestBuilding:
    def test_list_and_add_are_the_same(self) -> None:
        added = Sequential(seed=5)
        added.add(Dense(3, activation="tanh", input_dim=2))
        added.add(Dense(1, activation="sigmoid"))
        assert weights_of(added) == weights_of(small(seed=5))

    def test_is_a_model(self) -> None:
        assert isinstance(small(), Model)

    def test_names(self) -> None:
        backend.clear_session()
        assert [Sequential().name, Sequential(name="mine").name, Sequential().name] == [
            "sequential_1",
            "mine",
            "sequential_2",
        ]
        assert Sequential([], "mine").name == "mine"

    def test_keras_3_has_trainable_second(self) -> None:
        model = Sequential([Dense(1, input_dim=2)], False, "mine")
        assert (model.name, model.trainable, model.trainable_weights) == ("mine", False, [])
        assert Sequential([], True).trainable

    @pytest.mark.parametrize(
        "build",
        [
            lambda m: m.build((None, 2)),
            lambda m: m.build((32, 2)),
            lambda m: m.build(2),
            lambda m: m.predict(X),
            lambda m: m.fit(X, Y, verbose=0),
            lambda m: m.evaluate(X, Y, verbose=0),
            lambda m: m.train_on_batch(X, Y),
            lambda m: m(X),
        ],
    )
    def test_deferred(self, build: Any) -> None:
        model = Sequential([BatchNormalization(), Dense(1, input_dim=7)])
        model.compile("adam", "binary_crossentropy")
        assert (model.weights, model.built) == ([], False)
        build(model)
        assert (model.input_shape, model.output_shape, model.count_params()) == ((None, 2), (None, 1), 11)

    def test_shape_of_a_later_layer_is_ignored(self) -> None:
        assert Sequential([Dense(3, input_dim=2), Dense(1, input_dim=99)]).count_params() == 13

    def test_questions_before_it_is_built(self) -> None:
        model = Sequential([Dense(1)])
        for question, errors in [
            (model.count_params, (ValueError, RuntimeError)),
            (lambda: model.input_shape, (AttributeError,)),
            (lambda: model.output_shape, (AttributeError,)),
            (lambda: model.engine, (ValueError, RuntimeError)),
            (lambda: model.set_weights([]), (ValueError,)),
            (model.build, (ValueError,)),
        ]:
            for error in errors:
                with pytest.raises(error, match=r"build|built"):
                    question()
        assert model.get_weights() == []

    def test_layers_added_later_keep_earlier_weights(self) -> None:
        model = Sequential([Dense(3, input_dim=2)])
        before = weights_of(model)
        model.add(Dense(1))
        assert weights_of(model)[:2] == before
        assert model.output_shape == (None, 1)

    def test_layers_added_after_training_keep_what_was_learned(self) -> None:
        model = small()
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        before = weights_of(model)
        model.add(Dense(1))
        assert weights_of(model)[:4] == before
        model.fit(X, Y, verbose=0)
        assert weights_of(model)[0] != before[0]

    def test_pop(self) -> None:
        model = small()
        before, last = weights_of(model), model.layers[-1]
        assert model.pop() is last
        assert weights_of(model) == before[:2]
        assert model.predict(X).shape == (10, 3)
        model.add(last)
        assert weights_of(model) == before
        model.pop()
        model.pop()
        assert not model.built
        for error in (TypeError, IndexError):
            with pytest.raises(error, match="no layer to remove"):
                model.pop()

    def test_layers_cannot_be_changed_from_outside(self) -> None:
        model = small()
        model.layers.clear()
        assert len(model.layers) == 2

    def test_get_layer(self) -> None:
        model = Sequential([Dense(1, name="a", input_dim=2), Dense(2, name="b")])
        assert model.get_layer("b") is model.get_layer(index=1) is model.layers[1]
        for arguments in ({"name": "c"}, {"index": 2}, {"index": -3}, {}):
            with pytest.raises(ValueError, match="layer"):
                model.get_layer(**arguments)

    @pytest.mark.parametrize("layer", [Dense, "dense", 5, None, np.ones(3)])
    def test_no_layer(self, layer: Any) -> None:
        model = Sequential()
        for error in (TypeError, ValueError):
            with pytest.raises(error, match="a model is made of layers"):
                model.add(layer)
        assert model.layers == []

    def test_a_layer_has_one_place(self) -> None:
        layer = Dense(2, input_dim=2)
        model = Sequential([layer])
        with pytest.raises(ValueError, match="part of model"):
            model.add(layer)
        with pytest.raises(TypeError, match="part of model"):
            Sequential([layer, layer])

    def test_names_of_layers_differ(self) -> None:
        with pytest.raises(ValueError, match="called 'a' already"):
            Sequential([Dense(1, name="a", input_dim=2), Dense(1, name="a")])

    def test_input_must_be_first(self) -> None:
        for layers in ([Dense(1, input_dim=2), Input((2,))], [Input((2,)), Input((2,))]):
            with pytest.raises(ValueError, match="must be the first layer"):
                Sequential(layers)

    def test_a_layer_that_cannot_follow_changes_nothing(self) -> None:
        model = Sequential([Flatten(input_shape=(2, 2))])
        with pytest.raises(ValueError, match="cannot reshape"):
            model.add(Reshape((3,)))
        assert (len(model.layers), model.output_shape) == (1, (None, 4))

    def test_built_for_another_shape(self) -> None:
        model = small()
        model.build((None, 2))
        with pytest.raises(ValueError, match="is built for rows of shape"):
            model.build((None, 3))

    def test_nothing_but_an_identity(self) -> None:
        assert Sequential([Activation("linear", input_shape=(2,))]).predict(X).tolist() == X.astype(np.float32).tolist()

    def test_no_layers_at_all(self) -> None:
        for question in (lambda: Sequential().predict(X), lambda: Sequential().build((None, 2))):
            with pytest.raises(ValueError, match="layer"):
                question()


class TestSeeds:
    def test_numpy_decides(self) -> None:
        made = []
        for _ in range(2):
            np.random.seed(3)  # noqa: NPY002
            model = small()
            np.random.rand(5)  # noqa: NPY002
            made.append(weights_of(model))
        assert made[0] == made[1]

    def test_the_seed_given_decides(self) -> None:
        assert weights_of(small(seed=1)) == weights_of(small(seed=1)) != weights_of(small(seed=2))

    @pytest.mark.parametrize("seed", [-1, 1.5, "a"])
    def test_no_seed(self, seed: Any) -> None:
        with pytest.raises(ValueError, match="seed must be an integer"):
            Sequential(seed=seed)

    def test_layers_start_differently(self) -> None:
        model = Sequential([Dense(2, input_dim=2), Dense(2)], seed=1)
        assert weights_of(model)[0] != weights_of(model)[2]

    def test_every_model_starts_differently(self) -> None:
        assert weights_of(small()) != weights_of(small())


class TestWeights:
    def test_order_and_shapes(self) -> None:
        model = Sequential([Dense(3, input_dim=2), BatchNormalization(), Dropout(0.5), Dense(1, use_bias=False)])
        assert [array.shape for array in model.get_weights()] == [(2, 3), (3,), (3,), (3,), (3,), (3,), (3, 1)]
        assert len(model.trainable_weights) == 5 and len(model.non_trainable_weights) == 2

    def test_set_and_get(self) -> None:
        model, other = small(), small()
        model.set_weights(other.get_weights())
        assert weights_of(model) == weights_of(other)
        assert model.predict(X).tolist() == other.predict(X).tolist()
        model.layers[1].set_weights([np.zeros((3, 1)), [4.0]])
        assert weights_of(model)[3] == [4.0]

    def test_copies(self) -> None:
        model = small()
        model.get_weights()[0][:] = 9
        assert (model.get_weights()[0] != 9).all()

    @pytest.mark.parametrize(
        "change", [lambda w: w[:-1], lambda w: [*w, w[0]], lambda w: [w[0].T, *w[1:]], lambda w: [*w[:3], ["a"]]]
    )
    def test_weights_that_do_not_fit(self, change: Any) -> None:
        model = small()
        before = weights_of(model)
        with pytest.raises(ValueError, match=r"arrays|shape|real numbers"):
            model.set_weights(change([array + 1 for array in model.get_weights()]))
        assert weights_of(model) == before

    def test_frozen_layers_stay(self) -> None:
        model = small()
        model.layers[0].trainable = False
        model.compile("sgd", "mse")
        before = weights_of(model)
        model.fit(X, Y, epochs=3, verbose=0)
        after = weights_of(model)
        assert after[:2] == before[:2] and after[2] != before[2]
        model.trainable = True
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        assert weights_of(model)[0] != before[0]

    def test_type(self) -> None:
        config.set_floatx("float64")
        try:
            model = small()
            assert model.predict(X.astype("float32")).dtype == np.float64
        finally:
            config.set_floatx("float32")
        assert small().predict(X).dtype == np.float32
        assert Sequential([Dense(1, input_dim=2, dtype="float64")]).get_weights()[0].dtype == np.float64


class TestAsking:
    @pytest.mark.parametrize("x", [X, X.astype(np.float32), X.tolist(), [X], np.asfortranarray(X), X[::1]])
    def test_predict(self, x: Any) -> None:
        model = small(seed=1)
        outputs = model.predict(x)
        assert (outputs.shape, outputs.dtype, type(outputs)) == ((10, 1), np.float32, np.ndarray)
        assert outputs.tolist() == small(seed=1).predict(X).tolist()

    def test_rows_do_not_depend_on_their_neighbours(self) -> None:
        model = small()
        together = model.predict(X)
        assert np.concatenate([model.predict(X[i : i + 1]) for i in range(10)]).tolist() == together.tolist()
        assert model.predict(X, batch_size=3).tolist() == together.tolist()
        assert model.predict_on_batch(X).tolist() == together.tolist()
        assert model(X).tolist() == together.tolist()

    def test_no_rows(self) -> None:
        assert small().predict(np.empty((0, 2))).shape == (0, 1)

    def test_predict_shows_a_bar_if_asked(self, capsys: pytest.CaptureFixture[str]) -> None:
        small().predict(X)
        assert capsys.readouterr().out == ""
        small().predict(X, verbose=1)
        assert capsys.readouterr().out.startswith("10/10 [==============================] - 0s ")

    def test_call(self) -> None:
        outputs = small()(X)
        assert isinstance(outputs, np.ndarray) and type(outputs.numpy()) is np.ndarray
        assert outputs.shape == (10, 1)

    def test_classes(self) -> None:
        one = small().predict_classes(X)
        assert (one.shape, one.dtype) == ((10, 1), np.int32)
        several = Sequential([Dense(3, input_dim=2, activation="softmax")])
        assert several.predict_classes(X).tolist() == several.predict(X).argmax(axis=1).tolist()

    def test_probabilities(self) -> None:
        assert small().predict_proba(X).shape == (10, 1)
        with pytest.warns(UserWarning, match="no probabilities"):
            Sequential([Dense(1, input_dim=2, weights=[np.zeros((2, 1)), [5.0]])]).predict_proba(X)

    def test_evaluate(self, capsys: pytest.CaptureFixture[str]) -> None:
        model = small()
        model.compile("sgd", "mse")
        loss = model.evaluate(X, Y)
        assert capsys.readouterr().out.startswith("10/10 [==============================] - 0s ")
        assert isinstance(loss, float)
        assert loss == pytest.approx(((model.predict(X)[:, 0] - Y) ** 2).mean(), rel=1e-6)
        model.compile("sgd", "mse", metrics=["mae", "acc"])
        values = model.evaluate(X, Y, verbose=0)
        assert values[0] == loss and len(values) == 3
        assert model.evaluate(X, Y, verbose=0, return_dict=True) == dict(zip(model.metrics_names, values, strict=True))
        assert model.test_on_batch(X, Y) == values

    def test_batch_size_does_not_change_means(self) -> None:
        model = small()
        model.compile("sgd", "mse", metrics=["mae"])
        assert model.evaluate(X, Y, batch_size=3, verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-6)

    def test_weighted_loss(self) -> None:
        model = small()
        model.compile("sgd", "mse")
        weights = np.arange(10.0)
        expected = ((model.predict(X)[:, 0] - Y) ** 2 * weights).mean()
        assert model.evaluate(X, Y, verbose=0, sample_weight=weights) == pytest.approx(expected, rel=1e-6)


class TestLife:
    def test_target_by_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = small(seed=1).predict(X).tolist()
        monkeypatch.setenv("NNLITE_TARGET", "scalar")
        model = small(seed=1)
        assert model.predict(X).tolist() == expected
        assert model.engine.target == "scalar"

    def test_models_are_freed_when_nobody_refers_to_them(self) -> None:
        gc.collect()
        gc.disable()
        try:
            model = small()
            model.compile("adam", "mse", metrics=["mae"])
            history = model.fit(X, Y, verbose=0, validation_split=0.5)
            model.predict(X)
            model.train_on_batch(X, Y)
            engine, model_itself = weakref.ref(model.engine), weakref.ref(model)
            del model
            assert model_itself() is None and engine() is None
            assert history.model is None
        finally:
            gc.enable()

    def test_a_layer_can_move_on_when_its_model_is_gone(self) -> None:
        layer = Dense(2, input_dim=2)
        model = Sequential([layer])
        before = weights_of(model)
        del model
        assert weights_of(Sequential([layer])) == before


class TestConfig:
    @pytest.mark.parametrize(
        "model",
        [
            Sequential(
                [
                    Dense(3, activation="relu", input_shape=(2,), name="a"),
                    BatchNormalization(),
                    Dropout(0.5),
                    Dense(1, "sigmoid"),
                ]
            ),
            Sequential(
                [Input((2, 3)), Flatten(), Dense(1, kernel_regularizer="l1", kernel_constraint="max_norm")], name="mine"
            ),
            Sequential([Dense(1)]),
            Sequential(),
        ],
    )
    def test_round_trip(self, model: Sequential) -> None:
        described = model.get_config()
        again = Sequential.from_config(described)
        assert again.get_config() == described
        assert again.built == model.built
        assert Sequential.from_config(described["layers"]).get_config()["layers"] == described["layers"]

    def test_deferred_models_remember_their_input(self) -> None:
        model = Sequential([Dense(1)])
        model.build((None, 4))
        described = model.get_config()
        assert described["build_input_shape"] == (None, 4)
        assert Sequential.from_config(described).input_shape == (None, 4)

    def test_repr(self) -> None:
        assert repr(small(name="mine")) == "<Sequential mine: 2 layers>"
