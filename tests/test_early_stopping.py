"""When a training is stopped, and with which weights it ends."""

import math
from typing import Any

import numpy as np
import pytest
from watched import watch

from nnlite.callbacks import EarlyStopping, TerminateOnNaN
from nnlite.callbacks.monitor import Monitor
from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.optimizers import SGD

X = np.linspace(-1, 1, 20).reshape(10, 2)
Y = X.sum(axis=1)


def stopped(values: list[Any], name: str = "val_loss", **arguments: Any) -> int:
    """The number of epochs trained."""
    callback = EarlyStopping(name, **arguments)
    watch(callback, values, name)
    return len(callback.seen)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("values", "arguments", "epochs"),
    [
        ([3, 2, 1, 0], {}, 4),
        ([3, 2, 2, 0], {}, 3),
        ([3, 2, 2, 0], {"patience": 1}, 3),
        ([3, 2, 2, 2, 0], {"patience": 2}, 4),
        ([3, 2, 2, 1, 1, 1], {"patience": 2}, 6),
        ([3, 2.5, 2.1, 0], {"min_delta": 0.5}, 2),
        ([3, 2.5, 2.1, 0], {"min_delta": -0.5}, 2),
        ([3, 2.4, 0], {"min_delta": 0.5}, 3),
        ([1, 2, 3], {"mode": "max"}, 3),
        ([1, 2, 2], {"mode": "max"}, 3),
        ([1, math.nan, 0], {}, 2),
        ([1, 2, 3, 4, 5], {"start_from_epoch": 2}, 4),
        ([3, 2], {"baseline": 2.5}, 1),
        ([3, 2, 1], {"baseline": 2.5, "patience": 2}, 3),
        ([3, 2.6, 1], {"baseline": 2.5, "patience": 2}, 2),
    ],
)
def test_when(values: list[Any], arguments: dict[str, Any], epochs: int) -> None:
    assert stopped(values, **arguments) == epochs


@pytest.mark.parametrize(
    ("values", "arguments", "epochs"),
    [
        ([3, 2], {"baseline": 2.5}, 2),  # not in the first epoch
        ([3, 2.6, 2.7], {"baseline": 2.5, "patience": 2}, 3),  # 2.6 is the best, but has not beaten the baseline
        ([3, 2, 2.1, 2.2], {"baseline": 2.5, "patience": 2}, 4),
    ],
)
@pytest.mark.usefixtures("keras3")
def test_when_in_keras_3(values: list[Any], arguments: dict[str, Any], epochs: int) -> None:
    assert stopped(values, **arguments) == epochs


@pytest.mark.parametrize(
    ("name", "rises"),
    [
        ("loss", False),
        ("val_loss", False),
        ("acc", True),
        ("val_accuracy", True),
        ("val_binary_accuracy", True),
        ("mse", False),
        ("val_auc", True),
        ("precision_1", True),
        ("size", False),
    ],
)
def test_direction_by_name(name: str, rises: bool) -> None:
    assert EarlyStopping(name).rises is rises
    assert (EarlyStopping(name, mode="max").rises, EarlyStopping(name, mode="min").rises) == (True, False)


@pytest.mark.usefixtures("keras3")
def test_unknown_direction_in_keras_3() -> None:
    assert not EarlyStopping("val_mae").rises
    with pytest.raises(ValueError, match=r"mode of EarlyStopping must be 'min' or 'max' for 'val_size'"):
        watch(EarlyStopping("val_size"), [1], "val_size")


def test_restored_when_stopped() -> None:
    model = watch(EarlyStopping(patience=2, restore_best_weights=True), [3, 1, 2, 2, 2])
    assert model.weights == 1
    model = watch(EarlyStopping(patience=9, restore_best_weights=True), [3, 1, 2, 2])
    assert model.weights == 3  # not stopped by it
    assert watch(EarlyStopping(restore_best_weights=True), [math.nan]).weights == 0


