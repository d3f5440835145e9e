import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(812)
x = keras.random.normal((500, 6))
x = np.asarray(x)
y = np.asarray(ops.cast(ops.sum(x[:, :3], axis=1) > 0, "int32"))

inputs = keras.Input(shape=(6,))
hidden = layers.Dense(16, activation="silu")(inputs)
hidden = layers.LayerNormalization()(hidden)
outputs = layers.Dense(2, activation="softmax")(hidden)
model = keras.Model(inputs, outputs)
model.summary()
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
model.fit(x[:400], y[:400], batch_size=50, epochs=3, validation_split=0.15, verbose=2)
model.fit(x[:400], y[:400], batch_size=50, epochs=40, verbose=0)
score = model.evaluate(x[400:], y[400:], verbose=0)
print("acc", score[1])
labels = ops.argmax(model.predict(x[400:], verbose=0), axis=-1)
print("same", round(float(ops.mean(ops.equal(labels, y[400:]))), 6) == round(score[1], 6))
