"""What stands for values that are not there yet: an input, and what layers make of it."""

from __future__ import annotations

from typing import Any

from nnlite.errors import UnsupportedError


class Symbolic:
    """The base: computing with it in Python is refused, for only layers stand between an input and an output."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise UnsupportedError(
            "nnlite computes nothing between layers: give the data what is to be added or multiplied, use layers such "
            "as Rescaling and Activation, and stack them in a chain."
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = _refuse
    __matmul__ = __rmatmul__ = __neg__ = __getitem__ = __array__ = __array_ufunc__ = _refuse
