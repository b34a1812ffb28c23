"""The ops, by kind. Importing this package fills the registry."""

from importlib import import_module

from ..tensor import FUNCTIONS
from . import (
    arranging,
    composite,
    contraction,
    creation,
    cumulative,
    elementwise,
    gathering,
    indexing,
    movement,
    reduce,
    sets,
    sorting,
)

FUNCTIONS.update(
    {
        "reshape": movement.reshape,
        "transpose": movement.transpose,
        "matrix_transpose": arranging.matrix_transpose,
        "getitem": indexing.getitem,
        "setitem": indexing.setitem,
        "astype": elementwise.astype,
        "at": lambda x: import_module(f"{__name__}.scattering").At(x),
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
    "arranging",
    "composite",
    "contraction",
    "creation",
    "cumulative",
    "elementwise",
    "gathering",
    "indexing",
    "movement",
    "reduce",
    "sets",
    "sorting",
]
