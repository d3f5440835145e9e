"""Random layers, losses, optimizers and whatever else has a registry, to be made by any library of Keras' names.

What there is to draw comes from the registries of nnlite: `vocabulary` lists the names and arguments of every family.
How an argument is drawn is in `ARGUMENTS`, by its name; an argument not told of there cannot be drawn, and says so. The
numbers are those of NumPy's RandomState, whose streams never change.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np

from nnlite.activations import ACTIVATIONS
from nnlite.constraints import CONSTRAINTS
from nnlite.layers import LAYERS
from nnlite.losses import LOSSES
from nnlite.metric import Metric
from nnlite.metrics import METRICS
from nnlite.optimizer import _BY_STEPS
from nnlite.optimizers import OPTIMIZERS
from nnlite.registry import Entry
from nnlite.regularizers import REGULARIZERS
from nnlite.schedules import SCHEDULES

# What is not compared, or with other arguments only, and why: "family name" or "name.argument".
NOT_COMPARED = {
    "layers thresholded_re_lu": "Keras 3 has no ThresholdedReLU",
    "layers input_layer": "every model has one",
    "activations thresholded_relu": "Keras 3 has it as an argument of relu only",
    "metrics matthews_correlation": "of Keras 1",
    "metrics fmeasure": "of Keras 1",
    "metrics crossentropy": "Keras 3 has the word as a loss only",
    "metrics mean": "takes values, not targets and outputs",
    "metrics sum": "takes values, not targets and outputs",
    "optimizers nadam.schedule_decay": "Keras 3 has it no more; keras3 takes its value, 1",
    "optimizers use_ema beside constraints": "Keras averages weights before it constrains them",
    "optimizers gradient_accumulation_steps beside constraints": "Keras takes penalties of weights outside them too",
    "optimizers decay": "Keras 3 has schedules in its place",
    "activations sparsemax": "Keras 3.15 gives outputs that do not add up to 1",
    "layers lambda": "its function is written for one library",
    "metrics mean_relative_error": "Keras 3 has no MeanRelativeError",
    "layers noise_shape": "of random numbers none can be compared",
    "metrics binary_focal_crossentropy": "Keras 3 has it as a loss only",
    "metrics categorical_focal_crossentropy": "Keras 3 has it as a loss only",
    "metrics cosine_proximity": "of earlier Keras",
    "metrics dice": "a loss only in Keras 3",
    "metrics tversky": "a loss only in Keras 3",
    "metrics categorical_generalized_cross_entropy": "a loss only in Keras 3",
    "metrics huber": "Keras 3 has it as a loss only",
    "reduction none": "a loss that is no number cannot be trained",
}

# Arguments that are never left out: without an average there would be a number for each output, which no history
# holds; there may not be five largest outputs; without its statistics Normalization has nothing to do; the outputs of a
# model are no class numbers; Keras' threshold has no defaults.
ALWAYS_GIVEN = ("average", "k", "mean", "variance", "sparse_y_pred", "threshold.threshold", "threshold.default_value")

Vocabulary = dict[str, dict[str, dict[str, bool]]]
FAMILIES = {
    "activations": ACTIVATIONS,
    "constraints": CONSTRAINTS,
    "layers": LAYERS,
    "losses": LOSSES,
    "metrics": METRICS,
    "optimizers": OPTIMIZERS,
    "optimizers.schedules": SCHEDULES,
    "regularizers": REGULARIZERS,
}


def vocabulary() -> Vocabulary:
    """What can be drawn: for each family the names, each with its arguments and whether one must be given."""
    return {
        family: {
            name: parameters(family, entry)
            for name, entry in table.entries.items()
            if f"{family} {name}" not in NOT_COMPARED
        }
        for family, table in FAMILIES.items()
    }


def parameters(family: str, entry: Entry[Any]) -> dict[str, bool]:
    make: Any = entry.make
    if family == "activations":
        make = ACTIVATIONS.get(entry.name)._rule
    elif family == "metrics" and not isinstance(make, type):
        make = LOSSES.entries[entry.name].make  # a loss as metric
    found = {
        p.name: p.default is p.empty or p.name in ALWAYS_GIVEN or f"{entry.name}.{p.name}" in ALWAYS_GIVEN
        for p in inspect.signature(make).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD and how_to_draw(family, entry.name, p.name) is not LEFT_OUT
    }
    if family == "optimizers":
        more = OPTIMIZERS.get(entry.name).get_config() | _BY_STEPS
        found |= {name: False for name in more if how_to_draw(family, entry.name, name) is not LEFT_OUT}
    return found


@dataclass(frozen=True)
class Thing:
    """An object of a family, by what every library calls it, to be made with these arguments."""

    family: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def parts(self) -> list[Thing]:
        """Return it and all that it is made with."""
        return [
            self,
            *(part for value in self.arguments.values() if isinstance(value, Thing) for part in value.parts()),
        ]

    def make(self, library: Any) -> Any:
        """Return it as `library` makes it."""
        given = {
            name: value.make(library) if isinstance(value, Thing) else value for name, value in self.arguments.items()
        }
        if self.family == "activations" and not given:
            return self.name
        if self.family == "metrics" and self.name.islower():  # a word whose meaning depends on the model
            return self.name
        made = attrgetter(f"{self.family}.{self.name}")(library)
        return (lambda x: made(x, **given)) if self.family == "activations" else made(**given)


class Draw(np.random.RandomState):
    """A source of choices."""

    def __init__(self, seed: int, words: Vocabulary) -> None:
        super().__init__(seed)
        self.words = words
        self.width = 1  # of what the next layer receives

    def number(self, low: float, high: float) -> float:
        return float(np.round(self.uniform(low, high), 3))

    def scaled(self, low: float, high: float) -> float:
        return float(f"{np.exp(self.uniform(np.log(low), np.log(high))):.3g}")

    def coin(self, chance: float = 0.5) -> bool:
        return bool(self.uniform() < chance)

    def one(self, options: Any) -> Any:
        return list(options)[self.randint(len(options))]

    def thing(self, family: str, name: str | None = None, **fixed: Any) -> Thing:
        """An object of a family with random arguments, each left at its default half of the time."""
        name = name or self.one(sorted(self.words[family]))
        found = {}
        for argument, needed in self.words[family][name].items():
            if argument in fixed or needed or self.coin():
                found[argument] = fixed[argument] if argument in fixed else how_to_draw(family, name, argument)(self)
        rivals = [clip for clip in CLIPS if clip in found]
        return Thing(family, called(family, name), {k: v for k, v in found.items() if k not in rivals[1:]})


CLIPS = ("clipvalue", "clipnorm", "global_clipnorm")  # Keras 3 takes one of them


def called(family: str, name: str) -> str:
    """What libraries call it: the class of that name, or the name itself for functions and words."""
    make: Any = FAMILIES[family].entries[name].make
    if family == "activations" or (
        family == "metrics" and isinstance(make, type) and make.resolve is not Metric.resolve
    ):
        return name
    if isinstance(make, type):
        return make.__name__
    spellings = [alias for alias in FAMILIES[family].entries[name].names() if alias != alias.lower()]
    return spellings[-1] if spellings else name


LEFT_OUT = None
Drawer = Callable[[Draw], Any]


def how_to_draw(family: str, name: str, argument: str) -> Drawer | None:
    """Return what draws an argument; LEFT_OUT if it stays at its default."""
    if f"{family} {name}.{argument}" in NOT_COMPARED or f"{family} {argument}" in NOT_COMPARED:
        return LEFT_OUT
    for key in (f"{name}.{argument}", f"{family}.{argument}", argument, argument[argument.rfind("_") :]):
        if key in ARGUMENTS:
            return ARGUMENTS[key]
    raise KeyError(f"say in ARGUMENTS how to draw {argument!r} of {name!r}, or in NOT_COMPARED why it is not drawn")


def coin(draw: Draw) -> bool:
    return draw.coin()


def number(low: float, high: float) -> Drawer:
    return lambda draw: draw.number(low, high)


def vector(low: float, high: float) -> Drawer:
    return lambda draw: [draw.number(low, high) for _ in range(draw.width)]


def plain_penalty(draw: Draw) -> Thing:
    """A regularizer of weights of any shape, or of outputs."""
    regularizers = draw.words["regularizers"]
    return draw.thing("regularizers", draw.one(sorted(n for n in regularizers if set(regularizers[n]) <= {"l1", "l2"})))


def sometimes(family: str) -> Drawer:
    return lambda draw: draw.thing(family) if draw.coin() else None


ARGUMENTS: dict[str, Drawer | None] = {
    # of layers
    "units": lambda draw: int(draw.one([draw.randint(1, 8), draw.randint(8, 33), draw.randint(33, 41)])),
    "activation": lambda draw: draw.thing("activations"),
    "use_bias": coin,
    "center": coin,
    "scale": coin,
    "trainable": lambda draw: draw.coin(0.8),
    "_initializer": LEFT_OUT,  # weights are set
    "kernel_regularizer": lambda draw: draw.thing("regularizers") if draw.coin() else None,
    "_regularizer": lambda draw: plain_penalty(draw) if draw.coin() else None,
    "_constraint": sometimes("constraints"),
    "layers.epsilon": lambda draw: draw.scaled(1e-3, 1e-1),
    "layers.momentum": number(0.5, 0.99),
    "layers.l1": number(0, 0.05),
    "layers.l2": number(0, 0.05),
    "layers.rate": lambda draw: draw.one([0.0, 0.0, draw.number(0, 0.5)]),  # of random numbers none can be compared
    "layers.stddev": lambda draw: draw.one([0.0, 0.0, draw.number(0, 0.5)]),
    "mean": vector(-1, 1),
    "variance": vector(0.2, 2),
    "invert": coin,
    "rescaling.scale": number(0.5, 2),
    "offset": number(-1, 1),
    "layers.max_value": number(0.5, 4),
    "target_shape": lambda draw: (draw.width,),
    "dims": lambda draw: (1,),
    "n": lambda draw: 1,
    # of activations
    "negative_slope": number(0.05, 0.5),
    "max_value": number(0.5, 4),
    "threshold": number(0.1, 0.9),
    "alpha": number(0.2, 0.9),
    "b": number(0.5, 5),
    "threshold.threshold": number(-0.5, 0.5),
    "default_value": number(-1, 1),
    "approximate": coin,
    # of regularizers and constraints
    "l1": number(0, 0.05),
    "l2": number(0, 0.05),
    "min_value": number(0.2, 0.4),
    "constraints.rate": number(0.2, 1),
    "factor": number(0, 0.05),
    "mode": lambda draw: draw.one(["rows", "columns"]),
    # of optimizers
    "learning_rate": lambda draw: draw.thing("optimizers.schedules") if draw.coin(0.2) else draw.scaled(1e-3, 5e-2),
    "initial_learning_rate": lambda draw: draw.scaled(1e-3, 5e-2),
    "decay_steps": lambda draw: int(draw.randint(5, 60)),
    "first_decay_steps": lambda draw: int(draw.randint(5, 30)),
    "decay_rate": number(0.5, 0.99),
    "staircase": coin,
    "boundaries": lambda draw: [10, 30],
    "values": lambda draw: [draw.scaled(1e-3, 5e-2) for _ in range(3)],
    "end_learning_rate": lambda draw: draw.scaled(1e-4, 1e-3),
    "power": number(0.5, 2),
    "cycle": coin,
    "optimizers.schedules.alpha": number(0, 0.5),
    "warmup_target": lambda draw: draw.scaled(1e-3, 5e-2),
    "warmup_steps": lambda draw: int(draw.randint(1, 15)),
    "t_mul": number(1, 2),
    "m_mul": number(0.5, 1),
    "loss_scale_factor": LEFT_OUT,
    "optimizers.momentum": number(0.1, 0.9),
    "nesterov": coin,
    "rho": number(0.5, 0.99),
    "centered": coin,
    "amsgrad": coin,
    "beta_2_decay": number(-0.9, -0.3),
    "epsilon_1": lambda draw: draw.scaled(1e-12, 1e-4),
    "epsilon_2": lambda draw: draw.scaled(1e-4, 1e-2),
    "clip_threshold": number(0.5, 2),
    "relative_step": coin,
    "use_ema": lambda draw: draw.coin(0.2),
    "ema_momentum": number(0.5, 0.99),
    "ema_overwrite_frequency": lambda draw: draw.one([None, draw.randint(1, 20)]),
    "gradient_accumulation_steps": lambda draw: draw.one([None, None, None, draw.randint(2, 5)]),
    "beta_1": number(0.5, 0.95),
    "beta_2": number(0.8, 0.999),
    "epsilon": lambda draw: draw.scaled(1e-7, 1e-2),
    "weight_decay": lambda draw: draw.scaled(1e-3, 1e-1),
    "clipvalue": lambda draw: draw.scaled(1e-2, 1),
    "clipnorm": lambda draw: draw.scaled(1e-2, 1),
    "global_clipnorm": lambda draw: draw.scaled(1e-2, 1),
    "initial_accumulator_value": number(0.05, 0.5),
    "learning_rate_power": number(-0.9, -0.1),
    "l1_regularization_strength": number(0, 0.05),
    "l2_regularization_strength": number(0, 0.05),
    "l2_shrinkage_regularization_strength": number(0, 0.05),
    "beta": number(0, 1),
    # of losses and metrics
    "from_logits": coin,
    "label_smoothing": number(0, 0.5),
    "q": number(0.1, 0.9),
    "dice.axis": lambda draw: draw.one([None, -1]),
    "tversky.axis": lambda draw: draw.one([None, -1]),
    "gamma": number(0.5, 3),
    "delta": number(0.2, 2),
    "apply_class_balancing": coin,
    "reduction": lambda draw: draw.one(["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"]),
    "metrics.reduction": LEFT_OUT,
    "losses.ignore_class": lambda draw: draw.one([None, 0]),
    "metrics.ignore_class": LEFT_OUT,
    "thresholds": number(0.1, 0.9),
    "k": lambda draw: int(draw.randint(1, min(draw.width, 5) + 1)),
    "top_k": LEFT_OUT,
    "class_id": LEFT_OUT,
    "average": lambda draw: draw.one(["micro", "macro", "weighted"]),
    "metrics.beta": number(0.5, 2),
    "num_thresholds": lambda draw: int(draw.randint(2, 60)),
    "auc.thresholds": lambda draw: [draw.number(0.1, 0.9) for _ in range(3)],
    "curve": lambda draw: draw.one(["ROC", "PR"]),
    "summation_method": lambda draw: draw.one(["interpolation", "minoring", "majoring"]),
    "class_aggregation": lambda draw: draw.one(["uniform_average", "variance_weighted_average"]),
    "num_regressors": LEFT_OUT,
    "multi_label": LEFT_OUT,
    "num_labels": LEFT_OUT,
    "label_weights": LEFT_OUT,
    "recall": number(0.1, 0.9),
    "precision": number(0.1, 0.9),
    "specificity": number(0.1, 0.9),
    "sensitivity": number(0.1, 0.9),
    "num_classes": lambda draw: max(draw.width, 2),
    "target_class_ids": lambda draw: [int(draw.randint(2))],
    "sparse_y_true": LEFT_OUT,
    "sparse_y_pred": lambda draw: False,
    # at their defaults: what is random, what has one value, what only names or hastens
    "axis": LEFT_OUT,
    "seed": LEFT_OUT,
    "noise_shape": LEFT_OUT,
    "shared_axes": LEFT_OUT,
    "data_format": LEFT_OUT,
    "name": LEFT_OUT,
    "dtype": LEFT_OUT,
}
