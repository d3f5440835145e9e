"""Learning rates as functions of the step."""

import copy
import math
import pickle

import numpy as np
import pytest

from nnlite import optimizers
from nnlite.callbacks import Callback
from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.optimizers import schedules

# schedule, and its rates at the steps 0, 5, 10, 25
RATES = [
    (schedules.ExponentialDecay(0.5, 10, 0.25), [0.5, 0.25, 0.125, 0.5 * 0.25**2.5]),
    (schedules.ExponentialDecay(0.5, 10, 0.25, True), [0.5, 0.5, 0.125, 0.03125]),
    (schedules.InverseTimeDecay(0.5, 10, 2), [0.5, 0.25, 0.5 / 3, 0.5 / 6]),
    (schedules.InverseTimeDecay(0.5, 10, 2, staircase=True), [0.5, 0.5, 0.5 / 3, 0.1]),
    (schedules.PiecewiseConstantDecay([5, 10], [3, 2, 1]), [3, 3, 2, 1]),
    (schedules.PolynomialDecay(0.5, 20, 0.1), [0.5, 0.4, 0.3, 0.1]),
    (schedules.PolynomialDecay(0.5, 20, 0.1, 2, True), [0.5, 0.325, 0.2, 0.1 + 0.4 * (15 / 40) ** 2]),
    (schedules.CosineDecay(0.5, 20), [0.5, 0.25 * (1 + math.sqrt(0.5)), 0.25, 0]),
    (schedules.CosineDecay(0.1, 20, 0.1, None, 0.5, 5), [0.1, 0.5, 0.05 + 0.225 * (1 + math.sqrt(0.5)), 0.05]),
    (schedules.CosineDecayRestarts(0.5, 10), [0.5, 0.25, 0.5, 0.25 * (1 - math.sqrt(0.5))]),
    (schedules.CosineDecayRestarts(0.5, 10, 1, 0.5, 0.2), [0.5, 0.3, 0.3, 0.15]),
]


