"""simplify: algebra on the graph, as a table of rules; the algebra on scalar bodies is in `expr_rules`.

Every rule gives the same bits, and makes the graph smaller or the node cheaper, so that they come to an end; `ROUNDS`
bounds them all the same.
"""

from __future__ import annotations

from dataclasses import replace

from brickwork.tensor.dim import Dim
from brickwork.tensor.dtypes import is_floating
from brickwork.tensor.expr import Expr, arg, leaves, substitute
from brickwork.tensor.spec import Shape, TensorSpec

from ..ir import Graph, Node, Value
from .expr_rules import simplify_expr
from .fold import RULES as FOLD_RULES
from .fold import mapped, with_body
from .rewrite import Result, Rewriter, Rule, body_of, rewrite, stretched_shape

__all__ = ["RULES", "simplify"]

ROUNDS = 8
SIGNS = frozenset({"neg", "not", "abs", "cast", "bitcast"})
"""Unary operations that another one can take in, or take back."""


def simplify(graph: Graph) -> Graph:
    """The graph with every rule of `RULES` applied until none fits, and constants that they bring to light folded.

    What is no longer read stays for `dce`.
    """
    return rewrite(graph, (*RULES, *FOLD_RULES), ROUNDS)


def _identity(node: Node, rewriter: Rewriter) -> Result:
    return node.inputs[0]


def _same_shape(node: Node, rewriter: Rewriter) -> Result:
    """Reshape, broadcast_to, pad or slice that keeps the shape and, for a slice, the order along each axis."""
    (x,) = node.inputs
    if x.spec != node.out.spec:
        return None
    steps = node.settings.get("step", ())
    return x if all(s == 1 for s, n in zip(steps, x.spec.shape) if n != 1) else None


def _reshape_of_reshape(node: Node, rewriter: Rewriter) -> Result:
    below = rewriter.producer(node.inputs[0], "reshape")
    return None if below is None else mapped(node, "reshape", below.inputs, shape=node.out.spec.shape)


def _transpose_of_transpose(node: Node, rewriter: Rewriter) -> Result:
    below = rewriter.producer(node.inputs[0], "transpose")
    if below is None:
        return None
    first, second = below.settings["axes"], node.settings["axes"]
    return mapped(node, "transpose", below.inputs, axes=tuple(first[a] for a in second))


def _transpose_in_order(node: Node, rewriter: Rewriter) -> Result:
    """Axes of size 1 may go anywhere; where the others stay in order, no element moves."""
    (x,) = node.inputs
    moving = [a for a in node.settings["axes"] if x.spec.shape[a] != 1]
    if moving != sorted(moving):
        return None
    return x if x.spec.shape == node.out.spec.shape else mapped(node, "reshape", (x,), shape=node.out.spec.shape)


def _broadcast_of_broadcast(node: Node, rewriter: Rewriter) -> Result:
    below = rewriter.producer(node.inputs[0], "broadcast_to")
    return None if below is None else mapped(node, "broadcast_to", below.inputs, shape=node.out.spec.shape)


def _broadcast_of_nothing(node: Node, rewriter: Rewriter) -> Result:
    (x,), shape = node.inputs, node.out.spec.shape
    if not x.spec.shape or shape != (1,) * (len(shape) - x.spec.ndim) + x.spec.shape:
        return None
    return mapped(node, "reshape", (x,), shape=shape)


def _concat_of_one(node: Node, rewriter: Rewriter) -> Result:
    return node.inputs[0] if len(node.inputs) == 1 else None


def _contract_of_one(node: Node, rewriter: Rewriter) -> Result:
    """A contraction of one operand over nothing, each axis at most set off: the operand among zeros."""
    form = node.settings["form"]
    if len(node.inputs) != 1 or form.reduced:
        return None
    widths = []
    for out, dim, size, extent in zip(form.out, form.maps[0], node.inputs[0].spec.shape, node.out.spec.shape):
        start = dim.const * -1
        plain = dim.div == 1 and all(c == (a == out) for a, c in enumerate(dim.coeffs))
        end = extent - size - start
        if not plain or isinstance(start, Dim) or isinstance(end, Dim) or start < 0 or end < 0:
            return None
        widths.append((start, end))
    if len(widths) != len(form.out) or len(widths) != node.inputs[0].spec.ndim:
        return None
    return mapped(node, "pad", node.inputs, widths=tuple(widths), value=0.0)


