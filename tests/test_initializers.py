"""Initial weights: their distributions, their keys, and initializers written elsewhere."""

import numpy as np
import pytest
import reference

from nnlite import config, initializers
from nnlite.errors import ArgumentError

KEY = (7, 3)
SHAPE = (300, 200)
RANDOM = [name for name in initializers.INITIALIZERS.entries if name not in ("zeros", "ones", "constant", "identity")]


@pytest.mark.parametrize("name", reference.INITIALIZERS)
def test_scaled_distributions(name):
    kind, size = reference.INITIALIZERS[name](*SHAPE)
    w = initializers.get(name)(SHAPE, "float64", key=KEY)
    assert abs(w.mean()) < 4 * w.std() / np.sqrt(w.size)
    if kind == "uniform":
        assert size * 0.999 < abs(w).max() <= size
        assert w.std() == pytest.approx(size / np.sqrt(3), rel=0.01)
    else:
        assert w.std() == pytest.approx(size, rel=0.01)
        cut = 2 * size / reference.TRUNCATED_DEVIATION
        assert cut * 0.98 < abs(w).max() <= cut * (1 + 1e-9)


def test_plain_distributions():
    uniform = initializers.get("uniform")(SHAPE, key=KEY)
    assert (uniform.min() >= -0.05, uniform.max() < 0.05, uniform.dtype) == (True, True, np.float32)
    normal = initializers.RandomNormal(1.0, 0.5)(SHAPE, key=KEY)
    assert normal.mean() == pytest.approx(1.0, abs=0.01)
    assert normal.std() == pytest.approx(0.5, rel=0.01)
    assert abs(initializers.get("truncated_normal")(SHAPE, key=KEY)).max() <= 0.1
    untruncated = initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")(SHAPE, key=KEY)
    assert untruncated.std() == pytest.approx(np.sqrt(2 / 200), rel=0.01)
    assert abs(untruncated).max() > 3 * untruncated.std()


@pytest.mark.parametrize("name", RANDOM)
def test_weights_are_a_function_of_key_and_seed(name):
    initializer = initializers.get(name)
    first = initializer((4, 3), key=(1, 0))
    np.testing.assert_array_equal(first, initializer((4, 3), key=(1, 0)))
    assert (first != initializer((4, 3), key=(2, 0))).any()
    assert (first != initializer((4, 3), key=(1, 1))).any()
    seeded = initializers.INITIALIZERS.find(name).make(seed=1)
    np.testing.assert_array_equal(seeded((4, 3), key=(5, 5)), first)


def test_without_a_key_numpys_seed_decides():
    initializer = initializers.get("glorot_uniform")
    np.random.seed(3)  # noqa: NPY002 - what scripts do
    first, second = initializer((2, 2)), initializer((2, 2))
    np.random.seed(3)  # noqa: NPY002
    np.testing.assert_array_equal(initializer((2, 2)), first)
    assert (first != second).any()


def test_constants_and_identity():
    np.testing.assert_array_equal(initializers.get("zero")((2,)), [0, 0])
    np.testing.assert_array_equal(initializers.get("one")((2,)), [1, 1])
    np.testing.assert_array_equal(initializers.Constant(2)((1, 2)), [[2, 2]])
    np.testing.assert_array_equal(initializers.Identity(3)((2, 2)), [[3, 0], [0, 3]])


@pytest.mark.parametrize("shape", [(20, 20), (31, 7), (7, 31), (1, 5)])
def test_orthogonal(shape):
    w = initializers.Orthogonal(gain=2.0)(shape, "float64", key=KEY) / 2
    gram = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-13)


def test_initializers_written_elsewhere():
    class Keras(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return np.full(shape, 3, dtype)

    def named(shape, name=None):
        return np.full(shape, 4)

    assert initializers.get(Keras())((1,), "float64", key=KEY) == [3]
    assert initializers.get(named)((1,), key=KEY).dtype == np.float32
    assert initializers.get(lambda shape, dtype=None: np.full(shape, 5, dtype))((1,), key=KEY) == [5]
    np.testing.assert_array_equal(initializers.get(np.eye(2))((2, 2)), np.eye(2))
    with pytest.raises(ValueError, match=r"the shape of the weight, \(2, 2\); <lambda> returned \(1,\)"):
        initializers.get(lambda shape: np.ones(1))((2, 2))


def test_type_of_reals():
    config.set_floatx("float64")
    try:
        assert initializers.get("ones")((1,)).dtype == np.float64
    finally:
        config.set_floatx("float32")


def test_wrong_arguments():
    with pytest.raises(
        ValueError, match=r"mode must be one of 'fan_in', 'fan_out', 'fan_avg'; received 'fanin'. Did you"
    ):
        initializers.VarianceScaling(mode="fanin")
    with pytest.raises(ValueError, match="scale must be positive"):
        initializers.VarianceScaling(0)
    with pytest.raises(ValueError, match="stddev must be finite and at least 0"):
        initializers.RandomNormal(stddev=-1)
    with pytest.raises(ArgumentError, match=r"seed must be a non-negative int or None; received 1\.5"):
        initializers.HeNormal(seed=1.5)
    with pytest.raises(ValueError, match="identity weights must be a matrix"):
        initializers.Identity()((2,))
    with pytest.raises(ValueError, match="at least two axes"):
        initializers.Orthogonal()((2,))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("text", "an initializer must return real numbers; given returned 'text'"),
        (None, "an initializer must return real numbers; given returned None"),
        (np.zeros(3), r"an initializer must return the shape of the weight, \(2, 3\); given returned \(3,\)"),
    ],
)
def test_nonsense_from_a_function(returned, message):
    def given(shape, dtype=None):
        return returned

    with pytest.raises(ValueError, match=message):
        initializers.get(given)((2, 3))
