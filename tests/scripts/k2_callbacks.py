# What a callback sees.
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from keras.callbacks import Callback, LambdaCallback

class LossHistory(Callback):
    def on_train_begin(self, logs={}):
        self.losses = []
    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get('loss'))

class StopWhenGood(Callback):
    def on_epoch_end(self, epoch, logs=None):
        if logs['acc'] > 0.95:
            print("good enough")
            self.model.stop_training = True

np.random.seed(1)
x = np.random.rand(256, 3)
y = x[:, 0] > x[:, 1]
model = Sequential([Dense(10, activation='tanh', input_dim=3), Dense(1, activation='sigmoid')])
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
seen, epochs = LossHistory(), []
model.fit(x, y, epochs=300, verbose=0,
          callbacks=[seen, StopWhenGood(), LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))])
print("batches of each epoch:", len(seen.losses) / len(epochs))
print("stopped early:", len(epochs) < 300)
