"""Keras' descriptions of models and nnlite's, turned into each other.

Every Keras writes an object as class_name and config; what else stands around them, and how arguments are called,
differs. nnlite takes the arguments of every Keras, so that reading is to take the rest away. What is written is
what Keras 3 and tf.keras 2 read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnlite.errors import UnsupportedError
from nnlite.snapshot import Names

if TYPE_CHECKING:
    from nnlite.models import Sequential

# Entries of configs that change nothing here at these values.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "sparse": (False,),
    "ragged": (False,),
    "optional": (False,),
    "synchronized": (False,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "quantization_config": (None,),
    "input_axes": (None,),
    "output_axes": (None,),
}
_MODULES = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
}


# ---- from Keras ----


def plain(value: Any) -> Any:
    """Return a description of any Keras as nnlite's families take it."""
    if isinstance(value, list):
        return [plain(element) for element in value]
    if not isinstance(value, dict):
        return value
    name, config = value.get("class_name"), value.get("config")
    if not isinstance(name, str):
        return _keras_1({key: plain(part) for key, part in value.items()})
    if name == "__tuple__":
        return plain(value.get("items"))
    if name.endswith("Policy") and isinstance(config, dict):  # of types: its name is the type's
        return config.get("name")
    if name == "MeanMetricWrapper" and isinstance(config, dict):  # tf.keras' for a metric given by name
        return plain(config.get("fn"))
    if isinstance(config, dict):
        config = {
            key: _keras_1_rule(key, plain(part))
            for key, part in config.items()
            if key not in _WITHOUT_EFFECT or part not in _WITHOUT_EFFECT[key]
        }
    elif isinstance(config, list):
        config = plain(config)
    registered = value.get("registered_name")
    return {"class_name": name, "config": config} | ({"registered_name": registered} if registered else {})


def _keras_1(config: dict[str, Any]) -> dict[str, Any]:
    return {key: _keras_1_rule(key, part) for key, part in config.items()}


def _keras_1_rule(key: str, value: Any) -> Any:
    """A regularizer or constraint of Keras 1, whose class name stands among its numbers."""
    if key.endswith(("regularizer", "constraint")) and isinstance(value, dict) and "class_name" not in value:
        return {"class_name": value.get("name"), "config": {k: v for k, v in value.items() if k != "name"}}
    return value


def objective(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `compile` from a training or compile config of any Keras."""
    optimizer = training.get("optimizer_config") or training.get("optimizer")
    return {
        "optimizer": plain(optimizer),
        "loss": plain(training.get("loss")),
        "metrics": plain(training.get("metrics")),
        "loss_weights": training.get("loss_weights"),
    }


# ---- to Keras ----


def described(model: Sequential) -> dict[str, Any]:
    """Return the record of a model for Keras, without what it is trained for.

    Initial values that are functions or arrays are left out: what they gave stands among the weights.

    Raises UnsupportedError for an activation with parameters of its own, which Keras has as layers only.
    """
    dtype = model._door.dtype.name if model._door is not None else "float32"
    layers: list[dict[str, Any]] = []
    if model.built:
        name = "input_layer" if model._input is None else model._input.name
        shape = {"batch_input_shape": model.input_shape, "dtype": dtype, "sparse": False, "name": name}
        layers.append(_record("keras.layers", {"class_name": "InputLayer", "config": shape}))
    for layer in json.loads(Names().encode({"layers": model.get_config()["layers"]}))["layers"]:
        if layer["class_name"] != "InputLayer":
            config = {key: part for key, part in layer["config"].items() if key != "batch_input_shape"}
            described = {"class_name": layer["class_name"], "config": _arguments(config | {"dtype": dtype})}
            layers.append(_record("keras.layers", described))
    config = {"name": model.name, "trainable": model.trainable, "layers": layers}
    if model.built:
        for record, built in zip(layers[1:], model.layers, strict=True):
            record["build_config"] = {"input_shape": built.input_shape}
        config["build_input_shape"] = model.input_shape
    return _record("keras", {"class_name": "Sequential", "config": config})


def _arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in config.items():
        kind = key.rpartition("_")[2]
        if key == "activation" and isinstance(value, dict):
            raise UnsupportedError(
                f"activation {value['class_name']!r} with parameters {value['config']} cannot be written for Keras; "
                "save under a name without .keras or .h5, which is nnlite's own file."
            )
        if kind == "initializer" and (isinstance(value, list) or (value or {}).get("class_name") == "function"):
            continue
        if key == "activity_regularizer" and value is None:
            continue
        result[key] = _record(_MODULES[kind], value) if kind in _MODULES and isinstance(value, dict) else value
    return result


def _record(module: str, described: Mapping[str, Any]) -> dict[str, Any]:
    return {"module": module, **described, "registered_name": None}


def training(model: Sequential) -> dict[str, Any] | None:
    """Return what Keras 3 calls the compile config of a model; None if it is not compiled.

    Raises UnsupportedError for an optimizer with decay, which Keras 3 has as a schedule.
    """
    given = model.get_compile_config()
    if given is None:
        return None
    given = json.loads(Names().encode(given))
    optimizer = given["optimizer"]
    if optimizer["config"].pop("decay", None):
        raise UnsupportedError(
            "an optimizer with decay cannot be written for Keras; save with include_optimizer=False, or under a name "
            "without .keras or .h5, which is nnlite's own file."
        )
    optimizer["config"].pop("schedule_decay", None)
    return {
        "optimizer": _record("keras.optimizers", optimizer),
        "loss": _measure("keras.losses", given["loss"]),
        "loss_weights": given["loss_weights"],
        "metrics": [_measure("keras.metrics", metric) for metric in given["metrics"]],
        "weighted_metrics": [_measure("keras.metrics", metric) for metric in given["weighted_metrics"] or []] or None,
    }


def _measure(module: str, described: Any) -> Any:
    if not isinstance(described, dict):
        return described
    if described["class_name"] == "function":
        return {"module": "builtins", **described, "registered_name": described["config"]}
    return _record(module, described)


# ---- the optimizer's state ----


def slot_order(rule: str, momentum: float, tensors: Sequence[int]) -> list[tuple[int, int]]:
    """Return (slot, tensor) of the engine in the order of Keras 3's optimizer variables, for the trained tensors.

    Args:
        rule: the engine's row.
        momentum: of the optimizer, 0 if it has none.
    """
    if rule in ("adam", "amsgrad", "adamax", "nadam", "adadelta"):
        pairs = [(slot, tensor) for tensor in tensors for slot in (0, 1)]
        return pairs + ([(2, tensor) for tensor in tensors] if rule == "amsgrad" else [])
    slots = {
        "sgd": (),
        "rmsprop_momentum": (0, 1),
        "rmsprop_centered": (0, 1, 2) if momentum else (0, 2),
    }.get(rule, (0,))
    return [(slot, tensor) for slot in slots for tensor in tensors]


def products(rule: str, numbers: Sequence[float], steps: int, scalar: float) -> list[float]:
    """Return the engine's running products after that many steps; `scalar` is the one Keras 3 keeps for Nadam."""
    if rule in ("adam", "amsgrad"):
        return [numbers[0] ** steps, numbers[1] ** steps, 1.0, 1.0]
    if rule == "adamax":
        return [numbers[0] ** steps, 1.0, 1.0, 1.0]
    if rule == "nadam":
        return [numbers[1] ** steps, 0.96 ** (steps * numbers[3]), scalar, 1.0]
    return [1.0] * 4
