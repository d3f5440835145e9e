"""Activations, regularizers, constraints and whole optimizer steps written in Python: against the same in the engine,
and what is said of nonsense. (Losses: test_losses.py; metrics: test_more_metrics.py; schedules: test_schedules.py.)"""

import copy
from typing import Any

import numpy as np
import pytest

from nnlite import Sequential, activations, callbacks, constraints, layers, optimizers, regularizers
from nnlite.errors import ArgumentError, ShapeError, UnsupportedError
from nnlite.models import load_model

R = np.random.default_rng(3)
X = R.normal(size=(22, 3))
Y = np.sin(X.sum(axis=1, keepdims=True))


def net(
    width: int = 4, dtype: str = "float64", activation: Any = "tanh", last: Any = None, **kernel: Any
) -> Sequential:
    return Sequential(
        [
            layers.Dense(width, activation=activation, input_dim=3, dtype=dtype, **kernel),
            layers.Dense(1, activation=last),
        ],
        seed=5,
    )


def trained(model: Sequential, optimizer: Any = "sgd", loss: Any = "mse", **how: Any) -> tuple[list[Any], list[float]]:
    model.compile(optimizer, loss, metrics=["mae"])
    how = {"batch_size": 6, "epochs": 3, "verbose": 0} | how
    history = model.fit(X, Y, validation_data=(X, Y), **how).history
    evaluated = model.evaluate(X, Y, verbose=0)
    assert evaluated == pytest.approx([history["val_loss"][-1], history["val_mean_absolute_error"][-1]], rel=1e-9)
    return model.get_weights(), [value for column in history.values() for value in column]


def same(one: tuple[list[Any], list[float]], other: tuple[list[Any], list[float]], rtol: float = 1e-10) -> None:
    for a, b in zip(one[0], other[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 10)
    np.testing.assert_allclose(one[1], other[1], rtol=max(rtol, 1e-9))


# ---- activations ----


def bent(x: Any) -> Any:
    return np.tanh(x)


class WithGradient:
    __name__ = "bent_by_hand"

    def __call__(self, x: Any) -> Any:
        return np.tanh(x)

    def gradient(self, x: Any, dy: Any) -> Any:
        return dy * (1 - np.tanh(x) ** 2)


def shares(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("width", [4, 130], ids=["narrow", "wide"])
@pytest.mark.parametrize(
    ("function", "name"),
    [(bent, "tanh"), (WithGradient(), "tanh"), (shares, "softmax")],
    ids=["bent", "hand", "shares"],
)
def test_activations(function: Any, name: str, width: int) -> None:
    """Of a layer, of an Activation layer, by a loss of the engine's and by one of Python's, at any size of batch."""
    same(trained(net(width, activation=function)), trained(net(width, activation=name)), 1e-7)
    alone, known = net(width, "float64", None), net(width, "float64", None)
    alone.add(layers.Activation(function))
    known.add(layers.Activation(name))
    loss = lambda t, p: (t - p) ** 2  # noqa: E731
    same(trained(alone, "adam", loss, batch_size=22), trained(known, "adam", "mse", batch_size=22), 1e-6)
    np.testing.assert_allclose(alone.predict(X[:1]), known.predict(X[:1]), rtol=1e-6)
    np.testing.assert_allclose(activations.get(function)(X), activations.get(name)(X), rtol=1e-12)


def test_an_activation_survives_copies_and_files(tmp_path: Any) -> None:
    model = net(activation=bent)
    for again in (copy.deepcopy(model), Sequential.from_config(model.get_config())):
        assert again.layers[0].activation == model.layers[0].activation
    model.save(tmp_path / "net.nnlite")
    again = load_model(tmp_path / "net.nnlite", custom_objects={"bent": bent})
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_function_that_passes_on_is_the_engines() -> None:
    assert activations.get(lambda x: activations.relu(x, alpha=0.1)).record.name == "leaky_relu"


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (np.zeros((2, 2)), ShapeError, r"activation 'given' must return the shape of its input.*returned \(2, 2\)"),
        ("text", ArgumentError, "activation 'given' must return real numbers; it returned 'text'"),
        (None, ArgumentError, "activation 'given' must return real numbers; it returned None"),
    ],
)
def test_nonsense_from_an_activation(returned: Any, error: Any, message: str) -> None:
    """It is told where it happens, and the weights stay as they are."""
    sensible = True

    def given(x: Any) -> Any:
        return x * 2 if sensible else returned

    model = net(activation=given)
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    before, sensible = model.get_weights(), False
    for call in (lambda: model.fit(X, Y, verbose=0), lambda: model.predict(X), lambda: model.evaluate(X, Y, verbose=0)):
        with pytest.raises(error, match=message):
            call()
    sensible = True
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    given.gradient = lambda x, dy: np.zeros(3)  # type: ignore[attr-defined]
    with pytest.raises(ShapeError, match="the gradient of activation 'given' must have the shape of its input"):
        model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_an_activation_raises_comes_out() -> None:
    def broken(x: Any) -> Any:
        raise LookupError("of my own")

    with pytest.raises(LookupError, match="of my own"):
        net(activation=broken).predict(X)


