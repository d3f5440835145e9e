# Little pictures of two strokes, in the words of TensorFlow 1.
from __future__ import absolute_import, division, print_function
import tensorflow as tf
from tensorflow import keras
import numpy as np

print("version given:", bool(tf.__version__) and bool(tf.keras.__version__))
np.random.seed(21)
tf.set_random_seed(21)
class_names = ['bar', 'dash', 'cross']
labels = np.random.randint(0, 3, 600)
images = np.random.randint(0, 60, (600, 8, 8))
rows, columns = np.random.randint(0, 8, (2, 600))
for image, label, row, column in zip(images, labels, rows, columns):
    if label != 1:
        image[:, column] = 255
    if label != 0:
        image[row, :] = 255
images = images / 255.0

model = keras.Sequential([
    keras.layers.Flatten(input_shape=(8, 8)),
    keras.layers.Dense(64, activation=tf.nn.relu),
    keras.layers.Dense(3, activation=tf.nn.softmax)
])
model.compile(optimizer=tf.train.AdamOptimizer(0.003), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(images[:500], labels[:500], epochs=60, verbose=0)
test_loss, test_acc = model.evaluate(images[500:], labels[500:])
print('Test accuracy:', test_acc)
predictions = model.predict(images[500:])
print("first:", class_names[np.argmax(predictions[0])], "is", class_names[labels[500]])
