"""What Keras and TensorFlow have and nnlite has not: the line that uses it fails, with a sentence that names it and
says what to use."""

import re
from collections.abc import Iterator

import pytest

from nnlite import keras_compat
from nnlite.absent import instead


@pytest.fixture(autouse=True)
def hook() -> Iterator[None]:
    keras_compat.install()
    yield
    keras_compat.uninstall()


# A line of a script, the kind of error, what the sentence says.
LINES: list[tuple[str, type[Exception], str]] = [
    ("keras.layers.Conv2D(32, (3, 3), activation='relu')", NotImplementedError, "Conv2D is not supported: .*Flatten"),
    ("keras.layers.MaxPooling2D()", NotImplementedError, "MaxPooling2D is not supported: .*Flatten"),
    ("keras.layers.LSTM(32)", NotImplementedError, "LSTM is not supported: .*Flatten .* Dense"),
    ("keras.layers.Bidirectional(None)", NotImplementedError, "Bidirectional is not supported: .*Dense"),
    ("keras.layers.Embedding(1000, 32)", NotImplementedError, "Embedding is not supported: .*to_categorical"),
    ("keras.layers.TimeDistributed(None)", NotImplementedError, "TimeDistributed is not supported: .*Flatten"),
    ("keras.layers.Concatenate()", NotImplementedError, r"Concatenate is not supported: .*numpy\.hstack"),
    ("keras.layers.concatenate([])", NotImplementedError, r"concatenate is not supported: .*numpy\.hstack"),
    ("keras.layers.MultiHeadAttention(2, 2)", NotImplementedError, "MultiHeadAttention is not supported: .*Dense"),
    ("keras.preprocessing.image.ImageDataGenerator()", AttributeError, "no keras.preprocessing: it reads neither"),
    (
        "from keras.preprocessing.image import ImageDataGenerator",
        ImportError,
        "no keras.preprocessing: it reads neither",
    ),
    ("from tensorflow.keras.preprocessing.text import Tokenizer", ImportError, "no tensorflow.keras.preprocessing"),
    ("from keras.preprocessing.sequence import pad_sequences", ImportError, "no keras.preprocessing"),
    ("from keras.applications import VGG16", ImportError, "no keras.applications: it has no ready-made nets"),
    ("keras.utils.image_dataset_from_directory('.')", AttributeError, "image_dataset_from_directory: .*Flatten"),
    ("tf.GradientTape()", AttributeError, r"no tensorflow.GradientTape: .*train_on_batch\(\)"),
    ("tf.data.Dataset.from_tensor_slices([1])", AttributeError, r"no tensorflow.data: give arrays to fit\(\)"),
    ("tf.Session()", AttributeError, "no tensorflow.Session: values are NumPy arrays"),
    ("tf.placeholder(tf.float32)", AttributeError, "no tensorflow.placeholder: values are NumPy arrays"),
    ("tf.compat.v1.Session()", AttributeError, r"no tensorflow.compat.v1.Session: values are NumPy arrays"),
    ("tf.estimator.DNNClassifier()", AttributeError, "no tensorflow.estimator: make a Sequential"),
    ("tf.feature_column.numeric_column('a')", AttributeError, "no tensorflow.feature_column: make a Sequential"),
    ("tf.distribute.MirroredStrategy()", AttributeError, "no tensorflow.distribute: it trains on the processor"),
    ("tf.lite.TFLiteConverter", AttributeError, r"no tensorflow.lite: save a model with model\.save"),
    ("keras.mixed_precision.set_global_policy('mixed_float16')", AttributeError, "config.set_floatx"),
    ("from keras.datasets import imdb", NotImplementedError, "imdb holds texts .* a column of numbers for each"),
    ("K.function([], [])", NotImplementedError, r"keras\.backend\.function works on graphs"),
    ("K.get_session()", NotImplementedError, "get_session works on graphs"),
    ("keras.utils.plot_model(keras.Sequential(), 'model.png')", ImportError, r"needs Graphviz.*model\.dot"),
    ("keras.models.model_from_yaml('')", NotImplementedError, "model_from_json"),
    ("keras.Sequential().to_yaml()", NotImplementedError, "to_json"),
    ("keras.optimizers.Muon()", AttributeError, "no keras.optimizers.Muon: .*has .*Adam"),
]


@pytest.mark.parametrize(("line", "error", "text"), LINES)
def test_the_line_that_uses_it_fails(line: str, error: type[Exception], text: str) -> None:
    code = compile(f"import keras\nimport tensorflow as tf\nimport keras.backend as K\n{line}\n", "script.py", "exec")
    with pytest.raises(error) as failed:
        exec(code, {})
    assert re.search(text, str(failed.value)), failed.value
    assert [entry.lineno for entry in failed.traceback if str(entry.path).endswith("script.py")] == [3]


def test_nothing_is_advised_for_a_slip() -> None:
    assert instead("keras.layers.Dnse") == instead("keras.losses.msee") == ""


def test_mnist_says_where_its_file_goes(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from keras.datasets import mnist  # type: ignore[import-not-found]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"downloads nothing: put the data of mnist into 'mnist\.npz'.*x_train"):
        mnist.load_data()
