"""Callbacks, as ``keras.callbacks``."""

from .callback import Callback, CallbackList
from .early_stopping import EarlyStopping
from .history import History

__all__ = ["Callback", "CallbackList", "EarlyStopping", "History"]
