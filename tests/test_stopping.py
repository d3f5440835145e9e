"""Training that is stopped, fails, or is asked for from several sides at once: nothing is lost."""

import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

from nnlite import optimizers
from nnlite.callbacks import LambdaCallback
from nnlite.layers import BatchNormalization, Dense, Dropout
from nnlite.models import Sequential

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (50, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.float32)


def weights_of(model: Sequential) -> list[list[Any]]:
    return [array.tolist() for array in model.get_weights()]


def made(
    optimizer: Any = "adam", loss: Any = "binary_crossentropy", chosen: Any = ("accuracy",), *layers: Any
) -> Sequential:
    model = Sequential([Dense(4, activation="tanh", input_dim=3), *layers, Dense(1, activation="sigmoid")], seed=7)
    model.compile(optimizer, loss, metrics=chosen)
    return model


def noisy(*arguments: Any) -> Sequential:
    """A model in which every kind of state can go wrong."""
    optimizer, loss, chosen = (*arguments, *("adam", "binary_crossentropy", ("accuracy",))[len(arguments) :])
    return made(optimizer, loss, chosen, BatchNormalization(), Dropout(0.25))


def outcome(model: Sequential, **arguments: Any) -> tuple[Any, Any]:
    """What a training leaves: weights, history."""
    history = model.fit(X, Y, **{"epochs": 6, "batch_size": 16, "verbose": 0, "validation_split": 0.2} | arguments)
    return weights_of(model), history.history


class TestStopping:
    def test_after_an_epoch(self) -> None:
        model = noisy()
        stop = LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", epoch == 1))
        history = model.fit(X, Y, batch_size=16, epochs=6, verbose=0, callbacks=[stop])
        assert history.epoch == [0, 1]
        assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]

    def test_after_a_batch(self) -> None:
        model, other = noisy(), noisy()
        seen: list[int] = []
        stop = LambdaCallback(
            on_batch_end=lambda batch, logs: (seen.append(batch), setattr(model, "stop_training", batch == 1))
        )
        history = model.fit(X, Y, batch_size=16, epochs=6, shuffle=False, verbose=0, callbacks=[stop])
        assert (seen, history.epoch) == ([0, 1], [0])
        other.fit(X[:32], Y[:32], batch_size=16, shuffle=False, verbose=0)
        assert weights_of(model) == weights_of(other)
        assert history.history["loss"] == other.history.history["loss"]

    def test_from_another_thread(self) -> None:
        model = noisy()
        threading.Timer(0.2, lambda: setattr(model, "stop_training", True)).start()
        start = time.perf_counter()
        history = model.fit(X, Y, epochs=10**9, verbose=0)
        assert time.perf_counter() - start < 5
        assert 0 < len(history.epoch) < 10**9

    @pytest.mark.parametrize("watched", [False, True])
    @pytest.mark.parametrize("loss", ["binary_crossentropy", lambda y_true, y_pred: (y_pred - y_true) ** 2])
    def test_by_ctrl_c(self, loss: Any, watched: bool) -> None:
        model = noisy("adam", loss)
        _ = model.engine
        listeners = [LambdaCallback(on_batch_end=lambda *_: None)] if watched else None
        old = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            with pytest.raises(KeyboardInterrupt):
                model.fit(X, Y, epochs=10**9, verbose=0, callbacks=listeners)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, old)
        history = model.history
        assert history is not None and len(history.epoch) == len(history.history["loss"]) > 0
        assert model.engine.iterations >= 2 * len(history.epoch)
        assert model.fit(X, Y, verbose=0).epoch == [0]

    def test_by_an_error_in_a_callback(self) -> None:
        model = noisy()

        def fail(epoch: int, logs: Any) -> None:
            if epoch == 2:
                raise LookupError("enough")

        with pytest.raises(LookupError):
            model.fit(X, Y, epochs=9, verbose=0, callbacks=[LambdaCallback(on_epoch_end=fail)])
        assert model.history is not None and model.history.epoch == [0, 1, 2]
        assert model.fit(X, Y, verbose=0).epoch == [0]

    def test_a_loss_that_is_lost(self) -> None:
        model = Sequential([Dense(1, input_dim=3)])
        model.compile(optimizers.SGD(lr=1e15), "mse")
        with pytest.warns(RuntimeWarning, match=r"not finite since in epoch \d, step \d") as told:
            history = model.fit(X, Y, batch_size=16, epochs=6, verbose=0)
        assert len(told) == 1
        assert len(history.epoch) == 6

    @pytest.mark.parametrize("loss", ["mse", lambda y_true, y_pred: (y_pred - y_true) ** 2])
    def test_where_it_was_lost(self, loss: Any) -> None:
        x = X.copy()
        x[20, 1] = np.nan
        model = Sequential([Dense(1, input_dim=3)])
        model.compile("sgd", loss)
        with pytest.warns(RuntimeWarning, match="in epoch 4, step 2: use a smaller"):
            model.fit(x, Y, batch_size=16, epochs=5, initial_epoch=3, shuffle=False, verbose=0)
        with pytest.warns(RuntimeWarning, match="since step 9"):
            model.train_on_batch(x, Y)

    def test_two_at_once(self) -> None:
        model = noisy()
        refused: list[str] = []

        def again(*_: Any) -> None:
            for call in (model.fit, model.train_on_batch):
                with pytest.raises(RuntimeError, match="being trained already") as error:
                    call(X, Y)
                refused.append(str(error.value))

        model.fit(X, Y, verbose=0, callbacks=[LambdaCallback(on_epoch_end=again)])
        assert len(refused) == 2

    def test_asking_while_training(self) -> None:
        model, other = noisy(), noisy()
        asked: list[Any] = []
        ask = LambdaCallback(on_batch_end=lambda *_: asked.append((model.predict(X), model.evaluate(X, Y, verbose=0))))
        assert outcome(model, callbacks=[ask]) == outcome(other)
        assert len(asked) == 18

    def test_asking_while_counting_in_python(self) -> None:
        def share(y_true: Any, y_pred: Any) -> Any:
            return np.mean(y_pred > 0.5, axis=-1)

        model, other = noisy("adam", "mse", [share]), noisy("adam", "mse", [share])
        ask = LambdaCallback(on_batch_end=lambda *_: model.evaluate(X, Y, verbose=0))
        assert outcome(model, callbacks=[ask]) == outcome(other)

    def test_models_in_threads(self) -> None:
        trained = [noisy() for _ in range(4)]
        threads = [threading.Thread(target=model.fit, args=(X, Y, 16, 50, 0)) for model in trained]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(weights_of(model) == weights_of(trained[0]) for model in trained)

    def test_one_model_asked_in_threads(self) -> None:
        model = noisy()
        expected, wrong = model.predict(X).tolist(), []

        def ask() -> None:
            for _ in range(200):
                if model.predict(X).tolist() != expected:
                    wrong.append(1)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
