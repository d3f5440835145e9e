"""What three Keras tutorials claim of their nets, judged over many seeds. Of a false claim the test says what is true.

Bounds leave room for the chance of a hundred seeds, so that they hold for any generator of weights and shuffles.
"""
# ruff: noqa: NPY002  (the tutorials draw from NumPy's global generator, and so does nnlite)

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
import pytest

from nnlite import config, optimizers
from nnlite.layers import BatchNormalization, Dense
from nnlite.models import Sequential
from nnlite.utils import to_categorical

SEEDS = 100
POINTS = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)
TWO_THOUSAND = np.array([[i, label] for i in range(1000) for label in (0, 1)], float)


def over_seeds(trial: Callable[[], Sequence[float]], seeds: int = SEEDS) -> Iterator[np.ndarray]:
    """Run `trial` from each seed and return each of its results as an array (seeds,)."""
    results = []
    for seed in range(seeds):
        np.random.seed(seed)
        results.append(trial())
    return (np.array(column) for column in zip(*results, strict=True))


def share(condition: np.ndarray) -> float:
    return float(np.mean(condition))


def right(model: Sequential, x: np.ndarray, labels: np.ndarray) -> float:
    return share(model.predict_classes(x).ravel() == labels)


# ---- the sum of five numbers ----


def test_sum_of_five_by_softmax() -> None:
    """150 epochs of rmsprop are enough; after 10 the net knows next to nothing."""

    def trial() -> tuple[float, ...]:
        data, test = np.random.rand(200, 5), np.random.rand(200, 5)
        model = Sequential([Dense(20, input_dim=5, activation="relu"), Dense(2, activation="softmax")])
        model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
        acc = model.fit(data, to_categorical(data.sum(axis=1) > 2.5), epochs=150, verbose=0).history["acc"]
        return acc[9], acc[49], acc[149], right(model, test, test.sum(axis=1) > 2.5)

    early, middle, late, fresh = over_seeds(trial)
    assert 0.54 <= np.median(early) <= 0.64
    assert 0.78 <= np.median(middle) <= 0.87
    assert np.median(late) >= 0.95 and share(late >= 0.9) >= 0.95
    assert np.median(fresh) >= 0.92


def signs_learned() -> tuple[float, ...]:
    data, test = np.random.rand(250, 5), np.random.rand(200, 5)
    labels = (data.sum(axis=1) > 2.5) * 2 - 1
    model = Sequential([Dense(20, input_dim=5, activation="tanh"), Dense(1, activation="tanh")])
    model.compile("adam", "hinge", metrics=["accuracy"])
    history = model.fit(data, labels, epochs=150, validation_split=0.2, verbose=0).history
    sign = share((np.sign(model.predict(test).ravel()) > 0) == (test.sum(axis=1) > 2.5))
    return sign, history["loss"][-1], history["acc"][0], history["acc"][-1], share(labels[:200] > 0)


def test_sum_of_five_by_hinge() -> None:
    """The sign is right for some 95 % of fresh rows, but a few nets of a hundred are stuck near 50 %.

    The accuracy shown is not that of the sign: an output counts only when it rounds to -1 or 1, so it starts near 0.
    """
    sign, loss, first_shown, shown, _ = over_seeds(signs_learned)
    assert np.median(sign) >= 0.93 and share(sign >= 0.88) >= 0.88
    assert 0.22 <= np.median(loss) <= 0.29
    assert np.median(first_shown) < 0.3
    assert 0.75 <= np.median(shown) <= 0.86


def test_sum_of_five_by_hinge_as_keras_3_counts() -> None:
    """Keras 3 compares labels with output > 0.5, so a label of -1 is never met, while the net is as good as before."""
    config.set_compat("keras3")
    try:
        sign, _, _, shown, positive = over_seeds(signs_learned, 20)
    finally:
        config.set_compat("keras2")
    assert np.median(sign) >= 0.93
    assert (shown <= positive + 1e-6).all()


# ---- points behind a BatchNormalization ----


