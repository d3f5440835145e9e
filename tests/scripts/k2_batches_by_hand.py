# The loop of training written out.
import numpy as np
from keras.models import Sequential
from keras.layers import Dense

np.random.seed(10)
model = Sequential([Dense(16, activation='relu', input_dim=2), Dense(1, activation='sigmoid')])
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
for step in range(400):
    x = np.random.uniform(-1, 1, (32, 2))
    y = x[:, 0] * x[:, 1] > 0
    loss, accuracy = model.train_on_batch(x, y)
x = np.random.uniform(-1, 1, (500, 2))
print("names:", model.metrics_names)
print("right:", model.test_on_batch(x, x[:, 0] * x[:, 1] > 0)[1])
print("same:", (model.predict_on_batch(x[:10]) == model.predict(x)[:10]).all())
