"""Values of the epochs in files, at servers, at TensorBoard."""

import builtins
import json
import sys
import types
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from nnlite.callbacks import BaseLogger, CSVLogger, LambdaCallback, Listeners, ProgbarLogger, RemoteMonitor, TensorBoard
from nnlite.callbacks.logs import optional
from nnlite.layers import Dense
from nnlite.models import Sequential

X = np.linspace(-1, 1, 20).reshape(10, 2)
Y = X.sum(axis=1)


def trained(*callbacks: Any, **arguments: Any) -> Any:
    model = Sequential([Dense(1, input_dim=2, name="only")], seed=1)
    model.compile("sgd", "mse", metrics=["mae"])
    arguments = {"epochs": 2, "batch_size": 4, "verbose": 0, "validation_split": 0.2} | arguments
    return model.fit(X, Y, callbacks=list(callbacks), **arguments)


class TestCSV:
    def test_columns(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        history = trained(CSVLogger(path)).history
        header, *lines = path.read_bytes().decode().split("\r\n")[:-1]
        names = header.split(",")
        assert names == ["epoch", "loss", "mean_absolute_error", "val_loss", "val_mean_absolute_error"]
        assert [[float(cell) for cell in line.split(",")] for line in lines] == [
            [epoch, *(history[name][epoch] for name in names[1:])] for epoch in range(2)
        ]

    @pytest.mark.parametrize(("append", "lines"), [(True, 4), (False, 3)])
    def test_append(self, tmp_path: Path, append: bool, lines: int) -> None:
        path = tmp_path / "log.csv"
        trained(CSVLogger(path), epochs=1)
        trained(CSVLogger(path, append=append))
        written = path.read_text().splitlines()
        assert len(written) == lines
        assert [line.split(",")[0] for line in written].count("epoch") == 1

    def test_a_second_training_starts_the_file_anew(self, tmp_path: Path) -> None:
        log = CSVLogger(tmp_path / "log.csv")
        trained(log)
        trained(log, epochs=3, initial_epoch=2)
        assert [line.split(",")[0] for line in (tmp_path / "log.csv").read_text().splitlines()] == [
            "epoch", "2",
        ]  # fmt: skip

    def test_separator_and_missing_values(self, tmp_path: Path) -> None:
        log = CSVLogger(tmp_path / "log.csv", ";")
        log.on_train_begin()
        log.set_params({"metrics": ["loss", "val_loss"]})
        log.on_epoch_end(0, {"loss": 0.5, "rates": [1, 2]})
        log.on_epoch_end(1, {"val_loss": np.float32(0.25)})
        log.on_train_end()
        assert (tmp_path / "log.csv").read_text().splitlines() == [
            "epoch;loss;rates;val_loss", "0;0.5;[1, 2];NA", "1;NA;NA;0.25",
        ]  # fmt: skip

    def test_is_readable_during_training(self, tmp_path: Path) -> None:
        path, seen = tmp_path / "log.csv", []
        look = LambdaCallback(on_epoch_end=lambda *_: seen.append(len(path.read_text().splitlines())))
        trained(CSVLogger(path), look)
        assert seen == [2, 3]

    def test_mistakes(self, tmp_path: Path) -> None:
        with pytest.raises(TypeError, match="separator must be one character"):
            CSVLogger("log.csv", separator="||")
        with pytest.raises(FileNotFoundError):
            trained(CSVLogger(tmp_path / "missing" / "log.csv"))


class Requests(types.ModuleType):
    """In place of the package requests: keeps what is posted."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__("requests")
        self.exceptions = types.SimpleNamespace(RequestException=OSError)
        self.posted: list[Any] = []
        self.fails = fails

    def post(self, url: str, **arguments: Any) -> None:
        if self.fails:
            raise OSError("nobody there")
        self.posted.append((url, arguments))


class TestRemote:
    def test_form(self, monkeypatch: pytest.MonkeyPatch) -> None:
        requests = Requests()
        monkeypatch.setitem(sys.modules, "requests", requests)
        history = trained(RemoteMonitor("http://here", "/p", headers={"a": "b"})).history
        url, arguments = requests.posted[1]
        assert (url, arguments["headers"]) == ("http://here/p", {"a": "b"})
        expected = {"epoch": 1} | {name: values[1] for name, values in history.items()}
        assert json.loads(arguments["data"]["data"]) == expected

    def test_json(self, monkeypatch: pytest.MonkeyPatch) -> None:
        requests = Requests()
        monkeypatch.setitem(sys.modules, "requests", requests)
        trained(RemoteMonitor(send_as_json=True), epochs=1)
        assert requests.posted[0][0] == "http://localhost:9000/publish/epoch/end/"
        assert requests.posted[0][1]["json"]["epoch"] == 0

    def test_nobody_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "requests", Requests(fails=True))
        with pytest.warns(UserWarning, match="could not reach http://localhost:9000: nobody there"):
            assert len(trained(RemoteMonitor()).epoch) == 2


@pytest.mark.parametrize(("callback", "package"), [(RemoteMonitor, "requests"), (TensorBoard, "tensorboardX")])
def test_packages_that_are_not_installed(callback: Any, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{callback.__name__} needs the package {package}: pip install 'nnlite\["):
        callback()
    assert optional("builtins", "this test", "none") is builtins


class Writer:
    """In place of tensorboardX' SummaryWriter: keeps what is written."""

    written: ClassVar[list[tuple[Any, ...]]] = []

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def add_scalar(self, *arguments: Any) -> None:
        self.written.append((self.directory, *arguments))

    def add_histogram(self, name: str, values: Any, step: int) -> None:
        self.written.append((self.directory, name, values.shape, step))

    def flush(self) -> None:
        self.written.append((self.directory, "flush"))

    def close(self) -> None:
        self.written.append((self.directory, "close"))


class TestTensorBoard:
    @pytest.fixture(autouse=True)
    def _stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = types.ModuleType("tensorboardX")
        module.SummaryWriter = Writer  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "tensorboardX", module)
        monkeypatch.setattr(Writer, "written", [])

    def test_scalars(self) -> None:
        history = trained(TensorBoard("here")).history
        assert Writer.written == [
            *(("here", name, history[name][0], 0) for name in history), ("here", "flush"),
            *(("here", name, history[name][1], 1) for name in history), ("here", "flush"), ("here", "close"),
        ]  # fmt: skip

    @pytest.mark.usefixtures("keras3")
    def test_scalars_of_keras_3(self) -> None:
        trained(TensorBoard("here"), epochs=1)
        assert [entry[:2] for entry in Writer.written[:4]] == [
            ("here/train", "epoch_loss"), ("here/train", "epoch_mae"),
            ("here/validation", "epoch_loss"), ("here/validation", "epoch_mae"),
        ]  # fmt: skip

    def test_histograms(self) -> None:
        trained(TensorBoard(histogram_freq=2), epochs=3)
        found = [entry[1:] for entry in Writer.written if entry[1].startswith("only")]
        assert found == [("only/kernel:0", (2, 1), 0), ("only/bias:0", (1,), 0),
                         ("only/kernel:0", (2, 1), 2), ("only/bias:0", (1,), 2)]  # fmt: skip

    @pytest.mark.parametrize(("every", "steps"), [("batch", [0, 1, 2, 3]), (3, [2])])
    def test_batches(self, every: Any, steps: list[int]) -> None:
        trained(TensorBoard(update_freq=every))
        assert [entry[3] for entry in Writer.written if entry[1] == "batch_loss"] == steps

    def test_speed(self) -> None:
        trained(TensorBoard(write_steps_per_second=True), epochs=1)
        assert [entry[2] > 0 for entry in Writer.written if entry[1] == "steps_per_second"] == [True]

    def test_arguments(self) -> None:
        TensorBoard("./logs", 0, write_graph=True, write_images=False, profile_batch=2, embeddings_freq=0)
        with pytest.warns(UserWarning, match="write_images=True has no effect"):
            TensorBoard(write_images=True)
        with pytest.raises(TypeError, match=r"'histogram_frequency'\. Did you mean 'histogram_freq'"):
            TensorBoard(histogram_frequency=1)
        with pytest.raises(ValueError, match="update_freq must be one of 'epoch', 'batch'"):
            TensorBoard(update_freq="step")


def test_files_that_tensorboard_reads(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    trained(TensorBoard(tmp_path, histogram_freq=1))
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("events.out.tfevents") and b"val_mean_absolute_error" in file.read_bytes()


def test_means_of_batches() -> None:
    log, seen = BaseLogger(["rate"]), {"val_loss": 1.0}
    for rows, loss in ((4, 1.0), (2, 4.0)):
        log.on_batch_end(0, {"batch": 0, "size": rows, "loss": loss, "rate": loss})
    log.on_epoch_end(0, seen)
    assert seen == {"val_loss": 1.0, "loss": 2.0, "rate": 4.0}
    log.on_epoch_begin(1)
    assert (log.seen, log.totals) == (0, {})
    plain, logged = trained().history, trained(BaseLogger()).history
    assert plain == logged


def test_only_those_who_must_listen_to_batches(tmp_path: Path) -> None:
    listeners = Listeners([CSVLogger(tmp_path / "a"), ProgbarLogger()])
    assert (listeners.each_epoch, listeners.each_batch) == (True, False)
    with pytest.raises(ValueError, match="count_mode must be one of 'samples', 'steps'"):
        ProgbarLogger("rows")
