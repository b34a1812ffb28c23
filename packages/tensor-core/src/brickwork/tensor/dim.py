"""Symbolic sizes: a polynomial with integer coefficients over named, positive symbols.

A compiled function may leave axis 0 open; its shape then holds a `Dim` where others hold an ``int``. Arithmetic
that ends in a constant gives a plain ``int`` back, so code that never meets a symbol never meets this class.
"""

from __future__ import annotations

from collections.abc import Mapping

from .errors import ShapeError, TraceError

__all__ = ["Dim", "Size", "evaluate", "symbol"]


class Dim:
    """``terms``: sorted tuple of (monomial, coefficient); a monomial is a sorted tuple of symbol names."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: tuple[tuple[tuple[str, ...], int], ...]):
        self.terms = terms
        self._hash = hash(terms)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dim) and self.terms == other.terms

    def __add__(self, other: Size) -> Size:
        return _combine(self, other, 1)

    __radd__ = __add__

    def __sub__(self, other: Size) -> Size:
        return _combine(self, other, -1)

    def __rsub__(self, other: Size) -> Size:
        return self * -1 + other

    def __neg__(self) -> Size:
        return self * -1

    def __mul__(self, other: Size) -> Size:
        if not isinstance(other, (int, Dim)):
            return NotImplemented
        out: dict[tuple[str, ...], int] = {}
        for m1, c1 in self.terms:
            for m2, c2 in _terms(other):
                key = tuple(sorted(m1 + m2))
                out[key] = out.get(key, 0) + c1 * c2
        return _normal(out)

    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        """Exact division; a remainder is an error, since the quotient would not be a polynomial."""
        if isinstance(other, int):
            divisor: tuple[tuple[str, ...], int] = ((), other)
        elif isinstance(other, Dim) and len(other.terms) == 1:
            divisor = other.terms[0]
        else:
            divisor = ((), 0)
        out: dict[tuple[str, ...], int] = {}
        for mono, coeff in self.terms:
            rest = list(mono)
            if divisor[1] == 0 or coeff % divisor[1] or any(s not in rest for s in divisor[0]):
                raise _no_quotient(self, other)
            for s in divisor[0]:
                if s not in rest:
                    raise _no_quotient(self, other)
                rest.remove(s)
            out[tuple(rest)] = coeff // divisor[1]
        return _normal(out)

    def __rfloordiv__(self, other: int) -> Size:
        if other == 0:
            return 0
        raise _no_quotient(other, self)

    def __mod__(self, other: int) -> int:
        if all(c % other == 0 for m, c in self.terms if m):
            return sum(c for m, c in self.terms if not m) % other
        raise TraceError(
            f"size: {self} % {other} is not known while tracing; got a symbolic size. Pass concrete shapes"
        )

    def _least(self) -> int | None:
        """The smallest value with every symbol at least 1, or None where that is not decided by the signs."""
        return sum(c for _, c in self.terms) if all(c >= 0 for m, c in self.terms if m) else None

    def _compare(self, other: Size, sign: int) -> bool:
        """Whether ``sign * (self - other) > 0``, when the signs of the coefficients decide it."""
        diff = (self - other) * sign
        if isinstance(diff, int):
            return diff > 0
        low, high = diff._least(), Dim(tuple((m, -c) for m, c in diff.terms))._least()
        if low is not None and low > 0:
            return True
        if high is not None and high >= 0:
            return False
        raise TraceError(
            f"size: an order must hold for every value of a symbol; got {self} and {other}. Pass concrete shapes"
        )

    def __gt__(self, other: Size) -> bool:
        return self._compare(other, 1)

    def __lt__(self, other: Size) -> bool:
        return self._compare(other, -1)

    def __ge__(self, other: Size) -> bool:
        return self == other or self._compare(other - 1, 1)

    def __le__(self, other: Size) -> bool:
        return self == other or self._compare(other + 1, -1)

    def __bool__(self) -> bool:
        return True

    def __index__(self) -> int:
        raise TraceError(f"size: {self} has no value while tracing; got a symbolic size where an int is needed. "
                         "Use the shape symbolically, or compile for a fixed batch size")  # fmt: skip

    def __repr__(self) -> str:
        parts = []
        for mono, coeff in self.terms:
            factors = [*([str(coeff)] if coeff != 1 or not mono else []), *mono]
            parts.append("*".join(factors))
        return "+".join(parts).replace("+-", "-")


Size = int | Dim


def symbol(name: str) -> Dim:
    """A new size by name, assumed to be at least 1."""
    return Dim((((name,), 1),))


def evaluate(size: Size, values: Mapping[str, int]) -> int:
    """The number that a size is when its symbols have the given values."""
    if isinstance(size, int):
        return size
    total = 0
    for mono, coeff in size.terms:
        for name in mono:
            coeff *= values[name]
        total += coeff
    return total


def _no_quotient(size: Size, divisor: object) -> ShapeError:
    return ShapeError(
        f"size: {size} must divide by {divisor} for every value of its symbols; got a remainder. Pass concrete shapes"
    )


def _terms(size: Size) -> tuple[tuple[tuple[str, ...], int], ...]:
    return size.terms if isinstance(size, Dim) else (((), int(size)),)


def _combine(a: Size, b: Size, sign: int) -> Size:
    if not isinstance(b, (int, Dim)):
        return NotImplemented
    out = dict(_terms(a))
    for mono, coeff in _terms(b):
        out[mono] = out.get(mono, 0) + sign * coeff
    return _normal(out)


def _normal(terms: dict[tuple[str, ...], int]) -> Size:
    kept = tuple(sorted((m, c) for m, c in terms.items() if c))
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    return Dim(kept)
