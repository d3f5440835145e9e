"""What every model does once it has layers: compile, fit, evaluate, predict.

Arguments are checked before the engine sees them, so a call that raises leaves the model as it was.
"""

from __future__ import annotations

import warnings
from _thread import allocate_lock
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite import data
from nnlite._engine import EngineModel, Run
from nnlite.callbacks import History, Listeners
from nnlite.data import Data, Door
from nnlite.errors import ArgumentError, NotBuiltError, NotCompiledError, UnsupportedError, unknown_argument
from nnlite.layers.layer import Weight
from nnlite.objective import Measures, Objective
from nnlite.progress import EpochReport, Progbar, level
from nnlite.python_run import PythonRun, evaluate
from nnlite.registry import arguments
from nnlite.training import Training, warn_of_loss

Array = NDArray[Any]

# Arguments of some Keras that change nothing here.
_WITHOUT_EFFECT = {
    "compile": {"run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss", "class_mode"},
    "fit": {"max_queue_size", "workers", "use_multiprocessing", "validation_batch_size", "show_accuracy"},
}
# Workspaces kept for the next evaluation or prediction.
_SPARE_RUNS = 4


class Prediction(np.ndarray[Any, Any]):
    """What calling a model returns: an array that also answers `numpy`, as a tensor does."""

    def numpy(self) -> Array:
        """Return the plain array."""
        return np.asarray(self)


