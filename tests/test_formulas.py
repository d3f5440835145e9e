"""Every row of the engine against its formula in reference.py, on every target, in both number types, at ordinary and
at extreme points."""

import inspect
import math

import numpy as np
import numpy.typing as npt
import pytest
from engine_models import (
    FORMULAS,
    SIZES,
    VALUES,
    WIDE,
    build,
    chain,
    compiled,
    formula,
    noise,
    numbers,
    parameters,
    targets,
)
from reference import ACTIVATIONS, FUSED, LEAST_SHARE, NOISE, ROUNDS_LIKE_INPUT, SHARES, Array, loss_gradient
from reference_network import Layer, Network, Optimizer, Rule

from nnlite import _engine
from nnlite._engine import EngineModel, Run

both_storages = pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])  # see engine_models.WIDE

HUGE = {"float32": 1e15, "float64": 1e120}  # squares stay finite


def close(actual: Array, expected: Array, dtype: str, ulps: float, scale: npt.ArrayLike = 0.0) -> None:
    """NaN for NaN, infinite for infinite; elsewhere within `ulps` roundings of the value, or of `scale` where terms
    of that size cancel.

    What is within a factor of 8 of the largest number counts as infinite."""
    info = np.finfo(dtype)
    epsilon, tiny, most = float(info.eps), float(info.smallest_subnormal), float(info.max) / 8
    got, wanted = (np.asarray(v).astype(np.float64) for v in (actual, expected))
    got, wanted = (np.where(np.abs(v) >= most, np.copysign(np.inf, v), v) for v in (got, wanted))
    allowed = ulps * (epsilon * np.maximum(np.abs(np.where(np.isfinite(wanted), wanted, 0)), scale) + tiny)
    same = (np.isnan(got) & np.isnan(wanted)) | (got == wanted)
    with np.errstate(invalid="ignore"):
        near = np.abs(got - wanted) <= allowed
    assert (same | near).all(), f"{got[~(same | near)]} instead of {wanted[~(same | near)]}"


def points(dtype: str) -> Array:
    """Ordinary numbers, kinks, where e^x begins to over- and underflow, and the ends of the number type."""
    info = np.finfo(dtype)
    magnitudes = [
        info.smallest_subnormal,
        info.tiny,
        1e-20,
        1e-6,
        1e-3,
        0.1,
        0.25,
        0.5,
        0.75,
        1,
        2,
        2.5,
        3,
        9,
        17,
        37,
        80,
        87,
    ]
    magnitudes += [88.5, 89.5, 103, 104.5, 500, 708, 709.5, 711, 744, 746, 1e4, 1e15, 1e30, info.max, np.inf]
    values = [sign * m for m in magnitudes for sign in (1, -1)] + [0.0, -0.0, np.nan]
    return np.concatenate([np.array(values), 6 * noise(100, 5, 997)]).astype(dtype)


def softmax_rows(dtype: str, units: int) -> list[Array]:
    """Rows that a function of a whole row may trip over: flat, steep, huge, infinite, NaN."""
    row = noise(units, 6, 997)
    rows = [row, 0 * row, 30 * row, 1e4 * row, 1e30 * row, row - 1e30]
    for special in (np.inf, -np.inf, np.nan):
        rows.append(np.where(np.arange(units) == units - 1, special, row))
    rows.append(np.full(units, -np.inf))
    return [r.astype(dtype) for r in rows]


def reads_whole_rows(row: str) -> bool:
    """Does one element's output depend on the others?"""
    y = _engine.activate(row, numbers("activation", row), np.array([[0.5, 0.25], [0.5, -1.0]]))
    return bool(y[0, 0] != y[1, 0])


def point_rows(row: str, dtype: str) -> list[Array]:
    """Rows to try an activation on: of all lengths if it looks at whole rows, else all points in one and 17 at a
    time."""
    if reads_whole_rows(row):
        return [r for units in SIZES for r in softmax_rows(dtype, units)]
    return [points(dtype), *np.split(points(dtype)[: 17 * 9], 9)]


def roundings(row: str, x: Array) -> float:
    """e^(x - largest) inherits the rounding of x - largest."""
    return 6 + min(float(np.ptp(np.append(x[np.isfinite(x)], 0.0))), 800) if reads_whole_rows(row) else 6


