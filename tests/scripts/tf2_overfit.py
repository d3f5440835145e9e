# A net too large, with and without a penalty.
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers, regularizers

tf.random.set_seed(5)
np.random.seed(5)
x = np.random.randn(300, 10)
y = (x[:, 0] + 0.8 * np.random.randn(300) > 0).astype("float32")

def fitted(penalty):
    model = keras.Sequential([
        layers.Dense(64, activation='relu', kernel_regularizer=penalty, input_shape=(10,)),
        layers.Dense(64, activation='relu', kernel_regularizer=penalty),
        layers.Dense(1, activation='sigmoid')])
    model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
    return model.fit(x, y, epochs=80, batch_size=32, validation_split=0.5, verbose=0).history

plain, smooth = fitted(None), fitted(regularizers.l2(0.01))
print("learned by heart:", plain['accuracy'][-1] > 0.97)
print("gap is smaller:", plain['accuracy'][-1] - plain['val_accuracy'][-1] > smooth['accuracy'][-1] - smooth['val_accuracy'][-1])
