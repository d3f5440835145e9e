"""Keras 3's estimators: alone, and in the hands of scikit-learn where it is installed."""

from typing import Any

import numpy as np
import pytest

from nnlite.layers import Dense, Input
from nnlite.models import Model, Sequential
from nnlite.optimizers import Adam
from nnlite.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(120, 3))
SUM = X.sum(axis=1)
WORDS = np.where(SUM > 0, "plus", "minus")


def net(X: Any, y: Any, loss: str, layers: tuple[int, ...] = (8,)) -> Model:
    """A model as wide as the data, as the documentation of Keras makes it."""
    hidden = inputs = Input(shape=(X.shape[1],))
    for units in layers:
        hidden = Dense(units, activation="tanh")(hidden)
    activation = "softmax" if loss == "categorical_crossentropy" else "linear"
    model = Model(inputs, Dense(y.shape[1], activation=activation)(hidden))
    model.compile(Adam(0.03), loss)
    return model


def binary() -> Sequential:
    model = Sequential([Dense(8, activation="tanh", input_dim=3), Dense(1, activation="sigmoid")], seed=1)
    model.compile(Adam(0.03), "binary_crossentropy")
    return model


def test_classifier_made_by_a_function() -> None:
    given = {"loss": "categorical_crossentropy", "layers": (6,)}
    classifier = SKLearnClassifier(net, model_kwargs=given, fit_kwargs={"verbose": 0, "epochs": 1})
    assert classifier.fit(X, WORDS, epochs=80) is classifier
    assert len(classifier.history_.history["loss"]) == 80 and classifier.model_.layers[0].units == 6
    assert classifier.classes_.tolist() == ["minus", "plus"] and classifier.predict(X).shape == (120,)
    assert classifier.score(X, WORDS) == (classifier.predict(X) == WORDS).mean() > 0.95
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(classifier.decision_function(X), classifier.predict_proba(X))


def test_classifier_with_one_output() -> None:
    classifier = SKLearnClassifier(binary(), fit_kwargs={"verbose": 0, "epochs": 80}).fit(X, WORDS)
    assert classifier.predict_proba(X).shape == (120, 2) and classifier.score(X, WORDS) > 0.95


def test_a_model_given_is_copied_unless_it_starts_warm() -> None:
    model = binary()
    before = model.get_weights()[0]
    cold, warm = SKLearnClassifier(model), SKLearnClassifier(model, warm_start=True)
    first = cold.fit(X, WORDS, verbose=0).model_
    assert first is not model and (model.get_weights()[0] == before).all()
    assert cold.fit(X, WORDS, verbose=0).model_ is not first
    assert warm.fit(X, WORDS, verbose=0).model_ is model and (model.get_weights()[0] != before).any()
    assert warm.fit(X, WORDS, verbose=0).model_ is model


def test_regressor() -> None:
    regressor = SKLearnRegressor(net, model_kwargs={"loss": "mse"}, fit_kwargs={"verbose": 0, "epochs": 150})
    regressor.fit(X, SUM)
    p = regressor.predict(X)
    assert p.shape == (120,)
    score = 1 - ((SUM - p) ** 2).sum() / ((SUM - SUM.mean()) ** 2).sum()
    assert regressor.score(X, SUM) == pytest.approx(score) and score > 0.9
    assert regressor.score(X, SUM, sample_weight=np.full(120, 2.0)) == pytest.approx(score)
    assert regressor.fit(X, X[:, :2]).predict(X).shape == (120, 2)


def test_transformer() -> None:
    transformer = SKLearnTransformer(net, model_kwargs={"loss": "mse"}, fit_kwargs={"verbose": 0})
    features = transformer.fit_transform(X, X)
    np.testing.assert_array_equal(features, transformer.transform(X))
    assert features.shape == (120, 3)


def test_parameters() -> None:
    classifier = SKLearnClassifier(binary)
    assert list(classifier.get_params()) == ["model", "warm_start", "model_kwargs", "fit_kwargs"]
    assert classifier.set_params(warm_start=True).warm_start is True
    with pytest.raises(TypeError, match=r"takes no argument 'warmstart'\. Did you mean 'warm_start'"):
        classifier.set_params(warmstart=True)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match=r"call fit\(X, y\) first"):
        SKLearnRegressor(binary()).predict(X)
    with pytest.raises(ValueError, match="must be compiled"):
        SKLearnRegressor(Sequential([Dense(1, input_dim=3)])).fit(X, SUM)
    with pytest.raises(ValueError, match="at least two classes; received only"):
        SKLearnClassifier(binary()).fit(X, np.zeros(120))
    with pytest.raises(ValueError, match="y must be labels"):
        SKLearnClassifier(binary()).fit(X, np.eye(2)[np.arange(120) % 2])
    with pytest.raises(TypeError, match="model must be a model or a function"):
        SKLearnClassifier("model").fit(X, WORDS)  # type: ignore[arg-type]


def test_in_the_hands_of_scikit_learn() -> None:
    base = pytest.importorskip("sklearn.base")
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fit = {"verbose": 0, "epochs": 60}
    classifier = SKLearnClassifier(net, model_kwargs={"loss": "categorical_crossentropy"}, fit_kwargs=fit)
    assert base.clone(classifier).get_params() == classifier.get_params() and base.is_classifier(classifier)
    assert cross_val_score(classifier, X, WORDS, cv=3).mean() > 0.9
    assert make_pipeline(StandardScaler(), classifier).fit(X, WORDS).score(X, WORDS) > 0.9
    regressor = SKLearnRegressor(net, fit_kwargs=fit)
    grid = GridSearchCV(regressor, {"model_kwargs": [{"loss": "mse"}, {"loss": "mae"}]}, cv=2).fit(X, SUM)
    assert grid.best_score_ > 0.5 and base.is_regressor(regressor)
