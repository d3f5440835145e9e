"""Where batches come from: arrays, or objects of the user that yield them."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from nnlite import _engine
from nnlite.data import Data, whole
from nnlite.errors import ArgumentError, ShapeError

# How many numbers are gathered from arrays at a time, if a batch has fewer: some batches at once cost less than each.
_NUMBERS = 2**14


class Sequence:
    """The base of data sets whose batches have numbers: ``keras.utils.Sequence``, which Keras 3 calls PyDataset.

    A subclass has `__len__`, the number of batches, and `__getitem__`, which returns batch number i as (x, y) or
    (x, y, sample_weight).

    Args:
        workers, use_multiprocessing, max_queue_size: without effect; batches are made when they are needed.

    >>> import numpy as np
    >>> class Halves(Sequence):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         return np.full((4, 1), index), np.zeros(4)
    >>> Halves()[1][0].shape
    (4, 1)
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must have __len__, the number of its batches.")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must have __getitem__, which returns a batch.")

    def on_epoch_end(self) -> None:
        """Called after each epoch of training."""


class Batches:
    """A stream of batches, cut into epochs.

    Attributes:
        steps: batches of an epoch; passes over the source follow one another and need not end where epochs do. None:
            an epoch is a pass.
        rows: of an epoch; None if that is not known.
    """

    steps: int | None = None
    rows: int | None = None

    def __init__(self) -> None:
        self._pass: Iterator[Data] | None = None
        self._passes = 0  # how many orders have been used
        self._taken = 0  # of the pass under way

    def one_pass(self, seed: int, number: int) -> Iterator[Data]:
        """Return the batches of pass `number`, in the order that follows from `seed` if there is a choice."""
        raise NotImplementedError

    def end_epoch(self) -> None:
        """Hear that an epoch of training has ended."""

    @property
    def place(self) -> tuple[int, int]:
        """The number of the pass under way, or else of the next, and how many of its batches were taken."""
        return (self._passes, 0) if self._pass is None else (self._passes - 1, self._taken)

    def seek(self, seed: int, number: int, taken: int) -> None:
        """Go on after so many batches of pass `number`."""
        self._pass, self._passes, self._taken = None, number, 0
        while self._taken < taken and self.take(seed, number) is not None:
            pass

    def take(self, seed: int = 0, epoch: int = 0) -> Data | None:
        """Return the next batch, in `epoch`; None where the pass ends if `steps` is None, or if there are no more."""
        for _ in range(2):
            if self._pass is None:
                number = max(self._passes, epoch)
                self._pass, self._passes, self._taken = self.one_pass(seed, number), number + 1, 0
            batch = next(self._pass, None)
            if batch is not None:
                self._taken += 1
                return batch
            self._pass = None
            if self.steps is None:
                break
        return None


