"""Linear algebra against NumPy, for every dtype and stacks; gradients against differences; errors that say why."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import BrickworkError, linalg

RNG = np.random.default_rng(4)
A, B, WIDE = RNG.normal(size=(2, 3, 3)), RNG.normal(size=(2, 3, 2)), RNG.normal(size=(2, 2, 4))
SPD = A @ np.swapaxes(A, -1, -2) + np.eye(3)
U, V = RNG.normal(size=(2, 3)), RNG.normal(size=(2, 3))
NAMES = """
cholesky cross det diagonal eig eigh eigvals eigvalsh inv matmul matrix_norm matrix_power matrix_rank
matrix_transpose outer pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm
""".split()
ORDS = ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]
"""(what to call, NumPy's answer) of one matrix."""
CASES = {
    "cholesky": (lambda x: linalg.cholesky(x), SPD, np.linalg.cholesky),
    "cholesky upper": (lambda x: linalg.cholesky(x, upper=True), SPD, lambda x: np.linalg.cholesky(x, upper=True)),
    "det": (linalg.det, A, np.linalg.det),
    "slogdet": (linalg.slogdet, A, np.linalg.slogdet),
    "inv": (linalg.inv, A, np.linalg.inv),
    "pinv": (linalg.pinv, B, np.linalg.pinv),
    "pinv wide": (linalg.pinv, WIDE, np.linalg.pinv),
    "solve": (lambda x: linalg.solve(x, V[0].astype(x.dtype)), A, lambda x: np.linalg.solve(x, V[0])),
    "solve stacks": (lambda x: linalg.solve(x, B.astype(x.dtype)), A, lambda x: np.linalg.solve(x, B)),
    "eigh": (linalg.eigh, SPD, np.linalg.eigh),
    "eigvalsh": (linalg.eigvalsh, SPD, np.linalg.eigvalsh),
    "svd": (lambda x: linalg.svd(x, full_matrices=False), B, lambda x: np.linalg.svd(x, full_matrices=False)),
    "svdvals": (linalg.svdvals, WIDE, np.linalg.svdvals),
    "qr": (linalg.qr, B, np.linalg.qr),
    "qr wide": (linalg.qr, WIDE, np.linalg.qr),
    "trace": (linalg.trace, A, lambda x: np.linalg.trace(x)),
    "trace offset": (lambda x: linalg.trace(x, offset=1), WIDE, lambda x: np.linalg.trace(x, offset=1)),
    **{
        f"diagonal {k}": (lambda x, k=k: linalg.diagonal(x, offset=k), WIDE, lambda x, k=k: np.diagonal(x, k, -2, -1))
        for k in (-3, -1, 0, 1, 3, 4)
    },
    **{f"power {n}": (lambda x, n=n: linalg.matrix_power(x, n), A, lambda x, n=n: np.linalg.matrix_power(x, n)) for n in
       (-3, -1, 0, 1, 2, 5)},
    **{
        f"matrix norm {o}": (
            lambda x, o=o: linalg.matrix_norm(x, ord=o, keepdims=True),
            B,
            lambda x, o=o: np.linalg.norm(x, o, (-2, -1), keepdims=True),
        )
        for o in ORDS
    },
    **{
        f"vector norm {o}": (
            lambda x, o=o: linalg.vector_norm(x, axis=1, ord=o),
            B,
            lambda x, o=o: np.linalg.vector_norm(x, axis=1, ord=o),
        )
        for o in (0, 1, -1, 2, 3, 0.5, np.inf, -np.inf)
    },
    "vector norm of all": (linalg.vector_norm, B, np.linalg.vector_norm),
    "cross": (lambda x: linalg.cross(x, V.astype(x.dtype)), U, lambda x: np.cross(x, V)),
    "vecdot": (lambda x: linalg.vecdot(x, V.astype(x.dtype)), U, lambda x: np.linalg.vecdot(x, V)),
    "outer": (lambda x: linalg.outer(x, V[0].astype(x.dtype)), U[0], lambda x: np.outer(x, V[0])),
    "tensordot": (
        lambda x: linalg.tensordot(x, B.astype(x.dtype), axes=([0, 2], [0, 1])),
        A,
        lambda x: np.tensordot(x, B, ([0, 2], [0, 1])),
    ),
    "tensordot 1": (lambda x: linalg.tensordot(x, A[0].astype(x.dtype), axes=1), B.swapaxes(1, 2),
                    lambda x: np.tensordot(x, A[0], 1)),
}  # fmt: skip
each = pytest.mark.parametrize("name", CASES)


def several(x):
    return tuple(x) if isinstance(x, tuple) else (x,)


@each
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "complex128"])
def test_as_numpy(name, dtype):
    call, x, wanted = CASES[name]
    given = x.astype(dtype)
    if dtype == "complex128":
        given = given if "cholesky" in name or "eig" in name else given * np.exp(0.3j)
    exact = given.astype(float) if dtype == "float16" else given
    tolerance = {"float64": 1e-11, "float32": 2e-4, "float16": 0.1, "complex128": 1e-11}[dtype]
    with np.errstate(all="ignore"):
        expected = several(wanted(exact))
    found = several(call(given))
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        assert a.dtype in (given.dtype, np.dtype("float64") if dtype == "complex128" else None, np.dtype("int64"))
        np.testing.assert_allclose(a.numpy().astype(b.dtype), b, tolerance, tolerance)


