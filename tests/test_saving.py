"""Saving: round trips of everything there is, going on to the same bits, files that are whole or not there."""

import copy
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from needed import ARGUMENTS

from nnlite import activations, config, container, initializers, losses, metrics, optimizers, registry
from nnlite.errors import FileFormatError, MissingFileError, NotBuiltError, ShapeError, UnsupportedError
from nnlite.layers import LAYERS, Activation, BatchNormalization, Dense, Dropout, Flatten, Input, InputLayer, Reshape
from nnlite.models import (
    Sequential,
    clone_model,
    load_model,
    model_from_config,
    model_from_json,
    model_from_yaml,
    save_model,
)

X = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
Y = (X.sum(axis=1, keepdims=True) > 0).astype(np.float32)

OPTIMIZERS: list[dict[str, Any]] = [
    *({"class_name": name, "config": {}} for name in optimizers.OPTIMIZERS.entries),
    {"class_name": "sgd", "config": {"momentum": 0.9, "nesterov": True}},
    {"class_name": "sgd", "config": {"momentum": 0.9, "decay": 0.01, "clipnorm": 1.0}},
    {"class_name": "rmsprop", "config": {"momentum": 0.5}},
    {"class_name": "rmsprop", "config": {"momentum": 0.5, "centered": True}},
    {"class_name": "adam", "config": {"amsgrad": True, "weight_decay": 0.01}},
]
# What a layer cannot be made without.
NEEDED: dict[str, dict[str, Any]] = {
    "dense": {"units": 4, "kernel_regularizer": "l2", "bias_constraint": "max_norm", "activation": "tanh"},
    "activation": {"activation": {"class_name": "relu", "config": {"negative_slope": 0.5}}},
    "dropout": {"rate": 0.3},
    "gaussian_dropout": {"rate": 0.3},
    "alpha_dropout": {"rate": 0.3},
    "gaussian_noise": {"stddev": 0.1},
    "rescaling": {"scale": 0.5},
    "normalization": {"mean": 0.5, "variance": 2.0},
    "reshape": {"target_shape": (4,)},
    "permute": {"dims": (1,)},
    "repeat_vector": {"n": 1},
    "input_layer": {"shape": 4},
    "lambda": {"function": np.square},
}


def half(y_true: Any, y_pred: Any) -> Any:
    """A loss written in Python."""
    return np.mean((y_true - y_pred) ** 2, axis=-1) / 2


class Scaled(initializers.Initializer):
    """An initializer of a script's own."""

    def __init__(self, scale: float = 0.5) -> None:
        self.scale = scale

    def fill(self, shape: tuple[int, ...], dtype: str, key: Any) -> Any:
        return np.full(shape, self.scale, dtype)


class Wide(Dense):
    """A layer of a script's own."""


def net(**more: Any) -> Sequential:
    layers = [
        Dense(8, activation="relu", input_dim=4, kernel_regularizer="l2", name="in"),
        BatchNormalization(name="norm"),
        Dropout(0.25, name="noise"),
        Dense(1, activation="sigmoid", name="out"),
    ]
    return Sequential(layers, **({"name": "net", "seed": 7} | more))


def trained(optimizer: Any = "adam", loss: Any = "binary_crossentropy", **more: Any) -> Sequential:
    model = net(**more)
    model.compile(optimizer, loss, metrics=["accuracy"])
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    return model


def bits(model: Sequential) -> list[bytes]:
    return [array.tobytes() for array in model.get_weights()]


def everything(model: Sequential) -> Any:
    engine = model.engine
    tensors = range(len(engine.tensors()))
    slots = [engine.read(2 + k, i).tobytes() for k in range(engine.slots) for i in tensors]
    return bits(model), slots, engine.state, [trained for *_, trained in engine.tensors()]


def through_file(model: Sequential, folder: Path, **options: Any) -> Sequential:
    model.save(folder / "model.nnlite")
    return load_model(folder / "model.nnlite", **options)


