"""What calling a model returns, and prediction batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnlite import data
from nnlite._engine import Run
from nnlite.batches import GivenBatches, gives_batches, inputs_of, rows_of_batch
from nnlite.callbacks import ByName, Listeners
from nnlite.data import Data
from nnlite.progress import PassReport

if TYPE_CHECKING:
    from nnlite.model import Model

Array = NDArray[Any]


class Prediction(np.ndarray[Any, Any]):
    """What calling a model returns: an array that also answers `numpy`, as a tensor does.

    >>> from nnlite import Sequential, layers
    >>> model = Sequential([layers.Dense(1, kernel_initializer="ones", input_dim=2)])
    >>> model([[1.0, 2.0]]).numpy()
    array([[3.]], dtype=float32)
    """

    def numpy(self) -> Array:
        """Return the plain array."""
        return np.asarray(self)


def predict_batches(
    model: Model, x: Any, batch_size: int | None, verbosity: int, steps: int | None, listeners: Listeners
) -> Array:
    """Return the outputs for all batches of `x`, telling those who listen of each.

    `x` gives batches, or is an array of rows, cut as in `Model.predict`. Raises ShapeError if there is no batch.
    """
    if gives_batches(x):
        source = x if isinstance(x, GivenBatches) else GivenBatches("x", x)
        source.steps = steps or source.steps
        door = model.door_for(data.reals("x", inputs_of(source.first())))

        def ready(batch: Any) -> Data:
            inputs = data.inputs("x", inputs_of(batch), door)
            return Data(inputs, inputs, None)  # nobody looks at the targets

        source.ready = ready
        batches, rows, steps = source.epoch(), None, source.steps
    else:
        x = data.reals("x", x)
        door = model.door_for(x)
        inputs = data.inputs("x", x, door)
        whole = Data(inputs, inputs, None)
        size = rows_of_batch(batch_size, whole, steps)
        whole = whole if steps is None else whole.part(0, steps * size)
        batches, rows, steps = whole.parts(size), len(whole.x), -(-len(whole.x) // size)
    engine, progress = model.made_for(door), PassReport(verbosity, rows, steps)
    listeners.introduce(model, {"steps": steps, "samples": rows, "verbose": verbosity, "metrics": []})
    run, outputs = Run(engine, 32), [np.empty((0, engine.output_units), engine.dtype)]
    listeners.call("on_predict_begin", ByName())
    for number, batch in enumerate(batches):
        logs: ByName[Any] = ByName(batch=number, size=len(batch.x))
        listeners.call("on_predict_batch_begin", number, logs)
        outputs.append(run.predict(batch.x))
        logs["outputs"] = outputs[-1]
        listeners.call("on_predict_batch_end", number, logs)
    listeners.call("on_predict_end", ByName())
    progress.done()
    return np.concatenate(outputs).reshape(-1, *door.output_row)
