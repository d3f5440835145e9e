"""Custom objects, splits, local data sets and pictures of models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnlite import Sequential, datasets, losses, utils
from nnlite.initializers import Constant
from nnlite.layers import LAYERS, Dense, Dropout
from nnlite.utils import get_custom_objects


@pytest.fixture(autouse=True)
def no_custom_objects() -> Iterator[None]:
    before = dict(get_custom_objects())
    yield
    get_custom_objects().clear()
    get_custom_objects().update(before)


def squares(y_true: Any, y_pred: Any) -> Any:
    return np.square(y_true - y_pred).mean(axis=-1)


def test_custom_objects_by_name() -> None:
    get_custom_objects()["squares"] = squares
    get_custom_objects()["sevens"] = Constant(7)
    model = Sequential([Dense(1, input_dim=2, kernel_initializer="sevens")])
    model.compile("sgd", "squares")
    assert model.get_weights()[0].tolist() == [[7], [7]]
    assert model.evaluate([[1, 1]], [13], verbose=0) == 1


@pytest.mark.parametrize("scope", [utils.custom_object_scope, utils.CustomObjectScope])
def test_scope(scope: Any) -> None:
    get_custom_objects()["kept"] = squares
    with scope({"squares": squares}, {"kept": 1}) as entered:
        assert losses.get("squares").function is squares
        assert entered.objects == {"squares": squares, "kept": 1}
    assert get_custom_objects() == {"kept": squares}
    with pytest.raises(ValueError, match="Unknown loss 'squares'"):
        losses.get("squares")


def test_registered_layer() -> None:
    @utils.register_keras_serializable("mine")
    class Doubled(Dense):
        pass

    config = LAYERS.serialize(Doubled(2, name="d"))
    assert config["class_name"] == "Doubled" and isinstance(LAYERS.get(config), Doubled)
    assert isinstance(LAYERS.get(config | {"class_name": "mine>Doubled"}), Doubled)
    assert isinstance(LAYERS.get(config | {"class_name": "Doubled", "registered_name": "mine>Doubled"}), Doubled)
    model = Sequential([Doubled(2, input_dim=3)])
    assert isinstance(Sequential.from_config(model.get_config()).layers[0], Doubled)
    assert utils.get_registered_name(Doubled) == "mine>Doubled"
    assert utils.get_registered_object("mine>Doubled") is Doubled
    assert utils.get_registered_object("none") is None and utils.get_registered_object("a", {"a": 1}) == 1
    assert utils.get_registered_name(Dense) == "Dense"


def test_registered_function() -> None:
    assert utils.register_keras_serializable(name="sq")(squares) is squares
    assert losses.get("sq").function is losses.get("Custom>sq").function is squares


def test_registering_what_has_no_config() -> None:
    with pytest.raises(ValueError, match="int must have a get_config"):
        utils.register_keras_serializable()(int)


def test_split() -> None:
    x, y = np.arange(10), np.arange(10) * 2
    left, right = utils.split_dataset((x, y), left_size=0.8)
    assert isinstance(left, tuple) and [len(part) for part in (*left, *right)] == [8, 8, 2, 2]
    assert right[1].tolist() == [16, 18]
    left, right = utils.split_dataset([x, y], right_size=3)
    assert isinstance(right, list) and right[0].tolist() == [7, 8, 9] and len(left[0]) == 7
    left, right = utils.split_dataset(x, 2, 3)
    assert (left.tolist(), right.tolist()) == ([0, 1], [2, 3, 4])


def test_shuffled_split() -> None:
    x = np.arange(100)
    first, second = (utils.split_dataset((x, -x), 0.5, shuffle=True, seed=1) for _ in range(2))
    (a, b), (c, _) = first
    assert (a == second[0][0]).all() and (a == -b).all()
    assert sorted([*a, *c]) == x.tolist() and (a != x[:50]).any()
    utils.set_random_seed(3)
    third = utils.split_dataset(x, 0.5, shuffle=True)
    utils.set_random_seed(3)
    assert (third[0] == utils.split_dataset(x, 0.5, shuffle=True)[0]).all()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "needs left_size or right_size"),
        ({"left_size": 1.5}, "left_size must be a share between 0 and 1"),
        ({"left_size": 6, "right_size": 5}, "at most the 10 rows; received 6 and 5"),
        ({"left_size": 11}, "at most the 10 rows"),
        ({"left_size": -1}, "left_size must be"),
    ],
)
def test_impossible_split(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        utils.split_dataset(np.arange(10), **arguments)
    with pytest.raises(ValueError, match="as many rows"):
        utils.split_dataset((np.arange(10), np.arange(9)), 0.5)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".keras" / "datasets").mkdir(parents=True)
    return tmp_path


def test_get_file(home: Path) -> None:
    with pytest.raises(NotImplementedError, match=r"downloads nothing: get http://example.com/a.csv yourself.*'a.csv'"):
        utils.get_file("a.csv", origin="http://example.com/a.csv")
    with pytest.raises(NotImplementedError, match=r"save it as 'a\.csv'"):
        utils.get_file(origin="http://example.com/a.csv")
    kept = home / ".keras" / "datasets" / "a.csv"
    kept.write_text("1,2\n")
    assert utils.get_file("a.csv", "http://example.com/a.csv") == str(kept)
    (home / "a.csv").write_text("3,4\n")
    assert utils.get_file("a.csv", "http://example.com/a.csv") == "a.csv"


def test_data_set_in_parts(home: Path) -> None:
    parts = {"x_train": np.ones((3, 2, 2), np.uint8), "y_train": np.arange(3), "x_test": np.zeros((1, 2, 2))}
    np.savez(home / ".keras" / "datasets" / "mnist.npz", **parts, y_test=np.array([7]))
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
    assert (x_train.shape, y_train.tolist(), x_test.shape, y_test.tolist()) == ((3, 2, 2), [0, 1, 2], (1, 2, 2), [7])


def test_data_set_in_one(home: Path) -> None:
    """It is cut after a shuffle that always is the same."""
    x = np.arange(10.0)
    np.savez(home / "here.npz", x=x[:, None], y=-x)
    (x_train, y_train), (x_test, y_test) = datasets.boston_housing.load_data("here.npz", test_split=0.3)
    assert (len(x_train), len(x_test)) == (7, 3) and (x_train[:, 0] == -y_train).all()
    assert sorted([*x_train[:, 0], *x_test[:, 0]]) == x.tolist() and y_train.tolist() != (-x[:7]).tolist()
    again = datasets.boston_housing.load_data(path="here.npz", test_split=0.3)
    assert (again[1][1] == y_test).all()


def test_missing_data_set(home: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"put the data of mnist into 'mnist.npz'.*x_train, y_train"):
        datasets.mnist.load_data()
    with pytest.raises(NotImplementedError, match="imdb holds texts"):
        _ = datasets.imdb
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = datasets.nothing
    assert repr(datasets.mnist) == "<data set mnist>"


def test_no_objects_are_loaded(home: Path) -> None:
    """Files of strangers hold numbers only: pickled objects are refused."""
    np.savez(home / "mnist.npz", x_train=np.array([{}]), y_train=0, x_test=0, y_test=0)
    with pytest.raises(ValueError, match="allow_pickle"):
        datasets.mnist.load_data()


def test_picture(tmp_path: Path) -> None:
    model = Sequential([Dense(3, input_dim=2, name='a "b"'), Dropout(0.5, name="c")])
    utils.plot_model(model, tmp_path / "model.dot", show_shapes=True)
    text = (tmp_path / "model.dot").read_text()
    assert "a 'b': Dense\\n(None, 2) -> (None, 3)" in text and "0 -> 1;" in text
    assert 'label="Dropout"' in utils.model_to_dot(model, show_layer_names=False)
    with pytest.raises(ImportError, match=r"needs Graphviz.*model.dot"):
        utils.plot(model)
