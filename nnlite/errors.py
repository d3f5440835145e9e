"""Exceptions, and the sentences they carry.

Keras changed the type of several exceptions between its versions. Each of ours derives from every type some version
raised, so that the ``except`` clause of any script catches it. A message names the argument, the rule, the value
received and the usual fix.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any


class ArgumentError(TypeError, ValueError):
    """An argument of the wrong kind, or one that does not exist."""


class ShapeError(ValueError, RuntimeError):
    """An array whose shape does not fit the model."""


class NotCompiledError(RuntimeError, ValueError):
    """Training or evaluation of a model that has no loss and no optimizer yet."""


class NotBuiltError(ValueError, RuntimeError):
    """A question about weights that do not exist yet, because the input width is not known."""


class EmptyModelError(TypeError, IndexError):
    """A layer taken from a model that has none."""


class MissingFileError(FileNotFoundError, ValueError):
    """A model or weight file that is not there."""


class FileFormatError(ValueError):
    """A file that is no model, is damaged, says impossible things, or is of a version that cannot be read."""


class UnsupportedError(NotImplementedError, ValueError):
    """Something Keras can do and nnlite cannot; the message says what to use in its place."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'a' or 'b'?"`` for the entries of `known` close to `name`, or ``""`` when none is."""
    from difflib import get_close_matches  # here, because only a mistake needs it

    spellings = {spelling.lower(): spelling for spelling in known}
    close = [spellings[match] for match in get_close_matches(name.lower(), spellings, n=3, cutoff=0.6)]
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def unknown_name(family: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for a name that no entry of a family bears.

    >>> str(unknown_name("optimizer", "rsmprop", ["sgd", "rmsprop"]))
    "Unknown optimizer 'rsmprop'. Did you mean 'rmsprop'? Known: rmsprop, sgd."
    """
    known = sorted(known)
    return ValueError(f"Unknown {family} {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}.")


def unknown_argument(owner: str, name: str, known: Iterable[str]) -> ArgumentError:
    """Return the error for a keyword that `owner` does not take."""
    known = sorted(known)
    return ArgumentError(
        f"{owner} takes no argument {name!r}.{did_you_mean(name, known)} It takes: {', '.join(known)}."
    )


def number(argument: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a float.

    Raises:
        ArgumentError: it is not a number.
        ValueError: it is not finite, or not within `low` ... `high`.
    """
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise ArgumentError(f"{argument} must be a number; received {value!r}.") from None
    if not (math.isfinite(result) and low <= result <= high):
        if low == -math.inf and high == math.inf:
            rule = "finite"
        elif high == math.inf:
            rule = f"finite and at least {low:g}"
        else:
            rule = f"between {low:g} and {high:g}"
        raise ValueError(f"{argument} must be {rule}; received {value!r}.")
    return result


def choice(argument: str, value: Any, known: tuple[str, ...]) -> str:
    """Return `value` in lower case if it is one of `known`; raise ValueError with suggestions if it is not."""
    if isinstance(value, str) and value.lower() in known:
        return value.lower()
    hint = did_you_mean(value, known) if isinstance(value, str) else ""
    raise ValueError(f"{argument} must be one of {', '.join(map(repr, known))}; received {value!r}.{hint}")
