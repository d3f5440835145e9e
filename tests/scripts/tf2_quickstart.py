# Logits, and a softmax when they are to be read.
import tensorflow as tf
import numpy as np

tf.random.set_seed(1)
np.random.seed(1)
y_train = np.random.randint(0, 4, 800)
x_train = np.random.rand(800, 6, 6) * 0.5
x_train[np.arange(800), y_train, :] += 0.4
x_train, y_train, x_test, y_test = x_train[:700], y_train[:700], x_train[700:], y_train[700:]

model = tf.keras.models.Sequential([
  tf.keras.layers.Flatten(input_shape=(6, 6)),
  tf.keras.layers.Dense(32, activation='relu'),
  tf.keras.layers.Dropout(0.2),
  tf.keras.layers.Dense(4)
])
predictions = model(x_train[:1]).numpy()
print("first shape:", tf.nn.softmax(predictions).shape)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
print("first loss is a number:", bool(loss_fn(y_train[:1], predictions) > 0))
model.compile(optimizer='adam', loss=loss_fn, metrics=['accuracy'])
model.fit(x_train, y_train, epochs=30, verbose=0)
loss, accuracy = model.evaluate(x_test, y_test, verbose=2)
print("accuracy", accuracy)
probabilities = tf.nn.softmax(model(x_test)).numpy()
print("sum of probabilities: %.3f" % probabilities[0].sum())
