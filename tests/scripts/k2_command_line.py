# Options of the command line, and a model from a function.
import argparse
import numpy as np
from keras.models import Sequential
from keras.layers import Dense

parser = argparse.ArgumentParser()
parser.add_argument('--epochs', type=int, default=1)
parser.add_argument('--hidden', type=int, nargs='*', default=[4])
options = parser.parse_args()

if __name__ == '__main__':
    np.random.seed(0)
    layers = [Dense(units, activation='relu') for units in options.hidden]
    model = Sequential(layers + [Dense(1)])
    model.compile(optimizer='rmsprop', loss='mae')
    history = model.fit(np.ones((10, 3)), np.ones(10), epochs=options.epochs, verbose=0)
    print("epochs:", len(history.epoch), "parameters:", model.count_params())
