# A table of the layers.
from keras.models import Sequential
from keras.layers import Dense, Dropout, BatchNormalization

model = Sequential()
model.add(Dense(64, activation='relu', input_dim=20))
model.add(BatchNormalization())
model.add(Dropout(0.5))
model.add(Dense(10, activation='softmax'))
model.summary()
print("parameters:", model.count_params())
lines = []
model.summary(print_fn=lines.append)
print("lines:", len("\n".join(lines).splitlines()))
