"""Numbers to a common scale, learned from a table."""

from .power import LogTransformer, PowerTransformer
from .quantile import QuantileTransformer, Winsorizer
from .ranges import MaxAbsScaler, MinMaxScaler
from .robust import RobustScaler
from .standard import StandardScaler

__all__ = [
    "LogTransformer",
    "MaxAbsScaler",
    "MinMaxScaler",
    "PowerTransformer",
    "QuantileTransformer",
    "RobustScaler",
    "StandardScaler",
    "Winsorizer",
]
