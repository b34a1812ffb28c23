"""`memory_limit`: who asks, what counts, and what a limit costs when there is none."""

import gc
import re
import threading

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import MemoryLimitError, memory_limit
from brickwork.tensor.memory import ledger

KIB = 1 << 10


@pytest.fixture(autouse=True, scope="module")
def others_set_aside():
    """What the tests before left alive is not walked again by every collection of these."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_left():
    gc.collect()
    before = ledger.in_use
    yield
    gc.collect()
    assert ledger.limit is None and ledger.in_use == before


def over(call, says="memory must stay within the limit"):
    """The call fails; what it held is gone with the error."""
    try:
        call()
    except MemoryLimitError as error:
        assert isinstance(error, MemoryError) and re.search(says, str(error))
    else:
        pytest.fail("DID NOT RAISE MemoryLimitError")


def test_the_error_says_who_how_much_and_the_limit():
    x = bt.zeros((256,))  # before the limit: not counted
    with memory_limit(3 * KIB):
        y = x + 1.0
        z = bt.exp(y)
        assert ledger.in_use == 2 * KIB
        over(
            lambda: bt.concat([y, z]),
            r"concat: memory must stay within the limit; got 2048 bytes more on 2048 in use, of 3072. .*memory_limit",
        )
        z = None
        assert bt.concat([y, y]).shape == (512,)


LARGE = {
    "zeros": lambda x: bt.zeros((32, 32)),
    "ones": lambda x: bt.ones((32, 32)),
    "full": lambda x: bt.full((32, 32), 2.0),
    "empty": lambda x: bt.empty((32, 32)),
    "eye": lambda x: bt.eye(32),
    "arange": lambda x: bt.arange(1000),
    "linspace": lambda x: bt.linspace(0.0, 1.0, 1000),
    "zeros_like": lambda x: bt.zeros_like(x),
    "empty_like": lambda x: bt.empty_like(x),
    "asarray": lambda x: bt.asarray([0.0] * 1000),
    "asarray of another order": lambda x: bt.asarray(np.zeros(1000, ">f4")),
    "Variable w": lambda x: bt.Variable(x, name="w"),
    "add": lambda x: x + x,
    "map": lambda x: x.astype("float64"),
    "sum": lambda x: bt.sum(bt.broadcast_to(x, (64, 32, 32)), 0),
    "matmul": lambda x: x @ x,
    "pad": lambda x: bt.pad(x, 1),
    "reshape": lambda x: bt.reshape(x.T, (1024,)),
    "softmax": lambda x: bt.nn.softmax(x),
    "sort": lambda x: bt.sort(x),
    "iota": lambda x: bt.random.normal(bt.random.key(0), (32, 32)),
    "getitem": lambda x: x[[0] * 32],
    "deepcopy": lambda x: x.__deepcopy__({}),
    "scan": lambda x: bt.scan(lambda c, row: (c, row * 1.0), 0.0, x)[1],
    "gradient": lambda x: bt.grad(lambda t: bt.sum(t * t))(x),
}


@pytest.mark.parametrize("who", LARGE)
def test_every_way_to_allocate_asks(who):
    x = bt.zeros((32, 32))
    with memory_limit(KIB):
        over(lambda: LARGE[who](x))
        assert ledger.in_use == 0
    with memory_limit(64 * KIB):
        made = LARGE[who](x)
        assert ledger.in_use >= made.size * made.dtype.itemsize


def test_views_cost_nothing():
    with memory_limit(5 * KIB):
        x = bt.zeros((32, 32))
        views = [x.T, x[1:], x.reshape(-1), bt.broadcast_to(x, (100, 32, 32)), bt.stop_gradient(x), x[None]]
        assert ledger.in_use == 4 * KIB and all(np.shares_memory(v.numpy(), x.numpy()) for v in views)
        del x
        assert ledger.in_use == 4 * KIB  # the views keep the memory
        del views
        assert ledger.in_use == 0
        shared = bt.asarray(np.zeros(10_000))
        assert ledger.in_use == 0 and shared.size == 10_000


def test_limits_nest_and_end():
    with memory_limit(8 * KIB):
        with memory_limit(KIB):
            over(lambda: bt.zeros(1000))
        assert bt.zeros(1000).size == 1000
        with memory_limit(None):
            assert bt.zeros(100_000).size == 100_000
        over(lambda: bt.zeros(100_000))
    assert bt.zeros(100_000).size == 100_000
    memory_limit(KIB)
    try:
        over(lambda: bt.zeros(1000))
    finally:
        memory_limit(None)
    assert bt.zeros(1000).size == 1000
    for bad in (-1, 1.5, "1GB"):
        with pytest.raises(bt.BrickworkError, match="memory_limit: the number of bytes"):
            memory_limit(bad)


def test_threads_share_a_limit():
    def work():
        for _ in range(200):
            bt.exp(bt.zeros(16))

    with memory_limit(64 * KIB):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gc.collect()
        assert ledger.in_use == 0
