"""Losses on arrays, as rows of the engine, and written in Python."""

import inspect

import numpy as np
import pytest
import reference

from nnlite import Sequential, config, layers, losses, optimizers
from nnlite.errors import ArgumentError, ShapeError, UnsupportedError

RANDOM = np.random.default_rng(1)
P = RANDOM.uniform(0.05, 0.95, (6, 3))
T = np.eye(3)[[0, 1, 2, 2, 1, 0]]
VARIANTS = [
    losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
    losses.BinaryCrossentropy(label_smoothing=0.2),
    losses.CategoricalCrossentropy(from_logits=True),
    losses.CategoricalCrossentropy(label_smoothing=0.2),
    losses.SparseCategoricalCrossentropy(from_logits=True),
    losses.Huber(0.25),
    losses.BinaryFocalCrossentropy(True, 0.3, 1.5, label_smoothing=0.1),
    losses.BinaryFocalCrossentropy(gamma=0, from_logits=True),
    losses.CategoricalFocalCrossentropy(0.5, 1, True),
    *(losses.get(name) for name, entry in losses.LOSSES.entries.items() if entry.rows),
]


@pytest.fixture
def keras3():
    config.set_compat("keras3")
    yield
    config.set_compat("keras2")


def targets(loss):
    return T.argmax(axis=1) if loss.sparse else T


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
def test_values(loss):
    row, numbers = loss.record(3, "linear")
    formula = reference.LOSSES[row]
    assert len(inspect.signature(formula).parameters) == 2 + len(numbers)
    expected = formula(targets(loss), P, *numbers)
    np.testing.assert_allclose(loss.call(targets(loss), P), expected, rtol=1e-12)
    assert loss(targets(loss), P) == pytest.approx(expected.mean())


@pytest.mark.parametrize("name", losses.LOSSES.names())
def test_functions_give_one_value_a_row(name):
    function, loss = getattr(losses, name), losses.get(name)
    np.testing.assert_array_equal(function(targets(loss), P), loss.call(targets(loss), P))
    assert losses.get(function).get_config() == loss.get_config()
    assert function.__doc__.split("\n\n")[0].strip().endswith(".")


def test_function_with_parameters():
    by_class = losses.BinaryCrossentropy(from_logits=True).call(T, P)
    np.testing.assert_array_equal(losses.binary_crossentropy(T, P, from_logits=True), by_class)


def test_shapes():
    assert losses.mse([0.0, 1.0], [1.0, 1.0]) == 0.5
    assert losses.mse(np.zeros(4), np.ones((4, 1))).shape == (4,)
    assert losses.mse(np.zeros((2, 3, 4)), np.ones((2, 3, 4))).shape == (2, 3)
    assert losses.mse(T.astype(int), P.astype(np.float32)).dtype == np.float32
    with pytest.raises(ShapeError, match=r"y_true must have shape \(4, 3\).*received shape \(4,\)"):
        losses.mse(np.zeros(4), np.ones((4, 3)))


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("sum_over_batch_size", (1 + 8) / 2),
        (losses.Reduction.AUTO, (1 + 8) / 2),
        ("sum", 9),
        ("mean_with_sample_weight", 9 / 3),
        (None, [1, 8]),
    ],
)
def test_reductions(reduction, expected):
    loss = losses.MeanSquaredError(reduction)
    np.testing.assert_allclose(loss([[0], [0]], [[1], [2]], sample_weight=[1, 2]), expected)


def test_names_of_keras2():
    assert [losses.get(name).name for name in ("mse", "kld", "log_cosh", "cosine_similarity", "bce")] == [
        "mean_squared_error",
        "kullback_leibler_divergence",
        "logcosh",
        "cosine_proximity",
        "binary_crossentropy",
    ]


def test_names_of_keras3(keras3):
    names = ("kullback_leibler_divergence", "logcosh", "cosine_proximity")
    assert [losses.get(name).name for name in names] == ["kl_divergence", "log_cosh", "cosine_similarity"]


