"""The callback that lets a training go on where it was broken off."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nnlite.callbacks.callback import Callback
from nnlite.data import whole
from nnlite.errors import ArgumentError, FileFormatError, UnsupportedError

if TYPE_CHECKING:
    from nnlite.snapshot import Place

_NAME = "training.nnlite"


class BackupAndRestore(Callback):
    """Saves how far a training is, and lets the same training, started again, go on from there.

    Args:
        backup_dir: folder of the backup, which is made if it is not there. One folder for one training.
        save_freq: "epoch", or the number of batches between two savings.
        double_checkpoint: keep the backup before the last one too, and take it if the last cannot be read.
        delete_checkpoint: remove the backup when the training ends.
        save_before_preemption: of tf.keras; must be false.

    Called again after a crash or Ctrl-C with a model made alike and the same data and arguments, ``fit`` ends with the
    bits of a training that was never broken off. Its history begins with the epoch it goes on with. Put the callback
    last in the list, so that what the others change at the end of an epoch is saved; what they remember, such as the
    best value so far, is not. A generator goes on with whatever it yields next, and metrics written in Python count
    the rest of the epoch.

    Raises ArgumentError if `backup_dir` is no path, ValueError for a `save_freq` out of range; in ``fit`` a
    FileFormatError if the backup is damaged or of another model, OSError if it cannot be written.

    >>> import tempfile
    >>> backup = BackupAndRestore(tempfile.mkdtemp())
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
    ) -> None:
        if not isinstance(backup_dir, str | os.PathLike) or not os.fspath(backup_dir):
            raise ArgumentError(f"backup_dir must be the path of a folder, such as 'backup'; received {backup_dir!r}.")
        if save_before_preemption:
            raise UnsupportedError("save_before_preemption must be false; save more often with save_freq.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq if save_freq == "epoch" else whole("save_freq", save_freq)
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._paths = [os.path.join(self.backup_dir, name) for name in (_NAME, f"{_NAME}.before")]
        self._epoch = self._waited = 0
        self._due = False
        self._within: bytes | None = None  # a backup from within an epoch, until that has begun
        if save_freq != "epoch":  # only then does training have to stop after each batch
            self.on_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Any = None) -> None:
        """Go on from the backup, if there is one."""
        self._waited, self._due, self._within = 0, self.save_freq == "epoch", None
        paths = [path for path in self._paths[: 1 + self.double_checkpoint] if os.path.exists(path)]
        for path in paths:
            try:
                return self._go_on(path)
            except FileFormatError as error:
                if path == paths[-1]:
                    raise FileFormatError(f"{error} Remove the backup {path!r} to start anew.") from error

    def _go_on(self, path: str) -> None:
        from nnlite.container import read  # here, because only backups need it

        data = read(path)
        place = self._put_back(data)
        self.model.training.skip(place.epoch)
        if place.batch:
            self._within = data
        else:
            self.model.training.seek(0, place.sums)

    def _put_back(self, data: bytes) -> Place:
        from nnlite.snapshot import from_backup

        return from_backup(self.model, data, len(self.model.training.run.sums))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Go on within the epoch, if the backup is from there: whatever others have just changed was changed then."""
        self._epoch = epoch
        if self._within is not None:
            place, self._within = self._put_back(self._within), None
            self.model.training.seek(place.batch, place.sums)

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        self._waited += 1
        if self._waited >= int(self.save_freq):
            self._waited = 0
            if self.model.training.run.batch:
                self._save()
            else:
                self._due = True  # the epoch has not ended yet for the others

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save, if it is time."""
        if self._due:
            self._due = self.save_freq == "epoch"
            self._save()

    def _save(self) -> None:
        from nnlite.container import write
        from nnlite.snapshot import Place, to_backup

        run = self.model.training.run
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._paths[0]):
            os.replace(*self._paths)
        place = Place(self._epoch + (run.batch == 0), run.batch, run.sums)
        write(self._paths[0], to_backup(self.model, place))

    def on_train_end(self, logs: Any = None) -> None:
        """Remove the backup, and its folder if nothing else is in it."""
        if self.delete_checkpoint:
            for path in self._paths:
                with suppress(FileNotFoundError):
                    os.remove(path)
            with suppress(OSError):
                os.rmdir(self.backup_dir)
