# The first network of many tutorials: a table in a CSV file, its last column the answer.
from io import StringIO
from numpy import loadtxt
import numpy
from keras.models import Sequential
from keras.layers import Dense

numpy.random.seed(7)
table = numpy.random.rand(500, 8).round(3)
answer = (table[:, 1] + table[:, 5] > 1).astype(int)
file = StringIO("\n".join(",".join(map(str, [*row, label])) for row, label in zip(table.tolist(), answer.tolist())))

dataset = loadtxt(file, delimiter=',')
X, y = dataset[:, 0:8], dataset[:, 8]
model = Sequential()
model.add(Dense(12, input_dim=8, activation='relu'))
model.add(Dense(8, activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, y, epochs=150, batch_size=10, verbose=0)
scores = model.evaluate(X, y)
print("\n%s: %.2f%%" % (model.metrics_names[1], scores[1] * 100))
rounded = [round(x[0]) for x in model.predict(X)]
print("first five:", [int(r) for r in rounded[:5]], y[:5].astype(int).tolist())
