"""Keras' files, read and written with h5py: .keras of Keras 3, .h5 of Keras 1 and 2 and of tf.keras.

.keras is a zip of metadata.json, config.json and model.weights.h5. In that, and in .weights.h5 files, layer number
i of a class has its arrays at layers/<class>_<i>/vars/0, 1, ...; the optimizer's are at optimizer/vars/0, 1, ...
A .h5 file has its descriptions as attributes, a group for each layer and in that an array for each weight, all
listed in attributes. Layers are matched in order.

A file may come from a stranger: a zip has these three members and no other, links inside HDF5 are refused unless they
are hard, arrays must lie in the file itself and together hold at most ten times its bytes. Below that is the HDF5
library, which may crash the process over bytes that are damaged on purpose: files of strangers are safest in
nnlite's own format, which needs no library.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from nnlite import config, keras_config
from nnlite.backend import snake_case
from nnlite.container import Array, read_json
from nnlite.errors import FileFormatError
from nnlite.saving import LayerWeights, paired
from nnlite.snapshot import known, model_of, refusing

if TYPE_CHECKING:
    from nnlite.layers.layer import Layer
    from nnlite.models import Sequential

_ZIP = b"PK"
MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
_VERSION = "3.13.0"  # of the Keras whose files are written
_GROWTH = 10  # how much more than the file its arrays may hold
_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError)  # what h5py and zipfile raise besides
_LONGEST_ATTRIBUTE = 60_000  # HDF5 takes 64 kB; longer lists go on in attributes with a number


def h5py() -> Any:
    """Return the module h5py. Raises ImportError with advice if it is not installed."""
    try:
        import h5py as module
    except ImportError:
        raise ImportError('Keras\' files need h5py: pip install "nnlite[keras]", or save under another name.') from None
    return module


# ---- reading ----


class Hdf5:
    """An HDF5 file in memory, of which only what is asked for is looked at."""

    def __init__(self, data: bytes) -> None:
        self._h5py = h5py()
        self._left = _GROWTH * len(data)
        self.file = self._h5py.File(io.BytesIO(data), "r")

    def member(self, group: Any, path: str) -> Any:
        """Return the group or dataset at `path`; every step must be a hard link."""
        for part in filter(None, path.split("/")):
            link = group.get(part, getlink=True) if isinstance(group, self._h5py.Group) else None
            if not isinstance(link, self._h5py.HardLink):
                _refuse(f"{path!r} is missing or a link to somewhere else")
            group = group[part]
        return group

    def array(self, group: Any, path: str) -> Array:
        """Return the numbers of the dataset at `path`."""
        dataset = self.member(group, path)
        if not isinstance(dataset, self._h5py.Dataset) or dataset.is_virtual or dataset.external:
            _refuse(f"{path!r} is no array that lies in the file")
        if dataset.dtype.kind not in "fiu" or dataset.dtype.itemsize > 8:
            _refuse(f"{path!r} holds {dataset.dtype}, not numbers")
        self._left -= prod(dataset.shape) * dataset.dtype.itemsize
        if self._left < 0:
            _refuse("its arrays claim more than ten times its size")
        return np.asarray(dataset[()])

    def numbered(self, group: Any) -> list[Array]:
        """Return the datasets "0", "1", ... of a group."""
        return [self.array(group, str(i)) for i in range(len(group)) if str(i) in group]

    def attribute(self, group: Any, name: str) -> Any:
        """Return an attribute, None if there is none."""
        if name not in group.attrs:
            return None
        if prod(group.attrs.get_id(name).shape) > self._left:
            _refuse(f"attribute {name!r} claims more than the file holds")
        return group.attrs[name]

    def text(self, name: str) -> str | None:
        """Return an attribute of the file that is text."""
        value = self.attribute(self.file, name)
        return value.decode() if isinstance(value, bytes) else value if isinstance(value, str) else None

    def strings(self, group: Any, name: str) -> list[str]:
        """Return a list of strings, which may be spread over attributes name, or name0, name1, ..."""
        whole = self.attribute(group, name)
        values = [] if whole is None else list(np.atleast_1d(whole))
        i = 0
        while whole is None and (part := self.attribute(group, f"{name}{i}")) is not None:
            values += list(np.atleast_1d(part))
            i += 1
        return [value.decode() if isinstance(value, bytes) else str(value) for value in values]

    def layers(self, layers: Sequence[Layer]) -> LayerWeights:
        """Return the weights of layers, whichever Keras wrote them; `layers` are those they are for."""
        if "model_weights" in self.file or {"layer_names", "layer_names0"} & set(self.file.attrs):
            group = self.member(self.file, "model_weights") if "model_weights" in self.file else self.file
            found = [(name, self._named(self.member(group, name))) for name in self.strings(group, "layer_names")]
            return [(name, arrays) for name, arrays in found if arrays]
        found = []
        for layer, place in zip(layers, places(layers), strict=True):
            if layer.weights:
                group = self.member(self.file, place)
                found.append((str(group.attrs.get("name", layer.name)), self.numbered(group)))
        return [(name, arrays) for name, arrays in found if arrays]

    def _named(self, group: Any) -> list[Array]:
        return [self.array(group, name) for name in self.strings(group, "weight_names")]


def places(layers: Sequence[Layer]) -> list[str]:
    """Return where Keras 3 puts the weights of each layer: the class's name, with a number from the second on."""
    names = [snake_case(type(layer).__name__) for layer in layers]
    counts = [names[:i].count(name) for i, name in enumerate(names)]
    return [f"layers/{name}_{n}/vars" if n else f"layers/{name}/vars" for name, n in zip(names, counts, strict=True)]


