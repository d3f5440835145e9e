"""The page ``nnlite eras``: it has every difference, and every spelling that is registered anywhere."""

import ast
import re
from pathlib import Path

import pytest

import nnlite
from nnlite import config, eras, keras_compat
from nnlite.__main__ import main
from nnlite.earlier import EarlierMethods


def line_with(*words: str) -> str:
    """The line of the page that has these words, each as a column or in a list of names."""
    lines = [
        line
        for line in eras.page().splitlines()
        if set(words) <= {*re.split(r"\s{2,}", line), *re.split(r"\s{2,}|, ", line)}
    ]
    assert len(lines) == 1, (words, lines)
    return lines[0]


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eras"]) == 0
    assert capsys.readouterr().out == eras.page()
    with pytest.raises(SystemExit):
        main(["eras", "more"])
    assert "eras takes no arguments; received more" in capsys.readouterr().err


@pytest.mark.parametrize("key", config.DIFFERENCES)
def test_every_difference(key: str) -> None:
    what = config.DIFFERENCES[key][2]
    columns = re.split(r"\s{2,}", line_with(key, what))
    assert columns[0] == what and columns[3] == key
    for shown, value in zip(columns[1:3], config.DIFFERENCES[key][:2], strict=True):
        assert float(shown) == pytest.approx(value, rel=1e-3) if isinstance(value, float) else shown == str(value)


def test_every_alias() -> None:
    for module, family in eras.FAMILIES.items():
        name = module.__name__.removeprefix("nnlite.")
        for entry in family.entries.values():
            for alias in entry.aliases:
                if alias.replace("_", "").lower() != entry.name.replace("_", "").lower():
                    assert line_with(f"{name}.{entry.name}", alias)


@pytest.mark.parametrize(
    ("where", "older", "name"),
    [
        ("layers.Dense", "output_dim", "units"),
        ("layers.Dropout", "p", "rate"),
        ("activations.relu", "alpha", "negative_slope"),
        ("constraints.MaxNorm", "m", "max_value"),
        ("regularizers.L2", "l", "l2"),
        ("callbacks.ReduceLROnPlateau", "epsilon", "min_delta"),
        ("utils.to_categorical", "nb_classes", "num_classes"),
    ],
)
def test_older_arguments(where: str, older: str, name: str) -> None:
    assert line_with(where, older, name)


def test_every_older_argument_is_of_something_public() -> None:
    """None is missed because what takes it is not exported: there is a row for each that is written in the sources."""
    written = 0
    for path in Path(nnlite.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                calls = [call for call in node.decorator_list if isinstance(call, ast.Call)]
                written += sum(len(call.keywords) for call in calls if ast.unparse(call.func) == "older_spellings")
    activations = [where for where, _, _ in eras.older_arguments() if where.startswith("activations.")]
    rows = list(eras.older_arguments())[1:]
    assert len(rows) == len(set(rows)) == written + len(activations) and written > 20


def test_methods_and_modules() -> None:
    text = eras.page()
    for method in ("predict_classes", "fit_generator"):
        assert method in vars(EarlierMethods) and method in text
    for name in keras_compat.SHOWN:
        assert not name.startswith("nnlite.") or line_with(name, keras_compat.shown_as(name))


def test_page_does_not_depend_on_the_era() -> None:
    before = eras.page()
    config.set_compat("keras3")
    try:
        assert eras.page() == before
    finally:
        config.set_compat("keras2")
