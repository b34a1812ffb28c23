"""`Program`: the steps of an expression on arrays; in blocks the bits are the same."""

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import OPS, Elementwise
from brickwork.tensor import program as rooms
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.expr import apply, arg, const
from brickwork.tensor.program import Program, evaluate, program_of

F32, BOOL = NAMES["float32"], NAMES["bool"]
COMPUTED = sorted(n for n, op in OPS.items() if isinstance(op, Elementwise) and hasattr(op, "body"))


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int32", "complex64"])
@pytest.mark.parametrize("name", COMPUTED)
def test_blocks_give_the_same_bits(name, dtype, monkeypatch):
    op, kind = OPS[name], NAMES[dtype]
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.1, 3.0, (7, 33)).astype(kind) for _ in range(op.arity)]
    try:
        program = Program(op.expr(*(a.dtype for a in arrays)))
    except bt.DTypeError:
        return  # the op does not take the dtype
    with np.errstate(all="ignore"):
        whole = program(*arrays)
        with monkeypatch.context() as patch:
            patch.setattr(rooms, "LARGE", 1)
            patch.setattr(rooms, "BLOCK", 20)
            pieces = program(*arrays)
            scalar = program(arrays[0], *(a[0, 0].reshape(()) for a in arrays[1:]))
        assert pieces.tobytes() == whole.tobytes() and (pieces.shape, pieces.dtype) == (whole.shape, whole.dtype)
        assert scalar.tobytes() == program(arrays[0], *(a[0, 0].reshape(()) for a in arrays[1:])).tobytes()


def test_blocks_only_where_arrays_lie_alike(monkeypatch):
    monkeypatch.setattr(rooms, "LARGE", 1)
    x, y = arg(0, F32), arg(1, F32)
    body = apply("tanh", x * y + 1.0)
    a = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    for left, right in ((a, a[:1]), (a.T, a.T), (a[:, ::2], a[:, ::2]), (a, np.float32(2.0)), (a[:1], a)):
        np.testing.assert_array_equal(evaluate(body, [left, right]), np.tanh(left * right + np.float32(1.0)))
    assert evaluate(body, [np.zeros((0, 3), np.float32)] * 2).shape == (0, 3)


def test_places_are_shared():
    """A chain of any length needs one place beside its constants, so one array beside its operand."""
    body = arg(0, F32)
    for _ in range(20):
        body = apply("exp", -body)
    program = program_of(body)
    assert len(program.steps) == 40 and len(program.places) == 1
    assert program_of(body) is program
    twice = arg(0, F32) + 1.0
    square = twice * twice
    assert evaluate(square - twice, [np.float32([1.0, 2.0])]).tolist() == [2.0, 6.0]


def test_blocks_write_where_the_result_is_unless_a_value_may_be_a_view():
    x = arg(0, F32)
    assert Program(1.0 / (1.0 + apply("exp", -x))).into == (True,) * 4
    assert Program(apply("exp", x).cast(NAMES["int32"])).into == (False, False)
    bits = apply("exp", x).bitcast(NAMES["int32"])  # a view of the power, which is read after it
    both = ((bits + 1).cast(F32) + apply("exp", x) * 2.0) * bits.cast(F32)
    assert not any(Program(both).into[:-1])


def test_leaves_and_constants():
    x = np.float32([1.0, 2.0])
    assert not np.shares_memory(evaluate(arg(0, F32), [x]), x)
    assert evaluate(const(2.0, F32), []) == 2.0 and evaluate(const(2.0, F32) + 1.0, []).dtype == F32
    assert evaluate(const(2.0, F32) * arg(0, F32), [x]).tolist() == [2.0, 4.0]
    assert evaluate(arg(0, F32).cast(NAMES["int8"]), [x]).dtype == np.int8
    z = np.complex64([1 + 2j])
    assert evaluate(arg(0, z.dtype).cast(F32), [z]).tolist() == [1.0]
    assert evaluate(apply("isnan", arg(0, F32)), [x]).dtype == BOOL


def test_large_results_are_arrays_of_their_own():
    x = np.ones(rooms.LARGE, np.float32)
    for fn in (bt.nn.sigmoid, bt.nn.gelu, bt.nn.softmax, bt.exp, lambda t: bt.clip(t, 0.0, 1.0), lambda t: t + 0.0):
        out = fn(bt.asarray(x)).numpy()
        assert not np.shares_memory(out, x) and out.flags.writeable
    assert x.tolist() == [1.0] * rooms.LARGE
    assert bt.tanh(bt.asarray(x)).tolist() == np.tanh(x).tolist()
