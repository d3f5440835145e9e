from __future__ import absolute_import, division, print_function
import tensorflow as tf
from tensorflow.python.keras.models import Model
from tensorflow.python.keras.layers import Input, Dense, Activation
from tensorflow import keras
import numpy as np

print('eager:', tf.executing_eagerly() in (True, False))
tf.set_random_seed(1234)
np.random.seed(1234)
tf.logging.set_verbosity(tf.logging.ERROR)

x = np.linspace(-1, 1, 200).reshape(-1, 1).astype(np.float32)
y = x ** 2

a = Input(shape=(1,), name='x', dtype='float32')
h = Dense(16, kernel_initializer=keras.initializers.RandomNormal(stddev=0.5), use_bias=True)(a)
h = Activation(tf.nn.tanh)(h)
b = Dense(1)(h)
model = Model(inputs=[a], outputs=[b])
model.compile(optimizer=tf.train.AdamOptimizer(0.02), loss=tf.keras.losses.mean_squared_error, metrics=['mae'])
model.fit(x, y, epochs=200, batch_size=50, verbose=0)
print('keys:', sorted(model.history.history))
print('worst error: %.2f' % np.abs(model.predict(x) - y).max())
model.summary()
