"""The table of atoms: one row holds all that NumPy, LLVM, CUDA and differentiation need of a scalar function.

To add one, add a row. `brickwork.tensor.formats` says how the bodies are written that machines without an instruction
(LLVM vectors) use; their rooms load when a compiler first asks for one. NumPy and CUDA call their own libraries where
they have the function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import complex_functions, special_atoms
from .complex_functions import by_class
from .dtypes import class_of
from .expr import ATOMS, Atom, Expr, apply
from .late import later

__all__ = ["ATOMS", "atom"]


def atom(
    name: str, arity: int, numpy: Callable[..., Any], body: str | Callable[..., Expr] | None = None, **rest: Any
) -> Atom:
    """Register a row; see `Atom` for the columns. ``body``: or where it is, ``room.name``."""
    ATOMS[name] = row = Atom(name, arity, numpy, body=later(body) if isinstance(body, str) else body, **rest)
    return row


def where(c: Expr, x: Expr | float, y: Expr | float) -> Expr:
    return apply("where", c, x, y)


def _sgn(x: Expr) -> Expr:
    return apply("sign", x)


def _pow_vjp(g: Expr, out: Expr, x: Expr, y: Expr) -> tuple[Expr, Expr]:
    if class_of(x.dtype) == "c":
        return g * y * apply("pow", x, y - 1.0), g * out * apply("log", x)
    zero_power = y.equal(0.0)
    dx = g * where(zero_power, 0.0, y * apply("pow", x, where(zero_power, 1.0, y - 1.0)))
    dy = g * where(x > 0.0, out * apply("log", where(x > 0.0, x, 1.0)), 0.0)
    return dx, dy


def _sign_vjp(g: Expr, out: Expr, x: Expr) -> tuple[Expr | None]:
    """Of a complex number: what turns x turns its sign, what stretches it does not (see `conj` for the convention)."""
    if class_of(x.dtype) != "c":
        return (None,)
    size = apply("abs", x).cast(x.dtype)
    return (apply("conj", out) * (apply("imag", g * out).cast(x.dtype) * 1j) / size,)


def _share(chosen: Callable[[Expr, Expr], Expr]) -> Callable[..., tuple[Expr, Expr]]:
    """Gradient of max and min: to the operand that won, half to each on a tie."""

    def vjp(g: Expr, out: Expr, x: Expr, y: Expr) -> tuple[Expr, Expr]:
        half = where(x.equal(y), g * 0.5, 0.0)
        return where(chosen(x, y), g, half), where(chosen(y, x), g, half)

    return vjp


def _mulhi(x: Any, y: Any) -> Any:
    return ((x.astype(np.uint64) * y) >> np.uint64(32)).astype(np.uint32)


def _integer_power(x: Any, y: Any) -> Any:
    """``x ** y``; NumPy's raises below 0, where this drops the fraction: 1, -1 or 0."""
    if x.dtype.kind == "u":
        return x**y
    inverse = (x == 1) + (x == -1) * (1 - 2 * (y & 1))
    below = y < 0
    return x ** (y * ~below) * ~below + (inverse * below).astype(x.dtype)


INF = math.inf
LOGIC = "biu"
ALL = "biuf"

