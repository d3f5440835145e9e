"""With Keras 3's face progress, history and logs are those of Keras 3.15, byte for byte; only times differ."""

import io
import re
import sys
from typing import Any

import numpy as np
import pytest

from nnlite import backend, keras3_lines, progress_lines
from nnlite.callbacks import Callback, LearningRateScheduler
from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.utils import Progbar

pytestmark = pytest.mark.usefixtures("keras3")
FULL = "\x1b[32m" + "━" * 20 + "\x1b[0m\x1b[37m\x1b[0m"
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.random((100, 5)), RANDOM.integers(0, 2, 100)


def model() -> Sequential:
    made = Sequential([Dense(4, activation="relu", input_dim=5), Dense(1, activation="sigmoid")], seed=1)
    made.compile("sgd", "binary_crossentropy", metrics=["mse", "accuracy"])
    return made


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, times and values as T and V."""
    text = re.sub(r"\d+(s|ms|us)\b", "T", capsys.readouterr().out)
    return re.sub(r"\d\.\d{4}", "V", text)


@pytest.mark.parametrize(
    ("current", "target", "text"),
    [
        (1, 3, "\x1b[1m1/3\x1b[0m \x1b[32m━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━\x1b[0m"),
        (0, 10, "\x1b[1m 0/10\x1b[0m \x1b[37m━━━━━━━━━━━━━━━━━━━━\x1b[0m"),
        (13, 13, f"\x1b[1m13/13\x1b[0m {FULL}"),
    ],
)
def test_bar(current: int, target: int, text: str) -> None:
    assert keras3_lines.bar(current, target) == text
    assert progress_lines.visible(text) == 2 * len(str(target)) + 22


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, " 0s/step"), (3e-6, " 3us/step"), (0.0041, " 4ms/step"), (2.4, " 2s/step")]
)
def test_time_of_a_step(seconds: float, text: str) -> None:
    assert keras3_lines.per_step(seconds * 3, 3) == text


def test_running_line_shows_the_time_left() -> None:
    line = keras3_lines.bar_line(1, 4, 10.0, [("loss", -0.5), ("mse", 1e-5)])
    assert line == f"{keras3_lines.bar(1, 4)} \x1b[1m30s\x1b[0m 10s/step - loss: -0.5000 - mse: 1.0000e-05"


def test_a_fit(capsys: pytest.CaptureFixture[str]) -> None:
    model().fit(X, Y, epochs=2, validation_split=0.2)
    values = " - ".join(f"{name}: V" for name in ("accuracy", "loss", "mse", "val_accuracy", "val_loss", "val_mse"))
    line = f"\x1b[1m3/3\x1b[0m {FULL} \x1b[1mT\x1b[0m T/step - {values}\n"
    assert shown(capsys) == f"Epoch 1/2\n{line}Epoch 2/2\n{line}"


def test_one_epoch_has_no_head(capsys: pytest.CaptureFixture[str]) -> None:
    model().fit(X, Y, verbose=2)
    assert shown(capsys) == "4/4 - T - T/step - accuracy: V - loss: V - mse: V\n"


def test_evaluate_and_predict(capsys: pytest.CaptureFixture[str]) -> None:
    trained = model()
    trained.evaluate(X, Y)
    trained.evaluate(X, Y, verbose=2)
    trained.predict(X, verbose=1)
    trained.predict(X, verbose=2, batch_size=50)
    bar = f"\x1b[1m4/4\x1b[0m {FULL} \x1b[1mT\x1b[0m T/step"
    values = " - accuracy: V - loss: V - mse: V\n"
    assert shown(capsys) == f"{bar}{values}4/4 - T - T/step{values}{bar}\n2/2 - T - T/step\n"


def test_learning_rate_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    trained = model()
    trained.fit(X, Y, verbose=2, callbacks=[LearningRateScheduler(lambda epoch: 0.5)])
    assert shown(capsys).endswith("- mse: V - learning_rate: V\n")
    assert trained.history is not None
    assert list(trained.history.history) == ["accuracy", "loss", "mse", "learning_rate"]


def test_order_of_the_history() -> None:
    history = model().fit(X, Y, validation_split=0.2, verbose=0).history
    assert list(history) == ["accuracy", "loss", "mse", "val_accuracy", "val_loss", "val_mse"]


class Watching(Callback):
    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.told.append(("begin", dict(logs)))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.told.append(("end", dict(logs)))

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.told.append(("test", dict(logs)))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.told.append(("epoch", dict(logs)))


def test_batches_tell_the_means_so_far() -> None:
    watching = Watching()
    model().fit(X, Y, validation_split=0.2, verbose=0, callbacks=[watching])
    kinds = [kind for kind, _ in watching.told]
    assert kinds == ["begin", "end"] * 3 + ["test", "epoch"]
    told = [logs for _, logs in watching.told]
    assert told[0] == {} and list(told[1]) == ["accuracy", "loss", "mse"]
    assert told[5] == {name: pytest.approx(told[-1][name]) for name in ("accuracy", "loss", "mse")}
    assert told[6] == {name: pytest.approx(told[-1][f"val_{name}"]) for name in ("accuracy", "loss", "mse")}
    assert told[1]["loss"] != told[3]["loss"] != told[5]["loss"]


def test_names() -> None:
    backend.clear_session()
    made = Sequential([Dense(1, input_dim=1), Dense(1)])
    assert (made.name, [layer.name for layer in made.layers]) == ("sequential", ["dense", "dense_1"])


def test_progbar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bar = Progbar(10)
    bar.update(4, [("loss", 1.0)])
    bar.add(6, [("loss", 2.0)])
    assert shown(capsys) == f"\x1b[1m10/10\x1b[0m {FULL} \x1b[1mT\x1b[0m T/step - loss: V\n"
    monkeypatch.setattr(sys, "stdout", terminal := io.StringIO())
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    unknown = Progbar(None)
    unknown.update(2)
    unknown.update(3, finalize=True)
    text = re.sub(r"\d+(s|ms|us)\b", "T", terminal.getvalue())
    assert text.startswith("\r      2/Unknown \x1b[1mT\x1b[0m T/step\b") and "3/3" in text and text.endswith("\n")
