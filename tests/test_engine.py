"""The door to the engine: rows and targets, models, compile and arrays; what it refuses and what it keeps."""

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_models import (
    WIDE,
    build,
    chain,
    compiled,
    digest,
    in_another_process,
    inputs,
    noise,
    numbers,
    parameters,
    train,
)
from reference_network import Optimizer

from nnlite import _engine
from nnlite._engine import EngineModel, Run

FAMILIES = ("layer", "activation", "loss", "metric", "optimizer", "constraint")
RULE = (True, 0.0, 0.0, "none", ())
SGD = ("sgd", (), 0.1, 0.0, 0.0, 0.0, 0.0, 0.0)
MSE = ("mean_squared_error", (), 1.0, False, False, False)


# ---- rows and targets ----


@pytest.mark.parametrize("family", FAMILIES)
def test_rows(family: str) -> None:
    rows = _engine.rows(family)
    assert rows
    assert len(set(rows)) == len(rows)
    assert all(row.isidentifier() and row.islower() for row in rows)


def test_rows_contain_each_other() -> None:
    """Activations are layers, losses are metrics."""
    assert _engine.rows("layer")[-len(_engine.rows("activation")) :] == _engine.rows("activation")
    assert _engine.rows("metric")[-len(_engine.rows("loss")) :] == _engine.rows("loss")


def test_unknown_family() -> None:
    with pytest.raises((KeyError, ValueError)):
        _engine.rows("layers")


def test_targets() -> None:
    names = _engine.targets()
    assert names["scalar"]
    assert names[_engine.default_target()]
    assert EngineModel(chain_records("dense 1"), 1).target == _engine.default_target()


def test_unavailable_targets_are_refused() -> None:
    for name, available in _engine.targets().items():
        if not available:
            with pytest.raises(ValueError, match="this CPU cannot run"):
                EngineModel(chain_records("dense 1"), 1, target=name)


# ---- models ----


def chain_records(*items: str) -> list[Any]:
    return [(row, units, values, [RULE] * 4) for row, units, values in chain(*items)]


@pytest.mark.parametrize(("layers", "input_units", "options", "error"), [
    ([], 3, {}, ValueError),
    (chain_records("dense 3"), 0, {}, ValueError),
    (chain_records("dense 3"), -1, {}, ValueError),
    (chain_records("dense 3"), 3, {"target": "abacus"}, ValueError),
    (chain_records("dense 3"), 3, {"target": ""}, ValueError),
    (chain_records("dense 3"), 3, {"dtype": "float16"}, (KeyError, ValueError)),
    (chain_records("dense 3"), 3, {"seed": -1}, OverflowError),
    (chain_records("dense 3"), 3, {"seed": 2**64}, OverflowError),
    ([("convolution", 3, (), [])], 3, {}, ValueError),
    ([("dense", -3, (1.0,), [RULE])], 3, {}, OverflowError),
    ([("dense", 3, (1.0,) * 7, [RULE])], 3, {}, ValueError),
    ([("dense", 3, (1.0,), [(True, 0.0, 0.0, "max_nrom", ())])], 3, {}, ValueError),
    ([("dense", 3, ("one",), [RULE])], 3, {}, TypeError),
    ([("dense", 3)], 3, {}, ValueError),
    (None, 3, {}, TypeError),
], ids=str)  # fmt: skip
def test_bad_models(layers: Any, input_units: int, options: dict[str, Any], error: Any) -> None:
    with pytest.raises(error):
        EngineModel(layers, input_units, **options)


def test_too_many_tensor_rules() -> None:
    """No layer has more than four tensors, and the engine's record has no room for more."""
    with pytest.raises(ValueError):
        EngineModel([("dense", 3, (1.0,), [RULE] * 5)], 3)


def test_unknown_rows_are_named() -> None:
    with pytest.raises(ValueError, match=r"no layer 'convolution'; it has dense, "):
        EngineModel([("convolution", 3, (), [])], 3)


