# Seven-segment digits, in Keras 3's words.
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(812)
segments = np.array([[int(bit) for bit in f"{n:07b}"] for n in (119, 36, 93, 109, 46, 107, 123, 37, 127, 111)])
labels = np.random.randint(0, 10, 2000)
x = segments[labels] + np.random.normal(0, 0.2, (2000, 7))

model = keras.Sequential(
    [
        keras.Input(shape=(7,)),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.1),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(1e-2), metrics=["accuracy"])
model.fit(x[:1600], labels[:1600], batch_size=128, epochs=30, validation_split=0.1, verbose=0)
score = model.evaluate(x[1600:], labels[1600:], verbose=0, return_dict=True)
print("Test accuracy:", score["accuracy"])