@pytest.mark.usefixtures("keras3")
def test_restored_at_the_end_in_keras_3() -> None:
    assert watch(EarlyStopping(patience=9, restore_best_weights=True), [3, 1, 2, 2]).weights == 1


def test_names_of_all_eras() -> None:
    callback = EarlyStopping("val_acc")
    watch(callback, [0.5, 0.6, 0.5, 0.5], "val_accuracy")
    assert (callback.stopped_epoch, callback.best, callback.best_epoch) == (2, 0.6, 1)


def test_a_value_that_is_not_there() -> None:
    with pytest.warns(RuntimeWarning, match="EarlyStopping watches 'val_acc', which is not there. Available are: loss"):
        assert stopped([None, None], "val_acc") == 2


def test_a_value_of_validation_that_comes_later() -> None:
    callback = EarlyStopping()
    callback.set_params({"metrics": ["loss", "val_loss"]})
    watch(callback, [None, 2, None, 3])
    assert callback.stopped_epoch == 3


def test_messages(capsys: pytest.CaptureFixture[str]) -> None:
    watch(EarlyStopping(verbose=1, restore_best_weights=True), [1, 2])
    assert capsys.readouterr().out == (
        "Restoring model weights from the end of the best epoch: 1.\nEpoch 00002: early stopping\n"
    )
    watch(EarlyStopping(verbose=1, baseline=0.5), [1])
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("keras3")
def test_messages_of_keras_3(capsys: pytest.CaptureFixture[str]) -> None:
    watch(EarlyStopping(verbose=1), [1, 2])
    assert capsys.readouterr().out == "Epoch 2: early stopping\n"


def test_used_again() -> None:
    callback = EarlyStopping()
    for _ in range(2):
        watch(callback, [1, 2])
        assert (callback.stopped_epoch, len(callback.seen)) == (1, 2)  # type: ignore[attr-defined]


def test_mistakes() -> None:
    with pytest.warns(RuntimeWarning, match="received 'mini', taken as 'auto'"):
        assert isinstance(EarlyStopping(mode="mini"), Monitor)
    with pytest.raises(ValueError, match="patience must be finite and at least 0; received -1"):
        EarlyStopping(patience=-1)
    with pytest.raises(TypeError, match="baseline must be a number"):
        EarlyStopping(baseline="low")  # type: ignore[arg-type]


def test_in_a_fit() -> None:
    model = Sequential([Dense(1, input_dim=2)], seed=1)
    model.compile(SGD(0.5), "mse")
    stop = EarlyStopping(patience=3, restore_best_weights=True, min_delta=1e-4)
    history = model.fit(X, Y, epochs=500, verbose=0, validation_split=0.2, callbacks=stop)
    assert 3 < len(history.epoch) < 500
    assert stop.stopped_epoch == history.epoch[-1] == stop.best_epoch + 3
    assert model.evaluate(X[8:], Y[8:], verbose=0) == history.history["val_loss"][stop.best_epoch]


class TestNaN:
    def model(self) -> Sequential:
        model = Sequential([Dense(1, input_dim=2)])
        model.compile("sgd", "mse")
        return model

    def test_stops(self, capsys: pytest.CaptureFixture[str]) -> None:
        x = X.copy()
        x[5] = np.nan
        with pytest.warns(RuntimeWarning, match="not finite"):
            history = self.model().fit(
                x, Y, batch_size=2, epochs=5, shuffle=False, verbose=0, callbacks=[TerminateOnNaN()]
            )
        assert history.epoch == [0]
        assert capsys.readouterr().out == "Batch 2: Invalid loss, terminating training\n"

    def test_raises(self) -> None:
        with pytest.raises(RuntimeError, match="the loss of batch 0 is nan"):
            self.model().fit(X * np.nan, Y, verbose=0, callbacks=[TerminateOnNaN(raise_error=True)])

    def test_lets_the_finite_be(self) -> None:
        assert len(self.model().fit(X, Y, epochs=3, verbose=0, callbacks=[TerminateOnNaN()]).epoch) == 3
