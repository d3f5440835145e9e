"""How training proceeds: frozen tensors, positions, means, limits, validation, weights, divergence, the state."""

import time
from statistics import median
from typing import Any

import numpy as np
import pytest
from engine_models import (
    SIZES,
    WIDE,
    build,
    chain,
    compiled,
    digest,
    history,
    inputs,
    numbers,
    parameters,
    targets,
    tasks,
    train,
)
from reference_network import Optimizer, Rule

from nnlite import _engine
from nnlite._engine import EngineModel, Run


@pytest.mark.parametrize("width", [6, WIDE])
@pytest.mark.parametrize("row", _engine.rows("optimizer"))
def test_frozen_tensors_do_not_move(row: str, width: int) -> None:
    """Each tensor in turn: its bits stay, the others' move, and it moves again when released."""
    layers = chain(f"dense {width}", "batch_normalization", "tanh", "dense 2")
    optimizer = Optimizer(row, numbers("optimizer", row), 0.01, weight_decay=0.1)
    data = inputs(12, 3), targets("mean_squared_error", 12, 2), None
    names = [name for _, name, _, _ in build(layers, 3).tensors()]
    for frozen, name in enumerate(names):
        if name.startswith("moving_"):
            continue
        model = compiled(build(layers, 3), optimizer=optimizer)
        model.set_trainable(frozen, False)
        assert [trainable for *_, trainable in model.tensors()] == [
            i != frozen and not other.startswith("moving_") for i, other in enumerate(names)
        ]
        before = parameters(model)
        train(model, 4, data, 2)
        moved = [(value != before[key]).any() for key, value in parameters(model).items()]
        assert moved == [i != frozen for i in range(len(names))], name
        model.set_trainable(frozen, True)
        train(model, 4, data, 1)
        assert (model.read(0, frozen) != list(before.values())[frozen]).any()


def test_statistics_are_never_trainable() -> None:
    model = build(chain("batch_normalization"), 3)
    for i in range(4):
        model.set_trainable(i, True)
    assert [trainable for *_, trainable in model.tensors()] == [True, True, False, False]


def steady(rows: int, batch_size: int, **options: Any) -> tuple[EngineModel, Run, Any]:
    """A model that only measures: outputs are inputs, the loss of a row is its square."""
    model = compiled(build(chain("linear"), 1), metrics=["mean_absolute_error"])
    run, x = Run(model, batch_size), np.arange(1.0, rows + 1)[:, None]
    run.bind(x, np.zeros((rows, 1)), None, 0, **options)
    return model, run, x


@pytest.mark.parametrize("shuffle", [0, 1, 2])
def test_seek(shuffle: int, dtype: str) -> None:
    """A second run of the same model goes on in the middle of an epoch: the same bits, the same means of the epoch."""

    def start() -> tuple[EngineModel, Run]:
        model = compiled(build(chain("dense 4", "dropout", "dense 2"), 3, dtype), metrics=["mean_absolute_error"])
        run = Run(model, 4)
        run.bind(inputs(18, 3, dtype), inputs(18, 2, dtype), None, shuffle)
        return model, run

    model, run = start()
    run.advance(8, 2)
    other, again = start()
    again.bind(inputs(18, 3, dtype), inputs(18, 2, dtype), None, shuffle)
    other.view()[:] = model.view()
    other.state = model.state
    again.seek(run.batch, run.sums)
    assert (again.batch, again.rows, again.epochs) == (3, 12, 0)
    for one in (run, again):
        one.advance(2, 1)
    assert digest(other) == digest(model)
    assert again.history() == run.history(1)


def test_seek_out_of_range() -> None:
    _, run, _ = steady(10, 4)
    with pytest.raises(ValueError):
        run.seek(3, np.zeros(2))
    with pytest.raises(ValueError, match="sums must hold 2 numbers"):
        run.seek(1, np.zeros(3))
    with pytest.raises(RuntimeError):
        Run(run.model, 4).seek(0, np.zeros(0))
    with pytest.raises(RuntimeError):
        _ = Run(run.model, 4).sums
    run.advance(1, 1)
    assert (run.batch, run.sums.tolist()) == (1, [30, 10])


