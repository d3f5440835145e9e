"""keras.random: the distributions, their seeds, and NumPy's global generator behind them."""

import numpy as np
import pytest

from nnlite import config, random, utils


@pytest.mark.parametrize("draw", [random.normal, random.truncated_normal, random.uniform])
def test_seeds(draw) -> None:  # type: ignore[no-untyped-def]
    assert (draw((3, 4), seed=1) == draw((3, 4), seed=1)).all()
    assert (draw((3, 4), seed=1) != draw((3, 4), seed=2)).any()
    utils.set_random_seed(5)
    first = draw((3, 4))
    assert (draw((3, 4)) != first).any()
    utils.set_random_seed(5)
    assert (draw((3, 4)) == first).all()
    seeds = random.SeedGenerator(7)
    assert (draw((3, 4), seed=seeds) != draw((3, 4), seed=seeds)).any()
    assert draw((2,)).dtype == config.floatx() and draw((2,), dtype="float64").dtype == "float64"


def test_moments() -> None:
    values = np.asarray(random.normal((20000,), mean=3.0, stddev=2.0, seed=1))
    assert values.mean() == pytest.approx(3, abs=0.05) and values.std() == pytest.approx(2, abs=0.05)
    cut = np.asarray(random.truncated_normal((20000,), mean=3.0, stddev=2.0, seed=1))
    assert abs(cut - 3).max() <= 4 and cut.std() == pytest.approx(2 * 0.8796, abs=0.05)
    even = np.asarray(random.uniform((20000,), -1.0, 3.0, seed=1))
    assert even.min() >= -1 and even.max() < 3 and even.mean() == pytest.approx(1, abs=0.05)


def test_whole_numbers_and_shuffles() -> None:
    values = random.randint((1000,), 2, 5, seed=1)
    assert set(values.tolist()) == {2, 3, 4} and values.dtype == "int32"
    assert random.uniform((10,), 0, 9, dtype="int64").dtype == "int64"
    rows = np.arange(12).reshape(6, 2)
    mixed = random.shuffle(rows, seed=3)
    assert (mixed != rows).any() and (np.sort(mixed, axis=0) == rows).all()
    assert (np.sort(random.shuffle(rows, axis=1, seed=1), axis=1) == rows).all()


def test_seed_must_be_a_count() -> None:
    with pytest.raises(ValueError, match="seed"):
        random.normal((2,), seed=-1)
