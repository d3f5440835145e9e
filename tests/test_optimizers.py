"""Optimizers: their rows and numbers in both eras, their spellings, and the learning rate while training."""

import copy
import inspect
import pickle

import numpy as np
import pytest
import reference

from nnlite import _engine, config, optimizers
from nnlite.errors import ArgumentError
from nnlite.layers import Dense
from nnlite.models import Sequential

EPSILON = 1e-7


@pytest.fixture
def keras3():
    config.set_compat("keras3")
    yield
    config.set_compat("keras2")


def record(identifier):
    row, numbers, learning_rate, *_ = optimizers.get(identifier).record()
    step = inspect.signature(reference.OPTIMIZERS[row])
    assert len(step.parameters) == len(["w", "g", "state", "t", "learning_rate"]) + len(numbers)
    return row, learning_rate, numbers


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sgd", ("sgd", 0.01, ())),
        ("rmsprop", ("rmsprop", 0.001, (0.9, 0.0, EPSILON))),
        ("adagrad", ("adagrad", 0.01, (0.0, EPSILON, 0.0))),
        ("adadelta", ("adadelta", 1.0, (0.95, EPSILON))),
        ("adam", ("adam", 0.001, (0.9, 0.999, EPSILON))),
        ("adamax", ("adamax", 0.002, (0.9, 0.999, EPSILON))),
        ("nadam", ("nadam", 0.002, (0.9, 0.999, EPSILON, 0.004))),
        ("adamw", ("adam", 0.001, (0.9, 0.999, EPSILON))),
        ("lion", ("lion", 0.001, (0.9, 0.99))),
        ("ftrl", ("ftrl", 0.001, (-0.5, 0.1, 0.0, 0.0, 0.0, 0.0))),
    ],
)
def test_numbers_of_keras2(name, expected):
    assert record(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sgd", ("sgd", 0.01, ())),
        ("rmsprop", ("rmsprop", 0.001, (0.9, EPSILON, 0.0))),
        ("adagrad", ("adagrad", 0.001, (EPSILON, 0.0, 0.1))),
        ("adadelta", ("adadelta", 0.001, (0.95, EPSILON))),
        ("adam", ("adam", 0.001, (0.9, 0.999, EPSILON))),
        ("adamax", ("adamax", 0.001, (0.9, 0.999, EPSILON))),
        ("nadam", ("nadam", 0.001, (0.9, 0.999, EPSILON, 1.0))),
    ],
)
def test_numbers_of_keras3(name, expected, keras3):
    assert record(name) == expected


@pytest.mark.parametrize(
    ("optimizer", "row"),
    [
        (optimizers.SGD(momentum=0.5), ("momentum", 0.01, (0.5,))),
        (optimizers.SGD(0.1, 0.5, True), ("nesterov", 0.1, (0.5,))),
        (optimizers.SGD(nesterov=True), ("sgd", 0.01, ())),
        (optimizers.RMSprop(momentum=0.5), ("rmsprop_momentum", 0.001, (0.9, 0.0, EPSILON, 0.5))),
        (optimizers.RMSprop(centered=True), ("rmsprop_centered", 0.001, (0.9, 0.0, EPSILON, 0.0))),
        (optimizers.Adam(amsgrad=True, epsilon=0.1), ("amsgrad", 0.001, (0.9, 0.999, 0.1))),
    ],
)
def test_arguments_choose_the_row(optimizer, row):
    assert record(optimizer) == row


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS.entries)
def test_both_spellings_of_the_learning_rate(name):
    make = optimizers.OPTIMIZERS.find(name).make
    for optimizer in (make(lr=1), make(learning_rate=1), make(1), make.from_config({"lr": 1})):
        assert optimizer.lr == optimizer.learning_rate == optimizer.get_config()["learning_rate"] == 1.0
    optimizer.lr = 0.5
    assert optimizer.learning_rate == 0.5
    optimizer.lr.assign(0.25)
    assert optimizer.record().learning_rate == (0 if optimizer.in_python else 0.25)
    with pytest.raises(ArgumentError, match="lr is learning_rate"):
        make(lr=1, learning_rate=1)


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS.entries)
def test_config_round_trip(name):
    make = optimizers.OPTIMIZERS.find(name).make
    optimizer = make(0.3, decay=0.1, weight_decay=0.2, clipvalue=1, clipnorm=2, global_clipnorm=3, name="mine")
    assert make.from_config(optimizer.get_config()).record() == optimizer.record()
    assert optimizers.get(optimizers.serialize(optimizer)).get_config() == optimizer.get_config()
    assert optimizer.get_config()["name"] == "mine"
    for copied in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert copied.record() == optimizer.record()