def test_history_before_an_activation_raises() -> None:
    """It has the epochs that had ended, as weights and optimizer are those of the last step."""
    calls = []

    def breaking(x: Any) -> Any:
        calls.append(len(x))
        if len(calls) > 40:
            raise LookupError("of my own")
        return x * 1.0

    breaking.gradient = lambda x, dy: dy  # type: ignore[attr-defined]
    model = net(activation=breaking)
    model.compile("sgd", "mse")
    with pytest.raises(LookupError):
        model.fit(X, Y, batch_size=len(X), epochs=100, verbose=0)
    assert model.history is not None
    assert model.history.epoch == list(range(40)) == list(range(model.engine.epochs_done))
    assert len(model.history.history["loss"]) == 40


def test_an_activation_that_is_not_finite_is_told() -> None:
    model = net(activation=lambda x: np.where(x > 0, np.nan, x))
    model.compile("sgd", "mse")
    with pytest.warns(RuntimeWarning, match="the loss is not finite since in epoch 1, step 1"):
        model.fit(X, Y, verbose=0)


# ---- regularizers and constraints ----


def squares(w: Any) -> Any:
    return 0.25 * (w**2).sum()


def squares_by_hand(w: Any) -> Any:
    return squares(w)


squares_by_hand.gradient = lambda w: 0.5 * w  # type: ignore[attr-defined]


class Squares(regularizers.Regularizer):
    def __call__(self, w: Any) -> float:
        return float(squares(w))


