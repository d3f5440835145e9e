"""Callbacks: what is called when, with which values, and what the history keeps."""

from typing import Any

import numpy as np
import pytest

from nnlite.callbacks import HOOKS, ByName, Callback, History, LambdaCallback, Listeners, canonical
from nnlite.layers import Dense
from nnlite.models import Sequential

X = np.linspace(-1, 1, 20).reshape(10, 2)
Y = X.sum(axis=1)


def model() -> Sequential:
    made = Sequential([Dense(1, input_dim=2)], seed=1)
    made.compile("sgd", "mse", metrics=["mae"])
    return made


class Recorder(Callback):
    """Writes down every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append(("train_begin",))

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append(("train_end",))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch_begin", epoch))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch_end", epoch, dict(logs)))

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch_begin", batch, dict(logs)))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch_end", batch, dict(logs)))


def test_order_and_values() -> None:
    recorder = Recorder()
    history = model().fit(X, Y, batch_size=4, epochs=2, verbose=0, validation_split=0.2, callbacks=[recorder])
    one_epoch = ["epoch_begin", "batch_begin", "batch_end", "batch_begin", "batch_end", "epoch_end"]
    assert [call[0] for call in recorder.calls] == ["train_begin", *one_epoch * 2, "train_end"]
    assert [call[1] for call in recorder.calls[1:-1]] == [0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1]
    assert recorder.calls[2][2] == {"batch": 0, "size": 4}
    assert list(recorder.calls[3][2]) == ["batch", "size", "loss", "mean_absolute_error"]
    means = recorder.calls[6][2]
    assert list(means) == ["val_loss", "val_mean_absolute_error", "loss", "mean_absolute_error"]
    assert means["loss"] == pytest.approx((recorder.calls[3][2]["loss"] + recorder.calls[5][2]["loss"]) / 2)
    assert {name: values[0] for name, values in history.history.items()} == means


def test_a_short_batch_says_its_size() -> None:
    recorder = Recorder()
    model().fit(X, Y, batch_size=4, verbose=0, callbacks=[recorder])
    assert [call[2]["size"] for call in recorder.calls if call[0] == "batch_end"] == [4, 4, 2]


@pytest.mark.parametrize("callbacks", [None, [], LambdaCallback(), [None, LambdaCallback()]])
def test_nobody_listens(callbacks: Any) -> None:
    listeners = Listeners(callbacks)
    assert not listeners.each_batch and not listeners.each_epoch


@pytest.mark.parametrize(
    ("hook", "each_epoch", "each_batch"),
    [
        ("on_epoch_begin", True, False),
        ("on_epoch_end", True, False),
        ("on_batch_begin", False, True),
        ("on_batch_end", False, True),
        ("on_train_batch_begin", False, True),
        ("on_train_batch_end", False, True),
        ("on_train_begin", False, False),
        ("on_train_end", False, False),
    ],
)
def test_who_listens_to_what(hook: str, each_epoch: bool, each_batch: bool) -> None:
    class Duck:
        pass

    setattr(Duck, hook, lambda *_: None)
    subclass = type("Own", (Callback,), {hook: lambda *_: None})
    for callback in (LambdaCallback(**{hook: lambda *_: None}), Duck(), subclass()):
        listeners = Listeners([callback])
        assert (listeners.each_epoch, listeners.each_batch) == (each_epoch, each_batch)


@pytest.mark.parametrize("callback", [5, "History", Callback, object()])
def test_no_callback(callback: Any) -> None:
    with pytest.raises(TypeError, match="callbacks must be objects"):
        Listeners([callback])


def test_every_hook_is_called_with_its_arguments() -> None:
    seen: list[str] = []
    arguments = {hook: (lambda *args, hook=hook: seen.append(f"{hook} {len(args)}")) for hook in HOOKS}
    everything, asked = LambdaCallback(**arguments), model()
    asked.fit(X, Y, verbose=0, validation_split=0.2, callbacks=everything)
    asked.predict(X, callbacks=everything)
    alone = {f"on_{what}_{when}" for what in ("train", "test", "predict") for when in ("begin", "end")}
    assert sorted(set(seen)) == sorted(f"{hook} {1 if hook in alone else 2}" for hook in HOOKS)


def test_lambda_callback() -> None:
    callback = LambdaCallback(on_epoch_end=None, colour="red")
    assert callback.colour == "red"
    assert Listeners([LambdaCallback(None, print)]).each_epoch  # in the order of every Keras
    with pytest.raises(TypeError, match=r"'on_epoch_ende'\. Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ende=print)
    with pytest.raises(TypeError, match="on_epoch_end must be a function"):
        LambdaCallback(on_epoch_end=5)


def test_what_a_callback_is_told() -> None:
    class Duck:
        def on_train_begin(self, logs: Any) -> None:
            pass

    duck, own, trained = Duck(), Recorder(), model()
    trained.fit(X, Y, batch_size=4, epochs=2, verbose=0, validation_data=(X, Y, np.ones(10)), callbacks=[duck, own])
    for callback in (duck, own):
        assert callback.model is trained
        assert callback.params == {
            "batch_size": 4, "epochs": 2, "nb_epoch": 2, "steps": 3, "samples": 10, "nb_sample": 10, "verbose": 0,
            "do_validation": True, "metrics": ["loss", "mean_absolute_error", "val_loss", "val_mean_absolute_error"],
        }  # fmt: skip
        assert [len(array) for array in callback.validation_data] == [10, 10, 10]


def test_values_a_callback_adds_are_recorded() -> None:
    history = model().fit(
        X,
        Y,
        epochs=2,
        verbose=0,
        callbacks=[LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(lr=0.1 * epoch))],
    )
    assert history.history["lr"] == [0.0, 0.1]
    assert history.history["learning_rate"] == [0.0, 0.1]


def test_history() -> None:
    trained = model()
    history = trained.fit(X, Y, epochs=3, verbose=0)
    assert trained.history is history
    assert history.epoch == [0, 1, 2]
    assert list(history.history) == ["loss", "mean_absolute_error"]
    assert all(isinstance(value, float) for values in history.history.values() for value in values)
    assert history.model is trained
    assert history.params["epochs"] == 3
    assert repr(history).startswith("<nnlite.callbacks.history.History object at 0x")
    assert trained.fit(X, Y, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]


def test_history_without_its_model() -> None:
    history = model().fit(X, Y, verbose=0)
    assert history.model is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("acc", "accuracy"),
        ("val_acc", "val_accuracy"),
        ("mse", "mean_squared_error"),
        ("val_MAE", "val_mean_absolute_error"),
        ("lr", "learning_rate"),
        ("loss", "loss"),
        ("my_metric", "my_metric"),
    ],
)
def test_names_of_all_eras(name: str, plain: str) -> None:
    assert canonical(name) == plain
    values = ByName({name: 1.0, "other": 2.0})
    assert values[plain] == values[name] == values.get(plain) == 1.0
    assert plain in values and name in values
    assert list(values) == [name, "other"]


def test_names_that_are_not_there() -> None:
    values = ByName(loss=1.0)
    assert "acc" not in values and values.get("acc") is None and values.get("acc", 5) == 5
    with pytest.raises(KeyError, match="no value is called 'acc'; there are loss"):
        values["acc"]


def test_history_by_itself() -> None:
    history = History()
    history.on_epoch_end(0, {"loss": 1.0})
    history.on_epoch_end(1, {"loss": 0.5})
    assert (history.epoch, history.history) == ([0, 1], {"loss": [1.0, 0.5]})
    history.on_train_begin()
    assert (history.epoch, history.history, history.model) == ([], {}, None)