def test_progress_batch_by_batch() -> None:
    """Position, running means and the last batch's means, rows weighted alike, the short batch too."""
    model, run, x = steady(10, 4)
    assert (run.batches, run.batch, run.rows, run.epochs) == (3, 0, 0, 0)
    for batch, seen in enumerate((4, 8), 1):
        assert run.advance(1, 5) == 0
        assert (run.batch, run.rows, run.epochs, model.iterations) == (batch, seen, 0, batch)
        assert run.partial == [pytest.approx((x[:seen] ** 2).mean()), pytest.approx(x[:seen].mean())]
        last = x[seen - 4 : seen]
        assert run.last == [pytest.approx((last**2).mean()), pytest.approx(last.mean())]
        assert history(run).shape == (0, 2)
    assert run.advance(1, 5) == 1
    assert (run.batch, run.rows, run.epochs, model.iterations, model.epochs_done) == (0, 0, 1, 3, 1)
    assert run.last == [pytest.approx((x[8:] ** 2).mean()), pytest.approx(x[8:].mean())]
    np.testing.assert_allclose(history(run), [[(x**2).mean(), x.mean()]])
    assert history(run).shape == (0, 2)
    assert len(run.epoch_times()) == 1
    assert run.epoch_times() == []


def test_limits_of_advance() -> None:
    """Whole epochs, part of them, nothing; the means of an epoch cut in two are those of one in one piece."""
    model, run, _ = steady(10, 4)
    assert run.advance(10**9, 3, 60.0) == 3
    assert run.advance(0, 5) == run.advance(5, 0) == run.advance(-1, -1) == 0
    assert run.advance(7, 100, 60.0) == 2
    assert (run.epochs, run.batch, model.iterations) == (5, 1, 16)
    assert run.advance(10**9, 1, 60.0) == 1
    means = history(run)
    assert means.shape == (6, 2)
    assert (means == means[0]).all()
    assert min(run.epoch_times()) >= 0


def test_bind_starts_over() -> None:
    _, run, x = steady(10, 4)
    run.advance(5, 100)
    run.bind(x[:3], np.zeros((3, 1)), None, 0)
    assert (run.batches, run.batch, run.rows, run.epochs) == (1, 0, 0, 0)
    assert run.partial == run.last == [0.0, 0.0]
    assert history(run).shape == (0, 2)
    assert run.advance(1, 1) == 1
    np.testing.assert_allclose(history(run)[0], [(x[:3] ** 2).mean(), x[:3].mean()])


def test_advance_returns_in_time() -> None:
    """`seconds` bounds the call, however many batches were asked for; 0 still takes a step."""
    model = compiled(build(chain("dense 64", "relu", "dense 10"), 64, "float32"))
    run = Run(model, 32)
    run.bind(inputs(320, 64, "float32"), inputs(320, 10, "float32"))
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        run.advance(2**60, 2**60, 0.05)
        spent.append(time.perf_counter() - start)
    assert 0.04 < median(spent) < 0.2
    before = model.iterations
    run.advance(2**60, 2**60, 0.0)
    assert model.iterations > before


@pytest.mark.parametrize("validation_rows", [1, 4, 11])
def test_validation(validation_rows: int) -> None:
    """Each epoch's row ends with what evaluate says of the validation data at that moment, weights and all."""
    task = tasks()["normalized"]
    model, (x, t, w) = task.model("float64"), task.data("float64")
    held_out = x[:validation_rows] / 2, t[:validation_rows], w[:validation_rows] if w is not None else None
    run, other = Run(model, 8), Run(model, 3)
    run.bind(x, t, w, validation=held_out)
    for _ in range(3):
        run.advance(10**9, 1, 60.0)
        means = history(run)
        assert means.shape == (1, 4)
        np.testing.assert_allclose(means[0, 2:], other.evaluate(*held_out), rtol=1e-13)


def test_validation_does_not_change_training() -> None:
    task = tasks()["normalized"]
    digests = set()
    for validation in (False, True):
        model, (x, t, w) = task.model("float32"), task.data("float32")
        run = Run(model, 8)
        run.bind(x, t, w, validation=(x[:9] * 2, t[:9], None) if validation else None)
        run.advance(10**9, 4, 60.0)
        digests.add(digest(model))
    assert len(digests) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", [name for name, runs in _engine.targets().items() if runs])
@pytest.mark.parametrize(("rows", "units"), [(300, 7), (1100, 20)])
def test_shuffled_rows_are_those_of_the_order(rows: int, units: int, target: str, dtype: str) -> None:
    """An epoch gathered row by row from small data is the unshuffled epoch of the same data in that order."""
    x, t, w = inputs(rows, 5, dtype), inputs(rows, 2, dtype, 9), np.abs(inputs(rows, 1, dtype, 8)).reshape(-1)
    order, digests = _engine.order(rows, 32, 1, 1, 0), set()
    for shuffle, rank in ((1, slice(None)), (0, order)):
        model = build(chain(f"dense {units}", "tanh", "dense 2"), 5, dtype, target)
        compiled(model, optimizer=Optimizer("adam", numbers("optimizer", "adam"), 0.01))
        run = Run(model, 32)
        run.bind(x[rank], t[rank], w[rank], shuffle)
        run.advance(10**9, 1, 60.0)
        digests.add(digest(model, history(run)))
    assert len(digests) == 1


