# Layers from the modules where Keras 1 kept them.
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Flatten, Reshape
from keras.layers.advanced_activations import LeakyReLU, ELU
from keras.layers.normalization import BatchNormalization
from keras import backend as K

np.random.seed(2)
images = np.random.rand(300, 4, 4)
brighter_left = (images[:, :, :2].sum(axis=(1, 2)) > images[:, :, 2:].sum(axis=(1, 2))).astype(int)

model = Sequential()
model.add(Flatten(input_shape=(4, 4)))
model.add(Dense(24))
model.add(BatchNormalization(mode=0))
model.add(LeakyReLU(alpha=0.1))
model.add(Dense(12))
model.add(ELU(alpha=1.0))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='nadam', metrics=['accuracy'])
model.fit(images, brighter_left, batch_size=30, nb_epoch=100, verbose=0)
print("layers:", " ".join(layer.__class__.__name__ for layer in model.layers))
print("image dim ordering:", K.image_dim_ordering())
print("accuracy:", model.evaluate(images, brighter_left, verbose=0)[1])
