"""Activations as functions, as rows of the engine and as configs."""

import functools
import inspect

import numpy as np
import pytest
import reference

from nnlite import activations, config
from nnlite.errors import ArgumentError, UnsupportedError

X = np.array([[-3.0, -0.7, -0.1, 0.0], [0.1, 0.5, 2.0, 7.0]])

PARAMETERS = [
    ("relu", {"alpha": 0.25}),
    ("relu", {"negative_slope": 0.25, "max_value": 1.5, "threshold": 0.5}),
    ("leaky_relu", {"alpha": 0.1}),
    ("elu", {"alpha": 2.0}),
    ("gelu", {"approximate": True}),
    ("celu", {"alpha": 2.0}),
    ("thresholded_relu", {"theta": 0.25}),
    ("soft_shrink", {"threshold": 0.25}),
    ("hard_shrink", {"threshold": 0.25}),
    ("squareplus", {"b": 1.0}),
    *((name, {}) for name in activations.ACTIVATIONS.entries),
]


@pytest.fixture
def keras3():
    config.set_compat("keras3")
    yield
    config.set_compat("keras2")


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS)
def test_values(name, parameters):
    activation = activations.get({"class_name": name, "config": parameters})
    row, numbers = activation.record
    forward = reference.ACTIVATIONS[row][0]
    if not isinstance(forward, np.ufunc):
        assert len(inspect.signature(forward).parameters) == 1 + len(numbers)
    for result in (activation(X), getattr(activations, name)(X, **parameters)):
        np.testing.assert_allclose(result, forward(X, *numbers), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", activations.ACTIVATIONS.entries)
def test_shapes_and_types(name):
    activation = activations.get(name)
    assert activation(X).dtype == np.float64
    assert activation(X.tolist()).dtype == np.float32
    assert activation(X.astype(np.float32)).dtype == np.float32
    assert activation(np.zeros((2, 3, 4), int)).shape == (2, 3, 4)
    assert activation(0.5).shape == ()
    assert activation.__doc__.partition("\n\n")[0].endswith(".")


def test_rectifiers_take_the_cheapest_row():
    assert activations.get("relu").record == ("relu", ())
    assert activations.relu.with_parameters(0.1).record == ("leaky_relu", (0.1,))
    assert activations.relu.with_parameters(max_value=6).record == ("rectifier", (0.0, 6.0, 0.0))
    assert activations.relu.with_parameters(threshold=1).record == ("rectifier", (0.0, float("inf"), 1.0))


def test_what_others_already_compute_has_no_row_of_its_own():
    assert activations.relu6.record == ("rectifier", (0.0, 6.0, 0.0))
    assert activations.thresholded_relu.record == ("rectifier", (0.0, float("inf"), 1.0))
    assert activations.sparse_sigmoid.record == ("hard_sigmoid", (0.5, 0.5))


def test_hard_sigmoid_has_the_slope_of_its_era():
    assert activations.get("hard_sigmoid").record.numbers == (0.2, 0.5)


def test_hard_sigmoid_has_the_slope_of_keras3(keras3):
    assert activations.get("hard_sigmoid").record.numbers == (1 / 6, 0.5)


def test_none_is_linear():
    assert activations.get(None) is activations.linear


@pytest.mark.parametrize(
    "function", [lambda x: activations.relu(x, alpha=0.1), functools.partial(activations.relu, negative_slope=0.1)]
)
def test_a_function_that_passes_on_is_the_activation(function):
    assert activations.get(function).record == ("leaky_relu", (0.1,))


def test_serialize_gives_a_name_where_it_can():
    assert activations.serialize("relu") == "relu"
    assert activations.serialize(activations.elu.with_parameters(2)) == {"class_name": "elu", "config": {"alpha": 2}}


def test_wrong_parameters():
    with pytest.raises(ArgumentError, match=r"relu takes no argument 'max_valu'. Did you mean 'max_value'"):
        activations.relu(X, max_valu=1)
    with pytest.raises(ArgumentError, match="takes 1 parameters"):
        activations.elu(X, 1.0, 2.0)
    with pytest.raises(ArgumentError, match="alpha must be a number; received 'a'"):
        activations.elu(X, alpha="a")
    for name, argument in (("celu", "alpha"), ("squareplus", "b")):
        with pytest.raises(ValueError, match=f"{argument} must be greater than 0; received 0"):
            getattr(activations, name)(X, 0)
    with pytest.raises(UnsupportedError, match="axis of softmax"):
        activations.softmax(X, axis=0)
