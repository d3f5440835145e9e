"""Handwritten digits in eight by eight pixels. Needs scikit-learn, which ships the data."""

from nnlite.callbacks import EarlyStopping
from nnlite.layers import Dense, Normalization
from nnlite.models import Sequential
from nnlite.utils import set_random_seed

try:
    from sklearn.datasets import load_digits
    from sklearn.metrics import confusion_matrix
    from sklearn.model_selection import train_test_split
except ImportError:
    raise SystemExit("this example needs the data of scikit-learn: pip install scikit-learn") from None

set_random_seed(0)
x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)

standardize = Normalization(axis=None)  # one mean for all pixels: some are never inked in the rows for training
standardize.adapt(x_train)
hidden = [Dense(64, activation="relu"), Dense(32, activation="relu")]
model = Sequential([standardize, *hidden, Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
stop = EarlyStopping(monitor="val_accuracy", patience=10, restore_best_weights=True)
history = model.fit(x_train, y_train, epochs=100, validation_split=0.2, callbacks=[stop], verbose=0)

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"{len(history.epoch)} epochs, right on {len(y_test)} digits never seen: {accuracy:.1%}")
print("rows: the digit it is, columns: the digit it is taken for")
print(confusion_matrix(y_test, model.predict_classes(x_test)))
