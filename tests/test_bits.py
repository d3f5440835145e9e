"""The same seed and data give the same bits: on every target, however a fit is cut, whatever another library did to
the processor's modes."""

import ctypes
import functools
import json
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from engine_models import (
    SIZES,
    WIDE,
    Task,
    build,
    chain,
    compiled,
    digest,
    history,
    inputs,
    noise,
    numbers,
    parameters,
    targets,
    tasks,
)
from reference import Array
from reference_network import Optimizer, Rule

from nnlite import _engine
from nnlite._engine import EngineModel, Run

BITS: dict[str, str] = json.loads((Path(__file__).parent / "golden" / "bits.json").read_text())
TASKS = tasks()
WHOLE = TASKS["normalized"]


@functools.cache
def digest_of(name: str, dtype: str, target: str) -> str:
    return TASKS[name].digest(dtype, target)


@pytest.mark.parametrize("name", TASKS)
def test_targets_agree(name: str, dtype: str, target: str) -> None:
    assert digest_of(name, dtype, target) == digest_of(name, dtype, "scalar")


@pytest.mark.parametrize("key", BITS)
def test_bits_are_those_committed(key: str) -> None:
    """A row that is new has no committed bits until make_bits.py is run; one that is gone or changed fails."""
    name, dtype = key.rsplit(", ", 1)
    assert digest_of(name, dtype, _engine.default_target()) == BITS[key], (
        "bits changed: see make_bits.py if they were meant to"
    )


@pytest.mark.parametrize("units", SIZES)
def test_targets_agree_at_every_tail(units: int, dtype: str) -> None:
    """Widths and numbers of rows around 16, so that every tile and tail of the products is met."""
    digests = set()
    for target in (name for name, available in _engine.targets().items() if available):
        parts = []
        for rows in SIZES:
            for last in (3, WIDE):
                model = compiled(
                    build(chain(f"dense {units}", "tanh", f"dense {34 - units}", f"dense {last}"), units, dtype, target)
                )
                run = Run(model, rows)
                run.bind(inputs(rows, units, dtype), targets("mean_squared_error", rows, last, dtype))
                run.advance(3, 3, 60.0)
                parts.append(digest(model, history(run)))
        digests.add("".join(parts))
    assert len(digests) == 1


@pytest.mark.parametrize("rows", [65, 256, 257, 700])
def test_targets_agree_on_large_batches(rows: int, dtype: str) -> None:
    """Narrow nets take such batches block of rows by block of rows."""
    digests = set()
    for target in (name for name, available in _engine.targets().items() if available):
        model = compiled(
            build(chain("dense 20", "tanh", "dense 32", "dense 3", "sigmoid", "dense 1"), 5, dtype, target)
        )
        run = Run(model, rows)
        run.bind(inputs(2 * rows - 7, 5, dtype), targets("mean_squared_error", 2 * rows - 7, 1, dtype))
        run.advance(6, 6, 60.0)
        digests.add(digest(model, history(run)))
    assert len(digests) == 1


def start(task: Task, dtype: str) -> tuple[EngineModel, Run]:
    model = task.model(dtype)
    run = Run(model, task.BATCH)
    x, t, weights = task.data(dtype)
    run.bind(x, t, weights, task.shuffle, validation=(x[:11], t[:11], None))
    return model, run


@pytest.mark.parametrize("name", ["normalized", "optimizer nadam", "optimizer adagrad, wide", "half frozen", "deep"])
def test_any_cut_of_a_fit_gives_the_same_bits(name: str, dtype: str) -> None:
    task = TASKS[name]
    model, run = start(task, dtype)
    assert run.advance(2**40, task.EPOCHS, 60.0) == task.EPOCHS
    means = history(run)
    expected = digest(model, means)
    cuts: list[Callable[[int], tuple[int, int, float]]] = [
        lambda i: (1, 1, 1.0),
        lambda i: (2**40, 1, 60.0),
        lambda i: (1 + i * 7 % 5, 2, 0.001),
        lambda i: (3 * i + 1, 1000, 0.0),
    ]
    for cut in cuts:
        model, run = start(task, dtype)
        i = 0
        while run.epochs < task.EPOCHS:
            batches, epochs, seconds = cut(i)
            run.advance(batches, min(epochs, task.EPOCHS - run.epochs), seconds)
            i += 1
        assert digest(model, history(run)) == expected


