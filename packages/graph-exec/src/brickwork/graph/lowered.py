"""A function for arguments of given specs, on its way to machine code: each stage to look at, and the last to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from brickwork.tensor import tree
from brickwork.tensor.dim import Dim, symbol
from brickwork.tensor.dtypes import as_dtype
from brickwork.tensor.errors import ShapeError, TraceError
from brickwork.tensor.spec import TensorSpec, as_int

from .arguments import Arguments, with_specs
from .entry import entry_of
from .ir import Graph
from .memory import Memory, memory_of
from .planned import optimized, plan_of
from .structure import described
from .tracing import Traced, trace_function
from .uncollected import uncollected

if TYPE_CHECKING:
    from .plan import Plan
    from .work import Work

__all__ = ["Lowered", "lower", "spec"]


def spec(shape: Any, dtype: Any = "float32") -> TensorSpec:
    """What an argument will be: shape and dtype. Axis 0 may be None or a name: a size that is known at the call.

    None is the size ``"N"``; axes of one name have one size. Raises `ShapeError` or `DTypeError`.
    """
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    out: list[Any] = []
    for axis, n in enumerate(sizes):
        if n is None or isinstance(n, (str, Dim)):
            name = "N" if n is None else n
            if axis or (isinstance(name, str) and not name.isidentifier()):
                raise ShapeError(
                    f"spec: only axis 0 may be open, by None or an identifier; got {n!r} as axis {axis}. Give a size"
                )
            out.append(symbol(name) if isinstance(name, str) else name)
        else:
            out.append(as_int("spec", "a size", n, 0))
    return TensorSpec(tuple(out), as_dtype(dtype))


@dataclass(frozen=True)
class Lowered:
    """A traced function. ``graph``: its ops, before any pass; ``optimized``: after all; ``plan``: its kernels in order.

    ``takes`` and ``gives``: how its dynamic arguments (those that are not static) and its results nest.
    """

    name: str
    traced: Traced
    takes: Any
    gives: Any
    out: Any
    donated: tuple[bool, ...] = ()

    @property
    def graph(self) -> Graph:
        return self.traced.graph

    @cached_property
    def optimized(self) -> Graph:
        return optimized(self.graph)

    @cached_property
    def plan(self) -> Plan:
        return plan_of(self.optimized, self.traced, self.donated)

    def text(self, *, optimized: bool = False) -> str:
        """The graph as text: as traced, or after all passes."""
        return str(self.optimized if optimized else self.graph)

    def kernels(self) -> tuple[Work, ...]:
        """What runs, in order: kernels, ops that run by Python, and regions with what is in them."""
        from .work import works  # noqa: PLC0415 - for who looks at it

        return works(self.plan)

    def memory(self) -> Memory:
        """What a call takes, by kind."""
        return memory_of(self.traced, entry_of(self.plan, self.traced.results))

    def llvm(self) -> str:
        """The LLVM text for this CPU, before LLVM's own passes."""
        from .llvm.engine import host  # noqa: PLC0415 - as below
        from .llvm.module import build_module  # noqa: PLC0415 - for who looks at it

        return build_module(self.plan, host())

    def compile(self) -> Any:
        """A `Program`: it takes the arguments that are not static."""
        from .program import Program  # noqa: PLC0415 - a program is made of this room

        return Program(self)

    def __str__(self) -> str:
        return self.text()


@uncollected()
def lower(fn: Callable[..., Any], arguments: Arguments, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Lowered:
    """A function for arguments like these; any array may be a `TensorSpec`."""
    args, kwargs = with_specs(args), with_specs(kwargs)
    _, _, specs = arguments.read(args, kwargs)
    for shape, _ in specs:
        if any(isinstance(n, Dim) for n in shape[1:]) or (shape and _is_formula(shape[0])):
            raise TraceError(f"{arguments.name}: only axis 0 may be open, and by a name alone; got {shape}. Give sizes")
    traced, out = trace_function(fn, arguments, args, kwargs, specs)
    dynamic, named = arguments.dynamic(args, kwargs)
    takes = described({"args": dynamic, "kwargs": named})
    gives = described(tree.unflatten(out, [0.0] * traced.results))
    donated = tuple(x is not None for x in arguments.given(args, kwargs))
    return Lowered(arguments.name, traced, takes, gives, out, donated)


def _is_formula(size: Any) -> bool:
    return isinstance(size, Dim) and not (len(size.terms) == 1 and size.terms[0][1] == 1 and len(size.terms[0][0]) == 1)
