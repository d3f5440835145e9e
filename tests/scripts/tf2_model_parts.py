# encoder and decoder as models of their own
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models

np.random.seed(0)
t = np.random.uniform(0, 2 * np.pi, 400)
data = np.stack([np.cos(t), np.sin(t), np.cos(t) ** 2, np.sin(t) * np.cos(t)], axis=1)

encoder = models.Sequential([
    layers.InputLayer(input_shape=(4,)),
    layers.Dense(16, activation='elu'),
    layers.Dense(2),
], name='encoder')
decoder = models.Sequential([
    layers.Dense(16, activation='elu', input_shape=(2,)),
    layers.Dense(4),
], name='decoder')
autoencoder = models.Sequential([encoder, decoder])
autoencoder.compile(optimizer=tf.keras.optimizers.Adam(1e-2), loss='mse')
history = autoencoder.fit(data, data, epochs=100, batch_size=40, shuffle=True, verbose=0)
codes = encoder(data).numpy()
again = decoder.predict(codes)
print('codes:', codes.shape)
print('loss fell:', history.history['loss'][-1] < 0.2 * history.history['loss'][0])
print('same:', np.allclose(again, autoencoder.predict(data), atol=1e-6))
