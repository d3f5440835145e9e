"""What users hand over becomes contiguous matrices of the model's type, or an error that says what is wrong."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from nnlite import data
from nnlite.data import Data, Door
from nnlite.losses import LOSSES

MSE, SPARSE = LOSSES.get("mse"), LOSSES.get("sparse_categorical_crossentropy")


def door(inputs: int = 2, outputs: int = 1, dtype: str = "float32") -> Door:
    return Door((inputs,), (outputs,), np.dtype(dtype), "first", "last")


class Frame:
    """Like a data frame: no array, but NumPy can make one of it."""

    def __init__(self, values: Any) -> None:
        self.values = np.array(values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.values


ROWS = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "value",
    [
        np.array(ROWS),
        np.array(ROWS, np.float32),
        np.array(ROWS, np.int64),
        np.array(ROWS, np.float16),
        np.array(ROWS, ">f8"),
        np.asfortranarray(ROWS),
        np.array([[1, 0, 2], [3, 0, 4]])[:, ::2],
        np.array(ROWS)[::-1][::-1],
        ROWS,
        tuple(ROWS),
        [np.array(ROWS)],
        (np.array(ROWS),),
        {"input": np.array(ROWS)},
        [np.array(row) for row in ROWS],
        Frame(ROWS),
        [Frame(ROWS)],
        memoryview(np.array(ROWS)),
    ],
)
def test_forms_of_inputs(value: Any, dtype: str) -> None:
    result = data.inputs("x", value, door(dtype=dtype))
    assert (result.dtype, result.flags.c_contiguous, result.tolist()) == (np.dtype(dtype), True, ROWS)


def test_booleans_are_0_and_1() -> None:
    assert data.inputs("x", [[True, False]], door()).tolist() == [[1, 0]]


def test_one_dimension_is_one_feature_a_row() -> None:
    assert data.inputs("x", [1, 2, 3], door(1)).tolist() == [[1], [2], [3]]


def test_nothing_is_copied_that_fits() -> None:
    x = np.ones((3, 2), np.float32)
    assert np.shares_memory(data.inputs("x", x, door()), x)


def test_arrays_given_are_not_changed() -> None:
    x = np.array([[1, 2], [3, 4]])
    data.inputs("x", x, door())[0, 0] = 9
    assert x[0, 0] == 1


@pytest.mark.parametrize(
    "value", [[["a", "b"]], np.array([[None, 1]]), np.array([[1j, 2]]), None, "text", np.array([["1", "2"]]), object()]
)
def test_no_numbers(value: Any) -> None:
    for error in (TypeError, ValueError):
        with pytest.raises(error, match="x must"):
            data.inputs("x", value, door())


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ([[1, 2], [3]], "rectangular"),
        (5.0, "single number"),
        ([1.0, 2.0], r"One row\? Use x.reshape\(1, -1\)"),
        ([1.0, 2.0, 3.0], "expected 2 features, got 1 .a 1-D array is treated as one feature per row"),
        ([[1, 2, 3]], r"shape \(rows, 2\) for layer 'first'; received shape \(1, 3\)"),
        ([[[1], [2]]], r"Use x.reshape\(-1, 2\)"),
    ],
)
def test_rows_that_do_not_fit(value: Any, hint: str) -> None:
    for error in (ValueError, RuntimeError):
        with pytest.raises(error, match=hint):
            data.inputs("x", value, door())


@pytest.mark.parametrize(
    "value", [[0, 1], [[0], [1]], np.array([False, True]), np.array([0, 1], np.uint8), [np.array([0, 1])]]
)
def test_forms_of_targets(value: Any) -> None:
    result = data.targets("y", value, 2, MSE, 1, door())
    assert (result.dtype, result.tolist()) == (np.float32, [[0], [1]])


@pytest.mark.parametrize("columns", [2, None])
def test_columns_of_targets(columns: int | None) -> None:
    assert data.targets("y", ROWS, 2, MSE, columns, door(2, 2)).tolist() == ROWS


@pytest.mark.parametrize(
    ("value", "loss", "outputs", "columns", "hint"),
    [
        ([1.0], MSE, 1, 1, "as many rows as its inputs, 2"),
        ([1, 2, 3], MSE, 1, 1, "as many rows as its inputs, 2"),
        (
            [[1, 2], [3, 4]],
            MSE,
            1,
            1,
            "1 columns, one for each unit of layer 'last'; received 2. Give the last layer 2 units",
        ),
        ([1, 2], MSE, 3, 3, "3 columns, one for each unit of layer 'last'; received 1"),
        (
            [1, 2],
            LOSSES.get("categorical_crossentropy"),
            3,
            3,
            "utils.to_categorical, or the loss 'sparse_categorical_crossentropy'",
        ),
        ([[1, 0], [0, 1]], SPARSE, 2, 1, r"received 2 columns. One-hot rows\? Use y.argmax\(axis=1\)"),
        ([0, 3], SPARSE, 3, 1, "class numbers 0 ... 2, for layer 'last' has 3 units; received 3"),
        ([0, -1], SPARSE, 3, 1, "received -1"),
        ([0, 0.5], SPARSE, 3, 1, "received 0.5"),
        ([0, np.nan], SPARSE, 3, 1, "received nan"),
    ],
)
def test_targets_that_do_not_fit(value: Any, loss: Any, outputs: int, columns: int, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        data.targets("y", value, 2, loss, columns, door(2, outputs))


def test_class_numbers() -> None:
    assert data.targets("y", [2.0, 0.0], 2, SPARSE, 1, door(2, 3)).tolist() == [[2], [0]]


@pytest.mark.parametrize("value", [[1, 2], [[1], [2]], np.array([1, 2])])
def test_row_weights(value: Any) -> None:
    result = data.row_weights("sample_weight", value, 2, door())
    assert result is not None and result.tolist() == [1, 2]


@pytest.mark.parametrize("value", [[1], [1, 2, 3], [[1, 2], [3, 4]]])
def test_row_weights_that_do_not_fit(value: Any) -> None:
    with pytest.raises(ValueError, match=r"one weight a row, shape \(2,\)"):
        data.row_weights("sample_weight", value, 2, door())


@pytest.mark.parametrize(
    ("y", "weights", "expected"),
    [
        ([[0], [1], [1]], {0: 1, 1: 5}, [1, 5, 5]),
        ([[-1], [1]], {-1: 2, 1: 3.5}, [2, 3.5]),
        ([[1, 0], [0, 1]], {0: 2, 1: 3}, [2, 3]),
        ([[1.0]], {0: 1, 1: 0}, [0]),
    ],
)
def test_class_weights(y: Any, weights: dict[int, float], expected: list[float]) -> None:
    assert data.class_weights(weights, np.array(y), door()).tolist() == expected


def test_class_weights_that_are_none() -> None:
    y = np.array([[0], [2]])
    with pytest.raises(ValueError, match=r"\[2\] are missing"):
        data.class_weights({0: 1, 1: 1}, y, door())
    with pytest.raises(TypeError, match="class_weight must be a dict"):
        data.class_weights([1, 2], y, door())
    with pytest.raises(ValueError, match=r"class_weight\[0\] must be"):
        data.class_weights({0: -1, 2: 1}, y, door())


@pytest.mark.parametrize(
    ("rows", "fraction", "first"),
    [(250, 0.2, 200), (100, 0.8, 19), (1000, 0.9, 99), (10, 0.25, 7), (3, 0.5, 1), (2, 0.5, 1), (400, 0.1, 360)],
)
def test_split_keeps_the_last_rows(rows: int, fraction: float, first: int) -> None:
    x = np.arange(rows)[:, None]
    train, held_out = data.split(Data(x, x + 1, x[:, 0]), fraction)
    assert held_out is not None
    assert train.x[:, 0].tolist() == list(range(first))
    assert held_out.x[:, 0].tolist() == list(range(first, rows))
    assert held_out.y[0, 0] == first + 1
    assert held_out.weights is not None and held_out.weights[0] == first


@pytest.mark.parametrize("fraction", [np.float32(0.1), "0.1", Fraction(1, 10)])
def test_split_by_what_stands_for_a_number(fraction: Any) -> None:
    x = np.zeros((1000, 1))
    train, _ = data.split(Data(x, x, None), fraction)
    assert len(train.x) == int(1000 * (1.0 - float(fraction)))


def test_no_split() -> None:
    everything = Data(np.ones((3, 1)), np.ones((3, 1)), None)
    assert data.split(everything, 0.0) == (everything, None)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5, 0.999, float("nan"), "half"])
def test_splits_that_leave_nothing(fraction: Any) -> None:
    everything = Data(np.ones((3, 1)), np.ones((3, 1)), None)
    with pytest.raises(ValueError, match="validation_split must"):
        data.split(everything, fraction)


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.float32(3)])
def test_whole(value: Any) -> None:
    assert data.whole("n", value) == 3


@pytest.mark.parametrize("value", [0, -1, 2.5, "3", None, True, float("inf"), float("nan")])
def test_not_whole(value: Any) -> None:
    with pytest.raises(ValueError, match="n must be an integer of at least 1"):
        data.whole("n", value)
