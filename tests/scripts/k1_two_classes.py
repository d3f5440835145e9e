# Two classes as two columns; np_utils makes them.
import numpy as np
np.random.seed(1337)
from keras.models import Sequential
from keras.layers import Dense, Activation, Dropout
from keras.utils import np_utils

nb_classes, nb_epoch = 2, 60
points = np.random.uniform(-1, 1, (600, 2))
inside = (points ** 2).sum(axis=1) < 0.6
Y = np_utils.to_categorical(inside, nb_classes)

model = Sequential()
model.add(Dense(32, input_shape=(2,)))
model.add(Activation('relu'))
model.add(Dropout(0.1))
model.add(Dense(nb_classes))
model.add(Activation('softmax'))
model.compile('rmsprop', 'categorical_crossentropy', metrics=['accuracy'])
history = model.fit(points[:500], Y[:500], batch_size=16, nb_epoch=nb_epoch, verbose=2, validation_data=(points[500:], Y[500:]))
score = model.evaluate(points[500:], Y[500:], verbose=0)
print('Test score:', score[0])
print('Test accuracy:', score[1])
print('Epochs:', len(history.history['val_acc']))
