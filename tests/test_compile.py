"""compile: every form of optimizer, loss and metrics."""

from typing import Any

import numpy as np
import pytest

from nnlite import losses, metrics, optimizers
from nnlite.layers import Dense
from nnlite.models import Sequential

X = np.linspace(-1, 1, 20).reshape(10, 2)
Y = (X.sum(axis=1) > 0).astype(float)


def weights_of(model: Sequential) -> list[list[Any]]:
    return [array.tolist() for array in model.get_weights()]


def small(**more: Any) -> Sequential:
    return Sequential([Dense(3, activation="tanh", input_dim=2), Dense(1, activation="sigmoid")], **more)


class TestCompile:
    @pytest.mark.parametrize(
        "optimizer",
        ["adam", "Adam", optimizers.Adam(), optimizers.Adam, {"class_name": "Adam", "config": {"lr": 0.001}}],
    )
    @pytest.mark.parametrize(
        "loss",
        ["mse", losses.mean_squared_error, losses.MeanSquaredError(), losses.MeanSquaredError, ["mse"], {"out": "mse"}],
    )
    def test_forms(self, optimizer: Any, loss: Any) -> None:
        model = small(seed=1)
        model.compile(optimizer, loss)
        other = small(seed=1)
        other.compile("adam", "mse")
        assert model.train_on_batch(X, Y) == other.train_on_batch(X, Y)
        assert weights_of(model) == weights_of(other)

    @pytest.mark.parametrize(
        "chosen",
        [
            "mae",
            ["mae"],
            ("mae",),
            [["mae"]],
            {"out": "mae"},
            {"out": ["mae"]},
            [metrics.get("mae")],
            [losses.mean_absolute_error],
        ],
    )
    def test_forms_of_metrics(self, chosen: Any) -> None:
        model = small()
        model.compile("sgd", "mse", metrics=chosen)
        assert model.metrics_names == ["loss", "mean_absolute_error"]
        assert [metric.name for metric in model.metrics] == ["mean_absolute_error"]

    def test_same_metric_twice(self) -> None:
        model = small()
        model.compile("sgd", "mse", ["mae", "mae", "mae"])
        assert model.metrics_names == ["loss", "mean_absolute_error", "mean_absolute_error_1", "mean_absolute_error_2"]

    @pytest.mark.parametrize("third", [(["mae"], 2.0), (2.0, ["mae"])])
    def test_metrics_or_weights_third(self, third: tuple[Any, Any]) -> None:
        model = small(seed=1)
        model.compile("sgd", "mse", *third)
        other = small(seed=1)
        other.compile("sgd", "mse")
        loss, mae = model.evaluate(X, Y, verbose=0)
        assert loss == pytest.approx(2 * other.evaluate(X, Y, verbose=0))
        assert mae < 1

    def test_keeps_weights_and_starts_the_optimizer_anew(self) -> None:
        model = small()
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=5, verbose=0)
        before = weights_of(model)
        model.compile(optimizers.RMSprop(lr=0.1), "binary_crossentropy")
        assert weights_of(model) == before
        assert (model.engine.iterations, model.engine.learning_rate) == (0, 0.1)

    def test_learning_rate_is_live(self) -> None:
        model = small()
        model.compile(optimizers.SGD(lr=0.5), "mse")
        _ = model.engine
        old = model.optimizer
        old.lr = 0.25
        assert model.engine.learning_rate == 0.25
        model.compile("sgd", "mse")
        old.lr = 0.125
        assert model.engine.learning_rate == 0.01

    def test_an_optimizer_for_two_models(self) -> None:
        shared = optimizers.Adam()
        models = [small(seed=1), small(seed=1), small(seed=1)]
        for model, optimizer in zip(models, [shared, shared, "adam"], strict=True):
            model.compile(optimizer, "mse")
            model.fit(X, Y, epochs=2, verbose=0)
        assert weights_of(models[0]) == weights_of(models[1]) == weights_of(models[2])

    def test_without_loss(self) -> None:
        model = Sequential([Dense(1, input_dim=2, kernel_regularizer="l2")])
        model.compile("sgd")
        assert model.loss is None
        kernel = model.get_weights()[0]
        assert model.evaluate(X, Y, verbose=0) == pytest.approx(0.01 * (kernel**2).sum())

    def test_arguments_without_effect(self) -> None:
        small().compile(
            "sgd", "mse", run_eagerly=True, jit_compile=False, sample_weight_mode=None, steps_per_execution=5
        )

    def test_metrics_that_take_other_targets(self) -> None:
        model = Sequential([Dense(3, input_dim=2)])
        _ = model.engine
        with pytest.raises(ValueError, match="metrics must all take class numbers"):
            model.compile("sgd", "sparse_categorical_crossentropy", metrics=["mse"])

    def test_nothing_is_settled_before_it_is_built(self) -> None:
        model = Sequential([Dense(1)])
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match="must be built"):
            _ = model.metrics_names
