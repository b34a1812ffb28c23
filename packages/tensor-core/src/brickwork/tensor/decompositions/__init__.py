"""The ops of linear algebra: matrices are the last two axes, the arrays of the device decompose them.

`kind` says what they share, `systems` has inverses, determinants and linear systems, `factors` triangular factors,
`spectra` eigenvalues and singular values.
"""

from .factors import cholesky_op, qr_op
from .kind import Decomposition
from .spectra import eig, eig_op, eigh, eigh_op, eigvals_op, eigvalsh_op, svd, svd_op, svdvals_op
from .systems import det_op, inv_op, pinv_op, slogdet_op, solve, solve_op

__all__ = [
    "Decomposition",
    "cholesky_op",
    "det_op",
    "eig",
    "eig_op",
    "eigh",
    "eigh_op",
    "eigvals_op",
    "eigvalsh_op",
    "inv_op",
    "pinv_op",
    "qr_op",
    "slogdet_op",
    "solve",
    "solve_op",
    "svd",
    "svd_op",
    "svdvals_op",
]
