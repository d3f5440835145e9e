"""Constraints on arrays and as rows of the engine."""

import inspect

import numpy as np
import pytest
import reference

from nnlite import constraints
from nnlite.errors import ArgumentError

W = np.array([[3.0, -0.1, 0.5], [-4.0, 0.2, 0.0]])
CONSTRAINTS = [
    constraints.MaxNorm(),
    constraints.MaxNorm(0.5),
    constraints.NonNeg(),
    constraints.UnitNorm(),
    constraints.MinMaxNorm(0.3, 2.0, 0.5),
    constraints.MinMaxNorm(),
]


@pytest.mark.parametrize("constraint", CONSTRAINTS, ids=repr)
@pytest.mark.parametrize("w", [W, W[:, 0]], ids=["kernel", "bias"])
def test_values(constraint, w):
    row, numbers = constraint.record
    formula = reference.CONSTRAINTS[row]
    assert len(inspect.signature(formula).parameters) == 1 + len(numbers)
    np.testing.assert_allclose(constraint(w), formula(w, *numbers), rtol=1e-14)


def test_by_hand():
    np.testing.assert_allclose(constraints.MaxNorm(1)(W)[:, 0], [0.6, -0.8], rtol=1e-6)
    np.testing.assert_array_equal(constraints.get("nonneg")(W)[0], [3, 0, 0.5])


def test_spellings_of_keras_1():
    assert constraints.maxnorm(m=3).record == ("max_norm", (3.0,))
    assert constraints.MinMaxNorm(low=0.1, high=0.9).record == ("min_max_norm", (0.1, 0.9, 1.0))


def test_none_is_none():
    assert constraints.get(None) is None
    assert constraints.serialize(None) is None


def test_wrong_arguments():
    with pytest.raises(ValueError, match="max_value must be finite and at least 0; received -1"):
        constraints.MaxNorm(-1)
    with pytest.raises(ArgumentError, match="max_value must be a number"):
        constraints.MaxNorm("two")
    with pytest.raises(ValueError, match="max_value must be finite and at least 2"):
        constraints.MinMaxNorm(2, 1)
    with pytest.raises(ArgumentError, match="axis of a constraint must be an integer or a list of them"):
        constraints.UnitNorm(axis="rows")
