"""The bottom trace: ops on arrays, at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextvars import Context
from typing import Any

import numpy as np

from .backend import MODULES, claim_of, module_of
from .errors import BrickworkError, DeviceError, DTypeError, MemoryLimitError, ShapeError
from .op import Composite, Op, params_text
from .spec import TensorSpec
from .tensor import Tensor, Variable
from .trace import Trace, set_bottom

__all__ = ["EagerTrace"]


class _Silent(threading.local):
    """A context per thread in which NumPy reports no floating-point events: infinities and NaN are values here.

    Entering it costs a twentieth of a microsecond; ``np.errstate`` around each op, which sets the same, costs a
    whole one.
    """

    def __init__(self) -> None:
        context = Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


_silent = _Silent()


class EagerTrace(Trace):
    """Computes with the array module that its arguments live in."""

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        arrays = [a.data if isinstance(a, Tensor) else a for a in args]
        xp = module_of(arrays)
        try:
            if isinstance(op, Composite):
                claim = claim_of(op.name, arrays)
                if claim is None:
                    return op.body(*args, **params)
                out = _silent.run(claim, *arrays, **params)
            else:
                out = _silent.run(op.eval, xp, *arrays, **params)
        except BrickworkError:
            raise
        except RuntimeError as error:
            if "already entered" not in str(error):
                raise
            with np.errstate(all="ignore"):  # a signal handler or finalizer, amid another op of this thread
                out = op.eval(xp, *arrays, **params)
        except (ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
            raise explain(op, arrays, params, error) from error
        return tuple(_tensor(xp, o) for o in out) if type(out) is tuple else _tensor(xp, out)

    def read(self, variable: Variable) -> Tensor:
        variable.shared = True
        return Tensor(variable.data)

    def assign(self, variable: Variable, value: Tensor) -> None:
        variable.data, variable.shared = value.data, True


def _tensor(xp: Any, out: Any) -> Tensor:
    """A tensor of a result; NumPy gives scalars where others give arrays without axes."""
    return Tensor(out if type(out) in MODULES else xp.asarray(out))


def explain(op: Op, arrays: list[Any], params: Mapping[str, Any], error: Exception) -> BrickworkError:
    """The error that the user should read, from the op's own shape rule where that finds it, else from the array
    module."""
    try:
        op.infer(*(TensorSpec(np.shape(a), getattr(a, "dtype", None) or np.asarray(a).dtype) for a in arrays), **params)
    except BrickworkError as ours:
        return ours
    except Exception:
        pass
    shapes = ", ".join(f"{getattr(a, 'dtype', type(a).__name__)}{list(np.shape(a))}" for a in arrays)
    modules = {type(a).__module__.partition(".")[0] for a in arrays if hasattr(a, "dtype")}
    if len(modules) > 1:
        return DeviceError(
            f"{op.name}: operands must be on one device; got arrays of {' and '.join(sorted(modules))}. "
            "Move one with .to(device)"
        )
    if isinstance(error, MemoryError):
        return MemoryLimitError(f"{op.name}: the result must fit in memory; got {shapes}: {error}. Use smaller parts")
    kind = DTypeError if isinstance(error, (TypeError, OverflowError)) else ShapeError
    return kind(
        f"{op.name}: the operands must fit; got {shapes} {params_text(params)}: {error}. Check shapes and dtypes"
    )


set_bottom(EagerTrace())
