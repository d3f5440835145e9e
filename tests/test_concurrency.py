"""Who may call the engine when: threads, and Ctrl-C in the middle of training."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import numpy as np
import pytest
from engine_models import (
    build,
    chain,
    compiled,
    digest,
    history,
    in_another_process,
    inputs,
    numbers,
    tasks,
)
from reference_network import Optimizer

from nnlite._engine import EngineModel, Run
from nnlite.callbacks import LambdaCallback
from nnlite.layers import Dense
from nnlite.models import Sequential

# ---- threads ----


def test_two_models_in_two_threads_give_serial_bits() -> None:
    chosen = [
        (name, dtype) for name in ("deep", "normalized", "optimizer adam, wide") for dtype in ("float32", "float64")
    ]
    serial = [tasks()[name].digest(dtype) for name, dtype in chosen]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            assert list(pool.map(lambda key: tasks()[key[0]].digest(key[1]), chosen)) == serial


def busy_run() -> tuple[EngineModel, Run]:
    model = compiled(build(chain("dense 32", "relu", "dense 4"), 8, "float32"), optimizer=Optimizer("sgd", (), 1e-6))
    run = Run(model, 16)
    run.bind(inputs(160, 8, "float32"), inputs(160, 4, "float32"))
    return model, run


def while_training(run: Run, calls: list[Callable[[], Any]]) -> list[type[BaseException] | None]:
    """What each call raises while another thread trains."""
    thread = threading.Thread(target=run.advance, args=(2**60, 2**60, 0.5))
    thread.start()
    time.sleep(0.1)
    raised: list[type[BaseException] | None] = []
    for call in calls:
        try:
            call()
            raised.append(None)
        except BaseException as error:
            raised.append(type(error))
    assert thread.is_alive(), "the training ended too early for this test"
    thread.join()
    return raised


def test_one_model_in_two_threads_is_refused() -> None:
    """Training, compiling or stepping a model that another thread trains raises; so does any use of the run; the
    training does not notice."""
    model, run = busy_run()
    x, y, other = inputs(16, 8, "float32"), inputs(16, 4, "float32"), Run(model, 16)
    other.bind(x, y)
    raised = while_training(run, [
        lambda: other.advance(1, 1),
        lambda: run.advance(1, 1),
        lambda: compiled(model),
        model.update,
        lambda: run.forward(x),
        lambda: run.backward(y),
        lambda: run.predict(x),
        lambda: run.evaluate(x, y),
    ])  # fmt: skip
    assert raised == [RuntimeError] * 8
    steps, trained = model.iterations, digest(model)
    model, run = busy_run()
    run.advance(steps, 2**60, 60.0)
    assert digest(model) == trained


def bind_while_training() -> None:
    _, run = busy_run()
    assert while_training(run, [lambda: run.bind(inputs(16, 8, "float32"), inputs(16, 4, "float32"))]) == [RuntimeError]


def test_a_training_run_cannot_be_bound_anew() -> None:
    """It would free the arrays that the other thread reads."""
    in_another_process(bind_while_training)


def test_a_refused_call_leaves_the_run_locked() -> None:
    """advance on a run whose predict another thread waits for raises, and the run still counts as in use."""
    _, run = busy_run()
    x = inputs(16, 8, "float32").repeat(120_000, axis=0)
    thread = threading.Thread(target=run.predict, args=(x,))
    thread.start()
    time.sleep(0.02)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            run.advance(1, 1)
        with pytest.raises(RuntimeError):
            run.forward(x[:1])
    assert thread.is_alive(), "the prediction ended too early for this test"
    thread.join()


def test_another_run_of_a_training_model_may_predict() -> None:
    model, run = busy_run()
    other, x = Run(model, 4), inputs(16, 8, "float32")
    assert while_training(run, [lambda: other.predict(x)]) == [None]


# ---- Ctrl-C ----

on_posix_main_thread = pytest.mark.skipif(
    os.name != "posix" or threading.current_thread() is not threading.main_thread(),
    reason="signals go to the main thread of a POSIX process",
)
INTERRUPTED: dict[str, tuple[int, list[str], int, int]] = {
    "tiny": (2, ["dense 2", "sigmoid", "dense 1"], 8, 40),
    "small": (64, ["dense 64", "relu", "dropout", "dense 10"], 32, 320),
    "wide": (256, ["dense 512", "relu", "dense 256"], 128, 512),
}


@on_posix_main_thread
@pytest.mark.parametrize("name", INTERRUPTED)
def test_interrupt(name: str) -> None:
    """Ctrl-C returns within 100 ms at the end of a step; everything is intact, and going on gives the bits of a
    training never interrupted."""
    input_units, layers, batch_size, rows = INTERRUPTED[name]

    def start() -> tuple[EngineModel, Run]:
        adam = Optimizer("adam", numbers("optimizer", "adam"), 1e-3)
        model = compiled(build(chain(*layers), input_units, "float32"), optimizer=adam)
        run = Run(model, batch_size)
        run.bind(inputs(rows, input_units, "float32"), inputs(rows, model.output_units, "float32"))
        return model, run

    model, run = start()
    delays, epochs = [], 0
    for pause in (0.05, 0.0, 0.013, 0.031, 0.002):
        sent = []

        def interrupt(sent: list[float] = sent) -> None:
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(pause, interrupt)
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            run.advance(2**60, 2**60, 60.0)
        delays.append(time.perf_counter() - sent[0])
        timer.join()
        assert run.epochs * run.batches + run.batch == model.iterations
        epochs += len(run.history()[0])
        assert epochs == run.epochs == model.epochs_done
    assert median(delays) <= 0.1, delays
    run.advance(3, 2**60)
    other, uninterrupted = start()
    uninterrupted.advance(model.iterations, 2**60, 60.0)
    assert other.iterations == model.iterations
    assert digest(other) == digest(model)


# model, and rows of which evaluation and prediction take many times as long as Ctrl-C waits below
LONG: dict[str, tuple[int, list[str], int]] = {
    "tiny": (2, ["dense 2", "sigmoid"] * 5 + ["dense 1"], 20_000_000),
    "wide": (64, ["dense 512", "relu", "dense 512", "relu", "dense 1"], 400_000),
}


def interrupted(call: Callable[[Callable[[], None]], Any]) -> float:
    """How long `call` goes on after Ctrl-C, in seconds; that comes soon after `call` has called what it is given."""
    sent = []

    def interrupt() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.003, interrupt)
    with pytest.raises(KeyboardInterrupt):
        call(timer.start)
    delay = time.perf_counter() - sent[0]
    timer.join()
    return delay


@on_posix_main_thread
@pytest.mark.parametrize("what", ["predict", "evaluate"])
@pytest.mark.parametrize("name", LONG)
def test_interrupt_without_training(name: str, what: str) -> None:
    """Ctrl-C is seen within 100 ms in evaluation and prediction too, and the run answers as before afterwards."""
    input_units, layers, rows = LONG[name]
    model = compiled(build(chain(*layers), input_units, "float32"))
    run = Run(model, 32)
    x, y = np.full((rows, input_units), 0.25, np.float32), np.zeros((rows, 1), np.float32)
    few = slice(0, 1000)
    before = run.predict(x[few]).tolist(), run.evaluate(x[few], y[few])

    def call(begin: Callable[[], None]) -> None:
        begin()
        run.predict(x) if what == "predict" else run.evaluate(x, y)

    delays = [interrupted(call) for _ in range(3)]
    assert median(delays) <= 0.1, delays
    assert (run.predict(x[few]).tolist(), run.evaluate(x[few], y[few])) == before


@on_posix_main_thread
def test_interrupt_of_a_long_validation() -> None:
    """The epochs before, and the model, are as they were after the last step."""
    model = Sequential([Dense(512, "relu", input_dim=64), Dense(512, "relu"), Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.full((400_000, 64), 0.25, np.float32), np.zeros(400_000, np.float32)

    def fit(begin: Callable[[], None]) -> None:
        callbacks = [LambdaCallback(on_train_begin=lambda logs: begin())]
        model.fit(x[:32], y[:32], verbose=0, validation_data=(x, y), callbacks=callbacks)

    delays = []
    for steps in (1, 2, 3):
        delays.append(interrupted(fit))
        assert model.engine.iterations == steps
    assert median(delays) <= 0.1, delays


@pytest.mark.parametrize("batch_size", [1, 7, 32])
def test_slices_give_the_bits_of_one_call(batch_size: int, dtype: str) -> None:
    """A first call of few rows, one of many, and many calls of few: the same outputs, sums of the same batches."""
    gently = Optimizer("sgd", (), 1e-5)
    model = build(chain("dense 5", "tanh", "dense 2"), 3, dtype)
    compiled(model, optimizer=gently, metrics=["mean_absolute_error"])
    rows = 16 * batch_size * 40 + 3
    x, y, w = (inputs(rows, width, dtype) for width in (3, 2, 1))
    run, weights = Run(model, batch_size), np.ascontiguousarray(np.abs(w[:, 0]))
    outputs, means = run.predict(x), run.evaluate(x, y, weights)
    assert np.concatenate([run.predict(x[i : i + 5]) for i in range(0, rows, 5)]).tolist() == outputs.tolist()
    for _ in range(3):  # the slices get longer once it is known how long they take
        assert run.evaluate(x, y, weights) == means
    whole = Run(model, batch_size)
    whole.bind(x, y, weights, 0, (x, y, weights))
    before = model.view().copy()
    whole.advance(2**60, 1, 600.0)
    moved = model.view().copy()
    assert (moved != before).any()
    assert history(whole)[0, 2:].tolist() == run.evaluate(x, y, weights)
