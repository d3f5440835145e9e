"""A model as bytes and back: its layers, its weights, and all that its training goes on from.

Functions and classes of the user stand in the bytes by name. What a name means is decided by the registries and by
what the caller passes, never by the bytes.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlite import config, container, registry
from nnlite.container import Array
from nnlite.errors import FileFormatError, number
from nnlite.models import Sequential
from nnlite.registry import Configurable

if TYPE_CHECKING:
    from nnlite._engine import EngineModel, State

# Number of the numerics promise: it goes up when the same seed and data are meant to give other bits than before.
CONTRACT = 3
MOST_LAYERS = 1000
_MOST_STEPS = 1 << 64
_naming = RLock()


# ---- names of what is written in Python ----


class Names:
    """Names for the functions and classes a description holds.

    Attributes:
        objects: what they mean, as `custom_objects` of the functions that read the description.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}

    def of(self, thing: Any) -> str:
        """Return the name of a function or class; of two of one name the second gets a number."""
        name = first = str(getattr(thing, "__name__", type(thing).__name__))
        count = 1
        while self.objects.setdefault(name, thing) is not thing:
            count += 1
            name = f"{first}_{count}"
        return name

    def add_classes(self, model: Sequential) -> None:
        """Name the classes of the user that the description of `model` mentions."""
        objective = model._objective
        things: list[Any] = [model, *model.layers, *(value for layer in model.layers for value in vars(layer).values())]
        things += [] if objective is None else [objective.optimizer, objective.loss, *objective.chosen]
        for thing in things:
            if isinstance(thing, Configurable | Sequential) and not type(thing).__module__.startswith("nnlite."):
                self.objects[type(thing).__name__] = type(thing)

    def encode(self, description: Mapping[str, Any]) -> str:
        """Return a description as JSON. Raises TypeError for what has no name and no config."""
        return json.dumps(description, default=self._plain, allow_nan=False)

    def _plain(self, value: Any) -> Any:
        if isinstance(value, np.generic | np.ndarray):
            return value.tolist()
        if isinstance(value, Configurable):
            return {"class_name": type(value).__name__, "config": value.get_config()}
        if callable(value):
            return {"class_name": "function", "config": self.of(value)}
        raise TypeError(f"the description of a model cannot hold {value!r}, which has neither a name nor a config.")


