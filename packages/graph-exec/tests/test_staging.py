"""Contractions whose operands are more than the caches hold: the orders of tiles, packed columns, turned squares, sums
in blocks. Small caches are pretended, so that small arrays take every path."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import function, spec
from brickwork.graph.llvm import codegen, strategy
from brickwork.graph.llvm.engine import host
from brickwork.tensor.coalesce import coalesce

rng = np.random.default_rng(0)


def array(*shape, dtype="float32"):
    return rng.normal(size=shape).astype(bt.as_dtype(dtype))


@pytest.fixture
def small_caches(monkeypatch, tmp_path):
    """A core with next to no cache, and a cache of code of its own."""
    monkeypatch.setenv("BRICKWORK_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(strategy, "NEAR", 64)
    monkeypatch.setattr(strategy, "NEXT", 512)
    monkeypatch.setattr(strategy, "FEW_TERMS", 2)
    monkeypatch.setattr(strategy, "PACK_STRIDE", 4)
    monkeypatch.setattr(strategy, "PACK_TILES", 1)
    monkeypatch.setattr(codegen, "SUMS", 8192)
    return monkeypatch


def strategies(fn, *args):
    """How each kernel of the compiled function runs."""
    compiled = function(fn)
    compiled(*args)
    (variant,) = compiled._variants
    return [strategy.choose(coalesce(k), host()) for k in variant.run.plan.kernels]


def same_as_eager(fn, *args, bound=2e-4):
    want, got = fn(*map(bt.asarray, args)), function(fn)(*args)
    np.testing.assert_allclose(got.numpy().astype("d"), want.numpy().astype("d"), bound, bound)


def product(a, b):
    return bt.nn.relu(a @ b) + 1.0


def first_gradient(a, b):
    return bt.grad(lambda p: bt.sum((p @ b) ** 2.0))(a)


def second_gradient(a, b):
    return bt.grad(lambda p: bt.sum((a @ p) ** 2.0))(b)


def filter_gradient(x, w):
    return bt.grad(lambda p: bt.sum(bt.conv(x, p, 1, "same") ** 2.0))(w)


def image_gradient(x, w):
    return bt.grad(lambda p: bt.sum(bt.conv(p, w, 2, "same") ** 2.0))(x)


SHAPES = [(5, 7, 3), (200, 16, 8), (33, 40, 50), (64, 64, 64), (100, 31, 17), (1, 70, 40), (40, 1, 40)]


@pytest.mark.parametrize("fn", [product, first_gradient, second_gradient], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_products(small_caches, fn, shape, dtype):
    m, k, n = shape
    bound = {"float64": 1e-12, "float32": 2e-4, "bfloat16": 6e-2}[dtype]
    a, b = array(m, k, dtype=dtype), array(k, n, dtype=dtype)
    if dtype == "bfloat16":
        a, b = a / 8, b / 8
    same_as_eager(fn, a, b, bound=bound)


@pytest.mark.parametrize("fn", [filter_gradient, image_gradient], ids=lambda f: f.__name__)
@pytest.mark.parametrize("channels", [(3, 16), (16, 40), (33, 5)], ids=str)
def test_convolutions(small_caches, fn, channels):
    same_as_eager(fn, array(3, 9, 11, channels[0]), array(3, 3, *channels) / 4, bound=2e-3)


@pytest.mark.parametrize("shape", [(16, 16), (40, 70), (64, 48), (15, 33), (3, 32, 48)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8", "bool", "bfloat16"])
def test_transposes(shape, dtype):
    x = (rng.normal(size=shape) * 9).astype(bt.as_dtype(dtype))
    order = (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2)
    for fn in (lambda t: bt.transpose(t, order), lambda t: bt.where(bt.transpose(t, order) > 0, 1.5, 0.5)):
        np.testing.assert_array_equal(function(fn)(x).numpy(), fn(bt.asarray(x)).numpy())


def test_every_path_is_taken(small_caches):
    a, b = array(100, 64), array(64, 80)
    taken = strategies(product, a, b) + strategies(second_gradient, a, b)
    taken += strategies(filter_gradient, array(3, 9, 11, 16), array(3, 3, 16, 40))
    assert any(s.block for s in taken)
    assert any(s.ahead for s in taken)
    assert any(s.rows_first for s in strategies(product, array(200, 16), array(16, 8)))
    small_caches.setattr(strategy, "SCATTERED", 0)
    assert any(s.packed for s in strategies(product, a, b))
    assert any(s.turned for s in strategies(lambda t: bt.transpose(t), a))


def test_packed_columns(small_caches):
    small_caches.setattr(strategy, "SCATTERED", 0)
    for m, k, n in SHAPES:
        same_as_eager(product, array(m, k), array(k, n))


def test_threads_do_not_change_the_bits(small_caches, monkeypatch):
    a, b = array(300, 200), array(300, 96)
    bits = set()
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("BRICKWORK_NUM_THREADS", threads)
        bits.add(function(lambda p, q: bt.transpose(p) @ q)(a, b).numpy().tobytes())
    assert len(bits) == 1


def test_a_turned_operand_is_read_from_where_it_came(small_caches):
    """The gradient of ``q @ k^T`` by q is ``g @ k``: the copy of k that the product reads is not turned back."""

    def gradient(q, k):
        return bt.grad(lambda p: bt.sum((p @ bt.matrix_transpose(k)) ** 2.0))(q)

    q, k = array(3, 40, 32), array(3, 40, 32)
    same_as_eager(gradient, q, k)
    products = [s for s in strategies(gradient, q, k) if s.row_axis is not None and not s.turned]
    assert len(products) == 2


@pytest.mark.parametrize("shape", [(29, 32), (37, 70), (43, 24)], ids=str)
@pytest.mark.parametrize("rule", ["short", "long"])
@pytest.mark.parametrize("small", [False, True], ids=["large", "small"])
def test_rows_that_two_tiles_make_are_updated_once(request, monkeypatch, shape, rule, small):
    """The last tile of rows is moved up, over rows that the one before it made. What is written over what it is made of
    must not be made again from that."""
    if small:
        request.getfixturevalue("small_caches")
    monkeypatch.setattr(strategy, "FEW_TERMS", 2)  # else a divisor of the rows is taken
    weight, seen = (bt.Variable(array(*shape)) for _ in range(2))

    def step(a, g):
        gradient = bt.transpose(a) @ g
        if rule == "long":
            seen.assign(seen.value * 0.9 + bt.tanh(gradient))
            gradient = seen.value / (bt.sqrt(bt.abs(seen.value)) + 1.0)
        weight.assign(weight.value * 0.5 - gradient)

    a, g = array(50, shape[0]), array(50, shape[1])
    w, v = weight.numpy().astype("d"), seen.numpy().astype("d")
    for threads in ("1", "3"):
        monkeypatch.setenv("BRICKWORK_NUM_THREADS", threads)
        compiled = function(step)
        for _ in range(2):
            compiled(a, g)
            d = a.T.astype("d") @ g
            if rule == "long":
                v = v * 0.9 + np.tanh(d)
                d = v / (np.sqrt(abs(v)) + 1.0)
            w = w * 0.5 - d
    np.testing.assert_allclose(weight.numpy(), w, 1e-4, 1e-4)
    (variant,) = compiled._variants
    (kernel,) = (k for k in map(coalesce, variant.run.plan.kernels) if any(s.combine for s in k.stages))
    tiles = strategy.choose(kernel, host())
    assert strategy.may_overwrite(kernel) and kernel.axes[tiles.row_axis] % tiles.rows


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("width", [3, 8, 11, 29, 32])
def test_borders(size, width):
    """Rows that may lie outside: none, few of a tile, or most of them."""
    x, w = array(2, 3, width, 5), array(size, size, 5, 16)
    same_as_eager(lambda x, w: bt.conv(x, w, 1, "same"), x, w, bound=1e-3)
    same_as_eager(lambda x, w: bt.grad(lambda p: bt.sum(bt.conv(p, w, 1, "same") ** 2.0))(x), x, w, bound=1e-3)


def test_few_rows_at_a_border_are_no_second_loop():
    texts = []
    for size in (3, 7):
        f = function(lambda x, w: bt.conv(x, w, 1, "same"))
        f(array(2, 5, 32, 16), array(1, size, 16, 16))
        texts.append(f.llvm())
    assert "select i1" in texts[0] and "yes" not in texts[0]
    assert "yes" in texts[1]


@pytest.mark.parametrize(
    "fn", [lambda x: bt.transpose(x) * 2.0, lambda x: x @ bt.transpose(x) @ x], ids=["turn", "square"]
)
def test_an_open_axis_along_the_lanes_of_squares(fn):
    compiled = function(fn).lower(spec((None, 37))).compile()
    for n in (40, 3, 16):
        x = array(n, 37)
        np.testing.assert_allclose(compiled(x).numpy(), fn(bt.asarray(x)).numpy(), 1e-4, 1e-4)
