"""Threads: their number and who sets it, the same bits for any number, forks, and what the threads do when there is
nothing to do."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_models import WIDE, build, chain, compiled, digest, history, in_another_process, inputs, targets
from reference import Array

import nnlite
from nnlite import threads
from nnlite._engine import EngineModel, Run

NUMBERS = (1, 2, 3, 4, 7)
ROWS = 3001
NETS = {
    "narrow": (chain("dense 20", "relu", "dense 2", "softmax"), "categorical_crossentropy"),
    "wide": (chain(f"dense {WIDE}", "tanh", "dropout", "dense 36", "dense 3", "sigmoid"), "binary_crossentropy"),
    "large": (chain("dense 200", "relu", "dense 180", "elu", "dense 4"), "mean_squared_error"),  # its gradients flow
    "shared": (chain(f"dense {WIDE}", ("dropout", 0, (0.25, 1.0)), "dense 33", "dense 4"), "mean_squared_error"),
    "rows depend": (chain(f"dense {WIDE}", "batch_normalization", "prelu", "dense 4"), "mean_squared_error"),
}
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux")


@pytest.fixture(autouse=True)
def number() -> Iterator[None]:
    """The number of threads is put back after each test."""
    before = nnlite.get_num_threads()
    yield
    nnlite.set_num_threads(before)


def model_and_data(name: str, dtype: str) -> tuple[EngineModel, Array, Array]:
    layers, loss = NETS[name]
    model = compiled(build(layers, 5, dtype), loss)
    return model, inputs(ROWS, 5, dtype), targets(loss, ROWS, model.output_units, dtype)


def forget() -> None:
    """Let the engine forget that it found the machine busy, which it is wherever tests run."""
    nnlite.set_num_threads(nnlite.get_num_threads())


def results(name: str, dtype: str = "float32") -> str:
    """Bits of a training with validation, an evaluation and a prediction, each worth several threads."""
    model, x, y = model_and_data(name, dtype)
    run = Run(model, 1000)
    run.bind(x, y, validation=(x[:-7], y[:-7], None))
    forget()
    run.advance(14, 4, 60.0)
    forget()
    means = run.evaluate(x, y)
    forget()
    return digest(model, history(run), np.array(run.last), np.array(means), run.predict(x))


# ---- bits ----


@pytest.mark.parametrize("name", NETS)
def test_same_bits_for_any_number(name: str, dtype: str) -> None:
    found = {}
    for n in NUMBERS:
        nnlite.set_num_threads(n)
        found[n] = results(name, dtype)
    assert set(found.values()) == {found[1]}, found


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 4096, 4097])
@pytest.mark.parametrize("batch_size", [1, 32, 5000])
def test_every_row_is_predicted_and_counted(rows: int, batch_size: int) -> None:
    model, x, y = model_and_data("wide", "float32")
    x, y = (np.resize(a, (rows, a.shape[1])) for a in (x, y))
    found = []
    for n in (1, 3):
        run = Run(model, batch_size)
        nnlite.set_num_threads(n)
        outputs = run.predict(x)
        nnlite.set_num_threads(n)
        found.append((outputs.tobytes(), run.evaluate(x, y)))
    assert found[0] == found[1]


def test_callers_at_the_same_time_get_serial_bits() -> None:
    """Several Python threads, of which one at a time is helped, while the number of threads changes."""
    nnlite.set_num_threads(1)
    names = [name for name in NETS for _ in range(3)]
    serial = [results(name) for name in names]
    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(results, name) for name in names]
        while not all(future.done() for future in pending):
            for n in (2, 1, 4):
                nnlite.set_num_threads(n)
                time.sleep(0.002)
        assert [future.result() for future in pending] == serial


# ---- the number ----


def test_number_is_what_was_set() -> None:
    for n in (1, 5, 256, np.int64(3), 2.0):
        nnlite.set_num_threads(n)
        assert nnlite.get_num_threads() == n


@pytest.mark.parametrize("bad", [0, -1, 257, 1.5, True, "2", None, float("nan"), 2**70])
def test_bad_numbers_are_refused(bad: Any) -> None:
    nnlite.set_num_threads(3)
    with pytest.raises(ValueError, match="threads must be"):
        nnlite.set_num_threads(bad)
    assert nnlite.get_num_threads() == 3


def say(expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a new interpreter prints for an expression."""
    clean = {key: value for key, value in os.environ.items() if key != "NNLITE_NUM_THREADS"}
    command = [sys.executable, "-c", f"import sys, os, nnlite; print({expression})"]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, timeout=60)


def test_default_is_what_this_process_may_run_on() -> None:
    may = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert 1 <= int(say("nnlite.get_num_threads()").stdout) <= min(may, 16)


