"""Methods models had in earlier Keras: predict_classes, predict_proba, and those for generators alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnlite import data
from nnlite.batches import GivenBatches, inputs_of, triple
from nnlite.errors import unknown_argument
from nnlite.registry import arguments

if TYPE_CHECKING:
    from nnlite.callbacks import History

Array = NDArray[Any]

# Arguments that change nothing here: batches are made when they are needed.
_QUEUES = ("max_queue_size", "workers", "use_multiprocessing", "max_q_size", "nb_worker", "pickle_safe")


class EarlierMethods:
    """What models had in earlier Keras, in terms of fit, evaluate and predict."""

    fit: Any
    evaluate: Any
    predict: Any

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Array:
        """Return the class of each row: the largest output, (rows,), or whether the only one exceeds 1/2, (rows, 1)."""
        outputs: Array = self.predict(x, batch_size, verbose)
        return outputs.argmax(axis=-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype(np.int32)

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Array:
        """Return the outputs for `x`, as `predict`; warns if they are no probabilities."""
        outputs: Array = self.predict(x, batch_size, verbose)
        if outputs.size and not (outputs.min() >= 0 and outputs.max() <= 1):
            text = "outputs are not within 0 ... 1 and so no probabilities: end the model with sigmoid or softmax."
            warnings.warn(text, UserWarning, stacklevel=2)
        return outputs

    def reset_metrics(self) -> None:
        """Do nothing: what `train_on_batch` and `test_on_batch` return is of their batch alone, without this too."""

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        class_weight: Mapping[Any, float] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
        *,
        validation_freq: Any = 1,
        **earlier: Any,
    ) -> History:
        """Train on batches: `fit` with `generator` for x; arguments and errors as there.

        Keras 1 counted rows: samples_per_epoch and nb_val_samples are turned into steps by the rows of the first batch.
        """
        batches = GivenBatches("generator", generator, shuffle)
        steps = _in_steps(batches, steps_per_epoch, earlier.pop("samples_per_epoch", None), True)
        rows = earlier.pop("nb_val_samples", None)
        if rows is not None:
            validation_data = GivenBatches("validation_data", validation_data)
            validation_steps = _in_steps(validation_data, validation_steps, rows, True)
        epochs = earlier.pop("nb_epoch", epochs)
        _only_queues(EarlierMethods.fit_generator, earlier, "samples_per_epoch", "nb_val_samples", "nb_epoch")
        history: History = self.fit(
            batches, None, None, epochs, verbose, callbacks, 0.0, validation_data, shuffle, class_weight, None,
            initial_epoch, steps, validation_steps, validation_freq=validation_freq,
        )  # fmt: skip
        return history

    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        *,
        verbose: Any = 0,
        **earlier: Any,
    ) -> Any:
        """Evaluate batches: `evaluate` with `generator` for x. Keras 1 counted rows, val_samples."""
        batches = GivenBatches("generator", generator)
        steps = _in_steps(batches, steps, earlier.pop("val_samples", None), True)
        _only_queues(EarlierMethods.evaluate_generator, earlier, "val_samples")
        return self.evaluate(batches, verbose=verbose, steps=steps, callbacks=callbacks)

    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        *,
        verbose: Any = 0,
        **earlier: Any,
    ) -> Array:
        """Return the outputs for batches: `predict` with `generator` for x. Keras 1 counted rows, val_samples."""
        batches = GivenBatches("generator", generator)
        steps = _in_steps(batches, steps, earlier.pop("val_samples", None))
        _only_queues(EarlierMethods.predict_generator, earlier, "val_samples")
        outputs: Array = self.predict(batches, verbose=verbose, steps=steps, callbacks=callbacks)
        return outputs


def _in_steps(batches: GivenBatches, steps: int | None, rows: Any, targets: bool = False) -> int | None:
    """Return `steps`, or how many batches, which have `targets` or need not, make `rows` rows."""
    if rows is None:
        return steps
    first, argument = batches.first(), batches.argument
    each = len(data.reals(argument, triple(argument, first)[0] if targets else inputs_of(first)))
    return -(-data.whole("the number of rows", rows) // max(1, each))


def _only_queues(method: Any, given: Mapping[str, Any], *counts: str) -> None:
    for name in given:
        if name not in _QUEUES:
            raise unknown_argument(f"{method.__name__}()", name, [*arguments(method), *_QUEUES, *counts])
