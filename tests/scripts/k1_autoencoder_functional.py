# a simple autoencoder, as in the Keras blog
from keras.layers import Input, Dense
from keras.models import Model
import numpy as np

np.random.seed(7)
encoding_dim = 3
hidden = np.random.rand(500, 3)
x = np.dot(hidden, np.random.rand(3, 16))
x = x / x.max()
x_train, x_test = x[:400], x[400:]

# this is our input placeholder
input_row = Input(shape=(16,))
encoded = Dense(encoding_dim, activation='linear', init='uniform')(input_row)
decoded = Dense(16, activation='sigmoid')(encoded)

autoencoder = Model(input=input_row, output=decoded)
encoder = Model(input=input_row, output=encoded)

# create a placeholder for an encoded input, and retrieve the last layer of the autoencoder model
encoded_input = Input(shape=(encoding_dim,))
decoder_layer = autoencoder.layers[-1]
decoder = Model(input=encoded_input, output=decoder_layer(encoded_input))

autoencoder.compile(optimizer='adadelta', loss='mean_squared_error')
autoencoder.fit(x_train, x_train,
                nb_epoch=200,
                batch_size=32,
                shuffle=True,
                verbose=0,
                validation_data=(x_test, x_test))

encoded_rows = encoder.predict(x_test)
decoded_rows = decoder.predict(encoded_rows)
print('codes', encoded_rows.shape)
print('same as the whole: %s' % np.allclose(decoded_rows, autoencoder.predict(x_test)))
print('share explained: %.3f' % (1 - np.mean((decoded_rows - x_test) ** 2) / np.var(x_test)))
