"""Scripts in the words of Keras 1, Keras 2, tf.keras and Keras 3, run unmodified by ``python -m nnlite``."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import nnlite
from nnlite import config, keras_compat, utils
from nnlite.__main__ import main

FOLDER = Path(__file__).parent / "scripts"

# What each script prints, as patterns. A pattern may have one number, with the least that it may be.
PRINTED: dict[str, list[str | tuple[str, float]]] = {
    "k1_advanced_activations": [
        "layers: Flatten Dense BatchNormalization LeakyReLU Dense ELU Dense",
        "image dim ordering: tf",
        (r"accuracy: ([\d.]+)", 0.95),
    ],
    "k1_autoencoder": [r"codes \(400, 2\)", (r"share kept: ([\d.]+)", 0.98)],
    "k1_autoencoder_functional": [
        r"codes \(100, 3\)",
        "same as the whole: True",
        (r"share explained: ([\d.]+)", 0.7),
    ],
    "k1_generator_and_weights": [
        r"\['acc', 'loss', 'val_acc', 'val_loss'\]",
        "restored: True",
        (r"right: ([\d.]+)", 0.9),
    ],
    "k1_regularizers": [
        (r"largest norm of a unit's weights: ([\d.]+)", 0.1),
        "weights of the last layer: 1",
        (r"share explained: ([\d.]+)", 0.9),
    ],
    "k1_two_classes": [
        r" - 0s - loss: 0\.\d+ - acc: 0\.\d+ - val_loss: 0\.\d+ - val_acc: 0\.\d+",
        (r"Test accuracy: ([\d.]+)", 0.85),
        "Epochs: 60",
    ],
    "k1_xor": [r"\[0, 1, 1, 0\]", r"worst error 0\.0"],
    "k2_batches_by_hand": [r"names: \['loss', 'acc'\]", (r"right: ([\d.]+)", 0.85), "same: True"],
    "k2_callbacks": ["good enough", r"batches of each epoch: 8\.0", "stopped early: True"],
    "k2_class_weight": ["found without and with weights: True"],
    "k2_command_line": ["epochs: 1 parameters: 21"],
    "k2_custom_loss": [r"keys: \['loss', 'r2'\]", (r"share of points below the line: ([\d.]+)", 0.8)],
    "k2_frozen_layers": ["kept: True", "trainable weights: 2 others: 2", r"all zero: 0\.0"],
    "k2_functional": [
        r"output of the first layer: \(10, 64\)",
        "lr recorded: True",
        r"features: \(1000, 32\)",
        (r"acc: ([\d.]+)", 0.9),
    ],
    "k2_gan": [
        "discriminator learned: True",
        (r"points near the line: ([\d.]+)", 0.7),
        "layers of all: 5 trainable weights: 4",
    ],
    "k2_house_prices": ["processing fold # 3", "epochs recorded: 80", "mean absolute error below [1-3]$"],
    "k2_learning_rate": [r"lr 0\.1000", r"lr 0\.0125", "fitted: True"],
    "k2_scikit_wrapper": [(r"Baseline: ([\d.]+)%", 90), r"\['Iris-", r"Wider: -0\.[01]\d* MSE"],
    "k2_signs": [(r"right: ([\d.]+)", 0.9)],
    "k2_summary": [
        r"dense_1 \(Dense\)              \(None, 64\)                1344      ",
        r"batch_normalization_1 \(Batch \(None, 64\)                256       ",
        "Trainable params: 2,122",
        "parameters: 2250",
    ],
    "k2_table_of_numbers": [r"500/500 \[={30}\] - 0s", (r"acc: ([\d.]+)%", 90), r"first five: \[[01], [01]"],
    "k2_three_flowers": [(r"right: (\d+) of 30", 27)],
    "k3_digits": [(r"Test accuracy: ([\d.]+)", 0.9)],
    "k3_estimators": [(r"score: ([\d.]+)", 0.95), r"\['down' 'up'\]", (r"r2: ([\d.]+)", 0.9)],
    "k3_functional": [r"\(InputLayer\)", (r"acc ([\d.]+)", 0.9), "same True"],
    "k3_ops": ["less misled: True", r"value: 1\.75"],
    "k3_prepared_data": [(r"right: ([\d.]+)", 0.95)],
    "k3_registered": ["same: True Wide", "registered: mine>Wide"],
    "tf1_consumption": [
        r"\.{50}\n\.{50}",
        "keys: loss mean_absolute_error mean_squared_error val_loss val_mean_absolute_error val_mean_squared_error",
        r"Mean error:  0\.[0-4]",
    ],
    "tf1_regression_functional": [
        "eager: True",
        "keys: .*'loss', 'mean_absolute_error'",
        r"worst error: 0\.[0-2]",
        r"x \(InputLayer\)               \(None, 1\)                 0         ",
        "Total params: 49",
    ],
    "tf1_small_images": ["version given: True", (r"Test accuracy: ([\d.]+)", 0.9), "first: (bar|dash|cross) is"],
    "tf2_alias": [r"\], \[1\.0, 0\.0\]\] float32", "True True", r"\['dense_1', 'dense_2'\] \(None, 1\)"],
    "tf2_functional": [
        r"\(None, 4, 4\)",
        r"img \(InputLayer\) ",
        "Test loss is a number: True",
        (r"Test accuracy: ([\d.]+)", 0.9),
        "sums to one: True",
    ],
    "tf2_model_parts": [r"codes: \(400, 2\)", "loss fell: True", "same: True"],
    "tf2_objects": [(r"right: ([\d.]+)", 0.95), r"devices: \[\]", r"mean of outputs: 0\.[456]"],
    "tf2_overfit": ["learned by heart: True", "gap is smaller: True"],
    "tf2_quickstart": [
        r"first shape: \(1, 4\)",
        "first loss is a number: True",
        (r"accuracy ([\d.]+)", 0.9),
        r"sum of probabilities: 1\.000",
    ],
    "tf2_metrics": [(r"auc : ([\d.]+)", 0.9), (r"accuracy : ([\d.]+)", 0.85), "^True"],
    "tf2_unsupported": [
        "told: layer Conv2D is not supported: nnlite has no convolutions or images; flatten a row with Flatten",
        "told: nnlite has no tensorflow.keras.applications",
        "parameters: 65",
    ],
}
# Words of each era that a script must be free to use; what decides is the name of the file.
ERAS = {
    "k1": "from keras.",
    "k2": "keras",
    "tf1": "import tensorflow",
    "tf2": "import tensorflow",
    "k3": "import keras",
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process of its own would have: no names counted, no arguments, no custom objects."""
    nnlite.backend.clear_session()
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = dict(utils.get_custom_objects())
    monkeypatch.setattr(nnlite.registry, "custom_objects", before)
    monkeypatch.setattr(utils.custom_objects, "custom_objects", before)