# arithmetic
atom(
    "neg",
    1,
    np.negative,
    llvm={"f": "fneg", "i": "neg", "u": "neg"},
    cuda="(-{0})",
    vjp=lambda g, o, x: (-g,),
    classes="iufc",
)
atom(
    "add",
    2,
    np.add,
    llvm={"f": "fadd", "i": "add", "u": "add", "b": "or"},
    cuda="({0} + {1})",
    vjp=lambda g, o, x, y: (g, g),
    classes="biufc",
)
atom(
    "sub",
    2,
    np.subtract,
    llvm={"f": "fsub", "i": "sub", "u": "sub"},
    cuda="({0} - {1})",
    vjp=lambda g, o, x, y: (g, -g),
    classes="iufc",
)
atom(
    "mul",
    2,
    np.multiply,
    llvm={"f": "fmul", "i": "mul", "u": "mul", "b": "and"},
    cuda="({0} * {1})",
    vjp=lambda g, o, x, y: (g * y, g * x),
    classes="biufc",
)
atom(
    "div",
    2,
    np.true_divide,
    llvm={"f": "fdiv"},
    cuda="({0} / {1})",
    vjp=lambda g, o, x, y: (g / y, -g * o / y),
    classes="fc",
    domain=(0.5, 3.0),
)
atom("idiv", 2, np.floor_divide, llvm={"i": "idiv", "u": "idiv"}, cuda="bw_idiv({0}, {1})", classes="iu", domain=(1, 7))
atom(
    "fma",
    3,
    lambda x, y, z: x * y + z,
    llvm={"f": "@llvm.fma"},
    cuda="fma({0}, {1}, {2})",
    vjp=lambda g, o, x, y, z: (g * y, g * x, g),
    classes="f",
)
atom("pow", 2, np.power, cuda="pow({0}, {1})", vjp=_pow_vjp, body="powers.power", classes="fc", domain=(0.5, 3.0))
atom(
    "maximum",
    2,
    np.maximum,
    llvm={"i": "@llvm.smax", "u": "@llvm.umax", "b": "or"},
    cuda="bw_max({0}, {1})",
    vjp=_share(lambda x, y: x > y),
    body="choices.maximum",
    classes=ALL,
)
atom(
    "minimum",
    2,
    np.minimum,
    llvm={"i": "@llvm.smin", "u": "@llvm.umin", "b": "and"},
    cuda="bw_min({0}, {1})",
    vjp=_share(lambda x, y: x < y),
    body="choices.minimum",
    classes=ALL,
)
atom(
    "abs",
    1,
    np.absolute,
    llvm={"f": "@llvm.fabs"},
    cuda="bw_abs({0})",
    vjp=lambda g, o, x: (g.cast(x.dtype) * apply("conj", _sgn(x)) if class_of(x.dtype) == "c" else g * _sgn(x),),
    body="choices.absolute",
    result="real",
    classes="iufc",
)
atom("sign", 1, np.sign, cuda="bw_sign({0})", body="choices.sign", classes="iufc", vjp=_sign_vjp)

# rounding
atom("floor", 1, np.floor, llvm={"f": "@llvm.floor"}, cuda="floor({0})", classes="f")
atom("ceil", 1, np.ceil, llvm={"f": "@llvm.ceil"}, cuda="ceil({0})", classes="f")
atom("trunc", 1, np.trunc, llvm={"f": "@llvm.trunc"}, cuda="trunc({0})", classes="f")
atom("rint", 1, np.rint, llvm={"f": "@llvm.rint"}, cuda="rint({0})", classes="fc")

# powers, exponentials and friends
atom(
    "sqrt",
    1,
    np.sqrt,
    llvm={"f": "@llvm.sqrt"},
    cuda="sqrt({0})",
    vjp=lambda g, o, x: (g * 0.5 / o,),
    classes="fc",
    domain=(0.1, 9.0),
)
atom("exp", 1, np.exp, cuda="exp({0})", vjp=lambda g, o, x: (g * o,), body="exponentials.exp", classes="fc")
atom(
    "expm1",
    1,
    by_class(np.expm1, complex_functions.expm1),
    cuda="expm1({0})",
    vjp=lambda g, o, x: (g * (o + 1.0),),
    body="exponentials.expm1",
    classes="fc",
)
atom(
    "log",
    1,
    np.log,
    cuda="log({0})",
    vjp=lambda g, o, x: (g / x,),
    body="exponentials.log",
    classes="fc",
    domain=(0.1, 9.0),
)
atom(
    "log1p",
    1,
    by_class(np.log1p, complex_functions.log1p),
    cuda="log1p({0})",
    vjp=lambda g, o, x: (g / (x + 1.0),),
    body="exponentials.log1p",
    classes="fc",
    domain=(-0.5, 9.0),
)
atom(
    "sin", 1, np.sin, cuda="sin({0})", vjp=lambda g, o, x: (g * apply("cos", x),), body="trigonometry.sin", classes="fc"
)
atom(
    "cos",
    1,
    np.cos,
    cuda="cos({0})",
    vjp=lambda g, o, x: (-g * apply("sin", x),),
    body="trigonometry.cos",
    classes="fc",
)
atom(
    "tanh",
    1,
    by_class(np.tanh, complex_functions.tanh),
    cuda="tanh({0})",
    vjp=lambda g, o, x: (g * (1.0 - o * o),),
    body="exponentials.tanh",
    classes="fc",
)


