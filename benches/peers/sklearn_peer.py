"""scikit-learn's MLPClassifier, for the losses and optimizers it has; nearest relatives otherwise, as its note says."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from tasks import OPTIMIZERS, Array, Score, Task, data
from threadpoolctl import threadpool_limits

NAME = "scikit-learn"


def version() -> str:
    return sklearn.__version__


def choices(task: Task) -> tuple[str, ...]:
    return ("1 thread", "2 threads") if "crossentropy" in task.loss else ()


def differs(task: Task) -> str:
    return "start"


def note(task: Task) -> str:
    parts = ["own initial weights"]
    if task.optimizer == "rmsprop":
        parts.append("adam in place of rmsprop")
    if task.units[-1] == 2:
        parts.append("one logistic output in place of two of softmax")
    if task.validation_rows:
        parts.append("its own choice of validation rows, accuracy only")
    return ", ".join(parts)


def classifier(task: Task) -> MLPClassifier:
    sgd = task.optimizer == "sgd"
    rates = OPTIMIZERS["sgd" if sgd else "adam"]
    solver = (
        {"momentum": 0.0, "nesterovs_momentum": False}
        if sgd
        else {k: rates[k] for k in ("beta_1", "beta_2", "epsilon")}
    )
    rows = len(data(task).x) + task.validation_rows
    return MLPClassifier(
        task.units[:-1],
        activation={"sigmoid": "logistic"}.get(task.activations[0], task.activations[0])
        if len(task.units) > 1
        else "identity",
        solver="sgd" if sgd else "adam",
        alpha=0.0,
        batch_size=task.batch_size,
        learning_rate_init=rates["learning_rate"],
        max_iter=task.epochs,
        shuffle=task.shuffle,
        random_state=1,
        tol=0.0,
        n_iter_no_change=task.epochs + 1,
        early_stopping=task.validation_rows > 0,
        validation_fraction=task.validation_rows / rows if task.validation_rows else 0.1,
        **solver,
    )


def prepare(task: Task, choice: str) -> Callable[[], Score]:
    rows, net, threads = data(task), classifier(task), int(choice[0])
    x, classes = np.concatenate([rows.x, rows.held_x]), np.concatenate([rows.classes, rows.held_classes])

    def fit() -> Score:
        with threadpool_limits(threads), warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            net.fit(x, classes)
            accuracy = net.validation_scores_[-1] if task.validation_rows else net.score(x, classes)
            return Score(float(net.loss_curve_[-1]), float(accuracy))

    return fit


def predictor(task: Task) -> Callable[[Array], Array]:
    rows, net = data(task), classifier(task).set_params(max_iter=1, early_stopping=False)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        net.fit(rows.x, rows.classes)
    return net.predict_proba
