"""The ops, by kind. Importing this package fills the registry, but for rooms that load late (`registry.LATE`)."""

from ..late import later
from ..tensor import FUNCTIONS
from . import composite, contraction, creation, elementwise, gathering, indexing, movement, reduce

FUNCTIONS.update(
    {
        "reshape": movement.reshape,
        "transpose": movement.transpose,
        "matrix_transpose": later("ops.arranging.matrix_transpose"),
        "getitem": indexing.getitem,
        "setitem": indexing.setitem,
        "astype": elementwise.astype,
        "at": later("ops.scattering.At"),
        "copy": movement.copied,
        "stack": movement.stack,
        "sum": reduce.sum,
        "max": reduce.max,
        "min": reduce.min,
        "any": reduce.any,
        "all": reduce.all,
        "mean": composite.mean,
    }
)
__all__ = [
    "composite",
    "contraction",
    "creation",
    "elementwise",
    "gathering",
    "indexing",
    "movement",
    "reduce",
]
