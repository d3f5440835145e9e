"""The command: the demo trains every task and says so; info, scripts and mistakes on the command line."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnlite
from nnlite import _engine, config, demo
from nnlite.__main__ import main


def test_demo(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each task with epochs, accuracy and time, and what was timed; short enough to read."""
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    table = out[out.index("\ntask ") :]
    for task in demo.TASKS:
        row = rf"^{re.escape(f'{task.name:24}{task.net}')} +(\d+) +([\d.]+)% +([\d.]+) ms$"
        found = re.search(row, table, re.MULTILINE)
        assert found, f"{task.name} is not in:\n{table}"
        assert int(found[1]) == task.epochs
        assert float(found[2]) >= 100 * task.goal
        assert 0 < float(found[3]) < 10_000
    assert "Every task was learned." in table and "bit for bit: yes" in table
    assert "time of fit: one call of fit()" in table
    assert out.count("\n") < 120 and max(map(len, out.splitlines())) <= 130


def test_demo_shows_bars(capsys: pytest.CaptureFixture[str]) -> None:
    """A short fit has its bars, a long one a few lines, the last of them for its last epoch."""
    for task in demo.TASKS:
        demo.run(task, seed=0)
        out = capsys.readouterr().out
        assert out.count("[==============================]") == task.bars
        if task.bars < task.epochs:
            assert 1 <= len(re.findall(rf"Epoch \d+/{task.epochs} - loss: ", out)) <= demo.LINES
            assert f"Epoch {task.epochs}/{task.epochs} - loss: " in out


def test_demo_of_another_seed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", "--seed", "4"])
    assert "Seed: 4." in capsys.readouterr().out


def test_demo_admits_failure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A net that has not learned is named, and the exit status says so."""
    squares = next(task for task in demo.TASKS if task.name == "two squares")
    untrained = demo.Task(**{**vars(squares), "epochs": 5})
    monkeypatch.setattr(demo, "TASKS", (untrained,))
    assert main(["demo"]) == 1
    out = capsys.readouterr().out
    assert "not learned: the goal is 90%" in out and "Not every task was learned" in out


def test_demo_leaves_the_global_generator_alone(capsys: pytest.CaptureFixture[str]) -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    demo.run(demo.TASKS[-1], seed=0)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("command", ["info", "demo"])
def test_the_target_used_is_shown(
    command: str, target: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNLITE_TARGET", target)
    monkeypatch.setattr(demo, "TASKS", demo.TASKS[-1:])
    main([command])
    assert re.search(rf"target:? +{target}\b", capsys.readouterr().out)


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert re.search(rf"^nnlite: +{re.escape(nnlite.__version__)}$", out, re.MULTILINE)
    for name in _engine.targets():
        assert name in out


def test_as_a_module() -> None:
    """``python -m nnlite info`` is the same command."""
    command = [sys.executable, "-m", "nnlite", "info"]
    where = Path(nnlite.__file__).parent.parent
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("nnlite:")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0 and capsys.readouterr().out == f"nnlite {nnlite.__version__}\n"


def test_script_with_keras_3s_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``nnlite --compat keras3 script.py arguments`` runs a script as Python does, with Keras 3's names."""
    (tmp_path / "neighbour.py").write_text("LOSS = 'mse'\n")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nimport nnlite\nfrom neighbour import LOSS\n"
        "model = nnlite.Sequential([nnlite.layers.Dense(1, input_dim=1)])\n"
        "model.compile('sgd', LOSS, metrics=['accuracy'])\n"
        "print(__name__, sys.argv[1:], list(model.fit([[1.0]], [[1.0]], verbose=0).history))\n"
    )
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "path", sys.path[:])
    try:
        assert main(["--compat", "keras3", str(script), "--option", "1"]) == 0
    finally:
        config.set_compat("keras2")
    assert capsys.readouterr().out == "__main__ ['--option', '1'] ['accuracy', 'loss']\n"


@pytest.mark.parametrize("arguments", [["dmeo"], ["info", "more"], ["--compat", "keras9", "info"], []])
def test_mistakes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2 and "usage: nnlite" in capsys.readouterr().err
