"""The README's table of speed is what the kept results of the benches say."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def readme() -> ModuleType:
    """benches/readme.py, which needs nothing but the standard library."""
    spec = importlib.util.spec_from_file_location("readme", ROOT / "benches" / "readme.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_what_the_results_say(readme: ModuleType) -> None:
    text = readme.README.read_text("utf-8")
    results = json.loads(readme.RESULTS.read_text("utf-8"))
    assert readme.with_table(text, results) == text, "python benches/readme.py writes the table anew"


def test_every_measured_task_has_a_row(readme: ModuleType) -> None:
    """Those where nnlite loses too."""
    results = json.loads(readme.RESULTS.read_text("utf-8"))
    table = readme.table(results)
    for entry in results["fits"].values():
        assert f"| {entry['task']}" in table
    slow = json.loads(json.dumps(results))
    name, entry = next(iter(slow["fits"].items()))
    entry["peers"]["torch"] = {"ratio": 0.5}
    assert "| 0.5 |" in next(line for line in readme.table(slow).splitlines() if line.startswith(f"| {name} "))


def test_marks_must_be_there(readme: ModuleType) -> None:
    with pytest.raises(ValueError, match="speed"):
        readme.with_table("# nnlite\n", {})
