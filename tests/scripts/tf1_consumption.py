# Consumption of cars, a dot for each epoch.
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
import numpy as np

np.random.seed(31)
weight, power = np.random.rand(300), np.random.rand(300)
data = np.stack([weight, power, np.random.rand(300)], axis=1)
consumption = 4 + 3 * weight + 2 * weight * power

class PrintDot(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs):
        if epoch % 50 == 0: print('')
        print('.', end='')

def build_model():
    model = keras.Sequential([
        layers.Dense(32, activation=tf.nn.relu, input_shape=[data.shape[1]]),
        layers.Dense(32, activation=tf.nn.relu),
        layers.Dense(1)
    ])
    optimizer = tf.train.RMSPropOptimizer(0.001)
    model.compile(loss='mse', optimizer=optimizer, metrics=['mae', 'mse'])
    return model

model = build_model()
history = model.fit(data, consumption, epochs=100, validation_split=0.2, verbose=0, callbacks=[PrintDot()])
print()
print("keys:", ' '.join(sorted(history.history)))
loss, mae, mse = model.evaluate(data, consumption, verbose=0)
print("Mean error: {:5.2f}".format(mae))
