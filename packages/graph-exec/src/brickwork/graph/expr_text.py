"""Scalar expressions as text, and back.

    {t0=add(a0:f32, 1.0:f32); mul(t0, t0)}

Leaves: ``a0:f32`` operand 0, ``acc1:f32`` the result of stage 1, ``$2`` the position on axis 2, ``size(1+4*N)``,
constants with their dtype. ``cast(x, f16)`` and ``bitcast(x, u32)`` name the dtype they make; every other head is an
atom. A ``t`` names what is read more than once, so the text is as short as the expression, however much that shares.
It depends on nothing but the structure: equal expressions have equal text in any process, which makes it a key for
caches.
"""

from __future__ import annotations

import re

from brickwork.tensor.dtypes import BOOL
from brickwork.tensor.errors import DTypeError
from brickwork.tensor.expr import ATOMS, INDEX, Expr, apply

from .index_text import read_size, size_text
from .literals import dtype_text, read_dtype, read_scalar, scalar_text
from .reader import RESERVED, Reader, name_text

__all__ = ["expr_text", "read_expr"]

INLINE_DEPTH = 6
"""Calls in calls before one gets a name: lines stay readable, and the longest chain within the reader's bound."""
_LEAF = re.compile(r"(a|acc)(0|[1-9][0-9]*)")
_LET = re.compile(r"t(0|[1-9][0-9]*)")


def expr_text(expr: Expr) -> str:
    """The canonical text of an expression: equal for equal expressions in any process."""
    program = expr.program
    uses = [0] * len(program)
    for _, positions in program:
        for p in positions:
            uses[p] += 1
    words: list[str] = []
    depth: list[int] = []
    lets: list[str] = []
    for k, (node, positions) in enumerate(program):
        text, deep = _node_text(node, [words[p] for p in positions]), 1 + max((depth[p] for p in positions), default=-1)
        if node.args and k != len(program) - 1 and (uses[k] > 1 or deep >= INLINE_DEPTH):
            lets.append(f"t{len(lets)}={text}; ")
            text, deep = f"t{len(lets) - 1}", 0
        words.append(text)
        depth.append(deep)
    return f"{{{''.join(lets)}{words[-1]}}}"


def _node_text(node: Expr, args: list[str]) -> str:
    match node.head:
        case "arg":
            return f"a{node.value}:{dtype_text(node.dtype)}"
        case "acc":
            return f"acc{node.value}:{dtype_text(node.dtype)}"
        case "index":
            return f"${node.value}"
        case "size":
            return f"size({size_text(node.value)})"
        case "const":
            return scalar_text(node.value)
        case "cast" | "bitcast":
            return f"{node.head}({args[0]}, {dtype_text(node.dtype)})"
    return f"{name_text(node.head, RESERVED)}({', '.join(args)})"


def read_expr(reader: Reader) -> Expr:
    """An expression between braces. Raises `GraphTextError`, for operands that do not fit an atom too."""
    lets: list[Expr] = []
    reader.expect("{")
    while True:
        at, text = reader.token.at, reader.token.text
        let = _LET.fullmatch(text) if reader.token.kind == "name" else None
        if let is None:
            out = _read_node(reader, lets)
            break
        reader.next()
        if not reader.accept("="):
            out = _let(reader, lets, text, at)
            break
        if int(let[1][:12]) != len(lets):
            reader.fail(f"t{len(lets)}, the next name", repr(text[:24]), at)
        lets.append(_read_node(reader, lets))
        reader.expect(";")
    reader.expect("}")
    return out


def _let(reader: Reader, lets: list[Expr], text: str, at: int) -> Expr:
    k = int(text[1:13])
    if k >= len(lets):
        reader.fail("a name that was given above", repr(text[:24]), at)
    return lets[k]


def _read_node(reader: Reader, lets: list[Expr]) -> Expr:
    with reader.nested():
        token = reader.token
        if token.kind == "axis":
            return Expr("index", (), INDEX, reader.number("axis", "an axis"))
        if token.kind in ("int", "float") or token.text in ("-", "true", "false", "inf", "nan", "complex", "bits"):
            value = read_scalar(reader)
            return Expr("const", (), value.dtype, value)
        head = reader.name("an expression", RESERVED)
        if reader.accept("("):
            return _read_call(reader, lets, head, token.at)
        if token.kind == "name" and _LET.fullmatch(head):
            return _let(reader, lets, head, token.at)
        leaf = _LEAF.fullmatch(head)
        if leaf is None:
            reader.fail("an operand (a0), a stage (acc0), a name (t0) or a call", repr(head[:24]), token.at)
        if len(leaf[2]) > 9:
            reader.fail("a position below 2**30", repr(head[:24]), token.at)
        reader.expect(":")
        return Expr({"a": "arg", "acc": "acc"}[leaf[1]], (), read_dtype(reader), int(leaf[2]))


def _read_call(reader: Reader, lets: list[Expr], head: str, at: int) -> Expr:
    if head == "size":
        size = read_size(reader)
        reader.expect(")")
        return Expr("size", (), INDEX, size)
    if head in ("cast", "bitcast"):
        inner = _read_node(reader, lets)
        reader.expect(",")
        dtype = read_dtype(reader)
        reader.expect(")")
        if head == "bitcast" and dtype.itemsize != inner.dtype.itemsize:
            reader.fail(f"a bitcast to {8 * inner.dtype.itemsize} bits", dtype.name, at)
        return Expr(head, (inner,), dtype)
    atom = ATOMS.get(head)
    if atom is None:
        reader.fail("the name of an atom", repr(head[:24]), at)
    args = reader.several(lambda: _read_node(reader, lets), ")")
    if len(args) != atom.arity:
        reader.fail(f"{head} of {atom.arity} operands", str(len(args)), at)
    if head == "where" and args[0].dtype != BOOL:
        reader.fail("where of a boolean condition", args[0].dtype.name, at)
    try:
        return apply(head, *args)
    except DTypeError:
        reader.fail(
            f"{head} of {_class_names(atom.classes)} operands of one dtype", str([a.dtype.name for a in args]), at
        )


def _class_names(classes: str) -> str:
    words = {"b": "boolean", "i": "signed", "u": "unsigned", "f": "floating", "c": "complex"}
    return ", ".join(words[c] for c in classes)