@pytest.mark.parametrize(("layers", "input_units"), [
    ([2**62], 3),
    ([2**40], 2**40),
    ([2**31, 2**31], 2**31),
    ([2**48], 1),
    ([1], 2**62),
    ([1], 2**47),
    ([2**63 - 1], 1),
    ([2**64 - 1], 1),
    ([3, 2**61, 3], 5),
], ids=str)  # fmt: skip
def test_sizes_that_overflow(layers: list[int], input_units: int, dtype: str) -> None:
    """Products of sizes beyond memory arithmetic, or beyond the address space, are an error and not a small block."""
    with pytest.raises(MemoryError):
        EngineModel([("dense", units, (1.0,), [RULE] * 2) for units in layers], input_units, dtype)


@pytest.mark.parametrize("batch_size", [2**45, 2**60, 2**62, 2**63 - 1])
def test_batches_that_overflow(batch_size: int, dtype: str) -> None:
    with pytest.raises(MemoryError):
        Run(EngineModel(chain_records("dense 3"), 2, dtype), batch_size)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_bad_batch_size(batch_size: int) -> None:
    with pytest.raises(ValueError, match="batch_size must be positive"):
        Run(EngineModel(chain_records("dense 3"), 2), batch_size)


@pytest.mark.parametrize("row", _engine.rows("layer"))
def test_parameters_start_at_zero_and_come_back_as_written(row: str, dtype: str) -> None:
    """read gives what write took, tensor by tensor, in every buffer, whatever the padding; view and layout show the
    same storage."""
    for width in (1, 5, 16, 17, WIDE):
        layers = chain(f"dense {width}", "dense 3" if row == "dense" else row)
        records = [(name, units, values, [RULE] * 4) for name, units, values in layers]
        model = EngineModel(records, 3, dtype)
        assert all((value == 0).all() for value in parameters(model).values())
        compiled(model, optimizer=Optimizer("amsgrad", numbers("optimizer", "amsgrad")))
        assert model.slots == 3
        for buffer in range(5):
            written = [
                noise(shape, 10 * buffer + i, 97).astype(dtype) for i, (_, _, shape, _) in enumerate(model.tensors())
            ]
            for i, value in enumerate(written):
                model.write(buffer, i, value)
            for i, value in enumerate(written):
                assert model.read(buffer, i).tobytes() == value.tobytes()
        flat = model.view()
        assert flat.shape == (model.parameter_count,)
        for i, (_, _, shape, offset, panel) in enumerate(model.layout()):
            rows, columns = (1, *shape)[-2:]
            k, j = np.indices((rows, columns))
            stored = flat[offset + j // panel * rows * panel + k * panel + j % panel]
            assert (stored.reshape(shape) == model.read(0, i)).all()


def test_view_is_the_parameters_and_keeps_them() -> None:
    model = build(chain("dense 3"), 2)
    run, flat, x = Run(model, 4), model.view(), inputs(4, 2)
    flat *= 2
    assert (model.read(0, 0) == 2 * build(chain("dense 3"), 2).read(0, 0)).all()
    expected = run.predict(x)
    del run, model
    gc.collect()
    flat += 0  # the memory is still there
    assert np.isfinite(flat).all()
    assert np.isfinite(expected).all()


def test_read_and_write_refuse_what_is_not_there() -> None:
    model = compiled(build(chain("dense 3"), 2))
    for call in (model.read, lambda buffer, i: model.write(buffer, i, np.zeros((2, 3)))):
        for buffer, tensor in ((2, 0), (0, 2), (2**63, 0), (0, 2**63)):
            with pytest.raises(ValueError):
                call(buffer, tensor)
        with pytest.raises(OverflowError):
            call(-1, 0)
    for shape in ((2, 4), (3, 2), (6,), (1, 2, 3)):
        with pytest.raises(ValueError, match="kernel must"):
            model.write(0, 0, np.zeros(shape))
    with pytest.raises(ValueError):
        model.set_trainable(2, False)


# ---- compile ----


@pytest.mark.parametrize(("loss", "metrics", "optimizer", "error"), [
    (("mean_error", (), 1.0, False, False, False), [], SGD, ValueError),
    (("poisson", (1.0,) * 7, 1.0, False, False, False), [], SGD, ValueError),
    (MSE, [("auc", ())], SGD, ValueError),
    (MSE, [], ("tiger", (), 0.1, 0, 0, 0, 0, 0), ValueError),
    (MSE, [], ("sgd", (), 0.1), ValueError),
    (MSE, [], ("sgd", (), np.nan, 0, 0, 0, 0, 0), ValueError),
    (MSE, [], ("sgd", (), 0.1, np.inf, 0, 0, 0, 0), ValueError),
    (("mean_squared_error", (), np.nan, False, False, False), [], SGD, ValueError),
], ids=str)  # fmt: skip
def test_bad_compile_changes_nothing(loss: Any, metrics: Any, optimizer: Any, error: Any) -> None:
    with pytest.raises(error):
        EngineModel(chain_records("dense 3"), 2).compile(loss, False, metrics, optimizer)
    model = compiled(build(chain("dense 3"), 2), optimizer=Optimizer("adam", numbers("optimizer", "adam")))
    data = inputs(8, 2), inputs(8, 3), None
    train(model, 4, data, 2)
    before = digest(model), model.state
    with pytest.raises(error):
        model.compile(loss, True, metrics, optimizer)
    assert (digest(model), model.state) == before
    train(model, 4, data, 1)


def compile_with_short_records() -> None:
    model = build(chain("dense 3"), 2)
    for loss, metrics, optimizer in (
        (MSE[:1], [], SGD),
        (MSE[:2], [], SGD),
        ((), [], SGD),
        (MSE, [("poisson",)], SGD),
        (MSE, [], SGD[:1]),
    ):
        with pytest.raises((IndexError, ValueError)):
            model.compile(loss, False, metrics, optimizer)


def test_short_records_are_an_error_and_not_a_crash() -> None:
    in_another_process(compile_with_short_records)


def test_compile_starts_the_optimizer_anew_and_keeps_the_parameters() -> None:
    adam = Optimizer("adam", numbers("optimizer", "adam"))
    model, data = compiled(build(chain("dense 3"), 2), optimizer=adam), (inputs(8, 2), inputs(8, 3), None)
    train(model, 4, data, 3)
    kept = parameters(model)
    compiled(model, optimizer=adam)
    assert model.iterations == 0
    assert model.epochs_done == 3
    assert all((value == kept[key]).all() for key, value in parameters(model).items())
    assert all((value == 0).all() for buffer in (1, 2, 3) for value in parameters(model, buffer).values())
    fresh = compiled(build(chain("dense 3"), 2), optimizer=adam)
    for i, (layer, name, _, _) in enumerate(model.tensors()):
        fresh.write(0, i, kept[layer, name])
    fresh.state = fresh.state | {"epochs": 3}
    assert train(model, 4, data, 2).tobytes() == train(fresh, 4, data, 2).tobytes()
    assert digest(model) == digest(fresh)


def test_what_needs_a_loss_says_so() -> None:
    model = build(chain("dense 3"), 2)
    run, x, y = Run(model, 4), inputs(4, 2), inputs(4, 3)
    for call in (model.update, lambda: run.bind(x, y), lambda: run.evaluate(x, y)):
        with pytest.raises(RuntimeError, match="no loss and optimizer"):
            call()
    run.forward(x, True)
    run.backward(y)
    assert run.predict(x).shape == (4, 3)


def test_advance_without_data_says_so() -> None:
    model = compiled(build(chain("dense 3"), 2))
    run, x, y = Run(model, 4), inputs(4, 2), inputs(4, 3)
    with pytest.raises(RuntimeError, match="no data"):
        run.advance(1, 1)
    run.bind(x, y)
    run.evaluate(x, y)  # takes the room of the bound data
    with pytest.raises(RuntimeError, match="no data"):
        run.advance(1, 1)
    run.bind(x, y)
    compiled(model, metrics=["mean_absolute_error"])  # other metrics than those bound
    with pytest.raises(RuntimeError, match="no data"):
        run.advance(1, 1)


# ---- arrays ----

X, Y, W = inputs(8, 3, "float32"), inputs(8, 2, "float32", 5), np.ones(8, np.float32)
BAD_ARRAYS: dict[str, Callable[[Any], Any]] = {
    "other float": lambda a: a.astype(np.float64),
    "half": lambda a: a.astype(np.float16),
    "int": lambda a: a.astype(np.int32),
    "bool": lambda a: a > 0,
    "complex": lambda a: a.astype(np.complex64),
    "object": lambda a: a.astype(object),
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "reversed": lambda a: a[::-1],
    "every other row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "list": lambda a: Listed(a.tolist()),
    "one number more": lambda a: np.append(a, a.dtype.type(0)).reshape((-1, *[1] * (a.ndim - 1))),
    "one row less": lambda a: a[:-1],
}  # fmt: skip


class Listed(list[Any]):
    """A list that pretends to be two-dimensional: no buffer, whatever its attributes say."""

    ndim, shape = 2, (8, 2)


@pytest.mark.parametrize("kind", BAD_ARRAYS)
@pytest.mark.parametrize("argument", ["x", "y", "sample_weight"])
def test_bad_arrays(argument: str, kind: str) -> None:
    """bind and evaluate refuse arrays of another type, order or size, and a run bound before stays bound."""
    model = compiled(build(chain("dense 2"), 3, "float32"))
    run = Run(model, 4)
    run.bind(X, Y, W)
    arguments: dict[str, Any] = {"x": X, "y": Y, "sample_weight": W}
    arguments[argument] = BAD_ARRAYS[kind](arguments[argument])
    with pytest.raises((ValueError, TypeError)):
        run.bind(**arguments)
    with pytest.raises((ValueError, TypeError)):
        run.bind(X, Y, W, validation=tuple(arguments.values()))
    with pytest.raises((ValueError, TypeError)):
        Run(model, 4).evaluate(**arguments)
    assert run.advance(2, 1) == 1


@pytest.mark.parametrize("kind", [kind for kind in BAD_ARRAYS if kind != "one row less"])
def test_bad_arrays_of_the_parts(kind: str) -> None:
    model = build(chain("dense 2"), 3, "float32")
    run, x, dy = Run(model, 8), BAD_ARRAYS[kind](X), BAD_ARRAYS[kind](Y)
    for call in (lambda: run.forward(x), lambda: run.predict(x), lambda: run.backward(dy)):
        with pytest.raises((ValueError, TypeError)):
            call()


def test_sizes_at_the_door() -> None:
    model = compiled(build(chain("dense 2"), 3, "float32"))
    run = Run(model, 4)
    with pytest.raises(ValueError):
        run.forward(X)  # 8 rows in a run of 4
    with pytest.raises(ValueError):
        run.backward(Y)
    with pytest.raises(ValueError):
        run.forward(X[:0])
    with pytest.raises(ValueError):
        run.bind(X[:0], Y[:0])
    with pytest.raises(ValueError):
        run.evaluate(X[:0], Y[:0])
    with pytest.raises(ValueError):
        run.bind(X, np.ascontiguousarray(np.repeat(Y, 2, axis=1)))  # 4 targets for 2 outputs
    with pytest.raises(ValueError):
        run.bind(X, Y, validation=(X, Y[:, :1].copy(), None))
    assert run.predict(X[:0]).shape == (0, 2)


def test_inputs_may_be_read_only_and_are_never_written() -> None:
    model = compiled(build(chain("dense 2"), 3, "float32"))
    x, y, w = X.copy(), Y.copy(), W.copy()
    for array in (x, y, w):
        array.flags.writeable = False
    run = Run(model, 3)
    run.bind(x, y, w, validation=(x, y, w))
    run.advance(100, 5)
    run.evaluate(x, y, w)
    run.predict(x)
    assert (x == X).all()
    assert (y == Y).all()
    assert (w == W).all()


def test_bound_arrays_are_kept_alive() -> None:
    model = compiled(build(chain("dense 2"), 3, "float32"))
    run, other = Run(model, 4), compiled(build(chain("dense 2"), 3, "float32"))
    run.bind(X.copy(), Y.copy(), W.copy(), 1, (X.copy(), Y.copy(), None))
    gc.collect()
    rubbish = [np.full_like(X, np.nan) for _ in range(100)]
    run.advance(100, 5)
    del rubbish
    train(other, 4, (X, Y, W), 5)
    assert digest(model) == digest(other)


def test_activate_wants_two_dimensions() -> None:
    assert _engine.activate("relu", (), np.zeros((0, 3))).shape == (0, 3)
    for bad in (np.zeros((2, 3), np.int64), np.zeros((2, 3))[:, ::-1], np.zeros(3), np.zeros((2, 2, 3))):
        with pytest.raises((ValueError, KeyError, IndexError)):
            _engine.activate("relu", (), bad)
    with pytest.raises(ValueError, match="no activation 'rleu'"):
        _engine.activate("rleu", (), np.zeros((2, 3)))
