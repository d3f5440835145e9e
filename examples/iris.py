"""Three kinds of iris, told apart by four lengths of a flower. Needs scikit-learn, which ships the data."""

import numpy as np

from nnlite.callbacks import EarlyStopping
from nnlite.layers import Dense, Normalization
from nnlite.models import Sequential
from nnlite.optimizers import Adam
from nnlite.utils import set_random_seed

try:
    from sklearn.datasets import load_iris
    from sklearn.metrics import confusion_matrix
    from sklearn.model_selection import train_test_split
except ImportError:
    raise SystemExit("this example needs the data of scikit-learn: pip install scikit-learn") from None

set_random_seed(0)
x, y = load_iris(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)

standardize = Normalization()
standardize.adapt(x_train)  # mean and variance of the rows for training alone
model = Sequential([standardize, Dense(16, activation="relu"), Dense(3, activation="softmax")])
model.compile(Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
stop = EarlyStopping(monitor="val_loss", patience=20, restore_best_weights=True)
history = model.fit(x_train, y_train, epochs=500, validation_split=0.2, callbacks=[stop], verbose=0)

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"{len(history.epoch)} epochs, right on {len(y_test)} flowers never seen: {accuracy:.1%}")
print("rows: the kind it is, columns: the kind it is taken for")
print(confusion_matrix(y_test, np.argmax(model.predict(x_test), axis=1)))
