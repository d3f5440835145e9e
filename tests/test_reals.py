"""What holds no numbers is refused with the way to make numbers of it; what misses some is not taken silently."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from nnlite import data
from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.reals import reals

NUMBERED = "classes, y = np.unique(y, return_inverse=True)"
X = np.arange(8.0).reshape(4, 2)


class Lazy:
    def collect(self) -> None: ...


@pytest.mark.parametrize(
    ("argument", "value", "fix"),
    [
        ("y", np.array(["cat", "dog"]), NUMBERED),
        ("validation y", ["cat", "dog"], NUMBERED),
        ("y", np.array([b"cat", b"dog"]), NUMBERED),
        ("y", np.array(["cat", "dog"], object), NUMBERED),
        ("x", [["1", "2"]], "x.astype('float32')"),
        ("validation x", np.array([[1, 2]], object), "become numbers by x.astype('float32')"),
        ("x", np.array([["2020-01-01"]], "M8[D]"), "(x - x.min()) / np.timedelta64(1, 'D')"),
        ("x", np.array([[3]], "m8[s]"), "np.timedelta64(1, 'D')"),
        ("x", np.array([[1 + 2j]]), "np.hstack([x.real, x.imag])"),
        ("x", np.zeros(2, [("a", "f4"), ("b", "f4")]), "structured_to_unstructured(x)"),
        ("x", {"a": [1.0], "b": [2.0]}, "np.column_stack(list(x.values()))"),
        ("x", lambda: None, "x()"),
        ("x", Lazy(), "x.collect()"),
        ("x", np.ma.array([[1.0, 2.0]], mask=[[True, False]]), "1 are masked. Fill them: x.filled(0)"),
    ],
)
def test_fix(argument: str, value: Any, fix: str) -> None:
    for error in (TypeError, ValueError):
        with pytest.raises(error) as raised:
            reals(argument, value)
        assert f"{argument} must" in str(raised.value) and fix in str(raised.value)


def test_the_fixes_work() -> None:
    _, y = np.unique(np.array(["cat", "dog", "cat"]), return_inverse=True)
    assert reals("y", y).tolist() == [0, 1, 0]
    x = np.array([["2020-01-01"], ["2020-01-03"]], "M8[D]")
    assert reals("x", (x - x.min()) / np.timedelta64(1, "D")).tolist() == [[0], [2]]


def test_mask_that_hides_nothing() -> None:
    assert reals("x", np.ma.array([[1.0, 2.0]])).tolist() == [[1, 2]]


def test_inputs_and_targets_as_one_argument() -> None:
    with pytest.raises(ValueError, match=r"Inputs and targets are two arguments: fit\(x, y\)"):
        reals("x", (X, X[:, 0]))


FRAMES: dict[str, tuple[str, Callable[[Any], Any], Any]] = {
    "pandas, numbers": ("pandas", lambda p: [3, 4], [3, 4]),
    "pandas, booleans": ("pandas", lambda p: [True, False], [1, 0]),
    "pandas, missing": ("pandas", lambda p: p.array([3, None], dtype="Int64"), [3, np.nan]),
    "pandas, objects": ("pandas", lambda p: p.Series([3, 4.5], dtype=object), [3, 4.5]),
    "pandas, words": ("pandas", lambda p: ["u", "v"], "column 'b'"),
    "pandas, times": ("pandas", lambda p: p.to_datetime(["2020-01-01", "2020-01-02"]), "column 'b' of type datetime64"),
    "pandas, categories": ("pandas", lambda p: p.Categorical(["u", "v"]), "column 'b' of type category"),
    "polars, numbers": ("polars", lambda p: [3, 4], [3, 4]),
    "polars, booleans": ("polars", lambda p: [True, False], [1, 0]),
    "polars, missing": ("polars", lambda p: [3, None], [3, np.nan]),
    "polars, words": ("polars", lambda p: ["u", "v"], "column 'b' of type String"),
    "polars, times": ("polars", lambda p: [date(2020, 1, 1), date(2020, 1, 2)], "column 'b' of type Date"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_columns_of_frames(name: str) -> None:
    package, column, expected = FRAMES[name]
    frames = pytest.importorskip(package)
    frame = frames.DataFrame({"a": [1.0, 2.0], "b": column(frames)})
    if isinstance(expected, str):
        with pytest.raises(TypeError, match=expected):
            reals("x", frame)
    else:
        np.testing.assert_array_equal(reals("x", frame), np.column_stack([[1.0, 2.0], expected]))


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_columns_by_themselves(package: str) -> None:
    series = pytest.importorskip(package).Series
    np.testing.assert_array_equal(reals("y", series([1, None])), [1, np.nan])
    with pytest.raises(TypeError, match="Number them"):
        reals("y", series(["u", "v"]))


@pytest.mark.parametrize("loss", ["binary_crossentropy", "binary_focal_crossentropy"])
@pytest.mark.parametrize(
    ("y", "shown"), [([1, 2, 1, 2], "2"), ([-1, 1, 1, -1], "-1"), (np.array([0, 1, 5, 1], "u1"), "5")]
)
def test_integers_that_are_no_probabilities(loss: str, y: Any, shown: str) -> None:
    model = Sequential([Dense(1, "sigmoid", input_dim=2)])
    model.compile("sgd", loss)
    with pytest.raises(ValueError, match=rf"y must be 0, 1 or between for the loss '{loss}'; received {shown}\."):
        model.fit(X, y, verbose=0)
    with pytest.raises(ValueError, match="validation y must be 0, 1 or between"):
        model.fit(X, [0, 1, 0, 1], verbose=0, validation_data=(X, y))
    model.compile("sgd", "hinge")
    model.fit(X, y, verbose=0)


def test_labels_of_ones_own_for_a_sparse_loss() -> None:
    model = Sequential([Dense(2, "softmax", input_dim=2)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"received 10. Labels of your own\? Number them: classes, y = np.unique"):
        model.fit(X, [10, 20, 10, 20], verbose=0)


@pytest.mark.usefixtures("keras3")
def test_class_weights_of_keras_3() -> None:
    door = data.Door((2,), (1,), np.dtype("float64"), "first", "last")
    assert data.class_weights({1: 5}, np.array([[0], [1], [2]]), door).tolist() == [1, 5, 1]
    model = Sequential([Dense(1, "sigmoid", input_dim=2)])
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(ValueError, match="class_weight and sample_weight cannot be given together"):
        model.fit(X, [0, 1, 0, 1], class_weight={0: 1}, sample_weight=np.ones(4), verbose=0)
