"""Nets large enough for their gradients to be used up where they are made, against the same nets with gradients
stored."""

import numpy as np
import pytest
from engine_models import Layer, build, chain, compiled, digest, inputs, numbers, parameters, targets, train
from reference_network import Key, Optimizer, Rule

from nnlite import _engine

# No width is a multiple of 16.
INPUTS, ROWS, EPOCHS = 70, 400, 2
# More than FLOWING_PARAMETERS of csrc/engine/step.h; a batch is deeper than a block of the
# products, the last one short.
LARGE = chain("dense 250", "relu", "dense 130", "tanh", "dense 3", "softmax"), 300
LARGE_IN_SMALL_BATCHES = LARGE[0], 40
Net = tuple[list[Layer], int]


def trained(net: Net, row: str, dtype: str, target: str | None, **options: float) -> str:
    layers, batch = net
    rules: dict[Key, Rule] = {(2, "kernel"): Rule(trainable=False)} if options.pop("frozen", 0) else {}
    model = build(layers, INPUTS, dtype, target, rules=rules)
    optimizer = Optimizer(row, numbers("optimizer", row), **({"learning_rate": 0.01} | options))
    compiled(model, "categorical_crossentropy", optimizer, ["categorical_accuracy"], fuse=True)
    x, t = inputs(ROWS, INPUTS, dtype), targets("categorical_crossentropy", ROWS, 3, dtype)
    history = train(model, batch, (x, t), EPOCHS)
    assert all(np.isfinite(value).all() for value in parameters(model).values())
    return digest(model, history)


@pytest.mark.parametrize("net", [LARGE, LARGE_IN_SMALL_BATCHES])
@pytest.mark.parametrize("row", _engine.rows("optimizer"))
def test_gradients_that_flow_give_the_bits_of_stored_ones(net: Net, row: str, dtype: str) -> None:
    """A limit that no gradient reaches changes no value, but asks for all gradients to be stored."""
    assert trained(net, row, dtype, None) == trained(net, row, dtype, None, clipvalue=1e30)


@pytest.mark.parametrize("net", [LARGE, LARGE_IN_SMALL_BATCHES])
@pytest.mark.parametrize("options", [{"weight_decay": 0.25}, {"frozen": 1.0}])
def test_they_do_with_what_else_a_step_does(net: Net, options: dict[str, float], dtype: str) -> None:
    assert trained(net, "adam", dtype, None, **options) == trained(net, "adam", dtype, None, clipvalue=1e30, **options)


@pytest.mark.parametrize("net", [LARGE, LARGE_IN_SMALL_BATCHES])
def test_targets_agree_on_large_nets(net: Net, dtype: str, target: str) -> None:
    other = "avx2" if _engine.targets().get("avx2") else None
    assert trained(net, "adam", dtype, target) == trained(net, "adam", dtype, other)
