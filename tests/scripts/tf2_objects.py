# Everything given as an object.
import tensorflow as tf
from tensorflow.keras import Sequential, Input
from tensorflow.keras.layers import Dense, LeakyReLU
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.losses import BinaryCrossentropy
from tensorflow.keras.metrics import BinaryAccuracy

tf.random.set_seed(3)
x = tf.random.normal((400, 5))
y = tf.cast(tf.reduce_sum(x, axis=1) > 0, tf.float32)
model = Sequential([Input(shape=(5,)), Dense(16), LeakyReLU(alpha=0.2), Dense(1, activation="sigmoid")])
model.compile(optimizer=Adam(learning_rate=0.01), loss=BinaryCrossentropy(), metrics=[BinaryAccuracy(name="right")])
result = model.fit(x, y, batch_size=64, epochs=40, verbose=0)
print(f"right: {result.history['right'][-1]:.3f}")
print("devices:", tf.config.list_physical_devices("GPU"))
print("mean of outputs: %.1f" % tf.reduce_mean(model(x)).numpy())
