"""`lower` and what it gives at each stage; static and donated arguments."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import DonatedError, function, spec
from brickwork.graph.text import parse_graph
from brickwork.tensor.errors import DTypeError, ShapeError, TraceError


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


class Pair(NamedTuple):
    first: object
    second: object


@dataclass
class Box:
    inside: object


# ---- stages ----------------------------------------------------------------------------------------------------------


def test_each_stage_can_be_looked_at():
    f = function(lambda a, b: bt.nn.relu(a @ b) * 2.0 + 0.0)
    lowered = f.lower(spec((3, 4)), spec((4, 5)))
    assert (
        parse_graph(lowered.text()) == lowered.graph and parse_graph(lowered.text(optimized=True)) == lowered.optimized
    )
    assert len(lowered.optimized.nodes) < len(lowered.graph.nodes)
    (work,) = lowered.kernels()
    assert work.title.startswith("matmul + relu") and work.flops >= 2 * 3 * 4 * 5
    assert work.nbytes == 4 * (12 + 20 + 15) and "over 3 x 5, each 4" in str(work)
    assert "define i64 @brickwork_run(" in lowered.llvm() and str(lowered) == lowered.text()
    a, b = normal(3, 4), normal(4, 5)
    program = lowered.compile()
    np.testing.assert_allclose(program(a, b).numpy(), np.maximum(a @ b, 0) * 2, rtol=1e-5)
    assert f.explain() == [], "lowering is not a call: the function has no variant from it"
    assert [w.title for w in program.kernels()] == [work.title] and program.llvm() == lowered.llvm()
    assert program.graph == lowered.optimized and str(program.memory()).startswith("arguments")


def test_arrays_and_specs_lower_alike():
    f = function(lambda tree: tree["a"] + tree["b"][0])
    by_array = f.lower({"a": normal(3), "b": [normal(3)]})
    by_spec = f.lower({"a": spec(3), "b": [spec((3,))]})
    assert by_array.graph == by_spec.graph


def test_a_compiled_program_keeps_the_types_of_the_tree():
    f = function(lambda p, box: Pair(p.first + box.inside, {"x": [p.second]}))
    program = f.lower(Pair(normal(2), normal(3)), Box(normal(2))).compile()
    out = program(Pair(normal(2), normal(3)), Box(normal(2)))
    assert type(out) is Pair and out.second["x"][0].shape == (3,)


def test_an_open_batch_is_lowered_by_name():
    program = function(lambda x: bt.sum(x, axis=0)).lower(spec((None, 3))).compile()
    for n in (1, 5, 17):
        np.testing.assert_allclose(program(normal(n, 3)).numpy(), normal(n, 3).sum(0), rtol=1e-4, atol=1e-5)
    memory = program.memory()
    assert (
        memory.at(N=10).arguments == 120
        and memory.at(N=10).peak == memory.at(N=10).arguments + memory.at(N=10).arena + 12
    )
    assert "12*N B" in str(memory)


def test_specs_say_what_is_wrong():
    with pytest.raises(ShapeError, match="only axis 0 may be open"):
        spec((2, "N"))
    with pytest.raises(ShapeError, match="spec: a size must be at least 0"):
        spec((-1,))
    with pytest.raises(DTypeError):
        spec((1,), "float3")
    with pytest.raises(TraceError, match="only axis 0 may be open, and by a name alone"):
        function(lambda x: x).lower(bt.TensorSpec((3, bt.Dim(((("N",), 1),))), np.dtype("float32")))


def test_memory_counts_each_kind():
    w = bt.Variable(normal(4, 4), name="w")
    table = normal(8, 4)

    @function
    def f(x):
        h = bt.exp(x @ w.value)
        y = h / bt.sum(h) + bt.asarray(table)
        w.assign(w.value * 0.5)
        return y @ w.value

    f(normal(8, 4))
    memory = f.memory()
    assert (memory.arguments, memory.constants, memory.variables, memory.results) == (128, 128, 64, 128)
    assert memory.arena > 0 and memory.peak == 128 + 128 + 64 + 128 + memory.arena
    assert f.explain()[0].memory == memory


def test_what_was_not_compiled_yet_says_so():
    f = function(lambda x: x + 1.0)
    for ask in (f.graph, f.llvm, f.memory, f.to_svg, f.to_dot):
        with pytest.raises(
            TraceError, match=r"a variant must have been compiled; got number 0 of 0\. Call the function"
        ):
            ask()


# ---- static ----------------------------------------------------------------------------------------------------------


def test_static_arguments_by_position_and_by_name():
    calls = []

    @function(static_argnums=1)
    def power(x, n):
        calls.append(n)
        return x ** float(n)

    x = normal(3)
    np.testing.assert_allclose(power(x, 2).numpy(), x**2, rtol=1e-6)
    np.testing.assert_allclose(power(x, 3).numpy(), x**3, rtol=1e-5)
    power(x, 2)
    assert calls == [2, 3], "one trace for each value"
    np.testing.assert_allclose(power(x, n=2).numpy(), x**2, rtol=1e-6)
    named = function(lambda x, kind: x + 1.0 if kind == "up" else x - 1.0, static_argnames="kind")
    assert named(x, "up").tolist() == named(x, kind="up").tolist() == (x + 1).tolist()
    np.testing.assert_allclose(named(x, "down").numpy(), x - 1)
    program = named.lower(spec(3), "up").compile()
    assert program(x).tolist() == (x + 1).tolist(), "static arguments are compiled in, and not passed again"


def test_static_values_that_python_equates_are_told_apart():
    f = function(lambda x, flag: x * (2.0 if flag is True else 3.0), static_argnums=(1,))
    assert f(normal(1), True).item() == pytest.approx(2 * normal(1).item())
    assert f(normal(1), 1).item() == pytest.approx(3 * normal(1).item())


def test_declarations_that_do_not_fit():
    with pytest.raises(TraceError, match="static_argnums must be positions of arguments; got 2 for 1"):
        function(lambda x: x, static_argnums=2)
    with pytest.raises(TraceError, match="can not be donated; got 0, x as both"):
        function(lambda x: x, static_argnums=0, donate_argnames="x")
    with pytest.raises(TraceError, match="hashable"):
        function(lambda x, y: x, static_argnums=1)(normal(2), [1])
    with pytest.raises(TraceError, match='debug must be True, False or "nan"'):
        function(lambda x: x, debug="all")


# ---- donation --------------------------------------------------------------------------------------------------------


def test_a_donated_tensor_gives_its_memory_to_the_result():
    f = function(lambda x, y: x * 2.0 + y, donate_argnums=0)
    for n in (3, 100_000):  # staged, and where it lies
        x, y = bt.asarray(normal(n)) + 0.0, bt.asarray(normal(n, seed=1)) + 0.0
        address, want = x.data.ctypes.data, x.numpy() * 2 + y.numpy()
        out = f(x, y)
        np.testing.assert_allclose(out.numpy(), want, rtol=1e-6)
        assert out.data.ctypes.data == address
        with pytest.raises(DonatedError, match=rf"<lambda>: a donated argument .* f32\[{n}\] again. Use the result"):
            x + 1.0
        assert y.shape == (n,) and x.shape == (n,)
    assert f.memory(0).results == 0 and f.memory(0).arguments == 24


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x.numpy(), lambda x: x[0], lambda x: bt.sum(x), lambda x: x @ x, lambda x: bt.reshape(x, (2, 2)),
        lambda x: bt.sort(x), lambda x: np.asarray(x), lambda x: function(lambda v: v + 1.0)(x),
        lambda x: bt.linalg.det(bt.reshape(x, (2, 2))),
        lambda x: function(lambda: x + 1.0)(), lambda x: bt.Variable(x), repr, lambda x: x.tolist(),
        lambda x: bt.concat([bt.zeros((4,)), x]), lambda x: bt.grad(lambda v: bt.sum(v * v))(x),
    ],
)  # fmt: skip
def test_every_use_of_a_donated_tensor_is_told(use):
    f = function(lambda x: x + 1.0, donate_argnums=0)
    x = bt.asarray(normal(4)) + 0.0
    f(x)
    with pytest.raises(DonatedError, match="donated argument must not be used after the call"):
        use(x)


def test_memory_that_others_hold_is_never_written():
    f = function(lambda x: x * 0.0, donate_argnums=0)
    array = normal(5)
    f(array)
    assert array.tolist() == normal(5).tolist(), "a NumPy array is the caller's"
    shared = bt.asarray(array)
    f(shared)
    assert array.tolist() == normal(5).tolist()
    x = bt.asarray(normal(5)) + 0.0
    other, view = bt.Tensor(x.data), x.data[:2]
    f(x)
    assert other.tolist() == normal(5).tolist() and view.tolist() == normal(5)[:2].tolist()
    w = bt.Variable(normal(5))
    f(w.value)
    assert w.tolist() == normal(5).tolist()
    f(w)
    assert w.tolist() == normal(5).tolist(), "a variable is read, not given away"


def test_one_tensor_in_two_places():
    f = function(lambda x, y: (x * 0.0, y + 0.0), donate_argnums=0)
    x = bt.asarray(normal(4)) + 0.0
    zero, same = f(x, x)
    assert zero.tolist() == [0.0] * 4 and same.tolist() == normal(4).tolist()


def test_trees_are_donated_whole_and_results_find_their_place():
    @function(donate_argnames=("state",))
    def step(x, state):
        return bt.sum(x), {"m": state["m"] * 0.9 + x, "n": [state["n"][0] + 1.0, state["n"][1].T + 0.0]}

    def state():
        return {"m": bt.zeros((4, 4)) + 0.0, "n": [bt.zeros((3,)) + 0.0, bt.asarray(normal(4, 4)) + 0.0]}

    x = normal(4, 4)
    given = state()
    before = given["m"].data.ctypes.data
    total, new = step(x, given)
    np.testing.assert_allclose(new["m"].numpy(), x, rtol=1e-6)
    np.testing.assert_allclose(new["n"][1].numpy(), normal(4, 4).T)
    assert new["m"].data.ctypes.data == before and new["n"][0].tolist() == [1.0] * 3
    assert total.item() == pytest.approx(x.sum(), rel=1e-5)
    with pytest.raises(DonatedError):
        given["n"][1] + 1.0
    for _ in range(3):
        total, new = step(x, state=new)
    np.testing.assert_allclose(new["m"].numpy(), x * (1 + 0.9 + 0.81 + 0.729), rtol=1e-5)


def test_a_donated_argument_that_is_read_elsewhere_is_not_overwritten_too_early():
    f = function(lambda x: (x + 1.0, bt.flip(x) * 2.0, bt.cumulative_sum(x)), donate_argnums=0)
    x = normal(9)
    a, b, c = f(bt.asarray(x) + 0.0)
    np.testing.assert_allclose(a.numpy(), x + 1)
    np.testing.assert_allclose(b.numpy(), x[::-1] * 2)
    np.testing.assert_allclose(c.numpy(), np.cumsum(x), rtol=1e-5)


def test_donation_in_a_lowered_program_and_with_an_open_batch():
    f = function(lambda x: bt.tanh(x), donate_argnums=0)
    program = f.lower(spec((None, 3))).compile()
    for n in (2, 50):
        x = bt.asarray(normal(n, 3)) + 0.0
        address = x.data.ctypes.data
        out = program(x)
        np.testing.assert_allclose(out.numpy(), np.tanh(normal(n, 3)), rtol=1e-5, atol=1e-6)
        assert out.data.ctypes.data == address
        with pytest.raises(DonatedError):
            program(x)
        np.testing.assert_allclose(
            f(bt.asarray(normal(n, 3)) + 0.0).numpy(), np.tanh(normal(n, 3)), rtol=1e-5, atol=1e-6
        )
    assert [v.symbolic for v in f.explain()] == [False, True]


def test_in_batches_refuses_donation():
    f = function(lambda x: x + 1.0, donate_argnums=0)
    with pytest.raises(TraceError, match="in_batches reads rows where they lie; got a function that donates"):
        f.in_batches(normal(4, 2), rows=2)
