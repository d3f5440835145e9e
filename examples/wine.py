"""Three vineyards, told apart by thirteen measurements of their wine. Needs scikit-learn, which ships the data."""

import numpy as np

from nnlite.callbacks import EarlyStopping
from nnlite.layers import Dense, Dropout
from nnlite.models import Sequential
from nnlite.optimizers import Adam
from nnlite.utils import set_random_seed, to_categorical

try:
    from sklearn.datasets import load_wine
    from sklearn.metrics import confusion_matrix
    from sklearn.model_selection import train_test_split
except ImportError:
    raise SystemExit("this example needs the data of scikit-learn: pip install scikit-learn") from None

set_random_seed(0)
x, y = load_wine(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)  # of the rows for training alone
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation

model = Sequential([Dense(16, activation="tanh", input_dim=13), Dropout(0.2), Dense(3, activation="softmax")])
model.compile(Adam(0.01), "categorical_crossentropy", metrics=["accuracy"])
stop = EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)
options = {"batch_size": 16, "epochs": 300, "validation_split": 0.2, "callbacks": [stop], "verbose": 0}
history = model.fit(x_train, to_categorical(y_train), **options)

taken_for = np.argmax(model.predict(x_test), axis=1)
print(f"{len(history.epoch)} epochs, right on {len(y_test)} wines never seen: {np.mean(taken_for == y_test):.1%}")
print("rows: the vineyard it is, columns: the vineyard it is taken for")
print(confusion_matrix(y_test, taken_for))
