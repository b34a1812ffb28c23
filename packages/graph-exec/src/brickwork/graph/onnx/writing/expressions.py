"""Scalar expressions as nodes over whole tensors: each atom an op of the standard, or its body in atoms that are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from brickwork.tensor.dtypes import class_of
from brickwork.tensor.expr import ATOMS, Expr, apply, arg, const, fold, leaves
from brickwork.tensor.spec import broadcast_shapes

from ...ir import Node
from .layout import biased, sunk
from .writer import INT64, RULES, Refusal, Writer, element_type, rule

__all__ = ["expression"]

_PLAIN = {
    "neg": "Neg", "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "idiv": "Div", "pow": "Pow", "ipow": "Pow",
    "maximum": "Max", "minimum": "Min", "abs": "Abs", "sign": "Sign", "floor": "Floor", "ceil": "Ceil",
    "rint": "Round", "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "sin": "Sin", "cos": "Cos", "tanh": "Tanh",
    "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "asinh": "Asinh",
    "acosh": "Acosh", "atanh": "Atanh", "erf": "Erf", "relu": "Relu", "isnan": "IsNaN", "where": "Where",
    "eq": "Equal", "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual",
}  # fmt: skip
_LOGIC = {
    "add": "Or", "maximum": "Or", "or": "Or", "mul": "And", "minimum": "And", "and": "And", "xor": "Xor", "not": "Not",
}  # fmt: skip
_BITS = {"and": "BitwiseAnd", "or": "BitwiseOr", "xor": "BitwiseXor", "not": "BitwiseNot"}
_ORDER = frozenset(("lt", "le", "gt", "ge"))
INT32 = np.dtype("int32")


def _where(condition: Expr, x: Expr | float, y: Expr | float) -> Expr:
    return apply("where", condition, x, y)


def _expm1(x: Expr) -> Expr:
    """Near 0 by tanh, which is exact there: e^x - 1 = 2 t / (1 - t) with t = tanh(x / 2)."""
    near = apply("abs", x) < 1.0
    t = apply("tanh", _where(near, x, 0.0) * 0.5)
    return _where(near, 2.0 * t / (1.0 - t), apply("exp", x) - 1.0)


def _log1p(x: Expr) -> Expr:
    """By the logarithm of u = 1 + x, times what rounding made of x (Kahan; Higham 2002, 1.14.1)."""
    u = x + 1.0
    plain = u.equal(1.0)
    odd = apply("or", plain, u.equal(math.inf))
    return _where(odd, x, apply("log", u) * x / _where(odd, 1.0, u - 1.0))


def _signbit(x: Expr) -> Expr:
    return _where(x.equal(0.0), 1.0 / x, x) < 0.0


def _atan2(y: Expr, x: Expr) -> Expr:
    """From the angle of y / x, turned by half a circle on the left."""
    down = _signbit(y)
    half = _where(down, const(-math.pi, y.dtype), math.pi)
    still = apply("and", y.equal(0.0), x.equal(0.0))
    far = apply("and", apply("abs", y).equal(math.inf), apply("abs", x).equal(math.inf))
    top, below = _where(far, apply("sign", y), y), _where(far, apply("sign", x), x)
    angle = _where(still, y, apply("atan", top / _where(still, 1.0, below)))
    return _where(_signbit(x), angle + half, angle)


def _hypot(x: Expr, y: Expr) -> Expr:
    a, b = apply("abs", x), apply("abs", y)
    most, least = apply("maximum", a, b), apply("minimum", a, b)
    ratio = least / _where(most.equal(0.0), 1.0, most)
    length = most * apply("sqrt", 1.0 + ratio * ratio)
    return _where(most.equal(math.inf), most, length)


_BODIES: dict[str, Callable[..., Expr]] = {
    "expm1": _expm1,
    "log1p": _log1p,
    "log2": lambda x: apply("log", x) * (1.0 / math.log(2.0)),
    "log10": lambda x: apply("log", x) * (1.0 / math.log(10.0)),
    "fma": lambda x, y, z: x * y + z,
    "atan2": _atan2,
    "hypot": _hypot,
    "signbit": _signbit,
    "copysign": lambda x, y: _where(apply("eq", _signbit(x), _signbit(y)), x, -x),
    "isfinite": lambda x: apply("abs", x) < math.inf,
    "trunc": lambda x: _where(x < 0.0, apply("ceil", x), apply("floor", x)),
}
"""Atoms that the standard has no op for; others are written by the bodies that the hub gives them."""


@rule("elementwise")
def elementwise(w: Writer, node: Node, names: list[str]) -> str:
    deeper = sunk(w, node, names)
    if deeper is not None:
        inner, operands, axes = deeper
        return w.transpose(RULES.get(inner.op, elementwise)(w, inner, operands), axes)
    taken = biased(w, node, names)
    if taken is not None:
        return taken
    body = node.settings["body"] if node.op == "map" else node.definition.expr(*(v.spec.dtype for v in node.inputs))  # type: ignore[attr-defined]
    return stretched(w, node, body, expression(w, body, names))


def stretched(w: Writer, node: Node, body: Expr, name: str) -> str:
    """In the shape of the node, which operands that the body does not read may have given it."""
    used = [node.inputs[k].spec.shape for k in leaves(body, "arg")]
    return w.expand(name, broadcast_shapes("to_onnx", *used) if used else (), node.out.spec.shape)


def expression(w: Writer, body: Expr, names: Sequence[str]) -> str:
    """An expression over operands of these names."""
    done: dict[Expr, str] = {}

    def visit(node: Expr, *args: str) -> str:
        done[node] = found = _node(w, node, args, names, done)
        return found

    out: str = fold(body, visit)
    return out


def _node(w: Writer, node: Expr, args: Sequence[str], names: Sequence[str], done: Mapping[Expr, str]) -> str:
    match node.head:
        case "arg":
            return names[node.value]
        case "const":
            return w.constant(node.value)
        case "size":
            return w.reshape(w.size(node.value), ())
        case "cast":
            return w.cast(args[0], node.dtype)
    if node.head not in ATOMS:
        raise Refusal(f"{node.head} of a number has no equivalent")
    of = _logistic(node)
    return _atom(w, node, args) if of is None else w.emit("Sigmoid", done[of])


def _logistic(node: Expr) -> Expr | None:
    """The x of ``1 / (1 + exp(-x))``; None for anything else."""

    def is_one(e: Expr) -> bool:
        return e.head == "const" and class_of(e.dtype) == "f" and float(e.value) == 1.0

    if node.head != "div" or not is_one(node.args[0]) or node.args[1].head != "add":
        return None
    one, power = node.args[1].args
    return power.args[0].args[0] if is_one(one) and power.head == "exp" and power.args[0].head == "neg" else None


def _atom(w: Writer, node: Expr, args: Sequence[str]) -> str:
    name, dtype = node.head, node.args[-1].dtype
    kind = class_of(dtype)
    element_type(dtype)
    if name == "ne":
        return w.emit("Not", w.emit("Equal", *args))
    if kind == "b" and name in _LOGIC:
        return w.emit(_LOGIC[name], *args)
    if kind == "b" and name == "where":
        chosen = w.emit("And", args[0], args[1])
        return w.emit("Or", chosen, w.emit("And", w.emit("Not", args[0]), args[2]))
    if kind == "b" and name in _ORDER:
        return w.emit(_PLAIN[name], *(w.cast(a, INT32) for a in args))
    if kind in "iu" and (found := _of_integers(w, name, dtype, args)):
        return found
    if name in _PLAIN:
        return w.emit(_PLAIN[name], *args)
    if name == "fmod":
        return w.emit("Mod", *args, fmod=1)
    expanded = _BODIES.get(name) or ATOMS[name].body
    if expanded is None:
        raise Refusal(f"{name} has no equivalent")
    return expression(w, expanded(*(arg(k, a.dtype) for k, a in enumerate(node.args))), args)


def _of_integers(w: Writer, name: str, dtype: np.dtype, args: Sequence[str]) -> str:
    """Atoms that the standard has for integers under names or limits of their own; "" for others."""
    unsigned = class_of(dtype) == "u"
    if name == "neg" and unsigned:
        return w.emit("Sub", w.constant(0, dtype), *args)
    if name == "idiv" and not unsigned:  # rounded down, where the standard's drops the fraction
        return w.emit("Div", w.emit("Sub", args[0], w.emit("Mod", *args)), args[1])
    if name in _BITS:
        if w.opset < 18:
            raise Refusal("it takes op set 18 or later")
        return w.emit(_BITS[name], *args)
    if name in ("shl", "shr"):
        if not unsigned:
            return _shifted(w, name, dtype, args)
        return w.emit("BitShift", *args, direction="LEFT" if name == "shl" else "RIGHT")
    if name == "mulhi":
        raise Refusal("random numbers that follow from a seed are not in the standard")
    return ""


def _shifted(w: Writer, name: str, dtype: np.dtype, args: Sequence[str]) -> str:
    """The standard shifts unsigned integers only; others are multiplied, or divided and rounded down, in int64."""
    x, places = (a if dtype == INT64 else w.cast(a, INT64) for a in args)
    zero, two, most = (w.constant(n, INT64) for n in (0, 2, 8 * dtype.itemsize - (name == "shr")))
    beyond = w.emit("Or", w.emit("Less", places, zero), w.emit("GreaterOrEqual", places, most))
    places = w.emit("Where", beyond, zero, places)
    if name == "shl":
        half = w.emit("Div", places, two)  # in two steps, since the power of 63 is none of int64
        rest = w.emit("Sub", places, half)
        out = w.emit("Mul", w.emit("Mul", x, w.emit("Pow", two, half)), w.emit("Pow", two, rest))
        filled = zero
    else:
        power = w.emit("Pow", two, places)
        out = w.emit("Div", w.emit("Sub", x, w.emit("Mod", x, power)), power)
        filled = w.emit("Where", w.emit("Less", x, zero), w.constant(-1, INT64), zero)
    out = w.emit("Where", beyond, filled, out)
    return out if dtype == INT64 else w.cast(out, dtype)


_ACTIVATIONS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "celu": ("Celu", 12, {}),
    "elu": ("Elu", 6, {}),
    "gelu": ("Gelu", 20, {}),
    "gelu_tanh": ("Gelu", 20, {"approximate": "tanh"}),
    "hard_sigmoid": ("HardSigmoid", 6, {"alpha": 1 / 6, "beta": 0.5}),
    "hard_silu": ("HardSwish", 14, {}),
    "leaky_relu": ("LeakyRelu", 6, {"alpha": 0.2}),
    "mish": ("Mish", 18, {}),
    "reciprocal": ("Reciprocal", 13, {}),
    "relu": ("Relu", 14, {}),
    "selu": ("Selu", 6, {}),
    "softplus": ("Softplus", 1, {}),
    "softsign": ("Softsign", 1, {}),
}
"""Ops that are one of the standard's: its name, since when it is there, and its attributes."""


@rule(*_ACTIVATIONS)
def activation(w: Writer, node: Node, names: list[str]) -> str:
    if any(n in w.turned for n in names):
        return elementwise(w, node, names)
    op, since, attributes = _ACTIVATIONS[node.op]
    dtype = node.out.spec.dtype
    plain = node.inputs[0].spec.dtype == dtype and (dtype == np.float32 or (dtype == np.float64 and op == "Relu"))
    return w.emit(op, *names, **attributes) if plain and w.opset >= since else elementwise(w, node, names)


@rule("clip")
def clip(w: Writer, node: Node, names: list[str]) -> str:
    if any(n in w.turned for n in names):
        return elementwise(w, node, names)
    x, *bounds = (v.spec for v in node.inputs)
    plain = all(b.shape == () and b.dtype == x.dtype for b in bounds)
    return w.emit("Clip", *names) if plain else elementwise(w, node, names)


@rule("iota")
def iota(w: Writer, node: Node, names: list[str]) -> str:
    shape = node.out.spec.shape
    return w.reshape(w.positions(prod(shape)), shape)