def test_hinge_takes_labels_as_given():
    assert losses.hinge([[0.0], [1.0]], [[0.5], [0.5]]).tolist() == [1.0, 0.5]


def test_hinge_of_keras3_makes_labels_minus_and_plus_one(keras3):
    assert losses.hinge([[0.0], [1.0]], [[0.5], [0.5]]).tolist() == [1.5, 0.5]
    assert losses.hinge([[-1.0], [1.0]], [[0.5], [0.5]]).tolist() == [1.5, 0.5]


def test_epsilon_is_that_of_the_config():
    config.set_epsilon(0.25)
    try:
        assert losses.get("kld").record(1, "linear").numbers == (0.25,)
    finally:
        config.set_epsilon(1e-7)


# ---- losses written in Python ----


def smooth_error(y_true, y_pred):
    return np.mean(np.cosh(y_pred - y_true), axis=-1)


def mixed_error(y_true, y_pred):
    return np.mean(np.cosh(y_pred - y_true))


def element_error(y_true, y_pred):
    return np.cosh(y_pred - y_true)


class ClassError(losses.Loss):
    def call(self, y_true, y_pred):
        return smooth_error(y_true, y_pred)


class GivenError:
    """A loss that knows its derivative."""

    def __call__(self, y_true, y_pred):
        return smooth_error(y_true, y_pred)

    def gradient(self, y_true, y_pred):
        return np.sinh(y_pred - y_true) / y_pred.shape[1]


@pytest.mark.parametrize("identifier", [smooth_error, mixed_error, element_error, ClassError, GivenError()])
def test_gradient_of_a_loss_written_in_python(identifier):
    loss = losses.get(identifier)
    assert loss.record(3, "linear") is None
    value, gradient = loss.value_and_gradient(T, P)
    assert value == pytest.approx(np.cosh(P - T).mean())
    np.testing.assert_allclose(gradient, np.sinh(P - T) / P.size, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("identifier", [smooth_error, GivenError()])
def test_weights_of_rows_count_in_a_loss_written_in_python(identifier):
    weights = np.arange(6.0)
    value, gradient = losses.get(identifier).value_and_gradient(T, P, weights)
    assert value == pytest.approx((np.cosh(P - T).mean(axis=1) * weights).mean())
    np.testing.assert_allclose(gradient, np.sinh(P - T) * weights[:, None] / P.size, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    "name", [name for name, entry in losses.LOSSES.entries.items() if entry.rows and "hinge" not in name]
)
def test_differences_agree_with_the_formulas(name):
    loss = losses.get(name)
    row, numbers = loss.rule()
    y_true = targets(loss) if loss.sparse else 0.1 + 0.6 * T
    _, gradient = loss.value_and_gradient(y_true, P)
    np.testing.assert_allclose(gradient * len(P), reference.loss_gradient(row, y_true, P, *numbers), rtol=1e-6)


def test_a_loss_written_in_python_is_saved_by_name():
    assert losses.serialize(smooth_error) == "smooth_error"
    assert losses.get(smooth_error).name == "smooth_error"


# ---- losses that Python computes; values: Keras 3.15.1 on PyTorch ----

LABELS = np.array([0, 1, 2, -1, 1, 0])
IN_PYTHON = [
    (losses.Dice(), T, 0.576725141, [0.028547237, 0.028547237, -0.10634023, 0.028547237, -0.10634023, 0.028547237]),
    (
        losses.Dice(axis=-1),
        T,
        0.572013736,
        [0.032603241, 0.032603241, -0.11001182, 0.042906391, -0.09431188, 0.042906391],
    ),
    (
        losses.Tversky(0.3, 0.9),
        T,
        0.655804178,
        [0.033978393, 0.033978393, -0.083259253, 0.033978393, -0.083259253, 0.033978393],
    ),
    (
        losses.Tversky(axis=-1),
        T,
        0.572013795,
        [0.032603238, 0.032603238, -0.11001182, 0.042906387, -0.094311878, 0.042906387],
    ),
    (
        losses.CategoricalGeneralizedCrossEntropy(0.7),
        T.argmax(axis=1),
        0.526690304,
        [-0, -0, -0.20114357, -0, -0.1809988, -0],
    ),
    (
        losses.SparseCategoricalCrossentropy(ignore_class=-1),
        LABELS,
        2.1190455,
        [0, 0, 0, 0.55974602, -0.49345958, 0.55974602],
    ),
    (
        losses.SparseCategoricalCrossentropy(True, -1),
        LABELS,
        2.39656425,
        [0, 0, 0, 0.22939176, -0.45336983, 0.22397806],
    ),
    (
        losses.SparseCategoricalCrossentropy(True, -1, "sum"),
        LABELS,
        11.9828202,
        [0, 0, 0, 1.1469587, -2.266849, 1.1198902],
    ),
]


@pytest.mark.parametrize(("loss", "y_true", "expected", "slope"), IN_PYTHON, ids=lambda one: repr(one)[:60])
def test_losses_that_python_computes(loss, y_true, expected, slope):
    weights = np.arange(6.0) if y_true is LABELS else None
    assert loss(y_true, P, weights) == pytest.approx(expected, rel=1e-6)
    value, gradient = loss.value_and_gradient(y_true, P, weights)
    assert value == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient[3:5].ravel(), slope, rtol=1e-5, atol=1e-8)
    given, loss.gradient = loss.gradient, None
    np.testing.assert_allclose(loss.value_and_gradient(y_true, P, weights)[1], gradient, rtol=1e-6, atol=1e-9)
    loss.gradient = given
    assert losses.get(losses.serialize(loss)).get_config() == loss.get_config()