class TestRoundTrip:
    @pytest.mark.parametrize("name", sorted(LAYERS.entries))
    def test_every_layer(self, name: str, tmp_path: Path) -> None:
        layer = LAYERS.find(name).make(**NEEDED.get(name, {}), trainable=name != "dense")
        before = [] if isinstance(layer, InputLayer) else [Dense(4, input_dim=4)]
        layers = [*before, layer, Flatten(), Dense(2)]
        model = Sequential(layers)
        model.compile("adam", "mse")
        model.fit(X, X[:, :2], epochs=1, verbose=0)
        again = through_file(model, tmp_path, custom_objects={"square": np.square} if name == "lambda" else None)
        assert again.to_json() == model.to_json()
        assert everything(again) == everything(model)
        assert again.predict(X).tobytes() == model.predict(X).tobytes()
        assert [layer.trainable for layer in again.layers] == [layer.trainable for layer in model.layers]

    @pytest.mark.parametrize("name", sorted(activations.ACTIVATIONS.entries))
    def test_every_activation(self, name: str, tmp_path: Path) -> None:
        model = Sequential([Dense(3, activation=name, input_dim=4)])
        assert through_file(model, tmp_path).predict(X).tobytes() == model.predict(X).tobytes()

    @pytest.mark.parametrize("name", sorted(initializers.INITIALIZERS.entries))
    def test_every_initializer(self, name: str) -> None:
        model = Sequential([Dense(4, kernel_initializer=name, input_dim=4)])
        assert model_from_json(model.to_json()).get_config() == model_from_json(model.to_json()).get_config()
        assert type(model_from_json(model.to_json()).layers[0].kernel_initializer) is type(
            model.layers[0].kernel_initializer
        )

    @pytest.mark.parametrize("name", sorted(losses.LOSSES.entries))
    def test_every_loss(self, name: str, tmp_path: Path) -> None:
        model = Sequential([Dense(3, activation="softmax", input_dim=4)])
        model.compile("sgd", losses.LOSSES.find(name).make())
        assert type(through_file(model, tmp_path).loss) is type(model.loss)
        assert through_file(model, tmp_path).loss.get_config() == model.loss.get_config()

    @pytest.mark.parametrize("name", sorted(metrics.METRICS.entries))
    def test_every_metric(self, name: str, tmp_path: Path) -> None:
        sparse = name.startswith("sparse")
        model = Sequential([Dense(3, activation="softmax", input_dim=4)])
        loss = "sparse_categorical_crossentropy" if sparse else "mse"
        needed = ARGUMENTS.get(name)
        chosen: list[Any] = [metrics.METRICS.find(name).make(**needed or {})] + ([name] if needed is None else [])
        model.compile("sgd", loss, metrics=chosen, weighted_metrics=chosen[:1])
        assert through_file(model, tmp_path).metrics_names == model.metrics_names

    def test_deferred_build_and_reals_of_64_bits(self, tmp_path: Path) -> None:
        config.set_floatx("float64")
        try:
            model = Sequential([Dense(3), Flatten(), Reshape((3, 1)), Flatten(), Dense(1)])
            model.build((None, 4))
        finally:
            config.set_floatx("float32")
        again = through_file(model, tmp_path)
        assert again.predict(X).dtype == np.float64
        assert bits(again) == bits(model)

    def test_unbuilt_compiled_and_empty_models(self, tmp_path: Path) -> None:
        model = Sequential([Dense(3)])
        model.compile("adam", "mse")
        again = through_file(model, tmp_path)
        assert not again.built
        again.fit(X, X[:, :3], verbose=0)
        assert through_file(Sequential(), tmp_path).layers == []

    def test_without_optimizer_or_not_compiled(self, tmp_path: Path) -> None:
        path = tmp_path / "m"
        model = trained()
        model.save(path, include_optimizer=False)
        assert load_model(path).optimizer is None
        save_model(model, path)
        again = load_model(path, compile=False)
        assert again.optimizer is None
        assert bits(again) == bits(model)

    def test_loading_draws_no_numbers(self, tmp_path: Path) -> None:
        trained().save(tmp_path / "m")
        np.random.seed(3)  # noqa: NPY002 - the generator models draw from
        load_model(tmp_path / "m")
        found = np.random.rand()  # noqa: NPY002
        np.random.seed(3)  # noqa: NPY002
        assert found == np.random.rand()  # noqa: NPY002

    def test_what_is_written_in_python(self, tmp_path: Path) -> None:
        model = Sequential([Wide(3, kernel_initializer=Scaled(0.25), bias_initializer=np.ones(3), input_dim=4)])
        model.compile("sgd", half, metrics=[half, lambda t, p: np.mean(p)])
        model.save(tmp_path / "m")
        with pytest.raises(FileFormatError, match="Wide"):
            load_model(tmp_path / "m")
        named = {"Wide": Wide, "Scaled": Scaled, "half": half, "<lambda>": lambda t, p: np.mean(p)}
        again = load_model(tmp_path / "m", named)
        assert registry.custom_objects == {}
        assert isinstance(again.layers[0], Wide)
        assert again.evaluate(X, X[:, :3], verbose=0) == model.evaluate(X, X[:, :3], verbose=0)

    def test_settings_that_differ_are_told(self, tmp_path: Path) -> None:
        trained().save(tmp_path / "m")
        config.set_compat("keras3")
        try:
            with pytest.warns(UserWarning, match="set_compat"):
                load_model(tmp_path / "m")
        finally:
            config.set_compat("keras2")


