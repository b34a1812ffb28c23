"""Elementwise functions: one line each, named as in the Array API standard."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..dtypes import as_dtype, class_of, to_inexact
from ..errors import DTypeError, ShapeError
from ..expr import Expr, apply, arg, const
from ..late import later
from ..op import Elementwise, map_op, register
from ..program import program_of
from ..spec import as_int
from ..tensor import Tensor, asarray
from ..trace import bind
from .movement import identity

Body = str | Callable[..., Expr]

FUNCTIONS: dict[str, Callable[..., Tensor]] = {}
"""What a person calls, by the name of the op."""
ROWS: list[tuple[str, Body, int, str, str]] = []
"""(name, body, arity, rule, formula) of each, in order."""


def _define(
    name: str, body: Body, arity: int, rule: str, formula: str, kind: type[Elementwise] = Elementwise
) -> Elementwise:
    ROWS.append((name, body, arity, rule, formula))
    return register(kind(name, body, arity, rule))


def _public(name: str, formula: str, names: str, rule: str, function: Callable[..., Tensor]) -> None:
    function.__name__ = function.__qualname__ = name
    how = "element by element, broadcasting" if "," in names else "element by element"
    kinds = "; integers give float32" if rule == "float" else ""
    function.__doc__ = f"{formula}, {how}.\n\n    {names}: tensor, array or number{kinds}."
    FUNCTIONS[name] = function


def _unary(name: str, body: Body, formula: str, rule: str = "same") -> Callable[[Any], Tensor]:
    op = _define(name, body, 1, rule, formula)

    def function(x: Any) -> Tensor:
        return bind(op, (x if isinstance(x, Tensor) else asarray(x),))

    _public(name, formula, "x", rule, function)
    return function


def _binary(
    name: str, body: Body, formula: str, rule: str = "same", kind: type[Elementwise] = Elementwise
) -> Callable[[Any, Any], Tensor]:
    op = _define(name, body, 2, rule, formula, kind)

    def function(x: Any, y: Any) -> Tensor:
        return bind(op, (x if isinstance(x, Tensor) else _operand(x), y if isinstance(y, Tensor) else _operand(y)))

    _public(name, formula, "x, y", rule, function)
    return function


def _operand(x: Any) -> Any:
    """A tensor, or a Python number, which takes the dtype of the operands beside it."""
    return x if isinstance(x, (Tensor, int, float, complex)) else asarray(x)


class Direct(Elementwise):
    """An op of many atoms that a NumPy function computes as well, in one pass."""

    def __init__(self, name: str, body: Body, arity: int, rule: str):
        super().__init__(name, body, arity, rule)
        self.direct = getattr(np, name)


class Clip(Direct):
    """NumPy's function has the dtypes of NumPy only."""

    def _plan(self, xp: Any, kinds: tuple[Any, ...]) -> Callable[..., Any]:
        plan = super()._plan(xp, kinds)
        foreign = plan is self.direct and self.weak_dtype(*kinds).isbuiltin != 1
        return program_of(self.expr(*kinds)) if foreign else plan


class Power(Direct):
    """Of integers it raises for exponents below 0 where values are there to see; compiled it drops the fraction.

    Where one exponent of 1/2 is for many, NumPy takes the square root, which is -0 of -0 and NaN of -infinity.
    """

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        x, y = arrays
        if type(y) is not float and _all_integers(x, y) and (y < 0 if isinstance(y, int) else bool((y < 0).any())):
            raise DTypeError("power: integers take exponents of 0 or more; got one below. Cast one with astype(float)")
        if xp is np and y.__class__ is float and y == 0.5 and hasattr(x, "dtype") and x.dtype.kind == "f":
            return _power_of_half(x)
        out = super().eval(xp, *arrays, **params)
        shared = xp is np and out.dtype.kind == "f" and hasattr(y, "dtype") and (y.size == 1 or y.size < out.size)
        if not shared or not (y == 0.5).any():
            return out
        return np.where((y == 0.5) & ((x == 0) | (x == -np.inf)), np.abs(x), out).astype(out.dtype)


def _power_of_half(x: np.ndarray) -> Any:
    if np.minimum.reduce(x, axis=None, initial=1) > 0:
        return np.sqrt(x)
    return np.sqrt(np.where(x == -np.inf, np.array(np.inf, x.dtype), x) + 0)