@pytest.mark.parametrize(
    "loss",
    [losses.Dice(), losses.SparseCategoricalCrossentropy(ignore_class=-1), losses.CategoricalGeneralizedCrossEntropy()],
    ids=repr,
)
def test_training_with_losses_that_python_computes(loss):
    x = np.random.default_rng(4).normal(size=(60, 3))
    classes = x.argmax(axis=1)
    labels = np.where(np.arange(60) % 7 == 0, -1, classes) if getattr(loss, "ignore_class", None) == -1 else classes
    model = Sequential([layers.Dense(3, activation="softmax", input_dim=3)], seed=2)
    model.compile("adam", loss)
    model.optimizer.lr = 0.1
    model.fit(x, labels if loss.sparse else np.eye(3)[classes], epochs=30, batch_size=20, verbose=0)
    assert (model.predict(x).argmax(axis=1) == classes).mean() > 0.9


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (np.ones(4), ShapeError, r"loss 'given' must return one number.*axis of 6 rows; it returned the shape \(4,\)"),
        ("text", ArgumentError, "loss 'given' must return real numbers; it returned 'text'"),
        (None, ArgumentError, "loss 'given' must return real numbers; it returned None"),
    ],
)
def test_nonsense_from_a_loss_written_in_python(returned, error, message):
    def given(y_true, y_pred):
        return returned

    with pytest.raises(error, match=message):
        losses.get(given).value_and_gradient(T, P)
    given.gradient = lambda y_true, y_pred: np.zeros(5)
    returned = 1.0
    with pytest.raises(ShapeError, match=r"the gradient of loss 'given' must have the shape of y_pred, \(6, 3\)"):
        losses.get(given).value_and_gradient(T, P)


def test_a_loss_that_is_not_finite_is_told():
    model = Sequential([layers.Dense(1, input_dim=1)])
    model.compile("sgd", lambda y_true, y_pred: np.nan * y_pred)
    with pytest.warns(RuntimeWarning, match="the loss is not finite since in epoch 1, step 1"):
        model.fit([1.0], [1.0], verbose=0)


# ---- mistakes ----


