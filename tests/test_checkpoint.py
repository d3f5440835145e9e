"""Which models are saved where, and what is said of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from watched import Stub, watch

from nnlite.callbacks import Listeners, ModelCheckpoint
from nnlite.layers import Dense
from nnlite.models import Sequential


def saved(values: list[Any], *arguments: Any, **others: Any) -> list[str]:
    return watch(ModelCheckpoint(*arguments, **others), values).saved


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ({}, ["a", "a", "a", "a"]),
        ({"period": 2}, ["a", "a"]),
        ({"save_best_only": True}, ["a", "a"]),
        ({"save_best_only": True, "mode": "max"}, ["a", "a"]),
        ({"save_best_only": True, "initial_value_threshold": 1.5}, ["a"]),
        ({"save_weights_only": True, "period": 4}, ["weights a"]),
    ],
)
def test_which(arguments: dict[str, Any], files: list[str]) -> None:
    assert saved([2, 1, 3, 1.5], "a", **arguments) == files


def test_names_of_files() -> None:
    assert saved([0.5, 0.25], "w.{epoch:02d}-{val_loss:.2f}.h5") == ["w.01-0.50.h5", "w.02-0.25.h5"]
    assert saved([0.5], Path("a.h5")) == ["a.h5"]
    callback = ModelCheckpoint("{val_acc:.1f}")
    assert watch(callback, [0.5], "val_accuracy").saved == ["0.5"]
    with pytest.raises(KeyError, match=r"no value is called 'val_acc'; there are loss"):
        saved([None], "{val_acc}")


def test_best_of_two_trainings() -> None:
    callback, model = ModelCheckpoint("a", save_best_only=True), Stub()
    watch(callback, [2, 1], model=model)
    watch(callback, [1.5, 0.5], model=model)
    assert len(model.saved) == 3


def test_directories_are_made(tmp_path: Path) -> None:
    saved([1], tmp_path / "a" / "b.h5")
    assert (tmp_path / "a").is_dir()
    with pytest.raises(IsADirectoryError, match="filepath must name a file"):
        saved([1], tmp_path / "a")


def test_a_value_that_is_not_there() -> None:
    with pytest.warns(RuntimeWarning, match="ModelCheckpoint watches 'val_loss'"):
        assert saved([None], "a", save_best_only=True) == []


@pytest.mark.usefixtures("keras3")
def test_a_value_that_is_not_there_in_keras_3() -> None:
    with pytest.warns(RuntimeWarning, match="ModelCheckpoint watches 'val_loss'"):
        assert saved([None], "a", save_best_only=True) == ["a"]


def test_messages(capsys: pytest.CaptureFixture[str]) -> None:
    saved([0.69321, 0.7], "F", save_best_only=True, verbose=1)
    saved([1], "F", verbose=1)
    assert capsys.readouterr().out == (
        "\nEpoch 00001: val_loss improved from inf to 0.69321, saving model to F\n"
        "\nEpoch 00002: val_loss did not improve from 0.69321\n"
        "\nEpoch 00001: saving model to F\n"
    )


@pytest.mark.usefixtures("keras3")
def test_messages_of_keras_3(capsys: pytest.CaptureFixture[str]) -> None:
    saved([0.69321], "F", save_best_only=True, verbose=1)
    assert capsys.readouterr().out == (
        "\nEpoch 1: val_loss improved from None to 0.69321, saving model to F\nEpoch 1: finished saving model to F\n"
    )


def test_every_few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    paths: list[str] = []
    monkeypatch.setattr(Sequential, "save", lambda model, path, overwrite: paths.append(path), raising=False)
    model = Sequential([Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    keep = ModelCheckpoint("{epoch}-{batch}", save_freq=4)
    model.fit(np.ones((6, 2)), np.ones(6), batch_size=2, epochs=3, verbose=0, callbacks=[keep])
    assert paths == ["2-1", "3-2"]


def test_only_those_listen_to_batches() -> None:
    assert not Listeners([ModelCheckpoint("a")]).each_batch
    assert Listeners([ModelCheckpoint("a", save_freq=1)]).each_batch


def test_mistakes() -> None:
    with pytest.raises(TypeError, match="filepath must be a path"):
        ModelCheckpoint(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="period must be an integer of at least 1"):
        ModelCheckpoint("a", period=0)
    with pytest.raises(ValueError, match="save_freq must be an integer"):
        ModelCheckpoint("a", save_freq="batch")
