"""A result lies where something lay that its own kernel reads last, and only at the element that it writes."""

import numpy as np
import pytest
from test_random import planned

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.graph.reuse import written_over
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.expr import acc, arg
from brickwork.tensor.kernel import Guard, Kernel, Read, Stage, Write

F = NAMES["float32"]
ROW = (8, 1)


def elementwise(read=ROW, write=ROW, offset=0, guards=(), axes=(4, 8), outer=2, dtype="float32", before=(), after=()):
    """Value 9 of value 1, and of value 2, which lies as 9 does."""
    read = Read(1, NAMES[dtype], offset, read, guards)
    reads = (read, Read(2, F, 0, write))
    body = arg(0, NAMES[dtype]).cast(F) + arg(1, F)
    return Kernel(axes, outer, reads, (*before, Stage((), body, None, Write(9, F, 0, write)), *after))


def test_the_first_that_is_read_where_it_is_written():
    assert written_over(elementwise(), 9, [1, 2]) == 1
    assert written_over(elementwise(), 9, [2, 1]) == 2
    assert written_over(elementwise(), 9, []) is None


@pytest.mark.parametrize(
    "case",
    [
        {"read": (1, 4)},  # turned
        {"read": (0, 1)},  # one row for all
        {"offset": 1},
        {"guards": (Guard((1, 0), -1, 4),)},
        {"dtype": "float64"},
    ],
)
def test_not_what_is_read_elsewhere(case):
    assert written_over(elementwise(**case), 9, [1]) is None
    assert written_over(elementwise(**case), 9, [1, 2]) == 2


def test_not_what_a_loop_reads_nor_before_one():
    axes, wide = (4, 8, 3), (8, 1, 0)
    total = Stage((2,), arg(0, F), "add")
    assert written_over(elementwise(wide, wide, axes=axes, before=(total,)), 9, [1]) is None
    assert written_over(elementwise(wide, wide, axes=axes, before=(total,)), 9, [2]) == 2
    later = Stage((2,), arg(1, F), None, Write(10, F, 0, (24, 3, 1)))
    assert written_over(elementwise(wide, wide, axes=axes, after=(later,)), 9, [1, 2]) is None
    assert written_over(elementwise((0, 1), (0, 1)), 9, [1, 2]) is None, "written once for each row"
    twice = Stage((), acc(0, F), None, Write(9, F, 0, wide))
    assert written_over(elementwise(wide, wide, axes=axes, before=(total, twice)), 9, [2]) is None


def chain(x):
    """Each step is stored, since sorting runs by Python; what is made of it lies over it."""
    for _ in range(4):
        x = bt.tanh(bt.sort(x, axis=0) * 0.5 + bt.flip(x, 1))
    return bt.sort(x, axis=0)


def test_a_chain_takes_few_places_and_keeps_its_numbers():
    x = np.random.default_rng(0).normal(size=(64, 32)).astype("f")
    np.testing.assert_allclose(function(chain)(x).numpy(), chain(bt.asarray(x)).numpy(), rtol=1e-5, atol=1e-6)

    class Program:
        inputs = (x,)

        def __call__(self, x):
            return (chain(x),)

    _, plan = planned(Program())
    over = [
        (read.source, write.target)
        for step in plan.kernels
        for write in step.writes
        for read in step.reads
        if plan.places[write.target].where == "arena" and plan.places[read.source] == plan.places[write.target]
    ]
    assert len(over) >= 3, "of four"
    assert plan.arena == 2 * x.nbytes
