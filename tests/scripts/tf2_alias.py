# Every way to import the same thing.
import tensorflow as tf
import tensorflow.keras as keras
import tensorflow.keras.backend as K
from tensorflow.keras.models import Sequential
from tensorflow.keras.utils import to_categorical
from tensorflow.python.keras.layers import Dense as Private

keras.backend.clear_session()
model = Sequential(name="mine")
model.add(keras.layers.InputLayer(input_shape=(3,)))
model.add(tf.keras.layers.Dense(units=2, kernel_initializer=tf.keras.initializers.HeNormal()))
model.add(Private(1))
print([layer.name for layer in model.layers], model.output_shape)
print(keras.layers.Dense is tf.keras.layers.Dense is Private, tf.keras.Sequential is Sequential)
print(to_categorical([1, 0]).tolist(), K.floatx())