class FloorDivide(Direct):
    """``x / y`` where one of them is infinite, as the standard says: infinite or a zero. NumPy's is NaN where x is, and
    -1 where y is and the signs differ."""

    def eval(self, xp: Any, *arrays: Any, **params: Any) -> Any:
        out = super().eval(xp, *arrays, **params)
        x, y = arrays
        if class_of(out.dtype) != "f" or not (_has_infinity(xp, x) or _has_infinity(xp, y)):
            return out
        x, y = (a if hasattr(a, "dtype") else xp.asarray(a, dtype=out.dtype) for a in arrays)
        return xp.where(xp.isinf(x) | xp.isinf(y), xp.divide(x, y), out).astype(out.dtype)


def _has_infinity(xp: Any, x: Any) -> Any:
    return xp.count_nonzero(xp.isinf(x)) if hasattr(x, "dtype") else x in (np.inf, -np.inf)


def _all_integers(*operands: Any) -> bool:
    """Whether arrays and numbers are all integers."""
    return all(isinstance(x, int) if not hasattr(x, "dtype") else x.dtype.kind in "iu" for x in operands)


def _power(x: Expr, y: Expr) -> Expr:
    return apply("ipow" if class_of(x.dtype) in "iu" else "pow", x, y)


def _round(x: Expr) -> Expr:
    return apply("rint", x) if class_of(x.dtype) in "fc" else x


def _rounding(name: str) -> Callable[[Expr], Expr]:
    return lambda x: apply(name, x) if class_of(x.dtype) in "fc" else x


def _nothing(x: Expr) -> Expr:
    """0 wherever x is."""
    zero = const(0, x.dtype)
    return apply("where", x.equal(x), zero, zero)


def _part(name: str, of_real: Callable[[Expr], Expr]) -> Callable[[Expr], Expr]:
    """A part of a complex number, which real ones answer themselves."""
    return lambda x: apply(name, x) if class_of(x.dtype) == "c" else of_real(x)


def _test(name: str, otherwise: bool) -> Callable[[Expr], Expr]:
    """A floating-point predicate that integers answer with a constant."""
    return lambda x: apply(name, x) if class_of(x.dtype) in "fc" else (x.equal(x) if otherwise else apply("ne", x, x))


def _isinf(x: Expr) -> Expr:
    return apply("abs", x).equal(float("inf")) if class_of(x.dtype) in "fc" else apply("ne", x, x)


def _boolean(name: str) -> Callable[..., Expr]:
    return lambda *a: apply(name, *(x.cast(np.dtype("bool")) for x in a))


def _clip(x: Expr, low: Expr, high: Expr) -> Expr:
    return apply("minimum", apply("maximum", x, low), high)


def _log_odds(x: Expr) -> Expr:
    """Above 1/4 by log1p of x / (1 - x) - 1, which is exact where that is small."""
    low = x < 0.25
    return apply(
        "where",
        low,
        apply("log", x / (1.0 - x)),
        apply("log1p", apply("where", low, const(0.0, x.dtype), (x - 0.5 + (x - 0.5)) / (1.0 - x))),
    )


def _xlogy(x: Expr, y: Expr) -> Expr:
    """Where x is 0 and the logarithm of y is none or infinite, that of 1."""
    empty = x.equal(0.0) & apply("not", (y > 0.0) & (y < float("inf"))) & y.equal(y)
    return x * apply("log", apply("where", empty, const(1.0, y.dtype), y))


def _absolute(x: Expr) -> Expr:
    return x if class_of(x.dtype) in "bu" else apply("abs", x)


