"""Models on disk and copies of models: the functions of ``keras.models`` and the methods of a model.

A name that ends in .keras or .h5 (.hdf5) means Keras' files, which need h5py (``pip install "nnlite[keras]"``); any
other means nnlite's own, which NumPy is enough for. A file is read by what it holds, not by its name. No file can
make nnlite run code: it states numbers and names, and a name means what nnlite's registries or `custom_objects` say.
The HDF5 library under Keras' files may crash over damaged bytes; nnlite's own reader refuses them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnlite.errors import ArgumentError, NotBuiltError, ShapeError, UnsupportedError

if TYPE_CHECKING:
    from nnlite.container import Array
    from nnlite.layers.layer import Layer
    from nnlite.models import Sequential
    from nnlite.objective import Objective

Path = str | os.PathLike[str]


class Saved:
    """What a model does with files and copies of itself."""

    _objective: Objective | None
    _seed: int | None

    @property
    def seed(self) -> int | None:
        """What initial weights, shuffles and dropout follow from; None if it is still to be drawn."""
        return self._seed

    def save(
        self: Any,
        filepath: Path,
        overwrite: bool = True,
        include_optimizer: bool = True,
        save_format: str | None = None,
    ) -> None:
        """Write the model to a file; `load_model` makes it again. As `save_model`, which has the arguments."""
        save_model(self, filepath, overwrite, include_optimizer, save_format)

    def save_weights(self: Any, filepath: Path, overwrite: bool = True, save_format: str | None = None) -> None:
        """Write the weights to a file, for `load_weights`. The file is whole or not there, as with `save_model`.

        Args:
            filepath: .weights.h5 is Keras 3's layout, .h5 Keras 2's, anything else nnlite's own.
            overwrite: whether a file that is there is replaced.
            save_format: "h5" for Keras 2's layout under any name.

        Raises:
            NotBuiltError: there are no weights yet.
            FileExistsError: the file is there and `overwrite` is false.
        """
        from nnlite import container
        from nnlite.snapshot import CONTRACT

        if not self.built:
            raise NotBuiltError(f"model {self.name!r} has no weights yet: build it first, with build((None, 5)).")
        layout = _format(filepath, save_format)
        if layout == "own":
            tensors = [(weight.name, weight.numpy()) for weight in self.weights]
            data = container.pack(f'{{"contract": {CONTRACT}}}', tensors)
        else:
            from nnlite import keras_files

            data = keras_files.weights_bytes(self, layout)
        container.write(filepath, data, overwrite)

    def load_weights(self: Any, filepath: Path, by_name: bool = False, skip_mismatch: bool = False) -> None:
        """Set the weights from a file of weights or of a model, nnlite's or Keras'; the optimizer goes on.

        Args:
            filepath: the file.
            by_name: whether layers get the weights of the layer of their name, and keep their own if there is none;
                otherwise layers with weights are matched in order.
            skip_mismatch: whether a layer whose shapes are others keeps its weights.

        Raises:
            MissingFileError: there is no such file.
            FileFormatError: it is no file of weights.
            ShapeError: the model has other weights. It then keeps all it had.
        """
        if not self.built:
            raise NotBuiltError(f"model {self.name!r} has no weights yet: build it first, with build((None, 5)).")
        stored = _read_weights(filepath, self.layers)
        for layer, arrays in paired(self.layers, stored, by_name, skip_mismatch):
            layer.set_weights(arrays)

    def to_json(self: Any, **options: Any) -> str:
        """Return the layers as JSON, for `model_from_json`; `options` are those of ``json.dumps``."""
        import json

        from nnlite.snapshot import Names

        description = {"class_name": self.described_as or type(self).__name__, "config": self.get_config()}
        plain = json.loads(Names().encode(description | {"keras_version": "2.2.4", "backend": "nnlite"}))
        return json.dumps(plain, **options)

    def to_yaml(self, **options: Any) -> str:
        """Raise UnsupportedError, as Keras does since 2.6."""
        raise UnsupportedError("models are not written as YAML, whose reader may run code; use to_json.")

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of `compile`, or None before it; functions written in Python stand as they are."""
        return None if self._objective is None else self._objective.get_config()

    def compile_from_config(self: Any, config: Mapping[str, Any]) -> None:
        """Compile as `get_compile_config` says."""
        self.compile(**config)

    def __reduce__(self: Any) -> tuple[Any, ...]:
        """Pickle and copy a model as the bytes `save` writes, beside the user's own functions and classes in it."""
        from nnlite.snapshot import from_bytes, to_bytes

        return from_bytes, to_bytes(self)


