"""Keras' names for nnlite: with the hook, without it, and what is told about things nnlite does not have."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nnlite
from nnlite import config, keras_compat


@pytest.fixture
def hook() -> Iterator[None]:
    keras_compat.install()
    yield
    keras_compat.uninstall()


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    return names


IMPORTS = [
    "import keras; Dense = keras.layers.Dense",
    "import keras.layers; Dense = keras.layers.Dense",
    "import keras as k; Dense = k.layers.core.Dense",
    "from keras.layers import Dense",
    "from keras.layers import *",
    "from keras.layers.core import Dense",
    "from keras import layers; Dense = layers.Dense",
    "import tensorflow.keras as keras; Dense = keras.layers.Dense",
    "from tensorflow import keras; Dense = keras.layers.Dense",
    "from tensorflow.keras import layers; Dense = layers.Dense",
    "from tensorflow.keras.layers import Dense",
    "from tensorflow.python.keras.layers import Dense",
    "import tensorflow as tf; Dense = tf.keras.layers.Dense",
    "import tensorflow as tf; keras = tf.keras; Dense = keras.layers.Dense",
    "import tensorflow.compat.v1 as tf; Dense = tf.keras.layers.Dense",
    "import tensorflow as tf; Dense = tf.compat.v1.keras.layers.Dense",
    "from tf_keras.layers import Dense",
]
WITHOUT_HOOK = [
    "import nnlite as keras; Dense = keras.layers.Dense",
    "from nnlite import keras; Dense = keras.layers.Dense",
    "import nnlite.keras as keras; Dense = keras.layers.Dense",
    "import nnlite; Dense = nnlite.keras.layers.Dense",
    "from nnlite.keras.layers import Dense",
    "from nnlite.keras.layers.core import Dense",
    "from nnlite.layers.convolutional import Dense",
]


@pytest.mark.parametrize("code", IMPORTS)
def test_imports(code: str, hook: None) -> None:
    assert run(code)["Dense"] is nnlite.layers.Dense


@pytest.mark.parametrize("code", WITHOUT_HOOK)
def test_imports_without_hook(code: str) -> None:
    assert run(code)["Dense"] is nnlite.layers.Dense


@pytest.mark.parametrize("package", ["keras", "tensorflow.keras", "nnlite", "nnlite.keras"])
@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("models", ["Sequential", "Model"]),
        ("engine", ["Model", "Sequential", "Layer", "Input", "InputLayer"]),
        ("engine.topology", ["Input", "InputLayer", "Layer"]),
        ("objectives", ["mse", "binary_crossentropy", "get"]),
        ("initializations", ["glorot_uniform", "get"]),
        ("layers.core", ["Dense", "Activation", "Dropout", "Flatten", "Reshape"]),
        ("layers.normalization", ["BatchNormalization"]),
        ("layers.advanced_activations", ["LeakyReLU", "ELU", "ReLU", "Softmax", "ThresholdedReLU"]),
        ("layers.noise", ["Dropout"]),
        ("backend", ["mean", "get_value", "learning_phase"]),
        ("ops", ["mean", "square", "cast"]),
        ("utils.np_utils", ["to_categorical"]),
        ("utils.generic_utils", ["Progbar"]),
        ("random", ["normal", "uniform", "randint", "shuffle", "SeedGenerator"]),
    ],
)
def test_modules(package: str, module: str, names: list[str], hook: None) -> None:
    found = importlib.import_module(f"{package}.{module}")
    assert [name for name in names if not hasattr(found, name)] == []


def test_schedules(hook: None) -> None:
    for package in ("keras", "tensorflow.keras", "nnlite.keras"):
        found = importlib.import_module(f"{package}.optimizers.schedules")
        assert found.ExponentialDecay is nnlite.schedules.ExponentialDecay


def test_every_further_name_shows_a_module(hook: None) -> None:
    for name in keras_compat.SHOWN:
        name = name.replace("nnlite.", "nnlite.keras.") if name != "nnlite.keras" else name
        assert dir(importlib.import_module(name)) == dir(importlib.import_module(keras_compat.shown_as(name)))


def test_hook_is_gone_when_uninstalled() -> None:
    keras_compat.install()
    keras_compat.install()  # which changes nothing
    import keras

    assert keras.Sequential is nnlite.Sequential and keras_compat.installed()
    keras_compat.uninstall()
    keras_compat.uninstall()
    assert not keras_compat.installed() and "keras" not in sys.modules
    with pytest.raises(ModuleNotFoundError, match="No module named 'keras'"):
        importlib.import_module("keras")


def test_hook_comes_before_an_installed_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Keras that was imported before, or could be, is back afterwards."""
    (tmp_path / "keras.py").write_text("WHICH = 'installed'\n")
    monkeypatch.syspath_prepend(tmp_path)
    installed = importlib.import_module("keras")
    keras_compat.install()
    try:
        assert importlib.import_module("keras").Sequential is nnlite.Sequential
    finally:
        keras_compat.uninstall()
    assert importlib.import_module("keras") is installed
    del sys.modules["keras"]


