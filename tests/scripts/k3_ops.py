# A loss from keras.ops.
import numpy as np
import keras
from keras import ops

def absolute_then_square(y_true, y_pred):
    error = ops.abs(y_true - y_pred)
    return ops.mean(ops.where(error < 1.0, 0.5 * ops.square(error), error - 0.5), axis=-1)

keras.utils.set_random_seed(2)
x = np.random.rand(200, 2)
y = 3 * x[:, :1] - x[:, 1:]
y[::20] += 30  # wrong by far
slopes = {}
for loss in (absolute_then_square, "mean_squared_error"):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1), loss=loss)
    model.fit(x, y, epochs=100, verbose=0)
    slopes[loss] = float(np.abs(model.predict(x, verbose=0) - y).mean())
print("less misled:", slopes[absolute_then_square] < slopes["mean_squared_error"])
print("value:", float(absolute_then_square(ops.convert_to_tensor([[0.0, 4.0]]), ops.zeros((1, 2)))[0]))
