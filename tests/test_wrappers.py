"""Models as estimators: alone, and in the hands of scikit-learn where it is installed."""

from typing import Any

import numpy as np
import pytest

from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.wrappers.scikit_learn import KerasClassifier, KerasRegressor

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(120, 3))
SUM = X.sum(axis=1)
WORDS = np.where(SUM > 0, "plus", "minus")


def binary(units: int = 6, optimizer: str = "adam", metrics: Any = ("accuracy",)) -> Sequential:
    model = Sequential([Dense(units, activation="tanh", input_dim=3), Dense(1, activation="sigmoid")], seed=1)
    model.compile(optimizer, "binary_crossentropy", metrics=list(metrics))
    return model


def softmax(loss: str = "categorical_crossentropy") -> Sequential:
    model = Sequential([Dense(8, activation="tanh", input_dim=3), Dense(2, activation="softmax")], seed=1)
    model.compile("adam", loss, metrics=["acc"])
    return model


def line() -> Sequential:
    model = Sequential([Dense(1, input_dim=3)], seed=1)
    model.compile("sgd", "mse")
    return model


def test_classifier_of_words() -> None:
    classifier = KerasClassifier(build_fn=binary, units=10, epochs=100, verbose=0)
    history = classifier.fit(X, WORDS, batch_size=16)
    assert len(history.history["loss"]) == 100 and classifier.model is not None
    assert classifier.model.layers[0].units == 10
    assert classifier.classes_.tolist() == ["minus", "plus"] and classifier.n_classes_ == 2
    predicted = classifier.predict(X)
    assert predicted.shape == (120, 1)
    assert classifier.score(X, WORDS) == pytest.approx((predicted[:, 0] == WORDS).mean()) and predicted[0, 0] in WORDS
    assert classifier.score(X, WORDS) > 0.95
    p = classifier.predict_proba(X)
    assert p.shape == (120, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_classifier_with_a_column_for_each_class(loss: str) -> None:
    classifier = KerasClassifier(softmax, loss=loss, nb_epoch=60, verbose=0)
    classifier.fit(X, WORDS)
    assert classifier.predict(X).shape == (120,) and (classifier.predict(X) == WORDS).mean() > 0.9
    assert classifier.score(X, WORDS) == pytest.approx((classifier.predict(X) == WORDS).mean())
    assert classifier.predict_proba(X).shape == (120, 2)


def test_classifier_of_one_hot_rows() -> None:
    classifier = KerasClassifier(softmax, epochs=60, verbose=0)
    rows = np.eye(2)[(SUM > 0).astype(int)]
    classifier.fit(X, rows)
    assert classifier.classes_.tolist() == [0, 1] and set(classifier.predict(X)) == {0, 1}
    assert classifier.score(X, rows) > 0.9


def test_regressor() -> None:
    regressor = KerasRegressor(line, epochs=150, verbose=0)
    regressor.fit(X, SUM)
    assert regressor.predict(X).shape == (120,)
    np.testing.assert_allclose(regressor.predict(X), SUM, atol=0.05)
    assert regressor.score(X, SUM) == pytest.approx(-np.mean((regressor.predict(X) - SUM) ** 2), rel=1e-4)


def test_subclass_and_object_that_build() -> None:
    class Own(KerasClassifier):
        def __call__(self, units: int = 3) -> Sequential:
            return binary(units)

    class Builder:
        def __call__(self, units: int = 3) -> Sequential:
            return binary(units)

    for wrapper in (Own(units=5, epochs=1, verbose=0), KerasClassifier(Builder(), units=5, epochs=1, verbose=0)):
        wrapper.fit(X, WORDS)
        assert wrapper.model is not None and wrapper.model.layers[0].units == 5


def test_parameters() -> None:
    classifier = KerasClassifier(binary, units=4, epochs=2)
    assert classifier.get_params() == {"build_fn": binary, "units": 4, "epochs": 2}
    assert classifier.set_params(units=5, build_fn=binary) is classifier
    assert classifier.get_params(deep=False)["units"] == 5
    assert repr(classifier).startswith("KerasClassifier(units=5, epochs=2, build_fn=")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: KerasClassifier(binary, epoch=3), "KerasClassifier takes no argument 'epoch'.*'epochs'"),
        (lambda: KerasClassifier(binary).set_params(hidden=3), "no argument 'hidden'"),
        (lambda: KerasRegressor(), "build_fn"),
        (lambda: KerasRegressor(line).predict(X), r"no model yet: call fit\(x, y\) first"),
        (lambda: _scored_without_accuracy(), r"score needs the accuracy"),
    ],
)
def test_mistakes(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def _scored_without_accuracy() -> None:
    classifier = KerasClassifier(binary, metrics=(), epochs=1, verbose=0)
    classifier.fit(X, WORDS)
    classifier.score(X, WORDS)


def test_in_the_hands_of_scikit_learn() -> None:
    """Cloned, cross-validated, searched over, and last in a pipeline."""
    sklearn = pytest.importorskip("sklearn")
    base = pytest.importorskip("sklearn.base")
    selection = pytest.importorskip("sklearn.model_selection")
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    assert sklearn.__version__
    classifier, regressor = KerasClassifier(binary, epochs=200, verbose=0), KerasRegressor(line, epochs=100, verbose=0)
    assert base.is_classifier(classifier) and base.is_regressor(regressor)
    copy = base.clone(classifier)
    assert copy is not classifier and copy.get_params() == classifier.get_params()
    folds = selection.StratifiedKFold(n_splits=3, shuffle=True, random_state=0)
    assert selection.cross_val_score(classifier, X, WORDS, cv=folds).mean() > 0.85
    assert selection.cross_val_score(regressor, X, SUM, cv=3).mean() > -0.1
    search = selection.GridSearchCV(classifier, {"units": [2, 8], "optimizer": ["sgd", "adam"]}, cv=2)
    search.fit(X, WORDS)
    assert len(search.cv_results_["params"]) == 4 and search.best_score_ == max(search.cv_results_["mean_test_score"])
    best = search.best_estimator_
    assert best.get_params() == classifier.get_params() | search.best_params_
    assert best.model.layers[0].units == search.best_params_["units"] and best.score(X, WORDS) > 0.8
    steps = [("scaled", preprocessing.StandardScaler()), ("net", classifier)]
    whole = pipeline.Pipeline(steps).fit(X, WORDS)
    assert whole.score(X, WORDS) > 0.9
