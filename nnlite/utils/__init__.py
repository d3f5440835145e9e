"""Helpers of scripts: one-hot labels, seeds, progress bars."""

from __future__ import annotations

import numpy as np

from nnlite.batches import Sequence
from nnlite.errors import ArgumentError
from nnlite.progress import Progbar
from nnlite.utils import generic_utils, np_utils
from nnlite.utils.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from nnlite.utils.data_utils import get_file, split_dataset
from nnlite.utils.np_utils import normalize, to_categorical
from nnlite.utils.plotting import model_to_dot, plot, plot_model

PyDataset = Sequence  # Keras 3's name


def set_random_seed(seed: int) -> None:
    """Seed Python's and NumPy's global generators, from which every model draws its own seed when it is built.

    Raises ArgumentError if `seed` is no int, ValueError if it is not within 0 ... 2^32 - 1.

    >>> set_random_seed(1)
    >>> first = np.random.rand()
    >>> set_random_seed(1)
    >>> bool(first == np.random.rand())
    True
    """
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool):
        raise ArgumentError(f"seed must be an int; received {seed!r}.")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be within 0 ... 2**32 - 1; received {seed!r}.")
    import random  # here, because nothing else needs it

    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - models draw from the global generator


__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "custom_object_scope",
    "generic_utils",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "model_to_dot",
    "normalize",
    "np_utils",
    "plot",
    "plot_model",
    "register_keras_serializable",
    "set_random_seed",
    "split_dataset",
    "to_categorical",
]
