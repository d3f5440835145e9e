"""What Keras 3 keeps in ``keras.saving``: functions of `nnlite.models` and `nnlite.utils`."""

from __future__ import annotations

from typing import Any

from nnlite import models, utils

_PARTS = (models, utils)


def __getattr__(name: str) -> Any:
    for part in _PARTS:
        if name in part.__all__:
            return getattr(part, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({name for part in _PARTS for name in part.__all__})
