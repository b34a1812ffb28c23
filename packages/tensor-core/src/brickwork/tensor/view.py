"""Index arithmetic: where an element of an output comes from.

A movement op is an `IndexMap`; a contraction is a `Form`, one index map per operand over its loop axes. Both are
data that NumPy, a CPU compiler and a GPU compiler read alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .dim import Dim, Size
from .spec import Shape

__all__ = ["Affine", "Form", "IndexMap"]


@dataclass(frozen=True, slots=True)
class Affine:
    """The index ``(const + sum(coeffs[a] * i[a])) / div``; where ``div`` does not divide, there is no element."""

    coeffs: tuple[int, ...]
    const: Size = 0
    div: int = 1

    @staticmethod
    def axis(axis: int, ndim: int, coeff: int = 1, const: Size = 0) -> Affine:
        """The index that is one loop axis, times a step, plus a start."""
        return Affine(tuple(coeff if a == axis else 0 for a in range(ndim)), const)

    @staticmethod
    def of(ndim: int, steps: Mapping[int, int], const: Size = 0, div: int = 1) -> Affine:
        """The index ``(const + sum(steps[a] * i[a])) / div`` of the loop axes that have a step."""
        return Affine(tuple(steps.get(a, 0) for a in range(ndim)), const, div)

    @property
    def single(self) -> int | None:
        """The axis, where the index is plainly one axis; else None."""
        used = [a for a, c in enumerate(self.coeffs) if c]
        plain = len(used) == 1 and self.coeffs[used[0]] == 1 and self.const == 0 and self.div == 1
        return used[0] if plain else None

    def bounds(self, extents: Shape) -> tuple[Size, Size]:
        """Least and greatest numerator over the loops."""
        low: Size = self.const
        high: Size = self.const
        for coeff, extent in zip(self.coeffs, extents, strict=True):
            if coeff > 0:
                high = high + (extent - 1) * coeff
            elif coeff < 0:
                low = low + (extent - 1) * coeff
        return low, high

    def inside(self, extents: Shape, size: Size) -> bool:
        """Whether the index is in ``[0, size)`` for every point of the loops, so that it needs no guard."""
        single = self.single
        if single is not None and extents[single] == size:
            return True
        low, high = self.bounds(extents)
        if isinstance(low, Dim) or isinstance(high, Dim) or isinstance(size, Dim):
            return not isinstance(low, Dim) and low >= 0 and size - 1 == high and self.div == 1
        return self.div == 1 and low >= 0 and high < size


@dataclass(frozen=True, slots=True)
class IndexMap:
    """A movement: element ``o`` of the output is element ``dims(o)`` of the input, or ``fill`` where that is
    outside."""

    dims: tuple[Affine, ...]
    fill: float | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A sum of products: ``out[i[o] for o in out] = sum over the other axes of the product of operand_k[maps[k](i)]``.

    Operands are zero outside their shape. ``extents``: size of each loop axis.
    """

    extents: Shape
    maps: tuple[tuple[Affine, ...], ...]
    out: tuple[int, ...]

    @property
    def reduced(self) -> tuple[int, ...]:
        """The contracted axes."""
        return tuple(a for a in range(len(self.extents)) if a not in self.out)
