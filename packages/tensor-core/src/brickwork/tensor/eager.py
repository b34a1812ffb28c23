"""The bottom trace: ops on arrays, at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .backend import claim_of, module_of
from .errors import BrickworkError, DeviceError, DTypeError, ShapeError
from .op import Composite, Op, params_text
from .spec import TensorSpec
from .tensor import Tensor, Variable
from .trace import Trace, set_bottom

__all__ = ["EagerTrace"]


class EagerTrace(Trace):
    """Computes with the array module that its arguments live in."""

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        arrays = [a.data if isinstance(a, Tensor) else a for a in args]
        try:
            if isinstance(op, Composite):
                claim = claim_of(op.name, arrays)
                if claim is None:
                    return op.body(*args, **params)
                out = claim(*arrays, **params)
            else:
                out = op.eval(module_of(arrays), *arrays, **params)
        except BrickworkError:
            raise
        except (ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
            raise explain(op, arrays, params, error) from error
        return tuple(map(Tensor, out)) if type(out) is tuple else Tensor(out)

    def read(self, variable: Variable) -> Tensor:
        variable.shared = True
        return Tensor(variable.data)

    def assign(self, variable: Variable, value: Tensor) -> None:
        variable.data, variable.shared = value.data, True


def explain(op: Op, arrays: list[Any], params: Mapping[str, Any], error: Exception) -> BrickworkError:
    """The error that the user should read, from the op's own shape rule where that finds it, else from the array module."""
    try:
        op.infer(
            *(
                TensorSpec(np.shape(a), np.asarray(a).dtype)
                if not hasattr(a, "dtype")
                else TensorSpec(a.shape, a.dtype)
                for a in arrays
            ),
            **params,
        )
    except BrickworkError as ours:
        return ours
    except (
        Exception
    ):  # the rule itself choked on the same bad input: the array module's words are then the best there are
        pass
    shapes = ", ".join(f"{getattr(a, 'dtype', type(a).__name__)}{list(np.shape(a))}" for a in arrays)
    modules = {type(a).__module__.partition(".")[0] for a in arrays if hasattr(a, "dtype")}
    if len(modules) > 1:
        return DeviceError(
            f"{op.name}: operands must be on one device; got arrays of {' and '.join(sorted(modules))}. Move one with .to(device)"
        )
    kind = DTypeError if isinstance(error, TypeError) else ShapeError
    return kind(
        f"{op.name}: the operands must fit; got {shapes} {params_text(params)}: {error}. Check shapes and dtypes"
    )


set_bottom(EagerTrace())