add = _binary("add", "add", "x + y")
subtract = _binary("subtract", "sub", "x - y")
multiply = _binary("multiply", "mul", "x * y")
divide = _binary("divide", "div", "x / y", "float")
floor_divide = _binary(
    "floor_divide", later("arithmetic.floor_divide"), "floor(x / y) of the exact quotient", kind=FloorDivide
)
remainder = _binary(
    "remainder", later("arithmetic.remainder"), "x - floor(x / y) * y, exact, with the sign of y", kind=Direct
)
power = _binary("power", _power, "x ** y; integers stay integers and take exponents of 0 or more", kind=Power)
pow = power
maximum = _binary("maximum", "maximum", "the greater of x and y; NaN where either is")
minimum = _binary("minimum", "minimum", "the lesser of x and y; NaN where either is")
equal = _binary("equal", "eq", "x == y")
not_equal = _binary("not_equal", "ne", "x != y")
less = _binary("less", "lt", "x < y")
less_equal = _binary("less_equal", "le", "x <= y")
greater = _binary("greater", "gt", "x > y")
greater_equal = _binary("greater_equal", "ge", "x >= y")
bitwise_and = _binary("bitwise_and", "and", "x & y")
bitwise_or = _binary("bitwise_or", "or", "x | y")
bitwise_xor = _binary("bitwise_xor", "xor", "x ^ y")
bitwise_left_shift = _binary("bitwise_left_shift", "shl", "x << y")
bitwise_right_shift = _binary("bitwise_right_shift", "shr", "x >> y")
bitwise_invert = _unary("bitwise_invert", "not", "~x")
logical_and = _binary("logical_and", _boolean("and"), "x and y, as booleans")
logical_or = _binary("logical_or", _boolean("or"), "x or y, as booleans")
logical_xor = _binary("logical_xor", _boolean("xor"), "x or y but not both, as booleans")
logical_not = _unary("logical_not", _boolean("not"), "not x, as booleans")
positive = _unary("positive", lambda x: x, "+x")
negative = _unary("negative", "neg", "-x")
abs = _unary("abs", _absolute, "|x|")
sign = _unary("sign", "sign", "-1, 0 or 1")
square = _unary("square", lambda x: x * x, "x * x")
reciprocal = _unary("reciprocal", lambda x: 1.0 / x, "1 / x", "float")
floor = _unary("floor", _rounding("floor"), "the greatest integer not above x")
ceil = _unary("ceil", _rounding("ceil"), "the least integer not below x")
trunc = _unary("trunc", _rounding("trunc"), "x without its fraction")
round = _unary("round", _round, "the nearest integer, halves to even")
sqrt = _unary("sqrt", "sqrt", "the square root of x", "float")
rsqrt = _unary("rsqrt", lambda x: 1.0 / apply("sqrt", x), "1 / sqrt(x)", "float")
exp = _unary("exp", "exp", "e ** x", "float")
expm1 = _unary("expm1", "expm1", "e ** x - 1, exact near 0", "float")
log = _unary("log", "log", "the natural logarithm of x", "float")
log1p = _unary("log1p", "log1p", "log(1 + x), exact near 0", "float")
sin = _unary("sin", "sin", "the sine of x radians", "float")
cos = _unary("cos", "cos", "the cosine of x radians", "float")
tanh = _unary("tanh", "tanh", "the hyperbolic tangent of x", "float")
tan = _unary("tan", "tan", "the tangent of x radians", "float")
asin = _unary("asin", "asin", "the angle in [-pi / 2, pi / 2] whose sine is x", "float")
acos = _unary("acos", "acos", "the angle in [0, pi] whose cosine is x", "float")
atan = _unary("atan", "atan", "the angle in [-pi / 2, pi / 2] whose tangent is x", "float")
sinh = _unary("sinh", "sinh", "the hyperbolic sine of x", "float")
cosh = _unary("cosh", "cosh", "the hyperbolic cosine of x", "float")
asinh = _unary("asinh", "asinh", "the inverse hyperbolic sine of x", "float")
acosh = _unary("acosh", "acosh", "the inverse hyperbolic cosine of x", "float")
atanh = _unary("atanh", "atanh", "the inverse hyperbolic tangent of x", "float")
log2 = _unary("log2", "log2", "the logarithm of x to base 2", "float")
log10 = _unary("log10", "log10", "the logarithm of x to base 10", "float")
atan2 = _binary("atan2", "atan2", "the angle in [-pi, pi] of the point of abscissa y and ordinate x", "float")
hypot = _binary("hypot", "hypot", "sqrt(x * x + y * y) without overflow", "float")
logaddexp = _binary("logaddexp", later("arithmetic.logaddexp"), "log(exp(x) + exp(y)) without overflow", "float")
copysign = _binary("copysign", "copysign", "|x| with the sign of y", "float")
nextafter = _binary("nextafter", "nextafter", "the float next to x in the direction of y", "float")
signbit = _unary("signbit", "signbit", "whether the sign bit of x is set, as of -0", "float")
real = _unary("real", _part("real", lambda x: x), "the real part of x")
imag = _unary("imag", _part("imag", _nothing), "the imaginary part of x")
conj = _unary("conj", _part("conj", lambda x: x), "the complex conjugate of x")
erf = _unary("erf", "erf", "2 / sqrt(pi) * integral of exp(-t * t) from 0 to x", "float")
erfc = _unary("erfc", "erfc", "1 - erf(x), exact where that is close to 0", "float")
erfinv = _unary("erfinv", "erfinv", "the inverse of erf; infinite at -1 and 1", "float")
lgamma = _unary("lgamma", "lgamma", "the logarithm of the size of the gamma function, infinite at 0, -1, ...", "float")
digamma = _unary("digamma", "digamma", "the derivative of lgamma, NaN at -1, -2, ...", "float")
logit = _unary("logit", _log_odds, "log(x / (1 - x)), exact also about 1/2", "float")
xlogy = _binary("xlogy", _xlogy, "x * log(y), and 0 where x is 0 and y a number", "float")
_trigamma = _define("trigamma", "trigamma", 1, "float", "the derivative of digamma")
isnan = _unary("isnan", _test("isnan", False), "whether x is not a number")
isfinite = _unary("isfinite", _test("isfinite", True), "whether x is neither infinite nor NaN")
isinf = _unary("isinf", _isinf, "whether x is infinite")

