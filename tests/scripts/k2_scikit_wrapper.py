import numpy
from keras.models import Sequential
from keras.layers import Dense
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from keras.utils import np_utils

# fix random seed for reproducibility
seed = 7
numpy.random.seed(seed)
X = numpy.random.uniform(-1, 1, size=(150, 4))
Y = numpy.array(['Iris-setosa', 'Iris-versicolor', 'Iris-virginica'])[numpy.digitize(X[:, 0] + X[:, 1], [-0.4, 0.4])]


# define baseline model
def baseline_model():
    # create model
    model = Sequential()
    model.add(Dense(8, input_dim=4, activation='relu'))
    model.add(Dense(3, activation='softmax'))
    # Compile model
    model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
    return model


estimator = KerasClassifier(build_fn=baseline_model, epochs=200, batch_size=5, verbose=0)
estimator.fit(X, Y)
print("Baseline: %.2f%%" % (estimator.score(X, Y) * 100))
print(estimator.predict(X[:3]), Y[:3])


def wider_model():
    model = Sequential()
    model.add(Dense(20, input_dim=4, kernel_initializer='normal', activation='relu'))
    model.add(Dense(1, kernel_initializer='normal'))
    model.compile(loss='mean_squared_error', optimizer='adam')
    return model


regressor = KerasRegressor(build_fn=wider_model, nb_epoch=100, batch_size=5, verbose=False)
regressor.fit(X, X[:, 0] - X[:, 2])
print("Wider: %.4f MSE" % regressor.score(X, X[:, 0] - X[:, 2]))
