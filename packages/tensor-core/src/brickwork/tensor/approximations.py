"""Bodies of atoms in other atoms, for machines that have no instruction for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .dtypes import NAMES, class_of
from .expr import Expr, apply, const

INF = math.inf
NAN = math.nan


def _where(c: Expr, x: Any, y: Any) -> Expr:
    return apply("where", c, x, y)


def maximum(x: Expr, y: Expr) -> Expr:
    return _where(apply("isnan", x) | (x > y), x, y)


def minimum(x: Expr, y: Expr) -> Expr:
    return _where(apply("isnan", x) | (x < y), x, y)


def absolute(x: Expr) -> Expr:
    return x if class_of(x.dtype) == "u" else _where(x < 0, -x, x)


def sign(x: Expr) -> Expr:
    return _where(x > 0, const(1, x.dtype), _where(x < 0, const(-1, x.dtype), x)) if class_of(x.dtype) != "u" else _where(x > 0, const(1, x.dtype), x)


def isfinite(x: Expr) -> Expr:
    return (x - x).equal(0.0)


def _wide(body: Callable[[Expr], Expr]) -> Callable[[Expr], Expr]:
    def cast(x: Expr) -> Expr:
        return body(x.cast(NAMES["float64"])).cast(x.dtype)

    return cast


def _horner(x: Expr, cs: Sequence[float]) -> Expr:
    out = const(cs[-1], x.dtype)
    for c in reversed(cs[:-1]):
        out = apply("fma", x, out, const(c, x.dtype))
    return out


@_wide
def exp(x: Expr) -> Expr:
    x = _where(x > 710.0, 710.0, _where(x < -746.0, -746.0, x))
    n = apply("rint", x * (1 / math.log(2)))
    r = (x - n * 0.693145751953125) - n * 1.42860682030941723212e-6
    p = _horner(r, [1 / math.factorial(k) for k in range(14)])
    i = _where(apply("isnan", n), 0.0, n).cast(NAMES["int64"])
    h = i >> 1
    return p * ((h + 1023) << 52).bitcast(x.dtype) * ((i - h + 1023) << 52).bitcast(x.dtype)


@_wide
def log(x: Expr) -> Expr:
    tiny = x < 2.3e-308
    i = _where(tiny, x * 2.0**60, x).bitcast(NAMES["int64"])
    e = (i - 0x3FE6A09E667F3BCD) >> 52
    m = (i - (e << 52)).bitcast(x.dtype)
    s = (m - 1.0) / (m + 1.0)
    r = s * _horner(s * s, [2 / (2 * k + 1) for k in range(11)]) + (e.cast(x.dtype) + _where(tiny, const(-60.0, x.dtype), const(0.0, x.dtype))) * math.log(2)
    return _where(x > 0.0, _where(x < INF, r, x), _where(x.equal(0.0), const(-INF, x.dtype), const(NAN, x.dtype)))


@_wide
def expm1(x: Expr) -> Expr:
    return _where(apply("abs", x) < 0.5, x * _horner(x, [1 / math.factorial(k + 1) for k in range(14)]), exp(x) - 1.0)


@_wide
def log1p(x: Expr) -> Expr:
    u = x + 1.0
    d = u - 1.0
    return _where(d.equal(0.0) | u.equal(INF), x, log(u) * (x / d))


@_wide
def sin(x: Expr) -> Expr:
    n = apply("rint", x * (1 / math.pi))
    r = (x - n * 3.1415926218032837) - n * 3.178650954705639e-08
    odd = apply("ne", apply("rint", n * 0.5), n * 0.5)
    y = r * _horner(r * r, [(-1) ** k / math.factorial(2 * k + 1) for k in range(11)])
    return _where(odd, -y, y)


@_wide
def cos(x: Expr) -> Expr:
    return sin(apply("abs", x) + math.pi / 2)


@_wide
def tanh(x: Expr) -> Expr:
    m = expm1(_where(x > 20.0, 20.0, _where(x < -20.0, -20.0, x)) * 2.0)
    return m / (m + 2.0)


@_wide
def erf(x: Expr) -> Expr:
    a = apply("abs", x)
    t = 1.0 / (a * 0.3275911 + 1.0)
    y = 1.0 - t * _horner(t, [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429]) * exp(-x * x)
    return _where(a < 0.5, x * _horner(x * x, [2 / math.sqrt(math.pi) * (-1) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(12)]), _where(x < 0.0, -y, y))


def power(x: Expr, y: Expr) -> Expr:
    a, y = apply("abs", x), y
    half = y * 0.5
    whole = apply("rint", y).equal(y)
    odd = whole & apply("ne", apply("rint", half), half)
    r = exp(y * log(a))
    r = _where(x < 0.0, _where(odd, -r, _where(whole, r, const(NAN, x.dtype))), r)
    return _where(y.equal(0.0) | x.equal(1.0), const(1.0, x.dtype), r)
