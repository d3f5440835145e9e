"""`Model.fit` once its arguments are checked: which run takes the data, who validates, who is told."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from nnlite import data
from nnlite._engine import Run
from nnlite.batches import ArrayBatches, Batches, GivenBatches, gives_batches, rows_of_batch
from nnlite.callbacks import ByName, History, Listeners, ProgbarLogger
from nnlite.config import era
from nnlite.data import Data, Door
from nnlite.errors import ArgumentError
from nnlite.evaluation import Validation
from nnlite.objective import Measures
from nnlite.progress import EpochReport
from nnlite.python_run import DerivedRun, PythonRun
from nnlite.training import Training

if TYPE_CHECKING:
    from nnlite._engine import EngineModel
    from nnlite.model import Model


# Multiply-adds of a validation beyond which Python does it, in slices: Ctrl-C is not seen while the engine does.
_LONG = 4e9


class Turn:
    """Lets one training of a model run at a time: ``with turn: ...``. Raises RuntimeError while another runs."""

    def __init__(self) -> None:
        self._lock = allocate_lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("this model is being trained already; train another model, or wait.")

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def taken(self) -> bool:
        """Return whether a training runs."""
        return self._lock.locked()


class Plan(NamedTuple):
    """How `Model.fit` goes over the data."""

    batch_size: int | None
    steps: int | None  # of an epoch; None: those of the data
    shuffle: int  # as in Run.bind
    first: int  # epoch
    last: int
    held_size: int | None  # batch size of the validation
    held_steps: int | None
    often: int | set[int]  # epochs between two validations, or those they follow


def fit(
    model: Model,
    train: Data | GivenBatches,
    held_out: Data | GivenBatches | None,
    door: Door,
    plan: Plan,
    listeners: Listeners,
    verbosity: int,
) -> History:
    """Train `model` on `train`, and evaluate it on `held_out`. The model's turn is taken."""
    size = rows_of_batch(plan.batch_size, train, plan.steps)
    held_size = 0
    if held_out is not None:
        held_size = rows_of_batch(plan.held_size or plan.batch_size, held_out, plan.held_steps)
        if isinstance(held_out, Data) and plan.held_steps is not None:
            held_out = held_out.part(0, plan.held_steps * held_size)
    engine, stream = model.made_for(door), _stream(train, size, plan)
    measures = model.settled()
    run: Run | PythonRun
    validation = None
    if isinstance(train, Data) and stream is None:
        run = training_run(model, engine, size, measures)
        beside = isinstance(held_out, Data) and (held_size, plan.often) == (size, 1) and not listeners.each_test
        beside = beside and not _is_long(held_out, engine)
        run.bind(*train, plan.shuffle, held_out if beside and isinstance(held_out, Data) else None)
    else:
        assert stream is not None
        run, beside = python_run(model, engine, size, measures), False
        run.bind_batches(stream)
    if held_out is not None and not beside:
        validation = Validation(Run(engine, held_size), measures, held_out, listeners, plan.often)
    names = measures.names + ([] if held_out is None else [f"val_{name}" for name in measures.names])
    rows = len(train.x) if isinstance(train, Data) and stream is None else None
    model.history, model.stop_training = History(), False
    params = {
        "batch_size": size, "epochs": plan.last, "nb_epoch": plan.last, "steps": run.batches or None, "samples": rows,
        "nb_sample": rows, "verbose": verbosity, "do_validation": held_out is not None, "metrics": names,
    }  # fmt: skip
    model.history.set_model(model)
    model.history.params = params
    report = _report(verbosity, names, plan, run.batches or None, rows, held_out, listeners)
    model.training = training = Training(model, run, names, rows, listeners, model.history, report, validation)
    try:
        if listeners.callbacks:
            listeners.introduce(model, params, list(held_out) if isinstance(held_out, Data) else None)
            listeners.call("on_train_begin", ByName())
        training.epochs(plan.first, plan.last)
    finally:
        model.training = None
    if listeners.callbacks:
        last = ByName({name: column[-1] for name, column in model.history.history.items()})
        listeners.call("on_train_end", last)
    if isinstance(run, PythonRun):
        model.stepper.finish(engine)
    return model.history


def _is_long(data: Any, engine: EngineModel) -> bool:
    """Whether an evaluation of `data` takes longer than a user who wants to stop may wait."""
    return len(data.x) * engine.parameter_count > _LONG


def _report(
    verbosity: int,
    names: list[str],
    plan: Plan,
    batches: int | None,
    rows: int | None,
    held_out: Data | GivenBatches | None,
    listeners: Listeners,
) -> EpochReport:
    """What is shown, if anything: rows are counted, unless there are none to count or steps are asked for."""
    if not verbosity or rows is None or plan.steps is not None:
        return EpochReport(verbosity, names, plan.last, batches, 0, True)
    asked = era("progress.like_keras3") or any(
        [isinstance(one, ProgbarLogger) and one.count_mode == "steps" for one in listeners.callbacks]
    )
    held_rows = len(held_out.x) if isinstance(held_out, Data) else 0
    return EpochReport(verbosity, names, plan.last, batches if asked else rows, held_rows, asked, rows)


def _stream(train: Data | GivenBatches, size: int, plan: Plan) -> Batches | None:
    """The training data as a stream of batches; None if they are arrays of which an epoch takes each row once."""
    if isinstance(train, GivenBatches):
        train.steps = plan.steps or train.steps
        return train
    if plan.steps in (None, -(-len(train.x) // size)):
        return None
    return ArrayBatches(train, size, plan.shuffle, plan.steps)


def training_run(model: Model, engine: EngineModel, batch_size: int, measures: Measures) -> Run | PythonRun:
    """Return what trains on arrays."""
    if measures.in_python or model.stepper.has_part(measures.ruled):
        return python_run(model, engine, batch_size, measures)
    if measures.plain:
        return Run(engine, batch_size)
    run = DerivedRun(engine, batch_size)
    run.measures = measures
    return run


def python_run(model: Model, engine: EngineModel, batch_size: int, measures: Measures) -> PythonRun:
    """Return what trains where every batch needs Python."""
    return PythonRun(engine, batch_size, measures, model.weights, model.stepper)


def validation_source(model: Model, given: Any, steps: Any, door: Door, measures: Measures) -> Data | GivenBatches:
    """Return what `validation_data` is, checked. Raises ValueError for a generator that could be endless."""
    known = (door, measures)
    if not gives_batches(given):
        if not isinstance(given, list | tuple) or len(given) not in (2, 3):
            raise ArgumentError("validation_data must be (x, y) or (x, y, sample_weight), or give batches.")
        x, y, weights = (*given, None)[:3]
        return model.source("validation ", x, y, weights, None, False, known)[0]
    source = model.source("validation ", given, None, None, None, False, known)[0]
    assert isinstance(source, GivenBatches)
    if steps is None and source.once:
        raise ValueError("validation_steps must be given for a generator, which may never end; received None.")
    source.steps = steps or source.steps
    return source


def epochs_of(argument: str, value: Any) -> int | set[int]:
    """After which epochs to validate: their distance, or the set of their numbers, from 1."""
    if not isinstance(value, (int, str)) and isinstance(value, Collection):
        return {data.whole(argument, number) for number in value}
    return data.whole(argument, value)