@pytest.mark.parametrize(("schedule", "rates"), RATES, ids=repr)
def test_rates(schedule, rates):
    np.testing.assert_allclose([schedule(step) for step in (0, 5, 10, 25)], rates, rtol=1e-14, atol=1e-17)
    again = schedules.get(schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config()


# the rates of Keras 3.15.1 at the steps 0, 5, 10, 25, 37, in its 32 bits
OF_KERAS3 = [
    (schedules.ExponentialDecay(0.5, 10, 0.25), [0.5, 0.25, 0.125, 0.015625, 0.0029603837]),
    (schedules.ExponentialDecay(0.5, 10, 0.25, True), [0.5, 0.5, 0.125, 0.03125, 0.0078125]),
    (schedules.InverseTimeDecay(0.5, 10, 2), [0.5, 0.25, 0.16666667, 0.083333336, 0.059523813]),
    (schedules.InverseTimeDecay(0.5, 10, 2, staircase=True), [0.5, 0.5, 0.16666667, 0.1, 0.071428575]),
    (schedules.PiecewiseConstantDecay([5, 10], [3.0, 2.0, 1.0]), [3, 3, 2, 1, 1]),
    (schedules.PolynomialDecay(0.5, 20, 0.1), [0.5, 0.40000001, 0.30000001, 0.1, 0.1]),
    (schedules.PolynomialDecay(0.5, 20, 0.1, 2, True), [0.5, 0.32500002, 0.2, 0.15625, 0.10225]),
    (schedules.CosineDecay(0.5, 20), [0.5, 0.42677671, 0.24999999, 0, 0]),
    (schedules.CosineDecay(0.1, 20, 0.1, "d", 0.5, 5), [0.1, 0.5, 0.43409905, 0.050000001, 0.050000001]),
    (schedules.CosineDecayRestarts(0.5, 10), [0.5, 0.24999999, 0.5, 0.073223308, 0.46316004]),
    (schedules.CosineDecayRestarts(0.5, 10, 1.0, 0.5, 0.2), [0.5, 0.29999998, 0.30000001, 0.15000001, 0.11030537]),
    (schedules.CosineDecayRestarts(0.5, 10, 1.5, 0.5, 0.2), [0.5, 0.29999998, 0.30000001, 0.2, 0.14477357]),
]


@pytest.mark.parametrize(("schedule", "rates"), OF_KERAS3, ids=repr)
def test_rates_of_keras3(schedule, rates):
    np.testing.assert_allclose([schedule(step) for step in (0, 5, 10, 25, 37)], rates, rtol=1e-6, atol=1e-8)


def trained(optimizer, loss="mse", callbacks=None, by_hand=False):
    model = Sequential([Dense(3, activation="tanh", input_dim=2), Dense(1)], seed=5)
    model.compile(optimizer, loss)
    x = np.linspace(-1, 1, 40).reshape(20, 2)
    y = x[:, :1] * x[:, 1:]
    if by_hand:
        for _ in range(6):
            model.train_on_batch(x, y)
    else:
        model.fit(x, y, batch_size=8, epochs=4, verbose=0, callbacks=callbacks)
    return b"".join(w.tobytes() for w in model.get_weights())


class EachBatch(Callback):
    def on_batch_end(self, batch, logs=None):
        pass


def squared(y_true, y_pred):
    return ((y_true - y_pred) ** 2).mean(axis=-1)


@pytest.mark.parametrize(
    "how",
    [{}, {"callbacks": [EachBatch()]}, {"by_hand": True}, {"loss": squared}, {"loss": squared, "by_hand": True}],
    ids=["fit", "callback", "by hand", "Python loss", "Python loss by hand"],
)
def test_every_step_has_its_rate(how):
    """decay is the one schedule the engine has itself: both must give the same bits."""
    schedule = schedules.InverseTimeDecay(0.5, 1, 0.25)
    assert trained(optimizers.SGD(schedule), **how) == trained(optimizers.SGD(0.5, decay=0.25), **how)


def test_a_function_of_the_step_is_a_schedule():
    optimizer = optimizers.SGD(lambda step: 0.5 / (1 + 0.25 * step))
    assert trained(optimizer) == trained(optimizers.SGD(schedules.InverseTimeDecay(0.5, 1, 0.25)))
    assert float(optimizer.lr) == 0.5 / (1 + 0.25 * 11)


def test_a_function_of_nothing_is_asked_for_every_step():
    rates = iter([0.5, 0.5, 0.25, 0.125])  # one for the optimizer itself
    model = Sequential([Dense(1, input_dim=1, use_bias=False, weights=[[[1.0]]])])
    model.compile(optimizers.SGD(lambda: next(rates)), lambda t, p: p)  # whose slope is x
    for expected in (0.5, 0.25, 0.125):
        model.train_on_batch([1.0], [0.0])
        assert float(model.optimizer.lr) == expected
    assert model.get_weights()[0].item() == 1 - 0.5 - 0.25 - 0.125


def test_the_rate_cannot_be_set_beside_a_schedule():
    optimizer = optimizers.Adam(lr=schedules.ExponentialDecay(0.5, 10, 0.5))
    assert optimizer.learning_rate == 0.5
    with pytest.raises(TypeError, match=r"given by ExponentialDecay.*cannot be set; received 0\.1"):
        optimizer.lr = 0.1


@pytest.mark.parametrize(
    ("returned", "message"),
    [("fast", "learning_rate must be a number; received 'fast'"), (-1.0, "at least 0"), (np.nan, "must be finite")],
)
def test_nonsense_from_a_schedule(returned, message):
    """The step it is for is not taken."""
    model = Sequential([Dense(1, input_dim=1)])
    model.compile(optimizers.SGD(lambda step: 0.1 if step < 2 else returned), "mse")
    with pytest.raises(ValueError, match=message):
        model.fit(np.ones(6), np.ones(6), batch_size=2, verbose=0)
    assert model.optimizer.iterations == 2


def test_config_and_copies_keep_the_schedule():
    optimizer = optimizers.SGD(schedules.PolynomialDecay(0.5, 20), momentum=0.5)
    for again in (optimizers.get(optimizers.serialize(optimizer)), copy.deepcopy(optimizer)):
        assert again.get_config() == optimizer.get_config()
        assert again.schedule(10) == optimizer.schedule(10)
    assert pickle.loads(pickle.dumps(optimizer)).get_config() == optimizer.get_config()


def test_wrong_arguments():
    with pytest.raises(ValueError, match="decay_steps must be greater than 0; received 0"):
        schedules.CosineDecay(0.5, 0)
    with pytest.raises(ValueError, match="values must be one more than boundaries; received 2 and 2"):
        schedules.PiecewiseConstantDecay([1, 2], [1, 2])
    with pytest.raises(ValueError, match="Unknown schedule"):
        optimizers.SGD({"class_name": "LinearDecay", "config": {}})