def test_a_copy_resumes_to_the_same_bits(dtype: str) -> None:
    """Parameters, slots and state are all there is: another model given them goes on as the first would have."""
    model, run = start(WHOLE, dtype)
    run.advance(2**40, 5, 60.0)
    history(run)
    copy, other = start(WHOLE, dtype)
    for buffer in (0, *range(2, 2 + model.slots)):
        for i in range(len(model.tensors())):
            copy.write(buffer, i, model.read(buffer, i))
    copy.state = model.state
    for r in (run, other):
        r.advance(2**40, 4, 60.0)
    assert digest(copy, history(other)) == digest(model, history(run))


@pytest.mark.parametrize(
    ("layers", "n"),
    [
        (["dense 17", "batch_normalization", "dropout", "tanh", "dense 2"], 8),
        ([f"dense {WIDE}", "batch_normalization", "dropout", "tanh", "dense 2"], 8),
        (["dense 17", "tanh", "dense 3", "relu", "dense 2"], 512),  # block of rows by block of rows, and all at once
    ],
    ids=str,
)
def test_parts_of_a_step_give_the_bits_of_the_whole(layers: list[str], n: int, dtype: str) -> None:
    """forward, backward and update, with the gradient of the mean squared error from outside, against advance."""
    adam = Optimizer("adam", numbers("optimizer", "adam"))
    x, t = inputs(n, 5, dtype), targets("mean_squared_error", n, 2, dtype)
    whole, parts = (compiled(build(chain(*layers), 5, dtype), optimizer=adam) for _ in range(2))
    run, other = Run(whole, n), Run(parts, n)
    run.bind(x, t, None, 0)
    for _ in range(20):
        run.advance(1, 1)
        y = other.forward(x, True)
        other.backward((2 * (y - t) / (2 * n)).astype(dtype))  # halves and eighths are exact
        parts.update()
    assert digest(whole) == digest(parts)


@pytest.mark.parametrize("width", [31, WIDE])
def test_rows_do_not_depend_on_their_neighbours(width: int, dtype: str, target: str) -> None:
    """Predicting n rows at once, one by one, or in batches of any size gives the same bits."""
    model = build(
        chain(f"dense {width}", "tanh", "dense 17", "batch_normalization", "dense 3", "softmax"), 9, dtype, target
    )
    x = inputs(50, 9, dtype)
    all_at_once = Run(model, 50).predict(x).tobytes()
    for batch_size in (1, 2, 5, 7, 11, 13, 32, 100):
        assert Run(model, batch_size).predict(x).tobytes() == all_at_once


def test_same_seed_same_bits_and_another_seed_others(dtype: str) -> None:
    for layers, shuffle in ((chain("dense 3"), 1), (chain("dense 3"), 2), (chain("dropout", "dense 3"), 0)):
        seeds = (1, 2, 1, 2**32 + 1, 2**64 - 1)
        digests = [Task(layers, shuffle=shuffle, seed=seed).digest(dtype) for seed in seeds]
        assert digests[0] == digests[2]
        assert len(set(digests)) == len(seeds) - 1


def test_without_randomness_the_seed_does_not_matter(dtype: str) -> None:
    digests = {Task(chain("dense 3", "relu", "dense 2"), shuffle=0, seed=seed).digest(dtype) for seed in (1, 2)}
    assert len(digests) == 1


# ---- the processor's modes ----

# Word of C's fenv_t that controls rounding and flushing to zero, and the bits of each mode. glibc only: the layout is
# the library's own.
MODES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (7, {"flush": 0x8040, "down": 0x2000, "up": 0x4000, "to zero": 0x6000}),
    "aarch64": (0, {"flush": 1 << 24, "up": 1 << 22, "down": 2 << 22, "to zero": 3 << 22}),
}


