"""Training: the same steps however it is called, stopped and watched, and the steps of the reference."""

import sys
import warnings
from typing import Any

import numpy as np
import pytest
from reference_network import Network, Optimizer

from nnlite import _engine, callbacks, config, losses, metrics
from nnlite.callbacks import Callback, LambdaCallback
from nnlite.layers import BatchNormalization, Dense, Dropout
from nnlite.models import Sequential

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (50, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.float32)


def weights_of(model: Sequential) -> list[list[Any]]:
    return [array.tolist() for array in model.get_weights()]


def made(
    optimizer: Any = "adam", loss: Any = "binary_crossentropy", chosen: Any = ("accuracy",), *layers: Any
) -> Sequential:
    model = Sequential([Dense(4, activation="tanh", input_dim=3), *layers, Dense(1, activation="sigmoid")], seed=7)
    model.compile(optimizer, loss, metrics=chosen)
    return model


def noisy(*arguments: Any) -> Sequential:
    """A model in which every kind of state can go wrong."""
    optimizer, loss, chosen = (*arguments, *("adam", "binary_crossentropy", ("accuracy",))[len(arguments) :])
    return made(optimizer, loss, chosen, BatchNormalization(), Dropout(0.25))


def outcome(model: Sequential, **arguments: Any) -> tuple[Any, Any]:
    """What a training leaves: weights, history."""
    history = model.fit(X, Y, **{"epochs": 6, "batch_size": 16, "verbose": 0, "validation_split": 0.2} | arguments)
    return weights_of(model), history.history


class TestTheSameHoweverItIsCalled:
    @pytest.mark.parametrize("hook", ["on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end"])
    def test_watched(self, hook: str) -> None:
        assert outcome(noisy(), callbacks=[LambdaCallback(**{hook: lambda *_: None})]) == outcome(noisy())

    @pytest.mark.parametrize("verbose", [1, 2])
    def test_shown(self, verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
        assert outcome(noisy(), verbose=verbose) == outcome(noisy())
        assert capsys.readouterr().out.count("Epoch") == 6

    def test_in_two_calls(self) -> None:
        model = noisy()
        _, first = outcome(model, epochs=2)
        weights, second = outcome(model, epochs=6, initial_epoch=2)
        expected, history = outcome(noisy())
        assert weights == expected
        assert {name: first[name] + second[name] for name in first} == history

    def test_without_the_accuracy(self) -> None:
        weights, history = outcome(noisy("adam", "binary_crossentropy", None))
        expected, full = outcome(noisy())
        assert weights == expected and history["loss"] == full["loss"]

    def test_with_a_metric_in_python(self) -> None:
        def share(y_true: Any, y_pred: Any) -> Any:
            return np.mean(y_pred > 0.5)

        weights, history = outcome(noisy("adam", "binary_crossentropy", ["accuracy", share]))
        expected, plain = outcome(noisy())
        assert weights == expected
        assert {name: history[name] for name in plain} == {
            name: pytest.approx(plain[name], rel=1e-12) for name in plain
        }
        assert len(history["share"]) == len(history["val_share"]) == 6

    @pytest.mark.parametrize("shuffle", [False, True, "batch"])
    def test_with_a_loss_in_python(self, shuffle: Any) -> None:
        def error(y_true: Any, y_pred: Any) -> Any:
            return ((y_pred - y_true) ** 2).mean(axis=-1)

        error.gradient = lambda y_true, y_pred: 2 * (y_pred - y_true)  # type: ignore[attr-defined]
        weights, history = outcome(noisy("adam", error), shuffle=shuffle)
        expected, plain = outcome(noisy("adam", "mse"), shuffle=shuffle)
        for array, other in zip(weights, expected, strict=True):
            assert np.allclose(array, other, atol=1e-4)
        assert list(history) == list(plain)
        for name in plain:
            assert history[name] == pytest.approx(plain[name], abs=1e-4)

    @pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64])
    def test_given_as_another_type(self, dtype: Any) -> None:
        x, y = np.round(X * 8), Y
        trained = [noisy(), noisy()]
        trained[0].fit(x.astype(dtype), y.astype(dtype), verbose=0)
        trained[1].fit(x, y, verbose=0)
        assert weights_of(trained[0]) == weights_of(trained[1])

    def test_given_as_lists(self) -> None:
        trained = [noisy(), noisy()]
        trained[0].fit(X.tolist(), Y.tolist(), verbose=0)
        trained[1].fit(X, Y[:, None], verbose=0)
        assert weights_of(trained[0]) == weights_of(trained[1])

    def test_by_batches(self) -> None:
        model, other = noisy(), noisy()
        model.fit(X[:32], Y[:32], batch_size=16, epochs=1, shuffle=False, verbose=0)
        other.train_on_batch(X[:16], Y[:16])
        other.train_on_batch(X[16:32], Y[16:32])
        assert weights_of(model) == weights_of(other)

    @pytest.mark.parametrize("spelling", [{"nb_epoch": 3}, {"nb_epoch": 3, "epochs": 9}])
    def test_keras_1_says_nb_epoch(self, spelling: dict[str, int]) -> None:
        assert noisy().fit(X, Y, verbose=0, **spelling).epoch == [0, 1, 2]

    def test_arrays_are_left_alone(self) -> None:
        x, y, weights = X.copy(), Y.copy(), np.ones(50)
        noisy().fit(x, y, verbose=0, sample_weight=weights, validation_split=0.2)
        assert (x == X).all() and (y == Y).all() and (weights == 1).all()

    def test_arguments_of_other_eras_without_effect(self) -> None:
        noisy().fit(X, Y, verbose=0, workers=4, use_multiprocessing=True, max_queue_size=5, validation_freq=1)


