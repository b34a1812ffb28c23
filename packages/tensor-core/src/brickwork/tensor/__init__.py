"""Brickwork's tensor core: tensors, ops with gradients, random numbers, saved files. NumPy is all it needs."""

import math
from typing import TYPE_CHECKING

from . import tree
from .autodiff import GradientTape, grad, value_and_grad, vjp
from .backend import Backend, backend_names, get_backend
from .compiler import Compiler, find_compiler, jit
from .dim import Dim
from .dtypes import as_dtype, promote
from .eager import EagerTrace
from .errors import (
    BrickworkError,
    DeviceError,
    DTypeError,
    ExchangeError,
    IndexingError,
    MemoryLimitError,
    ShapeError,
    TraceError,
)
from .late import late_names
from .memory import memory_limit
from .op import OPS, Composite, Contraction, Elementwise, Movement, Op, Opaque, Reduce, register
from .ops.composite import logsumexp, mean, std, var
from .ops.contraction import matmul
from .ops.creation import (
    arange,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    iota,
    linspace,
    ones,
    ones_like,
    size_of,
    zeros,
    zeros_like,
)
from .ops.elementwise import (
    abs,
    acos,
    acosh,
    add,
    asin,
    asinh,
    astype,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    ceil,
    clip,
    conj,
    copysign,
    cos,
    cosh,
    digamma,
    divide,
    equal,
    erf,
    erfc,
    erfinv,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    hypot,
    imag,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    lgamma,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    logit,
    map_expr,
    maximum,
    minimum,
    multiply,
    negative,
    nextafter,
    not_equal,
    polygamma,
    positive,
    pow,
    power,
    real,
    reciprocal,
    remainder,
    round,
    rsqrt,
    sign,
    signbit,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
    where,
    xlogy,
)
from .ops.gathering import one_hot, take, take_along_axis
from .ops.indexing import getitem, set_items
from .ops.movement import (
    broadcast_to,
    concat,
    expand_dims,
    flip,
    identity,
    pad,
    permute_dims,
    reshape,
    sliding_window,
    split,
    squeeze,
    stack,
    stop_gradient,
    transpose,
)
from .ops.reduce import all, any, max, min, prod, sum
from .spec import TensorSpec
from .tensor import Tensor, asarray
from .types import (
    bfloat16,
    bool,
    complex64,
    complex128,
    float8_e4m3fn,
    float8_e5m2,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .variable import Variable

__version__ = "0.1.0"


if TYPE_CHECKING:
    from . import bundle, fft, linalg, nn, random
    from .batching import vmap
    from .checkpointing import checkpoint
    from .control import cond, fori_loop, scan, switch, while_loop
    from .info import __array_namespace_info__, can_cast, finfo, iinfo, isdtype, result_type
    from .nn.convolution import conv
    from .ops.arranging import (
        broadcast_arrays,
        broadcast_shapes,
        matrix_transpose,
        meshgrid,
        moveaxis,
        repeat,
        roll,
        tile,
        tril,
        triu,
        unstack,
    )
    from .ops.cumulative import cumulative_prod, cumulative_sum, diff
    from .ops.einstein import einsum, einsum_path
    from .ops.products import tensordot, vecdot
    from .ops.scattering import gather, index_add, scatter
    from .ops.segments import bincount, segment_max, segment_mean, segment_min, segment_prod, segment_sum
    from .ops.sets import isin, unique_all, unique_counts, unique_inverse, unique_values
    from .ops.sorting import argmax, argmin, argsort, count_nonzero, nonzero, searchsorted, sort, top_k
    from .saved import load, save
    from .transforms import custom_gradient, hessian, jacobian, jvp

_LATER = {room: room for room in ("bundle", "fft", "linalg", "nn", "random")} | {
    name: room
    for room, names in {
        "batching": ("vmap",),
        "checkpointing": ("checkpoint",),
        "control": ("cond", "fori_loop", "scan", "switch", "while_loop"),
        "info": ("__array_namespace_info__", "can_cast", "finfo", "iinfo", "isdtype", "result_type"),
        "nn.convolution": ("conv",),
        "ops.arranging": ("broadcast_arrays", "broadcast_shapes", "matrix_transpose", "meshgrid", "moveaxis", "repeat",
                          "roll", "tile", "tril", "triu", "unstack"),
        "ops.cumulative": ("cumulative_prod", "cumulative_sum", "diff"),
        "ops.einstein": ("einsum", "einsum_path"),
        "ops.products": ("tensordot", "vecdot"),
        "ops.scattering": ("gather", "index_add", "scatter"),
        "ops.segments": ("bincount", "segment_max", "segment_mean", "segment_min", "segment_prod", "segment_sum"),
        "ops.sets": ("isin", "unique_all", "unique_counts", "unique_inverse", "unique_values"),
        "ops.sorting": ("argmax", "argmin", "argsort", "count_nonzero", "nonzero", "searchsorted", "sort", "top_k"),
        "saved": ("load", "save"),
        "transforms": ("custom_gradient", "hessian", "jacobian", "jvp"),
    }.items()
    for name in names
}  # fmt: skip
"""The room of each name that loads when it is first asked for."""


if not TYPE_CHECKING:
    __getattr__ = late_names(globals(), _LATER)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__array_api_version__ = "2025.12"

pi, e, inf, nan = math.pi, math.e, math.inf, math.nan
newaxis = None

__all__ = [
    # tensors
    "asarray", "Dim", "Tensor", "TensorSpec", "Variable",
    # dtypes
    "__array_namespace_info__", "as_dtype", "bfloat16", "bool", "can_cast", "complex128", "complex64", "finfo",
    "float16", "float32", "float64", "float8_e4m3fn", "float8_e5m2", "iinfo", "int16", "int32", "int64", "int8",
    "isdtype", "promote", "result_type", "uint16", "uint32", "uint64", "uint8",
    # tensors from nothing, and constants
    "arange", "e", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "inf", "iota", "linspace",
    "nan", "newaxis", "ones", "ones_like", "pi", "size_of", "zeros", "zeros_like",
    # element by element
    "abs", "acos", "acosh", "add", "asin", "asinh", "astype", "atan", "atan2", "atanh", "bitwise_and",
    "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "ceil", "clip",
    "conj", "copysign", "cos", "cosh", "digamma", "divide", "equal", "erf", "erfc", "erfinv", "exp", "expm1",
    "floor", "floor_divide", "greater", "greater_equal", "hypot", "imag", "isfinite", "isinf", "isnan", "less",
    "less_equal", "lgamma", "log", "log10", "log1p", "log2", "logaddexp", "logical_and", "logical_not",
    "logical_or", "logical_xor", "logit", "maximum", "minimum", "multiply", "negative", "nextafter", "not_equal",
    "polygamma", "positive", "pow", "power", "real", "reciprocal", "remainder", "round", "rsqrt", "sign", "signbit",
    "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc", "where", "xlogy",
    # over axes
    "all", "any", "cumulative_prod", "cumulative_sum", "diff", "logsumexp", "max", "mean", "min", "prod", "std",
    "sum", "var",
    # shapes and places
    "broadcast_arrays", "broadcast_shapes", "broadcast_to", "concat", "expand_dims", "flip", "identity",
    "matrix_transpose", "meshgrid", "moveaxis", "pad", "permute_dims", "repeat", "reshape", "roll",
    "sliding_window", "split", "squeeze", "stack", "tile", "transpose", "tril", "triu", "unstack",
    # by position
    "bincount", "gather", "getitem", "index_add", "one_hot", "scatter", "segment_max", "segment_mean",
    "segment_min", "segment_prod", "segment_sum", "set_items", "take", "take_along_axis",
    # order and sets
    "argmax", "argmin", "argsort", "count_nonzero", "isin", "nonzero", "searchsorted", "sort", "top_k",
    "unique_all", "unique_counts", "unique_inverse", "unique_values",
    # products
    "conv", "einsum", "einsum_path", "matmul", "tensordot", "vecdot",
    # derivatives, and functions of functions
    "checkpoint", "custom_gradient", "grad", "GradientTape", "hessian", "jacobian", "jvp", "stop_gradient",
    "value_and_grad", "vjp", "vmap",
    # control flow
    "cond", "fori_loop", "scan", "switch", "while_loop",
    # rooms and files
    "bundle", "fft", "linalg", "load", "nn", "random", "save", "tree",
    # machines
    "Backend", "backend_names", "Compiler", "EagerTrace", "find_compiler", "get_backend", "jit", "memory_limit",
    # ops themselves
    "Composite", "Contraction", "Elementwise", "map_expr", "Movement", "Op", "Opaque", "OPS", "Reduce", "register",
    # errors
    "BrickworkError", "DeviceError", "DTypeError", "ExchangeError", "IndexingError", "MemoryLimitError",
    "ShapeError", "TraceError",
]  # fmt: skip
