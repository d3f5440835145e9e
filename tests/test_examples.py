"""Every script of examples/ runs on its own, in a process of its own, and prints that it has learned."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nnlite

FOLDER = Path(__file__).parent.parent / "examples"

# The results a script prints, as patterns with one number each, and the least that the number may be.
RESULTS = {
    "breast_cancer": [(r"right on 114 tumours never seen: ([\d.]+)%", 93), (r"AUC ([\d.]+)", 0.97)],
    "digits": [(r"right on 450 digits never seen: ([\d.]+)%", 94)],
    "four_points": [(r"right on the four corners: (\d+)%", 100)],
    "iris": [(r"right on 30 flowers never seen: ([\d.]+)%", 90)],
    "learning_rate": [
        (r"learning rate 0\.001: ([\d.]+)% right after five epochs", 0),
        (r"learning rate 0\.1: ([\d.]+)% right after five epochs", 99),
    ],
    "noisy_step": [
        (r"both coordinates: .* epoch 100, ([\d.]+)% on fresh rows", 95),
        (r"the second only: .* epoch 100, ([\d.]+)% on fresh rows", 95),
    ],
    "sum_of_five_hinge": [(r"right on 1000 fresh rows: ([\d.]+)%", 90)],
    "sum_of_five_softmax": [(r"right on 1000 fresh rows: ([\d.]+)%", 90)],
    "two_squares": [
        (r"2 hidden units, 5 epochs: ([\d.]+)% right", 0),
        (r"2 hidden units, 200 epochs: ([\d.]+)% right", 90),
        (r"10 hidden units, 50 epochs: ([\d.]+)% right", 90),
    ],
    "two_thousand_points": [
        (r"with BatchNormalization: .* fresh rows: ([\d.]+)%", 99),
        (r"without BatchNormalization: .* fresh rows: ([\d.]+)%", 99),
    ],
    "wine": [(r"right on 54 wines never seen: ([\d.]+)%", 93)],
}
OF_SCIKIT_LEARN = {"breast_cancer", "digits", "iris", "wine"}


def test_every_script_is_checked() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(RESULTS)


@pytest.mark.parametrize("name", RESULTS)
def test_script(name: str, tmp_path: Path) -> None:
    if name in OF_SCIKIT_LEARN:
        pytest.importorskip("sklearn")
    command = [sys.executable, "-W", "error", FOLDER / f"{name}.py"]
    same = os.environ | {"PYTHONPATH": str(Path(nnlite.__file__).parent.parent)}  # the nnlite that is tested here
    done = subprocess.run(command, cwd=tmp_path, env=same, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for pattern, least in RESULTS[name]:
        found = re.search(pattern, done.stdout)
        assert found, f"{pattern} is not in:\n{done.stdout}"
        assert float(found[1]) >= least, found[0]
    if name in OF_SCIKIT_LEARN:
        printed = re.findall(r"\d+", done.stdout[done.stdout.index("[[") :])
        rows = re.findall(r"right on (\d+)", done.stdout)
        assert [sum(map(int, printed))] == list(map(int, rows)), "the confusion matrix counts each row once"


@pytest.mark.parametrize("name", sorted(OF_SCIKIT_LEARN))
def test_script_without_scikit_learn(name: str) -> None:
    hidden = "import sys; sys.modules['sklearn'] = None\n" + (FOLDER / f"{name}.py").read_text()
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "this example needs the data of scikit-learn: pip install scikit-learn\n"


@pytest.mark.parametrize("name", RESULTS)
def test_script_is_short(name: str) -> None:
    assert len((FOLDER / f"{name}.py").read_text().splitlines()) < 40
