# Three kinds, called by words, from four measurements.
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from keras.utils import to_categorical

np.random.seed(11)
middles = {"short": (5.0, 3.4, 1.5, 0.2), "broad": (5.9, 2.8, 4.3, 1.3), "long": (6.6, 3.0, 5.6, 2.0)}
x = np.concatenate([np.random.normal(m, 0.3, (50, 4)) for m in middles.values()])
words = np.repeat(list(middles), 50)
names, numbers = np.unique(words, return_inverse=True)
y = to_categorical(numbers, num_classes=3)
order = np.random.permutation(150)
train, test = order[:120], order[120:]

model = Sequential([
    Dense(16, activation='relu', input_shape=(4,)),
    Dense(16, activation='relu'),
    Dense(3, activation='softmax'),
])
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['acc'])
model.fit(x[train], y[train], validation_split=0.1, epochs=100, batch_size=8, verbose=0)
predicted = model.predict_classes(x[test])
confusion = np.zeros((3, 3), int)
for actual, guess in zip(numbers[test], predicted):
    confusion[actual, guess] += 1
print(confusion)
print("right:", np.trace(confusion), "of", confusion.sum())
print("example:", names[predicted[0]], "is", words[test][0])
