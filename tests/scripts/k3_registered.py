# A loss and a layer under names of their own, and a model from its config.
import numpy as np
import keras

@keras.saving.register_keras_serializable(package="mine")
def fourth_power(y_true, y_pred):
    return keras.ops.mean((y_true - y_pred) ** 4, axis=-1)

@keras.saving.register_keras_serializable(package="mine")
class Wide(keras.layers.Dense):
    """Dense, under a name of its own."""

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((2,)), Wide(8, activation="tanh"), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="fourth_power")
model.fit(np.random.rand(64, 2), np.ones(64), epochs=2, verbose=0)
copy = keras.Sequential.from_config(model.get_config())
copy.set_weights(model.get_weights())
x = np.random.rand(5, 2)
print("same:", (copy.predict(x) == model.predict(x)).all(), type(copy.layers[0]).__name__)
print("registered:", keras.saving.get_registered_name(Wide))
