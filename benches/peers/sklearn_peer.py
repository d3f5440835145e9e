"""scikit-learn's MLPClassifier and MLPRegressor, for the losses and optimizers they have; nearest relatives otherwise,
as the note says.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from tasks import OPTIMIZERS, Array, Score, Task, data, start
from threadpoolctl import threadpool_limits

NAME = "scikit-learn"


def version() -> str:
    return sklearn.__version__


def choices(task: Task) -> tuple[str, ...]:
    outputs = "linear" if task.loss == "mean_squared_error" else "sigmoid softmax"
    able = task.loss != "hinge" and task.activations[-1] in outputs.split()
    return ("1 thread", "2 threads") if able else ()


def same_start(task: Task) -> bool:
    """Whether it can be given the first weights and then does what the task says."""
    return task.optimizer != "rmsprop" and task.units[-1] != 2 and not task.validation_rows


def differs(task: Task) -> str:
    """Its gradients of the squared error are sums over the outputs: to Adam another epsilon."""
    if not task.has_accuracy:
        return "epsilon"
    return "afterwards" if same_start(task) else "start"


def note(task: Task) -> str:
    parts = [] if same_start(task) else ["own initial weights"]
    if task.optimizer == "rmsprop":
        parts.append("adam in place of rmsprop")
    if task.units[-1] == 2:
        parts.append("one logistic output in place of two of softmax")
    if task.validation_rows:
        parts.append("its own choice of validation rows, accuracy only")
    return ", ".join(parts)


def net_of(task: Task) -> Any:
    sgd = task.optimizer == "sgd"
    rates = OPTIMIZERS["sgd" if sgd else "adam"]
    options: dict[str, Any] = (
        {"momentum": 0.0, "nesterovs_momentum": False}
        if sgd
        else {k: rates[k] for k in ("beta_1", "beta_2", "epsilon")}
    )
    if task.validation_rows:
        rows = len(data(task).x) + task.validation_rows
        options |= {"early_stopping": True, "validation_fraction": task.validation_rows / rows}
    names = {"sigmoid": "logistic", "linear": "identity"}
    return (MLPClassifier if task.has_accuracy else MLPRegressor)(
        hidden_layer_sizes=task.units[:-1],
        activation=names.get(task.activations[0], task.activations[0]) if len(task.units) > 1 else "identity",
        solver="sgd" if sgd else "adam",
        alpha=0.0,
        batch_size=task.batch_size,
        learning_rate_init=rates["learning_rate"],
        max_iter=task.epochs,
        shuffle=task.shuffle,
        random_state=1,
        tol=0.0,
        n_iter_no_change=task.epochs + 1,
        **options,
    )


def set_start(task: Task, net: Any, x: Array, y: Array) -> None:
    """Makes the weights by a step on two rows of every class, and puts the task's in their place."""
    some = np.concatenate([np.flatnonzero(y == label)[:2] for label in np.unique(y)]) if y.ndim == 1 else slice(2)
    classes = {"classes": np.unique(y)} if task.has_accuracy else {}
    net.set_params(batch_size="auto").partial_fit(x[some], y[some], **classes)
    net.coefs_, net.intercepts_ = [t.copy() for t in start(task)[::2]], [t.copy() for t in start(task)[1::2]]
    net.n_iter_ = net.t_ = 0
    net.set_params(batch_size=task.batch_size, warm_start=True)


def prepare(task: Task, choice: str) -> Callable[[], Score]:
    rows, net, threads = data(task), net_of(task), int(choice[0])
    x, y = rows.x, rows.classes if task.has_accuracy else rows.y
    if task.validation_rows:
        x, y = np.concatenate([x, rows.held_x]), np.concatenate([y, rows.held_classes])
    if same_start(task):
        set_start(task, net, x, y)

    def fit() -> Score:
        with threadpool_limits(threads), warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            net.fit(x, y)
            if not task.has_accuracy:
                return Score(2 * float(net.loss_curve_[-1]), float("nan"))  # its loss is half of the mean square
            accuracy = net.validation_scores_[-1] if task.validation_rows else net.score(x, y)
            return Score(float(net.loss_curve_[-1]), float(accuracy))

    return fit


def predictor(task: Task, choice: str) -> Callable[[Array], Array]:
    rows, net = data(task), net_of(task).set_params(max_iter=1, early_stopping=False)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        net.fit(rows.x[:1000], rows.classes[:1000])
    return net.predict_proba
