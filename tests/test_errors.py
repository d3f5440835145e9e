"""Mistakes: each raises what scripts of every era expect, says what to do, and leaves the model as it was."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnlite import layers, optimizers
from nnlite.callbacks import EarlyStopping, LearningRateScheduler
from nnlite.errors import did_you_mean
from nnlite.layers import Dense, Dropout
from nnlite.models import Sequential, load_model

X = np.linspace(-1, 1, 20).reshape(10, 2)
Y = (X.sum(axis=1) > 0).astype(float)


def binary() -> Sequential:
    model = Sequential(
        [Dense(3, activation="relu", input_dim=2, name="first"), Dense(1, activation="sigmoid", name="last")]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def classes(loss: str) -> Sequential:
    model = Sequential([Dense(3, activation="softmax", input_dim=2, name="only")])
    model.compile("adam", loss)
    return model


def deferred() -> Sequential:
    model = Sequential([Dense(1)])
    model.compile("adam", "mse")
    return model


def uncompiled() -> Sequential:
    return Sequential([Dense(1, input_dim=2)])


# which model, what is done to it, what it must raise, and words the message must have
Mistake = tuple[Callable[[], Sequential], Callable[[Sequential], Any], tuple[type[Exception], ...], list[str]]
MISTAKES: dict[str, Mistake] = {
    "fit before compile": (uncompiled, lambda m: m.fit(X, Y), (RuntimeError, ValueError), ["compile("]),
    "evaluate before compile": (uncompiled, lambda m: m.evaluate(X, Y), (RuntimeError, ValueError), ["compile("]),
    "train_on_batch before compile": (
        uncompiled, lambda m: m.train_on_batch(X, Y), (RuntimeError, ValueError), ["compile("],
    ),
    "width in fit": (
        binary, lambda m: m.fit(np.ones((10, 3)), Y), (ValueError, RuntimeError),
        ["x ", "'first'", "(rows, 2)", "(10, 3)"],
    ),
    "width in evaluate": (binary, lambda m: m.evaluate(np.ones((10, 3)), Y), (ValueError,), ["x ", "'first'"]),
    "width in predict": (binary, lambda m: m.predict(np.ones((10, 3))), (ValueError,), ["x ", "'first'", "(10, 3)"]),
    "width of validation data": (
        binary, lambda m: m.fit(X, Y, validation_data=(np.ones((4, 3)), Y[:4])), (ValueError,),
        ["validation x", "(4, 3)"],
    ),
    "1-D data": (binary, lambda m: m.predict([0.0, 1.0]), (ValueError,), ["One row?", "x.reshape(1, -1)"]),
    "1-D data of many rows": (
        binary, lambda m: m.predict_classes(X[:, 1]), (ValueError,), ["expected 2 features, got 1", "1-D"],
    ),
    "3-D data": (binary, lambda m: m.predict(np.ones((4, 2, 1))), (ValueError,), ["x.reshape(-1, 2)"]),
    "3-D data, deferred": (deferred, lambda m: m.fit(np.ones((4, 2, 2)), Y[:4]), (ValueError,), ["Flatten()"]),
    "lengths": (binary, lambda m: m.fit(X, Y[:5]), (ValueError,), ["y ", "as many rows", "10", "(5,)"]),
    "width of y, binary": (binary, lambda m: m.fit(X, np.ones((10, 2))), (ValueError,), ["y ", "'last'", "received 2"]),
    "width of y, categorical": (
        lambda: classes("categorical_crossentropy"), lambda m: m.fit(X, np.ones((10, 2))), (ValueError,),
        ["y ", "3 columns", "'only'", "received 2"],
    ),
    "width of y in evaluate": (binary, lambda m: m.evaluate(X, np.ones((10, 2))), (ValueError,), ["y ", "received 2"]),
    "width of y, mse": (deferred, lambda m: m.fit(X, np.ones((10, 2))), (ValueError,), ["y ", "received 2"]),
    "class numbers with categorical_crossentropy": (
        lambda: classes("categorical_crossentropy"), lambda m: m.fit(X, Y), (ValueError,),
        ["to_categorical", "'sparse_categorical_crossentropy'"],
    ),
    "one-hot rows with the sparse loss": (
        lambda: classes("sparse_categorical_crossentropy"), lambda m: m.fit(X, np.eye(3)[[0] * 10]), (ValueError,),
        ["argmax"],
    ),
    "class number out of range": (
        lambda: classes("sparse_categorical_crossentropy"), lambda m: m.fit(X, Y + 2), (ValueError,),
        ["0 ... 2", "received 3"],
    ),
    "unknown optimizer": (binary, lambda m: m.compile("rsmprop", "mse"), (ValueError,), ["'rsmprop'", "'rmsprop'"]),
    "unknown loss": (
        binary, lambda m: m.compile("adam", "binary_crosentropy"), (ValueError,), ["'binary_crossentropy'"],
    ),
    "unknown metric": (binary, lambda m: m.compile("adam", "mse", ["acuracy"]), (ValueError,), ["'accuracy'"]),
    "unknown initializer": (
        binary, lambda m: m.add(Dense(1, kernel_initializer="glorot_unifrm")), (ValueError,), ["'glorot_uniform'"],
    ),
    "unknown regularizer": (binary, lambda m: m.add(Dense(1, kernel_regularizer="l3")), (ValueError,), ["l1_l2"]),
    "unknown constraint": (binary, lambda m: m.add(Dense(1, bias_constraint="max_nrm")), (ValueError,), ["'max_norm'"]),
    "unknown kind of layer": (
        binary, lambda m: Sequential.from_config([{"class_name": "Dens", "config": {"units": 1}}]), (ValueError,),
        ["'Dens'", "'dense'"],
    ),
    "layer Keras has and nnlite has not": (
        binary, lambda m: layers.Conv2D(8, 3), (NotImplementedError, ValueError), ["Conv2D"],
    ),
    "unknown optimizer, deferred": (deferred, lambda m: m.compile("rsmprop", "mse"), (ValueError,), ["'rmsprop'"]),
    "unknown loss, deferred": (deferred, lambda m: m.compile("adam", "msee"), (ValueError,), ["'mse'"]),
    "unknown metric, deferred": (
        deferred, lambda m: m.compile("adam", "mse", ["acuracy"]), (ValueError,), ["'accuracy'"],
    ),
    "two losses": (binary, lambda m: m.compile("adam", ["mse", "mae"]), (ValueError,), ["loss", "one output"]),
    "target_tensors": (
        binary, lambda m: m.compile("adam", "mse", target_tensors=[Y]), (ValueError,), ["target_tensors"],
    ),
    "weighted_metrics": (
        binary, lambda m: m.compile("adam", "mse", weighted_metrics=["maee"]), (ValueError,), ["maee"],
    ),
    "unknown argument of fit": (binary, lambda m: m.fit(X, Y, epoch=3), (TypeError,), ["'epoch'", "'epochs'"]),
    "unknown argument of compile": (
        binary, lambda m: m.compile("adam", "mse", metric=["mae"]), (TypeError,), ["'metric'", "'metrics'"],
    ),
    "unknown argument of an optimizer": (
        binary, lambda m: optimizers.SGD(momentun=1), (TypeError, ValueError), ["'momentun'"],
    ),
    "unknown argument of a layer": (
        binary, lambda m: m.add(Dense(1, activaton="relu")), (TypeError, ValueError), ["'activation'"],
    ),
    "Dense without units": (binary, lambda m: m.add(Dense()), (TypeError,), ["units"]),  # type: ignore[call-arg]
    "Dense of a word": (binary, lambda m: m.add(Dense("a")), (ValueError,), ["units", "'a'"]),  # type: ignore[arg-type]
    "Dense(0)": (binary, lambda m: m.add(Dense(0)), (ValueError,), ["units", "received 0"]),
    "unknown activation": (binary, lambda m: m.add(Dense(1, "rleu")), (ValueError,), ["'relu'"]),
    "no layer": (binary, lambda m: m.add("dense"), (TypeError, ValueError), ["'dense'"]),  # type: ignore[arg-type]
    "pop of nothing": (Sequential, lambda m: m.pop(), (TypeError, IndexError), ["no layer"]),
    "split that leaves nothing": (
        binary, lambda m: m.fit(X, Y, validation_split=0.99), (ValueError,), ["validation_split", "0 for training"],
    ),
    "split out of range": (binary, lambda m: m.fit(X, Y, validation_split=1.5), (ValueError,), ["validation_split"]),
    "no rows": (binary, lambda m: m.fit(np.empty((0, 2)), np.empty(0)), (ValueError,), ["x ", "at least one row"]),
    "no rows to evaluate": (
        binary, lambda m: m.evaluate(np.empty((0, 2)), np.empty(0)), (ValueError,), ["at least one row"],
    ),
    "no validation rows": (
        binary, lambda m: m.fit(X, Y, validation_data=(X[:0], Y[:0])), (ValueError,), ["validation x"],
    ),
    "weights": (binary, lambda m: m.set_weights([np.ones((2, 3))]), (ValueError,), ["4 arrays", "received 1"]),
    "shape of a model's weights": (
        binary, lambda m: m.set_weights([w.T for w in m.get_weights()]), (ValueError,), ["(2, 3)", "(3, 2)"],
    ),
    "number of a layer's weights": (
        binary, lambda m: m.layers[0].set_weights([np.ones((2, 3))]), (ValueError,), ["2 arrays", "received 1"],
    ),
    "shape of weights": (
        binary, lambda m: m.layers[0].set_weights([np.ones((3, 2)), np.ones(3)]), (ValueError,), ["(2, 3)", "(3, 2)"],
    ),
    "unknown layer": (binary, lambda m: m.get_layer("middle"), (ValueError,), ["'middle'", "first, last"]),
    "layer number that is not there": (binary, lambda m: m.get_layer(index=2), (ValueError,), ["2"]),
    "missing file": (
        binary, lambda m: load_model("no such file.h5"), (FileNotFoundError, ValueError), ["no such file.h5"],
    ),
    "missing file of weights": (
        binary, lambda m: m.load_weights("no such file"), (FileNotFoundError, ValueError), ["no such file"],
    ),
    "rate of dropout": (binary, lambda m: m.add(Dropout(1.5)), (ValueError,), ["rate", "1.5"]),
    "counting too early": (deferred, lambda m: m.count_params(), (ValueError, RuntimeError), ["build("]),
    "text": (binary, lambda m: m.fit(X.astype(str), Y), (TypeError, ValueError), ["x ", "astype('float32')"]),
    "names of classes": (
        binary, lambda m: m.fit(X, ["cat", "dog"] * 5), (TypeError, ValueError),
        ["y ", "np.unique(y, return_inverse=True)"],
    ),
    "labels of one's own": (binary, lambda m: m.fit(X, [1, 2] * 5), (ValueError,), ["y must be 0, 1", "received 2"]),
    "times": (binary, lambda m: m.predict(X.astype("M8[D]")), (TypeError, ValueError), ["x ", "np.timedelta64"]),
    "masked values": (
        binary, lambda m: m.predict(np.ma.array(X, mask=X > 0.9)), (TypeError, ValueError), ["masked", "x.filled(0)"],
    ),
    "objects": (binary, lambda m: m.fit(X, Y.astype(object)), (TypeError, ValueError), ["y ", "astype('float32')"]),
    "fit without y": (binary, lambda m: m.fit(X), (ValueError,), ["y must be an array", "None"]),
    "fit without x": (binary, lambda m: m.fit(), (ValueError,), ["x must be an array"]),
    "batch_size": (binary, lambda m: m.fit(X, Y, batch_size=-1), (ValueError,), ["batch_size", "-1"]),
    "no batch_size": (binary, lambda m: m.evaluate(X, Y, batch_size=0), (ValueError,), ["batch_size", "received 0"]),
    "sample_weight_mode": (
        binary, lambda m: m.compile("adam", "mse", sample_weight_mode="temporal"), (ValueError,),
        ["sample_weight_mode"],
    ),
    "epochs": (binary, lambda m: m.fit(X, Y, epochs=2.5), (ValueError,), ["epochs", "2.5"]),
    "verbose": (binary, lambda m: m.fit(X, Y, verbose=7), (ValueError,), ["verbose", "7"]),
    "callbacks": (binary, lambda m: m.fit(X, Y, callbacks=["early"]), (TypeError,), ["callbacks", "'early'"]),
    "validation_data": (binary, lambda m: m.fit(X, Y, validation_data=X), (ValueError,), ["(x, y)"]),
    "validation_freq": (binary, lambda m: m.fit(X, Y, validation_freq=0), (ValueError,), ["validation_freq"]),
    "steps_per_epoch": (binary, lambda m: m.fit(X, Y, steps_per_epoch=0), (ValueError,), ["steps_per_epoch"]),
    "validation_batch_size": (
        binary, lambda m: m.fit(X, Y, validation_batch_size=1.5), (ValueError,), ["validation_batch_size", "1.5"],
    ),
    "y beside batches": (binary, lambda m: m.fit(iter([(X, Y)]), Y), (ValueError, TypeError), ["y must not be given"]),
    "validation_split of batches": (
        binary, lambda m: m.fit(iter([(X, Y)]), validation_split=0.2), (ValueError,), ["validation_data"],
    ),
    "batches without targets": (binary, lambda m: m.fit(iter([X])), (TypeError,), ["(x, y)", "received a ndarray"]),
    "batches of one": (binary, lambda m: m.evaluate(iter([(X,)])), (TypeError,), ["(x, y)", "tuple of 1"]),
    "no batches": (binary, lambda m: m.fit(iter(())), (ValueError,), ["x must give at least one batch"]),
    "width in a batch": (binary, lambda m: m.fit(iter([(X[:, :1], Y)])), (ValueError,), ["'first'", "(10, 1)"]),
    "validation on a generator": (
        binary, lambda m: m.fit(X, Y, validation_data=iter([(X, Y)])), (ValueError,), ["validation_steps"],
    ),
    "fit_generator": (
        binary, lambda m: m.fit_generator(iter([(X, Y)]), step_per_epoch=1), (TypeError,), ["'steps_per_epoch'"],
    ),
    "sample_weight": (
        binary, lambda m: m.fit(X, Y, sample_weight=Y[:3]), (ValueError,), ["sample_weight", "(10,)", "(3,)"],
    ),
    "class_weight": (binary, lambda m: m.fit(X, Y, class_weight={0: 1}), (ValueError,), ["class_weight", "[1]"]),
    "ragged rows": (binary, lambda m: m.fit([[1, 2], [3]], [0, 1]), (ValueError,), ["x ", "rectangular"]),
    "ragged validation": (
        binary, lambda m: m.fit(X, Y, validation_data=([[1], [2, 3]], [0, 1])), (ValueError,), ["validation x"],
    ),
}  # fmt: skip


def state_of(model: Sequential) -> Any:
    """Everything a mistake must not change."""
    seen: list[Any] = [model.built, [layer.name for layer in model.layers], model.loss, model.optimizer, model.history]
    seen += [[layer.built, len(layer.weights)] for layer in model.layers]
    if model.built and model.layers:
        state = model.engine.state
        seen += [{key: value for key, value in state.items()}, model.engine.view().tolist()]
        seen += [model.engine.read(2 + slot, 0).tolist() for slot in range(model.engine.slots)]
    return seen


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    make, act, errors, words = MISTAKES[name]
    model = make()
    if model.loss is not None and model.built:
        model.fit(
            X, Y if model.output_shape == (None, 1) or "sparse" in model.loss.name else np.eye(3)[[0] * 10], verbose=0
        )
    before = state_of(model)
    with pytest.raises(errors[0]) as raised:
        act(model)
    assert isinstance(raised.value, errors)
    assert all(isinstance(raised.value, error) for error in errors)
    for word in words:
        assert word in str(raised.value), f"{word!r} is missing from {str(raised.value)!r}"
    assert state_of(model) == before
    assert capsys.readouterr().out == ""


def test_predict_needs_no_compile() -> None:
    assert uncompiled().predict(X).shape == (10, 1)


def test_one_metric_needs_no_list() -> None:
    model = uncompiled()
    model.compile("adam", "mse", metrics="mae")
    assert len(model.evaluate(X, Y, verbose=0)) == 2


def test_summary_of_what_is_not_built(capsys: pytest.CaptureFixture[str]) -> None:
    deferred().summary()
    assert "?" in capsys.readouterr().out


def test_value_that_is_not_there_is_only_warned_of() -> None:
    with pytest.warns(RuntimeWarning, match=r"watches 'val_loss', which is not there. Available are: loss, acc"):
        binary().fit(X, Y, epochs=2, verbose=0, callbacks=[EarlyStopping("val_loss")])


def test_a_schedule_may_return_a_whole_number() -> None:
    model = binary()
    model.fit(X, Y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 1)])
    assert model.optimizer.learning_rate == 1


def test_nan_in_data_is_no_mistake() -> None:
    x = X.copy()
    x[3, 1] = np.nan
    assert np.isnan(uncompiled().predict(x)).sum() == 1


@pytest.mark.parametrize(
    ("name", "hint"), [("adm", " Did you mean 'adam'?"), ("ADAM", " Did you mean 'adam'?"), ("zzz", "")]
)
def test_suggestions(name: str, hint: str) -> None:
    assert did_you_mean(name, ["adam", "sgd"]) == hint