def test_adamw_is_adam_with_weight_decay():
    assert optimizers.AdamW().record() == optimizers.Adam(weight_decay=0.004).record()
    assert (
        optimizers.AdamW(0.1, 0.2, amsgrad=True).record()
        == optimizers.Adam(0.1, weight_decay=0.2, amsgrad=True).record()
    )
    assert optimizers.AdamW(weight_decay=None).record() == optimizers.Adam().record()


def test_clipnorm_is_global_in_keras2():
    assert optimizers.SGD(clipnorm=2).record()[-3:] == (0, 0, 2)
    assert optimizers.SGD(clipnorm=2, global_clipnorm=1).record()[-3:] == (0, 0, 1)


def test_clipnorm_is_of_each_tensor_in_keras3(keras3):
    assert optimizers.SGD(clipnorm=2).record()[-3:] == (0, 2, 0)


def test_what_has_no_effect_is_taken():
    plain = optimizers.Adam(use_ema=False, ema_momentum=0.99, loss_scale_factor=None, gradient_accumulation_steps=None)
    assert plain.get_config() == optimizers.Adam(jit_compile=True).get_config() == optimizers.Adam().get_config()


def test_unknown_arguments_are_answered_with_close_ones():
    for error in (TypeError, ValueError):
        with pytest.raises(error, match=r"Adam takes no argument 'learning_rat'. Did you mean 'learning_rate'"):
            optimizers.Adam(learning_rat=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": "fast"}, "learning_rate must be a number; received 'fast'"),
        ({"lr": -1}, "learning_rate must be finite and at least 0"),
        ({"lr": float("inf")}, "learning_rate must be finite"),
        ({"beta_1": 1.0}, "beta_1 must be at least 0 and less than 1; received 1.0"),
        ({"epsilon": -1}, "epsilon must be finite and at least 0"),
        ({"decay": -0.1}, "decay must be"),
        ({"clipnorm": "a"}, "clipnorm must be a number"),
    ],
)
def test_numbers_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        optimizers.Adam(**arguments)


class Trained:
    """What an optimizer sees of a model being trained."""

    learning_rate = 0.0


def test_the_rate_of_models_follows():
    optimizer, models = optimizers.SGD(0.1), [Trained(), Trained()]
    for model in models:
        optimizer.attach(model)
    optimizer.lr = 0.2
    assert [model.learning_rate for model in models] == [0.2, 0.2]
    optimizer.detach(models[0])
    optimizer.learning_rate = 0.3
    assert [model.learning_rate for model in models] == [0.2, 0.3]


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS.entries)
def test_the_engine_takes_the_record(name):
    model = _engine.EngineModel([("dense", 2, (1.0,), ())], 3)
    optimizer = optimizers.get(name)
    model.compile(("mean_squared_error", (), 1.0, False, False, False), False, [], optimizer.record())
    optimizer.attach(model)
    optimizer.lr = 0.125
    assert model.learning_rate == (0 if optimizer.in_python else 0.125)  # which leaves it to Python


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS.entries)
def test_weights_of_an_optimizer_hold_what_it_has_come_to(name):
    def model():
        made = Sequential([Dense(3, activation="tanh", input_dim=2), Dense(1)], seed=3)
        made.compile({"class_name": name, "config": {}}, "mse")
        return made

    x = np.linspace(-1, 1, 12).reshape(6, 2)
    one, other = model(), model()
    assert one.optimizer.iterations == 0
    one.fit(x, x[:, 0], epochs=3, verbose=0)
    assert one.optimizer.iterations.numpy() == 3
    weights = one.optimizer.get_weights()
    assert len(weights) == 1 + 4 * one.engine.slots
    other.set_weights(one.get_weights())
    other.optimizer.set_weights(weights)
    if one.optimizer.in_python:  # it keeps more than these
        return
    for made in (one, other):
        made.fit(x, x[:, 0], shuffle=False, verbose=0)
    ends = [made.get_weights() + made.optimizer.get_weights() for made in (one, other)]
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    with pytest.raises(ValueError, match=r"must have the shapes \[\(\)"):
        other.optimizer.set_weights([1, np.zeros(2)])


def test_weights_of_an_optimizer_need_a_model():
    with pytest.raises(ValueError, match="has state in 0 models; build and compile one with it"):
        optimizers.Adam().get_weights()
