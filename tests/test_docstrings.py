"""Docstrings: every public name has one, with an example, and every example runs.

Public is what a module of nnlite lists in ``__all__``, and the methods of classes among it that begin with no
underscore.
"""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

import nnlite
from nnlite import config
from nnlite.activations import Activation
from nnlite.loss import RowFunction

MODULES = sorted(module.name for module in pkgutil.walk_packages(nnlite.__path__, "nnlite."))
MODULES = ["nnlite", *[name for name in MODULES if name not in ("nnlite._engine", "nnlite.__main__")]]
DEFINED = (type, FunctionType, Activation, RowFunction)  # what has a docstring of its own


def public() -> dict[str, Any]:
    """Everything that is public and of nnlite's own making, each once, by a name it is found under."""
    found: dict[int, tuple[str, Any]] = {}
    for name in MODULES:
        module = importlib.import_module(name)
        for exported in getattr(module, "__all__", ()):
            thing = getattr(module, exported)
            if isinstance(thing, DEFINED) and thing.__module__.startswith("nnlite"):
                found.setdefault(id(thing), (f"{name}.{exported}", thing))
    return dict(found.values())


PUBLIC = public()


def documented(path: Path) -> Iterator[tuple[str, int, str]]:
    """Name, line and docstring of the module, the classes, functions and methods in a file, where it has an example."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node, clean=False) or ""
            if ">>>" in text:
                yield getattr(node, "name", path.stem), node.body[0].lineno - 1, text


def file_of(module: ModuleType) -> Path:
    assert module.__file__ is not None
    return Path(module.__file__)


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Settings, names and random numbers are afterwards as an example found them."""
    before = config.floatx(), config.epsilon(), config.compat()
    random = np.random.get_state()  # noqa: NPY002 - what examples seed
    nnlite.backend.clear_session()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])
    config.set_compat(before[2])
    np.random.set_state(random)  # noqa: NPY002
    nnlite.backend.clear_session()


def test_there_is_much_that_is_public() -> None:
    assert len(PUBLIC) > 200
    assert {"nnlite.Sequential", "nnlite.losses.mse", "nnlite.activations.relu"} <= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name]) or ""
    summary = text.partition("\n\n")[0]
    assert summary.rstrip().endswith((".", ":", "::")), f"{name} needs a docstring that begins with a sentence"
    exception = isinstance(PUBLIC[name], type) and issubclass(PUBLIC[name], BaseException)
    assert exception or ">>> " in text, f"the docstring of {name} needs an example"


@pytest.mark.parametrize("name", [name for name, thing in PUBLIC.items() if isinstance(thing, type)])
def test_public_methods(name: str) -> None:
    own = [key for key, value in vars(PUBLIC[name]).items() if isinstance(value, FunctionType | property | classmethod)]
    missing = [key for key in own if not key.startswith("_") and not inspect.getdoc(getattr(PUBLIC[name], key))]
    assert not missing, f"methods of {name} without a docstring: {', '.join(missing)}"


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # for those that write
    module = importlib.import_module(name)
    runner, told = doctest.DocTestRunner(verbose=False), []
    for where, line, text in documented(file_of(module)):
        for package in re.findall(r"[Nn]eeds the package (\w+)", text):
            if importlib.util.find_spec(package) is None:
                break
        else:
            test = doctest.DocTestParser().get_doctest(text, dict(vars(module)), f"{name}.{where}", name, line)
            runner.run(test, out=told.append)
    assert not runner.failures, "\n".join(told)
