"""Series as tables: what came before a row beside it, and windows of a series for networks."""

from .lags import Differences, Lags
from .rolling import RollingWindows
from .sequences import make_windows

__all__ = ["Differences", "Lags", "RollingWindows", "make_windows"]
