"""Metrics that Python counts: rates at a held rate, overlap of classes, correlations; and metrics that count rows by
their sample weights. Values: Keras 3.15.1 on PyTorch, from the same numbers."""

import numpy as np
import pytest

from nnlite import metrics
from nnlite.errors import ArgumentError, ShapeError
from nnlite.layers import Dense
from nnlite.models import Sequential

R = np.random.default_rng(5)
T = (R.random(40) < 0.4).astype(float)
P = np.round(np.clip(0.3 * T + R.random(40) * 0.9 - 0.1, 0, 1), 3)
W = np.round(R.random(40), 2)
CLASSES, SHARES = R.integers(0, 3, 30), np.round(R.random((30, 3)), 3)
ONE_HOT = np.eye(3)[CLASSES]
Y = np.round(R.normal(size=(6, 4)), 2)
Z = np.round(Y + R.normal(size=(6, 4)) * 0.5, 2)

VALUES = [
    (metrics.PrecisionAtRecall(0.7), (T, P), 0.75),
    (metrics.PrecisionAtRecall(0.7, 7), (T, P), 0.5925925970077515),
    (metrics.RecallAtPrecision(0.6), (T, P), 0.9411764740943909),
    (metrics.RecallAtPrecision(0.6, 7), (T, P), 0.6470588445663452),
    (metrics.SensitivityAtSpecificity(0.75), (T, P), 0.7058823704719543),
    (metrics.SensitivityAtSpecificity(0.75, 7), (T, P), 0.6470588445663452),
    (metrics.SpecificityAtSensitivity(0.75), (T, P), 0.739130437374115),
    (metrics.SpecificityAtSensitivity(0.75, 7), (T, P), 0.5652173757553101),
    (metrics.PrecisionAtRecall(0.7), (T, P, W), 0.7829180955886841),
    (metrics.PrecisionAtRecall(0.7, 7), (T, P, W), 0.5980663299560547),
    (metrics.RecallAtPrecision(0.6), (T, P, W), 1.0),
    (metrics.RecallAtPrecision(0.6, 7), (T, P, W), 0.6512702107429504),
    (metrics.SensitivityAtSpecificity(0.75), (T, P, W), 0.7621247172355652),
    (metrics.SensitivityAtSpecificity(0.75, 7), (T, P, W), 0.6512702107429504),
    (metrics.SpecificityAtSensitivity(0.75), (T, P, W), 0.8374778032302856),
    (metrics.SpecificityAtSensitivity(0.75, 7), (T, P, W), 0.5115452408790588),
    (metrics.RecallAtPrecision(0.4, 1), (T, P), 0.7647058963775635),
    (metrics.RecallAtPrecision(0.4, class_id=1), (ONE_HOT, SHARES), 0.7777777910232544),
    (metrics.IoU(3, [0, 2], sparse_y_pred=False), (CLASSES, SHARES), 0.18333333730697632),
    (metrics.IoU(3, [0, 2], ignore_class=1, sparse_y_pred=False), (CLASSES, SHARES), 0.20714285969734192),
    (metrics.MeanIoU(4, sparse_y_pred=False), (CLASSES, SHARES), 0.22638888657093048),
    (metrics.OneHotIoU(3, [1]), (ONE_HOT, SHARES), 0.3124999701976776),
    (metrics.OneHotMeanIoU(3), (ONE_HOT, SHARES), 0.22638888657093048),
    (metrics.BinaryIoU([1], 0.4), (T, P), 0.555555522441864),
    (metrics.PearsonCorrelation(), (Y, Z), 0.8824240565299988),
    (metrics.PearsonCorrelation(axis=0), (Y, Z), 0.9120811223983765),
    (metrics.ConcordanceCorrelation(), (Y, Z), 0.795367419719696),
    (metrics.ConcordanceCorrelation(axis=0), (Y, Z), 0.8580738306045532),
    (metrics.CosineSimilarity(), (Y, Z), 0.882351815700531),
]


@pytest.mark.parametrize(("metric", "data", "expected"), VALUES, ids=lambda one: repr(one)[:70])
def test_values(metric, data, expected):
    y_true, y_pred, *weights = data
    half = len(y_true) // 2
    if not isinstance(metric, metrics.PearsonCorrelation | metrics.ConcordanceCorrelation):  # axis 0 is of a batch
        metric.update_state(y_true[:half], y_pred[:half], *(w[:half] for w in weights))
        y_true, y_pred, *weights = y_true[half:], y_pred[half:], *(w[half:] for w in weights)
    assert metric(y_true, y_pred, *weights) == pytest.approx(expected, rel=2e-6)
    metric.reset_state()
    assert metric.result() == 0
    again = metrics.get(metrics.serialize(metric))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()