def _unzipped(data: bytes) -> dict[str, bytes]:
    """Return the members of a .keras file."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = archive.infolist()
    if sorted(member.filename for member in members) != sorted(MEMBERS):
        _refuse(f"a .keras file must hold {', '.join(MEMBERS)} and nothing else")
    if sum(member.file_size for member in members) > _GROWTH * len(data):
        _refuse("its members claim more than ten times its size")
    return {member.filename: archive.read(member) for member in members}


def read_weights(data: bytes, layers: Sequence[Layer]) -> LayerWeights:
    """Return the weights in a file of weights or of a model, by layer; `layers` are those they are for.

    Raises FileFormatError if it is none.
    """
    h5py()
    with refusing("the model", *_UNREADABLE):
        return Hdf5(_unzipped(data)["model.weights.h5"] if data.startswith(_ZIP) else data).layers(layers)


def load(data: bytes, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Sequential:
    """Return the model of a file; arguments as in `nnlite.saving.load_model`.

    The state of the optimizer is taken from .keras files; with an .h5 file it starts anew.

    Raises FileFormatError if it holds none.
    """
    h5py()
    with refusing("the model", *_UNREADABLE):
        if data.startswith(_ZIP):
            members = _unzipped(data)
            record: Any = read_json(members["config.json"])
            training = record.get("compile_config")
            hdf5 = Hdf5(members["model.weights.h5"])
        else:
            hdf5 = Hdf5(data)
            described = hdf5.text("model_config")
            if described is None:
                _refuse("it holds no model; weights are read by model.load_weights")
            record = read_json(described)
            text = hdf5.text("training_config")
            training = None if text is None else read_json(text)
        model = model_of(keras_config.plain(record), custom_objects)
    if config.compat() == "keras2" and data.startswith(_ZIP) and b"hard_sigmoid" in members["config.json"]:
        _warn_of_hard_sigmoid()
    with refusing("the model", *_UNREADABLE):
        # until the model is built it has no weights, by which Keras 3's places are found: nor had the one saved
        stored = hdf5.layers(model.layers)
        if not model.built and stored:
            model.build((None, stored[0][1][0].shape[0]))
        if model.built:
            values = {id(layer): arrays for layer, arrays in paired(model.layers, stored)}
            own = [values.get(id(layer)) or layer.weights_of_keras([]) for layer in model.layers]
            model.begin_with([array for arrays in own for array in arrays])
    if compile and training:
        with known(custom_objects), refusing("what the model is trained for", *_UNREADABLE):
            model.compile_from_config(keras_config.objective(training))
            if model.built and "optimizer" in hdf5.file:
                _resume(model, hdf5.numbered(hdf5.member(hdf5.file, "optimizer/vars")))
    return model


def _warn_of_hard_sigmoid() -> None:
    import warnings

    text = 'hard_sigmoid has the slope 1/6 in Keras 3 and 0.2 here; use nnlite.config.set_compat("keras3") first.'
    warnings.warn(text, stacklevel=4)


def _resume(model: Sequential, variables: list[Array]) -> None:
    """Give the model the state of Keras 3's optimizer: steps, learning rate, slots."""
    engine, (rule, numbers) = model.engine, model.optimizer.rule()
    pairs = _slots(model, rule)
    if len(variables) < 2 + len(pairs):
        return  # it had made no step yet
    for (slot, tensor), array in zip(pairs, variables[2:], strict=False):
        engine.write(2 + slot, tensor, array)
    steps, rate = int(variables[0]), float(variables[1])
    if not 0 <= steps < 1 << 63 or not np.isfinite(rate) or rate < 0:
        _refuse(f"its optimizer has made {steps} steps at the rate {rate}")
    scalar = float(variables[-1]) if rule == "nadam" else 1.0
    engine.state = engine.state | {
        "iterations": steps,
        "products": keras_config.products(rule, numbers, steps, scalar),
    }