def test_wrong_arguments():
    with pytest.raises(ValueError, match="label_smoothing must be between 0 and 1; received 2"):
        losses.BinaryCrossentropy(label_smoothing=2)
    with pytest.raises(ValueError, match=r"reduction must be one of .* received 'sun'. Did you mean 'sum'"):
        losses.Poisson(reduction="sun")
    with pytest.raises(UnsupportedError, match="axis of a loss must be -1"):
        losses.CosineSimilarity(axis=0)
    with pytest.raises(UnsupportedError, match=r"axis of Dice must be None, the batch, or -1; received 0"):
        losses.Dice(axis=0)
    with pytest.raises(ValueError, match="q must be more than 0 and less than 1; received 1"):
        losses.CategoricalGeneralizedCrossEntropy(1)
    for sparse in (losses.SparseCategoricalCrossentropy(ignore_class=0), losses.CategoricalGeneralizedCrossEntropy()):
        with pytest.raises(ValueError, match=r"y_true must hold class numbers 0 ... 2; received .*3"):
            sparse([0, 3], P[:2])
    with pytest.raises(ArgumentError, match="from_logit"):
        losses.get({"class_name": "BinaryCrossentropy", "config": {"from_logit": True}})


def test_logits_that_are_none():
    with pytest.warns(UserWarning, match="outputs of sigmoid are no logits"):
        losses.BinaryCrossentropy(from_logits=True).record(1, "sigmoid")


# ---- reductions and penalties in training ----


def trained(loss, weights, **layer):
    """Losses of 12 rows in batches of 8 and 4, and the weights after one epoch by SGD."""
    model = Sequential([layers.Dense(3, input_dim=2, kernel_initializer="ones", bias_initializer="ones", **layer)])
    model.compile(optimizers.SGD(0.1), loss)
    x, y = np.linspace(-1, 1, 24).reshape(12, 2), np.linspace(0, 1, 36).reshape(12, 3)
    history = model.fit(x, y, 8, 1, verbose=0, shuffle=False, sample_weight=weights)
    return [*history.history["loss"], *(w for weight in model.get_weights() for w in weight.ravel())]


def squared_error(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2, axis=-1)


def test_mean_with_sample_weight_divides_by_the_weights_of_a_batch():
    weights = np.linspace(0.5, 3, 12)
    divided = weights / np.repeat([weights[:8].mean(), weights[8:].mean()], [8, 4])
    by_weight = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    np.testing.assert_allclose(trained(by_weight, weights), trained("mse", divided), rtol=1e-5)
    np.testing.assert_allclose(trained(by_weight, None), trained("mse", None), rtol=1e-6)
    assert trained(by_weight, np.zeros(12)) == trained("mse", np.zeros(12))
    in_python = losses.PythonLoss(squared_error, "mean_with_sample_weight")
    np.testing.assert_allclose(trained(in_python, weights), trained(by_weight, weights), rtol=1e-5)


def test_the_loss_of_training_in_python_has_activity_penalties(keras3):
    penalty = {"activity_regularizer": "l2"}
    np.testing.assert_allclose(trained(squared_error, None, **penalty), trained("mse", None, **penalty), rtol=1e-5)


def test_one_loss_of_a_batch_is_weighted_by_all_of_its_rows():
    weights = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
    assert losses.Dice()(T, P, weights) == pytest.approx(losses.Dice()(T, P) * weights.mean())


def test_the_sum_of_one_loss_of_a_batch_is_that_loss():
    for loss in (losses.Dice("sum"), losses.PythonLoss(lambda t, p: np.mean((t - p) ** 2), "sum")):
        value, gradient = loss.value_and_gradient(T, P)
        assert value == pytest.approx(loss(T, P))
        mean = type(loss)() if isinstance(loss, losses.Dice) else losses.PythonLoss(loss.function)
        np.testing.assert_allclose(gradient, mean.value_and_gradient(T, P)[1])
