"""Is a tumour benign? Thirty measurements of its cells tell. Needs scikit-learn, which ships the data."""

from nnlite.callbacks import EarlyStopping
from nnlite.layers import Dense, Normalization
from nnlite.models import Sequential
from nnlite.utils import set_random_seed

try:
    from sklearn.datasets import load_breast_cancer
    from sklearn.metrics import confusion_matrix
    from sklearn.model_selection import train_test_split
except ImportError:
    raise SystemExit("this example needs the data of scikit-learn: pip install scikit-learn") from None

set_random_seed(0)
x, y = load_breast_cancer(return_X_y=True)
x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
x_train, x_held, y_train, y_held = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)

standardize = Normalization()
standardize.adapt(x_train)  # mean and variance of the rows for training alone
model = Sequential([standardize, Dense(16, activation="relu"), Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy", "auc"])
stop = EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)
weights = {0: (y_train == 1).mean(), 1: (y_train == 0).mean()}  # both kinds count alike, though there is less of one
options = {"epochs": 300, "validation_data": (x_held, y_held), "class_weight": weights, "callbacks": [stop]}
history = model.fit(x_train, y_train, verbose=0, **options)

loss, accuracy, area = model.evaluate(x_test, y_test, verbose=0)
print(f"{len(history.epoch)} epochs, right on {len(y_test)} tumours never seen: {accuracy:.1%}, AUC {area:.3f}")
print("rows: malignant, benign; columns: taken for malignant, for benign")
print(confusion_matrix(y_test, model.predict_classes(x_test)))
