"""What ``keras.utils.generic_utils`` offered to scripts."""

from nnlite.progress import Progbar
from nnlite.utils.custom_objects import CustomObjectScope, custom_object_scope, get_custom_objects

__all__ = ["CustomObjectScope", "Progbar", "custom_object_scope", "get_custom_objects"]
