"""Settings of the whole package: the type of reals, the small number of the formulas, and which Keras to agree with.

nnlite takes every spelling of every Keras always. Where Keras 2 and Keras 3 *compute or call* something differently,
`set_compat` decides: "keras2" (the default: what most tutorials saw) or "keras3". Every such difference is a row of
`DIFFERENCES`, and nothing else asks.
"""

from __future__ import annotations

import os
from typing import Any

from nnlite.errors import choice, did_you_mean, number

ERAS = ("keras2", "keras3")
FLOATS = ("float32", "float64")

# What differs: (in keras2, in keras3, what it is). Read with era("..."), at the moment the value is needed.
DIFFERENCES: dict[str, tuple[Any, Any, str]] = {
    "adagrad.learning_rate": (0.01, 0.001, "Adagrad's learning rate when none is given"),
    "adadelta.learning_rate": (1.0, 0.001, "Adadelta's learning rate when none is given"),
    "adamax.learning_rate": (0.002, 0.001, "Adamax's learning rate when none is given"),
    "nadam.learning_rate": (0.002, 0.001, "Nadam's learning rate when none is given"),
    "nadam.schedule_decay": (0.004, 1.0, "exponent e of Nadam's momentum, beta_1 (1 - 0.96^(t e) / 2)"),
    "adagrad.initial_accumulator_value": (0.0, 0.1, "where Adagrad's sum of squared gradients starts"),
    "root.epsilon_inside": (False, True, "RMSprop and Adagrad divide by sqrt(a + epsilon), not by sqrt(a) + epsilon"),
    "clipnorm.of_each_tensor": (False, True, "clipnorm bounds the norm of each tensor's gradient, not of all together"),
    "clipping.of_one_kind": (False, True, "an optimizer takes one of clipvalue, clipnorm and global_clipnorm"),
    "hard_sigmoid.slope": (0.2, 1 / 6, "slope of hard_sigmoid"),
    "l1_l2.factor": (0.01, 0.0, "both factors of the regularizer 'l1_l2' when none is given"),
    "hinge.converts_labels": (False, True, "the hinge losses take labels of 0 as -1"),
    "class_weight.may_miss": (False, True, "a class that class_weight does not name has the weight 1; else an error"),
    "penalties.of_frozen": (True, False, "regularizers of frozen weights count in the loss"),
    "activity.per_row": (False, True, "activity regularizers are divided by the rows of the batch"),
    "batch_normalization.rests": (False, True, "a frozen layer trains with moving statistics, not with the batch's"),
    "class_weight.excludes_sample_weight": (False, True, "both together are an error; else class_weight has no effect"),
    "class_weight.of_validation_split": (True, False, "class_weight also weighs the rows kept for validation"),
    "accuracy.chosen_by": ("loss", "shapes", "what decides which accuracy the word 'accuracy' means"),
    "binary_accuracy.rounds": (True, False, "a right answer is target = round(output), not target = (output > 0.5)"),
    "metric.named_as_written": (False, True, "the history key of 'mse' is 'mse', not 'mean_squared_error'"),
    "accuracy.name": ("acc", "accuracy", "history key of the metric 'accuracy'"),
    "crossentropy.name": ("ce", "crossentropy", "history key of the metric 'crossentropy'"),
    "log_cosh.name": ("logcosh", "log_cosh", "name of the loss log_cosh"),
    "kl_divergence.name": ("kullback_leibler_divergence", "kl_divergence", "name of the loss kl_divergence"),
    "weighted_metrics.prefix": (True, False, "names of weighted metrics begin with weighted_, clash or not"),
    "keras.version": ("2.15.0", "3.13.0", "keras.__version__, which scripts print and compare"),
    "tensorflow.version": ("2.15.0", "2.20.0", "tensorflow.__version__"),
    "learning_rate.name": ("lr", "learning_rate", "history key of the learning rate"),
    "callback.epoch_digits": (5, 1, "least digits of an epoch in the messages of callbacks"),
    "monitor.must_be_known": (False, True, "a watched value of unknown direction needs mode='min' or 'max'"),
    "early_stopping.starts_at_baseline": (True, False, "EarlyStopping takes its baseline as the best value so far"),
    "early_stopping.first_epoch": (0, 1, "the first epoch, from 0, in which EarlyStopping may stop"),
    "early_stopping.restores_at_end": (False, True, "best weights are restored after any training, not when it stops"),
    "checkpoint.saves_without_monitor": (False, True, "save_best_only saves when the watched value is missing"),
    "checkpoint.writes_like_keras3": (False, True, "ModelCheckpoint's first best is None, and it says when it is done"),
    "tensorboard.writes_like_keras3": (False, True, "train/ and validation/ with epoch_loss, not loss and val_loss"),
    "layer.first_has_number": (True, False, "the first layer of a class is called dense_1, not dense"),
    "functional.name": ("model", "functional", "first part of the name of Model(inputs, outputs)"),
    "input_layer.name": ("input", "input_layer", "first part of the name of an Input"),
    "logs.sorted": (False, True, "history and bars are in order of name, not as compiled with validation first"),
    "batch_logs.so_far": (
        False,
        True,
        "callbacks hear the means so far of a batch, not its own values, number and size",
    ),
    "progress.like_keras3": (False, True, "a thin bar of steps with values of evaluate, not a bar of rows"),
    "summary.like_keras3": (False, True, "a box with sizes in bytes, told in one piece, not lines"),
    "cosine_similarity.name": ("cosine_proximity", "cosine_similarity", "name of the loss cosine_similarity"),
}


