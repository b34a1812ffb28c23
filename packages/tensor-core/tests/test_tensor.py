"""`Tensor` and `Variable` as Python and NumPy meet them."""

import array
import copy
import ctypes
import inspect
import pickle
import signal
import threading
import warnings

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import OPS, Tensor, Variable
from brickwork.tensor.text import summary
from brickwork.tensor.trace import bind

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">="])
def test_operators_on_either_side_of_arrays(op):
    apply = eval(f"lambda a, b: a {op} b")  # noqa: S307 - the operators of a table above
    t, other = bt.asarray(X), X.T[:1].T + 1
    for left, right in ((t, other), (other, t), (t, 2.0), (2.0, t), (t, bt.asarray(other)), (np.float32(2), t)):
        out = apply(left, right)
        assert type(out) is Tensor
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(out.numpy(), apply(np.asarray(left), np.asarray(right)), 1e-6)


def test_bits_and_matmul():
    a, b = np.array([1, 2, 3]), np.array([3, 3, 0])
    t = bt.asarray(a)
    for out, want in (
        (t & b, a & b),
        (b | t, a | b),
        (t ^ 1, a ^ 1),
        (~t, ~a),
        (t << 2, a << 2),
        (8 >> t, 8 >> a),
        (-t, -a),
        (abs(-t), a),
        (a @ t, a @ a),
        (t @ b, a @ b),
    ):
        assert type(out) is Tensor
        np.testing.assert_array_equal(out.numpy(), want)
    with pytest.raises(TypeError):
        t + "text"
    with pytest.raises(TypeError):
        t @ None


def test_one_element_is_a_number():
    assert bool(bt.asarray([2.0])) and not bt.asarray(0)
    assert int(bt.asarray(2.7)) == 2 and float(bt.asarray([1])) == 1.0 and complex(bt.asarray(2.0)) == 2
    assert [10, 20, 30][bt.asarray(1)] == 20
    for call, says in (
        (lambda: bool(bt.asarray(X)), "bool: needs exactly one element; got f32\\[2, 3\\]"),
        (lambda: float(bt.asarray([])), "exactly one"),
        (lambda: [1][bt.asarray(0.0)], "index: needs an integer"),
        (lambda: float(bt.asarray(1j)), "float: needs a real number; got c64"),
        (lambda: int(bt.asarray([1j])), "int: needs a real number"),
        (lambda: bool(bt.zeros(0)), "exactly one"),
        (lambda: len(bt.asarray(1.0)), "len: needs at least one axis"),
        (lambda: list(bt.asarray(1.0)), "at least one axis"),
    ):
        with pytest.raises(bt.BrickworkError, match=says):
            call()


def test_sequence_and_text():
    t = bt.asarray(X)
    assert len(t) == 2 and [row.tolist() for row in t] == X.tolist() and t.size == 6 and t.ndim == 2
    assert repr(bt.asarray([1.0, 2.0])) == "Tensor([1., 2.], dtype=float32)"
    assert repr(Variable([1.0], name="w")) == "Variable(name='w', f32[1], trainable=True)"
    assert len(repr(bt.zeros((1000, 1000)))) < 1000 and "..." in repr(bt.zeros((1000, 1000)))
    assert t.T.shape == (3, 2) and t.mT.shape == (3, 2) and hash(t) == hash(t)


def test_text():
    assert repr(bt.zeros((0, 3), "int8")) == "Tensor([], shape=(0, 3), dtype=int8)"
    assert repr(bt.asarray([])) == "Tensor([], dtype=float32)"
    assert repr(bt.asarray(1.5, "bfloat16")) == "Tensor(1.5, dtype=bfloat16)"
    assert repr(bt.asarray(X)) == "Tensor([[0., 1., 2.],\n        [3., 4., 5.]], dtype=float32)"
    with np.printoptions(precision=2):  # as NumPy prints, by its options
        assert repr(bt.asarray([1 / 3])) == "Tensor([0.33], dtype=float32)"
    assert f"{bt.asarray(2.0):.3f}" == "2.000" and f"{bt.asarray(X)}" == str(bt.asarray(X)) == repr(bt.asarray(X))
    assert "device='other'" in summary(X, "other")
    seen = []
    bt.vmap(lambda x: seen.append((repr(x), x._repr_html_())) or x)(bt.asarray(X))
    assert seen == [("Tensor(<f32[3]>)", None)]


def test_text_in_a_notebook():
    table = bt.asarray(X)._repr_html_()
    assert "float32[2, 3] on cpu" in table and table.count("<tr>") == 2 and table.count("<td") == 6
    long = bt.zeros((100, 100))._repr_html_()
    assert long.count("<tr>") == 11 and long.count("<td") == 121 and long.count("…") == 21
    assert "<pre>" in bt.zeros((2, 2, 2))._repr_html_() and "<pre>[]" in bt.zeros(0)._repr_html_()
    assert ">1+2j<" in bt.asarray([1 + 2j])._repr_html_() and ">True<" in bt.asarray([True])._repr_html_()


