"""What ``keras.utils.generic_utils`` offered to scripts."""

from nnlite.progress import Progbar

__all__ = ["Progbar"]