@pytest.mark.parametrize("regularizer", [squares, squares_by_hand, Squares()], ids=["function", "by hand", "class"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_regularizers(regularizer: Any, optimizer: str) -> None:
    found = trained(net(kernel_regularizer=regularizer, bias_regularizer="l2"), optimizer)
    same(found, trained(net(kernel_regularizer=regularizers.l2(0.25), bias_regularizer="l2"), optimizer), 1e-7)
    with_own_loss = trained(
        net(kernel_regularizer=regularizer, bias_regularizer="l2"), optimizer, lambda t, p: (t - p) ** 2
    )
    same(with_own_loss, found, 1e-7)


def test_rules_of_a_model_built_by_its_first_call() -> None:
    """The penalty counts and the constraint holds from there on."""

    def unbuilt() -> Sequential:
        small = layers.Dense(1, kernel_regularizer=squares, kernel_constraint=lambda w: np.clip(w, -0.1, 0.1))
        model = Sequential([small], seed=5)
        model.compile("sgd", "mse")
        return model

    model = unbuilt()
    loss = model.evaluate(X, Y, verbose=0)
    assert loss == model.evaluate(X, Y, verbose=0)
    assert (
        loss
        == unbuilt().train_on_batch(X, Y)
        == pytest.approx(((model.predict(X) - Y) ** 2).mean() + squares(model.get_weights()[0]))
    )
    model = unbuilt()
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert history["val_loss"] == [model.evaluate(X, Y, verbose=0)]
    assert abs(model.get_weights()[0]).max() <= 0.1 + 1e-7


ORTHOGONAL = [
    ("rows", 0.017197981, [-0.02047378, 0.0622403, -0.2080136, -0.06921919, -0.1358747, -0.0395233]),
    ("columns", 0.24201143, [-0.01044232, -0.01016626, -0.002092373, 0.0417692, -0.02033251, 0.0003487282]),
]


def test_orthogonal_regularizer() -> None:
    """Values: Keras 3.15.1 on PyTorch."""
    w = np.array([[1.0, 2.0, 0.5], [0.25, -1.0, 3.0]])
    for mode, value, slope in ORTHOGONAL:
        regularizer = regularizers.OrthogonalRegularizer(0.5, mode)
        assert regularizer(w) == pytest.approx(value, rel=1e-6)
        np.testing.assert_allclose(regularizer.gradient(w).ravel(), slope, rtol=1e-5, atol=1e-8)
    with pytest.raises(ShapeError, match=r"takes kernels, of two axes; received shape \(3,\)"):
        regularizers.OrthogonalRegularizer()(np.ones(3))


def test_nonsense_from_a_regularizer() -> None:
    model = net(kernel_regularizer=lambda w: w)
    model.compile("sgd", "mse")
    with pytest.raises(ShapeError, match=r"the regularizer of dense\S*/kernel:0 must return one number.*\(3, 4\)"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(UnsupportedError, match="activity_regularizer of Dense must be l1, l2 or l1_l2"):
        net(activity_regularizer=squares)


def shorter(w: Any) -> Any:
    norm = np.sqrt((w**2).sum(axis=0, keepdims=True))
    return w * np.minimum(norm, 0.5) / (1e-7 + norm)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_constraints(optimizer: str) -> None:
    found = trained(net(kernel_constraint=shorter, bias_constraint="non_neg"), optimizer)
    same(found, trained(net(kernel_constraint=constraints.MaxNorm(0.5), bias_constraint="non_neg"), optimizer))


def test_a_constraint_over_another_axis() -> None:
    model = net(kernel_constraint=constraints.MaxNorm(0.5, axis=1))
    trained(model, "adam")
    norms = np.sqrt((model.get_weights()[0] ** 2).sum(axis=1))
    assert norms.max() == pytest.approx(0.5, rel=1e-6)
    assert constraints.UnitNorm(axis=[0, 1])(np.full((2, 2), 3.0)) == pytest.approx(0.5)


def test_nonsense_from_a_constraint() -> None:
    model = net(kernel_constraint=lambda w: w[0])
    model.compile("sgd", "mse")
    with pytest.raises(ShapeError, match=r"the constraint of dense\S*/kernel:0 must return its shape, \(3, 4\)"):
        model.fit(X, Y, verbose=0)


# ---- optimizers ----


def descend(weights: Any, gradients: Any, state: Any) -> Any:
    return [w - 0.01 * g for w, g in zip(weights, gradients, strict=True)]


def roll(weights: Any, gradients: Any, state: Any, learning_rate: float, iterations: int) -> None:
    speeds = state.setdefault("speeds", [np.zeros_like(w) for w in weights])
    assert state.setdefault("steps", 0) == iterations
    state["steps"] += 1
    for w, g, v in zip(weights, gradients, speeds, strict=True):
        v[...] = 0.9 * v - learning_rate * g
        w += v


class Rolling(optimizers.Optimizer):
    """As one is written for Keras 3."""

    def __init__(self, learning_rate: float = 0.01, name: str = "rolling", **options: Any) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **options)

    def build(self, variables: Any) -> None:
        super().build(variables)
        self.speeds = [self.add_variable_from_reference(v, "speed") for v in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: float) -> None:
        speed = self.speeds[self._get_variable_index(variable)]
        self.assign(speed, 0.9 * speed - learning_rate * gradient)
        self.assign_add(variable, speed)


@pytest.mark.parametrize(
    ("written", "known"),
    [
        (descend, optimizers.SGD(0.01)),
        (optimizers.PythonOptimizer(roll, 0.02), optimizers.SGD(0.02, 0.9)),
        (Rolling(0.02), optimizers.SGD(0.02, 0.9)),
        (Rolling(0.02, clipvalue=0.1, decay=0.1), optimizers.SGD(0.02, 0.9, clipvalue=0.1, decay=0.1)),
        (Rolling(0.02, clipnorm=0.1, weight_decay=0.1), optimizers.SGD(0.02, 0.9, clipnorm=0.1, weight_decay=0.1)),
        (Rolling(0.02, global_clipnorm=0.1), optimizers.SGD(0.02, 0.9, global_clipnorm=0.1)),
    ],
    ids=lambda one: getattr(one, "__name__", repr(one))[:40],
)
def test_optimizers(written: Any, known: Any) -> None:
    rules = {"kernel_regularizer": "l2", "bias_constraint": "non_neg", "kernel_constraint": shorter}
    same(trained(net(**rules), written), trained(net(**rules), known))
    model, other = net(**rules), net(**rules)
    model.layers[1].trainable = other.layers[1].trainable = False
    same(trained(model, written), trained(other, known))


def test_an_optimizer_goes_on_where_it_was() -> None:
    once, twice = net(), net()
    optimizer = optimizers.PythonOptimizer(roll, 0.02)
    once.compile(optimizer, "mse")
    twice.compile(optimizer, "mse")
    once.fit(X, Y, epochs=4, verbose=0)
    twice.fit(X, Y, epochs=2, verbose=0)
    twice.fit(X, Y, epochs=2, verbose=0)
    for a, b in zip(once.get_weights(), twice.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    twice.compile(optimizer, "mse")
    twice.fit(X, Y, verbose=0)  # which asserts that it starts anew


def test_a_scheduled_rate_reaches_python() -> None:
    seen = []

    def note(weights: Any, gradients: Any, state: Any, learning_rate: float) -> Any:
        seen.append(learning_rate)
        return weights

    model = net(kernel_regularizer="l2")
    before = model.get_weights()
    model.compile(optimizers.PythonOptimizer(note, lambda step: 1 / (1 + step)), "mse")
    model.fit(X, Y, batch_size=6, verbose=0)
    model.train_on_batch(X, Y)
    assert seen == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])
    model.compile(optimizers.PythonOptimizer(note, 0.5), "mse")
    model.optimizer.lr = 0.25
    model.train_on_batch(X, Y)
    assert seen[-1] == 0.25
    for a, b in zip(before, model.get_weights(), strict=True):  # the engine took no step of its own
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        ([], ShapeError, "optimizer 'given' must return an array for each of the 4 weights; it returned 0"),
        ([np.zeros(2)] * 4, ShapeError, r"optimizer 'given' must return weights of their shape; dense\S*/kernel:0 has"),
        (["a", "b", "c", "d"], ArgumentError, "optimizer 'given' must return real numbers; it returned 'a'"),
    ],
)
def test_nonsense_from_an_optimizer(returned: Any, error: Any, message: str) -> None:
    def given(weights: Any, gradients: Any, state: Any) -> Any:
        return returned

    model = net()
    model.compile(given, "mse")
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_that_are_not_finite_are_told() -> None:
    model = net()
    model.compile(lambda weights, gradients, state: [w * np.nan for w in weights], "mse")
    with pytest.warns(RuntimeWarning, match="the loss is not finite since in epoch 1, step 2"):
        model.fit(X, Y, batch_size=6, verbose=0)


