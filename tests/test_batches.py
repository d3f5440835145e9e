"""Training, evaluation and prediction on batches the user makes: the same steps as on arrays, in whatever form."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nnlite import metrics
from nnlite.batches import GivenBatches, gives_batches
from nnlite.callbacks import LambdaCallback
from nnlite.layers import BatchNormalization, Dense, Dropout
from nnlite.models import Sequential
from nnlite.utils import PyDataset
from nnlite.utils import Sequence as BatchSequence

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (50, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.float32)
PARTS = [(X[start : start + 16], Y[start : start + 16]) for start in range(0, 50, 16)]


def made(loss: Any = "binary_crossentropy", chosen: Any = ("accuracy",), built: bool = True) -> Sequential:
    first = {"input_dim": 3} if built else {}
    model = Sequential(
        [Dense(4, activation="tanh", **first), BatchNormalization(), Dropout(0.25), Dense(1, activation="sigmoid")],
        seed=7,
    )
    model.compile("adam", loss, metrics=chosen)
    return model


def weights_of(model: Sequential) -> list[list[Any]]:
    return [array.tolist() for array in model.get_weights()]


def forever(parts: Any = tuple(PARTS)) -> Iterator[Any]:
    while True:
        yield from parts


class Parts(BatchSequence):
    """PARTS as a Sequence that knows what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []
        self.ended = 0

    def __len__(self) -> int:
        return len(PARTS)

    def __getitem__(self, index: int) -> Any:
        self.asked.append(index)
        return PARTS[index]

    def on_epoch_end(self) -> None:
        self.ended += 1


class Loader:
    """Iterable again and again, as data loaders are."""

    def __iter__(self) -> Iterator[Any]:
        return iter(PARTS)


FORMS: dict[str, tuple[Any, Any]] = {
    "generator": (forever, 4),
    "Sequence": (Parts, None),
    "Sequence with steps": (Parts, 4),
    "loader": (Loader, None),
    "loader with steps": (Loader, 4),
    "lists": (lambda: forever([list(part) for part in PARTS]), 4),
    "float64": (lambda: forever([(x.astype(float), y[:, None]) for x, y in PARTS]), 4),
}


@pytest.mark.parametrize("form", FORMS)
def test_same_training_as_on_arrays(form: str) -> None:
    make, steps = FORMS[form]
    model, other = made(built=form != "generator"), made()
    history = model.fit(make(), epochs=3, steps_per_epoch=steps, shuffle=False, verbose=0)
    expected = other.fit(X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    assert weights_of(model) == weights_of(other)
    assert history.epoch == [0, 1, 2]
    assert list(history.history) == list(expected.history)
    for name, values in expected.history.items():
        assert history.history[name] == pytest.approx(values, rel=1e-12)


def test_loss_and_metric_in_python() -> None:
    def error(y_true: Any, y_pred: Any) -> Any:
        return ((y_pred - y_true) ** 2).mean(axis=-1)

    for arguments in ((error, ["accuracy"]), ("mse", [error])):
        model, other = made(*arguments), made(*arguments)
        history = model.fit(Loader(), epochs=2, verbose=0, validation_data=(X, Y))
        expected = other.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y))
        assert weights_of(model) == weights_of(other)
        assert history.history["loss"] == expected.history["loss"]
        assert history.history["val_loss"] == pytest.approx(expected.history["val_loss"], rel=1e-6)


def test_sample_and_class_weights() -> None:
    weights = (Y + 1).astype(np.float32)
    weighted = [(*part, weights[16 * i : 16 * i + 16]) for i, part in enumerate(PARTS)]
    model, other, by_class = made(), made(), made()
    model.fit(forever(weighted), steps_per_epoch=4, verbose=0)
    other.fit(X, Y, batch_size=16, shuffle=False, sample_weight=weights, verbose=0)
    by_class.fit(Loader(), class_weight={0: 1, 1: 2}, verbose=0)
    assert weights_of(model) == weights_of(other) == weights_of(by_class)


def test_epochs_that_do_not_end_with_the_data() -> None:
    model, other = made(), made()
    history = model.fit(forever(), steps_per_epoch=3, epochs=2, verbose=0)
    for x, y in [*PARTS, *PARTS[:2]]:
        other.train_on_batch(x, y)
    assert weights_of(model) == weights_of(other) and history.epoch == [0, 1]