def test_versions(hook: None) -> None:
    import keras
    import tensorflow as tf

    assert keras.__version__ == tf.keras.__version__ == nnlite.keras.__version__ == tf.__version__ == "2.15.0"
    config.set_compat("keras3")
    try:
        assert keras.__version__.startswith("3.")
    finally:
        config.set_compat("keras2")


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        ("import keras.preprocessing.image", ImportError, "nnlite has no keras.preprocessing: it reads neither"),
        ("import keras.layer", ImportError, "nnlite has no keras.layer: .*'layers'"),
        ("from keras import optimisers", ImportError, "nnlite has no keras.optimisers: .*'optimizers'"),
        ("from keras.utils import to_categoricl", ImportError, "no keras.utils.to_categoricl: .*'to_categorical'"),
        ("from keras.callbacks import LamdaCallback", ImportError, "callbacks.LamdaCallback: .*'LambdaCallback'"),
        ("from keras.layers import Dnse", ImportError, "no keras.layers.Dnse: .*'Dense'"),
        ("import keras; keras.layers.Dnse", AttributeError, "no keras.layers.Dnse: .*'Dense'"),
        ("import keras; keras.models.Sequentail", AttributeError, "no keras.models.Sequentail: .*'Sequential'"),
        ("import keras; keras.losses.msee", AttributeError, "no keras.losses.msee: .*"),
        ("import keras; keras.modles", AttributeError, "no keras.modles: .*'models'"),
        ("import tensorflow as tf; tf.data", AttributeError, "no tensorflow.data"),
        ("import tensorflow as tf; tf.keras.modles", AttributeError, "no tensorflow.keras.modles: .*'models'"),
        ("import nnlite as keras; keras.modles", AttributeError, "no nnlite.modles: .*'models'"),
        ("from nnlite import modles", ImportError, "no nnlite.modles: .*'models'"),
        ("from nnlite.layers import Dnse", ImportError, "no nnlite.layers.Dnse: .*'Dense'"),
        ("from keras.layers import Conv2D; Conv2D(32, 3)", NotImplementedError, "Conv2D is not supported: .*Flatten"),
        ("import keras.backend as K; K.get_session()", NotImplementedError, "get_session works on graphs"),
        ("import keras.backend as K; K.function([], [])", NotImplementedError, "K?function works on graphs.*predict"),
        ("import keras.backend as K; K.set_learning_phase(1)", NotImplementedError, "training=True"),
    ],
)
def test_what_there_is_not(code: str, error: type[Exception], text: str, hook: None) -> None:
    with pytest.raises(error, match=text):
        run(code)


def test_attributes_python_asks_for_are_not_looked_up() -> None:
    assert not hasattr(nnlite, "__wrapped__") and not hasattr(nnlite.keras, "__wrapped__")
    assert not hasattr(nnlite, "_nothing")


def test_a_broken_module_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that fails inside a module of nnlite says what it misses."""
    (tmp_path / "broken.py").write_text("import something_that_is_not_installed\n")
    monkeypatch.setattr(nnlite, "__path__", [*nnlite.__path__, str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="something_that_is_not_installed"):
        importlib.import_module("nnlite.keras.broken")


def test_dir_is_that_of_the_module() -> None:
    from nnlite import keras

    assert set(nnlite.__all__) <= set(dir(keras))


def test_little_of_tensorflow(hook: None) -> None:
    names = run(
        "import tensorflow as tf\n"
        "tf.random.set_seed(1); a = tf.random.normal((2, 3)); b = tf.random.uniform((4,), 1, 2)\n"
        "tf.set_random_seed(1); c = tf.random.normal((2, 3)).numpy()\n"
        "d = tf.constant([[1.0, 2.0], [3.0, 4.0]]); e = tf.reduce_mean(tf.square(d), axis=-1)\n"
        "f = tf.constant(1, shape=(2,)); devices = tf.config.list_physical_devices('GPU')\n"
        "v = tf.Variable([1.0, 2.0]); s = tf.nn.softmax([[1.0, 2.0]])\n"
        "tf.config.threading.set_intra_op_parallelism_threads(1); tf.compat.v1.disable_eager_execution()\n"
        "relu = tf.nn.relu; adam = tf.train.AdamOptimizer(0.01)\n"
        "@tf.function\ndef g(x):\n    return tf.abs(x)\n"
        "h = g(-1); eager = tf.executing_eagerly(); tf.get_logger().setLevel('ERROR')\n"
    )
    assert (names["a"].numpy() == names["c"]).all() and names["a"].dtype == "float32"
    assert 1 <= names["b"].min() <= names["b"].max() <= 2
    assert names["e"].tolist() == [2.5, 12.5] and names["f"].tolist() == [1, 1] and names["f"].dtype == "int32"
    assert names["devices"] == [] and names["h"] == 1 and names["eager"] is True
    assert names["relu"]([-1.0, 2.0]).numpy().tolist() == [0, 2] and names["v"].tolist() == [1, 2]
    assert nnlite.layers.Dense(1, activation=names["relu"]).activation == nnlite.activations.relu
    assert names["s"].numpy().sum() == pytest.approx(1) and names["adam"].learning_rate == pytest.approx(0.01)


def test_saving_joins_models_and_utils(hook: None) -> None:
    import keras
    from keras.saving import register_keras_serializable

    assert register_keras_serializable is nnlite.utils.register_keras_serializable
    assert all(hasattr(keras.saving, name) for name in (*nnlite.models.__all__, "get_custom_objects"))
    with pytest.raises(AttributeError, match=r"no keras.saving.get_custom_object: .*'get_custom_objects'"):
        _ = keras.saving.get_custom_object