class _Settings:
    """The values in force."""

    floatx = "float32"
    epsilon = 1e-7
    era = ERAS.index(choice("NNLITE_COMPAT", os.environ.get("NNLITE_COMPAT", "keras2"), ERAS))


def floatx() -> str:
    """Return the type of reals of new models, ``"float32"`` unless set.

    >>> floatx()
    'float32'
    """
    return _Settings.floatx


def set_floatx(dtype: str) -> None:
    """Set the type of reals of new models: ``"float32"`` or ``"float64"``. Raises ValueError for any other.

    >>> set_floatx("float64"); floatx()
    'float64'
    >>> set_floatx("float32")
    """
    _Settings.floatx = choice("floatx", dtype, FLOATS)


def epsilon() -> float:
    """Return the number that keeps logarithms and quotients finite, 1e-7 unless set.

    >>> epsilon()
    1e-07
    """
    return _Settings.epsilon


def set_epsilon(value: float) -> None:
    """Set `epsilon`; losses and optimizers made or compiled from now on use it. Raises ValueError if it is negative.

    >>> set_epsilon(1e-6); epsilon()
    1e-06
    >>> set_epsilon(1e-7)
    """
    _Settings.epsilon = number("epsilon", value, 0)


def compat() -> str:
    """Return which Keras decides where they differ: ``"keras2"`` or ``"keras3"``.

    >>> compat()
    'keras2'
    """
    return ERAS[_Settings.era]


def set_compat(name: str) -> None:
    """Choose the Keras whose numbers and names hold, ``"keras2"`` or ``"keras3"``, for everything made or compiled
    from now on.

    The environment variable NNLITE_COMPAT sets it at import. Raises ValueError for any other name.

    >>> set_compat("keras3"); era("accuracy.name")
    'accuracy'
    >>> set_compat("keras2"); era("accuracy.name")
    'acc'
    """
    _Settings.era = ERAS.index(choice("compat", name, ERAS))


_REQUIRED = object()


def era(key: str, otherwise: Any = _REQUIRED) -> Any:
    """Return the value in force of the row `key` of `DIFFERENCES`; without such a row `otherwise`, or KeyError.

    >>> era("accuracy.name")
    'acc'
    """
    difference = DIFFERENCES.get(key)
    if difference is not None:
        return difference[_Settings.era]
    if otherwise is _REQUIRED:
        raise KeyError(f"no difference between eras is called {key!r}.{did_you_mean(key, DIFFERENCES)}")
    return otherwise


def era_name(name: str) -> str:
    """Return what the era in force calls the loss or metric `name`.

    >>> era_name("log_cosh"), era_name("hinge")
    ('logcosh', 'hinge')
    """
    return str(era(f"{name}.name", name))


__all__ = [
    "DIFFERENCES",
    "ERAS",
    "compat",
    "epsilon",
    "era",
    "era_name",
    "floatx",
    "set_compat",
    "set_epsilon",
    "set_floatx",
]
