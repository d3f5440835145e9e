"""Points in two squares on the diagonal: easy to tell apart, but rmsprop's usual learning rate of 0.001 takes patience.

Two hidden units stay at 50 % for the first epochs and need a hundred or more; ten hidden units are far quicker.
"""
# ruff: noqa: NPY002  (NumPy's global generator: seeding it repeats the whole script, weights and shuffles included)

import numpy as np

from nnlite.layers import Dense
from nnlite.models import Sequential

np.random.seed(0)
n_samples, n_feats = 200, 2
low = np.random.uniform(low=0.2, high=0.4, size=(n_samples, n_feats))
high = np.random.uniform(low=0.5, high=0.7, size=(n_samples, n_feats))
x_train = np.concatenate((low, high))
y_train = np.concatenate((np.zeros((n_samples,)), np.ones((n_samples,))))

for units, epochs in ((2, 5), (2, 200), (10, 50)):
    model = Sequential()
    model.add(Dense(units, activation="sigmoid", input_shape=(n_feats,)))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=epochs, batch_size=32, verbose=epochs == 5)
    loss, accuracy = model.evaluate(x_train, y_train, verbose=0)
    print(f"{units} hidden units, {epochs} epochs: {accuracy:.1%} right, loss {loss:.3f}")
