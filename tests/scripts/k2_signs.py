# Answers -1 and +1, tanh and hinge.
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from keras.losses import squared_hinge

np.random.seed(12)
x = np.random.randn(400, 3)
y = np.where(x @ [1, -2, 0.5] > 0.3, 1, -1)
model = Sequential([Dense(20, activation='tanh', input_dim=3), Dense(1, activation='tanh')])
model.compile('adamax', squared_hinge)
model.fit(x[:300], y[:300], epochs=100, verbose=0)
print("right:", np.mean(np.sign(model.predict(x[300:]).flatten()) == y[300:]))
