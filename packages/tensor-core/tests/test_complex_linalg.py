"""Linear algebra of complex matrices: gradients against differences, first and second order; general eigenvalues.

A cotangent g says ``dL = Re sum(g * dX)``. Eigenvectors and singular vectors are judged by what does not depend on
their phase.
"""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import linalg

RNG = np.random.default_rng(11)


def normal(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def adjoint(x):
    return bt.conj(bt.matrix_transpose(x))


def hermitian(x):
    return (x + adjoint(x)) * 0.5


def spread(decomposition):
    """Of U and V: the products that a phase cancels out of, with a function of the values between them."""
    u, s, vh = decomposition
    return (u * bt.exp(s * 0.1)[..., None, :]) @ vh, u[..., :1, :] * bt.conj(u[..., 1:2, :]), bt.abs(vh)


def powers(decomposition):
    """Of eigenvectors of norm 1: their shares, and products of one with its own conjugate."""
    _, v = decomposition
    return bt.abs(v) ** 2, v[..., :1, :] * bt.conj(v[..., 1:2, :])


SQUARE, TALL, WIDE, VECTOR = normal(2, 3, 3), normal(2, 4, 3), normal(2, 3, 4), normal(3)
SPD = SQUARE @ SQUARE.conj().swapaxes(-1, -2) + 2 * np.eye(3)
CASES = {
    "inv": (linalg.inv, SQUARE),
    "det": (linalg.det, SQUARE),
    "slogdet": (linalg.slogdet, SQUARE),
    "solve": (lambda x: linalg.solve(x, TALL[:, :3]), SQUARE),
    "solve a vector": (lambda x: linalg.solve(x, VECTOR), SQUARE),
    "solve for the vector": (lambda x: linalg.solve(SQUARE, x), VECTOR),
    "solve for several": (lambda x: linalg.solve(SQUARE[0], x), TALL[0, :3]),
    "pinv": (linalg.pinv, TALL),
    "pinv wide": (linalg.pinv, WIDE),
    "matrix power": (lambda x: linalg.matrix_power(x, -2), SQUARE),
    "cholesky": (linalg.cholesky, SPD),
    "cholesky upper": (lambda x: linalg.cholesky(x, upper=True), SPD),
    "qr": (linalg.qr, SQUARE),
    "qr tall": (linalg.qr, TALL),
    "qr wide": (linalg.qr, WIDE),
    "eigvalsh": (linalg.eigvalsh, SPD),
    "eigh": (lambda x: powers(linalg.eigh(x)), SPD),
    "eigh values": (lambda x: linalg.eigh(x).eigenvalues, SPD),
    "svdvals": (linalg.svdvals, WIDE),
    "svd": (lambda x: spread(linalg.svd(x)), SQUARE),
    "svd tall": (lambda x: spread(linalg.svd(x, full_matrices=False)), TALL),
    "svd wide": (lambda x: spread(linalg.svd(x, full_matrices=False)), WIDE),
    "eigvals": (linalg.eigvals, SQUARE),
    "eig": (lambda x: powers(linalg.eig(x)), SQUARE),
    "eig values": (lambda x: linalg.eig(x).eigenvalues, SQUARE),
    "eigvals of real": (linalg.eigvals, SQUARE.real),
    "eig of real": (lambda x: powers(linalg.eig(x)), SQUARE.real),
    "nuclear norm": (lambda x: linalg.matrix_norm(x, ord="nuc"), TALL),
    "vector norm": (linalg.vector_norm, TALL),
    "cross": (lambda x: linalg.cross(x, VECTOR), SQUARE),
    "vecdot": (lambda x: linalg.vecdot(x, VECTOR), SQUARE),
    "outer": (lambda x: linalg.outer(x, VECTOR), VECTOR),
    "trace": (linalg.trace, SQUARE),
}
each = pytest.mark.parametrize("name", CASES)


def loss(call):
    """The real part of a random weighting of all results."""

    def number(x):
        found = call(x)
        parts = found if isinstance(found, tuple) else (found,)
        rng = np.random.default_rng(5)
        weights = [rng.normal(size=t.shape) + 1j * rng.normal(size=t.shape) for t in parts]
        return sum((bt.real(t * w).sum() for t, w in zip(parts, weights, strict=True)), start=bt.asarray(0.0))

    return number


def direction(x):
    rng = np.random.default_rng(6)
    return rng.normal(size=x.shape) + (1j * rng.normal(size=x.shape) if np.iscomplexobj(x) else 0)


def slope(number, x, step=1e-5):
    """Along the direction, by central differences of fourth order."""
    d = direction(x)
    at = [number(x + k * step * d).item() for k in (-2, -1, 1, 2)]
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step)