def save_model(
    model: Sequential,
    filepath: Path,
    overwrite: bool = True,
    include_optimizer: bool = True,
    save_format: str | None = None,
) -> None:
    """Write a model to a file: layers, weights, and what its training goes on from.

    The file is whole or, if something goes wrong, what was there before. Saved after an epoch and loaded, a model
    goes on to the same bits as one that never stopped.

    Args:
        model: the model.
        filepath: where. The end of the name chooses the format: .keras is Keras 3's, .h5 and .hdf5 Keras 2's, anything
            else nnlite's own.
        overwrite: whether a file that is there is replaced.
        include_optimizer: whether optimizer, loss, metrics and their state are written too; .h5 files hold no state.
        save_format: "keras" or "h5" for that format under any name.

    Raises:
        FileExistsError: the file is there and `overwrite` is false.
        OSError: it cannot be written.
        ValueError: the description of the layers takes more than 1 MB.

    >>> import os, tempfile
    >>> from nnlite import Sequential, layers
    >>> path = os.path.join(tempfile.mkdtemp(), "net.nnlite")
    >>> Sequential([layers.Dense(2, input_dim=3)]).save(path)
    >>> load_model(path).count_params()
    8
    """
    from nnlite import container
    from nnlite.snapshot import to_bytes

    layout = _format(filepath, save_format)
    if layout == "own":
        data = to_bytes(model, include_optimizer)[0]
    else:
        from nnlite import keras_files

        data = keras_files.model_bytes(model, layout, include_optimizer)
    container.write(filepath, data, overwrite)


def load_model(
    filepath: Path, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Sequential:
    """Return the model of a file, nnlite's or Keras'.

    Args:
        filepath: the file.
        custom_objects: what names of your own functions and classes in it mean.
        compile: whether to compile it as it was, if the file says how. It then goes on training where it was saved.
        safe_mode: no file can switch safety off, and neither can this.

    Raises:
        MissingFileError: there is no such file.
        FileFormatError: it is no model, is damaged, or names what is not known.

    >>> import os, tempfile
    >>> from nnlite import Sequential, layers
    >>> path = os.path.join(tempfile.mkdtemp(), "net.nnlite")
    >>> Sequential([layers.Dense(2, input_dim=3)]).save(path)
    >>> load_model(path).output_shape
    (None, 2)
    """
    from nnlite import container
    from nnlite.snapshot import from_bytes

    data = container.read(filepath)
    if data.startswith(_KERAS):
        from nnlite import keras_files

        return keras_files.load(data, custom_objects, compile)
    return from_bytes(data, custom_objects, compile)


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Sequential:
    """Return a model with new weights from ``{"class_name": "Sequential", "config": model.get_config()}``, of nnlite
    or any Keras.

    Raises FileFormatError, a ValueError, if it describes no model.

    >>> from nnlite import Sequential, layers
    >>> model = Sequential([layers.Dense(2, input_dim=3)])
    >>> model_from_config({"class_name": "Sequential", "config": model.get_config()}).count_params()
    8
    """
    from nnlite.keras_config import plain
    from nnlite.snapshot import model_of, refusing

    with refusing("the model"):
        return model_of(plain(config), custom_objects)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Sequential:
    """Return a model with new weights from what `to_json` of nnlite or Keras returned.

    Raises FileFormatError, a ValueError, if it describes no model.

    >>> from nnlite import Sequential, layers
    >>> model_from_json(Sequential([layers.Dense(2, input_dim=3)]).to_json()).output_shape
    (None, 2)
    """
    from nnlite.container import read_json

    return model_from_config(read_json(json_string), custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None) -> Sequential:
    """Raise UnsupportedError, as Keras does since 2.6.

    >>> model_from_yaml("class_name: Sequential")
    Traceback (most recent call last):
        ...
    nnlite.errors.UnsupportedError: models are not read from YAML, whose reader may run code; use model_from_json.
    """
    raise UnsupportedError("models are not read from YAML, whose reader may run code; use model_from_json.")


def clone_model(
    model: Sequential, input_tensors: None = None, clone_function: Callable[[Layer], Layer] | None = None
) -> Sequential:
    """Return a model of equal layers with new weights, not compiled.

    Args:
        model: the model.
        input_tensors: must be None.
        clone_function: makes the new layer of a layer; from its config if None.

    >>> from nnlite import Sequential, layers
    >>> model = Sequential([layers.Dense(2, input_dim=3)])
    >>> clone_model(model).count_params()
    8
    """
    if input_tensors is not None:
        raise UnsupportedError("input_tensors must be None: a model's input is set by its first layer.")
    clone = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))
    front = [] if model._input is None else [type(model._input).from_config(model._input.get_config())]
    copied = model.like([*front, *map(clone, model.layers)])
    if model.built and not copied.built:
        copied.build(model.input_shape)
    return copied


