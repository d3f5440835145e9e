"""Models as estimators of scikit-learn: estimators.py is Keras 3's form of them, scikit_learn.py Keras 1 and 2's."""

from nnlite.wrappers.estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
