# Eight numbers that have only two in them, through a layer of two.
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from keras.objectives import mean_squared_error

np.random.seed(5)
hidden = np.random.rand(400, 2)
X = hidden.dot(np.random.rand(2, 8))

autoencoder = Sequential([Dense(2, input_dim=8, init='he_normal'), Dense(8)])
autoencoder.compile(optimizer='adadelta', loss=mean_squared_error)
autoencoder.fit(X, X, nb_epoch=400, batch_size=20, verbose=False)
encoder = Sequential([Dense(2, input_dim=8, weights=autoencoder.layers[0].get_weights())])
codes = encoder.predict(X)
print("codes", codes.shape)
print("share kept: %.4f" % (1 - ((autoencoder.predict(X) - X) ** 2).mean() / X.var()))
