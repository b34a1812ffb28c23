"""fold: what is known while compiling is computed while compiling.

A value is *uniform* when all of its elements are one constant: a constant node, or one seen through ops that only move
elements.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brickwork.tensor.errors import BrickworkError
from brickwork.tensor.expr import Expr, leaves, substitute
from brickwork.tensor.spec import TensorSpec

from ..ir import CONSTANT, Graph, Node, Value, parameters
from .expr_rules import simplify_expr
from .rewrite import Result, Rewriter, Rule, body_of, rewrite, stretched_shape

__all__ = ["RULES", "fold", "mapped", "with_body"]

MOVES = ("broadcast_to", "reshape", "transpose", "slice", "sliding_window", "identity", "stop_gradient")


def fold(graph: Graph) -> Graph:
    """The graph with constants computed by NumPy, and constant operands written into the bodies that read them."""
    return rewrite(graph, RULES)


def _uniform(value: Value, rewriter: Rewriter) -> Any:
    """The one constant that all elements of a value are, or None."""
    node = rewriter.producer(value)
    while node is not None and node.op in MOVES:
        node = rewriter.producer(node.inputs[0])
    return node.settings["value"] if node is not None and node.op == CONSTANT else None


def _constant_operands(node: Node, rewriter: Rewriter) -> Result:
    """Constants go into the body, where they cost no read; a body without operands left is a constant itself."""
    body = body_of(node)
    known = {k: _uniform(v, rewriter) for k, v in enumerate(node.inputs)}
    if body is None or (node.inputs and all(v is None for v in known.values())):
        return None
    filled = substitute(body, lambda e: _filled(e, known))
    found = with_body(node, simplify_expr(filled), rewriter)
    return None if found == node else found


def _filled(e: Expr, known: dict[int, Any]) -> Expr | None:
    if e.head != "arg" or known[e.value] is None:
        return None
    return Expr("const", (), e.dtype, known[e.value])


def with_body(node: Node, body: Expr, rewriter: Rewriter) -> Result:
    """What an elementwise node becomes with another body over the same operands: those it no longer reads are dropped.

    Where those that stay are smaller than the result, they are mapped first and broadcast after, which computes less.
    """
    if body.head == "const":
        return _spread(node, rewriter.constant(body.value, node))
    used = leaves(body, "arg")
    rest = tuple(node.inputs[k] for k in used)
    if stretched_shape(rest) != node.out.spec.shape and leaves(body, "index"):
        used, rest = list(range(len(node.inputs))), node.inputs
    place = {k: n for n, k in enumerate(used)}
    body = substitute(body, lambda e: Expr("arg", (), e.dtype, place[e.value]) if e.head == "arg" else None)
    if body.head == "arg":
        return (
            rest[0] if rest[0].spec == node.out.spec else mapped(node, "broadcast_to", rest, shape=node.out.spec.shape)
        )
    shape = stretched_shape(rest)
    if shape == node.out.spec.shape:
        return mapped(node, "map", rest, body=body)
    return _spread(node, rewriter.node("map", rest, TensorSpec(shape, body.dtype), node, body=body))


def mapped(node: Node, op: str, inputs: tuple[Value, ...], **params: Any) -> Node:
    """Another op that makes the value of a node."""
    return Node(op, inputs, node.outputs, parameters(params), node.source)


def _spread(node: Node, small: Node) -> Result:
    """A smaller node, broadcast to the value of ``node``."""
    shape = node.out.spec.shape
    if small.out.spec.shape == shape:
        return Node(small.op, small.inputs, node.outputs, small.params, node.source)
    return small, mapped(node, "broadcast_to", (small.out,), shape=shape)


def _constant_result(node: Node, rewriter: Rewriter) -> Result:
    """Any other op whose result is one element, from constants of one element each."""
    values = [_uniform(v, rewriter) for v in node.inputs]
    if node.op in MOVES or len(node.outputs) != 1 or any(v is None for v in values):
        return None
    if any(n != 1 for v in (*node.inputs, node.out) for n in v.spec.shape):
        return None
    arrays = [np.full(v.spec.shape, value) for v, value in zip(node.inputs, values)]
    try:
        with np.errstate(all="ignore"):
            out = np.asarray(node.definition.eval(np, *arrays, **node.settings))
    except (
        BrickworkError,
        ValueError,
        IndexError,
    ):  # an index out of range: the error belongs to the run that reaches it
        return None
    return _spread(node, rewriter.constant(out.reshape(())[()], node))


RULES = (
    Rule(
        "constant_operands",
        ("elementwise",),
        _constant_operands,
        "a constant in the body costs no read, and algebra sees it",
    ),
    Rule(
        "constant_result",
        ("reduce", "contraction", "movement", "opaque", "iota"),
        _constant_result,
        "what is known needs no kernel",
    ),
)