# ---- steps of several batches, averages of the weights. Values: Keras 3.15.1 on PyTorch ----


def test_several_batches_make_a_step() -> None:
    """As one batch of all their rows, where they are alike."""
    how = {"shuffle": False, "batch_size": 11}
    for optimizer in (optimizers.Adam, optimizers.SGD):
        found = trained(net(kernel_regularizer="l2"), optimizer(gradient_accumulation_steps=2), **how)
        plain = trained(net(kernel_regularizer="l2"), optimizer(), shuffle=False, batch_size=22)
        same((found[0], []), (plain[0], []))


def test_batches_without_a_step_constrain_the_weights_too() -> None:
    model = net(kernel_constraint=constraints.MaxNorm(0.5))
    model.compile(optimizers.SGD(gradient_accumulation_steps=2), "mse")
    start = model.get_weights()
    model.train_on_batch(X, Y)
    wanted = constraints.MaxNorm(0.5)(start[0])
    assert abs(wanted - start[0]).max() > 0.1
    np.testing.assert_allclose(model.get_weights()[0], wanted, rtol=1e-12)
    np.testing.assert_array_equal(model.get_weights()[1], start[1])


def of_keras(optimizer: Any) -> list[float]:
    """What comes of a few epochs; of keras.* as well."""
    model = Sequential([layers.Input((3,)), layers.Dense(2, activation="tanh"), layers.Dense(1)])
    model.layers[0].set_weights([np.array([[0.5, -0.25], [0.125, 0.75], [-0.5, 1.0]]), np.array([0.25, -0.125])])
    model.layers[1].set_weights([np.array([[0.5], [-1.5]]), np.array([0.25])])
    model.compile(optimizer, "mse")
    history = model.fit(np.round(X, 3), np.round(Y, 3), batch_size=6, epochs=3, shuffle=False, verbose=0).history[
        "loss"
    ]
    return [*history, *model.layers[0].get_weights()[0].ravel().tolist()]


