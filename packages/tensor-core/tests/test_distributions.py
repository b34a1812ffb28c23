"""Distributions: moments and distances to the true distribution, of fixed seeds; shapes, parameters and errors."""

import math
from statistics import NormalDist

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import BrickworkError, philox, random
from brickwork.tensor.discrete import _log_factorial
from brickwork.tensor.dtypes import as_dtype
from brickwork.tensor.error_functions import normal_quantile
from brickwork.tensor.expr import arg

KEY = random.key(2024)
COUNT = 100_000
KNOWN_POISSON = [16, 25, 24, 20, 25, 19]
KNOWN_CLASSES = [1, 2, 2, 1, 2, 2, 1, 1]
KNOWN_GAMMA = [1.982857086348647, 1.8994755351142223, 0.6874342963963013]


def moments(x, mean, variance):
    x = x.astype("float64")
    assert abs(x.mean() - mean) <= 5 * math.sqrt(variance / x.size)
    kurtosis = ((x - x.mean()) ** 4).mean()
    assert abs(x.var() - variance) < 5 * math.sqrt(max(kurtosis - variance**2, 0) / x.size) + 1e-12


def against(x, cdf):
    """Kolmogorov and Smirnov: sqrt(n) times the greatest distance is above 2.2 once in 10**4 times."""
    x = np.sort(x.astype("float64").ravel())
    share = np.array([cdf(v) for v in x])
    steps = np.arange(x.size + 1) / x.size
    distance = max((steps[1:] - share).max(), (share - steps[:-1]).max())
    assert math.sqrt(x.size) * distance < 2.2