class Turn:
    """Lets one training of a model run at a time: ``with turn: ...``. Raises RuntimeError while another runs."""

    def __init__(self) -> None:
        self._lock = allocate_lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("this model is being trained already; train another model, or wait.")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class Model:
    """The base of all models: training and prediction, given layers."""

    name: str
    history: History | None = None
    stop_training = False

    def __init__(self) -> None:
        self._engine: EngineModel | None = None
        self._door: Door | None = None
        self._objective: Objective | None = None
        self._measures: Measures | None = None
        self._runs: list[Run] = []  # workspaces at rest; each thread takes one
        self._batch_run: Run | PythonRun | None = None  # that of train_on_batch
        self._turn = Turn()

    # ---- what a kind of model defines ----

    def door_for(self, array: Array) -> Door:
        """Return what the model takes and gives once it is built, for rows like those of `array` if it is not."""
        raise NotImplementedError

    def _reset(self, door: Door | None) -> None:
        """Be a model of other layers: `door` is theirs, None if they are not built; what was made for others goes."""
        self._door, self._engine, self._measures, self._batch_run, self._runs = door, None, None, None, []

    def made_for(self, door: Door) -> EngineModel:
        """Return the engine, made now if need be."""
        raise NotImplementedError

    @property
    def weights(self) -> list[Weight]:
        """The weights of all layers, in order."""
        raise NotImplementedError

    # ---- compile ----

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: None = None,
        weighted_metrics: Any = None,
        target_tensors: None = None,
        **without_effect: Any,
    ) -> None:
        """Choose optimizer, loss and metrics. Weights stay as they are; the optimizer starts anew.

        Args:
            optimizer: name, config, class or object of `nnlite.optimizers`.
            loss: name, function ``f(y_true, y_pred)``, or object of `nnlite.losses`; None leaves only the penalties.
            metrics: names, functions or objects of `nnlite.metrics`, in a list; one by itself is taken too.
            loss_weights: factor on the loss, not on the penalties. Keras 3 has it third; both orders are taken.
            weighted_metrics, sample_weight_mode, target_tensors: must be empty.

        Raises:
            ValueError: a name is unknown; the message has the closest ones.
            ArgumentError: something is of the wrong kind, or an unknown argument.

        >>> from nnlite.models import Sequential
        >>> Sequential().compile("adam", "mse", metrics=["mae"])
        """
        _only_known(Model.compile, without_effect)
        if _is_factor(metrics):
            metrics, loss_weights = (None if _is_factor(loss_weights) else loss_weights), metrics
        if weighted_metrics or sample_weight_mode or target_tensors:
            text = "weighted_metrics, sample_weight_mode and target_tensors must be empty"
            raise UnsupportedError(f"{text}: sample weights act on the loss, and metrics are those in metrics=.")
        objective = Objective(optimizer, loss, metrics, loss_weights)
        measures = None if self._door is None else objective.measures(self._door)
        if self._engine is not None and measures is not None:
            objective.compile(self._engine, measures)
            self.freeze_weights()
            if self._objective is not None and self._objective.optimizer is not objective.optimizer:
                self._objective.optimizer.detach(self._engine)
        self._objective, self._measures, self._batch_run = objective, measures, None

    def freeze_weights(self) -> None:
        """Tell the engine which weights the optimizer leaves alone; done when a model is compiled."""
        raise NotImplementedError

    def _compiled(self) -> Objective:
        if self._objective is None:
            raise NotCompiledError(
                f"model {self.name!r} must be compiled first: model.compile(optimizer='adam', loss='mse')."
            )
        return self._objective

    def _measured(self, objective: Objective, door: Door) -> Measures:
        """Loss and metrics, settled when the outputs are known and first needed."""
        measures = self._measures or objective.measures(door)
        if door is self._door:
            self._measures = measures
        return measures

    @property
    def optimizer(self) -> Any:
        """The optimizer, or None before `compile`."""
        return None if self._objective is None else self._objective.optimizer

    @property
    def loss(self) -> Any:
        """The loss, or None."""
        return None if self._objective is None else self._objective.loss

    @property
    def metrics(self) -> list[Any]:
        """The metrics."""
        return list(self._settled().metrics)

    @property
    def metrics_names(self) -> list[str]:
        """What `evaluate` returns, in order: "loss" and the names of the metrics."""
        return list(self._settled().names)

    def _settled(self) -> Measures:
        if self._door is None:
            raise NotBuiltError(f"model {self.name!r} must be built before its metrics are settled: build((None, 5)).")
        return self._measured(self._compiled(), self._door)

    # ---- fit ----

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Mapping[Any, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        *,
        nb_epoch: int | None = None,
        validation_freq: int = 1,
        **without_effect: Any,
    ) -> History:
        """Train.

        Args:
            x: inputs (rows, features): array, nested list or data frame; a 1-D array is one feature a row.
            y: targets (rows, outputs), (rows,) for one output, or class numbers (rows,) for a sparse loss.
            batch_size: rows of a step, 32 if None; the last batch of an epoch has what is left.
            epochs: number of the last epoch; Keras 1 called it nb_epoch.
            verbose: 0 silent, 1 a bar for each epoch, 2 a line for each.
            callbacks: objects with the hooks of `nnlite.callbacks.Callback`.
            validation_split: share of the last rows kept from training and evaluated after each epoch.
            validation_data: (x, y) or (x, y, sample_weight) for that, in place of a share.
            shuffle: whether rows are taken in a new order each epoch; "batch": whole batches are.
            class_weight: dict from class to weight of its rows in the loss.
            sample_weight: weight of each row in the loss, (rows,).
            initial_epoch: number of the first epoch, from 0.

        Returns:
            The `History`, which is also ``model.history``.

        Raises:
            NotCompiledError: there is no loss yet.
            ShapeError: arrays do not fit the model or each other.
            ArgumentError: an unknown argument, or data that are no numbers.
            ValueError: an argument outside its range.

        Warns:
            RuntimeWarning: the loss is no longer finite.
        """
        _only_known(Model.fit, without_effect)
        objective, listeners, verbosity = self._compiled(), Listeners(callbacks), level(verbose)
        last = data.whole("epochs", epochs, 0) if nb_epoch is None else data.whole("nb_epoch", nb_epoch, 0)
        first, size = data.whole("initial_epoch", initial_epoch, 0), _batch_size(batch_size)
        if data.whole("validation_freq", validation_freq) != 1:
            raise UnsupportedError(f"validation_freq must be 1; received {validation_freq!r}.")
        x = data.reals("x", x)
        door = self.door_for(x)
        measures = self._measured(objective, door)
        train = self._data("", x, y, sample_weight, class_weight, measures, door)
        train, held_out = data.split(train, 0.0 if validation_data is not None else validation_split)
        if validation_data is not None:
            if not isinstance(validation_data, list | tuple) or len(validation_data) not in (2, 3):
                raise ArgumentError("validation_data must be (x, y) or (x, y, sample_weight).")
            checked_x, checked_y, weights = (*validation_data, None)[:3]
            held_out = self._data("validation ", checked_x, checked_y, weights, None, measures, door)
        order = 2 if shuffle == "batch" else int(bool(shuffle))
        with self._turn:
            run = self._training_run(self.made_for(door), size)
            run.bind(*train, order, held_out)
            names = measures.names + [f"val_{name}" for name in measures.names if held_out is not None]
            rows, held_rows = len(train.x), 0 if held_out is None else len(held_out.x)
            self.history, self.stop_training = History(), False
            params = {
                "batch_size": size, "epochs": last, "nb_epoch": last, "steps": run.batches, "samples": rows,
                "nb_sample": rows, "verbose": verbosity, "do_validation": held_out is not None, "metrics": names,
            }  # fmt: skip
            self.history.set_model(self)
            self.history.params = params
            report = EpochReport(verbosity, names, last, rows, held_rows)
            listeners.begin(self, params, None if held_out is None else list(held_out))
            Training(self, run, names, rows, listeners, self.history, report).epochs(first, last)
            listeners.call("on_train_end", {})
        return self.history

    def _data(
        self, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, measures: Measures, door: Door
    ) -> Data:
        """Return arrays checked against the model and each other; `kind` is put before their names in messages."""
        inputs = data.inputs(f"{kind}x", x, door)
        data.nonempty(f"{kind}x", inputs)
        targets = data.targets(f"{kind}y", y, len(inputs), measures.loss, measures.columns, door)
        weights = data.row_weights(f"{kind}sample_weight", sample_weight, len(inputs), door)
        if class_weight is not None and weights is None:
            weights = data.class_weights(class_weight, data.reals("y", y).reshape(len(targets), -1), door)
        elif class_weight is not None:
            warnings.warn("class_weight has no effect beside sample_weight.", UserWarning, stacklevel=3)
        return Data(inputs, targets, weights)

    def _training_run(self, engine: EngineModel, batch_size: int) -> Run | PythonRun:
        measures = self._measures
        assert measures is not None
        if not measures.in_python:
            return Run(engine, batch_size)
        return PythonRun(engine, batch_size, measures, [weight for weight in self.weights if not weight.trainable])

    def train_on_batch(
        self,
        x: Any,
        y: Any,
        sample_weight: Any = None,
        class_weight: Mapping[Any, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Take one step on all rows of `x`; return their loss before it, as `evaluate` does. Arguments as in `fit`."""
        if isinstance(sample_weight, dict):  # Keras 1 had class_weight in its place
            sample_weight, class_weight = class_weight, sample_weight
        objective = self._compiled()
        x = data.reals("x", x)
        door = self.door_for(x)
        measures = self._measured(objective, door)
        batch = self._data("", x, y, sample_weight, class_weight, measures, door)
        with self._turn:
            engine, run = self.made_for(door), self._batch_run
            if run is None or run.batch_size < len(batch.x):
                run = self._batch_run = self._training_run(engine, len(batch.x))
            run.bind(*batch, 0)
            objective.optimizer.prepare(engine)
            run.advance(1, 1)
        if run.bad_iteration:
            warn_of_loss(f"step {run.bad_iteration}")
        return _answer(run.last, measures.names, return_dict)

    # ---- evaluate and predict ----

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = 1,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and the metrics over all rows, as a list in the order of `metrics_names`.

        Args:
            x, y, batch_size, verbose, sample_weight: as in `fit`.
            return_dict: whether to return a dict by name.

        Returns:
            A float if there are no metrics, else a list, or a dict.

        Raises what `fit` raises.
        """
        objective, verbosity, size = self._compiled(), level(verbose), _batch_size(batch_size)
        x = data.reals("x", x)
        door = self.door_for(x)
        measures = self._measured(objective, door)
        rows = self._data("", x, y, sample_weight, None, measures, door)
        engine, progress = self.made_for(door), Progbar(len(rows.x), verbose=int(verbosity == 1))
        run = self._rested(engine, size)
        means = evaluate(run, measures, rows)
        self._rest(run)
        progress.update(len(rows.x))
        return _answer(means, measures.names, return_dict)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Return loss and metrics of one batch, as `evaluate` does."""
        x = data.reals("x", x)
        return self.evaluate(x, y, len(x) or 1, 0, sample_weight, return_dict)

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Array:
        """Return the outputs (rows, outputs) for `x`, in the model's type.

        Args:
            x: inputs (rows, features), as in `fit`.
            batch_size: without effect on the result.
            verbose: 1 shows a bar.

        Raises ShapeError if rows do not fit the model.

        >>> from nnlite import Sequential, layers
        >>> Sequential([layers.Dense(2, input_dim=3)]).predict([[1.0, 2.0, 3.0]]).shape
        (1, 2)
        """
        door, engine = self._door, self._engine
        if engine is None or door is None or not data.ready(x, door.input_row, door.dtype):
            x = data.reals("x", x)
            door = self.door_for(x)
            x = data.inputs("x", x, door)
            engine = self.made_for(door)
        progress = Progbar(max(1, len(x)), verbose=1) if verbose and level(verbose) == 1 else None
        try:
            run = self._runs.pop()
        except IndexError:
            run = Run(engine, 32)
        outputs = run.predict(x)
        self._rest(run)
        if progress is not None:
            progress.update(max(1, len(x)))
        return outputs if len(door.output_row) == 1 else outputs.reshape(-1, *door.output_row)

    def predict_on_batch(self, x: Any) -> Array:
        """Return the outputs for `x`, as `predict`."""
        return self.predict(x)

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Array:
        """Return the class of each row: the largest output, (rows,), or whether the only one exceeds 1/2, (rows, 1)."""
        outputs = self.predict(x, batch_size, verbose)
        return outputs.argmax(axis=-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype(np.int32)

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Array:
        """Return the outputs for `x`, as `predict`; warns if they are no probabilities."""
        outputs = self.predict(x, batch_size, verbose)
        if outputs.size and not (outputs.min() >= 0 and outputs.max() <= 1):
            text = "outputs are not within 0 ... 1 and so no probabilities: end the model with sigmoid or softmax."
            warnings.warn(text, UserWarning, stacklevel=2)
        return outputs

    def __call__(self, x: Any, training: bool = False) -> Prediction:
        """Return the outputs for `x` as an array with `numpy`; with `training` as in training, dropout and all."""
        if not training:
            return self.predict(x).view(Prediction)
        x = data.reals("x", x)
        door = self.door_for(x)
        inputs = data.inputs("x", x, door)
        data.nonempty("x", inputs)
        outputs = Run(self.made_for(door), len(inputs)).forward(inputs, True)
        return outputs.reshape(-1, *door.output_row).view(Prediction)

    def _rested(self, engine: EngineModel, batch_size: int) -> Run:
        """Take a workspace for batches of that size."""
        for i, run in enumerate(self._runs):
            if run.batch_size == batch_size:
                return self._runs.pop(i)
        return Run(engine, batch_size)

    def _rest(self, run: Run) -> None:
        """Keep a workspace for the next call."""
        if run.model is self._engine and len(self._runs) < _SPARE_RUNS:
            self._runs.append(run)


def _only_known(method: Callable[..., Any], given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in _WITHOUT_EFFECT[method.__name__]:
            raise unknown_argument(f"{method.__name__}()", name, arguments(method))


def _batch_size(value: Any) -> int:
    return 32 if value is None else data.whole("batch_size", value)


def _is_factor(value: Any) -> bool:
    """Whether `value` is a factor on the loss, as a number or a list of one."""
    return isinstance(value[0] if isinstance(value, list) and len(value) == 1 else value, int | float)


def _answer(means: list[float], names: list[str], as_dict: bool) -> Any:
    if as_dict:
        return dict(zip(names, means, strict=True))
    return means if len(means) > 1 else means[0]
