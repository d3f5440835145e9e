"""Helpers: one-hot labels, seeds, the backend, and where everything can be imported from."""
# ruff: noqa: NPY002  (scripts use NumPy's global generator, and so does nnlite)

import importlib
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnlite
from nnlite import backend
from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.utils import np_utils, set_random_seed, to_categorical


@pytest.mark.parametrize(
    ("labels", "arguments", "rows"),
    [
        ([0, 2], {}, [[1, 0, 0], [0, 0, 1]]),
        ([0, 1], {"num_classes": 3}, [[1, 0, 0], [0, 1, 0]]),
        ([0, 1], {"nb_classes": 2}, [[1, 0], [0, 1]]),
        (np.array([[1], [0]]), {}, [[0, 1], [1, 0]]),
        (np.array([True, False]), {}, [[0, 1], [1, 0]]),
        (np.array([1.0, 0.0]), {}, [[0, 1], [1, 0]]),
        ([[0, 1], [1, 0]], {}, [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]),
    ],
)
def test_one_hot(labels: Any, arguments: dict[str, int], rows: Any) -> None:
    result = to_categorical(labels, **arguments)
    assert result.dtype == np.float32
    assert result.tolist() == rows


def test_one_hot_type() -> None:
    assert to_categorical([0], dtype="float64").dtype == np.float64


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_one_hot_of_a_class_that_is_none(labels: list[int]) -> None:
    with pytest.raises(IndexError, match=r"class numbers 0 \.\.\. 2"):
        to_categorical(labels, 3)


def test_normalize() -> None:
    assert np_utils.normalize([[3.0, 4.0], [0.0, 0.0]]).tolist() == [[0.6, 0.8], [0.0, 0.0]]
    assert np_utils.normalize([[3.0], [4.0]], axis=0).tolist() == [[0.6], [0.8]]


def test_classes_of_probabilities() -> None:
    assert np_utils.probas_to_classes([[0.2, 0.8], [0.9, 0.1]]).tolist() == [1, 0]
    assert np_utils.probas_to_classes([[0.2], [0.9]]).tolist() == [0, 1]
    assert np_utils.categorical_probas_to_classes([[0.2, 0.8]]).tolist() == [1]


def test_seed_makes_everything_repeatable() -> None:
    set_random_seed(3)
    first = (random.random(), np.random.rand(), Sequential([Dense(2, input_dim=3)]).get_weights()[0].tolist())
    set_random_seed(3)
    second = (random.random(), np.random.rand(), Sequential([Dense(2, input_dim=3)]).get_weights()[0].tolist())
    assert first == second


@pytest.mark.parametrize(("seed", "error"), [("1", TypeError), (1.0, TypeError), (True, TypeError), (-1, ValueError)])
def test_no_seed(seed: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="seed must be"):
        set_random_seed(seed)


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("Dense", "dense"),
        ("BatchNormalization", "batch_normalization"),
        ("LeakyReLU", "leaky_re_lu"),
        ("PReLU", "p_re_lu"),
        ("ELU", "elu"),
    ],
)
def test_snake_case(class_name: str, name: str) -> None:
    assert backend.snake_case(class_name) == name


def test_names_are_counted_until_the_session_is_cleared() -> None:
    backend.clear_session()
    assert [Dense(1).name, Dense(1).name] == ["dense_1", "dense_2"]
    backend.clear_session()
    assert Dense(1).name == "dense_1"


def test_values_of_variables() -> None:
    model = Sequential([Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    _ = model.engine
    backend.set_value(model.optimizer.lr, 0.5)
    assert backend.get_value(model.optimizer.lr) == 0.5
    assert model.engine.learning_rate == 0.5
    kernel = model.layers[0].weights[0]
    backend.set_value(kernel, [[1.0], [2.0]])
    assert backend.get_value(kernel).tolist() == [[1.0], [2.0]]
    assert backend.batch_get_value([kernel])[0].tolist() == [[1.0], [2.0]]


def test_settings() -> None:
    assert (backend.backend(), backend.floatx(), backend.epsilon()) == ("nnlite", "float32", 1e-7)
    assert backend.image_data_format() == "channels_last"


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (
            "nnlite",
            ["Sequential", "Model", "Input", "layers", "models", "optimizers", "losses", "metrics", "__version__"],
        ),
        ("nnlite.models", ["Sequential", "Model"]),
        (
            "nnlite.layers",
            ["Input", "InputLayer", "Dense", "Activation", "Dropout", "BatchNormalization", "Flatten", "Reshape"],
        ),
        ("nnlite.layers.core", ["Dense", "Activation", "Flatten", "Reshape"]),
        ("nnlite.layers.normalization", ["BatchNormalization"]),
        ("nnlite.layers.noise", ["Dropout"]),
        ("nnlite.callbacks", ["Callback", "History", "LambdaCallback"]),
        ("nnlite.optimizers", ["SGD", "RMSprop", "Adam"]),
        ("nnlite.backend", ["clear_session", "epsilon", "floatx"]),
        ("nnlite.utils", ["to_categorical", "np_utils", "generic_utils", "set_random_seed", "Progbar"]),
        ("nnlite.utils.np_utils", ["to_categorical", "normalize"]),
        ("nnlite.utils.generic_utils", ["Progbar"]),
    ],
)
def test_where_things_are(module: str, names: list[str]) -> None:
    found = importlib.import_module(module)
    assert [name for name in names if not hasattr(found, name)] == []


def test_version_is_that_of_the_package() -> None:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    assert f'version = "{nnlite.__version__}"' in text


def new_modules(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter with NumPy imports for `statement`."""
    code = f"import sys, numpy; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_all_of_nnlite_brings_in_nothing_optional() -> None:
    heavy = {"csv", "difflib", "h5py", "json", "zipfile", "pandas", "sklearn", "matplotlib", "http", "urllib.request"}
    new = new_modules("from nnlite import *")
    assert "nnlite.callbacks" in new and not new & heavy


def test_import_waits_with_what_is_not_used_yet() -> None:
    new = new_modules("import nnlite")
    assert {name for name in new if name.startswith("nnlite")} <= {
        "nnlite",
        "nnlite.config",
        "nnlite.errors",
        "nnlite.keras_compat",
    }
