"""Callbacks: objects that `fit`, `evaluate` and `predict` tell what happens, and that may stop a training."""

from nnlite.callbacks.averages import SwapEMAWeights
from nnlite.callbacks.backup import BackupAndRestore
from nnlite.callbacks.callback import HOOKS, ByName, Callback, LambdaCallback, canonical
from nnlite.callbacks.checkpoint import ModelCheckpoint
from nnlite.callbacks.history import BaseLogger, History
from nnlite.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from nnlite.callbacks.listeners import Listeners
from nnlite.callbacks.logs import CSVLogger, ProgbarLogger, RemoteMonitor
from nnlite.callbacks.stopping import EarlyStopping, TerminateOnNaN
from nnlite.callbacks.tensorboard import TensorBoard

__all__ = [
    "HOOKS",
    "BackupAndRestore",
    "BaseLogger",
    "ByName",
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "Listeners",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "canonical",
]
