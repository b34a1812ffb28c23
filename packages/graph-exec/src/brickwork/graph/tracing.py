"""From a Python function to a graph: the trace that writes ops down."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from brickwork.tensor import tree
from brickwork.tensor.dtypes import as_dtype
from brickwork.tensor.errors import TraceError
from brickwork.tensor.op import Composite, Op
from brickwork.tensor.registry import Region
from brickwork.tensor.scope import current_scope
from brickwork.tensor.spec import TensorSpec
from brickwork.tensor.tensor import Tensor, asarray
from brickwork.tensor.trace import Trace, use
from brickwork.tensor.variable import Variable

if TYPE_CHECKING:
    from brickwork.tensor.recording import Recording

    from .arguments import Arguments

from .ir import CONSTANT, Graph, Node, Value, parameters

__all__ = ["GraphTrace", "Symbol", "Traced", "line_and_layer", "trace_function", "user_line"]


class Symbol:
    """The data of a tensor that stands for a value of a graph."""

    __slots__ = ("dtype", "shape", "trace", "value")

    def __init__(self, trace: GraphTrace, value: Value):
        self.trace, self.value = trace, value
        self.shape, self.dtype = value.spec.shape, value.spec.dtype


@dataclass(frozen=True, slots=True)
class Traced:
    """A graph and where its inputs come from: first the arguments, then captured arrays, then variables.

    Its outputs are the results, then the new values of ``assigned`` variables, each an alias of that variable's input.
    """

    graph: Graph
    arguments: int
    captured: tuple[Any, ...]
    variables: tuple[Variable, ...]
    results: int
    assigned: tuple[Variable, ...]


class GraphTrace(Trace):
    """Writes each op as a node. Variables become inputs when first read, and outputs when assigned."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.count = 0
        self.arguments: list[Value] = []
        self.captured: dict[int, tuple[Any, Value]] = {}
        self.variables: dict[int, tuple[Variable, Value]] = {}
        self.current: dict[int, Tensor] = {}
        self.assigned: dict[int, Variable] = {}

    def fresh(self, spec: TensorSpec) -> Value:
        value = Value(self.count, spec)
        self.count += 1
        return value

    def argument(self, spec: TensorSpec) -> Tensor:
        """A new input of the graph."""
        value = self.fresh(spec)
        self.arguments.append(value)
        return Tensor(Symbol(self, value))

    def process(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        if isinstance(op, Composite):
            return op.body(*[self.read(a) if isinstance(a, Variable) else a for a in args], **params)
        if isinstance(op, Region):
            args, params = _closed(self, op, args, params)
        inputs = tuple([self._value(a, op, args) for a in args])
        specs = op.infer(*[v.spec for v in inputs], **params)
        several = isinstance(specs, tuple)
        outputs = tuple([self.fresh(s) for s in specs]) if several else (self.fresh(specs),)
        self.nodes.append(Node(op.name, inputs, outputs, parameters(params) if params else (), user_line()))
        return tuple([Tensor(Symbol(self, v)) for v in outputs]) if several else Tensor(Symbol(self, outputs[0]))

    def _value(self, a: Any, op: Op, args: tuple[Any, ...]) -> Value:
        if type(a) is Tensor and type(a.data) is Symbol and a.data.trace is self:
            return a.data.value
        if isinstance(a, Variable):
            a = self.read(a)
        if not isinstance(a, Tensor):
            kinds = [x.dtype if hasattr(x, "dtype") else type(x) for x in args]
            a = Tensor(np.asarray(a, dtype=getattr(a, "dtype", None) or op.weak_dtype(*kinds)))
        if isinstance(a.data, Symbol):
            if a.data.trace is not self:
                raise TraceError(
                    f"{op.name}: a value must be of the function being traced; got {a.spec} from another trace. "
                    "Return it from that function and pass it in as an argument"
                )
            return a.data.value
        return self._constant(a.data) if a.shape == () else self._capture(a.data)

    def _constant(self, data: Any) -> Value:
        value = self.fresh(TensorSpec((), data.dtype))
        self.nodes.append(Node(CONSTANT, (), (value,), (("value", np.asarray(data)[()]),)))
        return value

    def _capture(self, data: Any) -> Value:
        found = self.captured.get(id(data))
        if found is None:
            found = self.captured[id(data)] = (data, self.fresh(TensorSpec(data.shape, data.dtype)))
        return found[1]

    def read(self, variable: Variable) -> Tensor:
        if id(variable) not in self.variables:
            value = self.fresh(TensorSpec(variable.shape, variable.dtype))
            self.variables[id(variable)] = (variable, value)
            self.current[id(variable)] = Tensor(Symbol(self, value))
        return self.current[id(variable)]

    def assign(self, variable: Variable, value: Tensor) -> None:
        self.read(variable)
        self.current[id(variable)] = value
        self.assigned[id(variable)] = variable

    def finish(self, results: list[Tensor]) -> Traced:
        """The graph whose outputs are these tensors and the new values of the assigned variables."""
        outputs = tuple(
            self._result(t) for t in (*results, *(self.current[k] for k in self.assigned))
        )  # first: it may capture
        variables = [v for v, _ in self.variables.values()]
        inputs = (*self.arguments, *(v for _, v in self.captured.values()), *(v for _, v in self.variables.values()))
        place = {v.id: k for k, v in enumerate(inputs)}
        aliases = tuple((len(results) + n, place[self.variables[k][1].id]) for n, k in enumerate(self.assigned))
        graph = Graph(inputs, tuple(self.nodes), outputs, aliases)
        return Traced(
            graph,
            len(self.arguments),
            tuple(a for a, _ in self.captured.values()),
            tuple(variables),
            len(results),
            tuple(self.assigned.values()),
        )

    def _result(self, t: Tensor) -> Value:
        if isinstance(t, Variable):
            t = self.read(t)
        if isinstance(t.data, Symbol):
            return t.data.value
        return self._constant(t.data) if t.shape == () else self._capture(t.data)


def trace_function(
    fn: Callable[..., Any], arguments: Arguments, args: Any, kwargs: Any, specs: Sequence[tuple[Any, Any]]
) -> tuple[Traced, Any]:
    """The graph of a function for arguments whose arrays have these shapes and dtypes, and the tree it returned."""
    trace = GraphTrace()
    tensors = [trace.argument(TensorSpec(tuple(shape), as_dtype(dtype))) for shape, dtype in specs]
    moved, named = arguments.filled(args, kwargs, iter(tensors))
    with use(trace):
        out = fn(*moved, **named)
        results = [asarray(x) for x in tree.leaves(out)]
    return trace.finish(results), out


def _closed(
    trace: GraphTrace, op: Region, args: tuple[Any, ...], params: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A region's arguments with what its bodies read from outside, and its parameters with bodies that are graphs."""
    from brickwork.tensor.recording import Recording  # noqa: PLC0415 - loaded by who makes a region
    from brickwork.tensor.regions import with_outside  # noqa: PLC0415 - as above

    args, params = with_outside(op, args, dict(params), trace)
    return args, {k: _nested(v) if isinstance(v, Recording) else v for k, v in params.items()}


def _nested(body: Recording) -> Graph:
    """The graph of a body: it needs nothing but its inputs."""
    trace = GraphTrace()
    inputs = [trace.argument(v.spec) for v in body.inputs]
    with use(trace):
        return trace.finish(body.replay(inputs)).graph


_OURS = ("brickwork.tensor", "brickwork.graph", "brickwork.layers")


@cache
def _is_ours(module: str) -> bool:
    return module.startswith(_OURS)


def user_line(depth: int = 2) -> str:
    """``file:line`` of the innermost frame outside Brickwork, and the path of the layer that is being called:
    ``train.py:12 in sequential/dense``."""
    frame = sys._getframe(depth)
    while frame is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back  # type: ignore[assignment]
    line = "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
    layer = current_scope()
    return f"{line} in {layer}" if layer else line


_SOURCE = r"(?P<line>.*?:[0-9]+)?(?: in (?P<layer>.*))?"


def line_and_layer(source: str) -> tuple[str, str]:
    """The two parts of what `user_line` gives, "" for what is not there."""
    found = re.fullmatch(_SOURCE, source)
    return (found["line"] or "", found["layer"] or "") if found else (source, "")
