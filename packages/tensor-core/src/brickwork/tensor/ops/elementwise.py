"""Elementwise functions: one row each, named as in the Array API standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import as_dtype, class_of
from ..expr import Expr, apply, arg
from ..op import Elementwise, map_op, register
from ..tensor import Tensor, asarray
from ..trace import bind

__all__: list[str] = ["astype", "map_expr"]


def _floor_divide(x: Expr, y: Expr) -> Expr:
    return apply("floor", x / y) if class_of(x.dtype) == "f" else apply("idiv", x, y)


def _remainder(x: Expr, y: Expr) -> Expr:
    return x - _floor_divide(x, y) * y


def _round(x: Expr) -> Expr:
    return apply("rint", x) if class_of(x.dtype) == "f" else x


def _rounding(name: str) -> Callable[[Expr], Expr]:
    return lambda x: apply(name, x) if class_of(x.dtype) == "f" else x


def _test(name: str, otherwise: bool) -> Callable[[Expr], Expr]:
    """A floating-point predicate that integers answer with a constant."""
    return lambda x: apply(name, x) if class_of(x.dtype) == "f" else (x.equal(x) if otherwise else apply("ne", x, x))


def _isinf(x: Expr) -> Expr:
    return apply("abs", x).equal(float("inf")) if class_of(x.dtype) == "f" else apply("ne", x, x)


def _boolean(name: str) -> Callable[..., Expr]:
    return lambda *a: apply(name, *(x.cast(np.dtype("bool")) for x in a))


def _clip(x: Expr, low: Expr, high: Expr) -> Expr:
    return apply("minimum", apply("maximum", x, low), high)


def _absolute(x: Expr) -> Expr:
    return x if class_of(x.dtype) in "bu" else apply("abs", x)


ROWS: tuple[tuple[str, str | Callable[..., Expr], int, str, str], ...] = (
    # name, body, arity, rule, formula
    ("add", "add", 2, "same", "x + y"),
    ("subtract", "sub", 2, "same", "x - y"),
    ("multiply", "mul", 2, "same", "x * y"),
    ("divide", "div", 2, "float", "x / y"),
    ("floor_divide", _floor_divide, 2, "same", "floor(x / y)"),
    ("remainder", _remainder, 2, "same", "x - floor(x / y) * y, with the sign of y"),
    ("power", "pow", 2, "float", "x ** y"),
    ("maximum", "maximum", 2, "same", "the greater of x and y; NaN where either is"),
    ("minimum", "minimum", 2, "same", "the lesser of x and y; NaN where either is"),
    ("equal", "eq", 2, "same", "x == y"),
    ("not_equal", "ne", 2, "same", "x != y"),
    ("less", "lt", 2, "same", "x < y"),
    ("less_equal", "le", 2, "same", "x <= y"),
    ("greater", "gt", 2, "same", "x > y"),
    ("greater_equal", "ge", 2, "same", "x >= y"),
    ("bitwise_and", "and", 2, "same", "x & y"),
    ("bitwise_or", "or", 2, "same", "x | y"),
    ("bitwise_xor", "xor", 2, "same", "x ^ y"),
    ("bitwise_left_shift", "shl", 2, "same", "x << y"),
    ("bitwise_right_shift", "shr", 2, "same", "x >> y"),
    ("bitwise_invert", "not", 1, "same", "~x"),
    ("logical_and", _boolean("and"), 2, "same", "x and y, as booleans"),
    ("logical_or", _boolean("or"), 2, "same", "x or y, as booleans"),
    ("logical_xor", _boolean("xor"), 2, "same", "x or y but not both, as booleans"),
    ("logical_not", _boolean("not"), 1, "same", "not x, as booleans"),
    ("where", "where", 3, "where", "x1 where the condition holds, else x2"),
    ("clip", _clip, 3, "same", "min(max(x, low), high)"),
    ("positive", lambda x: x, 1, "same", "+x"),
    ("negative", "neg", 1, "same", "-x"),
    ("abs", _absolute, 1, "same", "|x|"),
    ("sign", "sign", 1, "same", "-1, 0 or 1"),
    ("square", lambda x: x * x, 1, "same", "x * x"),
    ("reciprocal", lambda x: 1.0 / x, 1, "float", "1 / x"),
    ("floor", _rounding("floor"), 1, "same", "the greatest integer not above x"),
    ("ceil", _rounding("ceil"), 1, "same", "the least integer not below x"),
    ("trunc", _rounding("trunc"), 1, "same", "x without its fraction"),
    ("round", _round, 1, "same", "the nearest integer, halves to even"),
    ("sqrt", "sqrt", 1, "float", "the square root of x"),
    ("rsqrt", lambda x: 1.0 / apply("sqrt", x), 1, "float", "1 / sqrt(x)"),
    ("exp", "exp", 1, "float", "e ** x"),
    ("expm1", "expm1", 1, "float", "e ** x - 1, exact near 0"),
    ("log", "log", 1, "float", "the natural logarithm of x"),
    ("log1p", "log1p", 1, "float", "log(1 + x), exact near 0"),
    ("sin", "sin", 1, "float", "the sine of x radians"),
    ("cos", "cos", 1, "float", "the cosine of x radians"),
    ("tanh", "tanh", 1, "float", "the hyperbolic tangent of x"),
    ("erf", "erf", 1, "float", "2 / sqrt(pi) * integral of exp(-t * t) from 0 to x"),
    ("isnan", _test("isnan", False), 1, "same", "whether x is not a number"),
    ("isfinite", _test("isfinite", True), 1, "same", "whether x is neither infinite nor NaN"),
    ("isinf", _isinf, 1, "same", "whether x is infinite"),
)  # fmt: skip


def _function(name: str, body: str | Callable[..., Expr], arity: int, rule: str, formula: str) -> Callable[..., Tensor]:
    op = register(Elementwise(name, body, arity, rule))
    names = {1: ("x",), 2: ("x", "y"), 3: ("condition", "x1", "x2") if name == "where" else ("x", "low", "high")}[arity]

    def one(x: Any) -> Tensor:
        return bind(op, (x if isinstance(x, Tensor) else asarray(x),))

    def several(*args: Any) -> Tensor:
        return bind(op, tuple(a if isinstance(a, (Tensor, int, float, complex)) else asarray(a) for a in args))

    function = one if arity == 1 else several
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{formula}, element by element, broadcasting.\n\n    Arguments: {', '.join(names)}: tensors, arrays or numbers."
    return function


FUNCTIONS: dict[str, Callable[..., Tensor]] = {row[0]: _function(*row) for row in ROWS}
globals().update(FUNCTIONS)
__all__ += FUNCTIONS


def astype(x: Any, dtype: Any) -> Tensor:
    """The values converted to a dtype; a float becomes an integer by dropping its fraction."""
    tensor, wanted = asarray(x), as_dtype(dtype)
    return tensor if tensor.dtype == wanted else map_expr(arg(0, tensor.dtype).cast(wanted), tensor)


def map_expr(body: Expr, *args: Tensor) -> Tensor:
    """Apply a scalar expression to broadcast tensors: ``arg(k)`` of the body is element of the k-th."""
    return bind(map_op, args, {"body": body})


FUNCTIONS["astype"] = astype
