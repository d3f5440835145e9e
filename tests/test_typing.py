"""A typed script of a user passes mypy's strict checks, and runs."""

import runpy
from pathlib import Path

import pytest

import nnlite

SCRIPT = Path(__file__).parent / "typed" / "moons.py"


def test_the_script_runs(tmp_path: Path) -> None:
    assert runpy.run_path(str(SCRIPT))["main"](tmp_path) > 0.9


def check(source: Path, cache: Path) -> tuple[str, int]:
    """What mypy says of a file, and its exit status."""
    api = pytest.importorskip("mypy.api")
    said, _, status = api.run(["--strict", "--config-file=", f"--cache-dir={cache}", str(source)])
    return said, status


def test_mypy_strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    cache = request.config.cache.mkdir("mypy") if request.config.cache else tmp_path
    monkeypatch.setenv("MYPYPATH", str(Path(nnlite.__file__).parents[1]))
    monkeypatch.chdir(tmp_path)
    said, status = check(SCRIPT, cache)
    assert status == 0, said
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from nnlite.models import Sequential\nSequential().fit(epochs='ten')\n")
    said, status = check(wrong, cache)
    assert status == 1 and 'incompatible type "str"; expected "int"' in said