def _slots(model: Sequential, rule: str) -> list[tuple[int, int]]:
    trained = [i for i, (*_, trained) in enumerate(model.engine.tensors()) if trained]
    return keras_config.slot_order(rule, getattr(model.optimizer, "momentum", 0.0), trained)


def _refuse(reason: str) -> NoReturn:
    raise FileFormatError(f"this is no file of Keras that can be read: {reason}.")


# ---- writing ----


def weights_bytes(model: Sequential, layout: str) -> bytes:
    """Return the bytes of a file of weights in the layout "weights.h5", Keras 3's, or "h5", Keras 2's."""
    buffer = io.BytesIO()
    with h5py().File(buffer, "w") as file:
        _write_places(file, model) if layout == "weights.h5" else _write_names(file, model)
    return buffer.getvalue()


def model_bytes(model: Sequential, layout: str, include_optimizer: bool) -> bytes:
    """Return the bytes of a file of a model in the layout "keras" or "h5".

    Raises UnsupportedError for what Keras cannot describe.
    """
    h5py()
    described = keras_config.described(model)
    training = keras_config.training(model) if include_optimizer else None
    buffer = io.BytesIO()
    if layout == "h5":
        with h5py().File(buffer, "w") as file:
            file.attrs["keras_version"], file.attrs["backend"] = _VERSION, "nnlite"
            file.attrs["model_config"] = json.dumps({key: described[key] for key in ("class_name", "config")})
            if training is not None:
                optimizer = training.pop("optimizer")
                training["optimizer_config"] = {key: optimizer[key] for key in ("class_name", "config")}
                file.attrs["training_config"] = json.dumps(training)
            _write_names(file.create_group("model_weights"), model)
        return buffer.getvalue()
    if model.built:
        described["build_config"] = {"input_shape": model.input_shape}
    if training is not None:
        described["compile_config"] = training
    weights = io.BytesIO()
    with h5py().File(weights, "w") as file:
        _write_places(file, model)
        if training is not None and model.built:
            _write_optimizer(file, model)
    metadata = {"keras_version": _VERSION, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    contents = [json.dumps(metadata).encode(), json.dumps(described).encode(), weights.getvalue()]
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in zip(MEMBERS, contents, strict=True):
            archive.writestr(name, content)
    return buffer.getvalue()


def _write_places(file: Any, model: Sequential) -> None:
    """Write the weights as Keras 3 places them."""
    file.create_group("vars").attrs["name"] = model.name
    for layer, place in zip(model.layers, places(model.layers), strict=True):
        group = file.create_group(place)
        group.attrs["name"] = layer.name
        for i, (_, array) in enumerate(layer.keras_weights()):
            group[str(i)] = array


def _write_names(group: Any, model: Sequential) -> None:
    """Write the weights as Keras 2 names them."""
    group.attrs["backend"], group.attrs["keras_version"] = b"tensorflow", b"2.2.4"
    _write_strings(group, "layer_names", [layer.name for layer in model.layers])
    for layer in model.layers:
        part = group.create_group(layer.name)
        weights = layer.keras_weights()
        _write_strings(part, "weight_names", [name for name, _ in weights])
        for name, array in weights:
            part[name] = array


def _write_strings(group: Any, name: str, strings: list[str]) -> None:
    values = np.array([string.encode() for string in strings]) if strings else np.zeros(0)
    parts = -(-max(1, values.nbytes) // _LONGEST_ATTRIBUTE)
    if parts == 1:
        group.attrs[name] = values
        return
    for i, part in enumerate(np.array_split(values, parts)):
        group.attrs[f"{name}{i}"] = part


def _write_optimizer(file: Any, model: Sequential) -> None:
    """Write the optimizer's state as Keras 3 does."""
    rule, engine, group = model.optimizer.rule().name, model.engine, file.create_group("optimizer/vars")
    state = engine.state
    group["0"], group["1"] = np.int32(state["iterations"]), np.float32(state["learning_rate"])
    variables = [engine.read(2 + slot, tensor) for slot, tensor in _slots(model, rule)]
    if rule == "nadam":
        variables.append(np.asarray(state["products"][2], engine.dtype))
    for i, array in enumerate(variables, 2):
        group[str(i)] = array
