"""What ``nnlite demo`` shows: the tasks of three Keras tutorials, trained for real, how well and how fast.

To add a task: one entry of `TASKS`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nnlite import config, progress_lines
from nnlite.layers import BatchNormalization, Dense
from nnlite.models import Sequential
from nnlite.optimizers import RMSprop
from nnlite.utils import to_categorical

Array = NDArray[Any]
Rows = tuple[Array, Array]  # inputs, labels

FRESH_ROWS = 2000  # on which the accuracy of each task is measured
TIMED_FITS = 5  # of which the median time is shown
LINES = 5  # shown of a long training


@dataclass(frozen=True)
class Task:
    """Something to learn, and the net that learns it.

    Args:
        name, question, net: what the demo prints of it.
        training: makes the rows to learn from.
        fresh: makes as many new rows as asked for.
        layers: makes the layers, weights not yet chosen.
        optimizer, loss: as `Sequential.compile` takes them; the optimizer is made anew for each training.
        epochs: trained in all.
        bars: so many of the first epochs are shown with their progress bars.
        validation_split: part of the training rows kept for validation.
        goal: the least accuracy that counts as learned.
    """

    name: str
    question: str
    net: str
    training: Callable[[Generator], Rows]
    fresh: Callable[[Generator, int], Rows]
    layers: Callable[[], list[Any]]
    optimizer: Callable[[], Any]
    loss: str
    epochs: int
    bars: int = 0
    validation_split: float = 0.0
    goal: float = 0.9

    def model(self, seed: int, width: int) -> Sequential:
        """Return its net for `width` inputs, compiled, with the weights of `seed`."""
        model = Sequential(self.layers(), seed=seed)
        model.compile(self.optimizer(), self.loss, metrics=["accuracy"])
        model.build((None, width))
        return model


def sums(random: Generator, rows: int) -> Rows:
    """Return rows of five numbers in 0 ... 1 and, in two columns, whether their sum is above 2.5."""
    x, signs = signed_sums(random, rows)
    return x, to_categorical(signs > 0, 2)


def signed_sums(random: Generator, rows: int) -> Rows:
    """Return rows of five numbers in 0 ... 1 and 1 where their sum is above 2.5, -1 elsewhere."""
    x = random.random((rows, 5))
    return x, np.where(x.sum(axis=1) > 2.5, 1, -1)


def four_corners(random: Generator) -> Rows:
    """Return the corners of the unit square and the second coordinate of each."""
    x = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)
    return x, x[:, 1]


def near_corners(random: Generator, rows: int) -> Rows:
    """Return points near the corners of the unit square and whether the second coordinate of the corner is 1."""
    x = random.integers(0, 2, (rows, 2))
    return x + random.uniform(-0.2, 0.2, x.shape), x[:, 1]


def scattered(random: Generator, rows: int) -> Rows:
    """Return points scattered around the corners of the unit square and whether the second coordinate is above 0.5."""
    x = random.integers(0, 2, (rows, 2)) + random.normal(0, 0.2, (rows, 2))
    return x, x[:, 1] > 0.5


def two_thousand(random: Generator) -> Rows:
    """Return rows of a number from 0 to 999, each twice, and the label, 0 and 1 in turn; and the labels."""
    labels = np.tile([0, 1], 1000)
    return np.column_stack([np.arange(2000) // 2, labels]), labels


def unscaled(random: Generator, rows: int) -> Rows:
    """Return rows of a number in 0 ... 1000 that means nothing and a number that is the label."""
    labels = random.integers(0, 2, rows)
    return np.column_stack([random.uniform(0, 1000, rows), labels]), labels


def squares(random: Generator, rows: int) -> Rows:
    """Return points of the squares 0.2 ... 0.4 and 0.5 ... 0.7, half of the rows each, and which square each is of."""
    labels = np.arange(rows) % 2
    return random.uniform(0.2, 0.4, (rows, 2)) + 0.3 * labels[:, None], labels


TASKS = (
    Task(
        "sum of five, softmax",
        "is the sum of five numbers above 2.5? 250 rows, two outputs",
        "5-20-2 relu softmax, rmsprop",
        lambda random: sums(random, 250),
        sums,
        lambda: [Dense(20, input_dim=5, activation="relu"), Dense(2, activation="softmax")],
        lambda: "rmsprop",
        "categorical_crossentropy",
        epochs=150,
    ),
    Task(
        "sum of five, hinge",
        "the same question, answered by the sign of one output; acc counts outputs that round to their label, 1 or -1",
        "5-20-1 tanh tanh, adam",
        lambda random: signed_sums(random, 250),
        signed_sums,
        lambda: [Dense(20, input_dim=5, activation="tanh"), Dense(1, activation="tanh")],
        lambda: "adam",
        "hinge",
        epochs=150,
        validation_split=0.2,
    ),
    Task(
        "four points",
        "is the second coordinate 1? All there is to learn from are the four corners of the unit square",
        "batch normalization, 2-1 sigmoid, adam",
        four_corners,
        near_corners,
        lambda: [BatchNormalization(), Dense(1, activation="sigmoid")],
        lambda: "adam",
        "binary_crossentropy",
        epochs=3000,
    ),
    Task(
        "2000 unscaled points",
        "is the second number 1? The first runs from 0 to 999 and says nothing",
        "batch normalization, 2-1 sigmoid, adam",
        two_thousand,
        unscaled,
        lambda: [BatchNormalization(), Dense(1, activation="sigmoid")],
        lambda: "adam",
        "binary_crossentropy",
        epochs=100,
        bars=5,
    ),
    Task(
        "noisy step",
        "is the second of two noisy coordinates above 0.5? 1000 rows",
        "2-1 sigmoid, sgd",
        lambda random: scattered(random, 1000),
        scattered,
        lambda: [Dense(1, input_shape=(2,), activation="sigmoid")],
        lambda: "sgd",
        "binary_crossentropy",
        epochs=100,
    ),
    Task(
        "two squares",
        "in which of two squares is the point? 400 rows; the learning rate of 0.001 takes patience",
        "2-2-1 sigmoid sigmoid, rmsprop",
        lambda random: squares(random, 400),
        squares,
        lambda: [Dense(2, activation="sigmoid", input_shape=(2,)), Dense(1, activation="sigmoid")],
        lambda: "rmsprop",
        "binary_crossentropy",
        epochs=300,
        bars=5,
    ),
    Task(
        "two squares, ten units",
        "the same with more hidden units learns sooner",
        "2-10-1 sigmoid sigmoid, rmsprop",
        lambda random: squares(random, 400),
        squares,
        lambda: [Dense(10, activation="sigmoid", input_shape=(2,)), Dense(1, activation="sigmoid")],
        lambda: "rmsprop",
        "binary_crossentropy",
        epochs=100,
    ),
    Task(
        "two squares, rate 0.1",
        "the same with two hidden units and a learning rate of 0.1 learns at once",
        "2-2-1 sigmoid sigmoid, rmsprop(lr=0.1)",
        lambda random: squares(random, 400),
        squares,
        lambda: [Dense(2, activation="sigmoid", input_shape=(2,)), Dense(1, activation="sigmoid")],
        lambda: RMSprop(lr=0.1),
        "binary_crossentropy",
        epochs=5,
        bars=5,
    ),
)


def train_shown(task: Task, model: Sequential, x: Array, y: Array) -> None:
    """Train `model`, showing the first epochs with bars and the rest in a few lines.

    A fit cut in pieces is the same fit, so the model becomes what one call of `fit` makes of it.
    """
    if task.bars:
        model.fit(x, y, epochs=task.bars, validation_split=task.validation_split, verbose=1)
    first = task.bars
    step = max(1, task.epochs // LINES)
    for last in (*range(step, task.epochs, step), task.epochs):
        if last <= first:
            continue
        done = model.fit(x, y, initial_epoch=first, epochs=last, validation_split=task.validation_split, verbose=0)
        values = [(name, done.history[name][-1]) for name in model.metrics_names]
        print(f"Epoch {last}/{task.epochs}{progress_lines.shown(values)}")
        first = last


def train_timed(task: Task, model: Sequential, x: Array, y: Array) -> float:
    """Train `model` in one silent call of `fit` and return its milliseconds."""
    start = time.perf_counter()
    model.fit(x, y, epochs=task.epochs, validation_split=task.validation_split, verbose=0)
    return 1e3 * (time.perf_counter() - start)


def accuracy(model: Sequential, x: Array, y: Array) -> float:
    """Return the share of rows whose every output is nearer to its label than to the other label."""
    labels = y.reshape(len(y), -1).astype(float)
    near = np.abs(model.predict(x) - labels) < (labels.max() - labels.min()) / 2
    return float(near.all(axis=1).mean())


@dataclass(frozen=True)
class Result:
    """Of a task: accuracy on fresh rows, milliseconds of a silent fit, whether all fits agreed, the target."""

    task: Task
    accuracy: float
    milliseconds: float
    agreed: bool
    target: str

    @property
    def learned(self) -> bool:
        """Whether the accuracy reached the task's goal."""
        return self.accuracy >= self.task.goal

    def __str__(self) -> str:
        task, verdict = self.task, "" if self.learned else f"  not learned: the goal is {self.task.goal:.0%}"
        return f"{task.name:24}{task.net:40}{task.epochs:6d}{self.accuracy:10.1%}{self.milliseconds:9.1f} ms{verdict}"


