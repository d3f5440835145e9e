"""The page of era differences, ``nnlite eras``: the table of nnlite/config.py, and what older spellings map to.

Nothing is listed here. Differences are the rows of `config.DIFFERENCES`; spellings stand where things are registered:
with the entries of the families, with the arguments under `registry.older_spellings`, with the modules in
`keras_compat.SHOWN`, with the methods in earlier.py.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from nnlite import (
    activations,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    utils,
)
from nnlite.earlier import EarlierMethods
from nnlite.keras_compat import SHOWN, shown_as
from nnlite.registry import Family

WIDTH = 120

FAMILIES: dict[ModuleType, Family[Any]] = {
    activations: activations.ACTIVATIONS,
    losses: losses.LOSSES,
    metrics: metrics.METRICS,
    optimizers: optimizers.OPTIMIZERS,
    initializers: initializers.INITIALIZERS,
    regularizers: regularizers.REGULARIZERS,
    constraints: constraints.CONSTRAINTS,
    layers: layers.LAYERS,
}


def page() -> str:
    """Return the page as text, its columns aligned.

    >>> print(page().splitlines()[0])
    What Keras 2 and Keras 3 do differently
    """
    parts = [
        _head("What Keras 2 and Keras 3 do differently"),
        "Every spelling of every era is taken always. Where numbers or names differ, nnlite does what Keras 2 does, or "
        "what Keras 3 does after nnlite.config.set_compat('keras3'), with NNLITE_COMPAT=keras3, or by "
        "nnlite --compat keras3 script.py. Keras 1 is as Keras 2.",
        table(differences()),
        _head("Names that mean the same"),
        "Case and underscores do not count: MaxNorm, max_norm and maxnorm are one.",
        table(names()),
        _head("Older names of arguments"),
        "Also: lr of optimizers is learning_rate, nb_epoch of fit is epochs. History, logs and monitor= find values by "
        "the names of every era.",
        table(older_arguments()),
        _head("Methods of earlier models"),
        ", ".join(name for name in vars(EarlierMethods) if not name.startswith("_")) + ".",
        _head("Modules under other names"),
        "Below nnlite, and below keras, tensorflow.keras and tf_keras in scripts run with nnlite script.py.",
        table(modules()),
    ]
    return "\n\n".join(part if "\n" in part else textwrap.fill(part, WIDTH) for part in parts) + "\n"


def differences() -> Iterator[tuple[str, str, str, str]]:
    """Yield the rows of the table: a line for the head, then what it is, in keras2, in keras3, its key."""
    yield "what", *config.ERAS, "row"
    for key, (keras2, keras3, what) in config.DIFFERENCES.items():
        yield what, _shown(keras2), _shown(keras3), key


def names() -> Iterator[tuple[str, str]]:
    """Yield the names of every family's entries that have more than one, with the others."""
    yield "name", "also"
    for module, family in FAMILIES.items():
        for entry in family.entries.values():
            plain = {spelling.replace("_", "").lower(): spelling for spelling in reversed(entry.names())}
            plain.pop(entry.name.replace("_", "").lower())
            if plain:
                yield f"{_short(module)}.{entry.name}", ", ".join(sorted(plain.values()))


def older_arguments() -> Iterator[tuple[str, str, str]]:
    """Yield the older names of arguments: what takes one, the older name, the name."""
    yield "where", "older name", "name"
    seen: list[Any] = []
    for module in (*FAMILIES, callbacks, utils):
        for name in module.__all__:
            thing = getattr(module, name)
            taker = vars(thing).get("__init__") if isinstance(thing, type) else thing
            spellings = getattr(taker, "older_spellings", None)
            if isinstance(spellings, dict) and taker not in seen:
                seen.append(taker)
                for old, new in spellings.items():
                    yield f"{_short(module)}.{name}", old, new


def modules() -> Iterator[tuple[str, str]]:
    """Yield the further names of modules below nnlite, with the module each shows."""
    yield "name", "shows"
    for name in SHOWN:
        if name.startswith("nnlite."):
            yield name, shown_as(name)


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Return rows as aligned columns; the first row is the head.

    >>> print(table([("a", "b"), ("long", "c")]))
    a     b
    ----  -
    long  c
    """
    head, *rest = rows
    widths = [max(len(line[i]) for line in [head, *rest]) for i in range(len(head))]
    lines = [head, tuple("-" * width for width in widths), *rest]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _short(module: ModuleType) -> str:
    return module.__name__.removeprefix("nnlite.")


def _head(text: str) -> str:
    return f"{text}\n{'=' * len(text)}"


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
