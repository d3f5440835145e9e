"""A script of a user who has types checked: every face of nnlite once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nnlite as keras
from nnlite import callbacks, config, initializers, losses, metrics, optimizers, regularizers
from nnlite.callbacks import Callback, EarlyStopping, History, LambdaCallback
from nnlite.layers import Activation, BatchNormalization, Dense, Dropout, Layer, LeakyReLU
from nnlite.models import Sequential, load_model
from nnlite.utils import Sequence, set_random_seed, to_categorical
from nnlite.wrappers.scikit_learn import KerasClassifier

Array = NDArray[np.float64]


def moons(rows: int) -> tuple[Array, NDArray[np.int64]]:
    generator = np.random.default_rng(0)
    angle = generator.uniform(0, np.pi, rows)
    labels = generator.integers(0, 2, rows)
    x = np.column_stack([np.cos(angle) * (1 - 2 * labels) + labels, (np.sin(angle) - 0.25) * (1 - 2 * labels)])
    return x + generator.normal(scale=0.1, size=x.shape), labels


class Best(Callback):
    def __init__(self) -> None:
        self.value = float("inf")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.value = min(self.value, (logs or {})["val_loss"])


class Batches(Sequence):
    def __init__(self, x: Array, y: NDArray[Any]) -> None:
        super().__init__()
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x) // 20

    def __getitem__(self, index: int) -> tuple[Array, NDArray[Any]]:
        part = slice(20 * index, 20 * index + 20)
        return self.x[part], self.y[part]


def far(y_true: NDArray[Any], y_pred: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(abs(y_true - y_pred) > 0.5)


def build(units: int = 8, activation: str | Callable[[Any], Any] = "relu") -> Sequential:
    layers: list[Layer] = [
        keras.Input(shape=(2,)),
        Dense(units, activation, kernel_regularizer=regularizers.l2(1e-4)),
        BatchNormalization(),
        Dense(units, kernel_initializer=initializers.HeNormal(seed=1)),
        LeakyReLU(0.1),
        Dropout(0.1),
        Dense(1),
        Activation("sigmoid"),
    ]
    model = Sequential(layers, name="moons")
    model.compile(
        optimizer=optimizers.Adam(learning_rate=0.01, clipnorm=1.0),
        loss=losses.BinaryCrossentropy(label_smoothing=0.01),
        metrics=["accuracy", metrics.AUC(), far],
    )
    return model


def main(folder: Path) -> float:
    set_random_seed(1)
    config.set_compat("keras3")
    x, y = moons(400)
    model = build()
    best = Best()
    listening: list[Callback] = [
        best,
        EarlyStopping("val_loss", patience=20, restore_best_weights=True),
        LambdaCallback(on_train_end=lambda logs: None),
        callbacks.CSVLogger(folder / "log.csv"),
    ]
    history: History = model.fit(x, y, epochs=40, verbose=0, validation_split=0.25, callbacks=listening)
    model.fit(Batches(x, y), epochs=2, verbose=0)
    losses_of_epochs: list[float] = history.history["loss"]
    model.summary(print_fn=lambda line: None)
    path = folder / "moons.nnlite"
    model.save(path)
    again = load_model(path, custom_objects={"far": far})
    outputs: NDArray[Any] = again.predict(x[:5])
    assert np.array_equal(outputs, model.predict(x[:5]))
    kernel: NDArray[Any] = again.get_layer(index=0).get_weights()[0]
    assert kernel.shape == (2, 8) and to_categorical(y).shape == (400, 2)
    classifier = KerasClassifier(build, units=4, epochs=20, verbose=0)
    classifier.fit(x, y)
    config.set_compat("keras2")
    assert min(losses_of_epochs) > 0 and best.value < 1
    return float(np.mean(classifier.predict(x).ravel() == y))


if __name__ == "__main__":
    print(main(Path()))
