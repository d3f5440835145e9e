"""Keras' files: those Keras 3 wrote (tests/golden/make_keras_files.py), those of older Keras written here by hand, what
nnlite writes, and files that lie. That Keras 3 reads what nnlite writes is checked by that script.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnlite import config
from nnlite.errors import FileFormatError, MissingFileError, ShapeError, UnsupportedError
from nnlite.layers import Activation, BatchNormalization, Dense, Dropout, Flatten, Normalization, Reshape
from nnlite.models import Sequential, load_model, model_from_json

h5py = pytest.importorskip("h5py", reason='Keras\' files need h5py: pip install "nnlite[keras]"')

from nnlite import keras_files  # noqa: E402 - after the check

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = json.loads((GOLDEN / "keras_files.json").read_text())
X, Y = np.array(EXPECTED["x"], np.float32), np.array(EXPECTED["y"], np.float32)
KERNEL = np.arange(12, dtype=np.float32).reshape(4, 3) / 10
BIAS = np.array([0.5, -0.5, 1], np.float32)
INITIALIZER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
}


@pytest.fixture
def keras3() -> Iterator[None]:
    config.set_compat("keras3")
    yield
    config.set_compat("keras2")


def close(a: Any, b: Any, tolerance: float = 1e-6) -> bool:
    return bool(np.abs(np.asarray(a) - np.asarray(b)).max() < tolerance)


def net(**more: Any) -> Sequential:
    layers = [
        Dense(3, activation="relu", input_dim=4, kernel_regularizer="l2", bias_constraint="max_norm"),
        BatchNormalization(),
        Dropout(0.2),
        Flatten(),
        Reshape((3, 1)),
        Flatten(),
        Dense(2, use_bias=False, kernel_initializer=np.ones((3, 2))),
        Activation("softmax"),
    ]
    return Sequential(layers, **more)


def trained(optimizer: Any = "adam") -> Sequential:
    model = net(seed=4)
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "mse"])
    model.fit(X, np.stack([Y, 1 - Y], axis=1), epochs=2, verbose=0)
    return model


class TestWrittenByKeras3:
    @pytest.mark.parametrize("name", ["keras3.keras", "keras3.h5"])
    def test_models(self, name: str) -> None:
        model = load_model(GOLDEN / name)
        assert close(model.predict(X), EXPECTED["outputs"])
        assert [type(layer).__name__ for layer in model.layers] == ["Dense", "BatchNormalization", "Dense", "Dense"]
        assert model.layers[0].kernel_regularizer.l2 == pytest.approx(0.01)
        assert not model.layers[2].trainable

    def test_going_on_training(self, keras3: None) -> None:
        model = load_model(GOLDEN / "keras3.keras")
        assert model.metrics_names == ["loss", "accuracy"]
        assert model.engine.iterations == 12
        model.fit(X, Y, epochs=3, batch_size=8, shuffle=False, verbose=0)
        for ours, theirs in zip(model.get_weights(), EXPECTED["trained"], strict=True):
            assert close(ours, theirs, 1e-5)
        assert load_model(GOLDEN / "keras3.keras", compile=False).optimizer is None

    @pytest.mark.parametrize("name", ["keras3.weights.h5", "keras3.keras", "keras3.h5"])
    def test_weights(self, name: str) -> None:
        model = load_model(GOLDEN / "keras3.keras")
        wanted = model.get_weights()
        model.set_weights([0 * array for array in wanted])
        model.load_weights(GOLDEN / name)
        assert [array.tobytes() for array in model.get_weights()] == [array.tobytes() for array in wanted]

    def test_weights_of_another_model(self) -> None:
        with pytest.raises(ShapeError, match="layers with weights"):
            Sequential([Dense(1, input_dim=4)]).load_weights(GOLDEN / "keras3.h5")
        with pytest.raises(FileFormatError, match="load_weights"):
            load_model(GOLDEN / "keras3.weights.h5")

    def test_hard_sigmoid_is_told(self, tmp_path: Path) -> None:
        Sequential([Dense(1, activation="hard_sigmoid", input_dim=4)]).save(tmp_path / "m.keras")
        with pytest.warns(UserWarning, match="set_compat"):
            load_model(tmp_path / "m.keras")


STATISTICS = {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 4.0, 9.0, 16.0]}


class TestNormalization:
    """Keras has statistics that were given as arguments, those of adapt() as mean, variance and a count of rows."""

    @pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5"])
    @pytest.mark.parametrize(
        ("options", "shapes"),
        [(STATISTICS, []), ({}, [(4,), (4,), ()]), ({"axis": None}, [(), (), ()])],
        ids=["given", "adapted", "adapted to all"],
    )
    def test_there_and_back(
        self, ending: str, options: dict[str, Any], shapes: list[tuple[int, ...]], tmp_path: Path
    ) -> None:
        def made(rows: Any) -> Sequential:
            layer = Normalization(**options)
            if not options.get("mean"):
                layer.adapt(rows)
            model = Sequential([Dense(4, input_dim=4), layer, Dense(2)], seed=1)
            model.build((None, 4))
            return model

        model, path = made(X), tmp_path / f"m{ending}"
        if ending == ".weights.h5":
            model.save_weights(path)
            again = made(X * 3)
            again.load_weights(path)
        else:
            model.save(path)
            again = load_model(path)
        assert again.predict(X).tolist() == model.predict(X).tolist()
        assert [array.shape for _, array in model.layers[1].keras_weights()] == shapes
        data: Any = path
        if ending == ".keras":
            with zipfile.ZipFile(path) as archive:
                data = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(data) as file:
            own = f"model_weights/{model.layers[1].name}" if ending == ".h5" else "layers/normalization/vars"
            found: list[tuple[int, ...]] = []
            file[own].visititems(lambda name, item: found.append(item.shape) if hasattr(item, "shape") else None)
        assert sorted(found) == sorted(shapes)

    def test_adapted_anew(self) -> None:
        layer = Normalization(**STATISTICS)
        layer.adapt(X)
        assert (layer.mean, layer.variance) == (None, None)

    def test_statistics_of_another_width(self, tmp_path: Path) -> None:
        model = Sequential([Normalization(**STATISTICS, input_shape=(4,))])
        with h5py.File(tmp_path / "w.weights.h5", "w") as file:
            for i, array in enumerate((np.zeros(3), np.ones(3), np.int32(0))):
                file[f"layers/normalization/vars/{i}"] = array
        with pytest.raises(ShapeError, match=r"takes rows of shape \(4,\); its mean and variance have shapes \(3,\)"):
            model.load_weights(tmp_path / "w.weights.h5")


def keras_2(path: Path, layers: Any, training: Any = None, names: Any = None, **attributes: Any) -> Path:
    """An .h5 file with one dense layer of weights KERNEL and BIAS, and a layer without."""
    names = names or ["dense_1/kernel:0", "dense_1/bias:0"]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.2.4", b"tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers}).encode()
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"dense_1", b"dropout_1"]
        group.create_group("dropout_1").attrs["weight_names"] = np.zeros(0)
        dense = group.create_group("dense_1")
        dense.attrs["weight_names"] = [name.encode() for name in names]
        dense[names[0]], dense[names[1]] = KERNEL, BIAS
    return path


DROPOUT = {
    "class_name": "Dropout",
    "config": {"name": "dropout_1", "trainable": True, "rate": 0.5, "noise_shape": None},
}


def dense_2(**more: Any) -> dict[str, Any]:
    config = {
        "name": "dense_1", "trainable": True, "units": 3, "activation": "relu", "use_bias": True,
        "kernel_initializer": INITIALIZER, "bias_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.25}}, "bias_regularizer": None,
        "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None,
    }  # fmt: skip
    return {"class_name": "Dense", "config": config | more}


FIRST = {"batch_input_shape": [None, 4], "dtype": "float32"}
TRAINING = {
    "optimizer_config": {
        "class_name": "Adam",
        "config": {"lr": 0.25, "beta_1": 0.9, "beta_2": 0.999, "decay": 0.0, "epsilon": 1e-07, "amsgrad": False},
    },
    "loss": "mean_squared_error", "metrics": ["accuracy"], "sample_weight_mode": None, "loss_weights": None,
}  # fmt: skip
POLICY = {"module": "keras.mixed_precision", "class_name": "Policy", "config": {"name": "float32"}}
INPUT = {"sparse": False, "ragged": False, "name": "dense_input"}
OLDER: dict[str, Any] = {
    "Keras 2.2.4": {"name": "sequential_1", "layers": [dense_2(**FIRST), DROPOUT]},
    "Keras 2.1, a list": [dense_2(**FIRST), DROPOUT],
    "Keras 2, built late": {"name": "s", "layers": [dense_2(), DROPOUT], "build_input_shape": [None, 4]},
    "Keras 2, built late, shape unknown": {"name": "s", "layers": [dense_2(), DROPOUT]},
    "tf.keras 2": {
        "name": "sequential",
        "layers": [{"class_name": "InputLayer", "config": FIRST | INPUT}, dense_2(dtype="float32"), DROPOUT],
    },
    "tf.keras 2 with policies": {"name": "sequential", "layers": [dense_2(**FIRST | {"dtype": POLICY}), DROPOUT]},
}
KERAS_1 = [
    {
        "class_name": "Dense",
        "config": {
            "name": "dense_1", "trainable": True, "batch_input_shape": [None, 4], "input_dtype": "float32",
            "output_dim": 3, "init": "glorot_uniform", "activation": "relu", "input_dim": 4, "bias": True,
            "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.25}, "b_regularizer": None,
            "activity_regularizer": None, "W_constraint": {"name": "MaxNorm", "m": 2, "axis": 0}, "b_constraint": None,
        },
    },
    {"class_name": "Dropout", "config": {"name": "dropout_1", "trainable": True, "p": 0.5}},
]  # fmt: skip


class TestWrittenByOlderKeras:
    @pytest.mark.parametrize("name", OLDER)
    def test_keras_2(self, name: str, tmp_path: Path) -> None:
        model = load_model(keras_2(tmp_path / "m.h5", OLDER[name], TRAINING))
        assert close(model.predict(X), np.maximum(X @ KERNEL + BIAS, 0))
        assert model.layers[0].kernel_regularizer.l2 == 0.25
        assert model.optimizer.learning_rate == 0.25
        assert model.loss.name == "mean_squared_error"
        assert model.layers[1].rate == 0.5

    def test_keras_1(self, tmp_path: Path) -> None:
        model = load_model(keras_2(tmp_path / "m.h5", KERAS_1, names=["dense_1_W", "dense_1_b"]))
        assert close(model.predict(X), np.maximum(X @ KERNEL + BIAS, 0))
        assert model.layers[0].kernel_regularizer.l2 == 0.25
        assert model.layers[0].kernel_constraint.max_value == 2
        assert model.optimizer is None

    def test_tf_keras_metrics(self, tmp_path: Path) -> None:
        wrapped = {"class_name": "MeanMetricWrapper", "config": {"name": "acc", "fn": "binary_accuracy"}}
        loss = {"class_name": "BinaryCrossentropy", "config": {"reduction": "auto", "name": "b", "from_logits": True}}
        optimizer = {"class_name": "SGD", "config": {"name": "SGD", "learning_rate": 0.5, "is_legacy_optimizer": True}}
        training = {"optimizer_config": optimizer, "loss": loss, "metrics": [[wrapped]], "weighted_metrics": None}
        model = load_model(keras_2(tmp_path / "m", OLDER["Keras 2.2.4"], training))
        assert model.metrics_names == ["loss", "binary_accuracy"]
        assert model.loss.from_logits

    def test_weights_by_name_and_from_root(self, tmp_path: Path) -> None:
        keras_2(tmp_path / "m.h5", OLDER["Keras 2.2.4"])
        with h5py.File(tmp_path / "m.h5") as whole, h5py.File(tmp_path / "w.h5", "w") as root:
            for key in whole["model_weights"]:
                whole.copy(whole["model_weights"][key], root)
            root.attrs["layer_names0"], root.attrs["layer_names1"] = [b"dense_1"], [b"dropout_1"]
        for name in ("m.h5", "w.h5"):
            model = Sequential([Dense(3, input_dim=4, name="dense_1"), Dense(3, name="other")])
            model.load_weights(tmp_path / name, by_name=True)
            assert model.get_weights()[0].tolist() == KERNEL.tolist()

    def test_json(self) -> None:
        for layers in (*OLDER.values(), KERAS_1):
            text = json.dumps({"class_name": "Sequential", "config": layers, "keras_version": "2.2.4"})
            assert model_from_json(text).layers[0].units == 3
        with zipfile.ZipFile(GOLDEN / "keras3.keras") as archive:
            assert model_from_json(archive.read("config.json").decode()).output_shape == (None, 1)


class TestWrittenByNnlite:
    @pytest.mark.parametrize("ending", [".keras", ".h5", ".hdf5"])
    def test_models(self, ending: str, tmp_path: Path) -> None:
        model = trained()
        model.save(tmp_path / f"m{ending}")
        again = load_model(tmp_path / f"m{ending}")
        assert again.predict(X).tobytes() == model.predict(X).tobytes()
        assert again.metrics_names == model.metrics_names
        assert again.layers[0].bias_constraint.max_value == 2
        assert (again.engine.iterations > 0) == (ending == ".keras")
        model.save(tmp_path / f"m{ending}", include_optimizer=False)
        assert load_model(tmp_path / f"m{ending}").optimizer is None

    @pytest.mark.parametrize(
        "optimizer",
        [
            *("sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamax", "nadam"),
            {"class_name": "rmsprop", "config": {"centered": True}},
            {"class_name": "sgd", "config": {"momentum": 0.5}},
        ],
        ids=str,
    )
    def test_optimizers_keep_their_state(self, optimizer: Any, tmp_path: Path, keras3: None) -> None:
        model = trained(optimizer)
        model.save(tmp_path / "m.keras")
        again = load_model(tmp_path / "m.keras")
        before, after = model.engine, again.engine
        assert before.iterations == after.iterations
        assert before.state["products"] == pytest.approx(after.state["products"])
        trained_tensors = [i for i, (*_, flag) in enumerate(before.tensors()) if flag]
        kept = [0, 2] if before.slots == 3 else range(before.slots)
        for slot in kept:
            for i in trained_tensors:
                assert before.read(2 + slot, i).tobytes() == after.read(2 + slot, i).tobytes()

    @pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
    def test_weights(self, name: str, tmp_path: Path) -> None:
        model, other = trained(), net(seed=9)
        model.save_weights(tmp_path / name)
        other.load_weights(tmp_path / name)
        assert other.predict(X).tobytes() == model.predict(X).tobytes()

    def test_many_names(self, tmp_path: Path) -> None:
        model = Sequential([Dense(1, input_dim=1, name=f"{i:0200}") for i in range(400)], seed=1)
        model.save_weights(tmp_path / "w.h5")
        other = Sequential([Dense(1, input_dim=1) for i in range(400)], seed=2)
        other.load_weights(tmp_path / "w.h5")
        assert other.predict([[1.0]]) == model.predict([[1.0]])

    def test_members(self, tmp_path: Path) -> None:
        trained().save(tmp_path / "m", save_format="keras")
        with zipfile.ZipFile(tmp_path / "m") as archive:
            assert tuple(archive.namelist()) == keras_files.MEMBERS
            assert set(json.loads(archive.read("metadata.json"))) == {"keras_version", "date_saved"}
            assert json.loads(archive.read("config.json"))["compile_config"]["loss"]["module"] == "keras.losses"

    def test_what_keras_cannot_say(self, tmp_path: Path) -> None:
        model = Sequential([Dense(1, input_dim=4, activation={"class_name": "elu", "config": {"alpha": 0.5}})])
        with pytest.raises(UnsupportedError, match="elu"):
            model.save(tmp_path / "m.keras")
        model = net()
        model.compile({"class_name": "sgd", "config": {"decay": 0.5}}, "mse")
        with pytest.raises(UnsupportedError, match="decay"):
            model.save(tmp_path / "m.keras")
        with pytest.raises(UnsupportedError, match="'keras', 'h5'"):
            model.save(tmp_path / "m", save_format="tf")
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(MissingFileError):
            load_model(tmp_path / "m.keras")


def hdf5(change: Callable[[Any], Any]) -> bytes:
    """The golden .h5 file, changed; `change` may return a dataset to put in place of the first kernel."""
    buffer = io.BytesIO((GOLDEN / "keras3.h5").read_bytes())
    with h5py.File(buffer, "r+") as file:
        change(file)
    return buffer.getvalue()


def kernel_path(file: Any) -> str:
    group = file["model_weights"]
    layer = group.attrs["layer_names"][0]
    return f"model_weights/{layer}/{group[layer].attrs['weight_names'][0]}"


def in_its_place(make: Callable[[Any, str], Any]) -> bytes:
    def change(file: Any) -> None:
        path = kernel_path(file)
        del file[path]
        make(file, path)

    return hdf5(change)


def zipped(**changes: bytes | None) -> bytes:
    """The golden .keras file with members added, replaced or, by None, left out; "__" stands for "/"."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(GOLDEN / "keras3.keras") as archive:
        members: dict[str, Any] = {name: archive.read(name) for name in archive.namelist()}
    members |= {name.replace("__", "/"): content for name, content in changes.items()}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)
    return buffer.getvalue()