def check(name: str, out: str) -> None:
    for expected in PRINTED[name]:
        pattern, least = expected if isinstance(expected, tuple) else (expected, None)
        found = re.search(pattern, out, re.MULTILINE)
        assert found, f"{pattern} is not in:\n{out}"
        assert least is None or float(found[1]) >= least, found[0]


def test_every_script_is_checked() -> None:
    scripts = list(FOLDER.glob("*.py"))
    assert {path.stem for path in scripts} == set(PRINTED) and len(scripts) >= 25
    for path in scripts:
        text = path.read_text()
        assert ERAS[path.stem.partition("_")[0]] in text and "nnlite" not in text


@pytest.mark.parametrize("name", PRINTED)
def test_script(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FOLDER / f"{name}.py")]) == 0
    assert not keras_compat.installed()
    check(name, capsys.readouterr().out)


@pytest.mark.parametrize("name", [name for name in PRINTED if name.startswith("k3")])
def test_script_with_keras_3s_numbers(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert main(["--compat", "keras3", str(FOLDER / f"{name}.py")]) == 0
    finally:
        config.set_compat("keras2")
    check(name, capsys.readouterr().out)


def test_as_a_command_with_arguments() -> None:
    script = str(FOLDER / "k2_command_line.py")
    command = [sys.executable, "-m", "nnlite", script, "--epochs", "3", "--hidden", "5", "5"]
    where = Path(nnlite.__file__).parent.parent
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "epochs: 3 parameters: 56\n"), done.stderr


def test_a_script_that_fails(tmp_path: Path) -> None:
    """The line that uses what there is not is shown, with the sentence; names of Keras are given back."""
    script = tmp_path / "script.py"
    script.write_text("import keras\nprint(keras.layers.Dense)\nkeras.layers.Dens(1)\n")
    with pytest.raises(AttributeError, match="'Dense'") as failed:
        main([str(script)])
    assert any(str(entry.path) == str(script) and entry.lineno == 2 for entry in failed.traceback)
    assert not keras_compat.installed()
