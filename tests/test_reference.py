"""reference.py against what Keras and PyTorch computed (tests/golden), its derivatives against finite differences."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from reference import Array
from reference_network import Network, Optimizer, Rule

GOLDEN = Path(__file__).parent / "golden"
FORMULAS: dict[str, list[dict[str, Any]]] = json.loads((GOLDEN / "formulas.json").read_text())
TRAINING: dict[str, Any] = json.loads((GOLDEN / "optimizers.json").read_text())


def name(entry: Any) -> str:
    """The test id of a golden entry."""
    parts = (
        entry.get("row"),
        entry.get("problem"),
        entry.get("maker"),
        *entry.get("numbers", []),
        *entry.get("common", {}),
    )
    return " ".join(str(part) for part in parts if part is not None)


def near(ours: Any, golden: Any, relative: float = 1e-13, absolute: float = 1e-15) -> None:
    np.testing.assert_allclose(ours, np.array(golden), rtol=relative, atol=absolute)


def arrays(entry: dict[str, Any], *keys: str) -> list[Array]:
    return [np.array(entry[key], dtype=np.float64) for key in keys]


def slope(f: Any, x: Array, h: float = 1e-5) -> Array:
    """Central differences of the sum of f in every element of x."""
    result = np.empty_like(x)
    for i in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[i], down[i] = x[i] + h, x[i] - h
        result[i] = (np.sum(f(up)) - np.sum(f(down))) / (up[i] - down[i])
    return result


# ---- every row has a golden value, and every golden value a row ----


@pytest.mark.parametrize(
    ("rows", "golden"),
    [
        (reference.ACTIVATIONS, FORMULAS["activations"]),
        (reference.LOSSES, FORMULAS["losses"]),
        (reference.METRICS, FORMULAS["losses"] + FORMULAS["metrics"]),
        (reference.CONSTRAINTS, FORMULAS["constraints"]),
        (reference.INITIALIZERS, FORMULAS["initializers"]),
        (reference.OPTIMIZERS, TRAINING["runs"]),
    ],
    ids=["activations", "losses", "metrics", "constraints", "initializers", "optimizers"],
)
def test_every_golden_value_has_a_row(rows: dict[str, Any], golden: list[dict[str, Any]]) -> None:
    """Rows that no other library has are held by their gradients alone; what another library computed must be used."""
    assert golden
    assert {entry["row"] for entry in golden} <= set(rows)


# ---- single formulas ----


@pytest.mark.parametrize("entry", FORMULAS["activations"], ids=name)
def test_activation_matches(entry: dict[str, Any]) -> None:
    forward, backward = reference.ACTIVATIONS[entry["row"]]
    x, dy = arrays(entry, "x", "dy")
    near(forward(x, *entry["numbers"]), entry["y"])
    near(backward(x, dy, *entry["numbers"]), entry["dx"])


@pytest.mark.parametrize("entry", FORMULAS["activations"], ids=name)
def test_activation_backward_is_the_slope_of_forward(entry: dict[str, Any]) -> None:
    forward, backward = reference.ACTIVATIONS[entry["row"]]
    x = np.random.default_rng(7).uniform(-3, 3, (5, 4))  # no value this close to a kink
    dy = np.random.default_rng(8).uniform(-1, 1, x.shape)
    near(backward(x, dy, *entry["numbers"]), slope(lambda v: dy * forward(v, *entry["numbers"]), x), 1e-8, 1e-9)


@pytest.mark.parametrize("entry", FORMULAS["losses"] + FORMULAS["metrics"], ids=name)
def test_loss_or_metric_matches(entry: dict[str, Any]) -> None:
    t, p = arrays(entry, "t", "p")
    near(reference.METRICS[entry["row"]](t, p, *entry["numbers"]), entry["value"])


@pytest.mark.parametrize("entry", FORMULAS["losses"], ids=name)
def test_loss_gradient_matches(entry: dict[str, Any]) -> None:
    t, p = arrays(entry, "t", "p")
    near(reference.loss_gradient(entry["row"], t, p, *entry["numbers"]), entry["gradient"])


@pytest.mark.parametrize("entry", FORMULAS["losses"], ids=name)
def test_loss_gradient_is_the_slope_of_the_value(entry: dict[str, Any]) -> None:
    t, p = (array[:3] for array in arrays(entry, "t", "p"))  # further rows lie at a clip
    p = np.clip(p, 1e-3, None) if "epsilon" in entry["row"] else p
    expected = slope(lambda v: reference.LOSSES[entry["row"]](t, v, *entry["numbers"]), p, 1e-7)
    scale = 1 + np.abs(expected).max()
    near(reference.loss_gradient(entry["row"], t, p, *entry["numbers"]) / scale, expected / scale, 0, 1e-6)


@pytest.mark.parametrize(("activation", "loss"), reference.FUSED)
def test_fused_loss_is_the_loss_of_the_activation(activation: str, loss: str) -> None:
    """Where nothing is clipped, the gradient at the logits is that at the output taken back through the activation."""
    z = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -3.0]])
    t = np.array([[1.0], [2.0]]) if loss.startswith("sparse") else np.array([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
    smoothing = () if loss.startswith("sparse") else (0.1,)
    forward, backward = reference.ACTIVATIONS[activation]
    dz = backward(z, reference.loss_gradient(loss, t, forward(z), *smoothing, 1e-7))
    near(reference.loss_gradient(reference.FUSED[activation, loss], t, z, *smoothing), dz)
    near(
        reference.LOSSES[reference.FUSED[activation, loss]](t, z, *smoothing),
        reference.LOSSES[loss](t, forward(z), *smoothing, 1e-7),
    )


@pytest.mark.parametrize("entry", FORMULAS["constraints"], ids=name)
def test_constraint_matches(entry: dict[str, Any]) -> None:
    near(reference.CONSTRAINTS[entry["row"]](*arrays(entry, "w"), *entry["numbers"]), entry["value"])


@pytest.mark.parametrize("entry", FORMULAS["penalties"], ids=name)
def test_penalty_matches(entry: dict[str, Any]) -> None:
    (w,) = arrays(entry, "w")
    near(reference.penalty(w, *entry["numbers"]), entry["value"])
    near(reference.penalty_gradient(w, *entry["numbers"]), entry["gradient"])


@pytest.mark.parametrize("entry", FORMULAS["initializers"], ids=name)
def test_initializer_matches(entry: dict[str, Any]) -> None:
    distribution, spread = reference.INITIALIZERS[entry["row"]](*entry["fans"])
    deviation = spread / math.sqrt(3) if distribution == "uniform" else spread
    limit = spread if distribution == "uniform" else 2 * spread / reference.TRUNCATED_DEVIATION
    near(entry["deviation"], deviation, 4e-3)
    near(entry["largest"], limit, 1e-3)
    assert entry["largest"] <= limit


def test_truncated_deviation_is_that_of_the_cut_normal_distribution() -> None:
    density, inside = math.exp(-2) / math.sqrt(2 * math.pi), math.erf(math.sqrt(2))
    near(reference.TRUNCATED_DEVIATION, math.sqrt(1 - 4 * density / inside), 1e-15)


# ---- training ----


def network(run: dict[str, Any], fuse: bool = False) -> Network:
    problem = TRAINING["problems"][run["problem"]]
    return Network(
        [(row, units, tuple(numbers)) for row, units, numbers in problem["layers"]],
        {(layer, tensor): np.array(value) for layer, tensor, value in problem["parameters"]},
        (problem["loss"][0], tuple(problem["loss"][1])),
        Optimizer(run["row"], tuple(run["numbers"]), **run["common"]),
        {(layer, tensor): Rule(**rule) for layer, tensor, rule in run["rules"]},
        fuse,
    )


def batches(run: dict[str, Any]) -> list[tuple[Array, ...]]:
    problem = TRAINING["problems"][run["problem"]]
    columns = [np.array(problem[key]) for key in ("x", "t", "weights") if key in problem]
    return [tuple(column[rows] for column in columns) for rows in TRAINING["batch_rows"]]


@pytest.mark.parametrize("fuse", [False, True], ids=["plain", "fused"])
@pytest.mark.parametrize("run", TRAINING["runs"], ids=name)
def test_training_matches(run: dict[str, Any], fuse: bool) -> None:
    net = network(run, fuse)
    near(net.train(batches(run)), run["losses"], 1e-12)
    for layer, tensor, value in run["parameters"]:
        near(net.parameters[layer, tensor], value, 1e-11, 1e-12)


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
def test_network_gradients_are_the_slopes_of_the_loss(training: bool) -> None:
    run = next(
        run
        for run in TRAINING["runs"]
        if run["problem"] == "normalized" and any("l1" in rule for *_, rule in run["rules"])
    )
    x, t, weights = batches(run)[0]
    dy = np.sin(np.arange(12.0)).reshape(4, 3)

    def value(net: Network, x: Array) -> float:
        if training:
            return net.loss_and_gradients(x, t, weights)[0]
        return float((dy * net.forward(x)).sum()) + net.activity_penalty()

    net = network(run)
    if training:
        gradients = net.loss_and_gradients(x, t, weights)[1]
    else:
        net.forward(x)
        gradients = net.backward(dy)
    near(net.input_gradient, slope(lambda v: value(network(run), v), x), 1e-7, 1e-9)
    for key, gradient in gradients.items():

        def moved(w: Array, key: tuple[int, str] = key) -> float:
            other = network(run)
            other.tensors[key[0]][key[1]] = w
            return value(other, x)

        near(gradient, slope(moved, net.parameters[key]), 1e-7, 1e-9)
