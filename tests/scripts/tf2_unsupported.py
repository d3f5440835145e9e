# A script that tries another kind of net first.
import tensorflow as tf
from tensorflow.keras import layers

try:
    net = tf.keras.Sequential([layers.Conv2D(8, 3, input_shape=(8, 8, 1)), layers.Flatten(), layers.Dense(1)])
except NotImplementedError as error:
    print("told:", error)
    net = tf.keras.Sequential([layers.Flatten(input_shape=(8, 8, 1)), layers.Dense(1)])
try:
    from tensorflow.keras.applications import VGG16
except ImportError as error:
    print("told:", error)
print("parameters:", net.count_params())