class TestAgainstTheReference:
    @pytest.fixture(autouse=True)
    def _in_float64(self) -> Any:
        config.set_floatx("float64")
        yield
        config.set_floatx("float32")

    def reference(self, model: Sequential) -> Network:
        kernel, bias, last_kernel, last_bias = model.get_weights()
        parameters = {(0, "kernel"): kernel, (0, "bias"): bias, (2, "kernel"): last_kernel, (2, "bias"): last_bias}
        layers = [("dense", 4, (1.0,)), ("tanh", 4, ()), ("dense", 1, (1.0,)), ("sigmoid", 1, ())]
        adam = Optimizer("adam", (0.9, 0.999, 1e-7), 0.001)
        return Network(layers, parameters, ("binary_crossentropy", (0.0, 1e-7)), adam, fuse=True)

    def batches(self, *arrays: Any) -> list[tuple[Any, ...]]:
        return [tuple(array[start : start + 16] for array in arrays) for start in range(0, 50, 16)]

    def agree(self, model: Sequential, network: Network) -> None:
        for array, expected in zip(model.get_weights(), network.parameters.values(), strict=True):
            assert np.allclose(array, expected, rtol=1e-9, atol=1e-12)

    def test_batches_in_order(self) -> None:
        model = made()
        network = self.reference(model)
        history = model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        of_batches = [network.train(self.batches(X, Y[:, None])) for _ in range(2)]
        self.agree(model, network)
        sizes = np.array([16, 16, 16, 2])
        assert history.history["loss"] == pytest.approx(
            [(values * sizes).sum() / 50 for values in of_batches], rel=1e-9
        )

    def test_sample_weights(self) -> None:
        weights = np.linspace(0, 2, 50)
        model = made()
        network = self.reference(model)
        model.fit(X, Y, batch_size=16, shuffle=False, verbose=0, sample_weight=weights)
        network.train(self.batches(X, Y[:, None], weights))
        self.agree(model, network)

    def test_shuffled_rows(self) -> None:
        model = made()
        network = self.reference(model)
        _ = model.engine
        order = _engine.order(50, 16, 1, 7, 0)
        assert sorted(order) == list(range(50)) != list(order)
        model.fit(X, Y, batch_size=16, verbose=0)
        network.train(self.batches(X[order], Y[order, None]))
        self.agree(model, network)

    def test_a_loss_in_python_without_gradient(self) -> None:
        def crossentropy(y_true: Any, y_pred: Any) -> Any:
            return -(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred)).mean(axis=-1)

        model = made("adam", crossentropy)
        network = self.reference(model)
        history = model.fit(X, Y, batch_size=16, shuffle=False, verbose=0)
        network.train(self.batches(X, Y[:, None]))
        for array, expected in zip(model.get_weights(), network.parameters.values(), strict=True):
            assert np.allclose(array, expected, atol=1e-6)
        assert model.evaluate(X, Y, verbose=0)[0] == pytest.approx(
            float(crossentropy(Y[:, None], model.predict(X)).mean()), rel=1e-9
        )
        assert list(history.history) == ["loss", "acc"]