def _reduce_over_one(node: Node, rewriter: Rewriter) -> Result:
    """Over no axes, or axes of size 1, there is nothing to combine: a reshape, in the dtype that the op gives.

    A sum starts from 0.0, which turns -0.0 into 0.0; so it stays an addition.
    """
    (x,) = node.inputs
    if any(x.spec.shape[a] != 1 for a in node.settings["axis"]):
        return None
    body = arg(0, x.spec.dtype).cast(node.out.spec.dtype)
    if node.op == "sum" and is_floating(body.dtype):
        body = body + 0.0
    if x.spec.shape == node.out.spec.shape:
        return x if body.head == "arg" else mapped(node, "map", (x,), body=body)
    if body.head == "arg":
        return mapped(node, "reshape", (x,), shape=node.out.spec.shape)
    made = rewriter.node("map", (x,), TensorSpec(x.spec.shape, body.dtype), node, body=body)
    return made, mapped(node, "reshape", (made.out,), shape=node.out.spec.shape)


def _body(node: Node, rewriter: Rewriter) -> Result:
    """The body simplified; operands that it no longer reads go. A named op keeps its name while nothing changes."""
    body = body_of(node)
    if body is None:
        return None
    simpler = simplify_expr(body)
    if simpler is body and body.head != "arg" and len(leaves(body, "arg")) == len(node.inputs):
        return None
    found = with_body(node, simpler, rewriter)
    return None if found == node else found


def _absorbed(node: Node, rewriter: Rewriter) -> Result:
    """A sign, cast or complement below goes where the body over it costs no more without: --x, x + -y, cast of cast."""
    body = body_of(node)
    if body is None:
        return None
    for k, value in enumerate(node.inputs):
        below = rewriter.producer(value)
        inner = body_of(below) if below is not None else None
        if below is None or inner is None or inner.head not in SIGNS or inner.args[0].head != "arg":
            continue
        through = Expr(inner.head, (arg(k, inner.args[0].dtype),), inner.dtype)
        joined = simplify_expr(_with_operand(body, k, through))
        if _steps(joined) <= _steps(body) and len(below.inputs) == 1:
            inputs = (*node.inputs[:k], *below.inputs, *node.inputs[k + 1 :])
            return with_body(replace(node, inputs=inputs), joined, rewriter)
    return None


def _with_operand(body: Expr, k: int, operand: Expr) -> Expr:
    """A body with an expression in place of its operand ``k``."""
    return substitute(body, lambda e: operand if e.head == "arg" and e.value == k else None)


def _steps(body: Expr) -> int:
    """How many operations a body takes."""
    return sum(bool(n.args) for n, _ in body.program)


def _stretched_operands(node: Node, rewriter: Rewriter) -> Result:
    """Elementwise ops broadcast by themselves: an operand may stay small while another has the shape of the result."""
    inputs = list(node.inputs)
    for k, value in enumerate(inputs):
        small = _unstretched(value, rewriter)
        if small is not None and stretched_shape([*inputs[:k], small, *inputs[k + 1 :]]) == node.out.spec.shape:
            inputs[k] = small
    return None if tuple(inputs) == node.inputs else mapped(node, node.op, tuple(inputs), **node.settings)


def _unstretched(value: Value, rewriter: Rewriter) -> Value | None:
    """What a broadcast_to, or a reshape that only adds leading axes of size 1, was made from."""
    node = rewriter.producer(value, "broadcast_to", "reshape")
    if node is None or (node.op == "reshape" and not _adds_leading(node.inputs[0].spec.shape, value.spec.shape)):
        return None
    return node.inputs[0]


def _adds_leading(shape: Shape, wider: Shape) -> bool:
    return len(wider) > len(shape) and wider == (1,) * (len(wider) - len(shape)) + shape


RULES = (
    Rule("identity", ("identity", "stop_gradient"), _identity, "they speak to the gradient tape, which is done"),
    Rule("same_shape", ("reshape", "broadcast_to", "slice", "pad"), _same_shape, "the input is the result"),
    Rule("reshape_of_reshape", ("reshape",), _reshape_of_reshape, "the order of elements never changed"),
    Rule("transpose_in_order", ("transpose",), _transpose_in_order, "no element moves, and a reshape costs nothing"),
    Rule("transpose_of_transpose", ("transpose",), _transpose_of_transpose, "one permutation does"),
    Rule("broadcast_of_broadcast", ("broadcast_to",), _broadcast_of_broadcast, "the larger shape says all"),
    Rule("broadcast_of_nothing", ("broadcast_to",), _broadcast_of_nothing, "leading axes of size 1 are a reshape"),
    Rule("concat_of_one", ("concat",), _concat_of_one, "there is nothing to copy"),
    Rule(
        "contract_of_one", ("contract",), _contract_of_one, "a view joins the kernel that reads it, a product does not"
    ),
    Rule("reduce_over_one", ("reduce",), _reduce_over_one, "there is nothing to combine"),
    Rule("body", ("elementwise",), _body, "the fewer instructions, and operands to read, the better"),
    Rule("absorbed", ("elementwise",), _absorbed, "what is taken back, or taken in, need not be computed"),
    Rule("stretched_operands", ("elementwise",), _stretched_operands, "what is read stretched need not be stored so"),
)
