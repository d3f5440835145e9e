"""What every model does once it has layers: compile, fit, evaluate, predict.

Arguments are checked before the engine sees them, so a call that raises leaves the model as it was. One file, because
it is one class: half of it are docstrings, the manual of these calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from numpy.typing import NDArray

import nnlite.threads  # noqa: F401 - before there is a model, so that NNLITE_NUM_THREADS is obeyed
from nnlite import data
from nnlite._engine import EngineModel, Run
from nnlite.batches import GivenBatches, beside, gives_batches, rows_of_batch, triple
from nnlite.callbacks import ByName, History, Listeners
from nnlite.config import era
from nnlite.data import Data, Door
from nnlite.earlier import EarlierMethods
from nnlite.errors import ArgumentError, NotBuiltError, NotCompiledError, UnsupportedError, unknown_argument
from nnlite.evaluation import test
from nnlite.fitting import Plan, Turn, epochs_of, fit, training_run, validation_source
from nnlite.layers.layer import Weight
from nnlite.objective import Measures, Objective
from nnlite.prediction import Prediction, predict_batches
from nnlite.progress import PassReport, level
from nnlite.python_run import PythonRun
from nnlite.registry import arguments
from nnlite.stepping import Stepper
from nnlite.training import Training, warn_of_loss

Array = NDArray[Any]

# Arguments of some Keras that change nothing here.
_QUEUES = {"max_queue_size", "workers", "use_multiprocessing"}
_WITHOUT_EFFECT = {
    "compile": {"run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss", "class_mode"},
    "fit": {*_QUEUES, "show_accuracy"},
    "evaluate": _QUEUES,
    "predict": _QUEUES,
}
# Workspaces kept for the next evaluation or prediction.
_SPARE_RUNS = 4


class Model(EarlierMethods):
    """The base of all models: training and prediction, given layers. ``Model(inputs, outputs)`` makes a model of a
    chain of layers, see `nnlite.functional.Functional`.

    >>> from nnlite import Sequential
    >>> isinstance(Sequential(), Model)
    True
    """

    name: str
    shares = False  # whether other models have some of its layers
    history: History | None = None
    stop_training = False
    training: Training | None = None  # the call of `fit` under way

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Return a model of a chain for ``Model(inputs, outputs)``. Raises UnsupportedError for other subclasses."""
        if hasattr(cls, "layers"):
            return super().__new__(cls)
        if cls is not Model:
            raise UnsupportedError(
                f"{cls.__name__} derives from Model, which nnlite does not call layer by layer: stack the layers in a "
                "Sequential, or connect them and make Model(inputs, outputs)."
            )
        from nnlite.functional import Functional  # which builds on this

        return super().__new__(Functional)  # type: ignore[return-value]  # a class derived from this one

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

    def last_row(self) -> str:
        """Return the row of the engine its outputs come from."""
        raise NotImplementedError

    @property
    def weights(self) -> list[Weight]:
        """The weights of all layers, in order."""
        raise NotImplementedError

    @property
    def trainable_weights(self) -> list[Weight]:
        """Those of them an optimizer may change."""
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
            weighted_metrics: metrics that count each row by its sample weight; Python counts them.
            sample_weight_mode, target_tensors: must be empty.

        Raises:
            ValueError: a name is unknown; the message has the closest ones.
            ArgumentError: something is of the wrong kind, or an unknown argument.

        >>> from nnlite.models import Sequential
        >>> Sequential().compile("adam", "mse", metrics=["mae"])
        """
        if without_effect:
            _only_known(Model.compile, without_effect)
        if _is_factor(metrics):
            metrics, loss_weights = (None if _is_factor(loss_weights) else loss_weights), metrics
        if sample_weight_mode or target_tensors:
            raise UnsupportedError("sample_weight_mode and target_tensors must be empty: rows have one weight each.")
        objective = Objective(optimizer, loss, metrics, loss_weights, weighted_metrics)
        measures = None if self._door is None else self._measured(objective, self._door)
        self.settle_trainable()
        if self._engine is not None and measures is not None:
            objective.compile(self._engine, measures)
            self.freeze_weights()
            if self._objective is not None and self._objective.optimizer is not objective.optimizer:
                self._objective.optimizer.detach(self._engine)
        self._objective, self._measures, self._batch_run = objective, measures, None

    def settle_trainable(self) -> None:
        """Remember which layers are to be trained; done when a model is compiled."""
        raise NotImplementedError

    def freeze_weights(self) -> None:
        """Tell the engine which weights the optimizer leaves alone."""
        raise NotImplementedError

    def _compiled(self) -> Objective:
        if self._objective is None:
            raise NotCompiledError(
                f"model {self.name!r} must be compiled first: model.compile(optimizer='adam', loss='mse')."
            )
        return self._objective

    def _measured(self, objective: Objective, door: Door) -> Measures:
        """Loss and metrics for the outputs of `door`."""
        weights = self.weights
        counted = weights if era("penalties.of_frozen") else self.trainable_weights
        return objective.measures(door, self.last_row(), weights, counted)

    @property
    def stepper(self) -> Stepper:
        """What ends its optimizer steps where Python has a part in them."""
        return self._compiled().stepper

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
        return list(self.settled().metrics)

    @property
    def metrics_names(self) -> list[str]:
        """What `evaluate` returns, in order: "loss" and the names of the metrics."""
        return list(self.settled().names)

    def settled(self) -> Measures:
        """Return loss and metrics of the built model. Raises NotBuiltError before it is built."""
        if self._measures is None:
            if self._door is None:
                raise NotBuiltError(
                    f"model {self.name!r} must be built before its metrics are settled: build((None, 5))."
                )
            self._measures = self._measured(self._compiled(), self._door)
        return self._measures

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
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        *,
        nb_epoch: int | None = None,
        **without_effect: Any,
    ) -> History:
        """Train.

        Args:
            x: inputs (rows, features): array, nested list or data frame; a 1-D array is one feature a row. Or batches
                (x, y) or (x, y, sample_weight): a `utils.Sequence`, a generator, another iterable.
            y: targets (rows, outputs), (rows,) for one output, or class numbers (rows,) for a sparse loss.
            batch_size: rows of a step, 32 if None; the last batch of an epoch has what is left.
            epochs: number of the last epoch; Keras 1 called it nb_epoch.
            verbose: 0 silent, 1 a bar for each epoch, 2 a line for each.
            callbacks: objects with the hooks of `nnlite.callbacks.Callback`, or one.
            validation_split: share of the last rows kept from training and evaluated after each epoch.
            validation_data: (x, y) or (x, y, sample_weight) for that, in place of a share; or what gives batches.
            shuffle: whether rows, or the batches of a `Sequence`, are taken in a new order each epoch; "batch": whole
                batches are.
            class_weight: dict from class to weight of its rows in the loss.
            sample_weight: weight of each row in the loss, (rows,).
            initial_epoch: number of the first epoch, from 0.
            steps_per_epoch: batches of an epoch, which need not end where the data do; all of them if None. Without
                `batch_size` arrays are cut into so many batches.
            validation_steps: batches of a validation, from the start; all if None, which a generator cannot have.
            validation_batch_size: rows of a batch of validation; `batch_size` if None.
            validation_freq: epochs between two validations, or a collection of the epochs, from 1, they follow.

        Memory: arrays of the model's dtype in C order are used where they are, others copied. Above the data, dense
            nets take at most ``itemsize * (P * (2 + S) + 4 * B * W * J) + 4 * N`` bytes. P: parameters, units padded
            to a multiple of 16; S: slots of the optimizer (SGD 0, RMSprop 1, Adam 2); B: rows of a batch; W: widths of
            the input and all layers, padded; J: `nnlite.get_num_threads`; N: rows, for their order.

        Returns:
            The `History`, which is also ``model.history``.

        Raises:
            NotCompiledError: there is no loss yet.
            ShapeError: arrays do not fit the model or each other.
            ArgumentError: an unknown argument, or data that are no numbers.
            ValueError: an argument outside its range.

        Warns:
            RuntimeWarning: the loss is no longer finite.
            UserWarning: a generator ends before the training.
        """
        if without_effect:
            _only_known(Model.fit, without_effect)
        listeners, verbosity = Listeners(callbacks), level(verbose)
        last = data.whole("epochs", epochs, 0) if nb_epoch is None else data.whole("nb_epoch", nb_epoch, 0)
        first, steps = data.whole("initial_epoch", initial_epoch, 0), data.count("steps_per_epoch", steps_per_epoch)
        held_steps = data.count("validation_steps", validation_steps)
        held_size = data.count("validation_batch_size", validation_batch_size)
        order, often = 2 if shuffle == "batch" else int(bool(shuffle)), epochs_of("validation_freq", validation_freq)
        train, door, measures = self.source("", x, y, sample_weight, class_weight, order == 1)
        held_out: Data | GivenBatches | None = None
        if validation_data is not None:
            held_out = validation_source(self, validation_data, held_steps, door, measures)
        elif isinstance(train, Data):
            train, held_out = data.split(train, validation_split)
            if class_weight is not None and held_out is not None and not era("class_weight.of_validation_split"):
                held_out = held_out._replace(weights=None)
        elif validation_split:
            raise ArgumentError("validation_split must be 0 for batches; give some as validation_data.")
        plan = Plan(batch_size, steps, order, first, last, held_size, held_steps, often)
        with self._turn:
            return fit(self, train, held_out, door, plan, listeners, verbosity)

    def source(
        self,
        kind: str,
        x: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Mapping[Any, float] | None,
        shuffle: bool = False,
        known: tuple[Door, Measures] | None = None,
    ) -> tuple[Data | GivenBatches, Door, Measures]:
        """Return arrays or batches, checked, and door and measures they fit: `known`, or those of the first rows."""
        if not gives_batches(x):
            if known is None:
                x, door, measures = self._for_rows(x)
            else:
                door, measures = known
            loss, columns = measures.loss, measures.columns
            return data.checked(kind, x, y, sample_weight, class_weight, loss, columns, door), door, measures
        self._compiled()  # if it is not, that is told before a generator has given a batch away
        beside(f"{kind}x", y=y, sample_weight=sample_weight)
        batches = x if isinstance(x, GivenBatches) else GivenBatches(f"{kind}x", x, shuffle)
        name, first = batches.argument, batches.first() if known is None else None
        door, measures = known or self._for_rows(triple(name, first)[0])[1:]

        def ready(batch: Any) -> Data:
            x, y, weights = triple(name, batch)
            return data.checked(kind, x, y, weights, class_weight, measures.loss, measures.columns, door)

        batches.ready = ready
        if known is None:
            ready(first)
        return batches, door, measures

    def _for_rows(self, x: Any) -> tuple[Any, Door, Measures]:
        """Return inputs, what the model takes, and what it is trained for: for rows like those if it is not built.

        The inputs are as they were, or an array if they had to be looked at.
        """
        if self._door is not None and self._measures is not None:
            return x, self._door, self._measures
        objective = self._compiled()
        x = data.reals("x", x)
        door = self.door_for(x)
        return x, door, self.settled() if door is self._door else self._measured(objective, door)

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
        x, door, measures = self._for_rows(x)
        batch = data.checked("", x, y, sample_weight, class_weight, measures.loss, measures.columns, door)
        with self._turn:
            engine, run, measures = self.made_for(door), self._batch_run, self.settled()
            if run is None or run.batch_size < len(batch.x):
                run = self._batch_run = training_run(self, engine, len(batch.x), measures)
            run.bind(*batch, 0)
            self.optimizer.prepare(engine)
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
        steps: int | None = None,
        callbacks: Any = None,
        *,
        return_dict: bool = False,
        **without_effect: Any,
    ) -> Any:
        """Return the loss and the metrics over all rows, as a list in the order of `metrics_names`.

        Args:
            x, y, batch_size, verbose, sample_weight, callbacks: as in `fit`.
            steps: number of batches, from the start; all if None.
            return_dict: whether to return a dict by name, of any era.

        Returns:
            A float if there are no metrics, else a list, or a dict.

        Raises what `fit` raises.
        """
        if without_effect:
            _only_known(Model.evaluate, without_effect)
        listeners, verbosity, steps = Listeners(callbacks), level(verbose), data.count("steps", steps)
        source, door, measures = self.source("", x, y, sample_weight, None)
        size = rows_of_batch(batch_size, source, steps)
        if isinstance(source, GivenBatches):
            source.steps = steps or source.steps
            units, batches = None, source.steps
        else:
            source = source if steps is None else source.part(0, steps * size)
            units, batches = len(source.x), -(-len(source.x) // size)
        engine, progress = self.made_for(door), PassReport(verbosity, units, batches)
        measures = self.settled()
        params = {"steps": batches, "samples": units, "verbose": verbosity, "metrics": measures.names}
        listeners.introduce(self, params)
        run = self._rested(engine, size)
        means = test(run, measures, source, listeners)
        self._rest(run)
        progress.done(measures.names, means)
        return _answer(means, measures.names, return_dict)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Return loss and metrics of one batch, as `evaluate` does."""
        x = data.reals("x", x)
        return self.evaluate(x, y, len(x) or 1, 0, sample_weight, return_dict=return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = 0,
        steps: int | None = None,
        callbacks: Any = None,
        **without_effect: Any,
    ) -> Array:
        """Return the outputs (rows, outputs) for `x`, in the model's type.

        Args:
            x: inputs (rows, features), as in `fit`; or what gives batches of inputs, alone or first of a tuple.
            batch_size: without effect on the result.
            verbose: 1 shows a bar.
            steps: number of batches, from the start; all if None.
            callbacks: as in `fit`.

        Raises ShapeError if rows do not fit the model.

        >>> from nnlite import Sequential, layers
        >>> Sequential([layers.Dense(2, input_dim=3)]).predict([[1.0, 2.0, 3.0]]).shape
        (1, 2)
        """
        if without_effect:
            _only_known(Model.predict, without_effect)
        door, engine = self._door, self._engine
        if callbacks is not None or steps is not None:
            return predict_batches(
                self, x, batch_size, level(verbose), data.count("steps", steps), Listeners(callbacks)
            )
        if engine is None or door is None or self.shares or not data.ready(x, door.input_row, door.dtype):
            if gives_batches(x):
                return predict_batches(self, x, batch_size, level(verbose), None, Listeners(None))
            x = data.reals("x", x)
            door = self.door_for(x)
            x = data.inputs("x", x, door)
            engine = self.made_for(door)
        progress = PassReport(level(verbose), len(x), -(-len(x) // (batch_size or 32))) if verbose else None
        try:
            run = self._runs.pop()
        except IndexError:
            run = Run(engine, 32)
        outputs = run.predict(x)
        self._rest(run)
        if progress is not None:
            progress.done()
        return outputs if len(door.output_row) == 1 else outputs.reshape(-1, *door.output_row)

    def predict_on_batch(self, x: Any) -> Array:
        """Return the outputs for `x`, as `predict`."""
        return self.predict(x)

    def __call__(self, x: Any, training: bool = False) -> Prediction:
        """Return the outputs for `x` as an array with `numpy`; with `training` as in training, dropout and all."""
        if not training:
            return self.predict(x).view(Prediction)
        x = data.reals("x", x)
        door = self.door_for(x)
        inputs = data.inputs("x", x, door)
        if not len(inputs):
            raise data.no_rows("x", inputs)
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


def _is_factor(value: Any) -> bool:
    """Whether `value` is a factor on the loss, as a number or a list of one."""
    return isinstance(value[0] if isinstance(value, list) and len(value) == 1 else value, (int, float))


def _answer(means: list[float], names: list[str], as_dict: bool) -> Any:
    if as_dict:
        return ByName(zip(names, means, strict=True))
    return means if len(means) > 1 else means[0]
