# Weights carried from one model to another, and kept there.
import numpy as np
from keras.models import Sequential
from keras.layers import Dense

np.random.seed(6)
x = np.random.rand(300, 4)
first = Sequential([Dense(12, activation='relu', input_dim=4, name='features'), Dense(1, name='sum')])
first.compile('adam', 'mse')
first.fit(x, x.sum(axis=1), epochs=50, verbose=0)

second = Sequential()
second.add(Dense(12, activation='relu', input_dim=4, name='features', weights=first.get_layer('features').get_weights()))
second.add(Dense(1, name='difference'))
second.get_layer('features').trainable = False
second.compile('adam', 'mse')
before = second.layers[0].get_weights()
second.fit(x, x[:, 0] - x[:, 1], epochs=50, verbose=0)
after = second.layers[0].get_weights()
print("kept:", all((a == b).all() for a, b in zip(before, after)))
print("trainable weights:", len(second.trainable_weights), "others:", len(second.non_trainable_weights))
second.set_weights([np.zeros_like(w) for w in second.get_weights()])
print("all zero:", float(np.abs(second.predict(x)).max()))