# trigonometric and hyperbolic
_TRIGONOMETRIC: list[tuple[str, Any, str, str, tuple[float, float], Callable[..., Expr]]] = [
    (
        "tan",
        by_class(np.tan, complex_functions.tan),
        "tan",
        "trigonometry.tan",
        (-1.2, 1.2),
        lambda g, o, x: g * (o * o + 1.0),
    ),
    ("asin", np.arcsin, "asin", "trigonometry.asin", (-0.9, 0.9), lambda g, o, x: g / apply("sqrt", 1.0 - x * x)),
    ("acos", np.arccos, "acos", "trigonometry.acos", (-0.9, 0.9), lambda g, o, x: -g / apply("sqrt", 1.0 - x * x)),
    ("atan", np.arctan, "atan", "trigonometry.atan", (-3.0, 3.0), lambda g, o, x: g / (x * x + 1.0)),
    ("sinh", np.sinh, "sinh", "trigonometry.sinh", (-3.0, 3.0), lambda g, o, x: g * apply("cosh", x)),
    ("cosh", np.cosh, "cosh", "trigonometry.cosh", (-3.0, 3.0), lambda g, o, x: g * apply("sinh", x)),
    ("asinh", np.arcsinh, "asinh", "trigonometry.asinh", (-3.0, 3.0), lambda g, o, x: g / apply("sqrt", x * x + 1.0)),
    (
        "acosh",
        np.arccosh,
        "acosh",
        "trigonometry.acosh",
        (1.2, 9.0),
        lambda g, o, x: g / (apply("sqrt", x - 1.0) * apply("sqrt", x + 1.0)),
    ),
    ("atanh", np.arctanh, "atanh", "trigonometry.atanh", (-0.9, 0.9), lambda g, o, x: g / (1.0 - x * x)),
    ("log2", np.log2, "log2", "arithmetic.log2", (0.1, 9.0), lambda g, o, x: g / (x * math.log(2.0))),
    ("log10", np.log10, "log10", "arithmetic.log10", (0.1, 9.0), lambda g, o, x: g / (x * math.log(10.0))),
]


def _alone(partial: Callable[..., Expr]) -> Callable[..., tuple[Expr]]:
    return lambda *given: (partial(*given),)


for _name, _numpy, _c, _body, _domain, _partial in _TRIGONOMETRIC:
    atom(_name, 1, _numpy, cuda=f"{_c}({{0}})", vjp=_alone(_partial), body=_body, domain=_domain, classes="fc")
atom(
    "atan2",
    2,
    np.arctan2,
    cuda="atan2({0}, {1})",
    vjp=lambda g, o, y, x: (g * x / (x * x + y * y), -g * y / (x * x + y * y)),
    body="trigonometry.atan2",
    classes="f",
    domain=(0.5, 3.0),
)
atom(
    "hypot",
    2,
    np.hypot,
    cuda="hypot({0}, {1})",
    vjp=lambda g, o, x, y: (g * x / o, g * y / o),
    body="trigonometry.hypot",
    classes="f",
    domain=(0.5, 3.0),
)

# the bits of a float, and division by them
atom("signbit", 1, np.signbit, result="bool", body="representation.signbit", classes="f")
atom(
    "copysign",
    2,
    np.copysign,
    vjp=lambda g, o, x, y: (where(apply("signbit", x).equal(apply("signbit", y)), g, -g), None),
    body="representation.copysign",
    classes="f",
)
atom("nextafter", 2, np.nextafter, vjp=lambda g, o, x, y: (g, None), body="representation.nextafter", classes="f")
atom(
    "fmod",
    2,
    np.fmod,
    cuda="fmod({0}, {1})",
    vjp=lambda g, o, x, y: (g, -g * apply("trunc", x / y)),
    body="arithmetic.fmod",
    classes="f",
    domain=(0.5, 3.0),
)
atom("ipow", 2, _integer_power, body="arithmetic.integer_power", classes="iu", domain=(0, 7))

