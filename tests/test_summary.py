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


# What Keras 3.15 prints for the same model after a training with adam, in 80 columns.
OF_KERAS_3 = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Dense)                   │ (None, 20)             │           120 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 20)             │            80 │
│ (BatchNormalization)            │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 1)              │            21 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 585 (2.29 KB)
 Trainable params: 181 (724.00 B)
 Non-trainable params: 40 (160.00 B)
 Optimizer params: 364 (1.42 KB)
"""


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns, and names counted anew."""
    monkeypatch.setenv("COLUMNS", "80")
    backend.clear_session()


def test_box_of_keras_3(keras3: None, columns: None, capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([Dense(20, activation="relu", input_dim=5), BatchNormalization(), Dense(1)])
    before = lines(model)
    assert len(before) == 1 and "Optimizer" not in before[0] and "Total params: 221 (884.00 B)" in before[0]
    model.compile("adam", "mse")
    model.fit([[1.0, 2.0, 3.0, 4.0, 5.0]], [[0.5]], verbose=0)
    model.summary()
    assert capsys.readouterr().out == OF_KERAS_3
    assert lines(model)[0] == OF_KERAS_3


def test_box_before_the_model_is_built(keras3: None, columns: None) -> None:
    text = lines(Sequential([Dense(3, name="a" * 40), Dropout(0.1)]))[0].splitlines()
    assert text[4] == "│ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… │ ?                      │   0 (unbuilt) │"
    assert text[5] == "│ (Dense)                         │                        │               │"
    assert text[7] == "│ dropout (Dropout)               │ ?                      │             0 │"
    assert text[-3:] == [
        " Total params: 0 (0.00 B)", " Trainable params: 0 (0.00 B)", " Non-trainable params: 0 (0.00 B)",
    ]  # fmt: skip


def test_box_with_a_column_for_trainable_layers(keras3: None, columns: None) -> None:
    model = Sequential([Dense(2, input_dim=3, trainable=False), Dense(1), Dropout(0.5)])
    text = lines(model, show_trainable=True)[0].splitlines()
    assert text[2] == "┃ Layer (type)                ┃ Output Shape          ┃    Param # ┃ Trai… ┃"
    assert [text[i].split()[-2] for i in (4, 6, 8)] == ["N", "Y", "-"]
    with pytest.raises(ValueError, match="line_length must leave"):
        lines(model, line_length=20)


def test_table_with_a_column_for_trainable_layers() -> None:
    model = Sequential([Dense(2, input_dim=3, trainable=False), Dense(1), Dropout(0.5)])
    table = lines(model, show_trainable=True)
    assert len(table[0]) == 75
    assert [table[i].split()[-1] for i in (1, 3, 5, 7)] == ["Trainable", "N", "Y", "-"]


def test_a_range_of_layers() -> None:
    model = Sequential([Dense(2, input_dim=3, name="first"), Dense(2, name="second"), Dense(1, name="third")])
    assert [line.split()[0] for line in lines(model, layer_range=["second", "th.*"])[3:6:2]] == ["second", "third"]
    with pytest.raises(ValueError, match="layer_range must name layers of the model, first, second, third"):
        lines(model, layer_range=["second", "fourth"])
