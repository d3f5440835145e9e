"""The benches run: a comparison with its check, single calls, and the table of figures to reach."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BENCHES = Path(__file__).parent.parent / "benches"


def report(kept: Path, *options: str) -> tuple[dict[str, Any], str]:
    """Results and what was printed."""
    path = os.pathsep.join([str(BENCHES), os.environ["PYTHONPATH"]])  # which conftest.py sets
    command = [sys.executable, str(BENCHES / "report.py"), "--rounds", "1", "--json", str(kept), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    return json.loads(kept.read_text("utf-8")), done.stdout


def test_the_report_compares_and_records(tmp_path: Path) -> None:
    results, printed = report(tmp_path / "results.json", "T3", "calls", "--peers", "numpy")
    assert set(results["fits"]["T3"]["peers"]) == {"nnlite", "numpy"}
    assert results["fits"]["T3"]["refused"] == {}
    assert "fit of 1 epoch, 400 rows" in results["calls"]
    assert "- (≥ 2000) ?" in printed  # T3 beside PyTorch, which was not asked


def test_a_peer_that_learns_something_else_is_refused(tmp_path: Path) -> None:
    """It is named, and not timed."""
    liar = tmp_path / "liar.py"
    liar.write_text("""print('{"us_step": 0.001, "loss": 0.0001}')""")
    program = f"T4={sys.executable} {liar}"
    results, _ = report(tmp_path / "results.json", "T4", "--program", program, "--peers")
    assert set(results["fits"]["T4"]["peers"]) == {"nnlite"}
    assert "ends with loss 0.000100" in results["fits"]["T4"]["refused"]["program 1"]
