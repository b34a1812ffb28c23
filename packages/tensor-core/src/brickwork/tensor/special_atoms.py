"""Rows of the table of atoms for special functions. NumPy has none: on arrays they are the steps of their bodies."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .expr import Atom, Expr, apply, arg
from .late import later
from .program import Program, program_of

__all__ = ["ROWS"]


def _by(body: Callable[..., Expr]) -> Callable[..., Any]:
    """The function over arrays that NumPy lacks, by the steps of its body."""
    programs: dict[Any, Program] = {}

    def function(*arrays: Any) -> Any:
        dtype = arrays[0].dtype
        if dtype not in programs:
            programs[dtype] = program_of(body(*(arg(k, dtype) for k in range(len(arrays)))))
        return programs[dtype](*arrays)

    return function


SHORT = 256
_erf_of_one, _erf_of_many = np.frompyfunc(math.erf, 1, 1), _by(later("error_functions.erf_in_numpy"))


def _erf(x: Any) -> Any:
    """Error function. Short arrays go through the C library element by element, which is sooner done than the steps
    of the body are called; so the last bit may depend on the length."""
    if x.size >= SHORT or not isinstance(x, (np.ndarray, np.generic)):
        return _erf_of_many(x)
    return np.asarray(_erf_of_one(x.astype(np.float64))).astype(x.dtype)


ROWS = (
    Atom(
        "erf",
        1,
        _erf,
        cuda="erf({0})",
        vjp=lambda g, o, x: (g * (2.0 / math.sqrt(math.pi)) * apply("exp", -x * x),),
        body=later("error_functions.erf"),
        classes="f",
    ),
    Atom(
        "erfc",
        1,
        _by(later("error_functions.erfc")),
        cuda="erfc({0})",
        vjp=lambda g, o, x: (g * (-2.0 / math.sqrt(math.pi)) * apply("exp", -x * x),),
        body=later("error_functions.erfc"),
        classes="f",
    ),
    Atom(
        "erfinv",
        1,
        _by(later("error_functions.erfinv")),
        vjp=lambda g, o, x: (g * (0.5 * math.sqrt(math.pi)) * apply("exp", o * o),),
        body=later("error_functions.erfinv"),
        classes="f",
        domain=(-0.9, 0.9),
    ),
    Atom(
        "lgamma",
        1,
        _by(later("gamma_functions.lgamma")),
        cuda="lgamma({0})",
        vjp=lambda g, o, x: (g * apply("digamma", x),),
        body=later("gamma_functions.lgamma"),
        classes="f",
        domain=(0.2, 9.0),
    ),
    Atom(
        "digamma",
        1,
        _by(later("gamma_functions.digamma")),
        vjp=lambda g, o, x: (g * apply("trigamma", x),),
        body=later("gamma_functions.digamma"),
        classes="f",
        domain=(0.2, 9.0),
    ),
    Atom(
        "trigamma",
        1,
        _by(later("gamma_functions.trigamma")),
        vjp=lambda g, o, x: (g * later("gamma_functions.polygamma")(2, x),),
        body=later("gamma_functions.trigamma"),
        classes="f",
        domain=(0.4, 9.0),
    ),
)
