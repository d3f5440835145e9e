"""Regularizers on arrays, and their factors."""

import numpy as np
import pytest
import reference

from nnlite import config, regularizers

W = np.array([[3.0, -0.1, 0.5], [-4.0, 0.2, 0.0]])


@pytest.mark.parametrize(
    ("regularizer", "l1", "l2"),
    [
        (regularizers.get("l1"), 0.01, 0.0),
        (regularizers.get("l2"), 0.0, 0.01),
        (regularizers.get("l1_l2"), 0.01, 0.01),
        (regularizers.L1L2(), 0.0, 0.0),
        (regularizers.L1L2(l2=0.1), 0.0, 0.1),
        (regularizers.l2(0.5), 0.0, 0.5),
        (regularizers.l1(l=0.5), 0.5, 0.0),
        (regularizers.l1_l2(l1=0.5), 0.5, 0.01),
        (regularizers.l1l2(0.1, 0.2), 0.1, 0.2),
        (regularizers.activity_l2(0.1), 0.0, 0.1),
        (regularizers.WeightRegularizer(l1=0.1), 0.1, 0.0),
    ],
)
def test_factors_and_penalty(regularizer, l1, l2):
    assert (regularizer.l1, regularizer.l2) == (l1, l2)
    assert regularizer(W) == pytest.approx(reference.penalty(W, l1, l2))


def test_l1_l2_of_keras3():
    config.set_compat("keras3")
    try:
        assert (regularizers.get("l1_l2").l1, regularizers.l1_l2(l2=0.1).l2) == (0.0, 0.1)
    finally:
        config.set_compat("keras2")


def test_none_is_none():
    assert regularizers.get(None) is None
    assert regularizers.serialize(None) is None


def test_what_cannot_be():
    with pytest.raises(ValueError, match="l2 must be finite and at least 0; received nan"):
        regularizers.l2(float("nan"))
