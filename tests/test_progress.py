"""The lines training shows are those of Keras 2.2, byte for byte; the expected texts follow from its rules."""

import io
import sys
import time

import pytest

from nnlite import progress, progress_lines
from nnlite.progress import EpochReport, Progbar

FULL = "[==============================]"


class Terminal(io.StringIO):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("current", "target", "text"),
    [
        (0, 400, "  0/400 [..............................]"),
        (13, 400, " 13/400 [..............................]"),
        (32, 400, " 32/400 [=>............................]"),
        (14, 400, " 14/400 [>.............................]"),
        (399, 400, "399/400 [============================>.]"),
        (400, 400, f"400/400 {FULL}"),
        (4, 4, f"4/4 {FULL}"),
    ],
)
def test_bar(current: int, target: int, text: str) -> None:
    assert progress_lines.bar(current, target) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.9, "59s"), (60, "60s"), (65, "1:05"), (3600, "60:00"), (3665, "1:01:05")]
)
def test_time_to_wait(seconds: float, text: str) -> None:
    assert progress_lines.remaining(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "units", "text"),
    [
        (0.0572, 400, " - 0s 143us/step"),
        (0.6, 4, " - 1s 150ms/step"),
        (8, 4, " - 8s 2s/step"),
        (0, 400, " - 0s 0us/step"),
        (0.3864, 400, " - 0s 966us/step"),
    ],
)
def test_time_spent(seconds: float, units: int, text: str) -> None:
    assert progress_lines.duration(seconds, units) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.69984, "0.6998"),
        (0, "0.0000e+00"),
        (0.001, "1.0000e-03"),
        (-0.25, "-0.2500"),
        (float("nan"), "nan"),
        (12345.678, "12345.6780"),
    ],
)
def test_values(value: float, text: str) -> None:
    assert progress_lines.shown([("loss", value)]) == f" - loss: {text}"


@pytest.mark.parametrize("small", [False, True])
def test_epochs_finished_at_once_off_a_terminal(small: bool, capsys: pytest.CaptureFixture[str]) -> None:
    report = EpochReport(1, ["loss", "acc"], 3, 400, 0)
    report.finished(0, [[0.6998, 0.0 if small else 0.5]] * 2, [0.0572, 0.06])
    report.finished(2, [[0.6, 0.75]], [1.2])
    shown = "0.0000e+00" if small else "0.5000"
    assert capsys.readouterr().out == (
        f"Epoch 1/3\n400/400 {FULL} - 0s 143us/step - loss: 0.6998 - acc: {shown}\n"
        f"Epoch 2/3\n400/400 {FULL} - 0s 150us/step - loss: 0.6998 - acc: {shown}\n"
        f"Epoch 3/3\n400/400 {FULL} - 1s 3ms/step - loss: 0.6000 - acc: 0.7500\n"
    )


def test_validation_line_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    report = EpochReport(1, ["loss", "val_loss"], 1, 200, 50)
    report.finished(0, [[0.5, 0.25]], [0.02])
    assert capsys.readouterr().out == (
        "Train on 200 samples, validate on 50 samples\n"
        f"Epoch 1/1\n200/200 {FULL} - 0s 100us/step - loss: 0.5000 - val_loss: 0.2500\n"
    )


def test_a_line_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    report = EpochReport(2, ["loss", "acc"], 1, 400, 0)
    report.finished(0, [[0.7, -0.5]], [0.4])
    assert capsys.readouterr().out == "Epoch 1/1\n - 0s - loss: 0.7000 - acc: -5.0000e-01\n"


def test_silent(capsys: pytest.CaptureFixture[str]) -> None:
    report = EpochReport(0, ["loss"], 1, 400, 10)
    report.begin(0)
    report.running(0, 32, 1.0, [0.5])
    report.end()
    assert capsys.readouterr().out == ""


def test_running_off_a_terminal_shows_the_header_once(capsys: pytest.CaptureFixture[str]) -> None:
    report = EpochReport(1, ["loss"], 2, 400, 0)
    report.running(0, 32, 1.0, [0.5])
    report.running(0, 64, 2.0, [0.5])
    assert capsys.readouterr().out == "Epoch 1/2\n"


def test_redrawing_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(progress, "INTERVAL", 0)
    report = EpochReport(1, ["loss"], 1, 400, 0)
    report.running(0, 100, 10.0, [0.5])
    report.finished(0, [[0.25]], [40.0])
    running = "100/400 [======>.......................] - ETA: 30s - loss: 0.5000"
    final = f"400/400 {FULL} - 40s 100ms/step - loss: 0.2500"
    padding = " " * (len(running) - len(final))
    assert terminal.getvalue() == "Epoch 1/1\n\r" + running + "\b" * len(running) + "\r" + final + padding + "\n"


def test_an_unfinished_line_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    report = EpochReport(1, ["loss"], 1, 400, 0)
    report.running(0, 100, 10.0, [0.5])
    report.end()
    assert terminal.getvalue().endswith("loss: 0.5000\n")


def test_progbar_averages_values(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "perf_counter", lambda: 5.0)
    bar = Progbar(10, stateful_metrics=["lr"])
    bar.update(4, [("loss", 1.0), ("lr", 0.5)])
    bar.add(6, [("loss", 2.0), ("lr", 0.25)])
    assert capsys.readouterr().out == f"10/10 {FULL} - 0s 0us/step - loss: 1.6000 - lr: 0.2500\n"


def test_progbar_redraws_at_most_every_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, now = Terminal(), [0.0]
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    bar = Progbar(4, width=4, interval=1.0)
    for seconds, current in [(0.0, 1), (0.5, 2), (1.5, 3), (1.6, 4)]:
        now[0] = seconds
        bar.update(current)
    drawn = [line.strip("\b ") for line in terminal.getvalue().split("\r")[1:]]
    assert drawn == ["1/4 [>...] - ETA: 0s", "3/4 [==>.] - ETA: 0s", "4/4 [====] - 2s 400ms/step\n"]


@pytest.mark.parametrize(("verbose", "level"), [(True, 1), (False, 0), ("auto", 1), (2, 2), (0, 0)])
def test_levels(verbose: object, level: int) -> None:
    assert progress.level(verbose) == level


@pytest.mark.parametrize("verbose", [3, -1, "loud", None])
def test_no_level(verbose: object) -> None:
    with pytest.raises(ValueError, match="verbose must be 0"):
        progress.level(verbose)