def test_batches_of_growing_size() -> None:
    model, other = made(), made()
    parts = [(X[:1], Y[:1]), (X[1:45], Y[1:45]), (X[45:], Y[45:])]
    history = model.fit(iter(parts), verbose=0)
    losses = [other.train_on_batch(x, y)[0] for x, y in parts]
    assert weights_of(model) == weights_of(other)
    assert history.history["loss"] == [pytest.approx(np.average(losses, weights=[1, 44, 5]), rel=1e-12)]


class TestSequence:
    def test_is_shuffled_and_told(self) -> None:
        parts, again = Parts(), Parts()
        made().fit(parts, epochs=3, verbose=0)
        made().fit(again, epochs=3, verbose=0)
        asked = parts.asked[1:]  # the first was looked at for its shape
        assert asked == again.asked[1:] and parts.ended == 3
        orders = [asked[start : start + 4] for start in (0, 4, 8)]
        assert all(sorted(order) == [0, 1, 2, 3] for order in orders) and len(set(map(tuple, orders))) > 1

    def test_in_two_calls(self) -> None:
        model, other = made(), made()
        model.fit(Parts(), epochs=2, verbose=0)
        model.fit(Parts(), epochs=4, initial_epoch=2, verbose=0)
        other.fit(Parts(), epochs=4, verbose=0)
        assert weights_of(model) == weights_of(other)

    def test_of_the_user(self) -> None:
        assert PyDataset is BatchSequence
        for call in (lambda: len(PyDataset()), lambda: PyDataset(workers=2)[0]):
            with pytest.raises(NotImplementedError, match="Sequence must have __"):
                call()

    def test_empty(self) -> None:
        class Empty(Parts):
            def __len__(self) -> int:
                return 0

        with pytest.raises(ValueError, match="x must give at least one batch"):
            made().fit(Empty())


class TestGenerators:
    def test_take_no_more_than_is_trained(self) -> None:
        source = iter(range(100))
        batches = (PARTS[i % 4] for i in source)
        made().fit(batches, steps_per_epoch=3, epochs=2, verbose=0)
        made().fit(batches, steps_per_epoch=3, verbose=0)
        assert next(source) == 9

    def test_that_end_with_the_epoch(self) -> None:
        model = made()
        assert model.fit(iter(PARTS), verbose=0).epoch == [0]
        with pytest.warns(UserWarning, match="the batches ran out"):
            assert model.fit(iter(PARTS), epochs=3, verbose=0).epoch == [0]

    def test_that_end_within_an_epoch(self) -> None:
        with pytest.warns(UserWarning, match="steps_per_epoch") as told:
            history = made().fit(iter(PARTS), steps_per_epoch=3, epochs=5, verbose=0)
        assert history.epoch == [0, 1] and len(told) == 1

    def test_that_fail(self) -> None:
        def failing() -> Iterator[Any]:
            yield from PARTS
            raise LookupError("disk")

        model = made()
        with pytest.raises(LookupError, match="disk"):
            model.fit(failing(), steps_per_epoch=2, epochs=5, verbose=0)
        assert model.history is not None and model.history.epoch == [0, 1]
        assert model.fit(X, Y, verbose=0).epoch == [0]

    def test_are_stopped(self) -> None:
        model, source = made(), iter(range(100))
        stop = LambdaCallback(on_batch_end=lambda batch, logs: setattr(model, "stop_training", batch == 1))
        model.fit((PARTS[0] for _ in source), steps_per_epoch=10, verbose=0, callbacks=stop)
        assert next(source) == 2

    def test_sizes_are_told(self) -> None:
        sizes: list[Any] = []
        tell = LambdaCallback(on_batch_end=lambda batch, logs: sizes.append((batch, logs["size"], logs["loss"] > 0)))
        made().fit(Loader(), verbose=0, callbacks=tell)
        assert sizes == [(0, 16, True), (1, 16, True), (2, 16, True), (3, 2, True)]

    def test_lose_the_loss(self) -> None:
        with pytest.warns(RuntimeWarning, match="since in epoch 1, step 2: use a smaller"):
            made().fit(iter([PARTS[0], (X * np.nan, Y)]), verbose=0)


