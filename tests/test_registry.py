"""Finding things by name, and the agreement of the engine, Python and reference.py about what there is."""

import copy
import pickle

import numpy as np
import pytest
import reference
from needed import ARGUMENTS, made

from nnlite import (
    _engine,
    activations,
    constraints,
    eras,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    registry,
    regularizers,
)
from nnlite.errors import ArgumentError

FAMILIES = {module: family for module, family in eras.FAMILIES.items() if module is not layers}
NAMES = [(module, name) for module, family in FAMILIES.items() for name in family.names()]
ENTRIES = [(module, name) for module, family in FAMILIES.items() for name in family.entries]

ROWS = [
    ("activation", activations.ACTIVATIONS, reference.ACTIVATIONS),
    ("loss", losses.LOSSES, reference.LOSSES),
    ("metric", metrics.METRICS, reference.METRICS),
    ("optimizer", optimizers.OPTIMIZERS, reference.OPTIMIZERS),
    ("constraint", constraints.CONSTRAINTS, reference.CONSTRAINTS),
]


@pytest.mark.parametrize(("noun", "family", "formulas"), ROWS, ids=[noun for noun, _, _ in ROWS])
def test_engine_python_and_reference_have_the_same_rows(noun, family, formulas):
    engine, python = set(_engine.rows(noun)) - {"none"}, set(family.rows())
    file = f"nnlite/{noun.replace('loss', 'losse')}s.py"
    for row in sorted(engine | python):
        assert row in python, f"{noun} {row!r} is a row of csrc/engine, but no entry of {file} names it among its rows."
        assert row in engine, f"{noun} {row!r} is named in {file}, but is no row of a list in csrc/engine."
        assert row in formulas, f"{noun} {row!r} has no formula in tests/reference.py."


@pytest.mark.parametrize(("module", "name"), NAMES, ids=lambda x: getattr(x, "__name__", x))
def test_every_spelling_resolves(module, name):
    thing = FAMILIES[module].find(name).name
    for spelling in (name, name.upper(), name.title(), name.replace("_", "")):
        assert FAMILIES[module].find(spelling).name == thing
    assert made(module, name) is not None
    assert hasattr(module, name)


@pytest.mark.parametrize("module", FAMILIES, ids=lambda module: module.__name__)
def test_what_a_module_exports_exists(module):
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        module.nonsense  # noqa: B018


@pytest.mark.parametrize(("module", "name"), ENTRIES, ids=lambda x: getattr(x, "__name__", x))
def test_config_and_copies_make_an_equal_object(module, name):
    thing = made(module, name)
    again = module.get(module.serialize(thing))
    assert again.get_config() == thing.get_config()
    assert type(again) is type(thing)
    for copied in (copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
        assert copied.get_config() == thing.get_config()
    assert module.get(thing) is thing


@pytest.mark.parametrize("module", FAMILIES, ids=lambda module: module.__name__)
def test_an_unknown_name_is_answered_with_close_ones(module):
    known = next(iter(FAMILIES[module].entries))
    with pytest.raises(ValueError, match=f"(?i)unknown .*Did you mean.*'{known}'"):
        module.get(known + "x")
    with pytest.raises(ArgumentError, match="'class_name'"):
        module.get({"config": {}})
    with pytest.raises((TypeError, ValueError), match="received 3"):
        module.get(3)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_name_alone_is_not_enough_where_arguments_are_needed(name):
    module = next(module for module, entry in ENTRIES if entry == name)
    with pytest.raises(TypeError, match=f"missing .* required .*{next(iter(ARGUMENTS[name]))}"):
        module.get(name)


def test_rsmprop():
    with pytest.raises(ValueError, match="Did you mean 'rmsprop'"):
        optimizers.get("rsmprop")


def test_a_class_stands_for_an_object_with_default_arguments():
    assert constraints.get(constraints.UnitNorm).record.name == "unit_norm"
    assert optimizers.get(optimizers.Adam).rule().name == "adam"
    assert losses.get(losses.Poisson).name == "poisson"
    assert metrics.get(metrics.CategoricalAccuracy).record.name == "categorical_accuracy"


def test_configs_as_keras_2_and_3_write_them():
    assert activations.get({"class_name": "function", "config": "tanh", "registered_name": "tanh"}).name == "tanh"
    zeros = {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": None}
    assert isinstance(initializers.get(zeros), initializers.Zeros)
    scaling = {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None}
    assert initializers.get({"class_name": "VarianceScaling", "config": scaling}).get_config() == scaling
    assert regularizers.get({"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.01}}).l2 == 0.01
    assert optimizers.get({"class_name": "SGD", "config": {"lr": 0.5, "decay": 0.1}}).learning_rate == 0.5


def test_a_config_with_an_unknown_argument_names_it():
    with pytest.raises(ArgumentError, match="max_valu"):
        constraints.get({"class_name": "MaxNorm", "config": {"max_valu": 1}})


def test_custom_objects_come_first(monkeypatch):
    def absolute(y_true, y_pred):
        return abs(y_true - y_pred)

    class Half(initializers.Initializer):
        def fill(self, shape, dtype, key):
            return initializers.Constant(0.5).fill(shape, dtype, key)

    monkeypatch.setitem(registry.custom_objects, "absolute", absolute)
    monkeypatch.setitem(registry.custom_objects, "mine>Half", Half)
    assert losses.get("absolute").call(1.0, 3.0) == 2.0
    assert initializers.get({"class_name": "Half", "config": {}, "registered_name": "mine>Half"})((1,)) == [0.5]


def test_functions_are_taken_and_are_their_own_configs():
    def one_more(w):
        return w + 1

    for module in (activations, constraints, regularizers):
        assert module.get(one_more)(np.array([1.0, 2.0])).tolist() == [2, 3]
        assert module.serialize(module.get(one_more)) is one_more
    assert optimizers.get(one_more).in_python