def _format(filepath: Path, save_format: str | None) -> str:
    """Return which format is meant: "keras", "h5", "weights.h5" or "own"."""
    if save_format == "tf":
        raise UnsupportedError("save_format must be 'keras', 'h5' or None; TensorFlow's own format is not written.")
    if save_format is not None:
        if save_format not in ("keras", "h5"):
            raise ArgumentError(f"save_format must be 'keras', 'h5' or None; received {save_format!r}.")
        return save_format
    name = os.fsdecode(filepath).lower()
    for ending, kind in ((".keras", "keras"), (".weights.h5", "weights.h5"), (".h5", "h5"), (".hdf5", "h5")):
        if name.endswith(ending):
            return kind
    return "own"


# How Keras' files begin: a zip, or HDF5.
_KERAS = (b"PK", b"\x89HDF")
# Weights of a file: for each layer that has some its name and its arrays.
LayerWeights = list[tuple[str, list["Array"]]]


def _read_weights(filepath: Path, layers: Sequence[Layer]) -> LayerWeights:
    """Return the weights in a file; `layers` are those they are for."""
    from nnlite import container

    data = container.read(filepath)
    if data.startswith(_KERAS):
        from nnlite import keras_files

        return keras_files.read_weights(data, layers)
    found: dict[str, list[Array]] = {}
    for name, array in container.unpack(data)[1]:
        if name.endswith(":0"):  # the others are the optimizer's
            found.setdefault(name.rpartition("/")[0], []).append(array)
    return list(found.items())


def paired(
    layers: Sequence[Layer], stored: LayerWeights, by_name: bool = False, skip_mismatch: bool = False
) -> list[tuple[Layer, list[Array]]]:
    """Return the layers with weights, each with the arrays that are for it.

    Raises ShapeError if there are others than it has, unless `skip_mismatch` leaves such layers out.
    """
    own = [layer for layer in layers if layer.weights]
    if by_name:
        named = dict(stored)
        pairs = [(layer, named[layer.name]) for layer in own if layer.name in named]
    else:
        if len(own) != len(stored):  # Keras keeps the weights of some layers as their arguments
            own = [layer for layer in own if not layer.weights_of_keras([])]
        if len(own) != len(stored):
            raise ShapeError(f"the model has {len(own)} layers with weights; the file has {len(stored)}.")
        pairs = [(layer, arrays) for layer, (_, arrays) in zip(own, stored, strict=True)]
    fitting = []
    for layer, values in pairs:
        arrays = layer.weights_of_keras(values)
        want, have = [weight.shape for weight in layer.weights], [array.shape for array in arrays]
        if want == have:
            fitting.append((layer, arrays))
        elif not skip_mismatch:
            raise ShapeError(f"layer {layer.name!r} has weights of shapes {want}; the file has {have} for it.")
    return fitting


__all__ = [
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
]
