"""A call of every public function that is not simply an op, with what NumPy or arithmetic says it gives.

A function named as an op is covered by the samples of that op (`op_samples.py`); all others have their line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import mpmath
import nn_cases
import numpy as np
from op_references import at_each, digamma, trigamma

import brickwork.tensor as bt
from brickwork.tensor.expr import arg

R = np.random.default_rng(0)
X, Y, Z = R.uniform(0.5, 2, (2, 3)), R.uniform(-1, 1, (2, 3)), R.uniform(-1, 1, (3, 2))
V, W = R.uniform(-1, 1, (3,)), R.uniform(-1, 1, (3,))
SQUARE = R.uniform(-1, 1, (3, 3)) + 2 * np.eye(3)
SQUARED = arg(0, bt.float64) * arg(0, bt.float64)
WORDS = np.array([3, 1, 2, 3, 1])
IMAGE = R.permutation(32.0 * np.arange(32) / 32).reshape(1, 4, 4, 2)


@dataclass(frozen=True)
class Case:
    """``call(*arrays)`` gives what ``want(*arrays)`` gives (trees are compared leaf by leaf); ``smooth``: it has
    gradients, which are checked to second order."""

    call: Callable[..., Any]
    arrays: tuple[Any, ...]
    want: Callable[..., Any]
    smooth: bool = False


def smooth(call: Any, arrays: Any, want: Any) -> Case:
    return Case(call, tuple(arrays), want, True)


def plain(call: Any, arrays: Any, want: Any) -> Case:
    return Case(call, tuple(arrays), want)


def drawn(call: Any, holds: Callable[[np.ndarray], Any]) -> Case:
    """A random function: equal keys give equal values, and all values lie where they should."""

    def agrees(_: Any) -> bool:
        first, again = (call(bt.random.key(3)).numpy() for _ in range(2))
        return bool(first.size and np.array_equal(first, again) and np.all(holds(first)))

    return Case(agrees, (np.zeros(1),), lambda _: True)


def kept(tree: Any) -> Any:
    """A tree after a way through a file."""
    with TemporaryDirectory() as folder:
        bt.save(tree, f"{folder}/tree.safetensors")
        return bt.load(f"{folder}/tree.safetensors")


def doubled_up(x: Any) -> Any:
    while x.sum() < 99:
        x = x * x + 1
    return x


def cube(x: Any) -> Any:
    return bt.sum(x**3)


def slope(x: Any) -> Any:
    return 3 * x**2


def halved(x: Any) -> Any:
    return bt.custom_gradient(lambda y: (y * y, lambda g: g * y))(x)


def pool(x: np.ndarray, reduce: Any) -> np.ndarray:
    n, h, w, c = x.shape
    return reduce(x.reshape(n, h // 2, 2, w // 2, 2, c), axis=(2, 4))


def dlpack(x: Any) -> Any:
    return bt.from_dlpack(np.asarray(x))


def refused(op: Any) -> bool:
    """Whether an op of a name that is taken is."""
    try:
        bt.register(op)
    except bt.BrickworkError:
        return True
    return False


def variance(x: np.ndarray) -> np.ndarray:
    return x.var(axis=1, ddof=1)


def _listed(found: Any) -> list[Case]:
    return found if isinstance(found, list) else [found] if found else []


CASES: dict[str, Case | list[Case]] = {
    # what arrays are
    "__array_namespace_info__": plain(lambda _: bt.__array_namespace_info__().default_device(), [X], lambda _: "cpu"),
    "as_dtype": plain(lambda _: bt.as_dtype("float32").itemsize, [X], lambda _: 4),
    "can_cast": plain(lambda _: bt.can_cast("int32", "float64"), [X], lambda _: True),
    "finfo": plain(lambda _: bt.finfo("float32").eps, [X], lambda _: float(np.finfo(np.float32).eps)),
    "iinfo": plain(lambda _: bt.iinfo("int16").max, [X], lambda _: 32767),
    "isdtype": plain(lambda _: bt.isdtype("uint8", "integral"), [X], lambda _: True),
    "promote": plain(lambda _: str(bt.promote(bt.int32, bt.float32)), [X], lambda _: "float32"),
    "result_type": plain(lambda x: str(bt.result_type(x, 1)), [X], lambda _: "float64"),
    "size_of": plain(lambda _: bt.size_of(3), [X], lambda _: 3.0),
    # making
    "arange": plain(lambda _: bt.arange(1, 7, 2), [X], lambda _: np.arange(1, 7, 2)),
    "asarray": plain(lambda x: bt.asarray(x.tolist()), [X], lambda x: x),
    "empty": plain(lambda _: bt.empty((2, 3)).shape, [X], lambda _: (2, 3)),
    "empty_like": plain(lambda x: bt.empty_like(x).shape, [X], lambda _: (2, 3)),
    "eye": plain(lambda _: bt.eye(3, 4, k=1), [X], lambda _: np.eye(3, 4, k=1)),
    "from_dlpack": plain(dlpack, [X], lambda x: x),
    "full": plain(lambda _: bt.full((2,), 7.5), [X], lambda _: np.full((2,), 7.5)),
    "full_like": plain(lambda x: bt.full_like(x, 2), [X], lambda x: np.full_like(x, 2)),
    "linspace": plain(lambda _: bt.linspace(0, 1, 5), [X], lambda _: np.linspace(0, 1, 5)),
    "ones": plain(lambda _: bt.ones((2, 1)), [X], lambda _: np.ones((2, 1))),
    "ones_like": plain(lambda x: bt.ones_like(x), [X], np.ones_like),
    "zeros": plain(lambda _: bt.zeros(3), [X], lambda _: np.zeros(3)),
    "zeros_like": plain(lambda x: bt.zeros_like(x), [X], np.zeros_like),
    # elementwise functions under another name
    "astype": smooth(lambda x: bt.astype(x, "float64"), [X], lambda x: x),
    "map_expr": smooth(lambda x: bt.map_expr(SQUARED, x), [X], np.square),
    "polygamma": [
        smooth(lambda x: bt.polygamma(0, x), [X], digamma),
        smooth(lambda x: bt.polygamma(1, x), [X], trigamma),
        smooth(lambda x: bt.polygamma(2, x), [X], at_each(lambda v: mpmath.psi(2, v))),
        plain(lambda x: bt.polygamma(5, x - 3), [X], lambda x: at_each(lambda v: mpmath.psi(5, v))(x - 3)),
    ],
    "pow": smooth(lambda x, y: bt.pow(x, y), [X, Y], np.power),
    # shapes
    "broadcast_arrays": smooth(lambda x, v: bt.broadcast_arrays(x, v), [X, V], np.broadcast_arrays),
    "broadcast_shapes": plain(lambda x: bt.broadcast_shapes(x.shape, (4, 1, 1)), [X], lambda _: (4, 2, 3)),
    "expand_dims": smooth(lambda x: bt.expand_dims(x, axis=1), [X], lambda x: x[:, None]),
    "flip": smooth(lambda x: bt.flip(x, axis=1), [X], lambda x: x[:, ::-1]),
    "matrix_transpose": smooth(lambda x: bt.matrix_transpose(x), [X], np.transpose),
    "meshgrid": smooth(lambda v, w: bt.meshgrid(v, w), [V, W], np.meshgrid),
    "moveaxis": smooth(lambda x: bt.moveaxis(x, 0, 1), [X], np.transpose),
    "permute_dims": smooth(lambda x: bt.permute_dims(x, (1, 0)), [X], np.transpose),
    "repeat": smooth(lambda x: bt.repeat(x, 2, axis=1), [X], lambda x: np.repeat(x, 2, 1)),
    "roll": smooth(lambda x: bt.roll(x, 1, axis=1), [X], lambda x: np.roll(x, 1, 1)),
    "split": smooth(lambda x: bt.split(x, 3, axis=1), [X], lambda x: np.split(x, 3, 1)),
    "squeeze": smooth(lambda x: bt.squeeze(x[:, None], axis=1), [X], lambda x: x),
    "stack": smooth(lambda x, y: bt.stack([x, y], axis=1), [X, Y], lambda x, y: np.stack([x, y], 1)),
    "tile": smooth(lambda x: bt.tile(x, (2, 1)), [X], lambda x: np.tile(x, (2, 1))),
    "tril": smooth(lambda x: bt.tril(x), [SQUARE], np.tril),
    "triu": smooth(lambda x: bt.triu(x, k=1), [SQUARE], lambda x: np.triu(x, 1)),
    "unstack": smooth(lambda x: bt.unstack(x), [X], list),
    # places
    "getitem": smooth(lambda x: bt.getitem(x, (slice(None), [0, 2])), [X], lambda x: x[:, [0, 2]]),
    "set_items": smooth(lambda x, v: bt.set_items(x, 0, v), [X, V], lambda x, v: np.concatenate([v[None], x[1:]])),
    "nonzero": plain(lambda x: bt.nonzero(x > 1), [X], lambda x: np.nonzero(x > 1)),
    "count_nonzero": plain(lambda x: bt.count_nonzero(x > 1, axis=0), [X], lambda x: np.count_nonzero(x > 1, 0)),
    "bincount": plain(lambda i: bt.bincount(i), [WORDS], np.bincount),
    "gather": smooth(lambda x: bt.gather(x, [2, 0, 2], 1), [X], lambda x: x[:, [2, 0, 2]]),
    "index_add": smooth(lambda x, y: bt.index_add(x, [1, 1], y), [X, Y], lambda x, y: x + [[0], [1]] * y.sum(0)),
    "segment_max": smooth(lambda x: bt.segment_max(x, [1, 1], 2)[1], [X], lambda x: x.max(0)),
    "segment_mean": smooth(lambda x: bt.segment_mean(x, [1, 1]), [X], lambda x: [[0], [1]] * x.mean(0)),
    "segment_min": smooth(lambda x: bt.segment_min(x, [1, 1], 2)[1], [X], lambda x: x.min(0)),
    "segment_prod": smooth(lambda x: bt.segment_prod(x, [1, 1])[1], [X], lambda x: x.prod(0)),
    "segment_sum": smooth(lambda x: bt.segment_sum(x, [1, 1]), [X], lambda x: [[0], [1]] * x.sum(0)),
    "one_hot": plain(lambda i: bt.one_hot(i, 4), [WORDS], lambda i: np.eye(4)[i]),
    "top_k": smooth(lambda x: bt.top_k(x, 2)[0], [X], lambda x: -np.sort(-x, 1)[:, :2]),
    "unique_all": plain(lambda i: tuple(bt.unique_all(i)), [WORDS], lambda i: np.unique(i, True, True, True)),
    "unique_counts": plain(lambda i: tuple(bt.unique_counts(i)), [WORDS], lambda i: np.unique(i, return_counts=True)),
    "unique_inverse": plain(
        lambda i: tuple(bt.unique_inverse(i)), [WORDS], lambda i: np.unique(i, return_inverse=True)
    ),
    "unique_values": plain(bt.unique_values, [WORDS], np.unique),
    # sums and products
    "diff": smooth(lambda x: bt.diff(x), [X], np.diff),
    "einsum_path": plain(lambda x, z: bt.einsum_path("ij,jk->ik", x, z).flops, [X, Z], lambda x, z: 2 * 2 * 3 * 2),
    "einsum": smooth(lambda x, z: bt.einsum("ij,jk->ki", x, z), [X, Z], lambda x, z: (x @ z).T),
    "logsumexp": smooth(lambda x: bt.logsumexp(x, axis=1), [X], lambda x: np.log(np.exp(x).sum(1))),
    "mean": smooth(lambda x: bt.mean(x, axis=0), [X], lambda x: x.mean(0)),
    "std": smooth(lambda x: bt.std(x, axis=1, correction=1), [X], lambda x: np.sqrt(variance(x))),
    "var": smooth(lambda x: bt.var(x, axis=1, correction=1), [X], variance),
    "tensordot": smooth(lambda x, y: bt.tensordot(x, y, axes=([0], [0])), [X, Y], lambda x, y: x.T @ y),
    "vecdot": smooth(lambda x, y: bt.vecdot(x, y), [X, Y], lambda x, y: (x * y).sum(1)),
    # functions of functions
    "cond": smooth(
        lambda x: bt.cond(x.sum() > 0, lambda y: y * y, lambda y: y, x) + bt.cond(x.sum() < 0, bt.exp, bt.sin, x),
        [X],
        lambda x: x * x + np.sin(x),
    ),
    "fori_loop": smooth(
        lambda x: bt.fori_loop(1, 4, lambda i, y: y * x + i, x), [X], lambda x: ((x * x + 1) * x + 2) * x + 3
    ),
    "scan": smooth(
        lambda x: bt.scan(lambda c, row: (c + row, c * row), x[0], x, reverse=True),
        [X],
        lambda x: (x.sum(0) + x[0], np.stack([(x[0] + x[1]) * x[0], x[0] * x[1]])),
    ),
    "switch": smooth(lambda x: bt.switch(5, [bt.exp, lambda y: y, lambda y: y**3], x), [X], lambda x: x**3),
    "while_loop": smooth(
        lambda x: bt.while_loop(lambda y: y.sum() < 99, lambda y: y * y + 1, x, max_iterations=9),
        [X],
        doubled_up,
    ),
    "checkpoint": smooth(lambda x: bt.checkpoint(lambda y: y * y)(x), [X], np.square),
    "custom_gradient": plain(lambda x: bt.grad(lambda y: bt.sum(halved(y)))(x), [X], lambda x: x),
    "grad": smooth(lambda x: bt.grad(cube)(x), [X], slope),
    "hessian": smooth(lambda v: bt.hessian(cube)(v), [V], lambda v: np.diag(6 * v)),
    "jacobian": smooth(lambda v: bt.jacobian(lambda y: y * y)(v), [V], lambda v: np.diag(2 * v)),
    "load": plain(kept, [X], lambda x: x),
    "save": plain(lambda x: kept({"x": x})["x"], [X], lambda x: x),
    "jit": plain(lambda x: bt.jit(cube)(x), [X], lambda x: (x**3).sum()),
    "jvp": smooth(lambda x, y: bt.jvp(cube, (x,), (y,))[1], [X, Y], lambda x, y: (slope(x) * y).sum()),
    "value_and_grad": smooth(lambda x: bt.value_and_grad(cube)(x), [X], lambda x: ((x**3).sum(), slope(x))),
    "vjp": smooth(lambda x, y: bt.vjp(lambda a: a**3, x)[1](y)[0], [X, Y], lambda x, y: slope(x) * y),
    "vmap": smooth(lambda x: bt.vmap(cube)(x), [X], lambda x: (x**3).sum(1)),
    # rooms of the house
    "backend_names": plain(lambda _: "cpu" in bt.backend_names(), [X], lambda _: True),
    "get_backend": plain(lambda _: bt.get_backend("cpu").xp is np, [X], lambda _: True),
    "find_compiler": plain(lambda _: bt.find_compiler() is bt.find_compiler(), [X], lambda _: True),
    "register": plain(lambda _: refused(bt.OPS["add"]), [X], lambda _: True),
    # networks
    "nn.average_pool": smooth(lambda x: bt.nn.average_pool(x, 2), [IMAGE], lambda x: pool(x, np.mean)),
    "nn.max_pool": smooth(lambda x: bt.nn.max_pool(x, 2), [IMAGE], lambda x: pool(x, np.max)),
    # matrices
    "linalg.cross": smooth(lambda x, y: bt.linalg.cross(x, y), [X, Y], np.cross),
    "linalg.diagonal": smooth(lambda x: bt.linalg.diagonal(x), [SQUARE], np.diagonal),
    "linalg.matrix_norm": smooth(lambda x: bt.linalg.matrix_norm(x), [SQUARE], np.linalg.norm),
    "linalg.matrix_power": smooth(
        lambda x: bt.linalg.matrix_power(x, 3), [SQUARE], lambda x: np.linalg.matrix_power(x, 3)
    ),
    "linalg.matrix_rank": plain(lambda x: bt.linalg.matrix_rank(x), [SQUARE], np.linalg.matrix_rank),
    "linalg.outer": smooth(lambda v, w: bt.linalg.outer(v, w), [V, W], np.outer),
    "linalg.trace": smooth(lambda x: bt.linalg.trace(x), [SQUARE], np.trace),
    "linalg.vector_norm": smooth(lambda v: bt.linalg.vector_norm(v), [V], np.linalg.norm),
    # waves
    "fft.fftfreq": plain(lambda _: bt.fft.fftfreq(5, d=0.5), [X], lambda _: np.fft.fftfreq(5, 0.5)),
    "fft.fftn": plain(lambda x: bt.fft.fftn(x + 0j), [X], np.fft.fftn),
    "fft.fftshift": smooth(lambda x: bt.fft.fftshift(x), [X], np.fft.fftshift),
    "fft.hfft": smooth(lambda x: bt.fft.hfft(x + 0j), [X], np.fft.hfft),
    "fft.ifft": plain(lambda x: bt.fft.ifft(x + 0j), [X], np.fft.ifft),
    "fft.ifftn": plain(lambda x: bt.fft.ifftn(x + 0j), [X], np.fft.ifftn),
    "fft.ifftshift": smooth(lambda x: bt.fft.ifftshift(x), [X], np.fft.ifftshift),
    "fft.ihfft": plain(bt.fft.ihfft, [X], np.fft.ihfft),
    "fft.irfftn": smooth(lambda x: bt.fft.irfftn(x + 0j), [X], np.fft.irfftn),
    "fft.rfftfreq": plain(lambda _: bt.fft.rfftfreq(5, d=0.5), [X], lambda _: np.fft.rfftfreq(5, 0.5)),
    "fft.rfftn": plain(bt.fft.rfftn, [X], np.fft.rfftn),
    # chance
    "random.bernoulli": drawn(lambda k: bt.random.bernoulli(k, 0.5, (50,)), lambda x: (x == 0) | (x == 1)),
    "random.beta": drawn(lambda k: bt.random.beta(k, 2.0, 3.0, (50,)), lambda x: (x > 0) & (x < 1)),
    "random.bits": drawn(lambda k: bt.random.bits(k, (50,)), lambda x: x.dtype == np.uint32),
    "random.categorical": drawn(lambda k: bt.random.categorical(k, V, shape=(50,)), lambda x: (x >= 0) & (x < 3)),
    "random.choice": drawn(lambda k: bt.random.choice(k, 5, (50,)), lambda x: (x >= 0) & (x < 5)),
    "random.exponential": drawn(lambda k: bt.random.exponential(k, (50,)), lambda x: x >= 0),
    "random.fold_in": drawn(lambda k: bt.random.uniform(bt.random.fold_in(k, 7), (50,)), lambda x: (x >= 0) & (x < 1)),
    "random.gamma": drawn(lambda k: bt.random.gamma(k, 2.0, (50,)), lambda x: x > 0),
    "random.gumbel": drawn(lambda k: bt.random.gumbel(k, (50,)), np.isfinite),
    "random.key": drawn(lambda k: bt.random.uniform(k, (50,)), lambda x: np.ptp(x) > 0.5),
    "random.normal": drawn(lambda k: bt.random.normal(k, (50,)), lambda x: np.abs(x) < 9),
    "random.permutation": drawn(lambda k: bt.random.permutation(k, 9), lambda x: np.sort(x) == np.arange(9)),
    "random.permuted": drawn(lambda k: bt.random.permuted(k, X), lambda x: np.isclose(np.sort(x, 1), np.sort(X, 1))),
    "random.poisson": drawn(lambda k: bt.random.poisson(k, 3.0, (50,)), lambda x: x >= 0),
    "random.randint": drawn(lambda k: bt.random.randint(k, (50,), 2, 7), lambda x: (x >= 2) & (x < 7)),
    "random.split": drawn(lambda k: bt.random.uniform(bt.random.split(k)[1], (50,)), lambda x: (x >= 0) & (x < 1)),
    "random.truncated_normal": drawn(lambda k: bt.random.truncated_normal(k, (50,)), lambda x: np.abs(x) <= 2),
    "random.uniform": drawn(lambda k: bt.random.uniform(k, (50,)), lambda x: (x >= 0) & (x < 1)),
}
CASES.update({name: [*_listed(CASES.get(name)), *(Case(*r) for r in rows)] for name, rows in nn_cases.CASES.items()})
SAME = {
    "linalg.matrix_transpose": "matrix_transpose",
    "linalg.tensordot": "tensordot",
    "linalg.vecdot": "vecdot",
    "linalg.matmul": "matmul",
    **nn_cases.SAME,
}
"""Names of one function in two places."""


def cases() -> list[tuple[str, Case]]:
    """Every case with its name."""
    return [(name, c) for name, found in CASES.items() for c in (found if isinstance(found, list) else [found])]
