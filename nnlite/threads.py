"""How many threads training, evaluation and prediction use. Results never depend on it, to the bit.

The engine keeps threads of its own, which sleep while there is nothing to do, and takes as many as the work is worth:
a small net, or a few rows, are done fastest by one. Models that are trained at the same time in several Python threads
are trained by one thread each, but for one of them. A process that is forked starts its own.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from nnlite import _engine
from nnlite.data import whole

_MOST = 256  # NN_MOST_THREADS of the engine


def get_num_threads() -> int:
    """Return how many threads a call may use, the caller's own included.

    Unless set, that is the number of processors this process may run on, but at most 16.

    >>> get_num_threads() >= 1
    True
    """
    return _engine.threads()


def set_num_threads(threads: int) -> None:
    """Let calls from now on use up to `threads` threads, the caller's own included: 1 to 256.

    The environment variable NNLITE_NUM_THREADS sets it at import. Raises ValueError for any other number.

    >>> before = get_num_threads()
    >>> set_num_threads(2); get_num_threads()
    2
    >>> set_num_threads(before)
    """
    _set("threads", threads)


def _set(argument: str, threads: Any) -> None:
    number = whole(argument, threads)
    if number > _MOST:
        raise ValueError(f"{argument} must be at most {_MOST}; received {threads!r}.")
    _engine.set_threads(number)


def register_with_threadpoolctl() -> None:
    """Let threadpoolctl's `threadpool_limits` and `threadpool_info` see nnlite's threads too, under the name "nnlite".

    Done at import if threadpoolctl has been imported before, as scikit-learn does; a second call does nothing. Raises
    ImportError if threadpoolctl is not installed.
    """
    import threadpoolctl

    class Controller(threadpoolctl.LibController):  # type: ignore[misc]  # which has no types
        """What threadpoolctl asks of a library: here, of the engine's extension module."""

        user_api = internal_api = "nnlite"
        filename_prefixes = ("_engine",)
        check_symbols = ("nn_threads", "nn_set_threads")

        def get_num_threads(self) -> int:
            return get_num_threads()

        def set_num_threads(self, num_threads: int) -> None:
            set_num_threads(min(num_threads, _MOST))

        def get_version(self) -> str:
            from nnlite import __version__

            return __version__

    if not _registered:
        threadpoolctl.register(Controller)
        _registered.append(Controller)


_registered: list[Any] = []

if "NNLITE_NUM_THREADS" in os.environ:
    given = os.environ["NNLITE_NUM_THREADS"]
    _set("NNLITE_NUM_THREADS", int(given) if given.isdecimal() else given)
if "threadpoolctl" in sys.modules:
    register_with_threadpoolctl()
