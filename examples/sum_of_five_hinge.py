"""Is the sum of five numbers above 2.5? One tanh output answers by its sign; the hinge loss asks for a clear one."""
# ruff: noqa: NPY002  (NumPy's global generator: seeding it repeats the whole script, weights and shuffles included)

import numpy as np

from nnlite.layers import Dense
from nnlite.models import Sequential

np.random.seed(0)
data = np.random.rand(250, 5)
labels = (np.sum(data, axis=1) > 2.5) * 2 - 1

model = Sequential([Dense(20, input_dim=5, activation="tanh"), Dense(1, activation="tanh")])
model.compile("adam", "hinge", metrics=["accuracy"])
history = model.fit(data, labels, nb_epoch=150, validation_split=0.2, verbose=0)

test = np.random.rand(1000, 5)
signs = np.sign(model.predict(test).flatten())
real = (np.sum(test, axis=1) > 2.5) * 2 - 1
print(f"hinge loss on the 50 rows kept for validation: {history.history['val_loss'][-1]:.3f}")
print(f"right on 1000 fresh rows: {np.mean(signs == real):.1%}")
