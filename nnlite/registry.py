"""Finding things by name: the pattern "a name, a config, a class, an object or a callable", once for every family.

A `Family` is a table of entries of one kind: activations, losses, optimizers, ... An entry is made where its class or
function is defined, by decorating it with its name, its aliases of any Keras, and the rows of the engine it uses;
nothing else lists names. Names are compared without case and underscores, so that MaxNorm, max_norm and maxnorm are
one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from nnlite.errors import ArgumentError, did_you_mean, unknown_name

T = TypeVar("T")
M = TypeVar("M", bound=Callable[..., Any])
F = TypeVar("F", bound=Callable[..., Any])

# What scripts registered under a name of their own: consulted before every family's own names.
custom_objects: dict[str, Any] = {}


def older_spellings(**modern: str) -> Callable[[F], F]:
    """Decorate a function, or an ``__init__``, so that it also takes the argument names of older Keras, given as
    ``old="new"``. They stand in its attribute `older_spellings`.

    >>> @older_spellings(nb_classes="num_classes")
    ... def columns(num_classes):
    ...     return num_classes
    >>> columns(nb_classes=3), columns.older_spellings
    (3, {'nb_classes': 'num_classes'})
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def translated(*args: Any, **kwargs: Any) -> Any:
            for old in [name for name in kwargs if name in modern]:
                new, is_method = modern[old], function.__code__.co_varnames[:1] == ("self",)
                if new in kwargs or new in arguments(function)[: len(args) - is_method]:
                    owner = type(args[0]).__name__ if is_method else function.__name__
                    raise ArgumentError(f"{owner} takes {new!r} or its older name {old!r}; received both.")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        translated.older_spellings = modern  # type: ignore[attr-defined]
        return translated  # type: ignore[return-value]  # the same signature and the older names

    return decorate


def arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the positional arguments of a Python function or method, without `self`; empty for a
    built-in one.
    """
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)  # under `older_spellings`
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount] if code is not None else ()
    return tuple(name for name in names if name != "self")


class Configurable:
    """An object described by the positional arguments of its constructor, each kept in an attribute of the same name.

    Keyword-only arguments are spellings of other eras and no part of the config.
    """

    entry_name: ClassVar[str] = ""  # the name it is registered under; set by Family.entry

    @property
    def class_name(self) -> str:
        """What configs call the class."""
        return type(self).__name__

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal object."""
        return {name: getattr(self, name) for name in arguments(type(self).__init__)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the object `get_config` described; the spellings of every era are taken."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{self.class_name}({', '.join(f'{name}={value!r}' for name, value in self.get_config().items())})"


class Entry(NamedTuple, Generic[T]):
    """A registered thing: its name, its other spellings, what makes one from a config, the engine's rows it uses."""

    name: str
    aliases: tuple[str, ...]
    make: Callable[..., T]
    rows: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    def class_name(self) -> tuple[str, ...]:
        return (self.make.__name__,) if isinstance(self.make, type) else ()


class Family(Generic[T]):
    """The entries of one kind.

    Args:
        noun: what messages call the kind, such as "loss".
        kind: the class of its objects.
        adopt: makes an object from a callable; None if a callable cannot be one.
    """

    def __init__(self, noun: str, kind: type[T], adopt: Callable[[Callable[..., Any]], T] | None = None) -> None:
        self.noun = noun
        self.kind = kind
        self.adopt = adopt
        self.entries: dict[str, Entry[T]] = {}
        self._by_spelling: dict[str, Entry[T]] = {}

    def entry(self, name: str, *aliases: str, rows: tuple[str, ...] | None = None) -> Callable[[M], M]:
        """Decorate a class, or a function that makes an object, to enter it as `name`.

        Args:
            name: as in the engine, lower case with underscores.
            aliases: further spellings, of any era; that of the class itself is understood.
            rows: the rows of the engine its objects may become, ``(name,)`` if None.
        """

        def enter(make: M) -> M:
            entry: Entry[T] = Entry(name, aliases, make, (name,) if rows is None else rows)
            self.entries[name] = entry
            for spelling in (*entry.names(), *entry.class_name()):
                self._by_spelling[_plain(spelling)] = entry
            if isinstance(make, type) and issubclass(make, Configurable):
                make.entry_name = name
            return make

        return enter

    def known(self, name: str) -> Entry[T] | None:
        """Return the entry of that name or alias; None if there is none."""
        return self.entries.get(name) or self._by_spelling.get(_plain(name))

    def __contains__(self, name: str) -> bool:
        return self.known(name) is not None

    def names(self) -> list[str]:
        """Return every name and alias."""
        return [name for entry in self.entries.values() for name in entry.names()]

    def exports(self) -> list[str]:
        """Return what a module offers under its entries' names, for its ``__all__``: names, aliases and classes."""
        return sorted({name for entry in self.entries.values() for name in (*entry.names(), *entry.class_name())})

    def rows(self) -> dict[str, str]:
        """Return the engine's rows the entries use, each with the entry's name."""
        return {row: entry.name for entry in self.entries.values() for row in entry.rows}

    def find(self, name: str) -> Entry[T]:
        """Return the entry of that name or alias. Raises ValueError, with the closest names, if there is none."""
        entry = self.known(name)
        if entry is None:
            raise unknown_name(self.noun, name, self.names())
        return entry

    def attribute(self, module: str, name: str) -> Entry[T]:
        """Return the entry behind ``module.name``, for a module's ``__getattr__``. Raises AttributeError if there is
        none.
        """
        if name.startswith("_"):  # what Python itself asks modules for
            raise AttributeError(name)
        entry = self.known(name)
        if entry is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}.{did_you_mean(name, self.names())}")
        return entry

    def get(self, identifier: Any) -> T:
        """Return the object meant by a name, a config ``{"class_name", "config"}``, a class, an object or a callable.

        Raises:
            ValueError: no entry has that name.
            ArgumentError: the config has an argument the entry does not take, or `identifier` is of no such kind.
        """
        if isinstance(identifier, self.kind):
            return identifier
        if isinstance(identifier, str):
            return (
                self.get(custom_objects[identifier]) if identifier in custom_objects else self.find(identifier).make()
            )
        if isinstance(identifier, Mapping):
            return self._from_config(identifier)
        if isinstance(identifier, type) and issubclass(identifier, self.kind):
            return identifier()
        if callable(identifier) and self.adopt is not None:
            return self.adopt(identifier)
        raise ArgumentError(
            f"{self.noun} must be a name, a config with 'class_name' and 'config', or an object of nnlite; "
            f"received {identifier!r}."
        )

    def serialize(self, thing: Any) -> dict[str, Any]:
        """Return the config from which `get` makes an equal object."""
        return {"class_name": thing.class_name, "config": thing.get_config()}

    def _from_config(self, identifier: Mapping[str, Any]) -> T:
        name, config = identifier.get("class_name"), identifier.get("config")
        if isinstance(config, str):  # how Keras 3 writes a function: {"class_name": "function", "config": "relu"}
            return self.get(config)
        if not isinstance(name, str):
            raise ArgumentError(f"the config of a {self.noun} needs a 'class_name'; received {dict(identifier)!r}.")
        name = name.rpartition(">")[2]  # "package>Name" of registered classes
        custom = custom_objects.get(identifier.get("registered_name") or name, custom_objects.get(name))
        make = getattr(custom, "from_config", custom) if custom is not None else None
        try:
            if make is not None:
                return self.get(make(config or {}))
            return self.find(name).make(**(config or {}))
        except TypeError as error:
            raise ArgumentError(f"the config {config!r} does not fit the {self.noun} {name!r}: {error}.") from error


def _plain(spelling: str) -> str:
    return spelling.replace("_", "").lower()
