"""Models as estimators of scikit-learn, as ``keras.wrappers.scikit_learn`` of Keras 1 and 2 has them.

They can be cloned, searched over and cross-validated by scikit-learn, which is not needed to use them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nnlite import losses
from nnlite.callbacks import History
from nnlite.errors import NotBuiltError, unknown_argument
from nnlite.models import Sequential
from nnlite.utils import to_categorical

Array = NDArray[Any]


class BaseWrapper:
    """What both wrappers share.

    Args:
        build_fn: function, or object to call, that returns a compiled model; if None, the wrapper's own ``__call__``.
        sk_params: arguments of `build_fn`, and of the model's fit, predict and evaluate, used in every call.

    Raises ArgumentError for a parameter that none of them takes.
    """

    _estimator_type = ""  # what scikit-learn before 1.6 asks for
    model: Sequential | None = None

    def __init__(self, build_fn: Callable[..., Sequential] | None = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def check_params(self, params: dict[str, Any]) -> None:
        """Raise ArgumentError if a name in `params` is taken neither by `build_fn` nor by a method of the model."""
        methods = (self._builder(), Sequential.fit, Sequential.predict, Sequential.evaluate)
        known = {name for method in methods for name in _taken(method)}
        for name in params:
            if name not in known:
                raise unknown_argument(type(self).__name__, name, known)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all parameters, `build_fn` among them."""
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Self:
        """Change parameters. Raises ArgumentError for one that nothing takes."""
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self.check_params(params)
        self.sk_params = self.sk_params | params
        return self

    def filter_sk_params(self, function: Callable[..., Any], override: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the parameters `function` takes, with those of `override` over them."""
        taken = _taken(function)
        return {name: value for name, value in self.sk_params.items() if name in taken} | (override or {})

    def fit(self, x: Any, y: Any, **kwargs: Any) -> History:
        """Build a new model and train it.

        Args:
            x: inputs, as for `Sequential.fit`.
            y: targets; class numbers become one-hot rows if the loss is categorical_crossentropy.
            kwargs: arguments of `Sequential.fit`, before those given to the constructor.

        Returns:
            The history.
        """
        builder = self._builder()
        self.model = builder(**self.filter_sk_params(builder))
        return self.model.fit(x, self._targets(y), **self.filter_sk_params(Sequential.fit, kwargs))

    def __sklearn_is_fitted__(self) -> bool:
        return self.model is not None

    def __sklearn_tags__(self) -> Any:
        return tags_of(self._estimator_type)

    def _builder(self) -> Callable[..., Sequential]:
        if self.build_fn is not None:
            return self.build_fn
        if not callable(self):
            raise unknown_argument(type(self).__name__, "build_fn=None", ["build_fn, a function that makes a model"])
        own: Callable[..., Sequential] = self
        return own

    def _fitted(self) -> Sequential:
        if self.model is None:
            raise NotBuiltError(f"{type(self).__name__} has no model yet: call fit(x, y) first.")
        return self.model

    def _targets(self, y: Any) -> Array:
        """Return targets as the loss of the model takes them."""
        values = np.asarray(y)
        loss = losses.get(self._fitted().loss)
        one_hot = loss is not None and loss.entry_name == "categorical_crossentropy" and values.ndim != 2
        return to_categorical(values) if one_hot else values

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"


class KerasClassifier(BaseWrapper):
    """A model that tells classes, as an estimator. Arguments: `BaseWrapper`.

    After `fit`: `model`, `classes_` (the labels in order) and `n_classes_`.

    >>> from nnlite.layers import Dense
    >>> def build(units=4):
    ...     model = Sequential([Dense(units, activation="tanh", input_dim=1), Dense(1, activation="sigmoid")])
    ...     model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> classifier = KerasClassifier(build, units=8, epochs=300, verbose=0)
    >>> _ = classifier.fit([[0.0], [1.0]], ["no", "yes"])
    >>> classifier.classes_.tolist()
    ['no', 'yes']
    """

    _estimator_type = "classifier"
    classes_: Array
    n_classes_: int

    def fit(self, x: Any, y: Any, **kwargs: Any) -> History:
        """Build a new model and train it; see `BaseWrapper.fit`.

        Args:
            x: inputs.
            y: labels of any kind, (rows,) or (rows, 1), or one-hot rows.
            kwargs: arguments of `Sequential.fit`.
        """
        labels = np.asarray(y)
        one_hot = labels.ndim == 2 and labels.shape[1] > 1
        self.classes_ = np.arange(labels.shape[1]) if one_hot else np.unique(labels)
        self.n_classes_ = len(self.classes_)
        return super().fit(x, labels if one_hot else np.searchsorted(self.classes_, labels), **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> Array:
        """Return the labels of rows, (rows,), or (rows, 1) for a model with one output."""
        model = self._fitted()
        return self.classes_[model.predict_classes(x, **self.filter_sk_params(Sequential.predict_classes, kwargs))]

    def predict_proba(self, x: Any, **kwargs: Any) -> Array:
        """Return the probability of each class, (rows, classes)."""
        outputs = self._fitted().predict(x, **self.filter_sk_params(Sequential.predict, kwargs))
        return outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Return the share of right answers. Raises ValueError if the model was compiled without accuracy."""
        model, labels = self._fitted(), np.asarray(y)
        if not (labels.ndim == 2 and labels.shape[1] > 1):
            labels = np.searchsorted(self.classes_, labels)
        chosen = self.filter_sk_params(Sequential.evaluate, kwargs) | {"return_dict": True}
        values = model.evaluate(x, self._targets(labels), **chosen)
        if "accuracy" not in values:
            raise ValueError("score needs the accuracy: model.compile(..., metrics=['accuracy']) in build_fn.")
        return float(values["accuracy"])


class KerasRegressor(BaseWrapper):
    """A model that tells a number, as an estimator. Arguments: `BaseWrapper`.

    >>> from nnlite.layers import Dense
    >>> def build():
    ...     model = Sequential([Dense(1, input_dim=1)])
    ...     model.compile("sgd", "mse")
    ...     return model
    >>> regressor = KerasRegressor(build, epochs=2, verbose=0)
    >>> _ = regressor.fit([[0.0], [1.0]], [0.0, 1.0])
    >>> regressor.predict([[0.5]]).shape
    (1,)
    """

    _estimator_type = "regressor"

    def predict(self, x: Any, **kwargs: Any) -> Array:
        """Return the outputs, (rows,) for a model with one output."""
        outputs = self._fitted().predict(x, **self.filter_sk_params(Sequential.predict, kwargs))
        return outputs[:, 0] if outputs.shape[1:] == (1,) else outputs

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Return minus the loss, so that more is better."""
        chosen = self.filter_sk_params(Sequential.evaluate, kwargs) | {"return_dict": True}
        return -float(self._fitted().evaluate(x, np.asarray(y), **chosen)["loss"])


def tags_of(kind: str) -> Any:
    """Return what scikit-learn from 1.6 on asks of an estimator of that kind."""
    from sklearn import utils  # type: ignore[import-not-found,import-untyped,unused-ignore]

    tags = utils.Tags(estimator_type=kind, target_tags=utils.TargetTags(required=True))
    tags.classifier_tags = utils.ClassifierTags() if kind == "classifier" else None
    tags.regressor_tags = utils.RegressorTags() if kind == "regressor" else None
    tags.transformer_tags = utils.TransformerTags() if kind == "transformer" else None
    return tags


def _taken(function: Callable[..., Any]) -> set[str]:
    """Return the names of the arguments of a function, a method or an object to call."""
    return {
        name
        for name, parameter in signature(function).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD and name not in ("self", "x", "y")
    }


__all__ = ["KerasClassifier", "KerasRegressor"]