@pytest.mark.parametrize("shuffle", [0, 2])
def test_small_and_large_data_train_alike(shuffle: int) -> None:
    """Only small data are copied into the order of batches: the same steps come of data bound whole and in pieces."""
    piece, batch_size = 9984, 32
    x, t = inputs(5 * piece, 3, "float32"), inputs(5 * piece, 2, "float32", 9)
    order = _engine.order(len(x), batch_size, shuffle, 1, 0)
    digests = set()
    for rows in (len(x), piece):
        model = compiled(build(chain("dense 6", "tanh", "dense 2"), 3, "float32"), optimizer=Optimizer("sgd", (), 0.01))
        run = Run(model, batch_size)
        for start in range(0, len(x), rows):
            part = order[start : start + rows] if rows < len(x) else slice(None)
            run.bind(x[part], t[part], None, shuffle if rows == len(x) else 0)
            run.advance(10**9, 1, 600.0)
        digests.add(digest(model))
    assert len(digests) == 1


def test_weights_of_rows() -> None:
    """A weight of 2 is the row's gradient twice; of 0 it is no gradient; metrics do not look at weights."""
    x, t = inputs(6, 3), inputs(6, 2, salt=4)
    gradients = []
    for weights, rows in ((np.array([1.0, 2, 0, 0, 0, 0]), [0, 1, 2, 3, 4, 5]), (None, [0, 1, 1, 0, 1, 1])):
        model = compiled(build(chain("dense 2"), 3), metrics=["mean_squared_error"])
        run = Run(model, 6)
        run.bind(x[rows], t[rows], weights, 0)
        run.advance(1, 1)
        gradients.append(model.read(1, 0))
        if weights is not None:
            plain = Run(compiled(build(chain("dense 2"), 3)), 6).evaluate(x, t)[0]
            assert run.last[1] == pytest.approx(plain)
            assert run.last[0] != pytest.approx(plain)
    np.testing.assert_allclose(2 * gradients[0], gradients[1], rtol=1e-13)


def test_divergence_is_noticed() -> None:
    """The first step whose loss was not finite, counted from 1; later ones do not hide it."""
    model = compiled(build(chain("dense 1"), 1))
    run, x = Run(model, 2), np.ones((10, 1))
    x[5] = np.nan
    run.bind(x, np.ones((10, 1)), None, 0)
    run.advance(2, 1)
    assert run.bad_iteration == 0
    run.advance(3, 1)
    assert run.bad_iteration == 3
    run.advance(20, 5)
    assert run.bad_iteration == 3
    run.bind(np.ones((10, 1)), np.ones((10, 1)), None, 0)
    assert run.bad_iteration == 0


def test_penalties_are_part_of_every_loss() -> None:
    rules = {(0, "kernel"): Rule(l1=0.1, l2=0.2)}
    model = compiled(build(chain("dense 2"), 3, rules=rules))
    x, kernel = inputs(7, 3), model.read(0, 0)
    y = Run(model, 7).predict(x)
    expected = 0.1 * np.abs(kernel).sum() + 0.2 * (kernel**2).sum()
    for batch_size in (2, 7):
        assert Run(model, batch_size).evaluate(x, y)[0] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("rows", SIZES)
def test_predict_in_batches(rows: int, dtype: str) -> None:
    """Any number of rows through any batch size; forward of a whole batch agrees."""
    model = build(chain("dense 5", "tanh", "dense 3"), 4, dtype)
    x = inputs(rows, 4, dtype)
    expected = Run(model, rows).forward(x)
    for batch_size in SIZES:
        assert Run(model, batch_size).predict(x).tobytes() == expected.tobytes()


def test_state_round_trip() -> None:
    model = compiled(build(chain("dense 2"), 3), optimizer=Optimizer("nadam", numbers("optimizer", "nadam"), 0.1))
    train(model, 4, (inputs(8, 3), inputs(8, 2), None), 2)
    state = model.state
    assert (state["iterations"], state["epochs"], state["seed"], state["learning_rate"]) == (4, 2, 1, 0.1)
    model.learning_rate = 0.25
    assert model.state == state | {"learning_rate": 0.25}
    model.state = state
    assert model.state == state
