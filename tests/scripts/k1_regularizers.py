# Penalties and limits on weights, by their first names.
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Dropout
from keras.regularizers import l2, activity_l2
from keras.constraints import maxnorm

np.random.seed(0)
X = np.random.randn(200, 10)
y = X[:, 0] - 2 * X[:, 1] + 0.1 * np.random.randn(200)

model = Sequential()
model.add(Dense(16, input_dim=10, init='glorot_normal', activation='relu', W_regularizer=l2(0.001),
                activity_regularizer=activity_l2(0.00001), W_constraint=maxnorm(2)))
model.add(Dropout(p=0.05))
model.add(Dense(1, bias=False))
model.compile(optimizer='adam', loss='mse')
model.fit(X, y, nb_epoch=200, batch_size=20, verbose=0)
W = model.layers[0].get_weights()[0]
print("largest norm of a unit's weights: %.4f" % np.sqrt((W ** 2).sum(axis=0)).max())
print("weights of the last layer: %d" % len(model.layers[-1].get_weights()))
error = np.mean((model.predict(X).ravel() - y) ** 2)
print("share explained: %.3f" % (1 - error / y.var()))