@each
def test_gradient(name):
    """Along a random direction, of a random weighting of all results."""
    if name in ("vector norm 0",):
        return
    call, x, _ = CASES[name]
    parts = several(call(x))
    weights = [np.random.default_rng(2).normal(size=t.shape) for t in parts]
    direction = np.random.default_rng(3).normal(size=x.shape)
    if "cholesky" in name or "eig" in name:
        direction = direction + np.swapaxes(direction, -1, -2)

    def number(x):
        return sum(((t * w).sum() for t, w in zip(several(call(x)), weights, strict=True)), start=bt.asarray(0.0))

    step = 1e-6
    slope = (number(x + step * direction).item() - number(x - step * direction).item()) / (2 * step)
    np.testing.assert_allclose((bt.grad(number)(x).numpy() * direction).sum(), slope, 1e-6, 1e-7)


def test_gradients_where_they_are_delicate():
    assert bt.grad(linalg.vector_norm)(np.zeros(3)).tolist() == [0.0] * 3
    assert bt.grad(lambda x: linalg.eigvalsh(x).sum())(np.eye(3)).numpy() == pytest.approx(np.eye(3))
    assert np.isfinite(bt.grad(lambda x: linalg.eigh(x).eigenvectors.sum())(np.eye(3)).numpy()).all()
    with pytest.raises(BrickworkError, match="svd: gradients are of the reduced vectors"):
        bt.grad(lambda x: linalg.svd(x).U.sum())(B)
    with pytest.raises(BrickworkError, match="qr: gradients are of the reduced form"):
        bt.grad(lambda x: linalg.qr(x, mode="complete").Q.sum())(B)


def test_results_have_the_standards_names():
    assert linalg.eigh(SPD)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.qr(A)._fields == ("Q", "R") and linalg.svd(A)._fields == ("U", "S", "Vh")
    assert linalg.slogdet(A)._fields == ("sign", "logabsdet")
    for mode, shapes in (("reduced", [(2, 3, 2), (2, 2, 2)]), ("complete", [(2, 3, 3), (2, 3, 2)])):
        assert [t.shape for t in linalg.qr(B, mode=mode)] == shapes
    assert [t.shape for t in linalg.svd(B)] == [(2, 3, 3), (2, 2), (2, 2, 2)]


def test_every_name_of_the_standard():
    assert set(NAMES) <= set(linalg.__all__)
    assert {"matmul", "matrix_transpose", "tensordot", "vecdot"} <= set(bt.__all__)
    assert all(callable(getattr(linalg, name)) for name in linalg.__all__)


def test_rank_and_tolerances():
    low = np.outer([1.0, 2.0, 3.0], [1.0, 1.0])
    assert linalg.matrix_rank(np.stack([low, B[0]])).tolist() == [1, 2]
    assert linalg.matrix_rank(np.diag([1.0, 0.1]), rtol=0.5).item() == 1
    assert linalg.matrix_rank(np.zeros((2, 0, 3))).tolist() == [0, 0]
    assert [linalg.matrix_norm(np.zeros((0, 2)), ord=o).item() for o in (2, 1, np.inf, "nuc", "fro")] == [0.0] * 5
    assert linalg.vector_norm(np.zeros((2, 0)), ord=np.inf, axis=1, keepdims=True).tolist() == [[0.0], [0.0]]
    np.testing.assert_allclose(linalg.pinv(np.diag([1.0, 0.1]), rtol=0.5).numpy(), np.diag([1.0, 0.0]), atol=1e-15)
    assert linalg.inv(np.array([[2, 0], [0, 4]])).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: linalg.inv(np.ones((2, 2))), "inv: the matrix must be invertible; got a singular one"),
        (lambda: linalg.solve(np.ones((2, 2)), np.ones(2)), "solve: the matrix must be invertible"),
        (lambda: linalg.cholesky(-np.eye(2)), "cholesky: the matrix must be positive definite"),
        (lambda: linalg.det(np.ones((2, 3))), r"det: matrices must be square; got \(2, 3\)"),
        (lambda: linalg.svd(np.full((2, 2), np.nan)), "svd: it must converge; got "),
        (lambda: linalg.inv(np.ones(3)), "inv: needs matrices, of two axes or more"),
        (lambda: linalg.solve(np.eye(2), np.ones(3)), "solve: rows of both must match"),
        (lambda: linalg.qr(A, mode="raw"), "qr: mode must be 'reduced' or 'complete'; got 'raw'"),
        (lambda: linalg.matrix_norm(A, ord=3), "matrix_norm: ord must be"),
        (lambda: linalg.vector_norm(A, ord="fro"), "vector_norm: ord must be a number"),
        (lambda: linalg.cross(np.ones(2), np.ones(2)), "cross: vectors must have three elements"),
        (lambda: linalg.outer(A, A), "outer: takes tensors of one axis"),
        (lambda: linalg.tensordot(A, B, axes=4), "tensordot: axes must be at most 3; got 4"),
        (lambda: linalg.vecdot(np.ones(2), np.ones(3)), "vecdot: sizes of the axis must match"),
    ],
)
def test_errors(call, says):
    with pytest.raises(BrickworkError, match=says):
        call()


@pytest.mark.skipif(bt.find_compiler() is None, reason="no compiler is installed")
def test_compiled():
    def fn(a, b):
        values, _ = linalg.eigh(a @ a.T)
        return linalg.solve(a, b), values, linalg.det(a), bt.grad(lambda x: linalg.slogdet(x).logabsdet)(a)

    for eager, compiled in zip(fn(bt.asarray(A[0]), bt.asarray(B[0])), bt.jit(fn)(A[0], B[0]), strict=True):
        np.testing.assert_allclose(compiled.numpy(), eager.numpy(), 1e-12, 1e-12)
