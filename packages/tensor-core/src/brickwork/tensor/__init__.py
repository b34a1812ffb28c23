"""Brickwork's tensor core: tensors, ops with gradients, random numbers, saved files. NumPy is all it needs."""

from . import atoms as _atoms
from . import eager as _eager
from . import random, tree
from .autodiff import GradientTape, grad, value_and_grad, vjp
from .backend import Backend, backend_names, get_backend
from .compiler import Compiler, find_compiler, jit
from .dim import Dim
from .dtypes import NAMES as _DTYPES
from .dtypes import as_dtype, promote
from .errors import BrickworkError, DeviceError, DTypeError, MemoryLimitError, ShapeError, TraceError
from .op import OPS, Composite, Contraction, Elementwise, Movement, Op, Opaque, Reduce, register
from .ops import nn
from .ops.composite import *  # noqa: F403
from .ops.contraction import *  # noqa: F403
from .ops.creation import *  # noqa: F403
from .ops.elementwise import *  # noqa: F403
from .ops.indexing import *  # noqa: F403
from .ops.movement import *  # noqa: F403
from .ops.reduce import *  # noqa: F403
from .spec import TensorSpec
from .tensor import Tensor, Variable, asarray

__version__ = "0.1.0"
globals().update(_DTYPES)  # float32, int64, ... are names of the namespace
