"""2000 rows whose first number runs from 0 to 999 and means nothing, and whose second, 0 or 1, is the answer.

The large first number saturates a neuron, which then gains nothing from its first epochs. Behind a BatchNormalization,
which scales both numbers alike, it learns from the first step on. In a hundred epochs both get there.
"""
# ruff: noqa: NPY002  (NumPy's global generator: seeding it repeats the whole script, weights and shuffles included)

import numpy as np

import nnlite as keras

np.random.seed(0)
points = np.array([[i, answer] for i in range(1000) for answer in (0, 1)], float)
labels = points[:, 1]
fresh = np.column_stack([np.random.uniform(0, 1000, 1000), np.random.randint(0, 2, 1000)])

for normalized in (True, False):
    model = keras.models.Sequential([keras.layers.BatchNormalization()] if normalized else [])
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(points, labels, epochs=100, verbose=0).history
    right = np.mean(model.predict_classes(fresh).ravel() == fresh[:, 1])
    print("with" if normalized else "without", "BatchNormalization:", end=" ")
    print(f"loss {history['loss'][4]:.3f} at epoch 5, {history['loss'][-1]:.3f} at epoch 100;", end=" ")
    print(f"right on 1000 fresh rows: {right:.1%}")
