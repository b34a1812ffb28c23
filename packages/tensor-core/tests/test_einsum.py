"""einsum: many operands, the ellipsis, dtypes, paths and their costs, against NumPy's."""

import itertools
from math import prod

import numpy as np
import pytest
from test_registry import check_gradient

import brickwork.tensor as bt
from brickwork.tensor import BrickworkError
from brickwork.tensor.contraction_paths import measured, path_of

RNG = np.random.default_rng(4)
EQUATIONS = [
    ("...ij,...jk->...ik", (4, 1, 2, 3), (5, 3, 2)),
    ("...,...->...", (3,), (2, 1)),
    ("i...->...i", (2, 3, 4)),
    ("...ii->...i", (2, 3, 3)),
    ("...", (2, 3)),
    ("i...,j", (2, 1), (3,)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ij,jk,kl", (2, 3), (3, 4), (4, 2)),
    ("ab,bc,cd,de,ef->af", *[(3, 3)] * 5),
    ("ij,ij,ij->", *[(2, 3)] * 3),
    ("i,j,k->ijk", (2,), (3,), (2,)),
    ("iij,jkk,k->i", (2, 2, 3), (3, 2, 2), (2,)),
    ("...i,...j,k...->...k", (2, 1, 3), (4, 2), (3, 2, 4)),
    ("ab,c,b->a", (2, 3), (4,), (3,)),
    (",,a->a", (), (), (3,)),
    ("ij,jk,kl->il", (2, 0), (0, 4), (4, 2)),
]
PATHS = [True, False, "greedy", "optimal"]


@pytest.mark.parametrize("case", EQUATIONS, ids=lambda c: c[0])
def test_value_and_gradients(case):
    equation, *shapes = case
    arrays = [RNG.normal(size=s) for s in shapes]
    want = np.einsum(equation, *arrays)
    for optimize in PATHS:
        found = bt.einsum(equation, *arrays, optimize=optimize).numpy()
        np.testing.assert_allclose(found, want, 1e-12, 1e-12)
    check_gradient(lambda *xs: bt.einsum(equation, *xs), arrays, 5)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint16", "float32", "complex64", "complex128"])
@pytest.mark.parametrize("equation", ["ij,jk->ik", "ij,jk,kl->il", "ij,ij->", "ii->i", "ij->j"])
def test_dtypes(equation, dtype):
    count = equation.partition("->")[0].count(",") + 1
    arrays = [RNG.integers(0, 4, (3, 3)).astype(dtype) for _ in range(count)]
    out = bt.einsum(equation, *arrays)
    assert out.dtype == np.dtype(dtype)
    np.testing.assert_allclose(out.numpy(), np.einsum(equation, *arrays), 1e-6)


def test_dtypes_are_promoted_before_the_first_product():
    small = np.array([100], np.int8)
    assert bt.einsum("i,i,i->i", small, small, np.ones(1, np.float32)).item() == 10_000.0
    assert bt.einsum("i,i->i", np.ones(2, np.int32), np.ones(2, np.float16)).dtype == np.float16


def test_narrow_floats_are_multiplied_in_float32():
    x = [bt.asarray(np.array([v]), "float16") for v in (300.0, 300.0, 1e-3)]
    assert bt.einsum("i,i,i->i", *x).item() == pytest.approx(90.0, rel=1e-3)  # 300 * 300 is past float16


def test_compiled_and_mapped():
    arrays = [RNG.normal(size=s) for s in ((2, 3), (3, 4), (4, 2))]
    want = np.einsum("ij,jk,kl->il", *arrays)
    np.testing.assert_allclose(bt.jit(lambda *x: bt.einsum("ij,jk,kl->il", *x))(*arrays).numpy(), want, 1e-12)
    square = RNG.normal(size=(5, 3, 3))
    found = bt.vmap(lambda x: bt.einsum("ii,ij->j", x, x))(square)
    np.testing.assert_allclose(found.numpy(), np.einsum("bii,bij->bj", square, square), 1e-12)


# equation, sizes of its letters: chains, stars, trees, rings, attention, tensor networks
NETWORKS = [
    ("ij,jk,kl->il", {"i": 10, "j": 100, "k": 5, "l": 50}),
    ("ij,jk,kl,lm,mn->in", {"i": 30, "j": 35, "k": 15, "l": 5, "m": 10, "n": 20}),
    ("ai,bi,ci,di->abcd", {"a": 4, "b": 5, "c": 6, "d": 7, "i": 30}),
    ("bhqd,bhkd,bhkv->bhqv", {"b": 2, "h": 4, "q": 32, "k": 32, "d": 16, "v": 16}),
    ("ea,fb,abcd,gc,hd->efgh", dict.fromkeys("abcdefgh", 10)),
    ("ab,bc,cd,da->", {"a": 8, "b": 9, "c": 10, "d": 11}),
    ("xa,yb,zc,abc->xyz", {"x": 20, "y": 20, "z": 20, "a": 5, "b": 6, "c": 7}),
    ("abc,bd,ce,def,fg->ag", {"a": 6, "b": 7, "c": 8, "d": 9, "e": 10, "f": 4, "g": 5}),
    ("ij,k,j->i", {"i": 40, "j": 50, "k": 60}),
    ("ab,bc,cd,de,ef,fg,gh,hi,ij,jk->ak", {c: 3 + 7 * n % 11 for n, c in enumerate("abcdefghijk")}),
]


def operands(equation, sizes):
    return [np.zeros([sizes[c] for c in term]) for term in equation.partition("->")[0].split(",")]


def numpys_flops(equation, arrays, how):
    """What NumPy says its path costs, in the measure of `EinsumPath`."""
    report = np.einsum_path(equation, *arrays, optimize=how)[1]
    return float(next(line for line in report.split("\n") if "Optimized FLOP" in line).split(":")[1])


@pytest.mark.parametrize(("equation", "sizes"), NETWORKS, ids=lambda v: v if isinstance(v, str) else "")
def test_no_more_flops_than_numpys_paths(equation, sizes):
    arrays = operands(equation, sizes)
    ours = bt.einsum_path(equation, *arrays).flops
    assert ours <= 1.001 * numpys_flops(equation, arrays, "greedy")  # the report has four figures
    if len(arrays) <= 5:
        assert ours <= 1.001 * numpys_flops(equation, arrays, "optimal")


def every_order(count):
    if count == 1:
        yield ()
        return
    for pair in itertools.combinations(range(count), 2):
        for rest in every_order(count - 1):
            yield (pair, *rest)


@pytest.mark.parametrize(("equation", "sizes"), [n for n in NETWORKS if n[0].count(",") < 5][:6], ids=str)
def test_the_best_of_all_orders_is_found(equation, sizes):
    left, _, right = equation.partition("->")
    terms = tuple(map(frozenset, left.split(",")))
    costs = [measured(order, terms, frozenset(right), sizes).flops for order in every_order(len(terms))]
    assert path_of(terms, frozenset(right), tuple(sizes.items()), "optimal").flops == min(costs)


def test_costs():
    path = bt.einsum_path("ij,jk,kl->il", (10, 100), (100, 5), (5, 50))
    assert path.steps == ((0, 1), (0, 1))
    assert path.flops == 2 * 10 * 100 * 5 + 2 * 10 * 5 * 50
    assert path.naive_flops == 3 * 10 * 100 * 5 * 50
    assert path.largest == 10 * 50
    assert str(path).startswith("2 steps [(0, 1), (0, 1)]: 1.5e+04 FLOPs")
    lone = bt.einsum_path("ij,jk->k", (20, 30), (30, 40))
    assert lone.flops == prod((20, 30)) + 2 * 30 * 40  # i is summed first
    assert bt.einsum_path("ij->i", (3, 4)).flops == 12


def test_a_path_may_be_given():
    arrays = [RNG.normal(size=(3, 3)) for _ in range(3)]
    want = np.einsum("ij,jk,kl->il", *arrays)
    for path in ([(1, 2), (0, 1)], [(0, 1, 2)], bt.einsum_path("ij,jk,kl->il", *arrays, optimize="greedy")):
        np.testing.assert_allclose(bt.einsum("ij,jk,kl->il", *arrays, optimize=path).numpy(), want, 1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x: bt.einsum("ij,jk,kl->il", x, x, x, optimize=[(0, 1)]), "must leave one result; got 2"),
        (lambda x: bt.einsum("ij,jk->ik", x, x, optimize=[(0, 2)]), "different operands of 2"),
        (lambda x: bt.einsum("ij,jk->ik", x, x, optimize="fast"), "optimize must be"),
        (lambda x: bt.einsum("...i,...i", x, np.ones((2, 3))), "got ... of sizes 3 and 2"),
        (lambda x: bt.einsum("i...->i", x), "must have the axes of the ellipsis"),
        (lambda x: bt.einsum("i..j", x), "a letter per axis"),
        (lambda x: bt.einsum("i......", x), "a letter per axis"),
        (lambda x: bt.einsum("ij"), "one operand"),
        (lambda x: bt.einsum(x, x), "must be text"),
        (lambda x: bt.einsum_path("ij", (3, -1)), "at least 0"),
    ],
)
def test_errors(call, says):
    with pytest.raises(BrickworkError, match=says):
        call(np.ones((3, 3)))
