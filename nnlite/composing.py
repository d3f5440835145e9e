"""What a model has so that it can be part of others, and others of it: an input, outputs, and a call on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from nnlite.layers.core import InputLayer
from nnlite.layers.layer import Layer, Shape

if TYPE_CHECKING:
    from nnlite.data import Door


class Composable:
    """The input and the outputs of a model of layers, see functional.py."""

    name: str
    _input: InputLayer | None
    _door: Door | None
    _standing: InputLayer | None = None  # stands for the input where there is none

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        raise NotImplementedError

    described_as: ClassVar[str | None] = None  # the class a file names; its own if None

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return the outputs for `x` as an array with `numpy`; with `training` as in training, dropout and all.

        For an `Input`, or what a layer gives, return what its last layer gives; see `nnlite.functional`.
        """
        from nnlite.functional import Chain, passed  # which builds on this

        if isinstance(x, Layer | Chain):
            return passed(x, self.layers, self.name)
        return super().__call__(x, training)  # type: ignore[misc]  # that of Model

    @property
    def input(self) -> Any:
        """Its `Input`, for ``Model(inputs, outputs)``. Raises AttributeError while the shape of a row is not known."""
        return self.output_of(0)

    @property
    def output(self) -> Any:
        """What its last layer gives."""
        return self.output_of(len(self.layers))

    @property
    def inputs(self) -> list[Any]:
        """`input` in a list."""
        return [self.input]

    @property
    def outputs(self) -> list[Any]:
        """`output` in a list."""
        return [self.output]

    def output_of(self, count: int) -> Any:
        """Return what the first `count` layers give; the `Input` for none."""
        from nnlite.functional import Chain

        front = self.front()
        if front is None:
            raise AttributeError(f"model {self.name!r} has no input and outputs before the shape of a row is known.")
        return front if count == 0 else Chain(front, tuple(self.layers[:count]))

    def front(self) -> InputLayer | None:
        """Return its `Input`, made now if there is none; None if the shape of a row is not known."""
        row: Shape | None = self._door.input_row if self._door is not None else None
        if self._input is not None or row is None:
            return self._input
        if self._standing is None or self._standing.declared_shape != row:
            self._standing = InputLayer(shape=row, name=f"{self.name}_input")
        return self._standing

    def parts(self, given: Any, first: bool) -> Sequence[Any]:
        """Return the layers meant by what is added to it: itself, or those of a model, with its input if it comes
        first.
        """
        if not isinstance(given, Composable):
            return [given]
        front = given.front() if first else None
        return given.layers if front is None else [front, *given.layers]
