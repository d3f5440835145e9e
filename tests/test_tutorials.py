"""Every construct of three Keras tutorials, in their words, with nothing but the import lines changed.

The sum of five numbers (Keras 1), four and two thousand points behind a BatchNormalization and a noisy step (tf.keras 1
and Keras 2), two squares of points (Keras 2). What the tutorials claim of the results is judged in test_statistics.py.
"""
# ruff: noqa: NPY002  (the tutorials draw from NumPy's global generator, and so does nnlite)

import importlib
import re
from collections.abc import Iterator

import numpy as np
import pytest

import nnlite
import nnlite as keras
from nnlite import backend, optimizers
from nnlite.layers import Activation, Dense
from nnlite.models import Sequential
from nnlite.utils import np_utils

VALUE = r"-?\d+\.\d{4}(e[+-]\d\d)?"


@pytest.fixture(autouse=True)
def same_numbers_each_time() -> Iterator[None]:
    backend.clear_session()
    np.random.seed(0)
    yield


def assert_training_shown(out: str, rows: int, epochs: int, names: list[str], validation_rows: int = 0) -> None:
    """Check that `out` is what Keras 2 prints of a training: a header and a full bar for each epoch."""
    lines = out.splitlines()
    if validation_rows:
        assert lines.pop(0) == f"Train on {rows} samples, validate on {validation_rows} samples"
    values = "".join(rf" - {name}: {VALUE}" for name in names)
    bar = re.compile(rf"{rows}/{rows} \[={{30}}\] - \d+s \d+(us|ms|s)/step{values}")
    assert lines[0::2] == [f"Epoch {epoch}/{epochs}" for epoch in range(1, epochs + 1)]
    assert len(lines) == 2 * epochs
    for line in lines[1::2]:
        assert bar.fullmatch(line), line


