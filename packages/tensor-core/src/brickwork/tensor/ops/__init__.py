"""The ops, by kind. Importing this package fills the registry."""

from ..tensor import FUNCTIONS
from . import composite, contraction, creation, elementwise, indexing, movement, nn, reduce

FUNCTIONS.update(
    {
        "reshape": movement.reshape,
        "transpose": movement.transpose,
        "getitem": indexing.getitem,
        "astype": elementwise.astype,
        "stack": movement.stack,
        "sum": reduce.sum,
        "max": reduce.max,
        "min": reduce.min,
        "any": reduce.any,
        "all": reduce.all,
        "mean": composite.mean,
    }
)
__all__ = ["composite", "contraction", "creation", "elementwise", "indexing", "movement", "nn", "reduce"]
