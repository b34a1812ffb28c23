"""Bodies of the error functions, as `brickwork.tensor.formats` says."""

from __future__ import annotations

from collections.abc import Callable

from .exponentials import expm1_of
from .expr import Expr, apply
from .formats import F32, F64, fma, native, polynomial, where, with_sign_of

__all__ = ["erf"]

# fmt: off
# where erf rounds to 1; then log(erfc(x)) / x + 1 up to there
ERF = {
    F32: (
        3.93, -0.12837917, -0.6366194, -0.10277783, 0.019153064, 0.00016039444, -0.0016670238, 0.00063283375,
        -0.00011764011, 9.256106e-06,
    ),
    F64: (
        5.93, -0.12837916709551256, -0.6366197723675909, -0.10277260330131517, 0.01912844699308875,
        0.0002091948539934118, -0.0016962076703738278, 0.000590132432562001, -2.5904507745726504e-05,
        -6.4420452759762e-05, 2.957563247745018e-05, -3.1696217900515442e-06, -3.133018688394609e-06,
        2.037239487218278e-06, -5.706692396927069e-07, 1.172931713389701e-08, 6.572392802385536e-08,
        -3.458138323876712e-08, 1.077236829502469e-08, -2.3602989511272374e-09, 3.760351447155204e-10,
        -4.301345844652079e-11, 3.3639787032264766e-12, -1.614678245000278e-13, 3.5917309448058545e-15,
    ),
}
# fmt: on


def one_minus_erfc(x: Expr, expm1: Callable[[Expr], Expr]) -> Expr:
    """1 - exp(log(erfc(|x|))) with the sign of x, by a function that gives exp(t) - 1 for |t| < 80."""
    limit, *coefficients = ERF[x.dtype]
    size = apply("abs", x)
    size = where(size > limit, limit, size)
    return with_sign_of(x, 0.0 - expm1(fma(size, polynomial(size, coefficients), -size)))


@native
def erf(x: Expr) -> Expr:
    """Error function, 2 / sqrt(pi) * integral of exp(-t**2) from 0 to x.

    It is 1 - exp(log(erfc(|x|))), where the logarithm is a polynomial: no division, and exact near 0 and near 1.

    Error: float32 1.9, float64 2.2 ulp.
    """
    return one_minus_erfc(x, expm1_of)


@native
def erf_in_numpy(x: Expr) -> Expr:
    """The same for NumPy, which has an expm1 of its own, done in one step."""
    return one_minus_erfc(x, lambda t: apply("expm1", t))
