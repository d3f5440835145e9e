"""nnlite under the names of Keras: for scripts that are run as they are, and for modules that Keras moved or renamed.

``python -m nnlite script.py``, or `install` in a program, lets ``import keras``, ``from tensorflow import keras`` and
the like find nnlite, in this process only. Names below nnlite itself, such as ``nnlite.keras.models`` or
``nnlite.layers.core``, work always.

Nothing is listed twice: a module under another name is a `View`, which asks the module it shows for everything. What
that module lacks is an error that names the thing and the nearest one there is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from nnlite.config import era
from nnlite.errors import did_you_mean

# Modules under further names: of Keras as a whole, of what some Keras called otherwise, of what it kept apart.
SHOWN = {
    "keras": "nnlite",
    "tf_keras": "nnlite",
    "tensorflow": "nnlite.tensorflow",
    "nnlite.keras": "nnlite",
    "nnlite.api": "nnlite",
    "nnlite.tensorflow.keras": "nnlite",
    "nnlite.tensorflow.contrib": "nnlite.tensorflow",
    "nnlite.tensorflow.math": "nnlite.ops",
    "nnlite.tensorflow.nn": "nnlite.tensorflow_nn",
    "nnlite.tensorflow.python": "nnlite.tensorflow",
    "nnlite.tensorflow.compat": "nnlite.tensorflow",
    "nnlite.tensorflow.v1": "nnlite.tensorflow",
    "nnlite.tensorflow.v2": "nnlite.tensorflow",
    "nnlite.objectives": "nnlite.losses",
    "nnlite.initializations": "nnlite.initializers",
    "nnlite.engine": "nnlite.models",
    "nnlite.engine.base_layer": "nnlite.layers",
    "nnlite.engine.input_layer": "nnlite.layers",
    "nnlite.engine.sequential": "nnlite.models",
    "nnlite.engine.topology": "nnlite.layers",
    "nnlite.engine.training": "nnlite.models",
    "nnlite.layers.advanced_activations": "nnlite.layers",
    "nnlite.layers.convolutional": "nnlite.layers",
    "nnlite.layers.core": "nnlite.layers",
    "nnlite.layers.embeddings": "nnlite.layers",
    "nnlite.layers.experimental": "nnlite.layers",
    "nnlite.layers.experimental.preprocessing": "nnlite.layers",
    "nnlite.layers.merge": "nnlite.layers",
    "nnlite.layers.noise": "nnlite.layers",
    "nnlite.layers.normalization": "nnlite.layers",
    "nnlite.layers.pooling": "nnlite.layers",
    "nnlite.layers.recurrent": "nnlite.layers",
    "nnlite.layers.wrappers": "nnlite.layers",
    "nnlite.optimizers.experimental": "nnlite.optimizers",
    "nnlite.optimizers.legacy": "nnlite.optimizers",
    "nnlite.optimizers.schedules": "nnlite.schedules",
    "nnlite.saving": "nnlite.keras_saving",
    "nnlite.utils.vis_utils": "nnlite.utils",
    "nnlite.utils.visualize_util": "nnlite.utils",
}


class View(ModuleType):
    """A module that shows another one under a further name.

    Args:
        name: the further name.
        shown: the module whose attributes it has. Modules of nnlite among them are shown below `name`.

    >>> import nnlite
    >>> View("nnlite.keras", nnlite).layers.__name__
    'nnlite.keras.layers'
    """

    def __init__(self, name: str, shown: ModuleType) -> None:
        super().__init__(name, shown.__doc__)
        self.__path__: list[str] = []  # so that Python looks for modules below it, and finds those of `Finder`
        self._shown = shown

    def __getattr__(self, name: str) -> Any:
        if name == "__version__" and self._shown.__name__ == "nnlite":
            return era("keras.version")
        if name.startswith("__") and name not in ("__all__", "__version__"):  # what Python itself asks modules for
            raise AttributeError(name)
        if f"{self._shown.__name__}.{name}" in SHOWN:
            return import_module(f"{self.__name__}.{name}")
        try:
            value = getattr(self._shown, name)
        except AttributeError:
            raise AttributeError(lack(f"{self.__name__}.{name}")) from None
        own = isinstance(value, ModuleType) and value.__name__.startswith("nnlite")
        return import_module(f"{self.__name__}.{name}") if own else value

    def __dir__(self) -> list[str]:
        return dir(self._shown)


class Finder:
    """Finds modules by the names of `SHOWN` and below them, for ``sys.meta_path``; it is the loader of what it finds.

    Args:
        roots: first parts of the names it is to find.

    >>> Finder("nothing").find_spec("json") is None
    True
    """

    def __init__(self, *roots: str) -> None:
        self.roots = roots
        self.replaced: dict[str, ModuleType] = {}  # modules of those names that were there before

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """Return how to load the module `name`; None if that is not one of ours.

        Raises ModuleNotFoundError, with the nearest name, if it is ours and nnlite has no such module.
        """
        if name.partition(".")[0] not in self.roots:
            return None
        real = shown_as(name)
        if real == name and name.partition(".")[2].partition(".")[0].startswith("_"):
            return None  # what Python itself asks for, such as nnlite.__path__
        if real != name:
            try:
                import_module(real)
            except ModuleNotFoundError as error:
                if error.name is not None and not real.startswith(error.name):  # something else that it needs
                    raise
                real = name
        if real == name:
            raise ModuleNotFoundError(lack(name))  # without name=, which would let `from a import b` hide the sentence
        return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]  # a loader by its methods

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the view `spec` stands for."""
        return View(spec.name, import_module(shown_as(spec.name)))

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: a view is complete when it is made."""


def shown_as(name: str) -> str:
    """Return the module of nnlite that is found by `name`; `name` itself if there is no other.

    >>> shown_as("tensorflow.keras.objectives"), shown_as("nnlite.losses")
    ('nnlite.losses', 'nnlite.losses')
    """
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        known = SHOWN.get(".".join(parts[:end]))
        if known is not None:
            return shown_as(".".join([known, *parts[end:]]))
    return name


def lack(name: str) -> str:
    """Return the sentence that says nnlite has nothing called `name`, with what to do or the nearest thing there is.

    >>> lack("keras.models.Sequentail")
    "nnlite has no keras.models.Sequentail: it trains dense networks only. Did you mean 'Sequential'?"
    """
    from nnlite.absent import instead  # here, because only a mistake needs it

    advice = instead(name)
    if advice:
        return f"nnlite has no {name}: {advice}."
    holder, _, last = name.rpartition(".")
    near = import_module(shown_as(holder))
    known = [known for known in dir(near) if not known.startswith("_")]
    offered = sorted(set(getattr(near, "__all__", known)))
    hint = did_you_mean(last, offered) or did_you_mean(last, known) or f" {holder} has {', '.join(offered)}."
    return f"nnlite has no {name}: it trains dense networks only.{hint}"


def submodule(package: str, name: str) -> ModuleType:
    """Return the module `name` of a package of nnlite, imported if need be, for the package's ``__getattr__``.

    Raises AttributeError, with the nearest name, if there is none.

    >>> submodule("nnlite", "objectives").__name__
    'nnlite.objectives'
    """
    if name.startswith("_"):  # what Python itself asks modules for
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    try:
        return import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name is not None:  # something else that it needs
            raise
        raise AttributeError(str(error)) from None


_KERAS = Finder("keras", "tf_keras", "tensorflow")


def installed() -> bool:
    """Return whether imports of Keras find nnlite.

    >>> installed()
    False
    """
    return _KERAS in sys.meta_path


def install() -> None:
    """Let every later import of keras, tf_keras and tensorflow in this process find nnlite, until `uninstall`.

    >>> install()
    >>> from tensorflow.keras.layers import Dense
    >>> uninstall()
    >>> Dense.__module__
    'nnlite.layers.core'
    """
    if not installed():
        _KERAS.replaced = _taken_out()
        sys.meta_path.insert(0, _KERAS)  # before what would find an installed Keras


def uninstall() -> None:
    """Undo `install`: imports find what they found before.

    >>> install(); uninstall()
    >>> installed()
    False
    """
    if installed():
        sys.meta_path.remove(_KERAS)
        _taken_out()
        sys.modules.update(_KERAS.replaced)
        _KERAS.replaced = {}


def _taken_out() -> dict[str, ModuleType]:
    """Take the modules that go by names of Keras out of Python's list, and return them."""
    names = [name for name in sys.modules if name.partition(".")[0] in _KERAS.roots]
    return {name: sys.modules.pop(name) for name in names}


# Behind all other finders: real modules come first, and no other package is concerned.
sys.meta_path.append(Finder("nnlite"))

__all__ = ["Finder", "View", "install", "installed", "lack", "shown_as", "submodule", "uninstall"]
