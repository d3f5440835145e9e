"""The two squares again: five epochs at the learning rate 0.001 teach the net nothing; five more at 0.1 teach it all.

`compile` replaces the optimizer and leaves the weights alone.
"""
# ruff: noqa: NPY002  (NumPy's global generator: seeding it repeats the whole script, weights and shuffles included)

import numpy as np

from nnlite import optimizers
from nnlite.layers import Dense
from nnlite.models import Sequential

np.random.seed(0)
x = np.concatenate([np.random.uniform(0.2, 0.4, (200, 2)), np.random.uniform(0.5, 0.7, (200, 2))])
y = np.repeat([0, 1], 200)

model = Sequential([Dense(2, activation="sigmoid", input_shape=(2,)), Dense(1, activation="sigmoid")])
for optimizer in (optimizers.RMSprop(), optimizers.RMSprop(lr=1e-1)):
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    model.fit(x, y, epochs=5, batch_size=32, verbose=True)
    print(f"learning rate {float(optimizer.lr):g}: {model.evaluate(x, y, verbose=0)[1]:.1%} right after five epochs")
