"""Algebra on scalar expressions: only what gives the same bits for every input, payload and sign of NaN aside.

(``power`` gives the correctly rounded result, where a library's may be one bit off.)

So there is no ``x + 0 -> x`` (wrong for -0), no ``x * 0 -> 0`` of floats (wrong for NaN and infinities), no
``0 - x -> -x`` (wrong for 0), and no ``pow(x, 0.5) -> sqrt(x)`` (wrong for -0 and -inf).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from brickwork.tensor.dtypes import class_of
from brickwork.tensor.expr import ATOMS, Expr, apply, const, fold

__all__ = ["EXPR_RULES", "lossless", "simplify_expr"]

ROUNDS = 16
FORMATS = {
    "float8_e4m3fn": (4, -6, 8),
    "float8_e5m2": (3, -14, 15),
    "float16": (11, -14, 15),
    "bfloat16": (8, -126, 127),
    "float32": (24, -126, 127),
    "float64": (53, -1022, 1023),
}
"""Binary digits of the significand, and the least and greatest exponent of a power of two that is a normal number."""
COMMUTATIVE = frozenset({"add", "mul", "and", "or", "xor"})


def _is_const(node: Expr, value: Any = None) -> bool:
    """Whether a node is a constant, and of this value with this sign of zero."""
    if node.head != "const" or value is None:
        return node.head == "const"
    return bool(node.value.tobytes() == np.asarray(value).astype(node.dtype).tobytes())


def _constants(e: Expr) -> Expr | None:
    if not e.args or not all(a.head == "const" for a in e.args):
        return None
    values = [a.value for a in e.args]
    with np.errstate(all="ignore"):
        match e.head:
            case "cast":
                out = values[0].astype(e.dtype)
            case "bitcast":
                out = values[0].view(e.dtype)
            case _:
                out = np.asarray(ATOMS[e.head].numpy(*values)).astype(e.dtype)[()]
    return Expr("const", (), e.dtype, out)


def _neutral(e: Expr) -> Expr | None:
    """The value that leaves the other operand as it is: x + -0.0, x - 0, x * 1, x / 1, x & true, x << 0, ..."""
    kind = class_of(e.dtype)
    neutral: dict[str, Any] = {
        "add": -0.0 if kind in "fc" else 0,
        "sub": 0,
        "mul": 1,
        "div": 1,
        "idiv": 1,
        "or": 0,
        "xor": 0,
        "shl": 0,
        "shr": 0,
    }
    if e.head == "and" and kind in "biu":
        neutral["and"] = True if kind == "b" else -1
    if e.head not in neutral or kind == "c":
        return None
    x, y = e.args
    if _is_const(y, neutral[e.head]):
        return x
    return y if e.head in COMMUTATIVE and _is_const(x, neutral[e.head]) else None


def _absorbing(e: Expr) -> Expr | None:
    """Integers and booleans: x * 0, x & 0, booleans: x | true."""
    kind = class_of(e.dtype)
    if kind not in "biu" or e.head not in ("mul", "and", "or", "add"):
        return None
    for x in e.args:
        if (e.head in ("mul", "and") and _is_const(x, 0)) or (
            kind == "b" and e.head in ("or", "add") and _is_const(x, True)
        ):
            return x
    return None


def _same_operands(e: Expr) -> Expr | None:
    if e.head in ("maximum", "minimum", "and", "or") and e.args[0] is e.args[1]:
        return e.args[0]
    return e.args[1] if e.head == "where" and e.args[1] is e.args[2] else None


def _known_condition(e: Expr) -> Expr | None:
    if e.head == "where" and e.args[0].head == "const":
        return e.args[1] if e.args[0].value else e.args[2]
    return None


def _undone(e: Expr) -> Expr | None:
    """An operation that takes back the one below it: -(-x), ~~x, a cast to what it is, a bitcast of a bitcast."""
    if e.head in ("neg", "not") and e.args[0].head == e.head:
        return e.args[0].args[0]
    if e.head in ("cast", "bitcast") and e.args[0].dtype == e.dtype:
        return e.args[0]
    return e.args[0].args[0].bitcast(e.dtype) if e.head == e.args[0].head == "bitcast" else None


def _cast_of_cast(e: Expr) -> Expr | None:
    """Through a type that holds every value of the first, on to the last. A float on its way to an integer stays."""
    if e.head != "cast" or e.args[0].head != "cast":
        return None
    first, between = e.args[0].args[0], e.args[0].dtype
    if not lossless(first.dtype, between):
        return None
    kinds = class_of(first.dtype), class_of(between), class_of(e.dtype)
    same_meaning = e.dtype.kind == "b" or kinds[2] in "fc" or "f" not in kinds[:2] or lossless(first.dtype, e.dtype)
    return first.cast(e.dtype) if same_meaning else None


def _abs_of_sign(e: Expr) -> Expr | None:
    if e.head == "abs" and e.args[0].head in ("abs", "neg") and class_of(e.dtype) == "f":
        return apply("abs", e.args[0].args[0])
    return None


def _negations(e: Expr) -> Expr | None:
    """x + -y, x - -y, -x * -y, -x / -y, x * -1: a sign is exact, so it can move into the operation."""
    if e.head not in ("add", "sub", "mul", "div") or class_of(e.dtype) not in "if":
        return None
    x, y = e.args
    if e.head in ("mul", "div") and x.head == y.head == "neg":
        return apply(e.head, x.args[0], y.args[0])
    if e.head in ("mul", "div") and _is_const(y, -1):
        return apply("neg", x)
    if e.head == "mul" and _is_const(x, -1):
        return apply("neg", y)
    if e.head in ("add", "sub") and y.head == "neg":
        return apply("sub" if e.head == "add" else "add", x, y.args[0])
    return apply("sub", y, x.args[0]) if e.head == "add" and x.head == "neg" else None


def _division(e: Expr) -> Expr | None:
    """x / 4 is x * 0.25: the reciprocal of a power of two is exact where it is a normal number."""
    if e.head != "div" or class_of(e.dtype) != "f" or not _is_const(e.args[1]):
        return None
    value = float(e.args[1].value)
    if value == 0 or not math.isfinite(value):
        return None
    fraction, exponent = math.frexp(abs(value))
    _, least, greatest = FORMATS[e.dtype.name]
    if fraction != 0.5 or not (least <= exponent - 1 <= greatest and least <= 1 - exponent <= greatest):
        return None
    return apply("mul", e.args[0], const(1 / value, e.dtype))


def _power(e: Expr) -> Expr | None:
    """By IEEE 754, x**0 is 1 (of NaN too) and x**1 is x; x**2 and x**-1 are x * x and 1 / x, rounded once."""
    if e.head != "pow" or not _is_const(e.args[1]):
        return None
    x, y = e.args[0], float(e.args[1].value)
    if y == 0:
        return const(1, e.dtype)
    return {1.0: x, 2.0: apply("mul", x, x), -1.0: apply("div", const(1, e.dtype), x)}.get(y)


EXPR_RULES: tuple[tuple[str, Callable[[Expr], Expr | None], str], ...] = (
    ("constants", _constants, "a value that is known needs no instruction"),
    ("known_condition", _known_condition, "only one branch is ever taken"),
    ("neutral", _neutral, "the other operand comes through unchanged"),
    ("absorbing", _absorbing, "the result does not depend on the other operand"),
    ("same_operands", _same_operands, "both answers are the same"),
    ("undone", _undone, "two steps that cancel"),
    ("cast_of_cast", _cast_of_cast, "no value is lost on the way, so one conversion does"),
    ("abs_of_sign", _abs_of_sign, "the sign is dropped anyway"),
    ("negations", _negations, "subtraction costs what addition costs"),
    ("division", _division, "a product takes a tenth of a division's time"),
    ("power", _power, "a general power costs about twenty products"),
)


@lru_cache(maxsize=4096)
def simplify_expr(expr: Expr) -> Expr:
    """The expression with every rule applied wherever it fits, until none does (at most `ROUNDS` times)."""
    for _ in range(ROUNDS):
        after = fold(expr, _visit)
        if after is expr:
            break
        expr = after
    return expr


def _visit(node: Expr, *args: Expr) -> Expr:
    if args != node.args:
        node = Expr(node.head, args, node.dtype, node.value)
    for _, rule, _ in EXPR_RULES if args else ():
        found = rule(node)
        if found is not None:
            return found
    return node


@lru_cache(maxsize=1024)
def lossless(source: np.dtype[Any], target: np.dtype[Any]) -> bool:
    """Whether every value of one real dtype is a value of another."""
    a, b = class_of(source), class_of(target)
    if source == target or a == "b":
        return True
    if "c" in (a, b) or b == "b" or (a == "f" and b != "f"):
        return False
    if b in "iu":
        low, high = np.iinfo(source), np.iinfo(target)
        return bool(high.min <= low.min and low.max <= high.max)
    digits, least, greatest = FORMATS[target.name]
    if a in "iu":
        bits = 8 * source.itemsize - (a == "i")
        return bits <= digits and bits <= greatest
    narrow_digits, narrow_least, narrow_greatest = FORMATS[source.name]
    subnormals_fit = narrow_least - narrow_digits >= least - digits
    return narrow_digits <= digits and narrow_greatest <= greatest and subnormals_fit
