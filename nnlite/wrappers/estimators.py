"""Models as estimators of scikit-learn, as ``keras.wrappers`` of Keras 3 has them.

They work without scikit-learn too, which finds in them what it asks of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nnlite.callbacks import History
from nnlite.errors import ArgumentError, NotBuiltError, NotCompiledError, unknown_argument
from nnlite.models import Sequential, clone_model
from nnlite.registry import arguments
from nnlite.utils import to_categorical
from nnlite.wrappers.scikit_learn import tags_of

Array = NDArray[Any]


class Estimator:
    """What the three share.

    Args:
        model: a compiled model, of which each `fit` trains a copy with new weights, or a function
            ``f(X, y, **model_kwargs)`` that returns one.
        warm_start: whether a second `fit` goes on with the model of the first; a model given is then trained itself.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of `Sequential.fit`, under those given to `fit`.

    After `fit`: `model_` and `history_`.
    """

    kind = ""
    model_: Sequential
    history_: History

    def __init__(
        self,
        model: Sequential | Callable[..., Sequential],
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.model, self.warm_start = model, warm_start
        self.model_kwargs, self.fit_kwargs = model_kwargs, fit_kwargs

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {name: getattr(self, name) for name in arguments(Estimator.__init__)}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor. Raises ArgumentError for one that it does not take."""
        for name, value in params.items():
            if name not in arguments(Estimator.__init__):
                raise unknown_argument(type(self).__name__, name, arguments(Estimator.__init__))
            setattr(self, name, value)
        return self

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:
        """Train a model.

        Args:
            X: inputs (rows, features).
            y: targets, (rows,) or (rows, outputs).
            kwargs: arguments of `Sequential.fit`.

        Raises:
            NotCompiledError: the model is not compiled.
        """
        inputs, targets = np.asarray(X), self.encoded(np.asarray(y))
        model = self._chosen(inputs, targets)
        if model.optimizer is None:
            raise NotCompiledError("model must be compiled: model.compile(optimizer='adam', loss='mse').")
        self.history_ = model.fit(inputs, self.fitting(targets, model), **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _chosen(self, inputs: Array, targets: Array) -> Sequential:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Sequential):
            if not callable(self.model):
                raise ArgumentError(f"model must be a model or a function that returns one; received {self.model!r}.")
            return self.model(X=inputs, y=targets, **(self.model_kwargs or {}))
        if self.warm_start:
            return self.model
        copied, compiled = clone_model(self.model), self.model.get_compile_config()
        if compiled is not None:
            copied.compile_from_config(compiled)
        return copied

    def encoded(self, y: Array) -> Array:
        """Return the targets as the function that makes the model sees them: columns."""
        self._flat = y.ndim == 1
        return y.reshape(len(y), -1)

    def fitting(self, targets: Array, model: Sequential) -> Array:
        """Return the targets as the model takes them."""
        return targets

    def outputs(self, X: Any) -> Array:
        """Return the outputs of the model, (rows, outputs). Raises NotBuiltError before `fit`."""
        if not hasattr(self, "model_"):
            raise NotBuiltError(f"{type(self).__name__} has no model yet: call fit(X, y) first.")
        return self.model_.predict(X)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        return tags_of(self.kind)

    @property
    def _estimator_type(self) -> str:
        return self.kind  # what scikit-learn before 1.6 asks for

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"


class SKLearnClassifier(Estimator):
    """A model that tells classes. Arguments: those of `Estimator`.

    The model sees one-hot rows, or, with a single output, 0 and 1. After `fit` also `classes_`, the labels in order.

    >>> from nnlite import Sequential, layers
    >>> model = Sequential([layers.Dense(2, activation="softmax", input_dim=1)])
    >>> model.compile("adam", "categorical_crossentropy")
    >>> SKLearnClassifier(model).fit([[0.0], [1.0]], ["no", "yes"], verbose=0).classes_.tolist()
    ['no', 'yes']
    """

    kind = "classifier"
    classes_: Array

    def encoded(self, y: Array) -> Array:
        """Return one-hot rows. Raises ValueError for a single class."""
        if y.ndim > 1 and y.shape[1] > 1:
            raise ValueError(f"y must be labels, (rows,); received shape {y.shape}. Take numpy.argmax of one-hot rows.")
        self.classes_, numbers = np.unique(y.ravel(), return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y must hold at least two classes; received only {self.classes_.tolist()}.")
        return to_categorical(numbers)

    def fitting(self, targets: Array, model: Sequential) -> Array:
        """Return one-hot rows, or class numbers for a model with one output or a sparse loss."""
        one = model.built and model.output_shape[-1] == 1
        numbers = one or "sparse" in str(getattr(model.loss, "name", model.loss))
        return targets.argmax(axis=1) if numbers else targets

    def predict(self, X: Any) -> Array:
        """Return the labels of rows, (rows,)."""
        outputs = self.outputs(X)
        chosen: Array = outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(int)
        labels: Array = self.classes_[chosen]
        return labels

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, (rows, classes)."""
        outputs = self.outputs(X)
        return outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])

    def decision_function(self, X: Any) -> Array:
        """Return the outputs of the model, (rows, outputs)."""
        return self.outputs(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of right answers."""
        return float(np.average(self.predict(X) == np.ravel(y), weights=sample_weight))


class SKLearnRegressor(Estimator):
    """A model that tells numbers. Arguments: those of `Estimator`.

    >>> from nnlite import Sequential, layers
    >>> model = Sequential([layers.Dense(1, input_dim=1)])
    >>> model.compile("sgd", "mse")
    >>> SKLearnRegressor(model).fit([[0.0], [1.0]], [0.0, 2.0], verbose=0).predict([[0.5]]).shape
    (1,)
    """

    kind = "regressor"

    def predict(self, X: Any) -> Array:
        """Return the outputs, in the shape of the targets of `fit`."""
        outputs = self.outputs(X)
        return outputs[:, 0] if self._flat and outputs.shape[1] == 1 else outputs

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return 1 - sum (t - p)^2 / sum (t - mean t)^2, the mean over the outputs."""
        t = np.asarray(y, np.float64)
        p, t = self.outputs(X).astype(np.float64), t.reshape(len(t), -1)
        w = np.ones((len(t), 1)) if sample_weight is None else np.reshape(sample_weight, (-1, 1))
        spread = (w * (t - np.average(t, 0, np.broadcast_to(w, t.shape))) ** 2).sum(axis=0)
        return float(np.mean(1 - (w * (t - p) ** 2).sum(axis=0) / spread))


class SKLearnTransformer(Estimator):
    """A model whose outputs are features for others. Arguments: those of `Estimator`.

    >>> from nnlite import Sequential, layers
    >>> model = Sequential([layers.Dense(3, input_dim=2)])
    >>> model.compile("sgd", "mse")
    >>> SKLearnTransformer(model).fit([[0.0, 1.0]], [[0.0, 0.0, 1.0]], verbose=0).transform([[1.0, 1.0]]).shape
    (1, 3)
    """

    kind = "transformer"

    def transform(self, X: Any) -> Array:
        """Return the outputs, (rows, outputs)."""
        return self.outputs(X)

    def fit_transform(self, X: Any, y: Any, **kwargs: Any) -> Array:
        """`fit`, then `transform`."""
        return self.fit(X, y, **kwargs).transform(X)


__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
