"""What users of small dense nets complained about in other libraries' issue threads, each as what must hold here.

Speed is measured in benches/, memory in test_memory.py, the same bits in test_bits.py, messages in test_errors.py.
"""

import gc
import json
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnlite
from nnlite import _engine, optimizers
from nnlite.layers import BatchNormalization, Dense
from nnlite.models import Sequential, load_model

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.float32)


def made(**options: Any) -> Sequential:
    model = Sequential([Dense(8, activation="relu", input_dim=3), Dense(1, activation="sigmoid")], **options)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def test_all_ways_to_predict_are_one() -> None:
    """Predictions slowed down once a model was compiled, and differed in speed by three hundred."""
    model = Sequential([Dense(8, activation="relu", input_dim=3), Dense(1)])
    before = model.predict(X)
    model.compile("adam", "mse")
    for outputs in (model.predict(X), model.predict_on_batch(X), model(X).numpy(), model.predict(X, batch_size=7)):
        assert outputs.tolist() == before.tolist()
    assert [model.predict(row[None]).tolist() for row in X] == [[row] for row in before.tolist()]


def test_fit_and_train_on_batch_are_one() -> None:
    """Loops over fit of one row had to be rewritten with train_on_batch."""
    one, other = made(seed=1), made(seed=1)
    for row in range(20):
        history = one.fit(X[row : row + 1], Y[row : row + 1], verbose=0).history
        assert other.train_on_batch(X[row : row + 1], Y[row : row + 1]) == [history["loss"][0], history["acc"][0]]
    assert [w.tolist() for w in one.get_weights()] == [w.tolist() for w in other.get_weights()]


def test_models_made_in_a_loop_go_with_their_last_name() -> None:
    """Memory grew with every model of a grid search, and clear_session helped but in part."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            model = made()
            model.fit(X, Y, verbose=0, validation_split=0.2, callbacks=[nnlite.callbacks.EarlyStopping()])
            model.evaluate(X, Y, verbose=0)
            gone = [weakref.ref(thing) for thing in (model, model.engine, model.layers[0], model.optimizer)]
            del model
            assert [ref() for ref in gone] == [None] * 4
    finally:
        gc.enable()


def test_repeated_fits_leave_nothing_that_could_slow_the_next() -> None:
    """Each call of fit took longer than the one before."""
    model = made()

    def things() -> int:
        for _ in range(30):
            model.fit(X, Y, verbose=0)
        gc.collect()
        return len(gc.get_objects())

    things()
    first = things()
    assert things() <= first


def test_import_is_of_few_modules() -> None:
    """Importing took seconds. Beyond NumPy it is a few dozen small modules, and none of anybody else."""
    code = "import json, sys, numpy; before = set(sys.modules); import nnlite; "
    code += "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    others = set(json.loads(done.stdout)) - {"nnlite", "numpy", *sys.stdlib_module_names}
    assert all("cython" in name for name in others), others


def test_package_is_small() -> None:
    """Wheels grew to 500 MB."""
    folder = Path(nnlite.__file__).parent
    python = sum(path.stat().st_size for path in folder.rglob("*.py"))
    assert python + Path(_engine.__file__).stat().st_size < 4 << 20


def test_one_seed_is_enough() -> None:
    """Runs differed though NumPy's seed was set, for other generators had their own."""

    def run() -> list[Any]:
        np.random.seed(7)  # noqa: NPY002 - what scripts do
        model = Sequential([Dense(8, input_dim=3), nnlite.layers.Dropout(0.5), Dense(1)])
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=2, verbose=0)
        return [array.tolist() for array in model.get_weights()]

    assert run() == run()


def test_predict_classes_stays() -> None:
    assert made().predict_classes(X).shape == (60, 1)


@pytest.mark.parametrize("kind", [optimizers.SGD, optimizers.Adam, optimizers.RMSprop])
def test_lr_counts(kind: Any) -> None:
    """An lr= was taken and ignored."""
    still, moved = made(seed=1), made(seed=1)
    before = still.get_weights()[0].tolist()
    still.compile(kind(lr=0), "mse")
    moved.compile(kind(lr=0.1), "mse")
    for model in (still, moved):
        model.fit(X, Y, verbose=0)
    assert still.get_weights()[0].tolist() == before != moved.get_weights()[0].tolist()


@pytest.mark.parametrize("era", ["keras2", "keras3"])
def test_history_answers_to_every_name(era: str) -> None:
    """KeyError: 'acc', or 'accuracy'."""
    nnlite.config.set_compat(era)
    try:
        history = made().fit(X, Y, validation_split=0.2, verbose=0).history
    finally:
        nnlite.config.set_compat("keras2")
    assert history["acc"] == history["accuracy"] and history["val_acc"] == history["val_accuracy"]


def test_batch_normalization_is_good_after_enough_updates() -> None:
    """Good in training, bad in prediction on the same rows: the moving statistics need some hundred batches."""
    model = Sequential([BatchNormalization(input_shape=(3,)), Dense(8, "relu"), Dense(1, "sigmoid")], seed=1)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(X * 50 + 100, Y, epochs=150, batch_size=10, verbose=0).history
    assert history["acc"][-1] > 0.85
    assert abs(model.evaluate(X * 50 + 100, Y, verbose=0)[1] - history["acc"][-1]) < 0.1


@pytest.mark.parametrize("verbose", [1, 2])
def test_logs_are_not_flooded(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for every step, or backspaces, in files: there an epoch has a header and one line."""
    made().fit(X, Y, epochs=3, batch_size=1, verbose=verbose)
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 6 and not {"\b", "\r", "\x1b"} & set(printed)


def test_saved_model_needs_no_other_package(tmp_path: Path) -> None:
    made(seed=3).save(tmp_path / "net")
    assert load_model(tmp_path / "net").predict(X).tolist() == made(seed=3).predict(X).tolist()
