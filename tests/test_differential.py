"""Random models trained as Keras 3 trained them: tests/golden/differential.json, written by make_differential.py, which
also compares every number. Here each part of a training is one number, a mean of what it is made of.

float64 must agree to 1e-9. In float32 no two programs round alike, and what they do not share grows as the training
amplifies it: a model may be as far from float64 as ten times Keras' own float32 is, or as ten times what float64 itself
moves when the weights it starts from are moved by float32's rounding.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from differential import allowed, size_of, train, uneven_mean
from random_models import task
from random_things import FAMILIES, called, vocabulary

import nnlite

GOLDEN = json.loads((Path(__file__).parent / "golden" / "differential.json").read_text())
RUNS = GOLDEN["models"]


@pytest.fixture
def as_keras3(keras3: None) -> Iterator[None]:
    """Keras 3 is in force, and what a training sets is put back."""
    floatx = nnlite.config.floatx()
    yield
    nnlite.config.set_floatx(floatx)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("run", RUNS, ids=[str(run["seed"]) for run in RUNS])
def test_training(run: dict[str, Any], dtype: str, as_keras3: None) -> None:
    model = task(run["seed"], GOLDEN["vocabulary"])
    found = train(nnlite, model, dtype)
    expected = {
        f"{call} {part}": number for call in run if type(run[call]) is dict for part, number in run[call].items()
    }
    assert found.keys() == expected.keys()
    for name, values in found.items():
        most = run["float32"] if dtype == "float32" else allowed(model, name)
        number = uneven_mean(values)
        wanted = np.nan if expected[name] is None else expected[name]
        assert number == pytest.approx(wanted, rel=0, abs=most * size_of(values), nan_ok=True), (name, model)


def test_everything_is_compared() -> None:
    text = "names or arguments are new or gone: run tests/golden/make_differential.py, which compares them with Keras"
    assert vocabulary() == GOLDEN["vocabulary"], text


def test_everything_is_in_some_model(as_keras3: None) -> None:
    assert len(RUNS) >= 300
    things = {(thing.family, thing.name) for run in RUNS for thing in task(run["seed"], GOLDEN["vocabulary"]).things()}
    for family in FAMILIES:
        assert {name for name in GOLDEN["vocabulary"][family] if (family, called(family, name)) not in things} == set()
