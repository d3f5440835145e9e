"""The four corners of the unit square, labelled by their second coordinate: one neuron behind a BatchNormalization.

No width is given to the first layer: the net is built when `fit` sees the data. After 20 epochs, of one step each, a
learning rate of 0.001 has hardly moved the weights, so the answers are luck; after 3000 all four are right.
"""
# ruff: noqa: NPY002  (NumPy's global generator: seeding it repeats the whole script, weights and shuffles included)

import numpy as np

import nnlite as keras

np.random.seed(0)
corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)
labels = corners[:, 1]

model = keras.models.Sequential()
model.add(keras.layers.BatchNormalization())
model.add(keras.layers.Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
for first, last in ((0, 20), (20, 3000)):
    model.fit(corners, labels, initial_epoch=first, epochs=last, verbose=0)
    print(f"outputs after {last} epochs: {model.predict(corners).ravel().round(3)}")
print(f"right on the four corners: {np.mean(model.predict_classes(corners).ravel() == labels):.0%}")