class ArrayBatches(Batches):
    """Batches of arrays, in the order in which the engine would take them.

    Args:
        data: the arrays.
        batch_size, shuffle: as in ``Run.bind``.
        steps: of an epoch; all batches if None.
    """

    def __init__(self, data: Data, batch_size: int, shuffle: int, steps: int | None = None) -> None:
        super().__init__()
        self.data, self.batch_size, self.shuffle = data, batch_size, shuffle
        self.steps = -(-len(data.x) // batch_size) if steps is None else steps
        self.rows = len(data.x) if steps is None else None

    def one_pass(self, seed: int, number: int) -> Iterator[Data]:
        x, y, weights = self.data
        order = _engine.order(len(x), self.batch_size, self.shuffle, seed, number)
        size = self.batch_size * max(1, _NUMBERS // (self.batch_size * (x.shape[1] + y.shape[1])))
        for start in range(0, len(x), size):
            chosen = order[start : start + size]
            rows = Data(x[chosen], y[chosen], None if weights is None else weights[chosen])
            yield from rows.parts(self.batch_size)


class GivenBatches(Batches):
    """Batches of a `Sequence`, a generator, or another iterable.

    Args:
        argument: its name in messages.
        source: where they come from.
        shuffle: whether a `Sequence` is taken in a new order in each pass.

    Attributes:
        ready: makes the engine's arrays of a batch; set before the first is taken.
        steps: of an epoch; the length of the source, if it has one, else None.
        once: whether the source can be gone through but once, as a generator.
    """

    ready: Callable[[Any], Data]

    def __init__(self, argument: str, source: Any, shuffle: bool = False) -> None:
        super().__init__()
        self.argument, self.source, self.shuffle = argument, source, shuffle
        self.indexed = hasattr(source, "on_epoch_end")
        self.once = not self.indexed and iter(source) is source
        if hasattr(source, "__len__"):
            self.steps = len(source)
        self._looked: list[Any] = []  # the first batch, once it has been looked at
        self._begun: Iterable[Any] | None = None  # the first pass, of which it is one

    def first(self) -> Any:
        """Return the first batch, as the user gives it; it still comes. Raises ShapeError if there is none."""
        if not self._looked:
            batches = iter(self.source) if not self.indexed else iter([self.source[0]] if len(self.source) else [])
            self._looked = list(islice(batches, 1))
            self._begun = None if self.indexed else chain(self._looked, batches)
        for batch in self._looked:
            return batch
        raise ShapeError(f"{self.argument} must give at least one batch; received {self.source!r}, which gives none.")

    def one_pass(self, seed: int, number: int) -> Iterator[Data]:
        if self.indexed:
            order = _engine.order(len(self.source), 1, int(self.shuffle), seed, number)
            return (self.ready(self.source[i]) for i in order.tolist())
        batches, self._begun = self.source if self._begun is None else self._begun, None
        return map(self.ready, batches)

    def end_epoch(self) -> None:
        if self.indexed:
            self.source.on_epoch_end()

    def seek(self, seed: int, number: int, taken: int) -> None:
        if not self.once:  # what can be gone through but once goes on where it is
            super().seek(seed, number, taken)

    def epoch(self) -> Iterator[Data]:
        """Yield the batches of an epoch, from the start of the source if it can be gone through again."""
        if not self.once:
            self._pass = None
        count = 0
        while self.steps is None or count < self.steps:
            batch = self.take()
            if batch is None:
                return
            count += 1
            yield batch


def gives_batches(value: Any) -> bool:
    """Whether `value` gives batches rather than being an array or a list of rows."""
    if hasattr(value, "__array__") or type(value) in (tuple, list):  # first: calls on arrays may take but microseconds
        return False
    if isinstance(value, GivenBatches) or all(hasattr(value, name) for name in ("__getitem__", "on_epoch_end")):
        return True
    return isinstance(value, abc.Iterable) and not isinstance(value, abc.Sequence | abc.Mapping | abc.Set)


def rows_of_batch(value: Any, source: Data | GivenBatches | None, steps: int | None) -> int:
    """Return the rows of a batch: `value`, or if it is None, such that arrays make `steps` batches, or else 32."""
    if value is not None:
        return whole("batch_size", value)
    return -(-len(source.x) // steps) if isinstance(source, Data) and steps else 32


def triple(argument: str, batch: Any) -> tuple[Any, Any, Any]:
    """Return a batch for training or evaluation as (x, y, sample_weight). Raises ArgumentError if it is none."""
    if isinstance(batch, tuple | list) and len(batch) in (2, 3):
        x, y, weights = (*batch, None)[:3]
        return x, y, weights
    length = f" of {len(batch)}" if isinstance(batch, tuple | list) else ""
    raise ArgumentError(
        f"{argument} must give batches (x, y) or (x, y, sample_weight); received a {type(batch).__name__}{length}."
    )


def inputs_of(batch: Any) -> Any:
    """Return x of a batch for prediction, which may come with targets: the first of a tuple."""
    return batch[0] if isinstance(batch, tuple) and batch else batch


def beside(argument: str, **others: Any) -> None:
    """Raise ArgumentError for arguments given beside batches, which bring their own."""
    for name, value in others.items():
        if value is not None:
            raise ArgumentError(f"{name} must not be given, for {argument} gives batches that bring their own.")
