"""Random numbers: known answers, statistics, and the same bits whatever asks for them."""

import math

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import random
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.expr import arg

U32 = NAMES["uint32"]
KEY = random.key(42)
COUNT = 200_000
# philox2x32-10 in kat_vectors of Random123 (Salmon, Moraes, Dror and Shaw 2011): counter, key, block
KNOWN = [
    ((0x00000000, 0x00000000), 0x00000000, (0xFF1DAE59, 0x6CD10DF2)),
    ((0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFF, (0x2C3F628B, 0xAB4FD7AD)),
    ((0x243F6A88, 0x85A308D3), 0x13198A2E, (0xDD7CE038, 0xF62A4C12)),
]


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN)
def test_philox_gives_the_known_answers(counter, key, block):
    words = random.philox(*(arg(k, U32) for k in range(3)))
    operands = [bt.asarray(np.array(v, np.uint32)) for v in (*counter, key)]
    assert tuple(bt.map_expr(w, *operands).item() for w in words) == block


def test_bits_are_words_of_blocks_by_position():
    first, stream = KEY.numpy()
    words = random.philox(*(arg(k, U32) for k in range(3)))
    place = np.arange(6, dtype=np.uint32)
    expected = bt.map_expr(words[0], *map(bt.asarray, (place, stream, first))).numpy()
    np.testing.assert_array_equal(random.bits(KEY, (2, 3)).numpy().ravel(), expected)
    assert random.bits(KEY).item() == expected[0]


@pytest.mark.parametrize(
    "draw", [random.uniform, random.normal, random.bits, random.bernoulli, random.truncated_normal]
)
def test_the_same_bits_for_every_shape(draw):
    long = draw(KEY, shape=(24,)).numpy()
    for shape in ((2, 12), (4, 3, 2), (24, 1)):
        np.testing.assert_array_equal(draw(KEY, shape=shape).numpy().ravel(), long)
    np.testing.assert_array_equal(draw(KEY, shape=(7,)).numpy(), long[:7])
    np.testing.assert_array_equal(draw(random.key(42), shape=(24,)).numpy(), long)


def test_numbers_of_this_version_stay():
    """Saved seeds must mean the same tomorrow."""
    assert random.key(7).tolist() == random.key(7 + 2**64).tolist() == [1415881194, 2054109170]
    assert random.bits(KEY, (4,)).tolist() == [2307059682, 3652982343, 385281817, 71601604]


def moments(x, mean, stddev):
    error = stddev / math.sqrt(x.size)
    assert abs(x.mean() - mean) < 5 * error
    assert abs(x.std() - stddev) < 5 * error


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform(dtype):
    x = random.uniform(KEY, (COUNT,), dtype).numpy()
    assert x.dtype == dtype and x.min() >= 0 and x.max() < 1
    moments(x, 0.5, math.sqrt(1 / 12))
    counts = np.histogram(x, 64, (0, 1))[0]
    assert ((counts - COUNT / 64) ** 2 / (COUNT / 64)).sum() < 120  # chi-squared with 63 degrees: beyond 1 in 10**5
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / math.sqrt(COUNT)
    y = random.uniform(KEY, (COUNT,), dtype, -2.0, 6.0).numpy()
    moments(y, 2.0, 8 * math.sqrt(1 / 12))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal(dtype):
    x = random.normal(KEY, (COUNT,), dtype).numpy()
    assert x.dtype == dtype
    moments(x, 0.0, 1.0)
    for z in (-1.5, -0.5, 0.5, 1.5):
        share = 0.5 * (1 + math.erf(z / math.sqrt(2)))
        assert abs((x < z).mean() - share) < 5 * math.sqrt(share * (1 - share) / COUNT)
    moments(random.normal(KEY, (COUNT,), dtype, 3.0, 2.0).numpy(), 3.0, 2.0)


def test_truncated_normal():
    x = random.truncated_normal(KEY, (COUNT,), stddev=0.5, mean=1.0).numpy()
    assert x.min() >= 0.0 and x.max() <= 2.0
    density = math.exp(-2) / math.sqrt(2 * math.pi)
    variance = 1 - 4 * density / math.erf(math.sqrt(2))  # of a normal cut at two deviations
    moments(x, 1.0, 0.5 * math.sqrt(variance))
    assert (np.abs(x - 1) == 1).mean() < 1e-5


def test_bernoulli_and_randint():
    x = random.bernoulli(KEY, 0.3, (COUNT,)).numpy()
    assert x.dtype == bool and abs(x.mean() - 0.3) < 5 * math.sqrt(0.21 / COUNT)
    dice = random.randint(KEY, (COUNT,), 1, 7).numpy()
    assert dice.dtype == np.int64 and set(dice.tolist()) == set(range(1, 7))
    assert abs(np.bincount(dice)[1:] - COUNT / 6).max() < 5 * math.sqrt(COUNT / 6)
    wide = random.randint(KEY, (1000,), -(2**31), 2**31).numpy()
    assert wide.min() < -(2**30) and wide.max() > 2**30


def test_permutation():
    order = random.permutation(KEY, 1000).numpy()
    assert sorted(order.tolist()) == list(range(1000)) and (order != np.arange(1000)).mean() > 0.98
    first = [random.permutation(k, 4).tolist()[0] for k in random.split(KEY, 2000)]
    assert abs(np.bincount(first) - 500).max() < 100
    assert random.permutation(KEY, 0).shape == (0,)


def test_keys_are_distinct():
    keys = [*random.split(KEY, 500).tolist(), *(random.fold_in(KEY, n).tolist() for n in range(500, 700)), KEY.tolist()]
    keys += [random.key(seed, stream).tolist() for seed in range(30) for stream in range(10)]
    assert len(set(map(tuple, keys))) == len(keys)
    draws = {tuple(random.bits(k, (3,)).tolist()) for k in random.split(KEY, 300)}
    assert len(draws) == 300


def test_a_seed_generator_never_repeats_and_restarts_from_its_state():
    generator = random.SeedGenerator(5)
    seen = [tuple(generator.next().tolist()) for _ in range(20)]
    assert len(set(seen)) == 20 and not generator.state.trainable
    other = random.SeedGenerator(5)
    state = other.state.numpy()
    assert tuple(other.next().tolist()) == seen[0]
    other.state.assign(state)
    assert tuple(other.next().tolist()) == seen[0]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: random.bits([1, 2], (3,)), r"a key is uint32\[2\]; got i64\[2\]"),
        (lambda: random.uniform(KEY, (2**17, 2**17)), "at most 2\\*\\*32 numbers"),
        (lambda: random.randint(KEY, (3,), 5, 5), "low must be below high"),
        (lambda: random.key("text"), "the seed must be an integer"),
        (lambda: random.uniform(KEY, (-1,)), "at least 0; got -1"),
    ],
)
def test_errors(call, says):
    with pytest.raises(bt.BrickworkError, match=says):
        call()