class TestSumOfFive:
    """Is the sum of five numbers above 2.5? The tutorial is in Keras 1."""

    def test_softmax(self) -> None:
        """One-hot labels from a comparison, `add`, a width by input_dim, positional optimizer and loss."""
        data = np.random.rand(250, 5)
        labels = np_utils.to_categorical((np.sum(data, axis=1) > 2.5) * 1)
        assert labels.shape == (250, 2)
        assert (labels.sum(axis=1) == 1).all() and set(np.unique(labels)) == {0, 1}
        assert ((data.sum(axis=1) > 2.5) == labels[:, 1]).all()
        model = Sequential()
        model.add(Dense(20, input_dim=5, activation='relu'))
        model.add(Dense(2, activation='softmax'))
        assert [layer.count_params() for layer in model.layers] == [120, 42]
        model.compile('rmsprop', 'categorical_crossentropy', metrics=['accuracy'])
        history = model.fit(data, labels, nb_epoch=150, verbose=0)
        assert history.history['acc'][-1] > 0.9
        np.testing.assert_allclose(model.predict(data).sum(axis=1), 1, rtol=1e-6)

    def test_activation_as_a_layer(self) -> None:
        """The same net with its activations as layers of their own."""
        data = np.random.rand(250, 5)
        joined = Sequential([Dense(20, input_dim=5, activation='relu'), Dense(2, activation='softmax')])
        layers = [Dense(20, input_dim=5), Activation('relu'), Dense(2), Activation('softmax')]
        apart = Sequential(layers)
        apart.set_weights(joined.get_weights())
        np.testing.assert_array_equal(joined.predict(data), apart.predict(data))

    @pytest.mark.parametrize("spelling", ["bias", "use_bias"])
    def test_no_bias(self, spelling: str) -> None:
        """The bias can be left out, as Keras 1 and as Keras 2 spell it."""
        model = Sequential([Dense(20, input_dim=5, **{spelling: False})])
        assert [w.shape for w in model.get_weights()] == [(5, 20)]
        np.testing.assert_array_equal(model.predict(np.zeros((3, 5))), np.zeros((3, 20)))

    @pytest.mark.parametrize(
        ("name", "low", "high"),
        [
            ("tanh", -1, 1),
            ("softsign", -1, 1),
            ("sigmoid", 0, 1),
            ("hard_sigmoid", 0, 1),
            ("relu", 0, np.inf),
            ("softplus", 0, np.inf),
            ("linear", -np.inf, np.inf),
            ("softmax", 0, 1),
        ],
    )
    def test_activations(self, name: str, low: float, high: float) -> None:
        """Every activation named, and the range the tutorial says it has."""
        x = np.linspace(-9, 9, 40).reshape(8, 5)
        output = Sequential([Activation(name, input_shape=(5,))]).predict(x)
        assert output.shape == (8, 5) and (output >= low).all() and (output <= high).all()
        net = Sequential([Dense(3, input_dim=5, activation=name)])
        net.compile('sgd', 'mse')
        assert np.isfinite(net.fit(x, x[:, :3], verbose=0).history['loss']).all()

    def test_relu_slope(self) -> None:
        """Below 0, relu may have a coefficient too."""
        x = np.array([[-2.0, 0.0, 3.0]], np.float32)
        np.testing.assert_allclose(keras.activations.relu(x, alpha=0.25), [[-0.5, 0, 3]])

    def test_linear_learns_nothing_of_its_own(self) -> None:
        """The tutorial wonders whether linear's coefficient is learned; linear is the identity and has none."""
        model = Sequential([Activation('linear', input_shape=(5,))])
        x = np.random.rand(4, 5).astype(np.float32)
        assert model.count_params() == 0
        np.testing.assert_array_equal(model.predict(x), x)

    @pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamax", "nadam"])
    def test_optimizers(self, name: str) -> None:
        """Every optimizer named makes the loss smaller."""
        data = np.random.rand(250, 5)
        labels = np_utils.to_categorical((np.sum(data, axis=1) > 2.5) * 1)
        model = Sequential([Dense(20, input_dim=5, activation='relu'), Dense(2, activation='softmax')])
        model.compile(name, 'categorical_crossentropy')
        losses = model.fit(data, labels, nb_epoch=20, verbose=0).history['loss']
        assert losses[-1] < losses[0]

    def test_misspelt_optimizer(self) -> None:
        """The tutorial writes rsmprop once; the error says what was meant."""
        with pytest.raises(ValueError, match="'rmsprop'"):
            Sequential([Dense(1, input_dim=5)]).compile('rsmprop', 'mse')

    @pytest.mark.parametrize(
        "name",
        [
            "hinge",
            "squared_hinge",
            "binary_crossentropy",
            "categorical_crossentropy",
            "kullback_leibler_divergence",
            "kld",
            "cosine_proximity",
            "poisson",
            "mse",
            "mae",
            "mape",
            "msle",
            "mean_squared_error",
            "logcosh",
        ],
    )
    def test_losses(self, name: str) -> None:
        """Every loss described, under the names of the time."""
        data = np.random.rand(250, 5)
        labels = np_utils.to_categorical((np.sum(data, axis=1) > 2.5) * 1)
        model = Sequential([Dense(20, input_dim=5, activation='relu'), Dense(2, activation='softmax')])
        model.compile('adam', name)
        before = model.evaluate(data, labels, verbose=0)
        model.fit(data, labels, nb_epoch=30, verbose=0)
        assert model.evaluate(data, labels, verbose=0) < before

    def test_hinge_by_hand(self) -> None:
        """Hinge is the mean of max(0, 1 - label x output); the cosine is negative where directions agree."""
        labels, outputs = np.array([[1.0], [-1.0], [1.0]]), np.array([[0.25], [0.5], [2.0]])
        model = Sequential([Activation('linear', input_shape=(1,))])
        model.compile('sgd', 'hinge')
        assert model.evaluate(outputs, labels, verbose=0) == pytest.approx((0.75 + 1.5 + 0) / 3)
        model.compile('sgd', 'cosine_proximity')
        assert model.evaluate(outputs, outputs, verbose=0) == pytest.approx(-1)

    def test_hinge(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Labels -1 and 1, a list of layers, nb_epoch, a validation split, the share of right signs."""
        data = np.random.rand(250, 5)
        labels = (np.sum(data, axis=1) > 2.5) * 2 - 1
        assert labels.dtype.kind == "i" and set(labels) == {-1, 1}
        model = Sequential([Dense(20, input_dim=5, activation='tanh'), Dense(1, activation='tanh')])
        model.compile('adam', 'hinge', metrics=['accuracy'])
        history = model.fit(data, labels, nb_epoch=150, validation_split=0.2)
        names = ["loss", "acc", "val_loss", "val_acc"]
        assert_training_shown(capsys.readouterr().out, 200, 150, names, validation_rows=50)
        assert {len(history.history[name]) for name in names} == {150}
        assert (history.params["samples"], history.params["batch_size"]) == (200, 32)

        test = np.random.rand(200, 5)
        predict = np.sign(model.predict(test).flatten())
        real = (np.sum(test, axis=1) > 2.5) * 2 - 1
        assert model.predict(test).shape == (200, 1) and predict.shape == (200,)
        assert sum(predict == real) / 200.0 > 0.85

    def test_validation_rows_are_the_last(self) -> None:
        """The rows kept for validation are the last 50, as they stand."""
        data = np.random.rand(250, 5)
        labels = (np.sum(data, axis=1) > 2.5) * 2 - 1
        model = Sequential([Dense(20, input_dim=5, activation='tanh'), Dense(1, activation='tanh')])
        model.compile('adam', 'hinge', metrics=['accuracy'])
        history = model.fit(data, labels, nb_epoch=3, validation_split=0.2, verbose=0).history
        loss, acc = model.evaluate(data[200:], labels[200:], verbose=0)
        assert (loss, acc) == pytest.approx((history['val_loss'][-1], history['val_acc'][-1]), abs=1e-6)

    def test_accuracy_of_signs(self) -> None:
        """As in Keras 1 and 2, an output is right when it rounds to its label -1 or 1, so 0.3 is wrong."""
        outputs = np.array([[0.9], [0.3], [-0.8], [-0.2]])
        model = Sequential([Activation('linear', input_shape=(1,))])
        model.compile('adam', 'hinge', metrics=['accuracy'])
        assert model.evaluate(outputs, np.array([1, 1, -1, -1]), verbose=0)[1] == 0.5


class TestPoints:
    """Four points, two thousand points and a noisy step. The question is in tf.keras 1, its answers in Keras 2."""

    def four_points(self) -> tuple[np.ndarray, np.ndarray]:
        """Arrays grown row by row; `np.append` without an axis makes the labels one-dimensional."""
        train_data = np.empty((0, 2), float)
        train_labels = np.empty((0, 1), float)
        for row, label in (([0, 0], 0), ([1, 0], 0), ([0, 1], 1), ([1, 1], 1)):
            train_data = np.append(train_data, [row], axis=0)
            train_labels = np.append(train_labels, label)
        assert train_data.shape == (4, 2) and train_labels.shape == (4,)
        return train_data, train_labels

    def model(self) -> Sequential:
        """No width for the first layer, one for the second, compiled before it can be built."""
        model = keras.models.Sequential()
        model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Dense(1, input_dim=2, activation='sigmoid'))
        model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
        return model

    def test_imports(self) -> None:
        """The package stands for keras, with its parts as attributes and as modules."""
        for name in ("Sequential", "layers", "models", "optimizers", "losses", "metrics", "callbacks", "utils"):
            assert hasattr(nnlite, name)
        for name in ("models", "layers", "optimizers", "utils.np_utils", "backend", "callbacks"):
            assert importlib.import_module(f"nnlite.{name}").__name__ == f"nnlite.{name}"

    def test_built_by_the_data(self) -> None:
        """The width comes from the data, not from the second layer; 8 and 3 parameters."""
        model = self.model()
        assert not model.built and model.weights == []
        model.fit(*self.four_points(), epochs=1, verbose=0)
        assert [layer.count_params() for layer in model.layers] == [8, 3]
        assert [w.shape for w in model.get_weights()] == [(2,), (2,), (2,), (2,), (2, 1), (1,)]
        assert sum(w.size for w in model.non_trainable_weights) == 4

    def test_shape_of_a_later_layer_is_ignored(self) -> None:
        """A width that is wrong there changes nothing either."""
        model = keras.models.Sequential()
        model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Dense(1, input_dim=7, activation='sigmoid'))
        model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
        model.fit(*self.four_points(), epochs=1, verbose=0)
        assert model.input_shape == (None, 2)

    def test_four_points(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Four rows are one batch, and the bars count to four."""
        self.model().fit(*self.four_points(), epochs=20)
        assert_training_shown(capsys.readouterr().out, 4, 20, ["loss", "acc"])

    def test_printed_predictions(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A column of float32, printed with a bracket a row; equal rows get equal outputs."""
        model = self.model()
        model.fit(*self.four_points(), epochs=20, verbose=0)
        predict_data = np.empty((0, 2), float)
        for row in ([0, 0], [1, 0], [1, 1], [1, 1]):
            predict_data = np.append(predict_data, [row], axis=0)
        predict_labels = model.predict(predict_data)
        print(predict_labels)
        assert predict_labels.shape == (4, 1) and predict_labels.dtype == np.float32
        assert predict_labels[2] == predict_labels[3]
        assert re.fullmatch(r"\[\[0\.\d+ *\]\n( \[0\.\d+ *\]\n){2} \[0\.\d+ *\]\]\n", capsys.readouterr().out)

    def test_two_thousand_points(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The data grown in a loop; five bars; an object whose repr says History."""
        train_data = np.empty((0, 2), float)
        train_labels = np.empty((0, 1), float)
        for i in range(0, 1000):
            train_data = np.append(train_data, [[i, 0]], axis=0)
            train_labels = np.append(train_labels, 0)
            train_data = np.append(train_data, [[i, 1]], axis=0)
            train_labels = np.append(train_labels, 1)
        history = self.model().fit(train_data, train_labels, epochs=5)
        assert_training_shown(capsys.readouterr().out, 2000, 5, ["loss", "acc"])
        assert re.fullmatch(r"<.*History.* at 0x[0-9a-f]+>", repr(history))

    def noisy_step(self, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Corners with Gaussian noise, and integer labels."""
        train_data = np.random.randint(0, 2, size=(rows, 2))
        train_data = train_data + np.random.normal(scale=2e-1, size=train_data.shape)
        return train_data, (train_data[:, 1] > 0.5).astype(int)

    def noisy_model(self, width: int = 2) -> Sequential:
        model = keras.models.Sequential()
        model.add(keras.layers.Dense(1, input_shape=(width,), activation='sigmoid'))
        model.compile(optimizer='sgd', loss='binary_crossentropy', metrics=['accuracy'])
        return model

    def test_noisy_step(self, capsys: pytest.CaptureFixture[str]) -> None:
        """'accuracy' was asked for and 'acc' is looked up; both names find the twenty floats."""
        model = self.noisy_model()
        history = model.fit(*self.noisy_step(1000), epochs=20)
        assert_training_shown(capsys.readouterr().out, 1000, 20, ["loss", "acc"])
        assert len(history.history['acc']) == 20 and all(isinstance(a, float) for a in history.history['acc'])
        assert history.history['accuracy'] == history.history['acc'] and 'acc' in history.history

    def test_plots(self) -> None:
        """What matplotlib is given."""
        figure = pytest.importorskip("matplotlib.figure")
        train_data, train_labels = self.noisy_step(1000)
        axes = figure.Figure().subplots()
        axes.scatter(train_data[:, 0], train_data[:, 1], c=train_labels)
        axes.plot(self.noisy_model().fit(train_data, train_labels, epochs=20, verbose=0).history['acc'])

    def test_one_coordinate_for_a_model_of_two(self) -> None:
        """The tutorial's last line cannot work with its model; the error says why."""
        model = self.noisy_model()
        model.fit(*self.noisy_step(1000), epochs=1, verbose=0)
        test_data, _ = self.noisy_step(100)
        with pytest.raises(ValueError, match="expected 2 features, got 1"):
            model.predict_classes(test_data[:, 1])

    def test_one_coordinate(self) -> None:
        """With a model of the second coordinate alone it does, on one-dimensional arrays throughout."""
        train_data, train_labels = self.noisy_step(1000)
        model = self.noisy_model(1)
        model.fit(train_data[:, 1], train_labels, epochs=100, verbose=0)
        test_data, test_labels = self.noisy_step(100)
        classes = model.predict_classes(test_data[:, 1])
        assert classes.shape == (100, 1) and classes.dtype == np.int32
        assert np.mean(classes.ravel() == test_labels) > 0.9
        metrics = pytest.importorskip("sklearn.metrics")
        assert metrics.accuracy_score(test_labels, classes) == np.mean(classes.ravel() == test_labels)

    def test_classes_are_thresholded_outputs(self) -> None:
        """What the page meant by its garbled name: classes instead of probabilities."""
        model = self.noisy_model()
        test_data, _ = self.noisy_step(100)
        np.testing.assert_array_equal(model.predict_classes(test_data), model.predict(test_data) > 0.5)

    def test_the_task_has_a_solution(self) -> None:
        """The second answer holds that one neuron cannot get all four points right. These weights do."""
        model = Sequential([Dense(1, input_dim=2, activation='sigmoid')])
        model.set_weights([np.array([[0.0], [20.0]]), np.array([-10.0])])
        points, labels = self.four_points()
        np.testing.assert_array_equal(model.predict_classes(points).ravel(), labels)


class TestTwoSquares:
    """Two squares of points on the diagonal, in Keras 2."""

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Two uniform clouds, float labels, rows shuffled by index."""
        n_samples, n_feats = 200, 2
        cls0 = np.random.uniform(low=0.2, high=0.4, size=(n_samples, n_feats))
        cls1 = np.random.uniform(low=0.5, high=0.7, size=(n_samples, n_feats))
        x_train = np.concatenate((cls0, cls1))
        y_train = np.concatenate((np.zeros((n_samples,)), np.ones((n_samples,))))
        indices = np.arange(x_train.shape[0])
        np.random.shuffle(indices)
        return x_train[indices], y_train[indices]

    def model(self) -> Sequential:
        """The width as a tuple, the arguments of compile in another order."""
        model = Sequential()
        model.add(Dense(2, activation='sigmoid', input_shape=(2,)))
        model.add(Dense(1, activation='sigmoid'))
        model.compile(loss='binary_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
        return model

    def test_summary(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Nine parameters in the table of Keras 2; layers are numbered through the session."""
        for _ in range(24):
            Dense(1)
        self.model().summary()
        rule, double = "_" * 65, "=" * 65
        assert capsys.readouterr().out.splitlines() == [
            rule,
            "Layer (type)                 Output Shape              Param #   ",
            double,
            "dense_25 (Dense)             (None, 2)                 6         ",
            rule,
            "dense_26 (Dense)             (None, 1)                 3         ",
            double,
            "Total params: 9",
            "Trainable params: 9",
            "Non-trainable params: 0",
            rule,
        ]

    @pytest.mark.parametrize("epochs", [5, 50])
    def test_fit(self, epochs: int, capsys: pytest.CaptureFixture[str]) -> None:
        """verbose=True is a bar for each epoch."""
        history = self.model().fit(*self.data(), epochs=epochs, batch_size=32, verbose=True)
        assert_training_shown(capsys.readouterr().out, 400, epochs, ["loss", "acc"])
        assert history.epoch == list(range(epochs))

    @pytest.mark.parametrize("name", ["RMSprop", "Adam"])
    def test_another_learning_rate(self, name: str) -> None:
        """`lr` is heeded; compiling again keeps the weights and starts the optimizer anew."""
        x_train, y_train = self.data()
        model = self.model()
        model.fit(x_train, y_train, epochs=5, batch_size=32, verbose=False)
        weights = model.get_weights()
        optimizer = getattr(optimizers, name)(lr=1e-1)
        model.compile(loss='binary_crossentropy', optimizer=optimizer, metrics=['accuracy'])
        assert float(model.optimizer.lr) == float(model.optimizer.learning_rate) == pytest.approx(0.1)
        for before, after in zip(weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(before, after)
        model.fit(x_train, y_train, epochs=5, batch_size=32, verbose=False)
        assert model.evaluate(x_train, y_train, verbose=0)[1] >= 0.99

    def test_compiled_anew_is_like_new(self) -> None:
        """A net compiled again trains as a new net with the same weights does."""
        x_train, y_train = self.data()
        used, fresh = self.model(), self.model()
        used.fit(x_train, y_train, epochs=3, shuffle=False, verbose=0)
        fresh.set_weights(used.get_weights())
        for model in (used, fresh):
            model.compile(loss='binary_crossentropy', optimizer=optimizers.RMSprop(lr=1e-1), metrics=['accuracy'])
            model.fit(x_train, y_train, epochs=3, shuffle=False, verbose=0)
        for a, b in zip(used.get_weights(), fresh.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