@on_linux
def test_default_follows_the_affinity() -> None:
    one = min(os.sched_getaffinity(0))
    assert say(f"os.sched_setaffinity(0, [{one}]) or nnlite.get_num_threads()").stdout == "1\n"


def test_environment_sets_the_number() -> None:
    assert say("nnlite.get_num_threads()", NNLITE_NUM_THREADS="5").stdout == "5\n"


@pytest.mark.parametrize("bad", ["0", "-2", "many", "", "300"])
def test_bad_environment_is_refused(bad: str) -> None:
    said = say("nnlite.Sequential", NNLITE_NUM_THREADS=bad)
    assert said.returncode == 1
    assert "ValueError: NNLITE_NUM_THREADS must be" in said.stderr


# ---- threadpoolctl ----


def test_import_does_not_import_threadpoolctl() -> None:
    assert say("'threadpoolctl' in sys.modules").stdout == "False\n"


def threadpoolctl_sees_threads() -> None:
    import threadpoolctl

    threads.register_with_threadpoolctl()
    threads.register_with_threadpoolctl()
    nnlite.set_num_threads(3)

    def seen() -> list[int]:
        return [info["num_threads"] for info in threadpoolctl.threadpool_info() if info["user_api"] == "nnlite"]

    assert seen() == [3]
    with threadpoolctl.threadpool_limits(1):
        assert nnlite.get_num_threads() == 1
    with threadpoolctl.threadpool_limits({"nnlite": 1000}):
        assert seen() == [256]
    assert nnlite.get_num_threads() == 3


def test_threadpoolctl() -> None:
    pytest.importorskip("threadpoolctl")
    in_another_process(threadpoolctl_sees_threads)


def test_threadpoolctl_imported_before_is_told() -> None:
    pytest.importorskip("threadpoolctl")
    code = "import threadpoolctl, nnlite; nnlite.Sequential; print(threadpoolctl.threadpool_info())"
    assert "nnlite" in subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout


def test_registering_without_threadpoolctl_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(ImportError):
        threads.register_with_threadpoolctl()


# ---- forks: in an interpreter of their own, since newer Pythons warn of forks where there are threads ----


def in_forked_child(call: Callable[[], None]) -> None:
    """Fails if `call` raises in the child, or if it hangs there."""
    child = os.fork()
    if child == 0:
        try:
            call()
            os._exit(0)
        finally:
            os._exit(1)
    deadline = time.monotonic() + 60
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, 9)
            raise AssertionError("the child hangs")
        time.sleep(0.005)


def fork_again_and_again() -> None:
    nnlite.set_num_threads(1)
    serial = results("wide")

    def agrees() -> None:
        assert results("wide") == serial

    nnlite.set_num_threads(3)
    in_forked_child(agrees)  # no thread has been started
    for _ in range(5):
        agrees()
        in_forked_child(agrees)
    in_forked_child(lambda: in_forked_child(agrees))
    agrees()


def fork_while_others_train() -> None:
    nnlite.set_num_threads(1)
    serial = results("wide")

    def agrees() -> None:
        assert results("wide") == serial

    nnlite.set_num_threads(3)
    stop = threading.Event()

    def train() -> None:
        while not stop.is_set():
            agrees()

    with ThreadPoolExecutor(2) as pool:
        pending = [pool.submit(train) for _ in range(2)]
        for _ in range(20):
            in_forked_child(agrees)
        stop.set()
        for future in pending:
            future.result()


def use_process_pools() -> None:
    nnlite.set_num_threads(1)
    serial = results("wide")
    nnlite.set_num_threads(3)
    assert results("wide") == serial
    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map_async(results, ["wide"] * 4).get(60) == [serial] * 4


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@needs_fork
@pytest.mark.parametrize("call", [fork_again_and_again, fork_while_others_train, use_process_pools])
def test_forks(call: Callable[[], None]) -> None:
    in_another_process(call)


# ---- idle ----


@on_linux
def test_idle_threads_sleep() -> None:
    """There are threads after a call that used them, they all come to rest, and they use no time from then on."""

    def others() -> dict[str, str]:
        """State and time of each thread but this one."""
        own = str(threading.get_native_id())
        facts = {}
        for task in Path("/proc/self/task").iterdir():
            if task.name != own:
                state, *rest = (task / "stat").read_text().rpartition(") ")[2].split()
                facts[task.name] = f"{state} {rest[10]} {rest[11]}"
        return facts

    def rest() -> dict[str, str]:
        for _ in range(2000):
            now = others()
            if all(fact.startswith("S") for fact in now.values()):
                return now
            time.sleep(0.005)
        raise AssertionError(f"threads go on running: {now}")

    before = len(rest())
    nnlite.set_num_threads(before + 4)
    results("wide")
    resting = rest()
    assert len(resting) > 1
    time.sleep(0.2)
    assert others() == resting