def size_of_terms(row: str, x: Array) -> Array:
    """What the rounding of the output is relative to, if not to the output itself."""
    size = np.abs(np.where(np.isfinite(x), x, 0).astype(np.float64)) if row in ROUNDS_LIKE_INPUT else np.zeros(x.shape)
    return np.full(x.shape, size.max() + 1) if row in ROUNDS_LIKE_INPUT and reads_whole_rows(row) else size


def with_least_share(row: str, y: Array, dtype: str) -> Array:
    return np.where(y < LEAST_SHARE[dtype], 0, y) if row in SHARES else y


def constant(units: int, values: Array, target: str, wide: bool, *more: str | Layer) -> EngineModel:
    """A model whose outputs are `values`, put through `more` layers, whatever its one input: dense layers with
    kernels of 0."""
    model = build(chain(*[f"dense {WIDE}"] * wide, f"dense {units}", *more), 1, values.dtype.name, target)
    for i, (_, name, shape, _) in enumerate(model.tensors()):
        if name == "kernel":
            model.write(0, i, np.zeros(shape))
        elif shape == (units,):
            model.write(0, i, values)
    return model


def last_bias(model: EngineModel) -> int:
    """The number of its tensor."""
    return max(i for i, (_, name, _, _) in enumerate(model.tensors()) if name == "bias")


@pytest.mark.parametrize("row", _engine.rows("activation"))
def test_activation(row: str, dtype: str, target: str) -> None:
    """Forward by Run.predict of a model of this one layer, in odd numbers of rows and units."""
    function, _ = formula("activation", row)
    values = numbers("activation", row)
    for x in point_rows(row, dtype):
        run = Run(build(chain((row, 0, values)), len(x), dtype, target), 2)
        batch = np.stack([x, x, x])
        with np.errstate(all="ignore"):
            expected = with_least_share(row, function(batch.astype(np.float64), *values), dtype)
        close(run.predict(batch), expected, dtype, roundings(row, x), size_of_terms(row, batch))


@pytest.mark.parametrize("row", _engine.rows("activation"))
@both_storages
def test_activation_and_slope(row: str, dtype: str, target: str, wide: bool) -> None:
    """Behind a dense layer of kernel 0 the points are the bias, and the bias' gradient is the slope itself."""
    formula("activation", row)
    (forward, backward), values = ACTIVATIONS[row], numbers("activation", row)
    for x in point_rows(row, dtype):
        model = constant(len(x), x, target, wide, (row, 0, values))
        run = Run(model, 1)
        dy = (noise((1, len(x)), 70) + 1 / 16).astype(dtype)
        y = run.forward(np.zeros((1, 1), dtype), True)
        run.backward(dy)
        exact, finite = x[None].astype(np.float64), np.isfinite(x) & np.isfinite(y[0])
        with np.errstate(all="ignore"):
            expected = with_least_share(row, forward(exact, *values), dtype)
            close(y, expected, dtype, roundings(row, x), size_of_terms(row, exact))
            slope = backward(exact, dy.astype(np.float64), *values)[0]
        if finite.all() or not reads_whole_rows(row):
            scale = np.full(len(x), np.abs(dy).sum()) if row == "log_softmax" else np.abs(dy[0])
            close(model.read(1, last_bias(model))[finite], slope[finite], dtype, 8, scale=scale[finite])


@pytest.mark.parametrize("row", _engine.rows("activation"))
@both_storages
def test_padding_never_reaches_a_gradient(row: str, dtype: str, target: str, wide: bool) -> None:
    """The bias alone overflows e^x, the row's input takes it back: lanes without a row must not turn the gradients
    into NaN."""
    bias = {"float32": 100.0, "float64": 1000.0}[dtype]
    model = compiled(build(chain("dense 3", row, f"dense {WIDE if wide else 2}"), 1, dtype, target))
    model.write(0, 0, np.full((1, 3), 1 - bias))
    model.write(0, 1, np.full(3, bias))
    run = Run(model, 5)
    run.bind(np.ones((5, 1), dtype), targets("mean_squared_error", 5, model.output_units, dtype), None, 0)
    run.advance(1, 1)
    assert all(np.isfinite(gradient).all() for gradient in parameters(model, buffer=1).values())


