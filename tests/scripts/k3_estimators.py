import keras
import numpy as np
from keras.layers import Dense, Input
from keras.models import Model
from keras.wrappers import SKLearnClassifier, SKLearnRegressor


def dynamic_model(X, y, loss, layers=[10]):
    # Creates a basic MLP model dynamically choosing the input and output shapes.
    n_features_in = X.shape[1]
    inp = Input(shape=(n_features_in,))

    hidden = inp
    for layer_size in layers:
        hidden = Dense(layer_size, activation="relu")(hidden)

    n_outputs = y.shape[1] if len(y.shape) > 1 else 1
    out = Dense(n_outputs, activation="softmax" if n_outputs > 1 else None)(hidden)
    model = Model(inp, out)
    model.compile(loss=loss, optimizer=keras.optimizers.RMSprop(0.01))
    return model


rng = np.random.default_rng(0)
X = rng.normal(size=(300, 5))
y = np.where(X[:, 0] + X[:, 1] > 0, "up", "down")
est = SKLearnClassifier(model=dynamic_model, model_kwargs={"loss": "categorical_crossentropy", "layers": [20, 20]})
est.fit(X, y, epochs=30, verbose=0)
print("score:", est.score(X, y), est.classes_)
reg = SKLearnRegressor(model=dynamic_model, model_kwargs={"loss": "mse"}, fit_kwargs={"epochs": 60, "verbose": 0})
print("r2:", reg.fit(X, X[:, 0]).score(X, X[:, 0]))
