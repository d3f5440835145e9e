# Data normalized and cut with keras.utils, results in a table.
import numpy as np
import keras

keras.utils.set_random_seed(7)
angles = np.random.uniform(0, 2 * np.pi, 900)
x = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.random.uniform(1, 9, (900, 1))
quarter = (angles // (np.pi / 2)).astype("int64")
x = keras.utils.normalize(x, axis=-1)
(x_train, y_train), (x_test, y_test) = keras.utils.split_dataset((x, quarter), left_size=0.8, shuffle=True, seed=1)

model = keras.Sequential(name="quarters")
model.add(keras.layers.Dense(24, activation="relu", kernel_initializer="he_uniform"))
model.add(keras.layers.Dense(4))
model.add(keras.layers.Softmax())
model.compile("adam", "categorical_crossentropy", metrics=["categorical_accuracy"])
model.fit(x_train, keras.utils.to_categorical(y_train, 4), epochs=60, verbose=0)
guess = np.argmax(model.predict(x_test), axis=1)
table = np.array([[np.sum((y_test == i) & (guess == j)) for j in range(4)] for i in range(4)])
print(table)
print("right:", np.trace(table) / table.sum())