@contextmanager
def known(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Let names mean what `custom_objects` says, within a ``with`` block."""
    with _naming:
        before = dict(registry.custom_objects)
        registry.custom_objects.update(custom_objects or {})
        try:
            yield
        finally:
            registry.custom_objects.clear()
            registry.custom_objects.update(before)


@contextmanager
def refusing(what: str, *more: type[Exception]) -> Iterator[None]:
    """Turn what an impossible description raises, and `more`, into a FileFormatError that says which part is meant."""
    raised = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError)
    kinds: tuple[type[Exception], ...] = (*raised, *more)
    try:
        yield
    except FileFormatError:
        raise
    except kinds as error:
        raise FileFormatError(f"{what} cannot be made: {error}") from error


# ---- models ----


def model_of(description: Any, custom_objects: Mapping[str, Any] | None = None, **more: Any) -> Sequential:
    """Return the model that ``{"class_name": "Sequential", "config": ...}`` describes, `more` added to its config.

    Raises FileFormatError if it describes none.
    """
    if not isinstance(description, Mapping) or not isinstance(description.get("class_name"), str):
        raise FileFormatError("a model must be described by class_name and config; these are missing.")
    name, settings = description["class_name"], description.get("config")
    kind = {"Sequential": Sequential, **(custom_objects or {})}.get(name)
    if not isinstance(kind, type) or not issubclass(kind, Sequential):
        raise FileFormatError(
            f"the model is a {name!r}; only Sequential can be read, or a class derived from it in custom_objects."
        )
    settings = {"layers": settings} if isinstance(settings, list) else settings
    if not isinstance(settings, Mapping) or not isinstance(settings.get("layers"), list):
        raise FileFormatError("the config of a Sequential must have a list of layers.")
    if len(settings["layers"]) > MOST_LAYERS:
        raise FileFormatError(f"a model may have {MOST_LAYERS} layers; this one has {len(settings['layers'])}.")
    with known(custom_objects), refusing("the model"):
        return kind.from_config(dict(settings) | more)


def to_bytes(model: Sequential, include_optimizer: bool = True) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a file, and what the names in it mean that are not nnlite's.

    Raises ValueError if the description takes more than 1 MB or the model has more than 1000 layers.
    """
    names = Names()
    names.add_classes(model)
    if len(model.layers) > MOST_LAYERS:
        raise ValueError(f"a model may be saved with up to {MOST_LAYERS} layers; this one has {len(model.layers)}.")
    engine = model.engine if model.built else None
    tensors = [(weight.name, weight.numpy()) for weight in model.weights]
    objective = model.get_compile_config() if include_optimizer else None
    training: dict[str, Any] | None = None
    if objective is not None:
        if model.stepper.keeps:
            text = "averages of weights, gradients added up and what an optimizer in Python keeps are not saved"
            warnings.warn(f"{text}: after loading, training starts without them.", UserWarning, stacklevel=3)
        training = {"objective": objective, "state": None, "trained": None}
        if engine is not None:
            training |= _standing(engine)
            tensors += _slot_tensors(engine)
    header = {
        "contract": CONTRACT,
        "compat": config.compat(),
        "epsilon": config.epsilon(),
        "model": {"class_name": model.described_as or type(model).__name__, "config": model.get_config()},
        "dtype": None if engine is None else engine.dtype.name,
        "seed": model.seed,
        "training": training,
    }
    return container.pack(names.encode(header), tensors), names.objects


def from_bytes(data: bytes, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Sequential:
    """Return the model whose file has the bytes `data`; with `compile` it goes on training where it was saved.

    Raises FileFormatError if they are not the bytes of a model that can be made.
    Warns that numbers will differ, if the settings in force are not those of the file.
    """
    header, tensors = container.unpack(data)
    if set(header) != {"contract", "compat", "epsilon", "model", "dtype", "seed", "training"}:
        raise FileFormatError(
            f"the file must describe a model; it has {', '.join(header) or 'weights only'}. "
            "Weights are read by model.load_weights."
        )
    with refusing("the model"):
        seed = None if header["seed"] is None else _count("seed", header["seed"])
        description = _with_dtype(header["model"], header["dtype"])
    model = model_of(description, custom_objects, seed=seed)
    _warn_of_settings(header)
    weights = len(model.weights)
    with refusing("the model"):
        values = matched(tensors[:weights], [(weight.name, weight.shape) for weight in model.weights])
        if model.built:
            if any(value.dtype.name != header["dtype"] for value in values):
                raise FileFormatError(f"the weights must be {header['dtype']!r} as the model.")
            model.begin_with(values)
    training = header["training"] if compile else None
    if training is not None:
        with known(custom_objects), refusing("what the model is trained for"):
            model.compile_from_config(training["objective"])
            if model.built:
                _resume(model.engine, training, tensors[weights:])
    elif compile and len(tensors) != weights:
        raise FileFormatError(
            f"the file must hold the {weights} weights of its model; it holds {len(tensors)} tensors."
        )
    return model


# ---- trainings ----


class Place(NamedTuple):
    """How far a training is: `batch` batches into `epoch`, counted from 0, with what its run goes on from."""

    epoch: int
    batch: int
    sums: NDArray[np.float64]


def to_backup(model: Sequential, place: Place) -> bytes:
    """Return the bytes of a file from which a training of a model made alike goes on at `place`."""
    tensors = [(f"weight/{i}", array) for i, array in enumerate(model.get_weights())]
    header = {
        "contract": CONTRACT,
        **_standing(model.engine),
        "epoch": place.epoch,
        "batch": place.batch,
        "sums": [number.hex() for number in place.sums.tolist()],  # a sum may be NaN, which JSON has no number for
    }
    return container.pack(json.dumps(header, allow_nan=False), tensors + _slot_tensors(model.engine))


def from_backup(model: Sequential, data: bytes, sums: int) -> Place:
    """Put back what `to_backup` has saved of a model whose run has so many sums, and return how far it was.

    Raises FileFormatError if the bytes are none, or of another model; it is then as it was.
    """
    header, tensors = container.unpack(data)
    with refusing("the training"):
        place = Place(
            _count("epoch", header["epoch"]),
            _count("batch", header["batch"]),
            np.array([float.fromhex(number) for number in header["sums"]]),
        )
        if len(place.sums) != sums:
            raise FileFormatError(f"the training has {sums} sums of loss and metrics; the file has {len(place.sums)}.")
        weights = model.weights
        values = matched(tensors[: len(weights)], [(f"weight/{i}", w.shape) for i, w in enumerate(weights)])
        _resume(model.engine, header, tensors[len(weights) :])
        model.set_weights(values)
    if model.optimizer.schedule is None:
        model.optimizer.learning_rate = model.engine.learning_rate
    return place


def matched(tensors: container.Tensors, wanted: list[tuple[str, tuple[int, ...]]]) -> list[Array]:
    """Return the arrays of `tensors`. Raises FileFormatError if names or shapes are not those wanted."""
    found = [(name, array.shape) for name, array in tensors]
    for have, want in zip(found, wanted, strict=False):
        if have != want:
            raise FileFormatError(
                f"a tensor must be {want[0]!r} of shape {want[1]}; the file has {have[0]!r}{have[1]}."
            )
    if len(found) != len(wanted):
        raise FileFormatError(f"the model has {len(wanted)} tensors; the file has {len(found)} in their place.")
    return [array.astype(array.dtype.newbyteorder("="), copy=False) for _, array in tensors]


def slot_name(slot: int, tensor: int) -> str:
    """Return what a file calls optimizer slot number `slot` of a tensor."""
    return f"optimizer/{slot}/{tensor}"


def _standing(engine: EngineModel) -> dict[str, Any]:
    """What training goes on from besides weights and slots; `_resume` reads it."""
    return {"state": engine.state, "trained": [trained for *_, trained in engine.tensors()]}


def _slot_tensors(engine: EngineModel) -> list[tuple[str, Array]]:
    return [(slot_name(k, i), engine.read(2 + k, i)) for k, i in _slots(engine)]


def _slots(engine: EngineModel) -> list[tuple[int, int]]:
    """Pairs of slot and tensor, in the order of files."""
    return [(k, i) for k in range(engine.slots) for i in range(len(engine.tensors()))]


def _resume(engine: EngineModel, training: Mapping[str, Any], tensors: container.Tensors) -> None:
    """Give a compiled engine the optimizer's slots, what it trains, and its counters."""
    own, slots, trained = engine.tensors(), _slots(engine), training["trained"]
    values = matched(tensors, [(slot_name(k, i), own[i][2]) for k, i in slots])
    if len(trained) != len(own) or not all(type(flag) is bool for flag in trained):
        raise FileFormatError("it must say of each tensor whether it is trained.")
    engine.state = _state(training["state"], len(engine.state["products"]))
    for (k, i), array in zip(slots, values, strict=True):
        engine.write(2 + k, i, array)
    for i, flag in enumerate(trained):
        if flag != own[i][3]:  # never so for statistics, of which a file does not say whether they move
            engine.set_trainable(i, flag)


def _state(state: Mapping[str, Any], products: int) -> State:
    known_parts = {"seed", "iterations", "epochs", "learning_rate", "products"}
    if set(state) != known_parts or len(state["products"]) != products:
        raise FileFormatError("the state of its training is not complete.")
    return {
        "seed": _count("seed", state["seed"]),
        "iterations": _count("iterations", state["iterations"]),
        "epochs": _count("epochs", state["epochs"]),
        "learning_rate": number("learning_rate", state["learning_rate"], 0),
        "products": [number("products", product) for product in state["products"]],
    }


def _count(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value < _MOST_STEPS:
        raise FileFormatError(f"{name} must be a whole number below 2**64; the file has {value!r}.")
    return value


def _with_dtype(description: Any, dtype: Any) -> Any:
    """The description with the type of the model's reals in its first layer, whatever `floatx` is now."""
    if dtype is not None:
        first = description["config"]["layers"][0]["config"]
        first["dtype"] = first.get("dtype") or dtype
    return description


def _warn_of_settings(header: Mapping[str, Any]) -> None:
    settings: dict[str, Callable[[], Any]] = {"compat": config.compat, "epsilon": config.epsilon}
    for name, now in settings.items():
        if header[name] != now():
            text = f"the model was saved under {name} {header[name]!r} and is read under {now()!r}"
            warnings.warn(f"{text}: its numbers may differ; use nnlite.config.set_{name} first.", stacklevel=4)
    if header["contract"] != CONTRACT and header["training"] is not None:
        text = f"the model was trained under numerics contract {header['contract']!r}, and this nnlite keeps {CONTRACT}"
        warnings.warn(f"{text}: it goes on training with other bits.", stacklevel=4)
