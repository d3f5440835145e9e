"""Metrics from counts of right and wrong decisions, alone and in training, against their definitions and scores known
from elsewhere."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnlite import metrics
from nnlite.callbacks import LambdaCallback
from nnlite.layers import Dense
from nnlite.models import Sequential

T = np.array([1.0, 0, 1, 1, 0, 0, 1, 0])
P = np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.6, 0.55, 0.5])
# at 0.5: tp 3, fp 2, tn 2, fn 1
EXPECTED: dict[str, float] = {
    "TruePositives": 3,
    "FalsePositives": 2,
    "TrueNegatives": 2,
    "FalseNegatives": 1,
    "Precision": 3 / 5,
    "Recall": 3 / 4,
    "MatthewsCorrelation": (3 * 2 - 2 * 1) / np.sqrt(5 * 4 * 4 * 3),
    "FMeasure": 2 / (5 / 3 + 4 / 3),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_values(name: str) -> None:
    metric = getattr(metrics, name)()
    assert metric(T[:3], P[:3]) is not None
    assert metric(T[3:], P[3:]) == pytest.approx(EXPECTED[name])
    metric.reset_state()
    assert metric.result() == 0
    assert metric(T[:, None], P[:, None], np.full(8, 2.0)) == pytest.approx(
        EXPECTED[name] * (2 if "ives" in name else 1)
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_the_engine_counts_alike(name: str) -> None:
    """Over epochs, batches and validation, with a short last batch, the value is that of all rows together."""
    metric = getattr(metrics, name)()
    assert len(metric.rows) == len(getattr(metric, "kinds", "123"))
    model = Sequential([Dense(1, input_shape=(1,), weights=[[[1.0]], [0.0]])])
    model.compile("sgd", "mse", metrics=[metric, "mae", "rmse"])
    model.optimizer.lr = 0.0
    history = model.fit(P, T, batch_size=3, epochs=3, verbose=0, validation_data=(P[:5], T[:5])).history
    key = metric.name
    assert history[key] == pytest.approx([EXPECTED[name]] * 3, rel=1e-6)
    of_five = getattr(metrics, name)()(T[:5], P[:5])
    assert history[f"val_{key}"] == pytest.approx([of_five] * 3, rel=1e-6)
    loss, value, mae, rmse = model.evaluate(P, T, batch_size=3, verbose=0)
    assert (value, mae) == pytest.approx((EXPECTED[name], abs(P - T).mean()), rel=1e-6)
    assert rmse == pytest.approx(np.sqrt(loss), rel=1e-6)
    assert model.train_on_batch(P[:5], T[:5])[1] == pytest.approx(of_five, rel=1e-6)


class Both:
    """A metric of the engine beside one in Python."""

    def __init__(self, *chosen: Any) -> None:
        self.model = Sequential([Dense(1, input_shape=(1,), weights=[[[1.0]], [0.0]])])
        self.model.compile("sgd", "mse", metrics=list(chosen))
        self.model.optimizer.lr = 0.0


def test_beside_metrics_in_python() -> None:
    both = Both(metrics.Precision(), metrics.AUC(), metrics.Recall(thresholds=[0.65]), "rmse").model
    history = both.fit(P, T, batch_size=3, epochs=2, verbose=0, validation_data=(P[:5], T[:5])).history
    assert history["precision"] == pytest.approx([0.6] * 2)
    assert history["auc"] == pytest.approx([metrics.AUC()(T, P)] * 2)
    assert history["recall"] == pytest.approx([0.5] * 2)
    assert history["val_precision"] == pytest.approx([metrics.Precision()(T[:5], P[:5])] * 2)
    assert both.evaluate(P, T, verbose=0)[1:3] == pytest.approx([0.6, metrics.AUC()(T, P)])


def test_what_callbacks_and_lines_see(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[float] = []
    model = Both(metrics.TruePositives()).model
    watch = LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs["true_positives"]))
    model.fit(P, T, batch_size=3, shuffle=False, verbose=2, callbacks=[watch])
    assert seen == [2, 0, 1]
    assert "true_positives: 3.0000" in capsys.readouterr().out


def test_one_number_each() -> None:
    with pytest.raises(ValueError, match="'precision' gives 2"):
        Both(metrics.Precision([0.2, 0.5])).model.fit(P, T, verbose=0)


def test_many_thresholds() -> None:
    assert metrics.Precision([0.5, 0.65])(T, P).tolist() == [3 / 5, 2 / 3]
    assert metrics.TruePositives(thresholds=(0.0, 0.85))(T, P).tolist() == [4, 1]
    assert metrics.Recall(0.85)(T, P) == 1 / 4


def test_classes_and_largest() -> None:
    t, p = np.eye(3)[[0, 1, 2, 2]], np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    assert metrics.Precision(top_k=1)(t, p) == 2 / 4
    assert metrics.Recall(top_k=2)(t, p) == 3 / 4
    assert metrics.Recall(class_id=2)(t, p) == 1 / 2
    with pytest.raises(ValueError, match="class_id must be below"):
        metrics.Recall(class_id=3)(t, p)
    assert metrics.TopKCategoricalAccuracy(2)(t, p) == metrics.SparseTopKCategoricalAccuracy(k=2)([0, 1, 2, 2], p)
    assert metrics.top_k_categorical_accuracy(t, p, k=1).tolist() == [1, 0, 1, 0]


def test_f1() -> None:
    t, p = np.eye(3)[[0, 1, 2, 2]], np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    each = [2 / 4, 0, 2 / 3]  # of the classes: 2 tp / (2 tp + fp + fn)
    assert metrics.F1Score()(t, p) == pytest.approx(each)
    assert metrics.F1Score("macro")(t, p) == pytest.approx(np.mean(each))
    assert metrics.F1Score("weighted")(t, p) == pytest.approx(np.average(each, weights=[1, 1, 2]))
    assert metrics.F1Score("micro")(t, p) == pytest.approx(4 / 8)
    assert metrics.FBetaScore("micro", 2.0, 0.5)(T, P) == pytest.approx(5 * 3 / (5 * 3 + 4 * 1 + 2))
    with pytest.raises(ValueError, match="average must be one of"):
        metrics.F1Score("all")


def by_pairs(t: Any, p: Any) -> float:
    """The area under ROC is the share of pairs that are in order, ties half."""
    d = p[t == 1][:, None] - p[t == 0]
    return float(((d > 0) + 0.5 * (d == 0)).mean())


def test_auc() -> None:
    assert metrics.AUC()(T, P) == pytest.approx(by_pairs(T, P))
    rng = np.random.default_rng(0)
    t = rng.integers(0, 2, 500)
    p = np.clip(0.3 * t + rng.uniform(0, 0.7, 500), 0, 1)
    assert metrics.AUC(2000)(t, p) == pytest.approx(by_pairs(t, p), abs=1e-3)
    logits = np.log(p / (1 - p))
    assert metrics.AUC(from_logits=True)(t, logits) == pytest.approx(metrics.AUC()(t, p), abs=1e-3)
    low, high = (metrics.AUC(summation_method=f"{way}oring")(t, p) for way in ("min", "maj"))
    assert low < metrics.AUC()(t, p) < high
    assert metrics.AUC()(t, p) == metrics.AUC()(t, p, np.full(500, 3.0))
    assert metrics.AUC()(np.ones(3), p[:3]) == 0  # no negatives
    assert metrics.AUC(thresholds=[0.5])(T, P) == pytest.approx((3 / 4 * 2 / 4 + 2 / 4 * (3 / 4 + 1)) / 2)


@pytest.mark.parametrize(
    ("arguments", "area"),  # by Keras 3.15
    [
        ({"curve": "PR"}, 0.6714489459991455),
        ({"curve": "PR", "summation_method": "minoring"}, 0.375),
        ({"curve": "PR", "summation_method": "majoring"}, 0.7095238566398621),
        ({"num_thresholds": 5}, 0.625),
        ({}, 0.625),
    ],
)
def test_areas_of_keras(arguments: dict[str, Any], area: float) -> None:
    assert metrics.AUC(**arguments)(T, P) == pytest.approx(area, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: metrics.AUC(curve="X"), "curve must be one of"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds must be"),
        (lambda: metrics.AUC(multi_label=True), "multi_label"),
        (lambda: metrics.Precision(1.5), "thresholds must be between 0 and 1"),
        (lambda: metrics.Precision(top_k=0), "top_k must be"),
        (lambda: metrics.Precision()([1.0], [[0.5, 0.5]]), "y_true must have the shape"),
        (lambda: metrics.TopKCategoricalAccuracy(k=0), "k must be"),
    ],
)
def test_errors(make: Callable[[], Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


def plain_counts(t: Any, p: Any, limit: float, weights: Any) -> list[float]:
    """True and false positives, false and true negatives."""
    taken, kinds = p.astype(np.float64) > limit, (t != 0, t == 0)
    return [float((weights * (kind & side)).sum()) for side in (taken, ~taken) for kind in kinds]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_counts_are_those_of_comparisons(dtype: Any, weighted: bool) -> None:
    """At outputs that are thresholds too, beyond 0 and 1, not finite and NaN; over batches as of all at once."""
    rng = np.random.default_rng(7)
    p = np.concatenate([np.arange(200) / 199, rng.random(180), [-1, -1e-7, 1 + 1e-7, 2, np.inf, -np.inf, 0.1, 0.7]])
    p = np.append(p, [np.nan] * 12).astype(dtype).reshape(-1, 2)
    t = rng.integers(0, 2, p.shape) * rng.integers(1, 3, p.shape)
    w = rng.random(len(p)).round(2) if weighted else None
    by_row = np.ones((len(p), 1)) if w is None else w[:, None]
    limits = [0.5, 0.1, 0.7, 1.0, 0.0, 0.1, 100 / 199]
    ones = [metrics.TruePositives, metrics.FalsePositives, metrics.FalseNegatives, metrics.TrueNegatives]
    lists: list[Any] = [one(limits) for one in ones]
    auc, point = metrics.AUC(), metrics.SensitivityAtSpecificity(0.5)
    for start, stop in ((0, 32), (32, 33), (33, 100), (100, len(p))):
        for metric in (*lists, auc, point):
            metric.update_state(t[start:stop], p[start:stop], None if w is None else w[start:stop])
    same = pytest.approx if weighted else lambda value: value  # sums of weights may be taken in another order
    expected = np.transpose([plain_counts(t, p, limit, by_row) for limit in limits])
    assert [metric.result().tolist() for metric in lists] == [same(values) for values in expected.tolist()]
    for metric, places in ((auc, [-1e-7, *np.arange(1, 199) / 199, 1 + 1e-7]), (point, np.linspace(0, 1, 200))):
        sure = np.where(np.isnan(p), np.inf, p)  # NaN exceeds all thresholds
        taken = np.transpose([plain_counts(t, sure, limit, by_row)[:2] for limit in places])
        assert metric.counts[:, 1:].tolist() == [same(values) for values in taken.tolist()]
        assert metric.counts[:, 0].tolist() == same([float((by_row * kind).sum()) for kind in (t != 0, t == 0)])


class OfBatches(metrics.AUC):
    """One that sees how rows are cut."""

    def __init__(self) -> None:
        super().__init__(name="of_batches")
        self.sizes: list[int] = []

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.sizes.append(len(y_pred))
        super().update_state(y_true, y_pred, sample_weight)


def spoiled(y_true: Any, y_pred: Any) -> float:
    """A metric that writes over what it is shown."""
    y_pred[...] = 0.5
    return 0.0


def test_batches_counted_as_one() -> None:
    """Whoever looks on, from wherever batches come, and whatever else sees them."""
    x = np.random.default_rng(1).random((6000, 5)).astype(np.float32)
    y = (x.sum(axis=1, keepdims=True) > 2.5).astype(np.float32)

    def fitted(*source: Any, others: Any = (), **how: Any) -> tuple[Any, Any]:
        model = Sequential([Dense(1, activation="sigmoid", input_dim=5)], seed=1)
        model.compile("adam", "mse", metrics=["AUC", metrics.SensitivityAtSpecificity(0.5), *others])
        history = model.fit(*source, epochs=2, verbose=0, shuffle=how.pop("shuffle", True), **how).history
        return [history["auc"], history["sensitivity_at_specificity"]], model.get_weights()[0].tolist()

    def again() -> Any:
        held = x[:32].copy(), y[:32].copy()
        for _ in range(2):
            for start in range(0, 5984, 32):
                held[0][...], held[1][...] = x[start : start + 32], y[start : start + 32]
                yield held

    seen: list[float] = []
    watch = LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs["auc"]))
    own = OfBatches()
    assert fitted(x, y) == fitted(x, y, callbacks=[watch]) == fitted(x, y, others=[own])
    assert len(set(seen)) > 300
    assert own.sizes == ([32] * 187 + [16]) * 2
    model = Sequential([Dense(1, activation="sigmoid", input_dim=5)], seed=1)
    model.compile("adam", "mse")
    model.fit(x, y, epochs=2, verbose=0)
    assert fitted(x, y)[1] == model.get_weights()[0].tolist()  # the engine takes the same rows in each batch
    plain = fitted(x[:5984], y[:5984], shuffle=False)
    assert plain == fitted(again(), steps_per_epoch=187) == fitted(x[:5984], y[:5984], shuffle=False, others=[spoiled])


def test_root_r2_mean_and_sum() -> None:
    assert metrics.RootMeanSquaredError()(T, P) == pytest.approx(np.sqrt(((T - P) ** 2).mean()))
    r2 = metrics.R2Score()
    r2.update_state(T[:3], P[:3])
    r2.update_state(T[3:], P[3:])
    score = 1 - ((T - P) ** 2).sum() / ((T - T.mean()) ** 2).sum()
    assert r2.result() == pytest.approx(score)
    assert metrics.R2Score(num_regressors=2)(T, P) == pytest.approx(1 - (1 - score) * 7 / 5)
    mean = metrics.Mean()
    mean.update_state([1, 3], sample_weight=[3, 1])
    assert mean.result() == 1.5
    assert metrics.Sum()([1, 2, 3]) == 6


def test_accuracy_the_word_and_the_class() -> None:
    """The word chooses by the model; Keras' class is exact equality."""
    assert metrics.Accuracy()([[1.0], [2.0]], [[1.0], [2.5]]) == 0.5
    assert metrics.Accuracy().rows[0].name == "exact_accuracy"
    assert metrics.get("accuracy", None, 1, 1).record.name == "rounded_accuracy"  # type: ignore[union-attr]


