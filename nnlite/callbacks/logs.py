"""Callbacks that pass on the values of every epoch: to a file, to a server, to the terminal."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from nnlite.callbacks.callback import Callback
from nnlite.errors import ArgumentError, choice


def optional(package: str, user: str, extra: str) -> Any:
    """Return a package only `user` needs. Raises ImportError, which names the extra that installs it."""
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(f"{user} needs the package {package}: pip install 'nnlite[{extra}]'.") from error


class CSVLogger(Callback):
    """Writes the values of every epoch to a file: a column ``epoch``, from 0, and one for each value by name.

    Args:
        filename: path of the file.
        separator: between two columns, one character.
        append: add to a file that is there; its header is then kept.

    Columns are those of the first epoch and of the validation; what an epoch does not have is written as NA.
    Raises ArgumentError if `separator` is not one character, OSError if the file cannot be written.

    >>> log = CSVLogger("training.csv")
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise ArgumentError(f"separator must be one character; received {separator!r}.")
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] = []
        self._file: Any = None
        self._writer: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the file."""
        self._close()
        filled = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._headed, self.keys = filled, []
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115 - open for a training

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a line."""
        logs = logs or {}
        if not self.keys:
            self.keys = sorted({*logs, *self.params.get("metrics", ())})
            import csv  # here, because only this callback needs it

            self._writer = csv.writer(self._file, delimiter=self.sep)
            if not self._headed:
                self._writer.writerow(["epoch", *self.keys])
        self._writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Close the file."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _cell(value: Any) -> Any:
    """A value as one cell: several as ``"[1.0, 2.0]"``."""
    return f"[{', '.join(map(str, value))}]" if not isinstance(value, str) and np.ndim(value) > 0 else value


class RemoteMonitor(Callback):
    """Posts the values of every epoch to a server. Needs the package requests.

    Args:
        root: of the server.
        path: on it.
        field: of the form that has the values as JSON.
        headers: of HTTP.
        send_as_json: send them as the JSON body in place of a form.

    A server that does not answer is only warned of. Raises ImportError without requests.

    >>> monitor = RemoteMonitor("http://localhost:9000")
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = headers, send_as_json
        optional("requests", "RemoteMonitor", "remote")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Send the values."""
        import json  # here, because only this callback needs it

        requests = optional("requests", "RemoteMonitor", "remote")
        values = {"epoch": epoch} | {name: np.asarray(value).tolist() for name, value in (logs or {}).items()}
        body = {"json": values} if self.send_as_json else {"data": {self.field: json.dumps(values)}}
        try:
            requests.post(self.root + self.path, headers=self.headers, **body)
        except requests.exceptions.RequestException as error:
            text = f"RemoteMonitor could not reach {self.root}: {error}."
            warnings.warn(text, UserWarning, stacklevel=2)


class ProgbarLogger(Callback):
    """The progress bar, as a callback: `fit` shows it by itself where `verbose` asks for it, and once only.

    Args:
        count_mode: whether it counts "samples" or "steps".
        stateful_metrics: names of values; without effect, for `fit` shows the means of the epoch.

    Raises ValueError for another `count_mode`.

    >>> bar = ProgbarLogger(count_mode="steps")
    """

    def __init__(self, count_mode: str = "samples", stateful_metrics: Iterable[str] | None = None) -> None:
        self.count_mode = choice("count_mode", count_mode, ("samples", "steps"))
        self.stateful_metrics = set(stateful_metrics or ())