_where = _define("where", "where", 3, "where", "x1 where the condition holds, else x2")
_clipped = _define("clip", _clip, 3, "same", "min(max(x, low), high)", Clip)


def where(condition: Any, x1: Any, x2: Any) -> Tensor:
    """x1 where the condition holds (is true, or not zero), else x2, element by element, broadcasting; of the promoted
    dtype of x1 and x2."""
    return bind(_where, (asarray(condition), _operand(x1), _operand(x2)))


def clip(x: Any, min: Any = None, max: Any = None) -> Tensor:
    """``min(max(x, min), max)``, element by element, broadcasting; a bound of None does not bind. NaN where any is. Of
    the promoted dtype; raises `DTypeError` for complex numbers."""
    if min is not None and max is not None:
        return bind(_clipped, (_operand(x), _operand(min), _operand(max)))
    if min is None and max is None:
        return positive(x)
    return maximum(x, min) if max is None else minimum(x, max)


HIGHEST = 100
"""The greatest order of polygamma."""


def polygamma(n: int, x: Any) -> Tensor:
    """The n-th derivative of `digamma`, element by element: ``(-1)**(n + 1) n! sum((x + k)**-(n + 1) for k >= 0)``.

    ``n``: an integer of 0 or more; ``x``: real, integers become float32. Below 0 by reflection; infinite or NaN at 0,
    -1, -2, .... Computed in float64 (NIST DLMF 5.15). Raises `ShapeError` where n is no such integer, or above 100.
    """
    order, tensor = as_int("polygamma", "the order", n, 0), asarray(x)
    if order > HIGHEST:
        raise ShapeError(f"polygamma: the order must be at most {HIGHEST}; got {order}. Float64 ends soon after")
    if order < 2:
        return digamma(tensor) if order == 0 else bind(_trigamma, (tensor,))
    tensor = astype(tensor, to_inexact(tensor.dtype), copy=False)
    return map_expr(later("gamma_functions.polygamma")(order, arg(0, tensor.dtype)), tensor)


def astype(x: Any, dtype: Any, *, copy: bool = True, device: str | None = None) -> Tensor:
    """The values converted to a dtype: a float becomes an integer by dropping its fraction, a complex number real by
    dropping its imaginary part.

    Where ``x`` has the dtype: another handle on the same values, or ``x`` itself where not ``copy``. ``device``: where
    the result is to be; that of ``x`` by default.
    """
    tensor, wanted = asarray(x), as_dtype(dtype)
    out = tensor if tensor.dtype == wanted else bind(map_op, (tensor,), {"body": _casting(tensor.dtype, wanted)})
    if device is not None and not out.symbolic:
        out = out.to(device)
    return identity(out) if copy and out is tensor else out


@cache
def _casting(source: np.dtype, wanted: np.dtype) -> Expr:
    return arg(0, source).cast(wanted)


def map_expr(body: Expr, *args: Tensor) -> Tensor:
    """Apply a scalar expression to broadcast tensors: ``arg(k)`` of the body is element of the k-th."""
    return bind(map_op, args, {"body": body})


FUNCTIONS.update(where=where, clip=clip, astype=astype)
