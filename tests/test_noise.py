"""Layers that are random in training: what they draw, their arguments, and that training gets through them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_models import build, chain, compiled, inputs
from reference import NOISE, SELU_ALPHA, SELU_SCALE, Array

from nnlite._engine import Run
from nnlite.layers import AlphaDropout, Dense, Dropout, GaussianDropout, GaussianNoise
from nnlite.models import Sequential

ROWS, STEPS = 37, 40
both_storages = pytest.mark.parametrize("units", [17, 40])


def drawn(row: str, number: float, units: int, dtype: str, target: str | None, x: float) -> Array:
    """Outputs of many steps for inputs that are all x, (steps, rows, units); checks what every noise has in common."""
    model = compiled(build(chain((row, 0, (number,))), units, dtype, target, seed=99))
    run, batch = Run(model, ROWS), np.full((ROWS, units), x, dtype)
    assert (run.forward(batch, False) == batch).all(), "nothing happens outside training"
    outputs = []
    for step in range(STEPS):
        model.state = model.state | {"iterations": step}
        outputs.append(run.forward(batch, True))
        assert (run.forward(batch, True) == outputs[-1]).all(), "one step, one noise"
    return np.array(outputs, np.float64)


def check_moments(values: Array, mean: float, deviation: float) -> None:
    """Within 5 standard errors; of the variance, for a normal distribution."""
    n = values.size
    assert abs(values.mean() - mean) <= 5 * deviation / np.sqrt(n)
    assert abs(values.var() - deviation**2) <= 5 * deviation**2 * np.sqrt(2 / n)


@both_storages
@pytest.mark.parametrize("deviation", [0.0, 0.125, 3.0])
def test_gaussian_noise(deviation: float, units: int, dtype: str, target: str) -> None:
    y = drawn("gaussian_noise", deviation, units, dtype, target, 0.5)
    check_moments(y, 0.5, deviation)
    if deviation:
        z = (y - 0.5) / deviation
        assert abs((abs(z) < 1).mean() - 0.6827) < 0.02
        assert 3 < abs(z).max() < 6


@both_storages
@pytest.mark.parametrize("rate", [0.0, 0.25, 0.8])
def test_gaussian_dropout(rate: float, units: int, dtype: str, target: str) -> None:
    deviation = np.sqrt(rate / (1 - rate))
    y = drawn("gaussian_dropout", rate, units, dtype, target, 2.0)
    check_moments(y, 2, 2 * deviation)


@both_storages
@pytest.mark.parametrize("rate", [0.125, 0.5])
def test_alpha_dropout(rate: float, units: int, dtype: str, target: str) -> None:
    lowest = -SELU_SCALE * SELU_ALPHA
    a = ((1 - rate) * (1 + rate * lowest**2)) ** -0.5
    b = -a * lowest * rate
    y = drawn("alpha_dropout", rate, units, dtype, target, 0.75)
    np.testing.assert_allclose(np.unique(y), sorted([a * lowest + b, a * 0.75 + b]), rtol=1e-6)
    lost = float((y < 0).sum())
    assert abs(lost - y.size * rate) <= 5 * np.sqrt(y.size * rate * (1 - rate))


SHAPES: dict[tuple[Any, Any], tuple[int, ...]] = {(None, 1): (1,), (1, None): (0,), (1, 1): (0, 1), (None, None): ()}


@both_storages
@pytest.mark.parametrize("noise_shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", [Dropout, AlphaDropout], ids=["dropout", "alpha_dropout"])
def test_noise_shape_says_what_is_lost_together(kind: Any, noise_shape: tuple[Any, Any], units: int) -> None:
    model = Sequential([kind(0.25, noise_shape=noise_shape, input_shape=(units,))], seed=12)
    model.compile("sgd", "mse")
    x = np.ones((400, units))
    lost = np.array(model(x, training=True)) <= 0
    together = SHAPES[noise_shape]
    one_of_each = lost[tuple(slice(0, 1) if axis in together else slice(None) for axis in (0, 1))]
    np.testing.assert_array_equal(lost, np.broadcast_to(one_of_each, lost.shape))
    n = one_of_each.size
    assert abs(one_of_each.sum() - n / 4) <= 5 * np.sqrt(n * 3) / 4
    other = np.array(model(x, training=True)) <= 0
    np.testing.assert_array_equal(other, lost)  # one step, one noise
    model.train_on_batch(x, x)
    steps = []
    for _ in range(12):
        steps.append((np.array(model(x, training=True)) <= 0).tobytes())
        model.train_on_batch(x, x)
    assert len(set(steps)) > 1, "another step, another noise"
    assert model.predict(x).tolist() == x.tolist()


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    model = compiled(build(chain(("alpha_dropout", 0, (0.25,))), 40))
    x = np.random.default_rng(3).standard_normal((4000, 40))
    check_moments(Run(model, 4000).forward(x, True), 0, 1)


@pytest.mark.parametrize("row", NOISE)
def test_noise_differs_by_step_layer_and_seed(row: str) -> None:
    x, seen = np.ones((8, 40)), set()
    for seed in (1, 2):
        for before in (0, 1):
            model = compiled(build(chain(*["linear"] * before, (row, 0, (0.5,))), 40, seed=seed))
            for step in (0, 1, 2**32):
                model.state = model.state | {"iterations": step}
                seen.add(Run(model, 8).forward(x, True).tobytes())
    assert len(seen) == 12


@pytest.mark.parametrize("row", NOISE)
def test_training_learns(row: str) -> None:
    """The gradient belongs to the noise of its own forward pass: training lowers the loss."""
    model = compiled(build(chain("dense 40", "tanh", (row, 0, (0.125,)), "dense 1"), 4))
    model.learning_rate = 0.05
    x = inputs(64, 4)
    t = x[:, :1] * x[:, 1:2]
    run = Run(model, 16)
    before = run.evaluate(x, t)[0]
    run.bind(x, t)
    run.advance(2**40, 400, 60.0)
    assert run.evaluate(x, t)[0] < before / 2


# ---- as layers of Keras ----

RATED: list[Callable[..., Any]] = [Dropout, AlphaDropout, GaussianDropout]


@pytest.mark.parametrize("make", RATED)
def test_rates(make: Callable[..., Any]) -> None:
    assert make(p=0.5).rate == make(0.5, seed=3).rate == 0.5
    for rate in (0, 1):  # change nothing
        assert (Sequential([make(rate, input_shape=(3,))])(np.ones((2, 3)), training=True) == 1).all()
    for wrong in (-0.1, 1.5, "a", float("nan")):
        with pytest.raises(ValueError, match="rate must be"):
            make(wrong)


@pytest.mark.parametrize("make", [Dropout, AlphaDropout])
def test_noise_shape(make: Callable[..., Any]) -> None:
    with pytest.raises(NotImplementedError, match=f"noise_shape of {make.__name__}"):
        make(0.5, noise_shape=(1,))


def test_stddev() -> None:
    assert GaussianNoise(sigma=0.5).stddev == GaussianNoise(stddev=0.5, seed=1).stddev == 0.5
    assert (Sequential([GaussianNoise(0, input_shape=(3,))])(np.ones((2, 3)), training=True) == 1).all()
    with pytest.raises(ValueError, match="stddev must be"):
        GaussianNoise(-1)
    with pytest.raises(TypeError, match="'stddev' or its older name 'sigma'"):
        GaussianNoise(1, sigma=1)


@pytest.mark.parametrize("layer", [AlphaDropout(0.5), GaussianDropout(0.5), GaussianNoise(1.0)])
def test_only_in_training(layer: Any) -> None:
    model = Sequential([layer, Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.ones(8), verbose=0)
    x = np.eye(3)
    assert (model.predict(x) == model.predict(x)).all()
    assert (model(x, training=True) != model(x)).any()