class TestWeightsOfRows:
    def test_class_weights_are_sample_weights(self) -> None:
        by_class = outcome(noisy(), class_weight={0: 0.5, 1: 3})
        by_row = outcome(noisy(), sample_weight=np.where(Y == 1, 3, 0.5))
        assert by_class == by_row != outcome(noisy())

    def test_ones_change_nothing(self) -> None:
        assert outcome(noisy(), sample_weight=np.ones(50)) == outcome(noisy())

    def test_both(self) -> None:
        with pytest.warns(UserWarning, match="class_weight has no effect"):
            both = outcome(noisy(), sample_weight=Y, class_weight={0: 1, 1: 1})
        assert both == outcome(noisy(), sample_weight=Y)

    def test_on_a_batch(self) -> None:
        model, other = made(), made()
        values = [
            model.train_on_batch(X, Y, sample_weight=Y + 1),
            other.train_on_batch(X, Y, {0: 1, 1: 2}),
        ]
        assert values[0] == values[1] and weights_of(model) == weights_of(other)


class TestValidation:
    def test_split_is_data_of_the_last_rows(self) -> None:
        split = outcome(noisy())
        given = noisy()
        history = given.fit(X[:40], Y[:40], 16, 6, 0, validation_data=(X[40:], Y[40:]))
        assert split == (weights_of(given), history.history)

    def test_data_win_over_a_split(self) -> None:
        assert outcome(noisy(), validation_data=(X, Y)) == outcome(
            noisy(), validation_data=(X, Y), validation_split=0.0
        )

    @pytest.mark.parametrize("weights", [(), (np.arange(50.0),)])
    def test_is_an_evaluation(self, weights: tuple[Any, ...]) -> None:
        model = noisy()
        history = model.fit(X, Y, batch_size=16, verbose=0, validation_data=(X, Y, *weights)).history
        assert model.evaluate(X, Y, 16, 0, *weights) == [history["val_loss"][0], history["val_acc"][0]]

    def test_is_weighted_by_class(self) -> None:
        plain, weighted = outcome(noisy())[1], outcome(noisy(), class_weight={0: 1, 1: 1.0})[1]
        assert plain == weighted
        assert outcome(noisy(), class_weight={0: 1, 1: 9})[1]["val_loss"][0] > plain["val_loss"][0]


