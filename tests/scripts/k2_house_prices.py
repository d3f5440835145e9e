# A price from thirteen features, standardised by hand, with k-fold validation.
import numpy as np
from keras import models, layers

np.random.seed(42)
features = np.random.rand(404, 13) * np.arange(1, 14)
prices = 20 + features[:, 5] * 3 - features[:, 12] + np.random.randn(404)
features = (features - features.mean(axis=0)) / features.std(axis=0)

def build_model():
    model = models.Sequential()
    model.add(layers.Dense(64, activation='relu', input_shape=(features.shape[1],)))
    model.add(layers.Dense(64, activation='relu'))
    model.add(layers.Dense(1))
    model.compile(optimizer='rmsprop', loss='mse', metrics=['mae'])
    return model

k, scores, curves = 4, [], []
fold = len(features) // k
for i in range(k):
    print('processing fold #', i)
    held = slice(i * fold, (i + 1) * fold)
    rest_x = np.concatenate([features[:i * fold], features[(i + 1) * fold:]], axis=0)
    rest_y = np.concatenate([prices[:i * fold], prices[(i + 1) * fold:]], axis=0)
    model = build_model()
    history = model.fit(rest_x, rest_y, validation_data=(features[held], prices[held]),
                        epochs=80, batch_size=4, verbose=0)
    curves.append(history.history['val_mean_absolute_error'])
    val_mse, val_mae = model.evaluate(features[held], prices[held], verbose=0)
    scores.append(val_mae)
print("epochs recorded:", np.mean(curves, axis=0).shape[0])
print("mean absolute error below %d" % np.ceil(np.mean(scores)))
