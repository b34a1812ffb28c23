"""matmul, einsum and convolution against loops in float64, with gradients of both orders."""

import numpy as np
import pytest
from op_references import conv as conv_by_loops
from test_registry import check_gradient

import brickwork.tensor as bt

RNG = np.random.default_rng(0)
EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("i,j->ij", (2,), (3,)),
    ("i,j,k->kji", (2,), (3,), (2,)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iji->j", (2, 3, 2)),
    ("ii,ij->j", (3, 3), (3, 2)),
    ("ij,jk", (2, 3), (3, 2)),
    ("abcd,dcba->ac", (1, 2, 3, 2), (2, 3, 2, 1)),
    (",->", (), ()),
    ("ij,jk->ik", (2, 0), (0, 3)),
]
CONVOLUTIONS = [
    # x, w, strides, padding, dilations, groups
    ((2, 7, 2), (3, 2, 3), 1, "valid", 1, 1),
    ((2, 7, 2), (3, 2, 3), 2, "same", 1, 1),
    ((2, 8, 2), (3, 2, 3), 3, [(2, 0)], 2, 1),
    ((1, 5, 6, 2), (3, 3, 2, 2), 1, "same", 1, 1),
    ((2, 6, 5, 2), (2, 3, 2, 3), (2, 1), [(0, 1), (1, 2)], (1, 2), 1),
    ((1, 7, 7, 2), (3, 3, 2, 2), 2, "same", 1, 1),
    ((1, 5, 5, 4), (2, 2, 2, 6), 1, "valid", 1, 2),
    ((1, 6, 6, 3), (3, 3, 1, 3), 2, "same", 1, 3),
    ((1, 4, 3, 3, 2), (2, 2, 2, 2, 2), 1, "valid", 1, 1),
    ((1, 5, 4, 4, 1), (2, 1, 3, 1, 2), (2, 1, 1), "same", (1, 1, 1), 1),
    ((2, 4, 1), (4, 1, 1), 1, "valid", 1, 1),
    ((1, 9, 1), (2, 1, 1), 4, "valid", 3, 1),
]


def pairs(padding, x, w, strides, dilations):
    """(before, after); as TensorFlow has it, "same" gives ceil(n / stride) places, the odd one goes after."""
    if padding == "valid":
        return [(0, 0)] * len(strides)
    if padding != "same":
        return padding
    out = []
    for n, k, s, d in zip(x.shape[1:-1], w.shape, strides, dilations):
        total = max((int(np.ceil(n / s)) - 1) * s + (k - 1) * d + 1 - n, 0)
        out.append((total // 2, total - total // 2))
    return out


@pytest.mark.parametrize("case", EQUATIONS, ids=lambda c: c[0])
def test_einsum(case):
    equation, *shapes = case
    arrays = [RNG.normal(size=s) for s in shapes]
    np.testing.assert_allclose(bt.einsum(equation, *arrays).numpy(), np.einsum(equation, *arrays), 1e-12, 1e-12)
    check_gradient(lambda *xs: bt.einsum(equation, *xs), arrays, 5)


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_conv(case):
    shape_x, shape_w, strides, padding, dilations, groups = case
    x, w = RNG.normal(size=shape_x), RNG.normal(size=shape_w)
    space = x.ndim - 2
    steps = (strides,) * space if isinstance(strides, int) else strides
    spread = (dilations,) * space if isinstance(dilations, int) else dilations
    expected = conv_by_loops(x, w, steps, pairs(padding, x, w, steps, spread), spread, groups)
    found = bt.nn.conv(x, w, strides, padding, dilations, groups)
    np.testing.assert_allclose(found.numpy(), expected, 1e-12, 1e-12)
    check_gradient(lambda a, b: bt.nn.conv(a, b, strides, padding, dilations, groups), [x, w], 9)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "float16", "bfloat16", "float32", "complex64"])
def test_matmul_keeps_the_dtype(dtype):
    a, b = (bt.asarray(RNG.integers(0, 3, (3, 3))).astype(dtype) for _ in range(2))
    found = a @ b
    assert found.dtype == a.dtype
    wide = "complex128" if dtype == "complex64" else "float64"
    expected = a.numpy().astype(wide) @ b.numpy().astype(wide)
    np.testing.assert_array_equal(found.numpy(), expected.astype(bool) if dtype == "bool" else expected)


def test_a_long_sum_in_half_precision_does_not_drift():
    x = np.full((1, 5000), 0.1, np.float16)
    assert abs((bt.asarray(x) @ x.T).item() - 5000 * float(x[0, 0]) ** 2) < 0.1
    assert abs(bt.sum(x).item() - 5000 * float(x[0, 0])) < 0.3


@pytest.mark.parametrize("pool", ["max_pool", "average_pool"])
@pytest.mark.parametrize("padding", ["valid", "same", [(1, 0), (0, 1)]])
def test_pooling(pool, padding):
    x = RNG.normal(size=(2, 5, 6, 2))
    size, strides = (2, 3), (2, 2)
    fill = np.nan
    padded = np.pad(x, ((0, 0), *pairs(padding, x, np.ones(size), strides, (1, 1)), (0, 0)), constant_values=fill)
    views = np.lib.stride_tricks.sliding_window_view(padded, size, (1, 2))[:, ::2, ::2]
    expected = (np.nanmax if pool == "max_pool" else np.nanmean)(views, axis=(-2, -1))
    found = getattr(bt.nn, pool)(x, size, strides, padding)
    np.testing.assert_allclose(found.numpy(), expected, 1e-12)
    check_gradient(lambda a: getattr(bt.nn, pool)(a, size, strides, padding), [x], 3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: bt.einsum("ij,jk->ik", np.ones((2, 3))), "one term per operand"),
        (lambda: bt.einsum("ij", np.ones(3)), "a letter per axis"),
        (lambda: bt.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((4, 2))), "'j' of sizes 3 and 4"),
        (lambda: bt.einsum("i->j", np.ones(3)), "must come from the operands"),
        (lambda: bt.einsum("i1->i", np.ones((3, 2))), "must be letters"),
        (lambda: bt.matmul(np.ones((2, 3)), np.ones((4, 3))), "3 != 4. Transpose b"),
        (lambda: bt.matmul(1.0, np.ones(2)), "at least one axis"),
        (lambda: bt.nn.conv(np.ones((1, 5, 2)), np.ones((3, 3, 1))), "channels of x"),
        (lambda: bt.nn.conv(np.ones((1, 5, 2)), np.ones((3, 2, 1)), strides=0), "at least 1; got 0"),
        (lambda: bt.nn.conv(np.ones((1, 5, 2)), np.ones((3, 2, 1)), padding="full"), "'full'"),
        (lambda: bt.nn.conv(np.ones((5, 2)), np.ones((3, 2, 1))), "needs x"),
    ],
)
def test_errors(call, says):
    with pytest.raises(bt.ShapeError, match=says):
        call()
