"""Validation and steps: when, on which rows, and who is told; hooks of evaluation and prediction."""

from typing import Any

import numpy as np
import pytest

from nnlite import data
from nnlite.callbacks import CSVLogger, EarlyStopping, LambdaCallback, ProgbarLogger
from nnlite.layers import Dense, Dropout
from nnlite.models import Sequential

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (50, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.float32)


def made() -> Sequential:
    model = Sequential(
        [Dense(4, activation="tanh", input_dim=3), Dropout(0.25), Dense(1, activation="sigmoid")], seed=7
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def outcome(model: Sequential | None = None, **arguments: Any) -> tuple[Any, Any]:
    """What a training leaves: weights, history."""
    model = model or made()
    history = model.fit(X, Y, **{"epochs": 6, "batch_size": 16, "verbose": 0, "validation_split": 0.2} | arguments)
    return [array.tolist() for array in model.get_weights()], dict(history.history)


def recorder(*hooks: str) -> tuple[list[str], LambdaCallback]:
    calls: list[str] = []
    return calls, LambdaCallback(**{hook: lambda *_, hook=hook: calls.append(hook[3:]) for hook in hooks})


TEST_HOOKS = ("on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end")


class TestHooks:
    def test_order_in_an_epoch(self) -> None:
        calls, callback = recorder(*TEST_HOOKS, "on_epoch_begin", "on_batch_end", "on_epoch_end", "on_train_end")
        outcome(callbacks=callback, epochs=1, batch_size=8)
        batch = ["test_batch_begin", "test_batch_end"]
        assert calls == [
            "epoch_begin", *["batch_end"] * 5, "test_begin", *batch, *batch, "test_end", "epoch_end", "train_end",
        ]  # fmt: skip

    @pytest.mark.parametrize("hook", TEST_HOOKS)
    def test_change_nothing(self, hook: str) -> None:
        assert outcome(callbacks=LambdaCallback(**{hook: lambda *_: None})) == outcome()

    def test_values(self) -> None:
        seen: list[Any] = []
        callback = LambdaCallback(
            on_test_batch_begin=lambda batch, logs: seen.append(dict(logs)),
            on_test_batch_end=lambda batch, logs: seen.append(dict(logs)),
            on_test_end=lambda logs: seen.append(dict(logs)),
        )
        model = made()
        means = model.evaluate(X, Y, 32, 0, callbacks=[callback], return_dict=True)
        assert means == model.evaluate(X, Y, 32, 0, return_dict=True) == seen[-1]
        assert [logs["batch"] for logs in seen[:-1]] == [0, 0, 1, 1]
        assert [logs["size"] for logs in seen[:-1]] == [32, 32, 18, 18]
        assert (seen[1]["loss"] * 32 + seen[3]["loss"] * 18) / 50 == pytest.approx(means["loss"])

    def test_of_prediction(self) -> None:
        hooks = ("on_predict_begin", "on_predict_batch_begin", "on_predict_batch_end", "on_predict_end")
        calls, callback = recorder(*hooks)
        outputs: list[Any] = []
        keep = LambdaCallback(on_predict_batch_end=lambda batch, logs: outputs.append(logs["outputs"]))
        model = made()
        result = model.predict(X, 32, callbacks=[callback, keep])
        assert calls == ["predict_begin", *["predict_batch_begin", "predict_batch_end"] * 2, "predict_end"]
        assert (result == model.predict(X)).all() and (np.concatenate(outputs) == result).all()
        assert callback.model is model

    def test_of_training_are_silent_in_evaluation(self) -> None:
        calls, callback = recorder("on_train_begin", "on_epoch_end", "on_test_begin")
        made().evaluate(X, Y, verbose=0, callbacks=callback)
        assert calls == ["test_begin"]

    def test_the_end_of_training_has_the_last_values(self) -> None:
        last: list[Any] = []
        history = outcome(callbacks=LambdaCallback(on_train_end=lambda logs: last.append(dict(logs))))[1]
        assert last == [{name: values[-1] for name, values in history.items()}]


class TestFrequency:
    @pytest.mark.parametrize(
        ("often", "epochs"), [(1, [0, 1, 2, 3, 4, 5]), (2, [1, 3, 5]), (4, [3]), ([1, 5], [0, 4]), ({6}, [5]), (9, [])]
    )
    def test_epochs(self, often: Any, epochs: list[int]) -> None:
        weights, history = outcome(validation_freq=often)
        expected, full = outcome()
        assert weights == expected and history["loss"] == full["loss"]
        assert history.get("val_loss", []) == [full["val_loss"][epoch] for epoch in epochs]

    def test_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        outcome(validation_freq=2, epochs=2, verbose=1)
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "Train on 40 samples, validate on 10 samples"
        assert ("val_loss" in lines[2], "val_loss" in lines[4]) == (False, True)

    def test_callbacks_wait_for_it(self, tmp_path: Any) -> None:
        stop, log = EarlyStopping(mode="max", patience=1), CSVLogger(tmp_path / "log.csv")
        outcome(validation_freq=2, callbacks=[stop, log])
        assert stop.stopped_epoch in (0, 3, 5)
        lines = (tmp_path / "log.csv").read_text().splitlines()
        assert lines[0] == "epoch,acc,loss,val_acc,val_loss"
        assert lines[1].endswith("NA,NA") and "NA" not in lines[2]


class TestBatchSize:
    def test_of_validation(self) -> None:
        weights, history = outcome(validation_batch_size=3)
        expected, full = outcome()
        assert weights == expected and history["val_loss"] == pytest.approx(full["val_loss"], rel=1e-6)

    def test_steps_of_validation(self) -> None:
        expected = outcome(validation_data=(X[:32], Y[:32]))
        assert outcome(validation_data=(X, Y), validation_steps=2) == expected

    def test_steps_of_evaluation(self) -> None:
        model = made()
        assert model.evaluate(X, Y, 16, 0, steps=2) == model.evaluate(X[:32], Y[:32], 16, 0)
        assert model.evaluate(X, Y, verbose=0, steps=5) == model.evaluate(X, Y, 10, 0)


class TestStepsPerEpoch:
    def test_cuts_arrays(self) -> None:
        by_steps = outcome(batch_size=None, steps_per_epoch=4)
        assert by_steps == outcome(batch_size=10)

    def test_goes_on_where_it_stopped(self) -> None:
        model, other = made(), made()
        model.fit(X, Y, 10, 2, 0, steps_per_epoch=4, shuffle=False)
        for start in (0, 10, 20, 30, 40, 0, 10, 20):
            other.train_on_batch(X[start : start + 10], Y[start : start + 10])
        for array, expected in zip(model.get_weights(), other.get_weights(), strict=True):
            assert (array == expected).all()

    def test_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        made().fit(X, Y, 10, steps_per_epoch=3)
        made().fit(X, Y, steps_per_epoch=5)
        made().fit(X, Y, 10, callbacks=ProgbarLogger("steps"))
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines[1::2]] == ["3/3", "5/5", "5/5"]


class Frame:
    """A data frame without pandas: columns of several types make an array of objects."""

    def __init__(self, values: Any) -> None:
        self.values = np.array(values, object)

    def to_numpy(self) -> Any:
        return self.values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.values


def test_frames_of_several_types() -> None:
    assert data.reals("x", Frame([[True, 1.5], [False, 2]])).tolist() == [[1.0, 1.5], [0.0, 2.0]]
    for wrong in ([["1", 2]], [[None, object()]]):
        with pytest.raises(TypeError, match="must hold real numbers; received Frame of type object"):
            data.reals("x", Frame(wrong))


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_frames(package: str) -> None:
    frames = pytest.importorskip(package)
    columns = {f"c{i}": X[:, i] for i in range(3)}
    frame, series = frames.DataFrame(columns), frames.Series("y", Y) if package == "polars" else frames.Series(Y)
    model, other = made(), made()
    model.fit(frame, series, epochs=2, verbose=0, validation_split=0.2)
    other.fit(X, Y, epochs=2, verbose=0, validation_split=0.2)
    for array, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        assert (array == expected).all()
    assert (model.predict(frame) == other.predict(X)).all()
    assert model.evaluate(frame, series, verbose=0) == other.evaluate(X, Y, verbose=0)