def described(change: Callable[[Any], Any]) -> bytes:
    with zipfile.ZipFile(GOLDEN / "keras3.keras") as archive:
        record = json.loads(archive.read("config.json"))
    change(record)
    return zipped(**{"config.json": json.dumps(record).encode()})


def virtual(file: Any, path: str) -> None:
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4, 3))
    file.create_virtual_dataset(path, layout)


def first_layer(**config: Any) -> Callable[[Any], Any]:
    return lambda record: record["config"]["layers"][1]["config"].update(config)


ATTACKS: dict[str, Callable[[], bytes]] = {
    "external link": lambda: in_its_place(lambda f, p: f.__setitem__(p, h5py.ExternalLink("/etc/passwd", "/x"))),
    "soft link": lambda: in_its_place(lambda f, p: f.__setitem__(p, h5py.SoftLink("/model_weights"))),
    "external data": lambda: in_its_place(
        lambda f, p: f.create_dataset(p, (4, 3), "f4", external=[("/etc/passwd", 0, 48)])
    ),
    "virtual data": lambda: in_its_place(virtual),
    "huge data": lambda: in_its_place(lambda f, p: f.create_dataset(p, (1 << 40, 3), "f4", chunks=(1, 3))),
    "compressed bomb": lambda: in_its_place(
        lambda f, p: f.create_dataset(p, data=np.zeros((4000, 3000), "f4"), compression="gzip")
    ),
    "strings": lambda: in_its_place(lambda f, p: f.create_dataset(p, data=[b"ab"])),
    "group in place of data": lambda: in_its_place(lambda f, p: f.create_group(p)),
    "missing data": lambda: in_its_place(lambda f, p: None),
    "other shape": lambda: in_its_place(lambda f, p: f.create_dataset(p, data=np.zeros((3, 4), "f4"))),
    "no layer names": lambda: hdf5(lambda f: f["model_weights"].attrs.__delitem__("layer_names")),
    "model not JSON": lambda: hdf5(lambda f: f.attrs.__setitem__("model_config", "{")),
    "model a number": lambda: hdf5(lambda f: f.attrs.__setitem__("model_config", 5)),
    "training not JSON": lambda: hdf5(lambda f: f.attrs.__setitem__("training_config", "[]")),
    "no HDF5": lambda: b"\x89HDF" + bytes(100),
    "cut off HDF5": lambda: (GOLDEN / "keras3.h5").read_bytes()[:9000],
    "no zip": lambda: b"PK" + bytes(100),
    "cut off zip": lambda: (GOLDEN / "keras3.keras").read_bytes()[:9000],
    "another member": lambda: zipped(**{"run.py": b"import os"}),
    "a path that climbs": lambda: zipped(**{"..__..__x": b""}),
    "member missing": lambda: zipped(**{"metadata.json": None}),
    "zip bomb": lambda: zipped(**{"metadata.json": bytes(1 << 24)}),
    "description of 2 MB": lambda: zipped(**{"config.json": np.random.default_rng(0).bytes(1 << 21)}),
    "config no JSON": lambda: zipped(**{"config.json": b"{"}),
    "weights no HDF5": lambda: zipped(**{"model.weights.h5": b"x" * 100}),
    "functional model": lambda: described(lambda r: r.update(class_name="Functional")),
    "lambda layer": lambda: described(lambda r: r["config"]["layers"][1].update(class_name="Lambda", module="keras")),
    "another module": lambda: described(lambda r: r["config"]["layers"][1].update(module="os", class_name="system")),
    "function as activation": lambda: described(
        first_layer(activation={"module": "builtins", "class_name": "function", "config": "eval"})
    ),
    "lambda as initializer": lambda: described(
        first_layer(kernel_initializer={"class_name": "__lambda__", "config": {"value": "4wAAAA"}})
    ),
    "wide layer": lambda: described(first_layer(units=1 << 50)),
    "mixed types": lambda: described(first_layer(dtype="mixed_float16")),
    "compile config a list": lambda: described(lambda r: r.update(compile_config=[1])),
    "loss of a module": lambda: described(lambda r: r["compile_config"].update(loss={"class_name": "os.system"})),
    "optimizer of a module": lambda: described(
        lambda r: r["compile_config"]["optimizer"].update(class_name="Popen", module="subprocess")
    ),
}


class TestHostileFiles:
    @pytest.mark.parametrize("name", ATTACKS)
    def test_refused(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "m").write_bytes(ATTACKS[name]())
        with pytest.raises(FileFormatError):
            load_model(tmp_path / "m")

    def test_the_forgers_can_make_sound_files(self, tmp_path: Path) -> None:
        for data in (hdf5(lambda f: None), zipped(), described(lambda r: None)):
            (tmp_path / "m").write_bytes(data)
            assert close(load_model(tmp_path / "m").predict(X), EXPECTED["outputs"])

    def test_weights_are_guarded_too(self, tmp_path: Path) -> None:
        model = load_model(GOLDEN / "keras3.h5")
        before = [array.tobytes() for array in model.get_weights()]
        for name in ("external link", "soft link", "external data", "virtual data", "huge data", "another member"):
            (tmp_path / "m").write_bytes(ATTACKS[name]())
            with pytest.raises(FileFormatError):
                model.load_weights(tmp_path / "m")
        assert [array.tobytes() for array in model.get_weights()] == before
