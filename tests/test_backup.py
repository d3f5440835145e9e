"""A training that is broken off and started again ends with the bits of one that never was."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnlite import optimizers
from nnlite.callbacks import BackupAndRestore, Callback, EarlyStopping, LearningRateScheduler, Listeners
from nnlite.layers import BatchNormalization, Dense, Dropout, GaussianNoise
from nnlite.models import Sequential
from nnlite.utils import Sequence

EPOCHS = 6
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 4)), RNG.integers(0, 2, 50)
HELD = RNG.normal(size=(20, 4)), RNG.integers(0, 2, 20)


class Crash(Exception):
    pass


class CrashAt(Callback):
    """Crashes after a batch of an epoch, both counted from 0."""

    def __init__(self, epoch: int, batch: int) -> None:
        self.at, self.epoch = (epoch, batch), 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.epoch, batch) == self.at:
            raise Crash


class CrashAfter(CrashAt):
    """Crashes at the end of an epoch."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        pass

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == self.at[0]:
            raise Crash


class Batches(Sequence):
    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> Any:
        rows = slice(7 * index, 7 * index + 7)
        return X[rows], Y[rows]


def own_loss(t: Any, p: Any) -> Any:
    return (t - p) ** 2


def made(seed: int = 1, **compiled: Any) -> Sequential:
    layers = [
        Dense(8, activation="relu", input_dim=4),
        BatchNormalization(),
        Dropout(0.3),
        GaussianNoise(0.1),
        Dense(1, activation="sigmoid"),
    ]
    model = Sequential(layers, seed=seed)
    model.compile(**{"optimizer": "nadam", "loss": "binary_crossentropy", "metrics": ["accuracy", "mae"]} | compiled)
    return model


def slower(epoch: int, rate: float) -> float:
    return rate * 0.9


