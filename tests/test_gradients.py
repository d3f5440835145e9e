"""Gradients against central differences in float64: every activation, loss and layer, with weights, penalties and
every kind of tail.

A difference of fourth order, (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h, leaves up to 1e-10 of rounding. Points lie
farther from kinks than it reaches.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from engine_models import (
    SIZES,
    WIDE,
    build,
    chain,
    compiled,
    fill,
    formula,
    inputs,
    noise,
    numbers,
    parameters,
    targets,
)
from reference import FUSED, Array
from reference_network import Key, Layer, Network, Optimizer, Rule

from nnlite import _engine
from nnlite._engine import EngineModel, Run

STEP, RELATIVE, FLOOR = 1e-4, 1e-7, 1e-10
SHAPES = [
    (1, 1, 1),
    (1, 16, 17),
    (2, 15, 16),
    (15, 17, 2),
    (16, 3, 15),
    (17, 2, 17),
    (33, 16, 1),
]  # rows, inputs, units
both_storages = pytest.mark.parametrize("width", [17, WIDE])  # see engine_models.WIDE


def directions(shape: tuple[int, ...]) -> Iterator[Array]:
    """Every element of a small tensor; of a large one the corners, where tails are, and random directions of length
    1."""
    size = int(np.prod(shape))
    for element in range(size) if size <= 40 else (0, shape[-1] - 1, size - shape[-1], size - 1):
        yield (np.arange(size) == element).reshape(shape).astype(np.float64)
    for salt in range(12 if size > 40 else 0):
        v = noise(shape, 900 + salt)
        yield v / np.sqrt((v**2).sum())


def difference(value: Callable[[], float], move: Callable[[Array], None], start: Array, v: Array) -> float:
    values = []
    for k in (-2, -1, 1, 2):
        move(start + k * STEP * v)
        values.append(value())
    move(start)
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * STEP)


def check(model: EngineModel, value: Callable[[], float], gradients: dict[Key, Array]) -> None:
    """value() must change with each tensor as its gradient says, relative to the largest slope seen in that tensor."""
    size = abs(value())
    for i, (layer, name, shape, trainable) in enumerate(model.tensors()):
        if not trainable:
            continue
        start, gradient = model.read(0, i), gradients[layer, name]
        pairs = [
            (difference(value, lambda w, i=i: model.write(0, i, w), start, v), float((gradient * v).sum()))
            for v in directions(shape)
        ]
        measured, claimed = np.array(pairs).T
        allowed = RELATIVE * np.abs(claimed).max() + FLOOR * max(1, size)
        error = float(np.abs(measured - claimed).max())
        assert error <= allowed, f"layer {layer} {name}: {claimed} is not the slope {measured}"


def training_loss(model: EngineModel, run: Run) -> Callable[[], float]:
    """The loss of the bound batch in training, penalties included, by a step of length 0 that is then undone."""
    state = model.state | {"learning_rate": 0.0}

    def value() -> float:
        model.state = state
        run.advance(1, 1)
        return run.last[0]

    return value


def step_gradients(model: EngineModel, run: Run) -> dict[Key, Array]:
    """What one step of sgd with rate 1 takes off each tensor; the step is undone."""
    before, state = parameters(model), model.state
    run.advance(1, 1)
    taken = {key: before[key] - after for key, after in parameters(model).items()}
    for i, (layer, name, _, _) in enumerate(model.tensors()):
        model.write(0, i, before[layer, name])
    model.state = state
    return taken


def check_training(model: EngineModel, x: Array, t: Array, weights: Array | None = None) -> None:
    """A whole training step on one batch, and the gradients it leaves behind."""
    run = Run(model, len(x))
    run.bind(x, t, weights, 0)
    taken = step_gradients(model, run)
    left = parameters(model, buffer=1)
    for layer, name, _, trainable in model.tensors():
        if trainable:
            np.testing.assert_allclose(taken[layer, name], left[layer, name], rtol=1e-12, atol=1e-15)
    check(model, training_loss(model, run), left)


def check_parts(model: EngineModel, layers: list[Layer], x: Array) -> None:
    """Run.forward and Run.backward, for the loss sum(dy * y) and what activity_regularization adds."""
    run, penalised = Run(model, len(x)), any(row == "activity_regularization" for row, _, _ in layers)
    dy = noise((len(x), model.output_units), 303) + 1 / 16

    def value() -> float:
        total = float((dy * run.forward(x, True)).sum())
        if penalised:
            network = Network(layers, parameters(model), ("mean_squared_error", ()), Optimizer("sgd"))
            network.forward(x, training=True)
            total += network.activity_penalty()
        return total

    value()
    run.backward(dy)
    check(model, value, parameters(model, buffer=1))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("row", _engine.rows("layer"))
@both_storages
def test_layer(row: str, shape: tuple[int, int, int], width: int) -> None:
    """Every layer between dense ones, and every activation among them, at sizes around the 16 lanes."""
    rows, columns, units = shape
    layers = chain(f"dense {units}", f"dense {units}" if row == "dense" else row, f"dense {width}", "dense 3")
    x = inputs(rows, columns)
    check_parts(build(layers, columns), layers, x)
    check_training(compiled(build(layers, columns)), x, targets("mean_squared_error", rows, 3))


@pytest.mark.parametrize("row", _engine.rows("layer"))
@pytest.mark.parametrize("place", ["first", "last"])
@both_storages
def test_layer_at_the_end(row: str, place: str, width: int) -> None:
    """The first layer has no input gradient to give, the last one takes the gradient of the loss."""
    item = f"dense {width}" if row == "dense" else row
    if place == "first":
        layers = chain(item, f"dense {width}", "tanh", "dense 2")
    else:
        layers = chain(f"dense {width}", "tanh", "dense 17", item)
    x = inputs(5, 9)
    check_parts(build(layers, 9, salt=3), layers, x)
    model = compiled(build(layers, 9, salt=3))
    check_training(model, x, targets("mean_squared_error", 5, model.output_units))


@pytest.mark.parametrize("row", _engine.rows("layer"))
@both_storages
def test_layer_twice(row: str, width: int) -> None:
    """Two of a kind in a row, where layers share places of the workspace, then a third behind one that keeps its
    output."""
    item = "dense 17" if row == "dense" else row
    layers = chain(f"dense {width}", item, item, "tanh", item, "dense 2")
    check_training(compiled(build(layers, 4)), inputs(5, 4), targets("mean_squared_error", 5, 2))


@pytest.mark.parametrize("first", _engine.rows("layer"))
@both_storages
def test_layer_pairs(first: str, width: int) -> None:
    """Every layer behind every other: what one keeps for its backward pass, the next must not write over."""
    for second in _engine.rows("layer"):
        items = ("dense 17" if row == "dense" else row for row in (first, second))
        layers = chain(f"dense {width}", *items, "dense 2")
        model = compiled(build(layers, 4, salt=1))  # salt: away from the kinks of sparsemax
        run = Run(model, 3)
        run.bind(inputs(3, 4), targets("mean_squared_error", 3, 2), None, 0)
        step_gradients(model, run)
        left = parameters(model, buffer=1)
        value = training_loss(model, run)
        v, start = noise((4, width), 41), model.read(0, 0)
        slope = difference(value, lambda w, model=model: model.write(0, 0, w), start, v / 16)
        claimed = float((left[0, "kernel"] * v / 16).sum())
        assert abs(slope - claimed) <= RELATIVE * np.abs(left[0, "kernel"]).max() + FLOOR * 10, (
            f"{first}, then {second}"
        )


def center(activation: str) -> float:
    """Where the activation's outputs lie within (0.2, 0.8), so that every loss has a slope there; softmax does
    everywhere."""
    for middle in (0.5, -0.75, 0.25, 0.0, 1.0, -2.0):
        y = _engine.activate(activation, numbers("activation", activation), np.array([[middle - 0.1, middle + 0.1]]))
        if y.min() > 0.2 and y.max() < 0.8:
            return middle
    return 0.5


def loss_model(
    loss: str, activation: str, units: int, fuse: bool, width: int = 4, weight: float = 1.0, total: bool = False
) -> EngineModel:
    """A small net whose outputs lie where the loss is smooth."""
    model = build(chain(f"dense {width}", "tanh", f"dense {units}", activation), 3, salt=17)
    model.write(0, 2, model.read(0, 2) / (4 + width))
    model.write(0, 3, center(activation) + model.read(0, 3) / 4)
    return compiled(model, loss, fuse=fuse, weight=weight, total=total)


@pytest.mark.parametrize("activation", _engine.rows("activation"))
@pytest.mark.parametrize("loss", _engine.rows("loss"))
def test_loss_behind_activation(loss: str, activation: str) -> None:
    """Every loss behind every activation, with sample weights, fused where a fused gradient exists."""
    formula("loss", loss)
    weights = np.array([1.0, 0.25, 0.0, 2.5, 1.0])
    for fuse in (False, True) if (activation, loss) in FUSED else (True,):
        for width in (4, WIDE):
            model = loss_model(loss, activation, 3, fuse, width)
            if activation.startswith("log_") and np.isnan(Run(model, 5).evaluate(inputs(5, 3), targets(loss, 5, 3))[0]):
                continue  # logarithms of probabilities are negative, where not every loss has a value
            check_training(model, inputs(5, 3), targets(loss, 5, 3), weights)


@pytest.mark.parametrize("units", SIZES)
@pytest.mark.parametrize("loss", _engine.rows("loss"))
@pytest.mark.parametrize("width", [4, WIDE])
def test_loss_at_every_tail(loss: str, units: int, width: int) -> None:
    """Every loss over 1 to 33 outputs and rows, scaled by a weight, as a mean and as a sum over the rows."""
    for rows, outputs, total in ((3, units, False), (3, units, True), (units, 3, False)):
        model = loss_model(loss, "linear", outputs, False, width, weight=0.75, total=total)
        check_training(model, inputs(rows, 3), targets(loss, rows, outputs), np.linspace(0.5, 2, rows))


@pytest.mark.parametrize("units", SIZES)
@pytest.mark.parametrize(("activation", "loss"), FUSED)
@both_storages
def test_fused_equals_unfused(activation: str, loss: str, units: int, width: int) -> None:
    """Where no probability is clipped, the gradient at the logits and the one through the activation are the same."""
    gradients = []
    for fuse in (True, False):
        model = loss_model(loss, activation, units, fuse, width)
        run = Run(model, 7)
        run.bind(inputs(7, 3), targets(loss, 7, units), None, 0)
        run.advance(1, 1)
        gradients.append(parameters(model, buffer=1))
    for key, gradient in gradients[0].items():
        if units > 1 or activation != "softmax":  # a softmax of one unit is 1, which is clipped
            np.testing.assert_allclose(gradient, gradients[1][key], rtol=1e-12, atol=1e-14)


def test_fused_is_alive_where_unfused_is_dead() -> None:
    """A row that is wrong with certainty: the clipped loss has no slope, the fused one pulls."""
    for fuse in (True, False):
        model = compiled(build(chain("dense 1", "sigmoid"), 1), "binary_crossentropy", fuse=fuse)
        model.write(0, 0, np.array([[60.0]]))
        run = Run(model, 1)
        run.bind(np.array([[1.0]]), np.array([[0.0]]), None, 0)
        run.advance(1, 1)
        assert (abs(model.read(1, 0)[0, 0]) > 0.5) == fuse


@pytest.mark.parametrize("rule", [Rule(l1=0.05), Rule(l2=0.07), Rule(l1=0.03, l2=0.02)], ids=["l1", "l2", "l1_l2"])
@both_storages
def test_penalties(rule: Rule, width: int) -> None:
    """Penalties of kernels, biases and scales are part of the loss and of the gradients."""
    layers = chain(f"dense {width}", "batch_normalization", "tanh", "dense 3", "softmax")
    rules = {
        (0, "kernel"): rule,
        (0, "bias"): rule,
        (1, "gamma"): rule,
        (3, "kernel"): rule,
        (3, "bias"): Rule(trainable=False, l2=0.5),
    }
    model = compiled(build(layers, 5, rules=rules), "categorical_crossentropy", fuse=True)
    check_training(model, inputs(6, 5), targets("categorical_crossentropy", 6, 3), np.array([1, 2, 0.5, 0, 1, 1.0]))


def test_penalty_of_a_frozen_tensor_is_charged_but_does_not_move_it() -> None:
    rules = {(0, "kernel"): Rule(trainable=False, l2=0.5)}
    model = compiled(build(chain("dense 3"), 2, rules=rules))
    kernel, x = model.read(0, 0), inputs(4, 2)
    run = Run(model, 4)
    run.bind(x, run.predict(x), None, 0)
    run.advance(1, 1)
    assert run.last[0] == pytest.approx(0.5 * (kernel**2).sum(), rel=1e-14)
    assert (model.read(0, 0) == kernel).all()


MIXTURES: dict[str, list[Layer]] = {
    "dropout twice": chain("dropout", "dense 7", "batch_normalization", "relu", "dropout", "dense 2"),
    "wide": chain(
        "batch_normalization",
        "dense 40",
        "elu",
        ("dropout", 0, (0.75,)),
        "activity_regularization",
        "dense 2",
        "softplus",
    ),
    "statistics without tensors": chain(
        "dense 9",
        "activity_regularization",
        "batch_normalization",
        ("batch_normalization", 0, (0.5, 0.01, 0.0, 0.0)),
        "dense 2",
        "selu",
    ),
    "no bias": chain("activity_regularization", ("dense", 41, (0.0,)), "softmax", "dropout", "softsign", "dense 2"),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_mixtures(name: str) -> None:
    """Training with masks, batch statistics, penalties and weights all at once, at a step that is not the first."""
    model = compiled(build(MIXTURES[name], 6))
    model.state = model.state | {"iterations": 5, "seed": 2**63 + 11}
    check_training(model, inputs(9, 6), targets("mean_squared_error", 9, 2), np.linspace(0, 2, 9))


@pytest.mark.parametrize("row", _engine.rows("layer"))
@both_storages
def test_float32_gradients_follow_float64(row: str, width: int) -> None:
    """The two number types are compiled from one source; float32 may lose only its own rounding."""
    gradients = []
    for dtype in ("float32", "float64"):
        model = compiled(
            build(chain(f"dense {width}", f"dense {width}" if row == "dense" else row, "dense 3"), 9, dtype)
        )
        run = Run(model, 6)
        run.bind(inputs(6, 9, dtype), targets("mean_squared_error", 6, 3).astype(np.float32).astype(dtype), None, 0)
        run.advance(1, 1)
        gradients.append(parameters(model, buffer=1))
    largest = max(float(np.abs(gradient).max()) for gradient in gradients[1].values())
    for key, single in gradients[0].items():
        np.testing.assert_allclose(single, gradients[1][key], rtol=0, atol=1e-5 * largest)


@both_storages
def test_gradients_do_not_depend_on_what_was_there_before(width: int) -> None:
    """A workspace that has seen larger batches and other data gives the same bits as a fresh one."""
    layers = chain(f"dense {width}", "batch_normalization", "elu", "dropout", "dense 3", "softmax")
    x, dy = inputs(4, 5), noise((4, 3), 8)
    fresh, used = fill(build(layers, 5)), fill(build(layers, 5))
    old, new = Run(used, 32), Run(fresh, 32)
    old.forward(1e3 * inputs(32, 5, salt=5), True)
    old.backward(1e3 * noise((32, 3), 9))
    fill(used)
    for run in (old, new):
        run.forward(x, True)
        run.backward(dy)
    for key, gradient in parameters(fresh, buffer=1).items():
        assert gradient.tobytes() == parameters(used, buffer=1)[key].tobytes(), key
