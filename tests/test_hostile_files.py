"""Files that lie: every one is refused with FileFormatError, soon, and nothing in it is run."""

import json
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnlite.errors import FileFormatError
from nnlite.layers import BatchNormalization, Dense
from nnlite.models import Sequential
from nnlite.snapshot import from_bytes, to_bytes


def net() -> Sequential:
    layers = [Dense(8, activation="relu", input_dim=4, kernel_regularizer="l2"), BatchNormalization(), Dense(1)]
    return Sequential(layers, seed=7)


def trained() -> Sequential:
    model = net()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(np.ones((3, 4)), np.ones(3), verbose=0)
    return model


def forged(change: Callable[[dict[str, Any]], Any], model: Sequential | None = None) -> bytes:
    """A file with another header and everything else consistent with it."""
    data = to_bytes(model or trained())[0]
    length = struct.unpack_from("<Q", data, 24)[0]
    header = json.loads(data[32 : 32 + length])
    text = change(header)
    return sealed(data, text if isinstance(text, bytes) else json.dumps(header).encode())


def sealed(data: bytes, header: bytes) -> bytes:
    length = struct.unpack_from("<Q", data, 24)[0]
    tensors = data[-(-(32 + length) // 64) * 64 :]
    padding = bytes(-(32 + len(header)) % 64)
    total = 32 + len(header) + len(padding) + len(tensors)
    rest = struct.pack("<QQ", total, len(header)) + header + padding + tensors
    return data[:12] + struct.pack("<I", zlib.crc32(rest)) + rest


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A change of the header: what stands at all but the last of `path` becomes the last."""

    def change(header: Any) -> None:
        for key in path[:-2]:
            header = header[key]
        header[path[-2]] = path[-1]

    return change


LAYER = ("model", "config", "layers", 0)
ATTACKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no object": lambda header: b"[1]",
    "no JSON": lambda header: b"{" * 100,
    "deep": lambda header: b"[" * 500_000,
    "NaN": lambda header: b'{"contract": NaN}',
    "long number": lambda header: b'{"contract": ' + b"9" * 10_000 + b"}",
    "not UTF-8": lambda header: b'{"contract": "\xff"}',
    "no tensors": lambda header: header.pop("tensors"),
    "tensors no list": put("tensors", 5),
    "tensor no dict": put("tensors", 0, 5),
    "tensor with another key": put("tensors", 0, "file", "/etc/passwd"),
    "huge shape": put("tensors", 0, "shape", [1 << 40, 1 << 40]),
    "wrapping shape": put("tensors", 0, "shape", [1 << 32, 1 << 32]),
    "negative shape": put("tensors", 0, "shape", [-4, -8]),
    "empty shape": put("tensors", 0, "shape", [4, 0]),
    "real shape": put("tensors", 0, "shape", [4.0, 8]),
    "boolean shape": put("tensors", 0, "shape", [True, True]),
    "deep shape": put("tensors", 0, "shape", [1] * 70),
    "transposed": put("tensors", 0, "shape", [8, 4]),
    "overlap": put("tensors", 1, "offset", 0),
    "negative offset": put("tensors", 0, "offset", -64),
    "offset beyond the end": put("tensors", 1, "offset", 1 << 40),
    "offset a string": put("tensors", 1, "offset", "0"),
    "objects": put("tensors", 0, "dtype", "|O"),
    "other reals": put("tensors", 0, "dtype", "<f8"),
    "dtype a list": put("tensors", 0, "dtype", ["<f4"]),
    "other name": put("tensors", 0, "name", "x"),
    "name a number": put("tensors", 0, "name", 1),
    "fewer tensors": lambda header: header["tensors"].pop(),
    "unknown part": put("import", "os"),
    "missing part": lambda header: header.pop("seed"),
    "model a list": put("model", []),
    "config a number": put("model", "config", 5),
    "layers a number": put("model", "config", "layers", 5),
    "no layers": put("model", "config", "layers", []),
    "too many layers": lambda header: header["model"]["config"].update(
        layers=header["model"]["config"]["layers"] * 500
    ),
    "same layer twice": lambda header: header["model"]["config"].update(layers=header["model"]["config"]["layers"] * 2),
    "class of a module": put("model", "class_name", "os.system"),
    "unknown layer": put(*LAYER, "class_name", "Lambda"),
    "layer of a module": put(*LAYER, "class_name", "subprocess>Popen"),
    "layer a string": put(*LAYER, "dense"),
    "layer config a string": put(*LAYER, "config", "os.system"),
    "unknown argument": put(*LAYER, "config", "function", "os.system"),
    "wide layer": put(*LAYER, "config", "units", 1 << 45),
    "endless layer": put(*LAYER, "config", "units", 10**400),
    "no units": put(*LAYER, "config", "units", None),
    "wide input": put(*LAYER, "config", "batch_input_shape", [None, 1 << 60]),
    "input a string": put(*LAYER, "config", "batch_input_shape", "ab"),
    "activation of a module": put(*LAYER, "config", "activation", "os.system"),
    "activation function": put(*LAYER, "config", "activation", {"class_name": "function", "config": "eval"}),
    "initializer from a file": put(*LAYER, "config", "kernel_initializer", "/etc/passwd"),
    "initializer of a shape": put(*LAYER, "config", "kernel_initializer", {"class_name": "ArrayInitializer"}),
    "regularizer infinite": put(*LAYER, "config", "kernel_regularizer", {"class_name": "L2", "config": {"l2": 1e999}}),
    "dtype": put("dtype", "float16"),
    "dtype none": put("dtype", None),
    "seed negative": put("seed", -1),
    "seed huge": put("seed", 1 << 64),
    "seed a string": put("seed", "0"),
    "training a list": put("training", []),
    "optimizer of a module": put("training", "objective", "optimizer", "class_name", "builtins.exec"),
    "optimizer other": put("training", "objective", "optimizer", "sgd"),
    "optimizer argument": put("training", "objective", "optimizer", "config", "jit", 1),
    "loss a function": put("training", "objective", "loss", {"class_name": "function", "config": "exec"}),
    "loss other argument": put("training", "objective", "loss", "config", "function", "exec"),
    "metrics": put("training", "objective", "metrics", ["__import__"]),
    "compile argument": put("training", "objective", "callbacks", []),
    "iterations": put("training", "state", "iterations", -1),
    "iterations real": put("training", "state", "iterations", 0.5),
    "products": put("training", "state", "products", [1.0] * 5),
    "products strings": put("training", "state", "products", ["a"] * 4),
    "state": put("training", "state", None),
    "rate": put("training", "state", "learning_rate", -1.0),
    "trained": put("training", "trained", [1, 2]),
}


class TestHostileFiles:
    @pytest.mark.parametrize("name", ATTACKS)
    def test_refused(self, name: str) -> None:
        data = forged(ATTACKS[name])
        began = time.perf_counter()
        with pytest.raises(FileFormatError):
            from_bytes(data)
        assert time.perf_counter() - began < 1

    def test_the_forger_can_make_a_sound_file(self) -> None:
        model = trained()
        assert (
            from_bytes(forged(lambda header: None, model)).get_weights()[0].tolist() == model.get_weights()[0].tolist()
        )

    def test_cut_off_anywhere(self) -> None:
        data = to_bytes(net())[0]
        for length in [*range(0, len(data), 37), len(data) - 1]:
            with pytest.raises(FileFormatError):
                from_bytes(data[:length])
        with pytest.raises(FileFormatError, match="added"):
            from_bytes(data + b"\0")

    def test_any_flipped_bit(self) -> None:
        data = to_bytes(net())[0]
        for place in range(0, len(data), 29):
            with pytest.raises(FileFormatError):
                from_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])

    def test_a_newer_format(self) -> None:
        data = to_bytes(net())[0]
        with pytest.raises(FileFormatError, match="format 2"):
            from_bytes(data[:8] + struct.pack("<I", 2) + data[12:])

    def test_a_header_over_a_megabyte(self) -> None:
        with pytest.raises(FileFormatError, match="header claims"):
            from_bytes(forged(lambda header: json.dumps(header).encode() + b" " * (1 << 20)))
        with pytest.raises(ValueError, match="set_weights"):
            to_bytes(Sequential([Dense(500, input_dim=500, kernel_initializer=np.zeros((500, 500)))]))

    def test_nothing_but_the_file_is_touched(self, tmp_path: Path) -> None:
        """An audit hook sees no code compiled, imported or run, and no other file opened, while a file is read."""
        trained().save(tmp_path / "m")
        script = (
            "import sys; from nnlite.models import load_model; load_model(sys.argv[1]); seen = []\n"
            "sys.addaudithook(lambda event, args: seen.append((event, args[:1])))\n"
            "load_model(sys.argv[1])\n"
            "print([one for one in seen if one[0].split('.')[0] in\n"
            "       ('exec', 'compile', 'import', 'open', 'socket', 'subprocess', 'os', 'pickle', 'ctypes')])\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, tmp_path / "m"], capture_output=True, text=True, check=True
        )
        assert done.stdout.count("(") == 2
        assert f"[('open', ('{tmp_path / 'm'}',))]" == done.stdout.strip()
