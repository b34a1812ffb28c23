"""Functions of complex arrays where NumPy's lose accuracy or differ from the Array API standard's special cases.

Over arrays of NumPy, or of a module that answers its functions. No machine has instructions for complex numbers, so
these are all there is of them: compiled functions call them too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["by_class", "expm1", "log1p", "tan", "tanh"]

Function = Callable[[Any], Any]


def by_class(of_reals: Function, of_complex: Function) -> Function:
    """The function that asks the dtype which of two to call."""
    return lambda x: of_complex(x) if x.dtype.kind == "c" else of_reals(x)


def _complex(real: Any, imag: Any, like: Any) -> Any:
    """The array of these parts. Sums would lose signs of zero, and products with 1j make NaN of infinities."""
    out = np.empty_like(like)
    out.real, out.imag = real, imag
    return out


def expm1(z: Any) -> Any:
    """``exp(z) - 1`` with no cancellation near 0: its real part is ``expm1(x) cos(y) - 2 sin(y / 2)**2`` at x + iy."""
    x, y = z.real, z.imag
    near = np.isfinite(z) & (x < 1)
    half = np.sin(y / 2)
    real = np.expm1(x) * np.cos(y) - 2 * half * half + 0  # of -0 the standard says 0
    return np.where(near, _complex(real, np.exp(x) * np.sin(y), z), np.exp(z) - 1)


def log1p(z: Any) -> Any:
    """``log(1 + z)`` with no cancellation near 0: its real part is ``log1p(x (2 + x) + y**2) / 2`` at x + iy."""
    x, y = z.real, z.imag
    far = np.log(_complex(1 + x, y, z))
    near = (abs(x) < 0.5) & (abs(y) < 0.5)
    return _complex(np.where(near, np.log1p(x * (2 + x) + y * y) / 2, far.real), far.imag, z)


def tanh(z: Any) -> Any:
    """The hyperbolic tangent. At x + iy: +-1, of the sign of x, and a zero of the sign of y where x is infinite; a zero
    and NaN where x is 0 and y is no number or infinite, which older C libraries do not say."""
    x, y, out = z.real, z.imag, np.tanh(z)
    if np.isfinite(z).all():
        return out
    ends = np.isinf(x)
    real = np.where(ends, np.copysign(1, x), np.where((x == 0) & ~np.isfinite(y), x, out.real))
    return _complex(real, np.where(ends, np.copysign(0, y), out.imag), z)


def tan(z: Any) -> Any:
    """The tangent, ``-i tanh(iz)``."""
    turned = tanh(_complex(-z.imag, z.real, z))
    return _complex(turned.imag, -turned.real, z)