class TestGoingOn:
    @pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
    def test_resumed_is_never_stopped(self, optimizer: dict[str, Any], tmp_path: Path) -> None:
        if optimizers.get(optimizer).in_python:  # what it keeps is not saved, which is told
            with pytest.warns(UserWarning, match="what an optimizer in Python keeps are not saved"):
                through_file(trained(optimizer), tmp_path)
            return
        whole, stopped = trained(optimizer), trained(optimizer)
        for _ in range(2):
            stopped = through_file(stopped, tmp_path)
            stopped.fit(X, Y, epochs=3, batch_size=8, verbose=0)
        whole.fit(X, Y, epochs=6, batch_size=8, verbose=0)
        assert everything(stopped) == everything(whole)

    def test_with_a_loss_in_python_a_set_rate_and_frozen_layers(self, tmp_path: Path) -> None:
        def begun() -> Sequential:
            model = net()
            model.layers[0].trainable = False
            model.compile("adam", half)
            model.fit(X, Y, epochs=2, verbose=0)
            model.optimizer.learning_rate = 0.01
            return model

        whole, stopped = begun(), through_file(begun(), tmp_path, custom_objects={"half": half})
        for model in (whole, stopped):
            model.fit(X, Y, epochs=2, verbose=0)
        assert everything(stopped) == everything(whole)
        assert stopped.optimizer.learning_rate == 0.01

    def test_what_is_trained_is_what_was_compiled(self, tmp_path: Path) -> None:
        model = trained()
        model.layers[0].trainable = False  # holds from the next compile
        again = through_file(model, tmp_path)
        for one in (model, again):
            one.fit(X, Y, verbose=0)
        assert everything(again) == everything(model)


class TestCopies:
    @pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))])
    def test_copies_go_on_by_themselves(self, copied: Callable[[Any], Any]) -> None:
        model = trained(loss=half)
        other = copied(model)
        assert everything(other) == everything(model)
        other.fit(X, Y, epochs=1, verbose=0)
        assert bits(other) != bits(model)
        model.fit(X, Y, epochs=1, verbose=0)
        assert everything(other) == everything(model)

    def test_pickle_carries_the_bytes_of_save(self, tmp_path: Path) -> None:
        model = trained()
        model.save(tmp_path / "m")
        assert (tmp_path / "m").read_bytes() in pickle.dumps(model)

    def test_deepcopy_of_two_lambdas(self) -> None:
        model = net()
        model.compile("sgd", lambda t, p: np.mean(p), metrics=[lambda t, p: np.mean(t)])
        assert copy.deepcopy(model).evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)

    def test_json(self) -> None:
        model = trained()
        text = model.to_json(indent=1)
        assert set(json.loads(text)) == {"class_name", "config", "keras_version", "backend"}
        again = model_from_json(text)
        assert json.loads(again.to_json()) == json.loads(text)
        assert model_from_config(json.loads(text)).name == "net"
        assert again.optimizer is None

    def test_clone(self) -> None:
        model = net(seed=None)
        clone = clone_model(model)
        assert str(clone.get_config()) == str(model.get_config())
        assert bits(clone) != bits(model)
        deferred = Sequential([Input((4,)), Dense(2)])
        assert clone_model(deferred).built
        assert clone_model(deferred, clone_function=lambda layer: Activation("relu")).count_params() == 0

    def test_yaml_is_refused(self) -> None:
        for call in (net().to_yaml, lambda: model_from_yaml("")):
            with pytest.raises(UnsupportedError, match="json"):
                call()


