"""The parts of a step alone: activations, optimizers, dense products beside NumPy's OpenBLAS."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import products
import pytest
from compiled import CannotCompileError
from conftest import replay, tables
from timing import Time, Turn, spread, turn_of_calls, wall_of

from nnlite import _engine
from nnlite._engine import EngineModel, Run

InTurn = Callable[..., dict[str, list[Time]]]

# Numbers of the rows that take any, in Keras's values.
NUMBERS = {
    "leaky_relu": (0.3,),
    "rectifier": (0.1, 6.0, 0.0),
    "hard_sigmoid": (0.2, 0.5),
    "elu": (1.0,),
    "momentum": (0.9,),
    "nesterov": (0.9,),
    "rmsprop": (0.9, 0.0, 1e-7),
    "rmsprop_momentum": (0.9, 0.0, 1e-7, 0.9),
    "rmsprop_centered": (0.9, 0.0, 1e-7, 0.9),
    "adagrad": (0.0, 1e-7, 0.0),
    "adadelta": (0.95, 1e-7),
    "adam": (0.9, 0.999, 1e-7),
    "amsgrad": (0.9, 0.999, 1e-7),
    "adamax": (0.9, 0.999, 1e-7),
    "nadam": (0.9, 0.999, 1e-7, 0.004),
}
ROWS, UNITS = 128, 128  # 64 KiB of float32: within the second cache, and long against the call
WITH_NUMPY: dict[str, Callable[[Any, Any], Any]] = {  # (x, y) -> y, which is written
    "exponential": np.exp,
    "tanh": np.tanh,
    "relu": lambda x, y: np.maximum(x, 0, out=y),
    "softplus": lambda x, y: np.logaddexp(x, np.float32(0), out=y),
    "sigmoid": lambda x, y: np.reciprocal(np.add(np.exp(np.negative(x, out=y), out=y), 1, out=y), out=y),
}


@pytest.mark.benchmark(timer=replay, group=f"activations of {ROWS} x {UNITS}")
@pytest.mark.parametrize("name", _engine.rows("activation"))
def test_activation(name: str, in_turn: InTurn, benchmark: Any) -> None:
    """As a layer of a net: what each of eight such layers adds to the forward pass of one, without call and copies."""
    x = np.random.default_rng(1).standard_normal((ROWS, UNITS)).astype(np.float32)
    more = 8

    def own() -> Turn:
        layer = (name, UNITS, NUMBERS.get(name, ()), ())
        few, many = (Run(EngineModel([layer] * count, UNITS), ROWS) for count in (1, 1 + more))
        base, whole = (turn_of_calls(partial(run.forward, x, True)) for run in (few, many))

        def turn() -> Time:
            (wall, cpu), (base_wall, base_cpu) = whole(), base()
            return Time(max(wall - base_wall, 1e-9) / more, max(cpu - base_cpu, 1e-9) / more)

        return turn

    group = {"nnlite": own}
    if name in WITH_NUMPY:
        function, y = WITH_NUMPY[name], np.empty_like(x)
        np.testing.assert_allclose(_engine.activate(name, (), x), function(x, y), rtol=1e-5, atol=1e-6)
        group["NumPy"] = lambda: turn_of_calls(partial(function, x, y))
    taken = in_turn(f"{name} of {ROWS} x {UNITS}", group, x.size, "ns an element")["nnlite"]
    benchmark.extra_info["nanoseconds_per_element"] = 1e9 * spread(wall_of(taken)).middle / x.size
    benchmark.pedantic(replay.of(taken), rounds=len(taken))


def one_layer(inputs: int, units: int, optimizer: str = "sgd") -> EngineModel:
    """A dense layer without activation, with weights and gradients that are not zero."""
    rule = (True, 0.0, 0.0, "none", ())
    model = EngineModel([("dense", units, (1.0,), (rule, rule))], inputs)
    rule_of_update = (optimizer, NUMBERS.get(optimizer, ()), 1e-4, 0.0, 0.0, 0.0, 0.0, 0.0)
    model.compile(("mean_squared_error", (), 1.0, False, False, False), True, [], rule_of_update)
    rng = np.random.default_rng(1)
    for buffer in (0, 1):
        for i, (_, _, shape, _) in enumerate(model.tensors()):
            model.write(buffer, i, (0.1 * rng.standard_normal(shape)).astype(np.float32))
    return model


@pytest.mark.benchmark(timer=replay, group="optimizers, 128 x 128 parameters")
@pytest.mark.parametrize("name", _engine.rows("optimizer"))
def test_optimizer(name: str, in_turn: InTurn, benchmark: Any) -> None:
    model = one_layer(ROWS, UNITS, name)
    parameters = ROWS * UNITS + UNITS
    before = model.read(0, 0)
    model.update()
    assert np.isfinite(model.read(0, 0)).all() and (model.read(0, 0) != before).any()
    group = {"nnlite": lambda: turn_of_calls(model.update)}
    taken = in_turn(f"update by {name}, {parameters} parameters", group, parameters, "ns a parameter")["nnlite"]
    benchmark.extra_info["nanoseconds_per_parameter"] = 1e9 * spread(wall_of(taken)).middle / parameters
    benchmark.pedantic(replay.of(taken), rounds=len(taken))


@pytest.fixture(scope="session")
def measured() -> dict[tuple[int, int, int], dict[str, Any]]:
    try:
        found = products.measure()
    except CannotCompileError as error:
        pytest.skip(str(error))
    tables.append(products.table(found))
    return {(row["rows"], row["inputs"], row["units"]): row for row in found}


@pytest.mark.benchmark(timer=replay)
@pytest.mark.parametrize("kind", products.KINDS)
@pytest.mark.parametrize("shape", products.SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_dense(shape: tuple[int, int, int], kind: str, measured: dict[Any, Any], benchmark: Any) -> None:
    """A layer's product inside the engine, from C, beside OpenBLAS: the program compares their results first."""
    rates = measured[shape][kind]
    benchmark.group = f"{kind.replace('_', ' ')} {' x '.join(map(str, shape))}"
    benchmark.extra_info |= {f"gflops_{name}": rate for name, rate in rates.items() if name != "ratio"}
    seconds = 2e-9 * math.prod(shape) / rates["nnlite"]
    benchmark.pedantic(replay.of([Time(seconds, seconds)]), rounds=1)