@pytest.mark.parametrize("row", _engine.rows("activation"))
def test_activate_equals_a_layer(row: str, dtype: str) -> None:
    """The activation as a function of arrays has the bits of the layer."""
    for units in SIZES:
        x = (3 * noise((5, units), 12, 97)).astype(dtype)
        layer = Run(build(chain(row), units, dtype), 3).predict(x)
        assert _engine.activate(row, numbers("activation", row), x).tobytes() == layer.tobytes()


def outputs(name: str, units: int, dtype: str) -> Array:
    """Outputs in the domain of every loss, (0, 1), some at its ends; logits also far outside."""
    p = 0.5 + noise((7, units), 31, 997) / 2.125
    if "logits" in name or "hinge" in name:
        p[2:] = 8 * p[2:] - 4
        p[4, 0], p[5, -1] = 50, -50
    else:
        p[4, 0], p[5, -1] = 1 - 2.0**-20, 2.0**-20
    return p.astype(dtype)


def measured(name: str, t: Array, p: Array, target: str, wide: bool) -> Array:
    """The loss or metric of each row alone, by a model whose output is that row."""
    units, dtype = p.shape[1], p.dtype.name
    model = compiled(
        constant(units, p[0], target, wide),
        name if name in _engine.rows("loss") else "mean_squared_error",
        metrics=[name],
    )
    run, bias = Run(model, 3), len(model.tensors()) - 1
    values = []
    for r in range(len(p)):
        model.write(0, bias, p[r])
        values.append(run.evaluate(np.zeros((1, 1), dtype), t[r : r + 1]))
    if name in _engine.rows("loss"):
        assert all(loss == metric or loss != loss for loss, metric in values), "as a loss and as a metric"
    return np.array(values)[:, 1]


def through(units: int, dtype: str, target: str, wide: bool) -> EngineModel:
    """A model whose outputs are its inputs, exactly."""
    if not wide:
        return build(chain("linear"), units, dtype, target)
    model = build(chain(f"dense {WIDE}", f"dense {units}"), units, dtype, target)
    for i, (_, name, shape, _) in enumerate(model.tensors()):
        model.write(0, i, np.eye(*shape) if name == "kernel" else np.zeros(shape))
    return model


@pytest.mark.parametrize("name", _engine.rows("metric"))
@both_storages
def test_loss_and_metric(name: str, dtype: str, target: str, wide: bool) -> None:
    """Every loss and metric of single rows, over every tail of units; and of all rows at once with weights and a
    remainder."""
    function, _ = formula("metric", name)
    for units in SIZES:
        p, t = outputs(name, units, dtype), targets(name, 7, units, dtype)
        with np.errstate(all="ignore"):
            expected = function(t.astype(np.float64), p.astype(np.float64), *numbers("metric", name))
        close(measured(name, t, p, target, wide), expected, dtype, 40, scale=1)
        if name in _engine.rows("loss"):
            p, t, expected = (np.concatenate([v] * 5) for v in (p, t, expected))
            weights = np.linspace(0, 2, 35).astype(dtype)
            for batch_size in (4, 17, 33):
                run = Run(compiled(through(units, dtype, target, wide), name, weight=0.5), batch_size)
                close(np.array(run.evaluate(p, t, weights)), [(0.5 * weights * expected).mean()], dtype, 80, scale=1)


@pytest.mark.parametrize("name", _engine.rows("loss"))
@pytest.mark.parametrize("special", [np.inf, -np.inf, "huge", "-huge", 0.0, 1.0, -0.5, 1.5])
@both_storages
def test_loss_at_extreme_outputs(name: str, special: float | str, dtype: str, target: str, wide: bool) -> None:
    """An output that is infinite, huge or out of the loss's domain gives what the formula gives, where it is not 0 *
    inf or the like."""
    function, _ = formula("loss", name)
    value = special if isinstance(special, float) else HUGE[dtype] * (-1 if special.startswith("-") else 1)
    for units in (1, 3, 17):
        p, t = outputs(name, units, dtype)[:3], targets(name, 3, units, dtype)
        p[0, 0] = p[1, -1] = value
        with np.errstate(all="ignore"):
            expected = function(t.astype(np.float64), p.astype(np.float64), *numbers("loss", name))
        defined = ~np.isnan(expected)
        close(measured(name, t, p, target, wide)[defined], expected[defined], dtype, 40, scale=1)


