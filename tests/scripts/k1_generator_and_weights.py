from __future__ import print_function
import os
import tempfile
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Dropout, Activation
from keras.optimizers import SGD
from keras.utils import np_utils
from keras.regularizers import WeightRegularizer, l2
from keras.constraints import maxnorm

np.random.seed(1337)  # for reproducibility

nb_classes = 3
X = np.random.randn(900, 4)
y = np.argmax(np.dot(X, np.random.randn(4, nb_classes)), axis=1)
Y = np_utils.to_categorical(y, nb_classes)


def batches(size=30):
    while 1:
        for start in range(0, 600, size):
            yield X[start:start + size], Y[start:start + size]


model = Sequential()
model.add(Dense(output_dim=32, input_dim=4, init='he_normal', W_regularizer=WeightRegularizer(l2=1e-5), W_constraint=maxnorm(m=4)))
model.add(Activation('relu'))
model.add(Dropout(p=0.1))
model.add(Dense(output_dim=nb_classes, W_regularizer=l2(l=1e-5), bias=True))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer=SGD(lr=0.05, decay=1e-6, momentum=0.9, nesterov=True), metrics=['accuracy'])
history = model.fit_generator(batches(), samples_per_epoch=600, nb_epoch=15, verbose=0, validation_data=(X[600:], Y[600:]), nb_worker=1)
print(sorted(history.history.keys()))

path = os.path.join(tempfile.mkdtemp(), 'weights.nn')
model.save_weights(path, overwrite=True)
before = model.predict_proba(X[600:], verbose=0)
model.set_weights([w * 0 for w in model.get_weights()])
model.load_weights(path)
print('restored:', bool((model.predict_proba(X[600:], verbose=0) == before).all()))
print('right: %.3f' % np.mean(model.predict_classes(X[600:], verbose=0) == y[600:]))
