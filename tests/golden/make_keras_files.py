"""Writes keras3.keras, keras3.h5, keras3.weights.h5 and keras_files.json beside this file: small models Keras 3 saved,
and what they give. Then has nnlite read what Keras 3 saves and Keras 3 what nnlite saves, with every kind of layer and
every optimizer, and says how far predictions and training differ.

    KERAS_BACKEND=jax python tests/golden/make_keras_files.py            (needs keras, jax, h5py and nnlite)
    KERAS_BACKEND=jax python tests/golden/make_keras_files.py --compare  writes nothing
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

from nnlite import config, layers, models
from nnlite.activations import ACTIVATIONS
from nnlite.constraints import CONSTRAINTS
from nnlite.initializers import INITIALIZERS

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


def adapted(kind: Any, **options: Any) -> Any:
    layer = kind.Normalization(**options)
    layer.adapt(np.arange(20.0).reshape(5, 4) ** 1.5)
    return layer


# Layers of a net that has four inputs, made of the layers of Keras or of nnlite.
LAYERS: dict[str, Callable[[Any], list[Any]]] = {
    "relu": lambda k: [k.Dense(5), k.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2), k.Dense(2)],
    "leaky relu": lambda k: [k.Dense(5), k.LeakyReLU(negative_slope=0.25)],
    "elu": lambda k: [k.Dense(5), k.ELU(alpha=0.7)],
    "prelu": lambda k: [k.Dense(5), k.PReLU(alpha_initializer="random_uniform")],
    "softmax": lambda k: [k.Dense(5), k.Softmax()],
    "batch normalization": lambda k: [
        k.BatchNormalization(momentum=0.8, epsilon=1e-2),
        k.BatchNormalization(center=False),
        k.BatchNormalization(scale=False),
    ],
    "layer normalization": lambda k: [
        k.LayerNormalization(epsilon=1e-2),
        k.LayerNormalization(center=False, scale=False),
        k.Dense(3),
    ],
    "unit normalization": lambda k: [k.Dense(5), k.UnitNormalization()],
    "rescaling": lambda k: [k.Rescaling(2.0, offset=-1.0), k.Dense(2)],
    "noise": lambda k: [k.GaussianNoise(0.1), k.GaussianDropout(0.2), k.AlphaDropout(0.1), k.Dropout(0.3, seed=3)],
    "penalties": lambda k: [k.Dense(5, activity_regularizer="l2"), k.ActivityRegularization(l1=0.1, l2=0.2)],
    "shapes": lambda k: [k.Reshape((1, 4)), k.Permute((2, 1)), k.Flatten(), k.Dense(2), k.RepeatVector(1), k.Flatten()],
    "normalization given": lambda k: [k.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 16.0])],
    "normalization undone": lambda k: [k.Normalization(mean=[1.0] * 4, variance=[4.0] * 4, invert=True), k.Dense(2)],
    "normalization of all": lambda k: [k.Normalization(axis=None, mean=0.5, variance=2.0), k.Dense(2)],
    "normalization adapted": lambda k: [adapted(k), k.Dense(2), k.BatchNormalization()],
    "normalization adapted to all": lambda k: [k.Dense(4), adapted(k, axis=None), k.Dense(2)],
    "frozen": lambda k: [k.Dense(4, use_bias=False, trainable=False, name="frozen"), k.Dense(2, name="out")],
    "rules": lambda k: [k.Dense(4, kernel_regularizer="l1", bias_regularizer="l2", bias_initializer="ones")],
    "activation": lambda k: [k.Dense(5), k.Activation("tanh"), k.Dense(3), k.Activation("softmax")],
    "a dozen": lambda k: [k.Dense(3) for _ in range(12)],
}
for entry in ACTIVATIONS.names():
    LAYERS[f"activation {entry}"] = lambda k, name=entry: [k.Dense(5, activation=name), k.Dense(3)]
for entry in INITIALIZERS.names():
    LAYERS[f"initializer {entry}"] = lambda k, name=entry: [k.Dense(4, kernel_initializer=name)]
for entry in CONSTRAINTS.names():
    LAYERS[f"constraint {entry}"] = lambda k, name=entry: [k.Dense(4, kernel_constraint=name)]


def exchanged(name: str, x: Any, folder: Path) -> float | None:
    """How far predictions differ where a net of these layers goes between Keras and nnlite, in every format; None if
    Keras has no such thing."""
    make = LAYERS[name]
    try:
        theirs = keras.Sequential([keras.Input((4,)), *make(keras.layers)])
    except (ValueError, TypeError, KeyError):
        return None
    ours = models.Sequential(make(layers))
    ours.build((None, 4))
    expected, apart = np.asarray(theirs(x)), []
    for ending in (".keras", ".h5", ".weights.h5"):
        theirs_file, ours_file = folder / f"theirs{ending}", folder / f"ours{ending}"
        if ending == ".weights.h5":
            theirs.save_weights(theirs_file)
            ours.save_weights(ours_file)
            mine, back = models.Sequential(make(layers)), keras.Sequential([keras.Input((4,)), *make(keras.layers)])
            mine.build((None, 4))
            mine.load_weights(theirs_file)
            back.load_weights(ours_file)
        else:
            theirs.save(theirs_file)
            ours.save(ours_file)
            mine, back = models.load_model(theirs_file), keras.models.load_model(ours_file)
        for one, other in ((mine.predict(x), expected), (np.asarray(back(x)), ours.predict(x))):
            apart.append(float((np.abs(one - other) / (1 + np.abs(other))).max()))
    return max(apart)


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


def write(x: Any, y: Any) -> None:
    """Write the golden files."""
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


def main() -> None:
    keras.utils.set_random_seed(0)
    config.set_compat("keras3")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 4)).astype(np.float32)
    y = (x.sum(axis=1) > 0).astype(np.float32)
    if "--compare" not in sys.argv[1:]:
        write(x, y)
    with tempfile.TemporaryDirectory() as folder:
        for name in LAYERS:
            apart = exchanged(name, x, Path(folder))
            print(f"{name:32}", "not in Keras" if apart is None else f"predictions {apart:.1e}", flush=True)
            assert apart is None or apart < 1e-6
        for name in OPTIMIZERS:
            predictions, weights = differences(name, x, y, Path(folder))
            print(f"{name:32} predictions {predictions:.1e}  weights after training {weights:.1e}", flush=True)
            assert predictions < 1e-6 and weights < 1e-5


if __name__ == "__main__":
    main()
