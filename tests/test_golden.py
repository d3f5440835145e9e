"""Fifty steps of every optimizer row, as Keras and PyTorch took them: tests/golden/optimizers.json, written by
make_optimizers.py."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_models import build, compiled, parameters
from reference_network import Optimizer, Rule

from nnlite import _engine
from nnlite._engine import Run

GOLDEN = json.loads((Path(__file__).parent / "golden" / "optimizers.json").read_text())

# float64 differs by the order of sums alone; in float32 each of 50 steps rounds, and an error grows as the training
# amplifies it.
TOLERANCE = {"float64": 1e-9, "float32": 2e-5}


def name(run: dict[str, Any]) -> str:
    options = [key for key in run["common"] if key != "learning_rate"] + ["rules"] * bool(run["rules"])
    return "-".join([run["maker"], run["problem"], run["row"], *options])


def rule(settings: dict[str, Any]) -> Rule:
    constraint, values = settings.get("constraint", ("none", ()))
    return Rule(**settings | {"constraint": (constraint, tuple(values))})


@pytest.mark.parametrize("fuse", [False, True], ids=["unfused", "fused"])
@pytest.mark.parametrize("run", GOLDEN["runs"], ids=name)
def test_fifty_steps(run: dict[str, Any], fuse: bool, dtype: str) -> None:
    problem = GOLDEN["problems"][run["problem"]]
    layers = [(row, units, tuple(values)) for row, units, values in problem["layers"]]
    x, t = (np.array(problem[key], dtype) for key in ("x", "t"))
    weights = np.array(problem["weights"], dtype) if "weights" in problem else None
    rules = {(layer, tensor): rule(settings) for layer, tensor, settings in run["rules"]}
    optimizer = Optimizer(run["row"], tuple(run["numbers"]), **run["common"])
    loss, loss_numbers = problem["loss"]

    model = build(layers, x.shape[1], dtype, rules=rules)
    compiled(model, loss, optimizer, fuse=fuse, loss_numbers=tuple(loss_numbers))
    start = {(layer, tensor): value for layer, tensor, value in problem["parameters"]}
    for i, (layer, tensor, _, _) in enumerate(model.tensors()):
        model.write(0, i, np.array(start[layer, tensor]))

    batches = GOLDEN["batch_rows"]
    in_order = [r for batch in batches for r in batch] == [r % len(x) for r in range(len(batches) * len(batches[0]))]
    assert in_order, (
        "the batches of the golden file are the rows in their order, which is what the engine does unshuffled"
    )
    engine = Run(model, len(batches[0]))
    engine.bind(x, t, weights, 0)
    losses = []
    for _ in batches:
        engine.advance(1, 1)
        losses.append(engine.last[0])

    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(losses, run["losses"], rtol=tolerance, atol=tolerance)
    after = parameters(model)
    for layer, tensor, value in run["parameters"]:
        np.testing.assert_allclose(after[layer, tensor], value, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("row", _engine.rows("optimizer"))
def test_every_optimizer_has_golden_steps(row: str) -> None:
    rows = {run["row"] for run in GOLDEN["runs"]}
    assert row in rows, f"tests/golden/optimizers.json has no run of optimizer {row!r}: add one in make_optimizers.py"
