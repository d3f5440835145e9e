"""Writes keras3.keras, keras3.h5, keras3.weights.h5 and keras_files.json beside this file: small models Keras 3 saved,
and what they give. Then reads what nnlite saves with Keras 3, and says how far predictions and training differ.

    KERAS_BACKEND=jax python tests/golden/make_keras_files.py      (needs keras, jax, h5py and nnlite)
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

from nnlite import config, models

HERE = Path(__file__).parent
TRAINING: dict[str, Any] = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}
OPTIMIZERS = {
    "sgd": {},
    "sgd with momentum": {"momentum": 0.9, "nesterov": True},
    "rmsprop": {},
    "rmsprop centered": {"centered": True},
    "rmsprop centered with momentum": {"centered": True, "momentum": 0.5},
    "adagrad": {},
    "adadelta": {},
    "adam": {},
    "adam amsgrad": {"amsgrad": True},
    "adamax": {},
    "nadam": {},
}


def trained(name: str, x: Any, y: Any) -> Any:
    optimizer = keras.optimizers.get({"class_name": name.split()[0], "config": OPTIMIZERS[name]})
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(3, activation="relu", kernel_regularizer="l2"),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(2, activation="tanh", trainable=name != "adam"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, **TRAINING)
    return model


def differences(name: str, x: Any, y: Any, folder: Path) -> tuple[float, float]:
    """How far predictions, and weights after more training, differ in a model that goes to nnlite and back."""
    model = trained(name, x, y)
    model.save(folder / "theirs.keras")
    ours = models.load_model(folder / "theirs.keras")
    ours.save(folder / "ours.keras")
    ours.save(folder / "ours.h5")
    ours.save_weights(folder / "ours.weights.h5")
    ours.save_weights(folder / "weights.h5")
    readers = [keras.models.load_model(folder / "ours.keras"), keras.models.load_model(folder / "ours.h5")]
    for file in ("ours.weights.h5", "weights.h5"):
        reader = keras.models.clone_model(model)
        reader.load_weights(folder / file)
        readers.append(reader)
    p = model.predict(x, verbose=0)
    predictions = [np.abs(reader.predict(x, verbose=0) - p).max() for reader in (ours, *readers)]
    for one in (model, ours, readers[0]):
        one.fit(x, y, **TRAINING)
    weights = [
        np.abs(a - b).max()
        for one in (ours, readers[0])
        for a, b in zip(model.get_weights(), one.get_weights(), strict=True)
    ]
    return float(max(predictions)), float(max(weights))


def main() -> None:
    keras.utils.set_random_seed(0)
    config.set_compat("keras3")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    y = (x.sum(axis=1) > 0).astype(np.float32)
    model = trained("adam", x, y)
    model.save(HERE / "keras3.keras")
    model.save(HERE / "keras3.h5", include_optimizer=False)
    plain = keras.models.clone_model(model)
    plain.set_weights(model.get_weights())
    plain.save_weights(HERE / "keras3.weights.h5")
    golden = {"x": x.tolist(), "y": y.tolist(), "outputs": model.predict(x, verbose=0).tolist()}
    model.fit(x, y, **TRAINING)
    golden["trained"] = [array.tolist() for array in model.get_weights()]
    (HERE / "keras_files.json").write_text(json.dumps(golden) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        for name in OPTIMIZERS:
            predictions, weights = differences(name, x, y, Path(folder))
            print(f"{name:32} predictions {predictions:.1e}  weights after training {weights:.1e}")
            assert predictions < 1e-6 and weights < 1e-5


if __name__ == "__main__":
    main()