def test_numpy_at_the_left_and_in_place():
    t = bt.asarray(X)
    for out in (X + t, X @ t.T, X < t, np.float32(2) * t, X**t):
        assert type(out) is Tensor
    total = array = X.copy()
    total += t  # the name is bound to a tensor; the array stays
    assert type(total) is Tensor and total.tolist() == (2 * X).tolist() and array.tolist() == X.tolist()
    assert type(np.exp(t)) is np.ndarray and type(np.add(X, t)) is np.ndarray  # NumPy's own functions give arrays
    for name in ("sum", "mean", "max", "min", "any", "all"):  # those that hand on to the method of their name
        out = getattr(np, name)(t, axis=0)
        assert type(out) is Tensor and out.tolist() == getattr(np, name)(X, axis=0).tolist()
    assert np.sum(t, dtype="float64").dtype == np.float64 and np.transpose(t).shape == (3, 2)
    assert np.reshape(t, (3, 2)).shape == (3, 2) and np.stack([t, t]).shape == (2, 2, 3) and np.std(t) == np.std(X)
    with pytest.raises(TypeError, match="sum: a result is a tensor of its own"):
        np.sum(t, axis=0, out=np.zeros(3))


def test_arrays_for_numpy():
    t, v = bt.asarray(X), Variable(X)
    assert np.asarray(t) is X and t.__array__(np.float32) is X and t.__array__(copy=False) is X
    assert not np.shares_memory(t.__array__(copy=True), X) and t.__array__(np.int8).dtype == np.int8
    for call in (lambda: t.__array__(np.float64, copy=False), lambda: v.__array__(copy=False)):
        with pytest.raises(ValueError, match="__array__: without copy"):
            call()
    np.asarray(v)[:] = 9.0
    assert v.numpy().tolist() == X.tolist()
    view = np.from_dlpack(v)  # who writes v in place takes a copy first
    v.assign(X + 1.0)
    assert v.shared and view.tolist() == X.tolist()


def test_hash_is_identity():
    a, b = bt.asarray(1.0), bt.asarray(1.0)
    assert hash(a) != hash(b) and {a: "x"}[a] == "x" and len({a, b, a}) == 2


def test_pickle_and_copy():
    t, v = bt.asarray(X), Variable(X, name="w", trainable=False)
    for again in (pickle.loads(pickle.dumps(t)), copy.copy(t), copy.deepcopy(t)):  # noqa: S301 - our own bytes
        assert type(again) is Tensor and again.tolist() == X.tolist() and again.dtype == t.dtype
    other = pickle.loads(pickle.dumps(v))  # noqa: S301 - our own bytes
    assert (type(other), other.name, other.trainable) == (Variable, "w", False)
    other.assign(X + 1)
    assert v.numpy().tolist() == X.tolist()
    assert np.shares_memory(copy.copy(t).numpy(), X) and not np.shares_memory(copy.deepcopy(t).numpy(), X)
    for again in (copy.copy(v), copy.deepcopy(v)):
        assert (type(again), again.name, again.trainable, again.tolist()) == (Variable, "w", False, X.tolist())
        assert not np.shares_memory(again.data, v.data)
    both = copy.deepcopy([t, t, v, v])
    assert both[0] is both[1] and both[2] is both[3]
    for dtype in ("bfloat16", "float8_e5m2", "complex64", "bool"):
        x = bt.asarray([0, 1]).astype(dtype)
        assert pickle.loads(pickle.dumps(x)).spec == x.spec  # noqa: S301 - our own bytes


@pytest.mark.parametrize("kind", [Tensor, Variable])
def test_dlpack_as_asked(kind):
    t = kind(X)
    names = list(inspect.signature(bt.asarray(X).__dlpack__).parameters)
    assert names == ["stream", "max_version", "dl_device", "copy"]
    for asked in ({}, {"copy": True}, {"copy": False, "dl_device": (1, 0), "max_version": (1, 0), "stream": None}):
        assert "dltensor" in repr(t.__dlpack__(**asked))
    copied = np.from_dlpack(t, copy=True)
    np.testing.assert_array_equal(copied, X)
    assert not np.shares_memory(copied, t.data)
    with pytest.raises((BufferError, ValueError)):
        t.__dlpack__(dl_device=(2, 0))


def test_buffers_keep_their_dtype_and_memory():
    for made, dtype in (
        (array.array("d", [1, 2]), "float64"),
        (memoryview(b"\1\2"), "uint8"),
        (bytearray(b"\1\2"), "uint8"),
        ((ctypes.c_int16 * 2)(1, 2), "int16"),
    ):
        t = bt.asarray(made)
        assert t.dtype == dtype and t.tolist() == [1, 2]
        assert np.shares_memory(t.numpy(), np.asarray(made)) and bt.asarray(made, copy=False).tolist() == [1, 2]
        assert not np.shares_memory(bt.asarray(made, copy=True).numpy(), np.asarray(made))
        assert bt.asarray(made, "float32").dtype == np.float32
    with pytest.raises(bt.DTypeError, match="asarray: values must be numbers"):
        bt.asarray(b"text")