class TestMetrics:
    def test_names_by_era(self) -> None:
        assert list(outcome(noisy())[1]) == ["val_loss", "val_acc", "loss", "acc"]
        config.set_compat("keras3")
        try:
            history = outcome(noisy("sgd", "mse", ["accuracy", "mae"]))[1]
        finally:
            config.set_compat("keras2")
        assert {"loss", "accuracy", "mae", "val_loss"} <= set(history)
        assert history["acc"] == history["accuracy"] and history["mean_absolute_error"] == history["mae"]

    def test_means_are_of_rows_not_of_batches(self) -> None:
        def of_rows(y_true: Any, y_pred: Any) -> Any:
            return y_true[:, 0]

        history = noisy("sgd", "mse", [of_rows]).fit(X, Y, batch_size=16, verbose=0).history
        assert history["of_rows"] == [pytest.approx(Y.mean(), rel=1e-6)]

    def test_a_metric_with_a_state_of_its_own(self) -> None:
        class Largest(metrics.Metric):
            def __init__(self) -> None:
                super().__init__("largest")
                self.value = -np.inf

            def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
                self.value = max(self.value, float(y_pred.max()))

            def result(self) -> float:
                return self.value

            def reset_state(self) -> None:
                self.value = -np.inf

        model = made("sgd", "mse", [Largest(), "mae"])
        model.fit(X, Y, epochs=2, verbose=0)
        _, largest, mae = model.evaluate(X, Y, verbose=0)
        outputs = model.predict(X)
        assert largest == outputs.max()
        assert mae == pytest.approx(float(np.abs(outputs[:, 0] - Y).mean()), rel=1e-6)

    def test_penalties_count_with_a_loss_in_python(self) -> None:
        def nothing(y_true: Any, y_pred: Any) -> Any:
            return 0 * y_pred[:, 0]

        model = Sequential([Dense(1, input_dim=3, kernel_regularizer="l2")], seed=1)
        model.compile("sgd", nothing)
        penalty = 0.01 * float((model.get_weights()[0].astype(float) ** 2).sum())
        assert model.evaluate(X, Y, verbose=0) == pytest.approx(penalty, rel=1e-6)
        assert model.fit(X, Y, batch_size=50, verbose=0).history["loss"] == [pytest.approx(penalty, rel=1e-6)]

    def test_targets_of_any_width_for_a_loss_in_python(self) -> None:
        def first_column(y_true: Any, y_pred: Any) -> Any:
            return (y_pred[:, 0] - y_true[:, 0]) ** 2

        model = Sequential([Dense(2, input_dim=3)])
        model.compile("sgd", first_column)
        y = np.stack([Y, Y, Y], axis=1)
        before = model.evaluate(X, y, verbose=0)
        model.fit(X, y, epochs=5, verbose=0, validation_split=0.2)
        assert model.evaluate(X, y, verbose=0) < before

    def test_on_a_batch(self) -> None:
        model = made()
        expected = model.evaluate(X, Y, verbose=0, return_dict=True)
        assert model.train_on_batch(X, Y, return_dict=True) == pytest.approx(expected, rel=1e-6)


class TestEpochs:
    @pytest.mark.parametrize(("epochs", "initial"), [(0, 0), (3, 3), (2, 5)])
    def test_none(self, epochs: int, initial: int) -> None:
        model = noisy()
        before = weights_of(model)
        assert model.fit(X, Y, epochs=epochs, initial_epoch=initial, verbose=0).epoch == []
        assert weights_of(model) == before

    def test_learning_rate_set_between(self) -> None:
        model = made("sgd")

        class Schedule(Callback):
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                self.model.optimizer.lr = 0.0

        before = weights_of(model)
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[Schedule()])
        assert weights_of(model) == before

    def test_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        model = made()
        model.fit(X, Y, batch_size=16, epochs=2, validation_split=0.2)
        out = capsys.readouterr().out.splitlines()
        assert out[0] == "Train on 40 samples, validate on 10 samples"
        assert [out[1], out[3]] == ["Epoch 1/2", "Epoch 2/2"]
        values = [f"{name}: {model.history.history[name][-1]:.4f}" for name in ("loss", "acc", "val_loss", "val_acc")]
        assert out[4].startswith("40/40 [==============================] - 0s ")
        assert out[4].endswith("us/step - " + " - ".join(values))

    def test_headers_come_before_what_callbacks_print(self, capsys: pytest.CaptureFixture[str]) -> None:
        talk = LambdaCallback(on_epoch_begin=lambda *_: print("begin"), on_epoch_end=lambda *_: print("end"))
        made().fit(X, Y, epochs=1, callbacks=[talk])
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["Epoch", "begin", "50/50", "end"]

    def test_no_copies_of_data_are_kept(self) -> None:
        model = made()
        x = X.copy()
        model.fit(x, Y, verbose=0)
        references = sys.getrefcount(x)
        del model
        assert sys.getrefcount(x) == references

    def test_no_warnings(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            noisy().fit(X, Y, verbose=0, validation_split=0.2)


def test_losses_of_classes_and_functions_are_the_same() -> None:
    for loss in ("hinge", losses.hinge, losses.Hinge()):
        assert outcome(noisy("sgd", loss)) == outcome(noisy("sgd", "hinge"))


def test_history_is_the_callback_module_s() -> None:
    assert isinstance(made().fit(X, Y, verbose=0), callbacks.History)
