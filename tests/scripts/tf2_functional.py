import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

print(tf.__version__.split('.')[0], keras.__version__.split('.')[0])

inputs = keras.Input(shape=(4, 4), name="img")
print(inputs.shape)
x = layers.Flatten()(inputs)
x = layers.Rescaling(1.0 / 255)(x)
dense = layers.Dense(32, activation="relu")
x = dense(x)
x = layers.Dense(32, activation="relu")(x)
outputs = layers.Dense(4)(x)
model = keras.Model(inputs=inputs, outputs=outputs, name="mnist_model")
model.summary()

rng = np.random.default_rng(0)
y_train = rng.integers(0, 4, 800)
x_train = rng.integers(0, 60, (800, 4, 4)).astype("float32")
x_train[np.arange(800), y_train, y_train] += 150
model.compile(
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=keras.optimizers.RMSprop(),
    metrics=["accuracy"],
)
history = model.fit(x_train[:600], y_train[:600], batch_size=64, epochs=40, validation_split=0.2, verbose=0)
test_scores = model.evaluate(x_train[600:], y_train[600:], verbose=2)
print("Test loss is a number:", np.isfinite(test_scores[0]))
print("Test accuracy:", test_scores[1])
probability_model = keras.Sequential([model, layers.Softmax()])
print("sums to one:", np.allclose(probability_model.predict(x_train[:3]).sum(axis=1), 1))