def run(task: Task, seed: int) -> Result:
    """Train the net of `task` from `seed`: before the reader's eyes, then silently, with a new model each time."""
    random = np.random.default_rng(seed)
    x, y = task.training(random)
    shown, *timed = (task.model(seed, x.shape[1]) for _ in range(1 + TIMED_FITS))
    print(f"\n{task.name}: {task.question}\n{task.net}")
    train_shown(task, shown, x, y)
    milliseconds = median([train_timed(task, model, x, y) for model in timed])
    weights = [np.concatenate([w.ravel() for w in model.get_weights()]).tobytes() for model in (shown, *timed)]
    reached = accuracy(shown, *task.fresh(random, FRESH_ROWS))
    return Result(task, reached, milliseconds, len(set(weights)) == 1, shown.engine.target)


def main(arguments: Sequence[str] = ()) -> int:
    """Run every task and print a table; return 0 if every task was learned, else 1.

    Args:
        arguments: ``["--seed", "7"]`` chooses other weights and other rows; the seed is 0 unless given.
    """
    parser = argparse.ArgumentParser("nnlite demo", description="Trains the tasks of three Keras tutorials.")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and the rows, 0 unless given")
    seed = parser.parse_args(arguments).seed
    results = [run(task, seed) for task in TASKS]
    print(f"\n{'task':24}{'net':40}{'epochs':>6}{'accuracy':>10}{'time of fit':>12}")
    print("\n".join(map(str, results)))
    print(f"\naccuracy: share of right answers on {FRESH_ROWS} fresh rows that no training saw.")
    print("time of fit: one call of fit() with verbose=0 on a new model, from the call to its return, all epochs and")
    print(f"any validation; the median of {TIMED_FITS}. Importing, making rows, building and compiling are not in it.")
    print(f"Engine: target {results[0].target}, {config.floatx()}. Seed: {seed}.")
    same = all(result.agreed for result in results)
    print(f"All fits of a task gave the same weights, bit for bit: {'yes' if same else 'NO, please report this'}.")
    learned = all(result.learned for result in results)
    print("Every task was learned." if learned else "Not every task was learned from this seed; see the table.")
    return 0 if learned and same else 1