def test_batches_add_up() -> None:
    """Generators, for training, validation and evaluation, give what the arrays they are cut from do."""
    x = np.random.default_rng(1).random((50, 3)).astype(np.float32)
    y = (x.sum(axis=1, keepdims=True) > 1.5).astype(np.float32)
    cut = [(x[i : i + 20], y[i : i + 20]) for i in (0, 20, 40)]
    for chosen in (["Precision", "RootMeanSquaredError", "mae"], ["Recall", "AUC"]):
        model = Sequential([Dense(1, activation="sigmoid", input_dim=3)])
        model.compile("sgd", "mse", metrics=chosen)
        assert model.evaluate(iter(cut), verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-5)
        start, histories = model.get_weights(), []
        for source, held in (((x, y), (x, y)), ((iter(cut * 2),), iter(cut * 2))):
            model.set_weights(start)
            rest = {"batch_size": 20} if len(source) == 2 else {"steps_per_epoch": 3, "validation_steps": 3}
            fitted = model.fit(*source, epochs=2, shuffle=False, verbose=0, validation_data=held, **rest)
            histories.append(fitted.history)
        for name, values in histories[0].items():
            assert histories[1][name] == pytest.approx(values, rel=1e-5)


CONTRACT = """accuracy acc BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy
SparseTopKCategoricalAccuracy MeanSquaredError RootMeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError
MeanSquaredLogarithmicError CosineSimilarity R2Score AUC Precision Recall TruePositives TrueNegatives FalsePositives
FalseNegatives F1Score FBetaScore BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy Hinge
SquaredHinge CategoricalHinge KLDivergence Poisson Mean Sum auc precision recall root_mean_squared_error fmeasure
matthews_correlation LogCoshError"""


@pytest.mark.parametrize("name", CONTRACT.split())
def test_names_of_the_contract(name: str) -> None:
    assert isinstance(metrics.get(name), metrics.Metric)
    assert getattr(metrics, name) is not None
