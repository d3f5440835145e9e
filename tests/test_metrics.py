"""Metrics on arrays, as rows of the engine, their names, and what 'accuracy' means."""

import inspect

import numpy as np
import pytest
import reference
from needed import ARGUMENTS, made

from nnlite import config, losses, metrics

RANDOM = np.random.default_rng(2)
P = RANDOM.uniform(0.05, 0.95, (8, 3))
T = np.eye(3)[[0, 1, 2, 2, 1, 0, 0, 1]]
LABELS = T.argmax(axis=1)
# those that are a mean of what one row of the engine gives
ENTRIES = [name for name, entry in metrics.METRICS.entries.items() if entry.rows and made(metrics, name).record]


@pytest.fixture
def keras3():
    config.set_compat("keras3")
    yield
    config.set_compat("keras2")


def targets(name):
    if name in ("hinge", "squared_hinge"):
        return 2 * T - 1
    metric = made(metrics, name)
    return LABELS if getattr(metric, "loss", metric).sparse else T


def check(metric, y_true):
    row, numbers = metric.record
    formula = reference.METRICS[row]
    assert len(inspect.signature(formula).parameters) == 2 + len(numbers)
    expected = formula(y_true, P, *numbers)
    np.testing.assert_allclose(metric.call(y_true, P), expected, rtol=1e-12)
    assert metric(y_true, P) == pytest.approx(expected.mean())


@pytest.mark.parametrize("name", ENTRIES)
def test_values(name):
    check(metrics.get(name), targets(name))


@pytest.mark.parametrize("name", ENTRIES)
def test_values_of_keras3(name, keras3):
    check(metrics.get(name), targets(name))


@pytest.mark.parametrize("name", metrics.METRICS.names())
def test_functions_give_one_value_a_row(name):
    function = getattr(metrics, name)
    if isinstance(function, losses.RowFunction):
        found = metrics.METRICS.find(name).name
        values = function(targets(found), P, **ARGUMENTS.get(found, {}))
        np.testing.assert_array_equal(values, made(metrics, found).call(targets(found), P))
        if found not in ARGUMENTS:
            assert metrics.get(function).get_config() == metrics.get(found).get_config()
    else:
        assert isinstance(function(**ARGUMENTS.get(name, {})), metrics.Metric)


def test_state():
    metric = metrics.MeanSquaredError()
    assert metric.result() == 0
    metric.update_state([[0.0], [0.0]], [[1.0], [3.0]])
    assert metric.result() == 5
    metric.update_state([[0.0]], [[2.0]], sample_weight=[2.0])
    assert metric.result() == (1 + 9 + 4 * 2) / 4
    metric.reset_state()
    assert metric.result() == 0


def accuracy(loss, output_units, target_units):
    return metrics.get("accuracy", losses.get(loss), output_units, target_units).record.name


@pytest.mark.parametrize(
    ("loss", "output_units", "target_units", "keras2", "keras3"),
    [
        ("binary_crossentropy", 1, 1, "rounded_accuracy", "binary_accuracy"),
        ("hinge", 1, 1, "rounded_accuracy", "binary_accuracy"),
        ("binary_crossentropy", 3, 3, "rounded_accuracy", "categorical_accuracy"),
        ("categorical_crossentropy", 3, 3, "categorical_accuracy", "categorical_accuracy"),
        ("mse", 3, 3, "categorical_accuracy", "categorical_accuracy"),
        ("sparse_categorical_crossentropy", 3, 1, "sparse_categorical_accuracy", "sparse_categorical_accuracy"),
    ],
)
def test_what_accuracy_means(loss, output_units, target_units, keras2, keras3):
    assert accuracy(loss, output_units, target_units) == keras2
    config.set_compat("keras3")
    try:
        assert accuracy(loss, output_units, target_units) == keras3
    finally:
        config.set_compat("keras2")


def test_accuracy_of_arrays_goes_by_their_shapes():
    right = (P.argmax(axis=1) == LABELS).mean()
    assert metrics.get("accuracy")(LABELS, P) == metrics.get("accuracy")(T, P) == pytest.approx(right)
    assert metrics.accuracy([0, 1], [[0.4], [0.4]]).tolist() == [1, 0]


def test_crossentropy_is_chosen_alike():
    assert metrics.get("ce", None, 1, 1).record.name == "binary_crossentropy"
    assert metrics.get("crossentropy", None, 3, 1).record.name == "sparse_categorical_crossentropy"
    assert metrics.get("crossentropy", None, 3, 3).record.name == "categorical_crossentropy"


def test_signs_count_as_labels_when_rounding():
    assert metrics.binary_accuracy([[-1.0], [1.0]], [[-0.8], [0.9]]).tolist() == [1, 1]
    assert metrics.BinaryAccuracy(threshold=0.7).record == ("binary_accuracy", (0.7,))


def median_error(y_true, y_pred):
    return np.median(abs(y_true - y_pred))


def names(identifiers):
    return [metrics.get(identifier, None, 1, 1).name for identifier in identifiers]


WRITTEN = ["accuracy", "acc", "mse", "kld", "ce", "binary_accuracy", median_error, metrics.BinaryAccuracy("mine")]


def test_names_of_keras2():
    keys = ["acc", "acc", "mean_squared_error", "kullback_leibler_divergence", "ce"]
    assert names(WRITTEN) == [*keys, "binary_accuracy", "median_error", "mine"]


def test_names_of_keras3(keras3):
    assert names(WRITTEN) == ["accuracy", "acc", "mse", "kld", "ce", "binary_accuracy", "median_error", "mine"]


def test_a_function_of_the_batch_counts_for_each_row():
    metric = metrics.get(median_error)
    assert metric.record is None
    metric.update_state(np.zeros((3, 1)), np.ones((3, 1)))
    metric.update_state(np.zeros((1, 1)), np.full((1, 1), 5.0))
    assert metric.result() == (3 * 1 + 5) / 4
    assert metrics.serialize(metric) == "median_error"


def test_a_class_of_ones_own():
    class Largest(metrics.Metric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total = max(self.total, float(np.max(y_pred)))

        def result(self):
            return self.total

    metric = metrics.get(Largest)
    assert (metric.record, metric.name) == (None, "Largest")
    assert metric(T, P) == P.max()


def test_a_loss_as_metric():
    metric = metrics.get(losses.BinaryCrossentropy(from_logits=True))
    assert metric.record == ("binary_crossentropy_from_logits", (0.0,))
    assert metrics.get(metrics.serialize(metric)).record == metric.record
