"""The bottom trace: ops on arrays, at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextvars import Context
from typing import Any

import numpy as np

from .backend import MODULES, claim_of, module_of
from .errors import BrickworkError, DeviceError, DTypeError, MemoryLimitError, ShapeError
from .memory import ledger
from .op import Composite, Op, params_text
from .registry import Region
from .spec import TensorSpec
from .tensor import Tensor
from .trace import Trace, set_bottom
from .variable import Variable

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
_WITH_BODIES = frozenset((Composite.kind, Region.kind))


class EagerTrace(Trace):
    """Computes with the array module that its arguments live in."""

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        arrays: Sequence[Any]
        if len(args) == 1:  # without a loop, which costs a call before Python 3.12
            (a,) = args
            arrays = ((a.data if isinstance(a, Tensor) else a),)
        elif len(args) == 2:
            a, b = args
            arrays = (a.data if isinstance(a, Tensor) else a), (b.data if isinstance(b, Tensor) else b)
        else:
            arrays = [a.data if isinstance(a, Tensor) else a for a in args]
        xp = np if arrays and type(arrays[0]) is np.ndarray else module_of(arrays)
        counted = 0
        try:
            if ledger.limit is not None and op.kind not in _WITH_BODIES:
                counted = result_bytes(op, arrays, params)
                ledger.ask(op.name, counted)
            if xp is np and op.planned is not None:
                out = _silent.run(op.planned(arrays), *arrays)
            elif op.kind not in _WITH_BODIES:
                out = _silent.run(op.eval, xp, *arrays, **params)
            else:
                claim = claim_of(op.name, arrays) if ledger.limit is None else None  # its parts ask, a claim does not
                out = NotImplemented if claim is None else _silent.run(claim, *arrays, **params)
                if out is NotImplemented:
                    return op.body(*args, **params)  # type: ignore[attr-defined]
        except BrickworkError:
            raise
        except RuntimeError as error:
            if "already entered" not in str(error):
                raise
            if op.kind in _WITH_BODIES:  # a signal handler or finalizer, amid another op of this thread
                return op.body(*args, **params)  # type: ignore[attr-defined]
            with np.errstate(all="ignore"):
                out = op.eval(xp, *arrays, **params)
        except (ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
            raise explain(op, arrays, params, error) from error
        if counted:
            for made in out if type(out) is tuple else (out,):
                ledger.hold(made)
        if type(out) is np.ndarray:
            return Tensor(out)
        return tuple([_tensor(xp, o) for o in out]) if type(out) is tuple else _tensor(xp, out)

    def read(self, variable: Variable) -> Tensor:
        variable.shared = True
        return Tensor(variable.data)

    def assign(self, variable: Variable, value: Tensor) -> None:
        variable.data, variable.shared = value.data, True


def _tensor(xp: Any, out: Any) -> Tensor:
    """A tensor of a result; NumPy gives scalars where others give arrays without axes."""
    return Tensor(out if type(out) in MODULES else xp.asarray(out))


def _specs(arrays: Sequence[Any]) -> list[TensorSpec]:
    return [TensorSpec(np.shape(a), getattr(a, "dtype", None) or np.asarray(a).dtype) for a in arrays]


def result_bytes(op: Op, arrays: Sequence[Any], params: Mapping[str, Any]) -> int:
    """What the results of an op take, by its own shape rule; nothing where they are views, or unknown beforehand."""
    if op.kind == "movement" and op.name != "pad" and (op.name != "reshape" or arrays[0].flags.c_contiguous):
        return 0
    try:
        found = op.infer(*_specs(arrays), **params)
    except Exception:  # bad operands: `eval` raises, and `explain` says what the user should read
        return 0
    specs = found if isinstance(found, tuple) else (found,)
    return sum(int(s.size) * s.dtype.itemsize for s in specs)


def explain(op: Op, arrays: Sequence[Any], params: Mapping[str, Any], error: Exception) -> BrickworkError:
    """The error that the user should read, from the op's own shape rule where that finds it, else from the array
    module."""
    try:
        op.infer(*_specs(arrays), **params)
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