SGD = {"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}}
ARRAYS: dict[str, Any] = {"x": X, "y": Y, "batch_size": 8}
# what a model is compiled with, and how it is fitted
TRAININGS: dict[str, tuple[dict[str, Any], Callable[[], dict[str, Any]]]] = {
    "arrays": ({}, lambda: ARRAYS),
    "validation": ({}, lambda: ARRAYS | {"validation_data": HELD}),
    "validation now and then": ({}, lambda: ARRAYS | {"validation_data": HELD, "validation_freq": 2}),
    "weights": ({}, lambda: ARRAYS | {"sample_weight": np.linspace(0, 2, 50), "shuffle": "batch"}),
    "unshuffled": (
        {"optimizer": {"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}}},
        lambda: ARRAYS | {"shuffle": False},
    ),
    "precision": ({"metrics": ["precision", "recall"]}, lambda: ARRAYS | {"validation_split": 0.2}),
    "own loss": ({"loss": own_loss}, lambda: ARRAYS),
    "epochs that do not end with the data": ({}, lambda: ARRAYS | {"steps_per_epoch": 5}),
    "sequence": ({}, lambda: {"x": Batches()}),
    "sequence of few steps": ({"loss": own_loss}, lambda: {"x": Batches(), "steps_per_epoch": 5}),
    "list of batches": ({}, lambda: {"x": iter_again([(X[:20], Y[:20]), (X[20:], Y[20:])] * 3)}),
}


class iter_again:
    """Gives batches each time it is gone through, and has no length."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __iter__(self) -> Any:
        return iter(self.batches)


def state(model: Sequential) -> list[Any]:
    engine = model.engine
    slots = [engine.read(2 + k, i) for k in range(engine.slots) for i in range(len(engine.tensors()))]
    return [engine.state, [array.tolist() for array in (*model.get_weights(), *slots)]]


@pytest.mark.parametrize(
    ("crash", "save_freq", "again_at"),
    [
        (CrashAfter(2, 0), "epoch", 2),  # before the callback, which is the last, has saved the epoch
        (CrashAt(3, 1), "epoch", 3),
        (CrashAt(3, 1), 3, None),
        (CrashAt(0, 4), 2, None),
        (CrashAt(1, 0), 1, None),
        (CrashAfter(2, 0), 1, None),
    ],
    ids=["epoch ends", "in an epoch", "every 3", "first epoch", "every batch", "epoch ends, every batch"],
)
@pytest.mark.parametrize("name", TRAININGS)
def test_same_bits(name: str, crash: CrashAt, save_freq: Any, again_at: int | None, tmp_path: Path) -> None:
    compiled, arguments = TRAININGS[name]
    options: dict[str, Any] = {"epochs": EPOCHS, "verbose": 0}
    whole = made(**compiled)
    history = whole.fit(**arguments(), **options, callbacks=[LearningRateScheduler(slower)]).history

    def backup() -> BackupAndRestore:
        return BackupAndRestore(tmp_path / "backup", save_freq)

    broken = made(**compiled)
    with pytest.raises(Crash):
        broken.fit(**arguments(), **options, callbacks=[LearningRateScheduler(slower), crash, backup()])
    again = made(seed=2, **compiled)
    second = again.fit(**arguments(), **options, callbacks=[LearningRateScheduler(slower), backup()])

    assert state(again) == state(whole)
    assert again.optimizer.learning_rate == whole.optimizer.learning_rate
    first = second.epoch[0]
    assert second.epoch == list(range(first, EPOCHS))
    if again_at is not None:
        assert first == again_at
    for key, values in history.items():
        later = values[first:] if len(values) == EPOCHS else values[first // 2 :]
        assert second.history[key] == later, key
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("crash", [CrashAt(3, 1), CrashAfter(2, 0)])
def test_schedule_of_steps(crash: CrashAt, tmp_path: Path) -> None:
    """The rate of a step follows from its number, which is put back."""
    optimizer = {
        "class_name": "Adam",
        "config": {"learning_rate": optimizers.schedules.ExponentialDecay(0.1, decay_steps=5, decay_rate=0.5)},
    }
    whole, broken, again = made(optimizer=optimizer), made(optimizer=optimizer), made(seed=2, optimizer=optimizer)
    whole.fit(X, Y, 8, EPOCHS, verbose=0)
    with pytest.raises(Crash):
        broken.fit(X, Y, 8, EPOCHS, verbose=0, callbacks=[crash, BackupAndRestore(tmp_path, 2)])
    again.fit(X, Y, 8, EPOCHS, verbose=0, callbacks=[BackupAndRestore(tmp_path, 2)])
    assert state(again) == state(whole)


def crashed(folder: Path, crash: CrashAt, **arguments: Any) -> None:
    with pytest.raises(Crash):
        made().fit(X, Y, epochs=EPOCHS, verbose=0, callbacks=[crash, BackupAndRestore(folder, **arguments)])


def test_only_those_listen_to_batches(tmp_path: Path) -> None:
    assert not Listeners([BackupAndRestore(tmp_path)]).each_batch
    assert Listeners([BackupAndRestore(tmp_path, save_freq=1)]).each_batch


def test_metrics_written_in_python_count_the_rest_of_the_epoch(tmp_path: Path) -> None:
    def mine(t: Any, p: Any) -> Any:
        return abs(t - p)

    whole = made(metrics=[mine])
    whole.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    with pytest.raises(Crash):
        callbacks = [CrashAt(0, 3), BackupAndRestore(tmp_path, 1)]
        made(metrics=[mine]).fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
    again = made(metrics=[mine])
    history = again.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[BackupAndRestore(tmp_path, 1)]).history
    assert state(again) == state(whole)
    assert history["loss"] == whole.history.history["loss"]  # type: ignore[union-attr]
    assert history["mine"][1] == whole.history.history["mine"][1]  # type: ignore[union-attr]


def test_backup_is_kept_if_asked(tmp_path: Path) -> None:
    keep = BackupAndRestore(tmp_path, delete_checkpoint=False)
    model = made()
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[keep])
    assert os.listdir(tmp_path) == ["training.nnlite"]
    before = state(model)
    again = made()
    assert again.fit(X, Y, epochs=2, verbose=0, callbacks=[keep]).epoch == []
    assert state(again) == before
    assert again.fit(X, Y, epochs=3, verbose=0, callbacks=[keep]).epoch == [2]


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    made().fit(X, Y, epochs=2, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_damaged_backup(tmp_path: Path) -> None:
    crashed(tmp_path, CrashAfter(3, 0), double_checkpoint=True)
    path = tmp_path / "training.nnlite"
    path.write_bytes(path.read_bytes()[:-9])
    model = made()
    before = [array.tolist() for array in model.get_weights()]
    with pytest.raises(ValueError, match=r"it was cut off or added to.* Remove the backup '.*' to start anew"):
        model.fit(X, Y, epochs=EPOCHS, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    assert [array.tolist() for array in model.get_weights()] == before and model.training is None
    double = BackupAndRestore(tmp_path, double_checkpoint=True)
    assert model.fit(X, Y, epochs=EPOCHS, verbose=0, callbacks=[double]).epoch == [2, 3, 4, 5]
    whole = made()
    whole.fit(X, Y, epochs=EPOCHS, verbose=0)
    assert state(model) == state(whole)
    assert not tmp_path.exists()


@pytest.mark.parametrize("change", ["layers", "optimizer", "metrics", "no backup"])
def test_backup_of_another_training(change: str, tmp_path: Path) -> None:
    crashed(tmp_path, CrashAt(2, 1), save_freq=1)
    model = made(**{"optimizer": {"optimizer": "sgd"}, "metrics": {"metrics": ["mse"]}}.get(change, {}))
    if change == "layers":
        model.add(Dense(1))
    if change == "no backup":
        model.save(tmp_path / "training.nnlite")
    with pytest.raises(ValueError, match=r"Remove the backup '.*' to start anew"):
        model.fit(X, Y, epochs=EPOCHS, verbose=0, callbacks=[BackupAndRestore(tmp_path)])


def test_stopped_early_ends_the_training(tmp_path: Path) -> None:
    stop = EarlyStopping(monitor="loss", patience=0, min_delta=100)
    history = made().fit(X, Y, epochs=EPOCHS, verbose=0, callbacks=[stop, BackupAndRestore(tmp_path / "b")])
    assert len(history.epoch) == 2 and not (tmp_path / "b").exists()


def test_lost_loss(tmp_path: Path) -> None:
    """A sum that is not finite is saved too, and what is said of it counts the steps from the first epoch."""

    def lost() -> Sequential:
        model = Sequential([Dense(1, input_dim=4)], seed=0)
        model.compile(optimizers.SGD(1e30), "mse")
        return model

    with pytest.raises(Crash), pytest.warns(RuntimeWarning, match="not finite since in epoch 1, step 2"):
        lost().fit(X, Y, 8, 3, verbose=0, callbacks=[CrashAt(1, 2), BackupAndRestore(tmp_path, 1)])
    with pytest.warns(RuntimeWarning, match="not finite since in epoch 2, step 3"):
        lost().fit(X, Y, 8, 3, verbose=0, callbacks=[BackupAndRestore(tmp_path, 1)])


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="backup_dir must be the path of a folder"):
        BackupAndRestore("")
    with pytest.raises(ValueError, match="save_freq must be an integer"):
        BackupAndRestore(tmp_path, "batch")
    with pytest.raises(NotImplementedError, match="save_before_preemption must be false"):
        BackupAndRestore(tmp_path, save_before_preemption=True)