@contextmanager
def processor_mode(name: str) -> Iterator[None]:
    """This thread computes in another mode, as after a library built with -ffast-math; whoever changes it on the way
    is caught."""
    if sys.platform != "linux" or platform.machine() not in MODES or platform.libc_ver()[0] != "glibc":
        pytest.skip("this test knows how to change the mode under glibc only")
    word, bits = MODES[platform.machine()]
    libm = ctypes.CDLL("libm.so.6")
    saved, changed, found = ((ctypes.c_uint32 * 8)() for _ in range(3))
    libm.fegetenv(saved)
    ctypes.memmove(changed, saved, ctypes.sizeof(saved))
    changed[word] |= bits[name]
    libm.fesetenv(changed)
    try:
        yield
        libm.fegetenv(found)
    finally:
        libm.fesetenv(saved)
    assert found[word] & bits[name] == bits[name], "a call left the caller's mode changed"


@functools.cache
def arrays(dtype: str) -> tuple[Array, Array, Array, Array, Array]:
    """x, targets, a gradient, a kernel, and subnormal inputs: made before the mode is changed, for NumPy computes in
    whatever mode it finds."""
    x = (noise((7, 4), 1, 97) / 3).astype(dtype)
    subnormal = (noise((7, 4), 1) * np.finfo(dtype).tiny).astype(dtype)
    t = targets("categorical_crossentropy", 7, 3, dtype)
    return x, t, (noise((4, 3), 2, 97) / 3).astype(dtype), (noise((4, 5), 3, 97) / 3).astype(dtype), subnormal


def through_the_door(dtype: str) -> dict[str, bytes]:
    """The bytes of every call that computes, at numbers where every rounding and every subnormal shows."""
    x, t, dy, kernel, subnormal = arrays(dtype)
    result: dict[str, bytes] = {}
    adagrad = Optimizer("adagrad", (0.1, 0.0, 0.1), 0.1, decay=0.1, weight_decay=0.1, global_clipnorm=1.0)
    layers = chain("dense 5", "tanh", "batch_normalization", "dense 3", "softmax")
    model = build(layers, 4, dtype, rules={(0, "kernel"): Rule(l1=0.1, l2=0.1)})
    compiled(model, "categorical_crossentropy", adagrad, ["mean_squared_error"], fuse=True)
    model.write(0, 0, kernel)
    result["compile"] = b"".join(value.tobytes() for value in parameters(model, buffer=2).values())
    run = Run(model, 4)
    run.bind(x, t, None, 1, validation=(x, t, None))
    run.advance(5, 3, 60.0)
    result["advance"] = digest(model, history(run)).encode()
    result["partial and last"] = np.array(run.partial + run.last).tobytes()
    result["forward"] = run.forward(x[:4], True).tobytes()
    run.backward(dy)
    result["backward"] = b"".join(value.tobytes() for value in parameters(model, buffer=1).values())
    result["penalty"] = np.array(model.update()).tobytes()
    result["update"] = digest(model).encode()
    result["evaluate"] = np.array(run.evaluate(x, t)).tobytes()
    result["predict"] = run.predict(x).tobytes()
    result["predict subnormal numbers"] = run.predict(subnormal).tobytes()
    result["subnormal outputs"] = Run(build(chain("dense 3"), 4, dtype), 4).predict(subnormal).tobytes()
    for distribution in ("uniform", "normal", "truncated_normal"):
        result[distribution] = _engine.random(distribution, 0.1, 0.7, 3, 5, (101,), dtype).tobytes()
    for row in _engine.rows("activation"):
        result[row] = _engine.activate(row, numbers("activation", row), x).tobytes()
        result[row + " of subnormal numbers"] = _engine.activate(row, numbers("activation", row), subnormal).tobytes()
    return result


@pytest.mark.parametrize("mode", ["flush", "up", "down", "to zero"])
def test_processor_modes_change_nothing(mode: str, dtype: str) -> None:
    expected = through_the_door(dtype)
    with processor_mode(mode):
        found = through_the_door(dtype)
    assert [call for call in expected if found[call] != expected[call]] == []