def test_integers_beyond_int64():
    long = 2**63 + 1
    assert bt.asarray([0, long], "uint64").tolist() == [0, long]
    assert bt.asarray([[1, long]], "float64").tolist() == [[1.0, 2.0**63]]
    for values, dtype in (([0, long], None), ([long], None), ([-1, long], None), ([-1, long], "uint64")):
        with pytest.raises(bt.DTypeError, match=r"asarray: values must fit u?int64"):
            bt.asarray(values, dtype)
    assert bt.asarray([0.5, 1e30, float("nan")]).dtype == np.float32


def test_matrix_transpose_of_a_vector_is_refused():
    assert bt.ones((2, 3, 4)).mT.shape == (2, 4, 3)
    with pytest.raises(bt.ShapeError, match="matrix_transpose: needs at least two axes"):
        _ = bt.ones(3).mT


def test_numpy_and_dlpack_share_memory():
    t = bt.asarray(X)
    assert t.numpy() is X and np.shares_memory(np.asarray(t), X) and np.shares_memory(np.from_dlpack(t), X)
    assert t.__dlpack_device__() == (1, 0)
    assert not np.shares_memory(np.array(t), X) and np.asarray(t, "float64").dtype == np.float64

    class Foreign:
        shape, dtype = X.shape, "not NumPy's"

        def __dlpack__(self, **options):
            return X.__dlpack__(**options)

        def __dlpack_device__(self):
            return X.__dlpack_device__()

    assert np.shares_memory(bt.asarray(Foreign()).numpy(), X)


def test_results_are_arrays_of_their_own():
    x = np.ones(3)
    for fn in (lambda t: +t, bt.abs, bt.round, lambda t: bt.sum(t, ()), lambda t: bt.max(t, ())):
        for source in (x, np.ones(3, np.uint8)):
            assert not np.shares_memory(fn(bt.asarray(source)).numpy(), source)
    for name, numbers in (("exp", (0.0,)), ("add", (1.0, 2.0)), ("where", (True, 1.0, 2.0))):
        assert bind(OPS[name], numbers).dtype == np.float32
    assert type(bt.add(1.0, 2.0).data) is np.ndarray and type(bt.sum(x).data) is np.ndarray


def test_no_warning_whatever_the_values():
    bad = np.array([0.0, -1.0, 1e38, np.inf, np.nan], np.float32)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        t = bt.asarray(bad)
        _ = (
            t / 0.0,
            bt.log(t),
            bt.exp(t * 10.0),
            t * t,
            bt.sum(t),
            bt.mean(t[:0]),
            t @ t,
            t.astype("int32"),
            bt.var(t[:1]),
        )
        _ = bt.asarray(bad, "int8"), bt.nn.softmax(t), bt.asarray([1e300], "float32")
        with pytest.raises(FloatingPointError):  # the caller's own setting is untouched
            np.divide(bad, 0.0)


def test_ops_in_threads_and_in_a_signal_handler():
    seen = []
    threads = [threading.Thread(target=lambda: seen.append((bt.asarray(X) / 0.0).shape)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [(2, 3)] * 4
    if hasattr(signal, "setitimer"):  # a handler runs between the steps of an op that is written in Python
        old = signal.signal(signal.SIGALRM, lambda *_: seen.append(bt.nn.softmax(bt.exp(X)).shape))
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)
            for _ in range(300):
                bt.nn.gelu(bt.zeros((20, 20)))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, old)
        assert len(seen) > 4


def test_assign():
    v = Variable([1.0, 2.0], name="w")
    assert v.assign([3, 4]) is v and v.numpy().tolist() == [3.0, 4.0] and v.dtype == np.float32
    assert v.assign_add(1.0).assign_sub([0.5, 1.5]).numpy().tolist() == [3.5, 3.5]
    with pytest.raises(bt.ShapeError, match=r"assign: w must keep its shape \(2,\); got \(3,\)"):
        v.assign([1.0, 2.0, 3.0])
    with pytest.raises(bt.DTypeError, match="assign: w must keep its dtype float32; got float64"):
        v.assign(np.zeros(2))
    with pytest.raises(bt.DTypeError):
        v.assign("text")
    assert v.numpy().tolist() == [3.5, 3.5]


def test_values_read_before_an_assignment_stay():
    source = np.array([1.0, 2.0], np.float32)
    v = Variable(source)
    before, copied, kept = v.value, v.numpy(), +v
    assert v.shared  # who writes in place must take a copy first: `before` is the same memory
    v.assign([5.0, 6.0])
    assert before.tolist() == copied.tolist() == kept.tolist() == source.tolist() == [1.0, 2.0]
    given = np.array([7.0, 8.0], np.float32)
    v.assign(given)
    assert v.shared and v.numpy().tolist() == [7.0, 8.0]
    v.numpy()[0] = 0.0
    assert v.numpy()[0] == 7.0
    fresh = Variable(source)
    assert not fresh.shared and not np.shares_memory(fresh.data, source)
    _ = fresh * 2.0, bt.sum(fresh), +fresh, fresh.numpy()
    assert not fresh.shared  # results of their own hand out nothing
    fresh.reshape((2, 1))
    assert fresh.shared
