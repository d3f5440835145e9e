"""What a model is trained for: what `compile` was told, and what that means for a model of known outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnlite import losses, metrics, optimizers
from nnlite.config import era
from nnlite.data import Door
from nnlite.errors import ArgumentError, ShapeError, number
from nnlite.loss import Loss, PythonLoss, RowFunction
from nnlite.metric import Metric, PythonMetric
from nnlite.records import LossRecord, Row
from nnlite.stepping import Stepper

if TYPE_CHECKING:
    from nnlite._engine import EngineModel
    from nnlite.layers.layer import Weight

# In place of a loss the engine does not have: it adds nothing, and its value is that of the penalties.
NO_LOSS = LossRecord("mean_squared_error", (), 0.0)


class Measures(NamedTuple):
    """Loss and metrics of a built model."""

    loss: Loss
    record: LossRecord | None  # the loss for the engine; None: it is written in Python
    weight: float  # of the loss, penalties aside
    metrics: list[Metric]
    rows: list[Row]  # those of the metrics the engine has, in order
    in_python: bool  # whether a batch needs Python
    names: list[str]  # "loss" and the metrics' names
    columns: int | None  # of the targets; None: what is written in Python takes any number
    own: list[tuple[Row, ...]]  # the engine's rows of each metric; () if Python counts it
    weighted: int  # how many of the metrics, at the end, count rows by their sample weights
    plain: bool  # whether the means of the engine's rows are the metrics, one for one
    penalised: tuple[Weight, ...]  # weights whose penalty the engine does not know
    ruled: bool  # whether a regularizer or constraint of a weight is written in Python

    def penalty(self) -> float:
        """Return the penalties the engine does not know."""
        return sum([weight.penalty() for weight in self.penalised])

    def counted(self) -> Iterator[tuple[Metric, bool]]:
        """Yield the metrics Python counts, each with whether it counts rows by their sample weights."""
        first = len(self.metrics) - self.weighted
        for i, (metric, own) in enumerate(zip(self.metrics, self.own, strict=True)):
            if not own:
                yield metric, i >= first

    def values(self, means: Sequence[float], count: float) -> list[float]:
        """Return loss and metrics, given the means of the loss and of the engine's rows over `count` rows.

        Metrics written in Python give what they have counted.
        """
        if self.plain:
            return [float(means[0]), *means[1:]]
        found, rest = [float(means[0])], list(means[1:])
        for metric, rows in zip(self.metrics, self.own, strict=True):
            own, rest = rest[: len(rows)], rest[len(rows) :]
            found.append(metric.value(own, count) if own else _single(metric))
        return found


class Objective:
    """What `Model.compile` was told.

    Raises ValueError for unknown names, with the closest ones, and ArgumentError for things of the wrong kind.
    """

    def __init__(self, optimizer: Any, loss: Any, chosen: Any, loss_weight: Any, weighted: Any = None) -> None:
        self.optimizer = optimizers.get(optimizer)
        self.stepper = Stepper(self.optimizer)
        self.loss = losses.get(_only("loss", loss))
        self.chosen, self.weighted = _flat(chosen), _flat(weighted)
        self.metrics = [metrics.get(identifier) for identifier in self.chosen + self.weighted]
        weight = _only("loss_weights", loss_weight)
        self.weight = 1.0 if weight is None else number("loss_weights", weight)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of `compile` that make an equal one; what is written in Python stands as it is."""
        loss = self.loss.function if isinstance(self.loss, PythonLoss) else self.loss
        return {
            "optimizer": optimizers.serialize(self.optimizer),
            "loss": losses.LOSSES.serialize(loss) if isinstance(loss, Loss) else loss,
            "metrics": [_described(identifier) for identifier in self.chosen],
            "loss_weights": None if self.weight == 1 else self.weight,
            "weighted_metrics": [_described(identifier) for identifier in self.weighted] or None,
        }

    def measures(self, door: Door, last_row: str, weights: Sequence[Weight], counted: Sequence[Weight]) -> Measures:
        """Return loss and metrics for a model of those outputs, which come from that row of the engine, and of those
        weights, the regularizers of some of which count.
        """
        units = door.output_units
        loss = self.loss or losses.LOSSES.get("mean_squared_error")
        row, factor = loss.record(units, last_row), self.weight if self.loss else 0.0
        record = None if row is None else _record_of(row, factor, loss)
        found = [metric.resolve(loss, units, 1 if loss.sparse else units) for metric in self.metrics]
        first = len(self.chosen)  # of those that count by weights, which the engine does not
        rows = [metric.rows for metric in found[:first]] + [()] * len(self.weighted)
        known = [row for own in rows for row in own]
        columns = {
            1 if getattr(metric, "loss", metric).sparse else units
            for metric, own in zip(found, rows, strict=True)
            if own
        }
        if record is not None or loss.sparse:
            columns.add(1 if loss.sparse else units)
        if len(columns) > 1:
            listed = ", ".join(repr(metric.name) for metric in found)
            text = "class numbers in one column, or a column for each unit, as the loss does"
            raise ValueError(f"metrics must all take {text}; received {listed} with the loss {loss.name!r}.")
        unweighted = [metric.name for metric in found[:first]]
        always = era("weighted_metrics.prefix")
        weighted = [f"weighted_{m.name}" if always or m.name in unweighted else m.name for m in found[first:]]
        names = _numbered(["loss", *unweighted, *weighted])
        in_python, width = record is None or () in rows, columns.pop() if columns else None
        plain = all([type(m).value is Metric.value and len(own) == 1 for m, own in zip(found, rows, strict=True)])
        own = tuple([w for w in counted if w.regularizer is not None and w.regularizer.in_python])
        rules = [rule for weight in weights for rule in (weight.regularizer, weight.constraint) if rule is not None]
        ruled = any([rule.in_python for rule in rules])
        settled = (loss, record, factor, found, known, in_python, names, width, rows, len(self.weighted))
        return Measures(*settled, plain, own, ruled)

    def compile(self, engine: EngineModel, measures: Measures) -> None:
        """Give an engine loss, metrics and optimizer; its weights stay."""
        record = measures.record
        if record is None:
            record = NO_LOSS._replace(skip_frozen=not era("penalties.of_frozen"))
        engine.compile(record, True, measures.rows, self.optimizer.record())
        self.optimizer.attach(engine)
        self.stepper = Stepper(self.optimizer)


