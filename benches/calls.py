"""Single calls, argument handling included: what nnlite's cost, and predictions beside the peers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from peers import Peer, nnlite_peer
from tasks import TASKS, Array, data
from timing import Turn, timed, turn_of_calls, turn_of_fits

Group = Mapping[str, Callable[[], Turn]]  # turns by name, made when they are wanted


def fit_one_epoch() -> Turn:
    """The public fit, whole call, 400 rows in batches of 32, on a model that has been fitted before."""
    model, rows = nnlite_peer.model_of(TASKS["T4"]), data(TASKS["T4"])
    return turn_of_calls(lambda: model.fit(rows.x, rows.y, epochs=1, batch_size=32, verbose=0))


def evaluate_400_rows() -> Turn:
    model, rows = nnlite_peer.model_of(TASKS["T4"]), data(TASKS["T4"])
    return turn_of_calls(lambda: model.evaluate(rows.x, rows.y, verbose=0))


def train_on_batch() -> Turn:
    model, rows = nnlite_peer.model_of(TASKS["T4"]), data(TASKS["T4"])
    x, y = rows.x[:32], rows.y[:32]
    return turn_of_calls(lambda: model.train_on_batch(x, y))


def new_model() -> Turn:
    """Construct two layers, compile, and make the weights."""
    return turn_of_calls(lambda: nnlite_peer.model_of(TASKS["T4"]).get_weights())


def new_model_and_first_fit() -> Turn:
    """The first fit of a fresh model makes the engine's model and workspace; construction itself is not in it."""
    rows = data(TASKS["T4"])

    def ready() -> Callable[[], Any]:
        model = nnlite_peer.model_of(TASKS["T4"])
        return lambda: model.fit(rows.x, rows.y, epochs=1, batch_size=32, verbose=0)

    return turn_of_fits(ready)


CALLS: Group = {
    "fit of 1 epoch, 400 rows": fit_one_epoch,
    "first fit of 1 epoch": new_model_and_first_fit,
    "train_on_batch, 32 rows": train_on_batch,
    "evaluate, 400 rows": evaluate_400_rows,
    "new model, compiled": new_model,
}

PREDICTIONS = {"1 row of T1": ("T1", 1), "100 000 rows of T1": ("T1", 100_000), "60 000 rows of T7": ("T7", 60_000)}


def prediction(peer: Peer, what: str) -> Turn:
    """With the fastest of the peer's settings. Raises AssertionError if what comes out is not a probability of each
    class for each row.
    """
    task, rows = TASKS[PREDICTIONS[what][0]], PREDICTIONS[what][1]
    x = np.resize(data(task).x, (rows, task.inputs))
    taken: dict[float, Callable[[Array], Array]] = {}
    for choice in peer.choices(task):
        predict = peer.predictor(task, choice)
        p = predict(x)
        assert p.shape == (rows, task.units[-1]) and np.allclose(p.sum(axis=1), 1, atol=1e-5)
        taken[timed(partial(predict, x), max(1, 1000 // rows)).wall] = predict
    return turn_of_calls(partial(taken[min(taken)], x))


def predictions(peers: Mapping[str, Peer], what: str) -> Group:
    """Of everyone who can express the task; nnlite comes first."""
    able = {name: peer for name, peer in peers.items() if peer.choices(TASKS[PREDICTIONS[what][0]])}
    return {name: partial(prediction, peer, what) for name, peer in able.items()}
