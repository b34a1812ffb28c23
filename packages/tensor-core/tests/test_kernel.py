"""The waist: what `check` refuses, and what `interpret` says a kernel means."""

from dataclasses import replace

import numpy as np
import pytest

from brickwork.tensor.dim import symbol
from brickwork.tensor.dtypes import float32, int64
from brickwork.tensor.expr import acc, apply, arg, const, index, size_value
from brickwork.tensor.kernel import Guard, Kernel, KernelError, Read, Stage, Write, identity, interpret

X, N = arg(0, float32), symbol("n")
SOFTMAX = Kernel(
    (N, 4),
    1,
    (Read(0, float32, 0, (4, 1)),),
    (
        Stage((1,), X, "maximum"),
        Stage((1,), apply("exp", X - acc(0, float32)), "add"),
        Stage((1,), apply("exp", X - acc(0, float32)) / acc(1, float32), write=Write(1, float32, 0, (4, 1))),
    ),
)


def copy(read, axes=(3,), body=X):
    """A kernel of one writing stage over its outer axes."""
    strides = tuple(int(np.prod(axes[a + 1 :])) for a in range(len(axes)))
    return Kernel(axes, len(axes), (read,), (Stage((), body, write=Write(1, body.dtype, 0, strides)),))


def test_softmax_over_a_symbolic_number_of_rows():
    SOFTMAX.check()
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    out = np.zeros(12, np.float32)
    interpret(SOFTMAX, {0: x.ravel(), 1: out}, {"n": 3})
    powers = np.exp(x - x.max(1, keepdims=True))
    np.testing.assert_allclose(out.reshape(3, 4), powers / powers.sum(1, keepdims=True), 1e-6)


def test_a_guarded_read_gives_its_fill():
    kernel = copy(Read(0, float32, -1, (1,), (Guard((1,), -1, 3),), fill=7.0), (5,))
    kernel.check()
    out = np.zeros(5, np.float32)
    interpret(kernel, {0: np.array([1, 2, 3], np.float32), 1: out})
    np.testing.assert_array_equal(out, [7, 1, 2, 3, 7])


def test_positions_and_sizes_are_values():
    out = np.zeros(3, np.int64)
    interpret(
        copy(Read(0, float32, 0, (0,)), (3,), index(0) * 10 + size_value(N)), {0: np.zeros(1, "f"), 1: out}, {"n": 4}
    )
    np.testing.assert_array_equal(out, [4, 14, 24])


@pytest.mark.parametrize("combine", ["add", "mul", "maximum", "minimum"])
def test_nothing_combined_is_the_identity(combine):
    stages = (Stage((1,), X, combine), Stage((), acc(0, float32), write=Write(1, float32, 0, (1, 0))))
    kernel = Kernel((2, 0), 1, (Read(0, float32, 0, (0, 1)),), stages)
    kernel.check()
    out = np.full(2, 5, np.float32)
    interpret(kernel, {0: np.zeros(0, np.float32), 1: out})
    assert (out == identity(combine, float32)).all()
    assert identity(combine, int64) == {"add": 0, "mul": 1, "maximum": -(2**63), "minimum": 2**63 - 1}[combine]


BROKEN = {
    "a stride per axis": replace(SOFTMAX, reads=(Read(0, float32, 0, (4,)),)),
    "a coefficient per axis": replace(SOFTMAX, reads=(Read(0, float32, 0, (4, 1), (Guard((1,), 0, 3),)),)),
    "either combine or write": replace(SOFTMAX, stages=(Stage((1,), X),)),
    "loop over inner axes": replace(SOFTMAX, stages=(Stage((0,), X, "add"),)),
    "its own dtype": replace(SOFTMAX, stages=(Stage((1,), X, write=Write(1, int64, 0, (4, 1))),)),
    "its read's dtype": replace(SOFTMAX, stages=(Stage((1,), arg(0, int64), "add"),)),
    "acc 1 too early": replace(SOFTMAX, stages=(Stage((1,), acc(1, float32), "add"), SOFTMAX.stages[0])),
    "reads the index of axis 1": replace(SOFTMAX, stages=(Stage((), index(1), "add"),)),
    "must not depend on other stages' axes": replace(SOFTMAX, stages=(Stage((), X, "add"),)),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_check_names_the_broken_rule(rule):
    with pytest.raises(KernelError, match=rule):
        BROKEN[rule].check()


def test_constants_differ_by_bits_and_dtype():
    assert const(0.0, float32) is not const(-0.0, float32)
    assert const(0, int64) is not const(0, float32)
    assert const(1.0, float32) is const(1, float32)
    assert X + 1.0 is X + 1.0
    assert repr(X + 1.0).count("add") == 1