class TestWeights:
    def test_round_trip_by_order(self, tmp_path: Path) -> None:
        model, other = trained(), net(seed=9)
        model.save_weights(tmp_path / "w")
        other.load_weights(tmp_path / "w")
        assert bits(other) == bits(model)
        model.save(tmp_path / "m")
        fresh = net(seed=9)
        fresh.load_weights(tmp_path / "m")
        assert bits(fresh) == bits(model)
        with pytest.raises(FileFormatError, match="load_weights"):
            load_model(tmp_path / "w")

    def test_by_name_and_mismatches(self, tmp_path: Path) -> None:
        net().save_weights(tmp_path / "w")
        other = Sequential([Dense(8, input_dim=4, name="else"), Dense(1, name="out"), Dense(3, name="norm")], seed=1)
        before = bits(other)
        with pytest.raises(ShapeError, match="norm"):
            other.load_weights(tmp_path / "w", by_name=True)
        assert bits(other) == before
        other.load_weights(tmp_path / "w", by_name=True, skip_mismatch=True)
        assert bits(other)[2:4] == bits(net())[-2:]
        assert bits(other)[:2] == before[:2]
        with pytest.raises(ShapeError, match="2 layers"):
            Sequential([Dense(8, input_dim=4), Dense(1)]).load_weights(tmp_path / "w")

    def test_unbuilt(self, tmp_path: Path) -> None:
        for call in (Sequential([Dense(2)]).save_weights, Sequential([Dense(2)]).load_weights):
            with pytest.raises(NotBuiltError, match="build"):
                call(tmp_path / "w")


class TestDisk:
    def test_missing(self, tmp_path: Path) -> None:
        for error in (FileNotFoundError, ValueError, MissingFileError):
            with pytest.raises(error, match="no such file"):
                load_model(tmp_path / "absent")
            with pytest.raises(error, match="no such folder"):
                net().save(tmp_path / "absent" / "m")

    def test_overwrite(self, tmp_path: Path) -> None:
        net().save(str(tmp_path / "m"))
        net().save(os.fsencode(tmp_path / "m"))  # type: ignore[arg-type]
        with pytest.raises(FileExistsError, match="overwrite"):
            net().save(tmp_path / "m", overwrite=False)

    def test_link_and_mode_are_kept(self, tmp_path: Path) -> None:
        target, link = tmp_path / "target", tmp_path / "link"
        net().save(target)
        target.chmod(0o640)
        link.symlink_to(target)
        trained().save(link)
        assert link.is_symlink()
        assert target.stat().st_mode & 0o777 == 0o640
        assert load_model(target).optimizer is not None

    def test_order_of_calls(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[str] = []
        for name in ("open", "fsync", "replace"):
            real = getattr(os, name)
            monkeypatch.setattr(os, name, lambda *a, _real=real, _name=name: (calls.append(_name), _real(*a))[1])
        container.write(tmp_path / "m", b"data")
        assert calls == ["open", "fsync", "replace", "open", "fsync"]

    @pytest.mark.parametrize("failing", ["fsync", "replace"])
    def test_a_failed_save_leaves_what_was_there(
        self, failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        net().save(tmp_path / "m")
        before = (tmp_path / "m").read_bytes()
        monkeypatch.setattr(os, failing, fail)
        with pytest.raises(OSError, match="No space"):
            trained().save(tmp_path / "m")
        assert [path.name for path in tmp_path.iterdir()] == ["m"]
        assert (tmp_path / "m").read_bytes() == before

    def test_killed_while_saving(self, tmp_path: Path) -> None:
        """A process that saves two models in turn is killed at random moments: the file is one of the two, whole."""
        script = (
            "import sys; from nnlite import Sequential, layers\n"
            "models = [Sequential([layers.Dense(n, input_dim=500)], seed=n, name='n') for n in (10, 700)]\n"
            "while True:\n    for model in models: model.save(sys.argv[1]); print(flush=True)\n"
        )
        path, rng, found = tmp_path / "m", random.Random(5), set()
        for _ in range(8):
            with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE) as child:
                assert child.stdout is not None
                child.stdout.readline()
                time.sleep(rng.random() * 0.05)
                child.send_signal(signal.SIGKILL)
            model = load_model(path)
            expected = Sequential([Dense(model.output_shape[1] or 0, input_dim=500)], seed=model.output_shape[1])
            assert bits(model) == bits(expected)
            found.add(model.output_shape)
        assert found <= {(None, 10), (None, 700)}
