"""Callbacks that set the learning rate: when, to what, and what is said of it."""

import math
from typing import Any

import numpy as np
import pytest
from watched import watch

from nnlite.callbacks import LearningRateScheduler, Listeners, ReduceLROnPlateau
from nnlite.layers import Dense
from nnlite.models import Sequential


def rates(values: list[Any], **arguments: Any) -> list[float]:
    """The rate each epoch was trained with, from 0.1."""
    callback = ReduceLROnPlateau(**arguments)
    watch(callback, values)
    return [logs["lr"] for logs in callback.seen]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("values", "arguments", "expected"),
    [
        ([3, 2, 2, 2], {"patience": 1}, [0.1, 0.1, 0.1, 0.01]),
        ([3, 2, 2, 2, 2], {"patience": 2}, [0.1, 0.1, 0.1, 0.1, 0.01]),
        ([2, 2, 2, 2], {"patience": 0, "factor": 0.5}, [0.1, 0.1, 0.05, 0.025]),
        ([2, 2, 2, 2], {"patience": 1, "min_lr": 0.05}, [0.1, 0.1, 0.05, 0.05]),
        ([2, 2, 2, 2, 2, 2], {"patience": 1, "cooldown": 2}, [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]),
        ([3, 2.95, 2.9, 1], {"patience": 1, "min_delta": 0.2}, [0.1, 0.1, 0.01, 0.001]),
        ([3, 2.95, 2.9, 1], {"patience": 1, "epsilon": 0.2}, [0.1, 0.1, 0.01, 0.001]),
        ([1, 2, 2], {"patience": 1, "mode": "max"}, [0.1, 0.1, 0.1]),
        ([math.nan, math.nan], {"patience": 1}, [0.1, 0.01]),
    ],
)
def test_plateau(values: list[Any], arguments: dict[str, Any], expected: list[float]) -> None:
    assert rates(values, **arguments) == pytest.approx(expected)


def test_plateau_of_a_value_that_is_not_there() -> None:
    with pytest.warns(RuntimeWarning, match=r"ReduceLROnPlateau watches 'val_loss', which.* are: loss, lr"):
        assert rates([None, None], patience=0) == [0.1, 0.1]


def test_plateau_used_again() -> None:
    callback = ReduceLROnPlateau(patience=1)
    for _ in range(2):
        model = watch(callback, [2, 2])
        assert model.optimizer.lr == pytest.approx(0.01)


def test_messages(capsys: pytest.CaptureFixture[str]) -> None:
    watch(ReduceLROnPlateau(patience=1, factor=0.5, verbose=1), [2, 2])
    watch(LearningRateScheduler(lambda epoch: 0.25, verbose=1), [2])
    assert capsys.readouterr().out == (
        "\nEpoch 00002: ReduceLROnPlateau reducing learning rate to 0.05.\n"
        "\nEpoch 00001: LearningRateScheduler setting learning rate to 0.25.\n"
    )


def planned(schedule: Any) -> list[float]:
    callback = LearningRateScheduler(schedule)
    watch(callback, [1, 1, 1])
    return [logs["learning_rate"] for logs in callback.seen]  # type: ignore[attr-defined]


class Named:
    def __call__(self, epoch: int) -> float:
        return 0.5 + epoch


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (lambda epoch: 1 / (epoch + 1), [1, 1 / 2, 1 / 3]),
        (lambda epoch, lr: lr / 2, [0.05, 0.025, 0.0125]),
        (lambda epoch, lr=5: lr / 2, [0.05, 0.025, 0.0125]),
        (lambda epoch: epoch, [0, 1, 2]),
        (lambda epoch: np.float32(0.5), [0.5, 0.5, 0.5]),
        (Named(), [0.5, 1.5, 2.5]),
        (max, [0.1, 1.0, 2.0]),
    ],
)
def test_schedule(schedule: Any, expected: list[float]) -> None:
    assert planned(schedule) == pytest.approx(expected)


def test_mistakes_of_schedules() -> None:
    with pytest.raises(TypeError, match="the result of schedule must be a number; received None"):
        planned(lambda epoch: None)
    with pytest.raises(ValueError, match="at least 0; received -1"):
        planned(lambda epoch: -1)
    with pytest.raises(TypeError, match="schedule must be a function"):
        LearningRateScheduler(0.1)  # type: ignore[arg-type]

    def wrong(epoch: int) -> float:
        raise TypeError("my own")

    with pytest.raises(TypeError, match="my own"):
        planned(wrong)


def test_mistakes_of_plateaus() -> None:
    with pytest.raises(ValueError, match="factor must be below 1"):
        ReduceLROnPlateau(factor=1.0)
    with pytest.raises(TypeError, match=r"'min_learning_rate'.*It takes"):
        ReduceLROnPlateau(min_learning_rate=0.1)


@pytest.mark.parametrize("key", ["lr", "learning_rate"])
def test_in_a_fit(key: str, request: pytest.FixtureRequest) -> None:
    if key == "learning_rate":
        request.getfixturevalue("keras3")
    model = Sequential([Dense(1, input_dim=2)], seed=1)
    model.compile("sgd", "mse")
    schedule = LearningRateScheduler(lambda epoch: 0.0 if epoch else 0.1)
    weights = []
    for epoch in range(2):
        history = model.fit(
            np.ones((4, 2)), np.zeros(4), epochs=epoch + 1, initial_epoch=epoch, verbose=0, callbacks=[schedule]
        )
        weights.append(model.get_weights()[0].tolist())
        assert history.history[key] == [0.0 if epoch else 0.1]
        assert key in list(history.history)
    assert weights[0] == weights[1]


def test_nobody_listens_to_batches() -> None:
    assert not Listeners([ReduceLROnPlateau(), LearningRateScheduler(lambda epoch: 0.1)]).each_batch