def neuron(normalized: bool = True) -> Sequential:
    model = Sequential([BatchNormalization()] if normalized else [])
    model.add(Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def test_four_points_after_20_epochs() -> None:
    """The accuracy of 75 % that the question shows cannot come from a batch of four normalised points.

    They become -1 and 1 in both coordinates, so the outputs come in pairs: 0, 2 or 4 of them are right, unless two
    weights are equal. Which it is after 20 steps is luck, and so is the accuracy of predictions, which use the moving
    statistics and can be anything.
    """

    def trial() -> tuple[float, ...]:
        model = neuron()
        acc = model.fit(POINTS, POINTS[:, 1], epochs=20, verbose=0).history["acc"]
        return acc[-1], share(np.isin(acc, (0, 0.5, 1))), right(model, POINTS, POINTS[:, 1])

    shown, paired, predicted = over_seeds(trial, 300)
    assert np.mean(paired) >= 0.99
    for value, expected in ((0, 0.25), (0.5, 0.46), (1, 0.29)):
        assert abs(share(shown == value) - expected) <= 0.1
    for value, expected in ((0, 0.15), (0.25, 0.21), (0.5, 0.27), (0.75, 0.23), (1, 0.15)):
        assert abs(share(predicted == value) - expected) <= 0.09


def test_four_points_in_the_long_run() -> None:
    """One answer says that this neuron can never get more than three of the four right. In 3000 epochs it gets all."""

    def trial() -> tuple[float, ...]:
        model = neuron()
        acc = model.fit(POINTS, POINTS[:, 1], epochs=3000, verbose=0).history["acc"]
        return acc[-1], right(model, POINTS, POINTS[:, 1])

    for reached in over_seeds(trial):
        assert share(reached == 1) >= 0.99


def test_four_points_without_normalization() -> None:
    """Here the 75 % of the question occur, for about one seed of four."""

    def trial() -> list[float]:
        return neuron(False).fit(POINTS, POINTS[:, 1], epochs=20, verbose=0).history["acc"][-1:]

    (shown,) = over_seeds(trial, 300)
    assert 0.15 <= share(shown == 0.75) <= 0.33


def two_thousand(normalized: bool) -> Iterator[np.ndarray]:
    def trial() -> tuple[float, ...]:
        model = neuron(normalized)
        history = model.fit(TWO_THOUSAND, TWO_THOUSAND[:, 1], epochs=100, verbose=0).history
        known = right(model, TWO_THOUSAND, TWO_THOUSAND[:, 1])
        return history["acc"][0], history["acc"][4], history["loss"][0], history["loss"][4], known

    return over_seeds(trial)


def test_two_thousand_points() -> None:
    """Normalised, the neuron learns from the first step on; after five epochs its first weights still decide most.

    So the accuracy is anything from 0 to 1 then, with 62 % as the mean; after a hundred epochs it is 1.
    """
    acc_1, acc_5, loss_1, loss_5, known = two_thousand(True)
    assert 0.38 <= np.mean(acc_1) <= 0.64 and 0.48 <= np.mean(acc_5) <= 0.76
    assert share(acc_5 >= acc_1) >= 0.7 and share(loss_5 < loss_1) >= 0.99
    assert share(acc_5 < 0.3) >= 0.1 and share(acc_5 > 0.95) >= 0.2
    assert 0.46 <= np.mean(loss_5) <= 0.74
    assert share(known == 1) >= 0.99


def test_two_thousand_points_without_normalization() -> None:
    """The losses near 7.97 that the question shows are a saturated neuron's: half of the rows at the clip, 15.94.

    It looks hopeless after five epochs, but a hundred are enough.
    """
    _, acc_5, loss_1, loss_5, known = two_thousand(False)
    assert 7.5 <= np.median(loss_1) <= 8 and 7.5 <= np.median(loss_5) <= 8
    assert 0.49 <= np.median(acc_5) <= 0.51
    assert share(known == 1) >= 0.95


def test_noisy_step() -> None:
    """20 epochs of sgd bring a neuron to about 90 %, from anywhere; a hundred bring it to 99 %."""

    def trial() -> tuple[float, ...]:
        shape = (1000, 2)
        x, test = (np.random.randint(0, 2, shape) + np.random.normal(scale=0.2, size=shape) for _ in range(2))
        model = Sequential([Dense(1, input_shape=(2,), activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        history = model.fit(x, (x[:, 1] > 0.5).astype(int), epochs=100, verbose=0).history
        return history["acc"][0], history["acc"][19], history["loss"][19], right(model, test, test[:, 1] > 0.5)

    first, last, loss, fresh = over_seeds(trial)
    assert np.median(last) >= 0.85 and np.percentile(last, 10) >= 0.65
    assert share(last >= first) >= 0.95
    assert np.percentile(first, 10) < 0.3 and np.percentile(first, 90) > 0.7
    assert 0.40 <= np.median(loss) <= 0.54
    assert np.median(fresh) >= 0.98


# ---- two squares ----


def squares() -> tuple[np.ndarray, np.ndarray]:
    x = np.concatenate((np.random.uniform(0.2, 0.4, (200, 2)), np.random.uniform(0.5, 0.7, (200, 2))))
    order = np.random.permutation(400)
    return x[order], np.repeat([0.0, 1.0], 200)[order]


def square_net(units: int, optimizer: object) -> Sequential:
    model = Sequential([Dense(units, activation="sigmoid", input_shape=(2,)), Dense(1, activation="sigmoid")])
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


@cache
def curves(units: int, optimizer: str, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy and loss of every epoch: two arrays (seeds, epochs)."""

    def trial() -> tuple[list[float], list[float]]:
        history = square_net(units, optimizer).fit(*squares(), epochs=epochs, batch_size=32, verbose=0).history
        return history["acc"], history["loss"]

    accuracy, loss = over_seeds(trial)
    return accuracy, loss


def first_good_epoch(units: int) -> np.ndarray:
    """The number of the first epoch of 90 %, infinite if it is not among 150, for each seed."""
    good = curves(units, "rmsprop", 150)[0] >= 0.9
    return np.where(good.any(axis=1), good.argmax(axis=1) + 1, np.inf)


def test_two_squares_five_epochs() -> None:
    """True: for five epochs the accuracy stays at 50 %, for nine seeds of ten."""
    accuracy, loss = curves(2, "rmsprop", 150)
    assert share((abs(accuracy[:, :5] - 0.5) <= 0.01).all(axis=1)) >= 0.75
    assert 0.69 <= np.median(loss[:, 0]) <= 0.75


def test_two_squares_fifty_epochs() -> None:
    """The 86 % shown for epoch 50 happen, but are not typical: half of the nets are still below 65 %, many at 50 %."""
    accuracy, loss = curves(2, "rmsprop", 150)
    assert 0.5 <= np.median(accuracy[:, 49]) <= 0.85
    assert 0.15 <= share(accuracy[:, 49] == 0.5) <= 0.6
    assert share(accuracy[:, 49] >= 0.86) >= 0.15
    assert 0.62 <= np.mean(loss[:, 49]) <= 0.70


def test_two_squares_number_of_epochs() -> None:
    """Mostly true: 10 to 100 epochs are needed; some nets need more than 150, and 300 are enough for all."""
    first = first_good_epoch(2)
    assert 40 <= np.median(first) <= 110
    assert share((first >= 10) & (first <= 100)) >= 0.5
    assert 0 < share(first > 150) <= 0.3
    assert share(curves(2, "rmsprop", 300)[0][:, -1] >= 0.95) >= 0.97


def test_two_squares_more_units() -> None:
    """More hidden units learn sooner, as claimed, but far from "over 90 % in less than 10 epochs, almost guaranteed".

    At the learning rate of 0.001 about one seed in ten does that with 5 units and one in six with 10; it takes some 50
    units to make it likely. The median net needs 30 epochs with 5 units, 18 with 10.
    """
    two, five, ten = (np.median(first_good_epoch(units)) for units in (2, 5, 10))
    assert two > five > ten
    for units, low, high in ((5, 0.0, 0.25), (10, 0.05, 0.35), (50, 0.65, 0.95)):
        within_nine = curves(units, "rmsprop", 150)[0][:, :9].max(axis=1) > 0.9
        assert low <= share(within_nine) <= high, units
    assert share(curves(10, "rmsprop", 150)[0][:, 49] >= 0.9) >= 0.9


def test_two_squares_adam() -> None:
    """Adam in place of rmsprop changes little, as claimed; at 0.001 it is a little slower."""
    still = {name: share(curves(2, name, 150)[0][:, 49] == 0.5) for name in ("rmsprop", "adam")}
    assert 0 <= still["adam"] - still["rmsprop"] <= 0.4


@pytest.mark.parametrize("name", ["RMSprop", "Adam"])
def test_two_squares_large_learning_rate(name: str) -> None:
    """Nearly true: at a rate of 0.1 less than five epochs give 100 %, for 19 seeds of 20.

    The accuracy shown is a mean over the epoch, while the weights change, and reaches 100 % later.
    """

    def trial() -> tuple[float, ...]:
        x, y = squares()
        model = square_net(2, getattr(optimizers, name)(lr=1e-1))
        shown = model.fit(x, y, epochs=4, batch_size=32, verbose=0).history["acc"]
        after_four = model.evaluate(x, y, verbose=0)[1]
        shown += model.fit(x, y, epochs=5, initial_epoch=4, batch_size=32, verbose=0).history["acc"]
        return after_four, model.evaluate(x, y, verbose=0)[1], max(shown[:4]), max(shown)

    after_four, after_five, shown_by_four, shown_by_five = over_seeds(trial)
    assert share(after_four == 1) >= 0.85
    assert share(after_five >= 0.99) >= 0.93
    assert 0.55 <= share(shown_by_four == 1) <= 0.95
    assert share(shown_by_five == 1) >= 0.88


@pytest.mark.parametrize("name", ["RMSprop", "Adam"])
def test_two_squares_compiled_anew(name: str) -> None:
    """The same holds for a net that was trained at 0.001 first and is compiled anew."""

    def trial() -> tuple[float, ...]:
        x, y = squares()
        model = square_net(2, "rmsprop")
        model.fit(x, y, epochs=5, batch_size=32, verbose=0)
        model.compile(loss="binary_crossentropy", optimizer=getattr(optimizers, name)(lr=1e-1), metrics=["accuracy"])
        shown = model.fit(x, y, epochs=4, batch_size=32, verbose=0).history["acc"]
        after_four = model.evaluate(x, y, verbose=0)[1]
        model.fit(x, y, epochs=1, batch_size=32, verbose=0)
        return shown[3], after_four, model.evaluate(x, y, verbose=0)[1]

    shown, after_four, after_five = over_seeds(trial)
    assert np.median(shown) >= 0.99
    assert share(after_four == 1) >= 0.85
    assert share(after_five >= 0.99) >= 0.93
