"""The translators, a room for each family of ops; importing this registers them all."""

from . import (
    activation,
    cast,
    control,
    elementwise,
    indexing,
    matmul,
    quantization,
    random,
    reduce,
    sequences,
    shape,
    strings,
    training,
)

__all__ = [
    "activation",
    "cast",
    "control",
    "elementwise",
    "indexing",
    "matmul",
    "quantization",
    "random",
    "reduce",
    "sequences",
    "shape",
    "strings",
    "training",
]