BY_STEPS: list[tuple[dict[str, Any], list[float]]] = [
    (
        {"gradient_accumulation_steps": 3},
        [2.491416, 2.120136, 1.845692, 0.362978, -0.2306192, 0.3241995, 0.5545139, -0.3023741, 0.8028393],
    ),
    (
        {"use_ema": True},
        [2.301017, 1.452172, 0.9331565, 0.5463289, -0.1952601, 0.2012295, 0.6764342, -0.4212918, 0.9211874],
    ),
    (
        {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
        [2.328942, 1.625368, 1.17052, 0.4748808, -0.1969602, 0.4914374, 0.4101496, -0.1101747, 0.6097285],
    ),
    (
        {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.75, "clipnorm": 0.1, "weight_decay": 0.1},
        [2.433728, 1.817882, 1.400148, 0.3617186, -0.209775, 0.3356657, 0.5363035, -0.2806572, 0.7800742],
    ),
    (
        {"loss_scale_factor": 16.0},
        [2.301017, 1.452172, 0.9331565, 0.4553975, -0.1915943, 0.6172339, 0.277901, 0.02484696, 0.4609199],
    ),
]


@pytest.mark.parametrize(("options", "expected"), BY_STEPS, ids=lambda one: str(one)[:60])
def test_steps_of_keras3(options: dict[str, Any], expected: list[float], keras3: None) -> None:
    np.testing.assert_allclose(of_keras(optimizers.Adam(0.05, **options)), expected, rtol=5e-5, atol=1e-5)
    again = optimizers.get(optimizers.serialize(optimizers.Adam(0.05, **options)))
    assert again.get_config() == optimizers.Adam(0.05, **options).get_config()


OF_OPTIMIZERS = [
    (
        optimizers.Adafactor(0.05),
        [2.3756, 1.778395, 1.403506, 0.5186206, -0.3050903, 0.387582, 0.5447247, -0.2682948, 0.7445621],
    ),
    (
        optimizers.Adafactor(0.3, weight_decay=0.1, clip_threshold=0.5, beta_2_decay=-0.5),
        [1.933113, 0.701194, 0.3379991, 0.6090062, -0.4172618, 0.7123981, 0.0150359, 0.1581453, 0.1331742],
    ),
    (
        optimizers.Lamb(0.05),
        [2.304765, 1.554749, 1.100189, 0.5585268, -0.2643131, 0.4706312, 0.4214117, -0.1298677, 0.6190391],
    ),
    (
        optimizers.Lamb(0.05, 0.8, 0.9, weight_decay=0.1, clipnorm=0.5),
        [2.308661, 1.549536, 1.076455, 0.5692595, -0.2759254, 0.4481157, 0.3964953, -0.1266823, 0.5930927],
    ),
]


@pytest.mark.parametrize(("optimizer", "expected"), OF_OPTIMIZERS, ids=lambda one: str(one)[:30])
def test_optimizers_that_python_computes(optimizer: Any, expected: list[float], keras3: None) -> None:
    optimizer = optimizers.get(optimizers.serialize(optimizer))
    np.testing.assert_allclose(of_keras(optimizer), expected, rtol=5e-5, atol=1e-5)
    np.testing.assert_allclose(of_keras(optimizer), expected, rtol=5e-5, atol=1e-5)  # another model starts anew


def test_averages_made_before_leave_a_later_training_alone() -> None:
    """Once use_ema is off, a fit ends with its own weights, not with those averaged in an earlier one."""
    averaged, plain = net(), net()
    averaged.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    averaged.fit(X, Y, 22, 3, 0)
    averaged.optimizer.use_ema = False
    plain.compile(optimizers.SGD(0.1), "mse")
    plain.set_weights(averaged.get_weights())
    for model in (averaged, plain):
        model.fit(X, Y, 22, 2, 0, shuffle=False)
    for a, b in zip(plain.get_weights(), averaged.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_averages_take_the_place_of_weights_for_validation() -> None:
    """SwapEMAWeights: evaluation sees the averages, training goes on with the weights."""
    plain, swapped = net(), net()
    plain.compile(optimizers.SGD(0.1), "mse")
    swapped.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    first, average = [w.copy() for w in plain.get_weights()], None
    losses = []
    for _ in range(3):
        plain.train_on_batch(X, Y)
        now = plain.get_weights()
        average = now if average is None else [0.5 * a + 0.5 * w for a, w in zip(average, now, strict=True)]
        other = net()
        other.set_weights(average)
        other.compile("sgd", "mse")
        losses.append(other.evaluate(X, Y, verbose=0))
    assert not np.array_equal(first[0], plain.get_weights()[0])
    swap = callbacks.SwapEMAWeights()
    history = swapped.fit(X, Y, 22, 3, 0, callbacks=[swap], validation_data=(X, Y)).history
    assert history["val_loss"] == pytest.approx(losses)
    assert average is not None
    for a, b in zip(average, swapped.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_swapping_needs_averages() -> None:
    model = net()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="SwapEMAWeights needs an optimizer with use_ema=True"):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()])


def test_wrong_arguments(keras3: None) -> None:
    with pytest.raises(ValueError, match="ema_momentum must be between 0 and 1; received 2"):
        optimizers.Adam(use_ema=True, ema_momentum=2)
    with pytest.raises(ValueError, match="gradient_accumulation_steps must be an integer of at least 1; received 0"):
        optimizers.Adam(gradient_accumulation_steps=0)
    with pytest.raises(ValueError, match=r"only one of clipvalue.*received \['clipvalue', 'clipnorm'\]"):
        optimizers.Adam(clipvalue=1, clipnorm=1)