def regularized_gamma(a, x):
    """P(a, x) by its series: x^a e^-x sum x^n / (a (a+1) ... (a+n)) / Gamma(a) (DLMF 8.11.4)."""
    if x <= 0:
        return 0.0
    term = total = 1.0 / a
    n = 0
    while term > total * 1e-14:
        n += 1
        term *= x / (a + n)
        total += term
    return min(1.0, total * math.exp(a * math.log(x) - x - math.lgamma(a)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_quantiles_of_the_normal(dtype):
    q = np.concatenate([np.linspace(-0.4999, 0.4999, 501), [-0.425, 0.425]]).astype(dtype)
    found = bt.map_expr(normal_quantile(arg(0, as_dtype(dtype))), bt.asarray(q)).numpy()
    want = [NormalDist().inv_cdf(float(v) + 0.5) for v in q]
    np.testing.assert_allclose(found, want, 2e-6 if dtype == "float32" else 4e-14, 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_truncated_normal(dtype):
    x = random.truncated_normal(KEY, (COUNT,), dtype).numpy()
    inside = math.erf(math.sqrt(2))
    against(x[:5000], lambda v: (NormalDist().cdf(v) - 0.5) / inside + 0.5)
    moments(x, 0, 1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / inside)
    assert np.abs(x).max() <= 2 and np.abs(x).max() > 1.99 and x.dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exponential_and_gumbel(dtype):
    x = random.exponential(KEY, (COUNT,), dtype, 3.0).numpy()
    against(x[:5000], lambda v: -math.expm1(-v / 3))
    moments(x, 3.0, 9.0)
    assert x.min() >= 0 and x.dtype == dtype
    y = random.gumbel(KEY, (COUNT,), dtype).numpy()
    against(y[:5000], lambda v: math.exp(-math.exp(-v)))
    moments(y, 0.5772156649, math.pi**2 / 6)


@pytest.mark.parametrize("a", [0.1, 0.7, 1.0, 3.5, 200.0])
def test_gamma(a):
    x = random.gamma(KEY, a, (COUNT,), "float64").numpy()
    against(x[:5000], lambda v: regularized_gamma(a, v))
    moments(x, a, a)
    assert (x == a - 1 / 3).sum() == 0  # nothing was left over
    single = random.gamma(KEY, np.float32(a), (COUNT,)).numpy()
    assert single.dtype == np.float32
    moments(single, a, a)


@pytest.mark.parametrize(("a", "b"), [(0.02, 0.03), (0.5, 0.5), (2.0, 5.0), (1.0, 1.0)])
def test_beta(a, b):
    x = random.beta(KEY, a, b, (COUNT,), "float64").numpy()
    assert not np.isnan(x).any() and x.min() >= 0 and x.max() <= 1
    moments(x, a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1)))
    if (a, b) == (0.5, 0.5):
        against(x[:5000], lambda v: 2 / math.pi * math.asin(math.sqrt(v)))
    if (a, b) == (1.0, 1.0):
        against(x[:5000], lambda v: v)


@pytest.mark.parametrize("mean", [0.0, 0.2, 3.0, 9.99, 10.0, 35.0, 5000.0, 1e9])
def test_poisson(mean):
    x = random.poisson(KEY, mean, (COUNT // 4,)).numpy()
    assert x.dtype == np.int64 and x.min() >= 0
    moments(x, mean, mean)
    if 0 < mean < 100:  # chi-squared over the values that are expected at least ten times
        values = np.arange(int(mean + 8 * math.sqrt(mean)) + 8)
        expected = x.size * np.array([math.exp(v * math.log(mean) - mean - math.lgamma(v + 1)) for v in values])
        kept = expected > 10
        seen = np.bincount(x, minlength=values.size)[: values.size]
        distance = ((seen - expected)[kept] ** 2 / expected[kept]).sum()
        assert distance < kept.sum() + 5 * math.sqrt(2 * kept.sum())


def test_factorials():
    x = np.concatenate([np.arange(200.0), [1e4, 1e9]])
    found = bt.map_expr(_log_factorial(arg(0, as_dtype("float64"))), bt.asarray(x)).numpy()
    np.testing.assert_allclose(found, [math.lgamma(v + 1) for v in x], 2e-13, 1e-11)


def test_poisson_of_one_mean_does_not_depend_on_the_others():
    mixed = random.poisson(KEY, np.array([0.5, 2.0, 50.0, 1e6]), (100, 4)).numpy()
    for column, mean in enumerate([0.5, 2.0, 50.0, 1e6]):
        alone = random.poisson(KEY, mean, (100, 4)).numpy()
        np.testing.assert_array_equal(mixed[:, column], alone[:, column])


def frequencies(x, p):
    p = np.asarray(p) / np.sum(p)
    seen = np.bincount(x.ravel(), minlength=len(p))
    assert (np.abs(seen - x.size * p) <= 5 * np.sqrt(x.size * p * (1 - p))).all()


def test_categorical():
    p = np.array([[0.1, 0.2, 0.7], [0.5, 0.0, 0.5]])
    with np.errstate(divide="ignore"):
        logits = np.log(p)
    x = random.categorical(KEY, logits, shape=(COUNT // 2, 2)).numpy()
    assert x.dtype == np.int64
    frequencies(x[:, 0], p[0])
    frequencies(x[:, 1], p[1])
    assert (x[:, 1] != 1).all()
    turned = random.categorical(KEY, logits.T, axis=0, shape=(COUNT // 2, 2)).numpy()
    np.testing.assert_array_equal(turned, x)
    assert random.categorical(KEY, logits).shape == (2,)


def test_choice():
    weights = [1.0, 2.0, 0.0, 3.0]
    frequencies(random.choice(KEY, 4, (COUNT,), p=weights).numpy(), weights)
    frequencies(random.choice(KEY, 5, (COUNT,)).numpy(), np.ones(5))
    x = np.arange(12.0).reshape(3, 4)
    assert random.choice(KEY, x, (2, 5), axis=1).shape == (3, 2, 5)
    drawn = random.choice(KEY, x, (3,), replace=False).numpy()
    assert sorted(drawn[:, 0].tolist()) == [0.0, 4.0, 8.0]
    assert random.choice(KEY, 0, (0,)).shape == (0,) and random.choice(KEY, 3).shape == ()


def test_choice_without_putting_back_follows_the_weights():
    weights = np.array([1.0, 2.0, 3.0])
    pairs = np.array([random.choice(k, 3, (2,), False, weights).tolist() for k in random.split(KEY, 1500)])
    assert (pairs[:, 0] != pairs[:, 1]).all()
    frequencies(pairs[:, 0], weights)
    frequencies(pairs[pairs[:, 0] == 2, 1], [1.0, 2.0, 0.0])


def test_orders():
    x = np.arange(24).reshape(6, 4)
    order = random.permutation(KEY, x).numpy()
    assert sorted(map(tuple, order.tolist())) == sorted(map(tuple, x.tolist())) and (order != x).any()
    np.testing.assert_array_equal(random.permutation(KEY, x, axis=1).numpy(), x[:, random.permutation(KEY, 4).numpy()])
    lines = random.permuted(KEY, x).numpy()
    np.testing.assert_array_equal(np.sort(lines, 1), x)
    assert len({tuple(line % 4) for line in lines}) > 1
    first = np.concatenate(
        [random.permuted(k, np.tile(np.arange(4), (50, 1))).numpy()[:, 0] for k in random.split(KEY, 40)]
    )
    frequencies(first, np.ones(4))


@pytest.mark.parametrize(
    "draw",
    [
        random.exponential,
        random.gumbel,
        lambda k, shape: random.gamma(k, 0.5, shape),
        lambda k, shape: random.beta(k, 0.5, 2.0, shape),
        lambda k, shape: random.poisson(k, 30.0, shape),
        lambda k, shape: random.categorical(k, [0.0, 1.0, 2.0], shape=shape),
    ],
)
def test_the_same_bits_for_every_shape(draw):
    long = draw(KEY, (24,)).numpy()
    np.testing.assert_array_equal(draw(KEY, (2, 12)).numpy().ravel(), long)
    np.testing.assert_array_equal(draw(KEY, (7,)).numpy(), long[:7])


def test_known_draws_of_this_version_stay():
    assert random.poisson(KEY, 20.0, (6,)).tolist() == KNOWN_POISSON
    assert random.categorical(KEY, [0.0, 1.0, 2.0], shape=(8,)).tolist() == KNOWN_CLASSES
    np.testing.assert_allclose(random.gamma(KEY, 2.0, (3,), "float64").numpy(), KNOWN_GAMMA, 1e-12)


def test_parameters_broadcast_and_get_no_gradient():
    assert random.gamma(KEY, np.ones((3, 1)), (2, 3, 4)).shape == (2, 3, 4)
    assert random.gamma(KEY, np.ones(3)).dtype == np.float64
    assert random.beta(KEY, np.ones((3, 1)), np.ones(2)).shape == (3, 2)
    assert bt.grad(lambda a: bt.sum(random.gamma(KEY, a)))(np.ones(3)).tolist() == [0.0] * 3
    assert np.isnan(random.gamma(KEY, [-1.0, 0.0]).numpy()).all()
    assert random.exponential(KEY, (2,), "float16").dtype == np.float16


def test_bodies_are_built_once():
    philox.block.cache_clear()
    for _ in range(3):
        random.normal(KEY, (2,)), random.bits(KEY, (2,)), random.fold_in(KEY, 1)
    assert philox.block.cache_info().misses <= 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: random.gamma(KEY, [1.0, 2.0], (3,)), r"gamma: .*broadcast"),
        (
            lambda: random.gamma(KEY, [1.0, 2.0], ()),
            r"gamma: parameters must broadcast to the shape; got \(2,\) for \(\)",
        ),
        (lambda: random.gamma(KEY, 1.0, (3,), "int32"), "dtype must be floating-point; got int32"),
        (lambda: random.beta(KEY, [1.0, 2.0], [1.0, 2.0, 3.0]), "beta: shapes must broadcast"),
        (lambda: random.poisson(KEY, [1.0, -2.0]), r"means must be from 0 to 2\*\*31; got -2.0"),
        (lambda: random.poisson(KEY, float("nan")), "got nan"),
        (lambda: random.categorical(KEY, np.zeros((2, 0))), "at least one class"),
        (lambda: random.categorical(KEY, np.zeros((2, 3)), shape=(3,)), "broadcast"),
        (lambda: random.choice(KEY, 3, (4,), replace=False), r"as many elements as are drawn; got 3 for \(4,\)"),
        (lambda: random.choice(KEY, 0, (1,)), "as many elements as are drawn; got 0"),
        (lambda: random.choice(KEY, 3, (), p=[1.0, 2.0]), r"one weight per element; got \(2,\) for 3"),
        (lambda: random.choice(KEY, 2, (), p=[1.0, -2.0]), r"not negative, and at least 1 above 0; got \[1.0, -2.0\]"),
        (lambda: random.choice(KEY, 3, (2,), False, [1.0, 0.0, 0.0]), "at least 2 above 0"),
        (lambda: random.permuted(KEY, 1.0), "permuted: axis must be in"),
    ],
)
def test_errors(call, says):
    with pytest.raises(BrickworkError, match=says):
        call()