@each
def test_gradient(name):
    call, x = CASES[name]
    gradient = bt.grad(loss(call))(x)
    assert gradient.dtype == x.dtype and gradient.shape == x.shape
    np.testing.assert_allclose((gradient.numpy() * direction(x)).sum().real, slope(loss(call), x), 1e-6, 1e-7)


@each
def test_second_order(name):
    call, x = CASES[name]
    weights = np.random.default_rng(8).normal(size=x.shape)

    def number(x):
        return bt.real(bt.grad(loss(call))(x) * weights).sum()

    found = (bt.grad(number)(x).numpy() * direction(x)).sum().real
    np.testing.assert_allclose(found, slope(number, x), 1e-5, 1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_general_eigenvalues(dtype):
    x = (SQUARE if "complex" in dtype else SQUARE.real).astype(dtype)
    values, vectors = linalg.eig(x)
    assert linalg.eig(x)._fields == ("eigenvalues", "eigenvectors")
    assert values.dtype == vectors.dtype == ("complex128" if dtype in ("float64", "complex128") else "complex64")
    close = {"atol": 2e-6, "rtol": 1e-5} if values.dtype == bt.complex64 else {"atol": 1e-13, "rtol": 1e-12}
    wide = x.astype(values.dtype)
    np.testing.assert_allclose(wide @ vectors.numpy(), vectors.numpy() * values.numpy()[:, None, :], **close)
    np.testing.assert_allclose(np.linalg.norm(vectors.numpy(), axis=-2), 1.0, 1e-6)
    np.testing.assert_allclose(np.sort_complex(linalg.eigvals(x).numpy()), np.sort_complex(values.numpy()), **close)


def test_eigenvalues_at_the_edges():
    assert linalg.eigvals(np.eye(2)).tolist() == [1, 1] and linalg.eigvals(np.eye(2)).dtype == bt.complex128
    assert linalg.eigvals(np.array([[0, -1], [1, 0]])).dtype == bt.complex64
    assert sorted(linalg.eigvals(np.array([[0.0, -1.0], [1.0, 0.0]])).tolist(), key=lambda z: z.imag) == [-1j, 1j]
    assert [t.shape for t in linalg.eig(np.zeros((2, 0, 0)))] == [(2, 0), (2, 0, 0)]
    assert np.isfinite(bt.grad(lambda x: bt.abs(linalg.eig(x).eigenvectors).sum())(np.eye(3)).numpy()).all()
    with pytest.raises(bt.ShapeError, match=r"eig: matrices must be square; got \(2, 3\)"):
        linalg.eig(np.ones((2, 3)))
    with pytest.raises(bt.BrickworkError, match="eigvals: it must converge; got "):
        linalg.eigvals(np.full((2, 2), np.nan))
    with pytest.raises(bt.DeviceError, match="eig: this device has none"):
        bt.OPS["eig"].eval(type("xp", (), {"linalg": object(), "__name__": "other"}), np.eye(2))


def test_mapped_over_a_batch():
    found = bt.vmap(lambda x: linalg.eigvals(x))(SQUARE)
    np.testing.assert_allclose(found.numpy(), linalg.eigvals(SQUARE).numpy(), 1e-12)


def test_determinants_of_singular_matrices_have_gradients():
    """The cofactors of [[a, b], [c, d]] are [[d, -c], [-b, a]], whatever its determinant."""
    for x in (np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros((2, 2)), np.array([[1, 1j], [1j, -1]]), np.eye(2)):
        (a, b), (c, d) = x
        np.testing.assert_allclose(bt.grad(lambda x: bt.real(linalg.det(x)))(x), [[d, -c], [-b, a]], 1e-14, 1e-14)
    assert bt.grad(linalg.det)(np.array([[3.0]])).tolist() == [[1.0]]
    assert bt.grad(linalg.det)(np.ones((0, 0))).shape == (0, 0)
    with pytest.raises(bt.BrickworkError, match="inv: the matrix must be invertible"):
        bt.hessian(linalg.det)(np.zeros((2, 2)))


def test_singular_complex_matrices_have_finite_gradients():
    low = np.outer(VECTOR, VECTOR.conj())
    found = bt.grad(lambda x: bt.abs(linalg.svd(x).U).sum())(low)
    assert np.isfinite(found.numpy()).all()
