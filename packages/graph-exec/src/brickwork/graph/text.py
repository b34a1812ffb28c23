"""A graph as text, and back.

    graph(%0: f32[N, 13], %1: f32[13, 64]) {
      %2: f32[N, 64] = matmul(%0, %1)  # model.py:12
      %3: f32[N, 64] = map(%2) {body={mul(a0:f32, a0:f32)}}
      return %3 alias(0->1)
    }

One node a line; parameters in braces; ``#`` starts a comment (the printer puts the user's line there).
``alias(0->1)``: output 0 is written in place of input 1. Parameters: room `literals`. `parse_graph` of a graph's text
gives an equal graph.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from brickwork.tensor.dim import Dim
from brickwork.tensor.expr import Expr
from brickwork.tensor.registry import find_op
from brickwork.tensor.spec import TensorSpec

from .expr_text import expr_text, read_expr
from .index_text import read_size, size_text
from .ir import CONSTANT, Graph, Node, Value, parameters
from .literals import dtype_text, read_dtype, read_value, value_text
from .reader import GraphTextError, Reader, name_text

__all__ = ["GraphTextError", "expr_text", "param_text", "parse_expr", "parse_graph", "print_graph"]


def print_graph(graph: Graph, indent: str = "", *, sources: bool = True) -> str:
    """The text of a graph; ``sources``: with the lines that its ops come from. Raises `GraphTextError` where a
    parameter has none."""
    lines = [f"graph({_typed(graph.inputs)}) {{"]
    lines += [f"{indent}  {_node_text(node, indent + '  ', sources)}" for node in graph.nodes]
    outputs = "".join(f" {v}," for v in graph.outputs).rstrip(",")
    aliases = f" alias({', '.join(f'{o}->{i}' for o, i in graph.aliases)})" if graph.aliases else ""
    return "\n".join([*lines, f"{indent}  return{outputs}{aliases}", f"{indent}}}"])


def param_text(value: Any, indent: str = "", sources: bool = True) -> str:
    """The text of one parameter: canonical, so that it can be a key."""
    return value_text(value, lambda v: expr_text(v) if isinstance(v, Expr) else print_graph(v, indent, sources=sources))


@lru_cache(maxsize=4096)
def spec_text(spec: TensorSpec) -> str:
    """``f32[N, 13]``."""
    return f"{dtype_text(spec.dtype)}[{', '.join(map(size_text, spec.shape))}]"


def _typed(values: tuple[Value, ...]) -> str:
    return ", ".join(f"{v}: {spec_text(v.spec)}" for v in values)


def _node_text(node: Node, indent: str, sources: bool) -> str:
    params = ", ".join(f"{name_text(k)}={param_text(v, indent, sources)}" for k, v in node.params)
    call = f"{_typed(node.outputs)} = {name_text(node.op)}({', '.join(map(str, node.inputs))})"
    source = " ".join(node.source.split()) if sources else ""
    return call + (f" {{{params}}}" if params else "") + (f"  # {source}" if source else "")


# ---- reading ---------------------------------------------------------------------------------------------------------


def parse_graph(text: str) -> Graph:
    """The graph that a text says. Raises `GraphTextError`, naming line and column, for any other text.

    Names are looked up (values, ops, atoms, dtypes) and nothing more: `check_graph` says whether the graph is sound.
    """
    reader = Reader(text)
    graph = _read_graph(reader)
    _end(reader)
    return graph


def parse_expr(text: str) -> Expr:
    """The expression that a text like ``{mul(a0:f32, 2.0:f32)}`` says. Raises `GraphTextError` for any other text."""
    reader = Reader(text)
    expr = read_expr(reader)
    _end(reader)
    return expr


def _end(reader: Reader) -> None:
    if reader.token.kind != "end":
        reader.fail("the end of the text")


def _read_graph(reader: Reader) -> Graph:
    values: dict[int, Value] = {}
    reader.expect("graph")
    reader.expect("(")
    inputs: list[Value] = []
    reader.several(lambda: inputs.append(_make(reader, values, inputs)), ")")
    values.update((v.id, v) for v in inputs)
    reader.expect("{")
    nodes = []
    while not reader.accept("return"):
        nodes.append(_read_node(reader, values))
    outputs: list[Value] = []
    while reader.token.kind == "value" or (outputs and reader.accept(",")):
        outputs.append(_use(reader, values))
        if reader.token.kind == "value":
            reader.fail("','")
    aliases: tuple[tuple[int, int], ...] = ()
    if reader.accept("alias"):
        reader.expect("(")
        aliases = reader.several(lambda: _read_alias(reader), ")")
    reader.expect("}")
    return Graph(tuple(inputs), tuple(nodes), tuple(outputs), aliases)


def _make(reader: Reader, values: dict[int, Value], beside: list[Value]) -> Value:
    """A value with its spec, made here; ``values`` were made above, ``beside`` on this line."""
    at, number = reader.token.at, reader.number("value", "a value such as %0")
    reader.expect(":")
    dtype = read_dtype(reader)
    reader.expect("[")
    shape = reader.several(lambda: _read_axis_size(reader), "]")
    if number in values or any(v.id == number for v in beside):
        reader.fail("a value made once", f"%{number} again", at)
    return Value(number, TensorSpec(shape, dtype))


def _read_axis_size(reader: Reader) -> int | Dim:
    at, size = reader.token.at, read_size(reader)
    if not isinstance(size, Dim) and not 0 <= size < 2**63:
        reader.fail("a size in [0, 2**63)", str(size)[:24], at)
    return size


def _use(reader: Reader, values: dict[int, Value]) -> Value:
    at, number = reader.token.at, reader.number("value", "a value such as %0")
    if number not in values:
        reader.fail("a value made above", f"%{number}", at)
    return values[number]


def _read_node(reader: Reader, values: dict[int, Value]) -> Node:
    outputs = [_make(reader, values, [])]
    while reader.accept(","):
        outputs.append(_make(reader, values, outputs))
    reader.expect("=")
    at, op = reader.token.at, reader.name("the name of an op")
    if op != CONSTANT and find_op(op) is None:
        reader.fail("the name of an op", repr(op[:24]), at)
    reader.expect("(")
    inputs = reader.several(lambda: _use(reader, values), ")")
    params = _read_params(reader) if reader.accept("{") else {}
    values.update((v.id, v) for v in outputs)
    return Node(op, inputs, tuple(outputs), parameters(params))


def _read_params(reader: Reader) -> dict[str, Any]:
    params: dict[str, Any] = {}

    def one() -> None:
        at, name = reader.token.at, reader.name("the name of a parameter")
        if name in params:
            reader.fail("a parameter given once", repr(name[:24]), at)
        reader.expect("=")
        params[name] = read_value(reader, lambda r: read_expr(r) if r.at("{") else _read_graph(r))

    reader.several(one, "}")
    return params


def _read_alias(reader: Reader) -> tuple[int, int]:
    output = reader.number("int", "the position of an output")
    reader.expect("->")
    return output, reader.number("int", "the position of an input")
