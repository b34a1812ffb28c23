"""Sizes and index maps as text, and back.

The forms, where ``$k`` is the position on loop k:

    13   1+4*N                                              sizes: polynomials in names
    affine(3: 2*$0+$2-1)   affine(2: ($0-1*$1)/2)           an index over so many loops
    form(32, 64, 13; [$0, $2], [$2, $1]; 0, 1)              a sum of products: extents; maps; loops of the result
"""

from __future__ import annotations

from brickwork.tensor.dim import Dim, Size, symbol
from brickwork.tensor.view import Affine, Form

from .reader import RESERVED, Reader, name_text

__all__ = ["affine_text", "form_text", "read_affine", "read_form", "read_size", "size_text"]

MAX_TERMS = 256


def size_text(size: Size) -> str:
    """A size: a number, or a polynomial such as ``1+4*N`` (as `Dim` prints itself, names quoted where they must be)."""
    if not isinstance(size, Dim):
        return str(int(size))
    terms = []
    for names, coeff in size.terms:
        factors = [str(coeff)] if coeff != 1 or not names else []
        terms.append("*".join([*factors, *(name_text(n, RESERVED) for n in names)]))
    return _sum(terms)


def _sum(terms: list[str]) -> str:
    return "".join(t if not k or t.startswith("-") else f"+{t}" for k, t in enumerate(terms))


def _index_text(index: Affine) -> str:
    terms = [(f"${a}" if c == 1 else f"{c}*${a}") for a, c in enumerate(index.coeffs) if c]
    if index.const != 0 or not terms:
        terms.append(size_text(index.const))
    return _sum(terms) if index.div == 1 else f"({_sum(terms)})/{index.div}"


def affine_text(index: Affine) -> str:
    """``affine(3: 2*$0+$2-1)``."""
    return f"affine({len(index.coeffs)}: {_index_text(index)})"


def form_text(form: Form) -> str:
    """``form(extents; maps; out)``."""
    n = len(form.extents)
    maps = (", ".join(_index_text(i) if len(i.coeffs) == n else affine_text(i) for i in dims) for dims in form.maps)
    parts = ", ".join(map(size_text, form.extents)), ", ".join(f"[{m}]" for m in maps), ", ".join(map(str, form.out))
    return f"form({'; '.join(parts)})"


# ---- reading ---------------------------------------------------------------------------------------------------------


def read_size(reader: Reader, first: int | None = None) -> Size:
    """A polynomial in names with integer coefficients. ``first``: a number that was read already."""
    size, axes = _read_polynomial(reader, first)
    if axes:
        reader.fail("a size", "a loop position")
    return size


def _read_polynomial(reader: Reader, first: int | None = None) -> tuple[Size, dict[int, int]]:
    """A sum of products: what has no loop position in it, and the coefficient of each loop position."""
    rest: Size = 0
    axes: dict[int, int] = {}
    sign, count = (-1 if first is None and reader.accept("-") else 1), 0
    while True:
        factor, axis = _read_product(reader, first)
        first, count = None, count + 1
        if axis is None:
            rest = rest + factor * sign
        elif isinstance(factor, Dim):
            reader.fail("an integer times a loop position", "a symbolic step")
        else:
            axes[axis] = axes.get(axis, 0) + factor * sign
        if count > MAX_TERMS:
            reader.fail(f"a sum of at most {MAX_TERMS} terms", "more")
        if reader.accept("+"):
            sign = 1
        elif reader.accept("-"):
            sign = -1
        else:
            return rest, axes


def _read_product(reader: Reader, first: int | None) -> tuple[Size, int | None]:
    product: Size = 1 if first is None else first
    axis: int | None = None
    for count in range(MAX_TERMS):
        if count or first is None:
            if reader.token.kind == "int":
                product = product * int(reader.next().text)
            elif reader.token.kind == "axis" and axis is None:
                axis = reader.number("axis", "a loop position")
            else:
                product = product * symbol(reader.name("a size: a number or a name", RESERVED))
        if not reader.accept("*"):
            return product, axis
    reader.fail(f"a product of at most {MAX_TERMS} factors", "more")


def read_affine(reader: Reader) -> Affine:
    """What `affine_text` prints."""
    reader.expect("affine")
    reader.expect("(")
    n = reader.number("int", "the number of loops")
    reader.expect(":")
    index = _read_index(reader, n)
    reader.expect(")")
    return index


def _read_index(reader: Reader, n: int) -> Affine:
    """``2*$0+$2-1``, or ``(2*$0+$2-1)/3``, over ``n`` loops."""
    at = reader.token.at
    if n > MAX_TERMS:
        reader.fail(f"an index over at most {MAX_TERMS} loops", str(n), at)
    bracketed = reader.accept("(")
    const, axes = _read_polynomial(reader)
    div = 1
    if bracketed:
        reader.expect(")")
        reader.expect("/")
        div = reader.number("int", "a divisor")
    if any(a >= n for a in axes) or div == 0:
        reader.fail(f"an index over {n} loops with a divisor that is not 0", "another", at)
    return Affine(tuple(axes.get(a, 0) for a in range(n)), const, div)


def read_form(reader: Reader) -> Form:
    """What `form_text` prints, from after the word on."""
    reader.expect("(")
    extents = reader.several(lambda: read_size(reader), ";")
    maps = reader.several(lambda: _read_dims(reader, len(extents)), ";")
    at = reader.token.at
    out = reader.several(lambda: reader.number("int", "the position of a loop"), ")")
    if any(a >= len(extents) for a in out):
        reader.fail(f"positions of {len(extents)} loops", str(out), at)
    return Form(extents, maps, out)


def _read_dims(reader: Reader, n: int) -> tuple[Affine, ...]:
    reader.expect("[")
    return reader.several(lambda: read_affine(reader) if reader.at("affine") else _read_index(reader, n), "]")
