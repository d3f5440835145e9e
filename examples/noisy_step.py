"""Points scattered around the corners of the unit square: is the second coordinate above 0.5? One neuron and plain sgd.

Without the first coordinate, which says nothing, the rows are a plain one-dimensional array. Where matplotlib is
installed, the accuracies are drawn into noisy_step.png.
"""
# ruff: noqa: NPY002  (NumPy's global generator: seeding it repeats the whole script, weights and shuffles included)

import importlib.util

import numpy as np

import nnlite as keras


def scattered(rows: int) -> np.ndarray:
    return np.random.randint(0, 2, size=(rows, 2)) + np.random.normal(scale=2e-1, size=(rows, 2))


np.random.seed(0)
points, fresh = scattered(1000), scattered(1000)
curves = {}
for name, select in {"both coordinates": np.s_[:, :], "the second only": np.s_[:, 1]}.items():
    x, test = points[select], fresh[select]
    model = keras.models.Sequential()
    model.add(keras.layers.Dense(1, input_shape=x.shape[1:] or (1,), activation="sigmoid"))
    model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
    curves[name] = model.fit(x, (points[:, 1] > 0.5).astype(int), epochs=100, verbose=0).history["acc"]
    right = np.mean(model.predict_classes(test).ravel() == (fresh[:, 1] > 0.5))
    print(f"{name}: {curves[name][19]:.1%} at epoch 20, {curves[name][-1]:.1%} at epoch 100, {right:.1%} on fresh rows")

if importlib.util.find_spec("matplotlib"):
    from matplotlib.figure import Figure

    axes = (figure := Figure()).subplots()
    for name, curve in curves.items():
        axes.plot(curve, label=name)
    axes.legend()
    figure.savefig("noisy_step.png")
