"""The callback that writes what TensorBoard shows."""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

from nnlite.callbacks.callback import Callback
from nnlite.callbacks.logs import optional
from nnlite.config import era
from nnlite.data import whole
from nnlite.errors import choice, unknown_argument

# What the eras write that nnlite does not, and the values that ask for nothing.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "write_graph": (True, False),
    "write_grads": (False,),
    "write_images": (False,),
    "batch_size": (None, 32),
    "profile_batch": (0, 1, 2),
    "embeddings_freq": (0, None),
    "embeddings_layer_names": (None,),
    "embeddings_metadata": (None,),
    "embeddings_data": (None,),
}


class TensorBoard(Callback):
    """Writes event files for TensorBoard. Needs the package tensorboardX: ``pip install 'nnlite[tensorboard]'``.

    Args:
        log_dir: directory of the files; "logs" if None ("./logs" in Keras 1 is the same).
        histogram_freq: epochs between two histograms of the weights; 0 is none.
        update_freq: "epoch"; "batch"; or the number of batches between two entries of loss and metrics.
        write_steps_per_second: also write the speed of each epoch.
        others: write_graph, write_grads, write_images, batch_size, profile_batch and embeddings_...: taken for Keras'
            sake; those that ask for something warn that it is not written.

    In keras2 values are called as in the history; in keras3 ``epoch_loss`` and so on, in the directories ``train`` and
    ``validation``.

    Raises ImportError without tensorboardX, ArgumentError for an unknown argument, ValueError for numbers out of range.

    >>> board = TensorBoard(log_dir="logs", histogram_freq=1)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        *,
        update_freq: str | int = "epoch",
        write_steps_per_second: bool = False,
        **others: Any,
    ) -> None:
        for name, value in others.items():
            if name not in _WITHOUT_EFFECT:
                known = ("log_dir", "histogram_freq", "update_freq", "write_steps_per_second", *_WITHOUT_EFFECT)
                raise unknown_argument("TensorBoard", name, known)
            if value not in _WITHOUT_EFFECT[name]:
                text = f"TensorBoard writes scalars and histograms of weights; {name}={value!r} has no effect."
                warnings.warn(text, UserWarning, stacklevel=2)
        optional("tensorboardX", "TensorBoard", "tensorboard")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = whole("histogram_freq", histogram_freq, 0)
        named = isinstance(update_freq, str)
        self.update_freq = choice("update_freq", update_freq, ("epoch", "batch")) if named else update_freq
        self.write_steps_per_second = write_steps_per_second
        self._writers: dict[str, Any] = {}
        self._steps = self._begun = 0
        self._began = 0.0
        if update_freq != "epoch":  # only then does training have to stop after each batch
            self._every = 1 if named else whole("update_freq", update_freq)
            self.on_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Any = None) -> None:
        """Count steps from the optimizer's; files are opened when first written to."""
        self._steps = self._begun = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self._began, self._begun = time.perf_counter(), self.model.engine.iterations

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the values of the epoch."""
        for name, value in (logs or {}).items():
            self._scalar(name, value, epoch, "epoch")
        if self.write_steps_per_second:
            steps = self.model.engine.iterations - self._begun
            self._scalar("steps_per_second", steps / (time.perf_counter() - self._began), epoch, "epoch")
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight in self.model.weights:
                self._writer("train").add_histogram(weight.name, weight.numpy(), epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        self._steps += 1
        if self._steps % self._every == 0:
            for name, value in (logs or {}).items():
                if name not in ("batch", "size"):
                    self._scalar(name, value, self.model.engine.iterations - 1, "batch")

    def _scalar(self, name: str, value: float, step: int, unit: str) -> None:
        if era("tensorboard.writes_like_keras3"):
            plain = name.removeprefix("val_")
            self._writer("train" if plain == name else "validation").add_scalar(f"{unit}_{plain}", value, step)
        else:
            self._writer("train").add_scalar(f"batch_{name}" if unit == "batch" else name, value, step)

    def _writer(self, part: str) -> Any:
        """The writer of the training's or the validation's values; one for both in keras2."""
        directory = os.path.join(self.log_dir, part) if era("tensorboard.writes_like_keras3") else self.log_dir
        if directory not in self._writers:
            tensorboard = optional("tensorboardX", "TensorBoard", "tensorboard")
            self._writers[directory] = tensorboard.SummaryWriter(directory)
        return self._writers[directory]