# complex numbers. Cotangents are d/dx - i d/dy, so that a holomorphic f gets g * f'(z), unconjugated (as in JAX)
atom("conj", 1, np.conjugate, vjp=lambda g, o, x: (apply("conj", g),), classes="c")
atom("real", 1, np.real, vjp=lambda g, o, x: (g.cast(x.dtype),), result="real", classes="c")
atom("imag", 1, np.imag, vjp=lambda g, o, x: (g.cast(x.dtype) * -1j,), result="real", classes="c")

atom(
    "relu",
    1,
    lambda x: np.maximum(x, x.dtype.type(0)),
    cuda="bw_max({0}, 0)",
    vjp=lambda g, o, x: (where(o > 0.0, g, 0.0),),
    body=lambda x: where(x < 0.0, 0.0, x),
    classes="f",
)

# comparison and logic
_COMPARISONS: list[tuple[str, Any, str, str, str, str, str]] = [
    ("eq", np.equal, "==", "oeq", "eq", "eq", "biufc"),
    ("ne", np.not_equal, "!=", "une", "ne", "ne", "biufc"),
    ("lt", np.less, "<", "olt", "slt", "ult", ALL),
    ("le", np.less_equal, "<=", "ole", "sle", "ule", ALL),
    ("gt", np.greater, ">", "ogt", "sgt", "ugt", ALL),
    ("ge", np.greater_equal, ">=", "oge", "sge", "uge", ALL),
]
for _name, _numpy, _c, _floats, _signed, _unsigned, _classes in _COMPARISONS:
    _llvm = {"f": f"fcmp {_floats}", "i": f"icmp {_signed}", "u": f"icmp {_unsigned}", "b": f"icmp {_unsigned}"}
    atom(_name, 2, _numpy, llvm=_llvm, cuda=f"({{0}} {_c} {{1}})", result="bool", classes=_classes)
atom("isnan", 1, np.isnan, llvm={"f": "fcmp uno"}, cuda="isnan({0})", result="bool", classes="fc")
atom("isfinite", 1, np.isfinite, cuda="isfinite({0})", result="bool", body="choices.isfinite", classes="fc")
atom("and", 2, np.bitwise_and, llvm={"i": "and", "u": "and", "b": "and"}, cuda="({0} & {1})", classes=LOGIC)
atom("or", 2, np.bitwise_or, llvm={"i": "or", "u": "or", "b": "or"}, cuda="({0} | {1})", classes=LOGIC)
atom("xor", 2, np.bitwise_xor, llvm={"i": "xor", "u": "xor", "b": "xor"}, cuda="({0} ^ {1})", classes=LOGIC)
atom("not", 1, np.invert, llvm={"i": "not", "u": "not", "b": "not"}, cuda="bw_not({0})", classes=LOGIC)
atom("shl", 2, np.left_shift, llvm={"i": "shl", "u": "shl"}, cuda="({0} << {1})", classes="iu", domain=(0, 7))
atom("shr", 2, np.right_shift, llvm={"i": "ashr", "u": "lshr"}, cuda="({0} >> {1})", classes="iu", domain=(0, 7))
atom("mulhi", 2, _mulhi, llvm={"u": "mulhi"}, cuda="__umulhi({0}, {1})", classes="u")
atom(
    "where",
    3,
    np.where,
    llvm=dict.fromkeys("biuf", "select"),
    cuda="({0} ? {1} : {2})",
    vjp=lambda g, o, c, x, y: (None, where(c, g, 0.0), where(c, 0.0, g)),
    classes="biufc",
)

ATOMS.update((row.name, row) for row in special_atoms.ROWS)
