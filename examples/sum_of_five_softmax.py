"""Is the sum of five numbers above 2.5? A net with one output for each answer learns it from 250 examples."""
# ruff: noqa: NPY002  (NumPy's global generator: seeding it repeats the whole script, weights and shuffles included)

import numpy as np

from nnlite.layers import Dense
from nnlite.models import Sequential
from nnlite.utils import np_utils

np.random.seed(0)
data = np.random.rand(250, 5)
labels = np_utils.to_categorical((np.sum(data, axis=1) > 2.5) * 1)

model = Sequential()
model.add(Dense(20, input_dim=5, activation="relu"))
model.add(Dense(2, activation="softmax"))
model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
model.fit(data, labels, epochs=150, verbose=0)

test = np.random.rand(1000, 5)
answers = model.predict_classes(test)
print(f"right on 1000 fresh rows: {np.mean(answers == (np.sum(test, axis=1) > 2.5)):.1%}")
