"""The data sets Keras downloads, read from local files: ``from keras.datasets import mnist; mnist.load_data()``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.errors import MissingFileError, UnsupportedError
from nnlite.utils.data_utils import get_file

Array = NDArray[Any]
Parts = tuple[tuple[Array, Array], tuple[Array, Array]]


class DataSet:
    """A data set in a local NumPy file.

    Args:
        name: as Keras calls it.
        path: name of the file in which Keras keeps it.
        cut: whether the file holds all rows as x and y, to be shuffled and cut; else x_train, y_train, x_test, y_test.

    >>> mnist
    <data set mnist>
    """

    def __init__(self, name: str, path: str, cut: bool = False) -> None:
        self.__name__, self.path, self.cut = name, path, cut

    def load_data(
        self, path: str | None = None, test_split: float = 0.2, seed: int = 113, **without_effect: Any
    ) -> Parts:
        """Return ((x_train, y_train), (x_test, y_test)).

        Args:
            path: the file, Keras' own name of it if None; it is looked for here and in ``~/.keras/datasets``.
            test_split: share of the rows for the test, of a file that holds all in one.
            seed: of the order in which those are taken.

        Raises MissingFileError if it is not there, with what to put there.
        """
        name = path or self.path
        keys = ("x", "y") if self.cut else ("x_train", "y_train", "x_test", "y_test")
        try:
            found = get_file(name)
        except UnsupportedError:
            raise MissingFileError(
                f"nnlite downloads nothing: put the data of {self.__name__} into {name!r}, here or in "
                f"~/.keras/datasets, an .npz file of arrays {', '.join(keys)}, such as Keras keeps; "
                "or load_data(path=...)."
            ) from None
        with np.load(found, allow_pickle=False) as file:
            arrays = [file[key] for key in keys]
        if not self.cut:
            return (arrays[0], arrays[1]), (arrays[2], arrays[3])
        order = np.random.RandomState(seed).permutation(len(arrays[0]))
        x, y = arrays[0][order], arrays[1][order]
        train = int(len(x) * (1 - test_split))
        return (x[:train], y[:train]), (x[train:], y[train:])

    def __repr__(self) -> str:
        return f"<data set {self.__name__}>"


mnist = DataSet("mnist", "mnist.npz")
fashion_mnist = DataSet("fashion_mnist", "fashion_mnist.npz")
cifar10 = DataSet("cifar10", "cifar10.npz")
cifar100 = DataSet("cifar100", "cifar100.npz")
boston_housing = DataSet("boston_housing", "boston_housing.npz", cut=True)
california_housing = DataSet("california_housing", "california_housing.npz", cut=True)


def __getattr__(name: str) -> Any:
    if name in ("imdb", "reuters"):
        raise UnsupportedError(
            f"{name} holds texts as pickled lists of any length, which nnlite does not read; make an array of them, "
            "such as a column of numbers for each word, and fit() that."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "mnist"]