def _record_of(row: Row, weight: float, loss: Loss) -> LossRecord:
    by_weight, skip_frozen = loss.reduction == "mean_with_sample_weight", not era("penalties.of_frozen")
    return LossRecord(*row, weight, loss.reduction == "sum", by_weight, skip_frozen)


def _described(identifier: Any) -> Any:
    """A metric as `compile` was given it: a name, a config, or a function."""
    if isinstance(identifier, str | dict):
        return identifier
    if isinstance(identifier, RowFunction):
        return identifier.__name__
    metric = metrics.get(identifier)
    return metric.function if isinstance(metric, PythonMetric) else metrics.METRICS.serialize(metric)


def _only(argument: str, value: Any) -> Any:
    """The one element of a list or dict, for the one output there is; anything else as it is."""
    if isinstance(value, dict) and "class_name" not in value:
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        if len(value) != 1:
            raise ArgumentError(f"{argument} must be for the one output of the model; received {len(value)} of them.")
        return value[0]
    return value


def _flat(chosen: Any) -> list[Any]:
    """Metrics given as None, one, a list, or a list or dict of lists, as one list."""
    if chosen is None:
        return []
    if isinstance(chosen, dict) and "class_name" not in chosen:
        chosen = list(chosen.values())
    return [one for part in chosen for one in _flat(part)] if isinstance(chosen, (list, tuple)) else [chosen]


def _single(metric: Metric) -> float:
    """The value a metric has counted, which must be one number."""
    value = np.asarray(metric.result())
    if value.size != 1:
        raise ShapeError(
            f"a metric of a model must be one number; {metric.name!r} gives {value.size}. Choose one threshold, or an "
            "average such as average='macro'."
        )
    return float(value.item())


def _numbered(names: Sequence[str]) -> list[str]:
    """The names, later occurrences of the same one with _1, _2, ..."""
    return [f"{name}_{count}" if (count := names[:i].count(name)) else name for i, name in enumerate(names)]
