"""Traces: what happens when an op is applied.

One trace is current in each thread. The bottom one computes (`eager.EagerTrace`); a gradient tape records and hands
on to its parent; a graph trace writes the op down. `bind` is the only door.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .op import Op
    from .tensor import Tensor
    from .variable import Variable

__all__ = ["Trace", "bind", "current", "use"]


class Trace:
    """An interpreter of ops. ``parent`` is the trace it hands on to; the bottom one has none."""

    parent: Trace | None = None

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """Apply an op to tensors, arrays and Python scalars; gives a Tensor, or a tuple of them."""
        raise NotImplementedError

    def read(self, variable: Variable) -> Tensor:
        """The value of a variable at this point of the trace."""
        assert self.parent is not None
        return self.parent.read(variable)

    def assign(self, variable: Variable, value: Tensor) -> None:
        """Give a variable a new value at this point of the trace."""
        assert self.parent is not None
        self.parent.assign(variable, value)


class _State(threading.local):
    trace: Trace


_state = _State()


def set_bottom(trace: Trace) -> None:
    """Set the trace that every thread starts with (once, by the package itself)."""
    _State.trace = trace


def current() -> Trace:
    """The trace of this thread."""
    return _state.trace


def bind(op: Op, args: tuple[Any, ...], params: Mapping[str, Any] = {}) -> Tensor:
    """Apply an op of one result under the current trace."""
    out: Tensor = _state.trace.process(op, args, params)
    return out


class use:
    """A ``with`` block in which a trace is current."""

    __slots__ = ("before", "trace")

    def __init__(self, trace: Trace):
        self.trace = trace

    def __enter__(self) -> Trace:
        self.before = _state.trace
        _state.trace = self.trace
        return self.trace

    def __exit__(self, *error: object) -> None:
        _state.trace = self.before
