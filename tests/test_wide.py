"""Nets large enough for their gradients to be used up where they are made, against the same nets with gradients
stored."""

import numpy as np
import pytest
from engine_models import build, chain, compiled, digest, inputs, numbers, parameters, targets, train
from reference_network import Key, Optimizer, Rule

from nnlite import _engine

# More than FLOWING_PARAMETERS of csrc/engine/step.h; no width is a multiple of 16.
LAYERS = chain("dense 250", "relu", "dense 130", "tanh", "dense 3", "softmax")
# A batch is deeper than a block of the products, and the last one is short.
INPUTS, ROWS, BATCH, EPOCHS = 70, 400, 300, 2


def trained(row: str, dtype: str, target: str | None, **options: float) -> str:
    rules: dict[Key, Rule] = {(2, "kernel"): Rule(trainable=False)} if options.pop("frozen", 0) else {}
    model = build(LAYERS, INPUTS, dtype, target, rules=rules)
    optimizer = Optimizer(row, numbers("optimizer", row), **({"learning_rate": 0.01} | options))
    compiled(model, "categorical_crossentropy", optimizer, ["categorical_accuracy"], fuse=True)
    x, t = inputs(ROWS, INPUTS, dtype), targets("categorical_crossentropy", ROWS, 3, dtype)
    history = train(model, BATCH, (x, t), EPOCHS)
    assert all(np.isfinite(value).all() for value in parameters(model).values())
    return digest(model, history)


@pytest.mark.parametrize("row", _engine.rows("optimizer"))
def test_gradients_that_flow_give_the_bits_of_stored_ones(row: str, dtype: str) -> None:
    """A limit that no gradient reaches changes no value, but asks for all gradients to be stored."""
    assert trained(row, dtype, None) == trained(row, dtype, None, clipvalue=1e30)


@pytest.mark.parametrize("options", [{"weight_decay": 0.25}, {"frozen": 1.0}])
def test_they_do_with_what_else_a_step_does(options: dict[str, float], dtype: str) -> None:
    assert trained("adam", dtype, None, **options) == trained("adam", dtype, None, clipvalue=1e30, **options)


def test_targets_agree_on_large_nets(dtype: str, target: str) -> None:
    assert trained("adam", dtype, target) == trained("adam", dtype, "avx2" if _engine.targets().get("avx2") else None)
