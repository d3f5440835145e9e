"""The benches run: a comparison with its check, single calls, and the table of figures to reach."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHES = Path(__file__).parent.parent / "benches"


def printed(*arguments: str) -> str:
    """What Python prints for these arguments, with the benches' modules at hand."""
    path = os.pathsep.join([str(BENCHES), os.environ["PYTHONPATH"]])  # which conftest.py sets
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    return done.stdout


def report(kept: Path, *options: str) -> tuple[dict[str, Any], str]:
    """Results and what was printed."""
    text = printed(str(BENCHES / "report.py"), "--rounds", "1", "--json", str(kept), *options)
    return json.loads(kept.read_text("utf-8")), text


@pytest.mark.skipif(shutil.which(shlex.split(os.environ.get("CC", "cc"))[0]) is None, reason="there is no C compiler")
def test_products_are_compiled_with_the_engine_and_agree() -> None:
    """The report leaves them out where that fails, as it must where there is no compiler."""
    rows = json.loads(printed("-c", "import json, products; print(json.dumps(products.measure([(32, 2, 3)])))"))
    assert [rows[0][width] for width in ("rows", "inputs", "units")] == [32, 2, 3]
    assert rows[0]["kernel_gradient"]["nnlite"] > 0


def test_the_report_compares_and_records(tmp_path: Path) -> None:
    results, text = report(tmp_path / "results.json", "T3", "calls", "--peers", "numpy")
    assert set(results["fits"]["T3"]["peers"]) == {"nnlite", "numpy"}
    assert results["fits"]["T3"]["refused"] == {}
    assert "fit of 1 epoch, 400 rows" in results["calls"]
    assert "- (≥ 2000) ?" in text  # T3 beside PyTorch, which was not asked


def test_a_peer_that_learns_something_else_is_refused(tmp_path: Path) -> None:
    """It is named, and not timed."""
    liar = tmp_path / "liar.py"
    liar.write_text("""print('{"us_step": 0.001, "loss": 0.0001}')""")
    program = f"T4={sys.executable} {liar}"
    results, _ = report(tmp_path / "results.json", "T4", "--program", program, "--peers")
    assert set(results["fits"]["T4"]["peers"]) == {"nnlite"}
    assert "ends with loss 0.000100" in results["fits"]["T4"]["refused"]["program 1"]
