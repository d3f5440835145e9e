"""A model that stands in for one in training, so that tests choose the values callbacks see."""

from collections.abc import Sequence
from typing import Any

from nnlite import optimizers
from nnlite.callbacks import ByName, Callback


class Stub:
    """What callbacks ask of a model. Its weights are the number of the epoch; files are only noted."""

    def __init__(self, rate: float = 0.1) -> None:
        self.optimizer = optimizers.SGD(rate)
        self.stop_training = False
        self.weights = -1
        self.saved: list[str] = []

    def get_weights(self) -> list[int]:
        return [self.weights]

    def set_weights(self, weights: list[int]) -> None:
        self.weights = weights[0]

    def save(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(path)

    def save_weights(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(f"weights {path}")


def watch(callback: Callback, values: Sequence[Any], name: str = "val_loss", model: Stub | None = None) -> Stub:
    """Train a model whose epochs have those values; None: the epoch has none. Returns it, and `callback.seen` has the
    logs."""
    model = model or Stub()
    model.stop_training = False
    callback.set_model(model)
    callback.seen = []  # type: ignore[attr-defined]
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_begin(epoch, ByName())
        logs = ByName({"loss": 0.5} if value is None else {"loss": 0.5, name: value})
        callback.on_epoch_end(epoch, logs)
        callback.seen.append(logs)  # type: ignore[attr-defined]
        if model.stop_training:
            break
    callback.on_train_end({})
    return model
