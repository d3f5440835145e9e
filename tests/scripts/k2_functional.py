from keras.layers import Input, Dense, BatchNormalization, Dropout
from keras.models import Model
from keras import regularizers, optimizers
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
import keras.backend as K
import numpy as np

np.random.seed(42)
data = np.random.random((1000, 10))
labels = (np.sum(data[:, :5], axis=1) > np.sum(data[:, 5:], axis=1)).astype('int')

# This returns a tensor
inputs = Input(shape=(10,))

# a layer instance is callable on a tensor, and returns a tensor
x = Dense(64, activation='relu')(inputs)
x = BatchNormalization()(x)
x = Dense(32, activation='relu', kernel_regularizer=regularizers.l2(0.0001))(x)
x = Dropout(0.1)(x)
predictions = Dense(1, activation='sigmoid')(x)

# This creates a model that includes the Input layer and the Dense layers
model = Model(inputs=inputs, outputs=predictions)
model.compile(optimizer=optimizers.Adam(lr=0.005), loss='binary_crossentropy', metrics=['accuracy'])
print('output of the first layer:', K.int_shape(model.layers[0].get_weights()[0]))
callbacks = [EarlyStopping(monitor='val_loss', patience=8), ReduceLROnPlateau(monitor='val_loss', factor=0.5, patience=3, verbose=0)]
history = model.fit(data, labels, epochs=60, batch_size=32, validation_split=0.2, callbacks=callbacks, verbose=0)
print('lr recorded:', 'lr' in history.history and len(history.history['lr']) == len(history.epoch))

# the features of the second to last layer
feature_model = Model(inputs=model.input, outputs=model.layers[-3].output)
features = feature_model.predict(data)
print('features:', features.shape)
loss, acc = model.evaluate(data[800:], labels[800:], verbose=0)
print('acc: %.3f' % acc)