@pytest.mark.parametrize(
    "name", [n for n in _engine.rows("loss") if "epsilon" in inspect.signature(formula("loss", n)[0]).parameters]
)
@pytest.mark.parametrize("epsilon", [0.0, 2.0**-127, 0.5, 2.0])
def test_loss_clipped_by_nothing_or_by_too_much(
    name: str, epsilon: float, dtype: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epsilon of 0, one that is subnormal in float32, and ones that leave a single number, or none."""
    monkeypatch.setitem(VALUES, "epsilon", epsilon)
    function, _ = formula("loss", name)
    for units in (1, 3, 17):
        p, t = outputs(name, units, dtype)[:4], targets(name, 4, units, dtype)
        p[0, 0], p[1, -1] = 0, 1
        t[1] = np.round(t[1])
        with np.errstate(all="ignore"):
            expected = function(t.astype(np.float64), p.astype(np.float64), *numbers("loss", name))
        defined = ~np.isnan(expected) | (epsilon > 1)
        close(measured(name, t, p, target, False)[defined], expected[defined], dtype, 40, scale=1)


@pytest.mark.parametrize("name", _engine.rows("loss"))
@both_storages
def test_loss_never_hides_nan(name: str, dtype: str, target: str, wide: bool) -> None:
    """NaN in any output, target or weight is NaN in the loss, so that a training gone wrong is seen. Class numbers
    are checked in Python."""
    for units in SIZES:
        p, t, weights = outputs(name, units, dtype)[:3], targets(name, 3, units, dtype), np.ones(3, dtype)
        for array in (p, weights) if name.startswith("sparse_") else (p, t, weights):
            kept = array[1].copy()
            array[1, ...] = np.where(np.arange(array[1].size) == array[1].size - 1, np.nan, array[1])
            # in a wide model the identity's zeros spread a NaN to its whole row, which is NaN enough
            loss = Run(compiled(through(units, dtype, target, wide), name), 3).evaluate(p, t, weights)[0]
            assert np.isnan(loss), f"{loss} of {units} units"
            array[1] = kept


def bias_gradient(name: str, t: Array, p: Array, target: str, wide: bool, *activation: str) -> Array:
    """The loss's gradient in its outputs p, or fused in the logits p: what a step of one row leaves as the gradient
    of the bias."""
    model = compiled(constant(len(p), p, target, wide, *activation), name, fuse=True)
    run = Run(model, 1)
    run.bind(np.zeros((1, 1), p.dtype), t[None], None, 0)
    run.advance(1, 1)
    return model.read(1, len(model.tensors()) - 1)


@pytest.mark.parametrize("name", _engine.rows("loss"))
@both_storages
def test_loss_gradient(name: str, dtype: str, target: str, wide: bool) -> None:
    """Gradients row by row, clipped outputs included."""
    formula("loss", name)
    for units in SIZES:
        p, t = outputs(name, units, dtype), targets(name, 7, units, dtype)
        expected = loss_gradient(name, t.astype(np.float64), p.astype(np.float64), *numbers("loss", name))
        for r in range(7):
            scale = np.abs(expected[r]).max() + 1
            close(bias_gradient(name, t[r], p[r], target, wide), expected[r], dtype, 64, scale=scale)


@pytest.mark.parametrize(("activation", "name"), FUSED)
@both_storages
def test_fused_gradient(activation: str, name: str, dtype: str, target: str, wide: bool) -> None:
    """Gradients at the logits, also where the probability has reached 0 or 1."""
    for units in SIZES:
        z, t = (4 * noise((4, units), 3, 97)).astype(dtype), targets(name, 4, units, dtype)
        z[2], z[3] = 60 * z[2], 1e4 * z[3]
        of_logits = numbers("loss", name)[:-1]
        expected = loss_gradient(FUSED[activation, name], t.astype(np.float64), z.astype(np.float64), *of_logits)
        for r in range(4):
            close(bias_gradient(name, t[r], z[r], target, wide, activation), expected[r], dtype, 16, scale=1)


@pytest.mark.parametrize("units", SIZES)
@pytest.mark.parametrize("row", _engine.rows("optimizer"))
@pytest.mark.parametrize("options", [
    {},
    {"decay": 0.25, "weight_decay": 0.125},
    {"clipvalue": 0.25},
    {"clipnorm": 0.5, "global_clipnorm": 0.75},
], ids=lambda options: "-".join(options) or "plain")  # fmt: skip
@both_storages
def test_optimizer(row: str, units: int, options: dict[str, float], dtype: str, target: str, wide: bool) -> None:
    """Ten steps on given gradients: large, small, 0 and of either sign, with a frozen tensor between moving ones."""
    formula("optimizer", row)
    layers = chain(f"dense {units}", "tanh", f"dense {WIDE if wide else 2}")
    optimizer = Optimizer(row, numbers("optimizer", row), learning_rate=0.0625, **options)
    rules = {(0, "bias"): Rule(trainable=False)}
    model = compiled(build(layers, 3, dtype, target, rules=rules), optimizer=optimizer)
    network = Network(layers, parameters(model), ("mean_squared_error", ()), optimizer, rules)
    for step, size in enumerate((1, 0.5, 0, 0, 2, 0.01, 1, 0, 8, 1)):
        gradients = {}
        for i, (layer, name, shape, _) in enumerate(model.tensors()):
            gradients[layer, name] = (size * noise(shape, 10 * step + i)).astype(dtype)
            model.write(1, i, gradients[layer, name])
        assert model.update() == 0
        network.update({key: g.astype(np.float64) for key, g in gradients.items()})
        for key, w in parameters(model).items():
            close(w, network.parameters[key], dtype, 64, scale=1)
    assert model.iterations == 10


@pytest.mark.parametrize("row", _engine.rows("optimizer"))
def test_optimizer_never_hides_nan_and_touches_nothing_else(row: str, dtype: str, target: str) -> None:
    """One element gone wrong stays so, even if the next gradient is fine; the others are those of a model where none
    has."""
    optimizer, gradient = Optimizer(row, numbers("optimizer", row)), np.zeros((2, 17))
    hurt, well = (compiled(build(chain("dense 17"), 2, dtype, target), optimizer=optimizer) for _ in range(2))
    gradient[1, 16] = np.nan
    hurt.write(1, 0, gradient)
    for _ in range(2):
        hurt.update()
        well.update()
        hurt.write(1, 0, np.zeros((2, 17)))
    after = hurt.read(0, 0)
    assert np.isnan(after[1, 16])
    assert (after[~np.isnan(gradient)] == well.read(0, 0)[~np.isnan(gradient)]).all()


@pytest.mark.parametrize("row", _engine.rows("optimizer"))
def test_slots_fade_to_zero(row: str, target: str) -> None:
    """The slots of a unit that gets no gradient any more never linger among the slow subnormal numbers."""
    optimizer = Optimizer(row, numbers("optimizer", row), learning_rate=0.01)
    model = compiled(build(chain("dense 2"), 1, "float32", target), optimizer=optimizer)
    model.write(1, 0, np.array([[1.0, 1e-3]]))
    model.update()
    model.write(1, 0, np.zeros((1, 2)))
    tiny = np.finfo(np.float32).tiny
    for _ in range(4000):
        model.update()
        for buffer in range(2, 2 + model.slots):
            slot = np.abs(model.read(buffer, 0))
            assert ((slot == 0) | (slot >= tiny)).all()


@pytest.mark.parametrize("row", sorted(SHARES))
def test_shares_are_never_subnormal(row: str, dtype: str, target: str) -> None:
    """Nets that are sure of themselves stay as fast as others: a share is 0 before it is slow to compute with."""
    least = LEAST_SHARE[dtype]
    logits = np.linspace(1.6 * math.log(least), 0, 257)
    x = np.stack([logits, 0 * logits], axis=1).astype(dtype)
    y = Run(build(chain(row), 2, dtype, target), len(x)).predict(x)[:, 0]
    assert ((y == 0) | (y >= least / 4)).all()
    assert (y[logits < math.log(least) - 1] == 0).all()
    assert (y[logits > math.log(least) + 1] > 0).all()


@pytest.mark.parametrize("row", _engine.rows("activation"))
@both_storages
def test_gradients_through_saturated_units_are_never_subnormal(row: str, dtype: str, target: str, wide: bool) -> None:
    """A gradient that is small already meets slopes down to 0, of all points that are numbers."""
    small, tiny = {"float32": 2.0**-95, "float64": 2.0**-890}[dtype], np.finfo(dtype).tiny
    x = points(dtype)[np.isfinite(points(dtype))]
    model = constant(len(x), x, target, wide, (row, 0, numbers("activation", row)))
    run = Run(model, 1)
    run.forward(np.zeros((1, 1), dtype), True)
    run.backward(np.full((1, len(x)), small, dtype))
    slope = np.abs(model.read(1, last_bias(model)))
    assert ((slope == 0) | (slope >= tiny) | np.isnan(slope)).all()


@pytest.mark.parametrize("row", _engine.rows("constraint"))
@both_storages
def test_constraint(row: str, dtype: str, target: str, wide: bool) -> None:
    """Constraints of kernels act on each unit's weights, of biases on all of them; a step of length 0 applies them."""
    function, _ = formula("constraint", row)
    for units in SIZES:
        for rows in (1, 5, 16, 17):
            rule = Rule(constraint=(row, numbers("constraint", row)))
            rules = {(0, "kernel"): rule, (0, "bias"): rule}
            sgd = Optimizer("sgd", learning_rate=0.0)
            layers = chain(f"dense {units}", f"dense {WIDE if wide else 2}")
            model = compiled(build(layers, rows, dtype, target, rules=rules), optimizer=sgd)
            kernel, bias = model.read(0, 0), 4 * model.read(0, 1)
            kernel[:, 0], kernel[0, -1], bias[0] = 0, 1e-6, -0.0  # a unit without weights must not divide by 0
            for i, w in enumerate((kernel, bias)):
                model.write(0, i, w)
            model.update()
            for i, w in enumerate((kernel, bias)):
                close(model.read(0, i), function(w.astype(np.float64), *numbers("constraint", row)), dtype, 32)


@pytest.mark.parametrize("row", _engine.rows("constraint"))
def test_constraint_never_hides_nan(row: str, dtype: str, target: str) -> None:
    rules = {(0, "kernel"): Rule(constraint=(row, numbers("constraint", row)))}
    model = compiled(build(chain("dense 3"), 2, dtype, target, rules=rules))
    model.write(0, 0, np.array([[1, np.nan, 1], [1, 1, 1]]))
    model.update()
    assert np.isnan(model.read(0, 0)[0, 1])
    assert np.isfinite(model.read(0, 0)[:, [0, 2]]).all()


@pytest.mark.parametrize("row", [row for row in _engine.rows("layer") if row not in ACTIVATIONS and row != "dense"])
@both_storages
def test_layer(row: str, dtype: str, target: str, wide: bool) -> None:
    """Outputs, gradients and statistics in training and out of it, where they may differ, and what training leaves.

    256 is a width whose rows lie farther apart than they are long."""
    for units in (*SIZES, 256):
        for rows in (1, 2, 17):
            layers = chain(row, f"dense {WIDE if wide else 2}")
            model = build(layers, units, dtype, target)
            network = Network(layers, parameters(model), ("mean_squared_error", ()), Optimizer("sgd"))
            x = (noise((rows, units), 21, 97) + 3 * noise((rows, 1), 5)).astype(dtype)
            dy = noise((rows, model.output_units), 22, 97).astype(dtype)
            run = Run(model, 17)
            for training in (False,) if row in NOISE else (False, True, True, False):
                close(run.forward(x, training), network.forward(x, training), dtype, 64, scale=8)
            if row in NOISE:
                continue
            run.forward(x, True)
            run.backward(dy)
            network.forward(x, training=True)
            for key, gradient in network.backward(dy.astype(np.float64)).items():
                close(parameters(model, buffer=1)[key], gradient, dtype, 64, scale=8 * float(np.abs(gradient).max()))
            for key, w in parameters(model).items():
                close(w, network.parameters[key], dtype, 16, scale=4)


def test_formulas_and_rows_agree() -> None:
    """Half an addition, a row without a formula or a formula without a row, fails with a sentence."""
    for family in ("layer", "activation", "loss", "metric", "optimizer", "constraint"):
        for row in _engine.rows(family):
            formula(family, row)
    for family, formulas in FORMULAS.items():
        for names, _ in formulas:
            unknown = set(names) - set(_engine.rows(family))
            assert not unknown, (
                f"tests/reference.py has formulas of {sorted(unknown)}, which are no {family} rows of the engine"
            )


def test_both_storages_are_met() -> None:
    """If this fails, what the engine calls narrow has grown beyond what the tests take for wide, or shrunk below what
    they take for narrow."""
    narrow, wide = build(chain("dense 17"), 5), build(chain(f"dense {WIDE}"), 5)
    assert [panel for *_, panel in narrow.layout()] == [17, 17]
    assert [panel for *_, panel in wide.layout()] == [16, 16]