class TestEvaluation:
    @pytest.mark.parametrize(
        ("source", "steps"), [(Parts(), None), (forever(), 4), (Loader(), None), (iter(PARTS), None)]
    )
    def test_same_as_on_arrays(self, source: Any, steps: int | None) -> None:
        model = made()
        assert model.evaluate(source, steps=steps, verbose=0) == pytest.approx(model.evaluate(X, Y, 16, 0), rel=1e-6)

    def test_as_a_dict(self) -> None:
        model = made()
        assert list(model.evaluate(Parts(), verbose=0, return_dict=True)) == ["loss", "acc"]

    def test_a_metric_that_counts_itself(self) -> None:
        class Largest(metrics.Metric):
            value = -np.inf

            def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
                self.value = max(self.value, float(y_pred.max()))

            def result(self) -> float:
                return self.value

            def reset_state(self) -> None:
                self.value = -np.inf

        model = made("mse", [Largest("largest"), "mae"])
        assert model.evaluate(Parts(), verbose=0) == pytest.approx(model.evaluate(X, Y, 16, 0), rel=1e-6)
        assert model.evaluate(Parts(), verbose=0)[1] == model.predict(X).max()

    def test_of_nothing(self) -> None:
        model, done = made(), iter(PARTS[:1])
        model.evaluate(done, verbose=0)
        with pytest.raises(ValueError, match="at least one batch"):
            model.evaluate(done, verbose=0)


class TestPrediction:
    @pytest.mark.parametrize("wrap", [lambda x: x, lambda x: (x,), lambda x: (x, np.zeros(len(x)))])
    def test_same_as_on_arrays(self, wrap: Any) -> None:
        model = made()
        batches = [wrap(x) for x, _ in PARTS]
        assert (model.predict(iter(batches)) == model.predict(X)).all()
        assert (model.predict(forever(batches), steps=2) == model.predict(X[:32])).all()

    def test_arrays_in_steps(self) -> None:
        model = made()
        assert (model.predict(X, 16, steps=2) == model.predict(X)[:32]).all()
        assert (model.predict(X, steps=5) == model.predict(X)).all()


class TestEarlierMethods:
    def test_keras_2(self) -> None:
        model, other = made(), made()
        history = model.fit_generator(
            forever(), 4, 2, 0, validation_data=forever(), validation_steps=4, workers=2, max_queue_size=5
        )
        expected = other.fit(X, Y, 16, 2, 0, shuffle=False, validation_data=(X, Y))
        assert weights_of(model) == weights_of(other)
        assert history.history["val_loss"] == pytest.approx(expected.history["val_loss"], rel=1e-6)
        assert model.evaluate_generator(forever(), 4) == pytest.approx(model.evaluate(X, Y, 16, 0), rel=1e-6)
        assert (model.predict_generator(forever(), steps=4) == model.predict(X)).all()

    def test_keras_1(self) -> None:
        model, other = made(), made()
        history = model.fit_generator(
            forever(), samples_per_epoch=50, nb_epoch=2, verbose=0, validation_data=forever(), nb_val_samples=50,
            max_q_size=5, nb_worker=1, pickle_safe=False,
        )  # fmt: skip
        other.fit(X, Y, 16, 2, 0, shuffle=False)
        assert weights_of(model) == weights_of(other) and len(history.history["val_loss"]) == 2
        assert len(model.predict_generator(forever(), val_samples=32)) == 32
        assert model.evaluate_generator(forever(), val_samples=50) == pytest.approx(
            model.evaluate(X, Y, 16, 0), rel=1e-6
        )


class TestShown:
    def test_steps(self, capsys: pytest.CaptureFixture[str]) -> None:
        made().fit(Parts(), epochs=2, validation_data=Parts())
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == ["Epoch", "4/4", "Epoch", "4/4"]
        assert "val_acc: " in lines[1]

    def test_steps_not_known(self, capsys: pytest.CaptureFixture[str]) -> None:
        made().fit(Loader(), epochs=2)
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["Epoch", "4/4", "Epoch", "4/4"]

    def test_evaluation(self, capsys: pytest.CaptureFixture[str]) -> None:
        made().evaluate(Parts(), verbose=1)
        assert capsys.readouterr().out.startswith("4/4 [")


@pytest.mark.parametrize(
    ("value", "gives"),
    [
        (Parts(), True), (Loader(), True), (forever(), True), (map(str, []), True), (GivenBatches("x", []), True),
        (X, False), ([1], False), ((1, 2), False), (range(3), False), ({"x": X}, False), (memoryview(X), False),
        (5, False), (None, False), ("text", False),
    ],
)  # fmt: skip
def test_what_gives_batches(value: Any, gives: bool) -> None:
    assert gives_batches(value) is gives


def test_a_model_that_is_not_compiled_takes_nothing_from_a_generator() -> None:
    batches = forever()
    for ask in (Sequential.fit, Sequential.evaluate):
        with pytest.raises(RuntimeError, match="must be compiled first"):
            ask(Sequential([Dense(1, input_dim=3)]), batches)
    assert next(batches) is PARTS[0]
