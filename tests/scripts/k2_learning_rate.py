# The learning rate, read and set while training goes on.
import numpy as np
from keras import backend as K
from keras import optimizers
from keras.models import Sequential
from keras.layers import Dense

np.random.seed(9)
x = np.linspace(-1, 1, 200)
y = x ** 2
model = Sequential()
model.add(Dense(20, activation='tanh', input_shape=(1,)))
model.add(Dense(1))
sgd = optimizers.SGD(lr=0.1, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss='mean_squared_error', optimizer=sgd)
for step in range(4):
    history = model.fit(x, y, epochs=100, batch_size=20, verbose=0)
    print("lr %.4f" % K.get_value(model.optimizer.lr))
    K.set_value(model.optimizer.lr, 0.5 * K.get_value(model.optimizer.lr))
print("fitted:", history.history['loss'][-1] < 1e-3)
