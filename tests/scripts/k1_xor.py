# Exclusive or, in Keras 1's words.
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Activation
from keras.optimizers import SGD

np.random.seed(3)
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
y = np.array([[0], [1], [1], [0]], "float32")

model = Sequential()
model.add(Dense(output_dim=8, input_dim=2, init='glorot_normal'))
model.add(Activation('tanh'))
model.add(Dense(1))
model.add(Activation('sigmoid'))
model.compile(loss='binary_crossentropy', optimizer=SGD(lr=0.1), class_mode='binary')
model.fit(X, y, nb_epoch=2000, batch_size=1, verbose=0, show_accuracy=True)
print(model.predict_classes(X).ravel().tolist())
print("worst error %.3f" % np.abs(model.predict_proba(X) - y).max())
