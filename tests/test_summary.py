"""The summary is the table of Keras 2.2."""

import pytest

from nnlite import backend
from nnlite.layers import BatchNormalization, Dense, Dropout
from nnlite.models import Sequential

# the end of a row is marked, for its spaces belong to it
EXPECTED = """\
_________________________________________________________________
Layer (type)                 Output Shape              Param #   |
=================================================================
dense_1 (Dense)              (None, 2)                 6         |
_________________________________________________________________
dense_2 (Dense)              (None, 1)                 3         |
=================================================================
Total params: 9
Trainable params: 9
Non-trainable params: 0
_________________________________________________________________
""".replace("|", "")


def test_two_layers(capsys: pytest.CaptureFixture[str]) -> None:
    backend.clear_session()
    model = Sequential([Dense(2, activation="sigmoid", input_shape=(2,)), Dense(1, activation="sigmoid")])
    model.summary()
    assert capsys.readouterr().out == EXPECTED


def lines(model: Sequential, **arguments: object) -> list[str]:
    written: list[str] = []
    model.summary(print_fn=written.append, **arguments)  # type: ignore[arg-type]
    return written


def test_long_names_are_cut_and_thousands_separated() -> None:
    backend.clear_session()
    model = Sequential([BatchNormalization(input_shape=(2,)), Dense(1000), Dense(1000), Dropout(0.5)])
    table = lines(model)
    assert table[3] == "batch_normalization_1 (Batch (None, 2)                 8         "
    assert table[5] == "dense_1 (Dense)              (None, 1000)              3000      "
    assert table[7] == "dense_2 (Dense)              (None, 1000)              1001000   "
    assert table[9] == "dropout_1 (Dropout)          (None, 1000)              0         "
    assert table[-4:-1] == ["Total params: 1,004,008", "Trainable params: 1,004,004", "Non-trainable params: 4"]


def test_frozen_layers_are_not_trainable() -> None:
    model = Sequential([Dense(2, input_dim=3, trainable=False), Dense(1)])
    assert lines(model)[-4:-1] == ["Total params: 11", "Trainable params: 3", "Non-trainable params: 8"]


def test_before_the_model_is_built() -> None:
    model = Sequential([Dense(2, name="first")])
    assert lines(model)[3] == "first (Dense)                ?                         ?         "


@pytest.mark.parametrize(("arguments", "width"), [({"line_length": 100}, 100), ({"positions": [20, 40, 60]}, 65)])
def test_width(arguments: dict[str, object], width: int) -> None:
    table = lines(Sequential([Dense(2, input_dim=3)]), **arguments)
    assert table[0] == "_" * width
    assert table[3].index("(None, 2)") == (45 if width == 100 else 20)