def test_they_work_in_training():
    model = Sequential([Dense(3, activation="softmax", input_dim=4)], seed=3)
    chosen = [metrics.OneHotMeanIoU(3), metrics.RecallAtPrecision(0.4), metrics.PearsonCorrelation(), "mae"]
    model.compile("sgd", "categorical_crossentropy", metrics=chosen)
    x = np.round(R.normal(size=(30, 4)), 2)
    history = model.fit(x, ONE_HOT, epochs=2, batch_size=8, verbose=0, validation_data=(x, ONE_HOT)).history
    outputs = model.predict(x)
    for metric in (metrics.OneHotMeanIoU(3), metrics.RecallAtPrecision(0.4), metrics.PearsonCorrelation()):
        expected = pytest.approx(metric(ONE_HOT, outputs), rel=1e-6)
        assert history[f"val_{metric.name}"][-1] == expected
        assert model.evaluate(x, ONE_HOT, verbose=0, return_dict=True)[metric.name] == expected


def test_the_sign_of_the_cosine():
    """The metric is the cosine, the loss of either name and the metric of its older name are minus it."""
    x = np.round(R.normal(size=(12, 4)), 2)
    model = Sequential([Dense(4, input_dim=4)], seed=1)
    model.compile("sgd", "cosine_similarity", metrics=["cosine_similarity", "cosine_proximity"])
    loss, cosine, proximity = model.evaluate(x, x + 1, verbose=0)
    assert 0 < abs(loss) < 1
    assert (cosine, proximity) == pytest.approx((-loss, loss), rel=1e-6)
    assert metrics.cosine_similarity(x, x).tolist() == pytest.approx([1.0] * 12)
    assert metrics.get("CosineSimilarity").name == "cosine_similarity"


def half_weighted():
    x = np.round(R.normal(size=(12, 2)), 2)
    y = (x.sum(axis=1) > 0.3).astype(float)
    model = Sequential([Dense(1, activation="sigmoid", input_dim=2)], seed=1)
    return model, x, y, np.linspace(0, 2, 12)


@pytest.mark.parametrize("loss", ["binary_crossentropy", lambda t, p: (t - p) ** 2], ids=["engine", "Python"])
def test_weighted_metrics(loss):
    model, x, y, w = half_weighted()
    model.compile("sgd", loss, metrics=["mae"], weighted_metrics=["mae", metrics.Recall(name="recall")])
    assert model.metrics_names == ["loss", "mean_absolute_error", "weighted_mean_absolute_error", "weighted_recall"]
    p = model.predict(x)[:, 0]
    expected = [abs(p - y).mean(), np.average(abs(p - y), weights=w), (w * y * (p > 0.5)).sum() / (w * y).sum()]
    assert model.evaluate(x, y, 5, 0, w)[1:] == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(x, y, verbose=0)[1:3] == pytest.approx([expected[0]] * 2, rel=1e-5)
    assert model.test_on_batch(x, y, w)[1:] == pytest.approx(expected, rel=1e-5)
    assert model.train_on_batch(x, y, w)[1:] == pytest.approx(expected, rel=1e-5)
    model.optimizer.lr = 0.0
    p = model.predict(x)[:, 0]
    expected = [abs(p - y).mean(), np.average(abs(p - y), weights=w), (w * y * (p > 0.5)).sum() / (w * y).sum()]
    history = model.fit(x, y, 5, 2, 0, sample_weight=w, validation_data=(x, y, w)).history
    for name, value in zip(model.metrics_names[1:], expected, strict=True):
        assert history[name] + history[f"val_{name}"] == pytest.approx([value] * 4, rel=1e-5)


def test_names_of_weighted_metrics_in_keras3(keras3):
    model, x, y, w = half_weighted()
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae", "mse"])
    assert model.metrics_names == ["loss", "mae", "weighted_mae", "mse"]
    assert model.evaluate(x, y, verbose=0, sample_weight=w)[0] == pytest.approx(
        model.evaluate(x, y, verbose=0, sample_weight=w)[3] * w.mean(), rel=1e-5
    )


def test_mean_metric_wrapper():
    def over(y_true, y_pred, limit):
        return np.abs(y_true - y_pred) > limit

    metric = metrics.MeanMetricWrapper(over, name="over", limit=0.5)
    assert metric(T, P) == (abs(T - P) > 0.5).mean()
    assert metrics.get(metric).name == "over"


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        ("text", ArgumentError, "metric 'given' must return real numbers; it returned 'text'"),
        (np.ones(3), ShapeError, r"metric 'given' must return one number.*it returned the shape \(3,\)"),
    ],
)
def test_nonsense_from_a_metric_written_in_python(returned, error, message):
    def given(y_true, y_pred):
        return returned

    model = Sequential([Dense(1, input_dim=1)])
    model.compile("sgd", "mse", metrics=[given])
    with pytest.raises(error, match=message):
        model.fit(P, T, verbose=0)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="recall must be between 0 and 1; received 2"):
        metrics.PrecisionAtRecall(2)
    with pytest.raises(ValueError, match=r"target_class_ids must name classes 0 ... 2; received \[3\]"):
        metrics.IoU(3, [3])
