"""`from_onnx` and the backend: models of our own, judged by `onnx.reference`, and what must be refused."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.graph import function

onnx = pytest.importorskip("onnx", reason="the package `onnx` is an extra of brickwork-graph-exec")

from onnx import TensorProto, helper, numpy_helper, parser  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from brickwork.graph import onnx as bridge  # noqa: E402
from brickwork.graph.onnx import ModelError, UnsupportedError, from_onnx, prepare, run_model, run_node  # noqa: E402
from brickwork.graph.onnx.folding import obstacle  # noqa: E402

F32, I64 = np.float32, np.int64


def model_of(text, **constants):
    """A model of the text form of a graph, with further initializers."""
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{textwrap.dedent(text)}')
    model.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in constants.items())
    return model


def rng(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(F32)


MLP = """
mlp (float[N, 4] x) => (float[N, 3] y) {
    h = MatMul (x, w1)
    hb = Add (h, b1)
    a = Tanh (hb)
    z = MatMul (a, w2)
    y = Softmax <axis = -1> (z)
}
"""
WEIGHTS = {"w1": rng(4, 8), "b1": rng(8, seed=1), "w2": rng(8, 3, seed=2)}
HEADS = """
heads (float[N, T, 8] x) => (float[N, 2, T, 4] y) {
    whole = Shape (x)
    zero = Constant <value_int = 0> ()
    one = Constant <value_int = 1> ()
    first = Constant <value_ints = [0]> ()
    n = Gather (whole, zero)
    t = Gather (whole, one)
    nn = Unsqueeze (n, first)
    tt = Unsqueeze (t, first)
    rest = Constant <value_ints = [2, 4]> ()
    target = Concat <axis = 0> (nn, tt, rest)
    apart = Reshape (x, target)
    y = Transpose <perm = [0, 2, 1, 3]> (apart)
}
"""


HALVING = """
halving (float x) => (float last, int64 rounds) {
    yes = Constant <value = bool {1}> ()
    zero = Constant <value_int = 0> ()
    many = Constant <value_int = 100> ()
    last, rounds = Loop (LIMIT, yes, x, zero) <body = b (int64 i, bool go, float v, int64 k) =>
        (bool more, float half, int64 next) {
            two = Constant <value_float = 2.0> ()
            one = Constant <value_int = 1> ()
            half = Div (v, two)
            next = Add (k, one)
            limit = Constant <value_float = 1.0> ()
            more = Greater (half, limit)
        }>
}
"""


def agree(model, *inputs, **settings):
    """Eager, compiled and the reference give the same; the tensors are given back."""
    names = [v.name for v in model.graph.input]
    expected = ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))
    for compile in (False, True):
        got = prepare(model, compile=compile).run(list(inputs))
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            assert g.dtype == np.asarray(e).dtype and g.shape == np.shape(e)
            np.testing.assert_allclose(g, e, rtol=1e-5, atol=1e-6, **settings)
    return expected


# what it computes
def test_a_network_eager_and_compiled():
    agree(model_of(MLP, **WEIGHTS), rng(5, 4, seed=3))


def test_a_function_of_tensors_by_place_and_by_name():
    net, x = from_onnx(model_of(MLP, **WEIGHTS).SerializeToString()), rng(5, 4)
    assert [v.name for v in net.inputs] == ["x"] and net.inputs[0].shape == ("N", 4)
    np.testing.assert_array_equal(net(x).numpy(), net(x=bt.asarray(x)).numpy())


def test_gradients_flow_through():
    net = from_onnx(model_of(MLP, **WEIGHTS))
    x, step = rng(5, 4, seed=3), rng(5, 4, seed=4)
    slope = bt.grad(lambda v: bt.sum(bt.log(net(v))))(bt.asarray(x)).numpy()
    ahead, behind = (np.log(net(x + s * 1e-2 * step).numpy().astype("f8")).sum() for s in (1, -1))
    assert (slope * step).sum() == pytest.approx((ahead - behind) / 2e-2, rel=1e-2)


def test_it_maps_over_examples():
    net, x = from_onnx(model_of(MLP, **WEIGHTS)), rng(6, 5, 4)
    rows = bt.vmap(net)(bt.asarray(x)).numpy()
    np.testing.assert_allclose(rows, np.stack([net(v).numpy() for v in x]), rtol=1e-6)


def test_trainable_weights_train():
    net = from_onnx(model_of(MLP, **WEIGHTS), trainable=True)
    assert sorted(v.name for v in net.variables) == ["b1", "w1", "w2"]
    x, labels = rng(32, 4), np.arange(32) % 3

    def loss(x):
        return -bt.mean(bt.log(bt.take_along_axis(net(x), bt.asarray(labels[:, None]), 1)))

    @function
    def step(x):
        value, slopes = bt.value_and_grad(loss, variables=list(net.variables))(x)
        for variable, slope in zip(net.variables, slopes, strict=True):
            variable.assign_sub(0.5 * slope)
        return value

    losses = [step(x).item() for _ in range(30)]
    assert losses[-1] < 0.8 * losses[0]


def test_shape_arithmetic_is_numbers_while_tracing():
    agree(model_of(HEADS), rng(2, 5, 8))
    net = function(from_onnx(model_of(HEADS)))
    for n, t in [(2, 5), (3, 5), (3, 6)]:
        assert net(rng(n, t, 8)).shape == (n, 2, t, 4)


def test_what_follows_from_constants_is_folded():
    net = from_onnx(
        model_of(
            "f (float[2] x) => (float[2] y) { a = Add (c, c)\n b = Mul (a, a)\n y = Add (x, b) }",
            c=np.array([1, 2], F32),
        )
    )
    assert [n.op for n in net.graph.nodes] == ["Add"]
    np.testing.assert_array_equal(net(np.zeros(2, F32)).numpy(), [4, 16])


def test_sizes_that_are_inputs_are_compiled_in():
    model = model_of("f (float[6] x, int64[2] shape) => (float[A, B] y) { y = Reshape (x, shape) }")
    rep = prepare(model, compile=True)
    for shape in ([2, 3], [3, -1], [2, 3]):
        np.testing.assert_array_equal(
            rep.run([np.arange(6, dtype=F32), np.array(shape)])[0], np.arange(6).reshape(shape)
        )


def test_shapes_that_numbers_decide_run_eagerly_and_say_so_when_traced():
    model = model_of("f (float[N] x) => (int64[1, M] y) { y = NonZero (x) }")
    rep = prepare(model)
    assert not rep.compiled and "NonZero" in rep.obstacle
    np.testing.assert_array_equal(rep.run([np.array([0, 1, 2], F32)])[0], [[1, 2]])
    with pytest.raises(bt.TraceError, match=r"NonZero|nonzero"):
        prepare(model, compile=True).run([np.array([0, 1, 2], F32)])


def test_a_long_model_without_obstacle_is_compiled():
    lines = "\n".join(f"v{k + 1} = Tanh (v{k})" for k in range(20))
    rep = prepare(model_of(f"f (float[3] v0) => (float[3] v20) {{ {lines} }}"))
    assert rep.compiled and rep.obstacle is None
    assert not prepare(model_of(f"f (float[3] v0) => (float[3] v20) {{ {lines} }}"), compile=False).compiled


def test_branches_and_loops_become_regions_while_tracing():
    branch = model_of(
        """
        f (float[3] x) => (float[3] y) {
            total = ReduceSum <keepdims = 0> (x)
            zero = Constant <value_float = 0.0> ()
            up = Greater (total, zero)
            y = If (up) <
                then_branch = one () => (float[3] a) { a = Exp (x) },
                else_branch = two () => (float[3] b) { b = Neg (x) }>
        }
        """
    )
    for sign in (1, -1):
        agree(branch, np.array([1, 2, 3], F32) * sign)
    for limit in ('""', "many"):  # the reference runs no round where no number of them is given
        halving = model_of(HALVING.replace("LIMIT", limit))
        for compile in (False, True):
            last, rounds = prepare(halving, compile=compile).run([np.array(100, F32)])
            assert (last, rounds) == (100 / 2**7, 7) and rounds.dtype == I64
    rows = model_of(
        """
        f (float[2] x) => (float[2] last, float[3, 2] all) {
            n = Constant <value_int = 3> ()
            yes = Constant <value = bool {1}> ()
            last, all = Loop (n, yes, x) <body = b (int64 i, bool go, float[2] v) =>
                (bool more, float[2] w, float[2] out) {
                    more = Identity (go)
                    w = Add (v, x)
                    out = Identity (w)
                }>
        }
        """
    )
    agree(rows, np.array([1, 2], F32))


def test_functions_of_a_model_and_their_attributes():
    text = """
    <ir_version: 8, opset_import: ["" : 17, "own" : 1]>
    f (float[3] x) => (float[3] y) { y = own.Scaled <factor = 3.0> (x) }
    <domain: "own", opset_import: ["" : 17]>
    Scaled <factor> (v) => (w) {
        c = Constant <value_float: float = @factor> ()
        w = Mul (v, c)
    }
    """
    net = from_onnx(parser.parse_model(textwrap.dedent(text)))
    np.testing.assert_array_equal(net(np.array([1, 2, 3], F32)).numpy(), [3, 6, 9])


def test_an_op_without_translator_runs_by_the_body_the_standard_gives_it():
    from brickwork.graph.onnx.registry import find_translator

    assert find_translator("", "HannWindow", 17) is None
    (window,) = run_node(helper.make_node("HannWindow", ["n"], ["w"], periodic=0), [np.array(5)])
    np.testing.assert_allclose(window, np.hanning(5), atol=1e-6)


def test_sequences_optionals_and_strings():
    model = model_of(
        """
        f (float[2] a, float[3] b) => (float[5] y, int64 n) {
            s = SequenceConstruct (a, b)
            n = SequenceLength (s)
            y = ConcatFromSequence <axis = 0> (s)
        }
        """
    )
    y, n = run_model(model, [np.array([1, 2], F32), np.array([3, 4, 5], F32)])
    np.testing.assert_array_equal(y, [1, 2, 3, 4, 5])
    assert n == 2 and n.dtype == I64
    words = np.array(["a", "b", "c"], object)
    (picked,) = run_node(helper.make_node("Gather", ["x", "i"], ["y"]), [words, np.array([2, 0])])
    assert picked.tolist() == ["c", "a"]


BRANCHED = """
    f (float[4] x) => (float[4] y)
    <bool c = {1}>
    {
        r = If (c) <
            then_branch = some () => (float[4] a) { a = RandomNormal <shape = [4]> () },
            else_branch = none () => (float[4] b) { b = RandomUniform <shape = [4]> () }
        >
        y = Add (x, r)
    }
"""
CALLED = """
<ir_version: 8, opset_import: ["" : 17, "own" : 1]>
f (float[4] x) => (float[4] y) {
    r = own.draw ()
    y = Add (x, r)
}
<domain: "own", opset_import: ["" : 17]>
draw () => (r) { r = RandomNormal <shape = [4]> () }
"""


@pytest.mark.parametrize("model", [model_of(BRANCHED), parser.parse_model(CALLED)], ids=["branch", "function"])
def test_random_numbers_inside_what_reads_constants_alone_are_no_constants(model):
    x = np.zeros(4, F32)
    one, other = from_onnx(model, seed=3), function(from_onnx(model, seed=3))
    drawn = [one(x).numpy() for _ in range(2)]
    np.testing.assert_array_equal([other(x).numpy() for _ in range(2)], drawn)
    assert not np.array_equal(*drawn)


def test_random_numbers_go_on_and_begin_again_with_the_seed():
    model = model_of("f () => (float[4] y) { y = RandomNormal <shape = [4]> () }")
    one, other = from_onnx(model, seed=3), from_onnx(model, seed=3)
    first, second = one().numpy(), one().numpy()
    assert (first != second).all()
    np.testing.assert_array_equal(other().numpy(), first)
    fixed = from_onnx(model_of("f () => (float[4] y) { y = RandomNormal <shape = [4], seed = 1.0> () }"))
    np.testing.assert_array_equal(fixed().numpy(), fixed().numpy())


# the interface of a backend
def test_the_backend_is_one():
    from onnx.backend.base import Backend

    assert issubclass(bridge.BrickworkBackend, Backend)
    assert bridge.supports_device("CPU") and not bridge.supports_device("TPU")
    model = model_of(MLP, **WEIGHTS)
    assert bridge.is_compatible(model) and not bridge.is_compatible(b"no model")
    (y,) = run_model(model, [rng(5, 4)])
    np.testing.assert_array_equal(y, prepare(model).run([rng(5, 4)])[0])
    with pytest.raises(UnsupportedError, match="TPU"):
        prepare(model, "TPU")


def test_run_node_of_an_op_set():
    node = helper.make_node("Softmax", ["x"], ["y"])
    x = rng(2, 3, 4)
    np.testing.assert_allclose(run_node(node, [x])[0].sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(run_node(node, [x], opset_version=11)[0].sum((1, 2)), 1, rtol=1e-6)


# what is refused
def test_an_unknown_op_is_named():
    model = model_of("f (float[2] x) => (float[2] y) { y = Frobnicate (x) }")
    with pytest.raises(UnsupportedError, match=r"Frobnicate \(op set 17, node '->y'\)") as caught:
        from_onnx(model)
    assert isinstance(caught.value, NotImplementedError) and isinstance(caught.value, bt.BrickworkError)


def test_an_unknown_attribute_is_named():
    with pytest.raises(UnsupportedError, match=r"\['sideways'\] in Relu"):
        from_onnx(model_of("f (float[2] x) => (float[2] y) { y = Relu <sideways = 1> (x) }"))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("f (float[2] x) => (float[2] y) { y = Relu (z) }", "reads what was made before it"),
        ("f (float[2] x) => (float[2] y) { z = Relu (x) }", "an output must be made"),
        ("f (float[2] x) => (float[2] y) { y = Relu (x)\n y = Neg (x) }", "stands for one value"),
        ("f (float[2] x) => (float[2] y) { y = Relu (x, x) }", "its own number of inputs"),
        ("f (float[2] x) => (float[2] y) { y = other.Relu (x) }", "imports the op sets"),
    ],
)
def test_a_graph_that_is_none(text, match):
    with pytest.raises(ModelError, match=match):
        from_onnx(model_of(text))


def test_bytes_and_paths_that_are_no_model(tmp_path):
    for bad in (b"\xff\xff\xff", tmp_path / "missing.onnx", 3):
        with pytest.raises(ModelError):
            from_onnx(bad)


def test_any_change_of_bytes_gives_an_error_of_ours_or_a_model():
    draw = np.random.default_rng(0)
    for text, weights in ((MLP, WEIGHTS), (HEADS, {})):
        good = np.frombuffer(model_of(text, **weights).SerializeToString(), np.uint8)
        for _ in range(200):
            bad = good.copy()
            bad[draw.integers(0, len(bad), 3)] = draw.integers(0, 256, 3)
            try:
                from_onnx(bad.tobytes())
            except bt.BrickworkError:
                pass


def test_inputs_must_be_as_declared():
    net = from_onnx(model_of(MLP, **WEIGHTS))
    with pytest.raises(bt.DTypeError, match="x must be float32; got float64"):
        net(np.zeros((2, 4)))
    with pytest.raises(bt.ShapeError, match=r"\['N', 4\]; got \[2, 5\]"):
        net(np.zeros((2, 5), F32))
    with pytest.raises(ModelError, match="got none for"):
        net()
    with pytest.raises(ModelError, match="takes 1 inputs; got 2"):
        net(np.zeros((2, 4), F32), 1)


def external(location, **places):
    """A model whose one constant is in another file."""
    model = model_of("f (float[2] x) => (float[2] y) { y = Add (x, c) }", c=np.array([1, 2], F32))
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **places}.items():
        tensor.external_data.add(key=key, value=str(value))
    return model.SerializeToString()


def test_data_in_other_files_of_the_folder(tmp_path):
    (tmp_path / "model.onnx").write_bytes(external("data.bin", offset=4, length=8))
    (tmp_path / "data.bin").write_bytes(b"skip" + np.array([5, 7], F32).tobytes())
    np.testing.assert_array_equal(from_onnx(tmp_path / "model.onnx")(np.zeros(2, F32)).numpy(), [5, 7])
    np.testing.assert_array_equal(from_onnx(str(tmp_path / "model.onnx"))(np.zeros(2, F32)).numpy(), [5, 7])


def test_data_outside_the_folder_are_refused(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.array([5, 7], F32).tobytes())
    locations = ["../secret.bin", str(secret), "", "missing.bin", "."]
    try:
        os.symlink(secret, inside / "link.bin")
        locations.append("link.bin")
    except OSError:  # Windows asks for a right to make links
        pass
    for location in locations:
        (inside / "model.onnx").write_bytes(external(location))
        with pytest.raises(ModelError, match="in the model's folder"):
            from_onnx(inside / "model.onnx")
    with pytest.raises(ModelError, match="must hold its own data"):
        from_onnx(external("data.bin"))
    (inside / "data.bin").write_bytes(b"1234")
    for places in ({"offset": 0, "length": 8}, {"offset": -4}, {"offset": "x"}):
        (inside / "model.onnx").write_bytes(external("data.bin", **places))
        with pytest.raises(ModelError, match=r"lie within their file|must be numbers"):
            from_onnx(inside / "model.onnx")


def test_functions_that_call_themselves_are_refused():
    text = """
    <ir_version: 8, opset_import: ["" : 17, "own" : 1]>
    f (float[3] x) => (float[3] y) { y = own.Again (x) }
    <domain: "own", opset_import: ["" : 17, "own" : 1]>
    Again (v) => (w) { w = own.Again (v) }
    """
    with pytest.raises(ModelError, match="nest"):
        from_onnx(parser.parse_model(textwrap.dedent(text)))


def test_without_the_package_the_error_says_what_to_install():
    program = textwrap.dedent(
        """
        import sys
        sys.modules["onnx"] = None
        import brickwork.graph.onnx as bridge
        try:
            bridge.from_onnx(b"")
        except ImportError as error:
            print(type(error).__name__, error)
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.startswith("MissingPackageError onnx: ")
    assert 'pip install "brickwork-graph-exec[onnx]"' in done.stdout


def test_the_analysis_of_obstacles_goes_inside():
    inner = model_of(
        """
        f (float[4] x, int64[1] n) => (float[M] y) {
            yes = Constant <value = bool {1}> ()
            y = If (yes) <
                then_branch = one () => (float[K] a) { k = Add (n, n)\n a = Expand (x, k) },
                else_branch = two () => (float[4] b) { b = Neg (x) }>
        }
        """
    )
    assert obstacle(from_onnx(inner).graph) is None  # n is an input, so a size
    counted = model_of(
        """
        f (float[4] x) => (float[M] y) {
            s = ReduceSum <keepdims = 1> (x)
            k = Cast <to = 7> (s)
            y = Expand (x, k)
        }
        """
    )
    assert "Expand" in obstacle(from_onnx(counted).graph)


def test_an_open_first_axis_stays_open_through_shape_arithmetic():
    net = function(from_onnx(model_of(HEADS)))
    for n in (2, 3, 7, 1):
        x = rng(n, 5, 8, seed=n)
        np.testing.assert_array_equal(net(x).numpy(), x.reshape(n, 5, 2, 4).transpose(0, 2, 1, 3))
    assert [v.symbolic for v in net.explain()] == [False, True]
    spread = model_of(
        """
        f (float[N, 4] x, float[4] row) => (float[N, 4] y, float[M] flat) {
            whole = Shape (x)
            less = Constant <value_ints = [-1]> ()
            kept = ConstantOfShape <value = int64[1] {1}> (two)
            no = Mul (kept, less)
            same = Equal (whole, no)
            target = Where (same, kept, whole)
            wide = Expand (row, target)
            y = Add (x, wide)
            count = Size (x)
            first = Constant <value_ints = [0]> ()
            all = Unsqueeze (count, first)
            flat = Reshape (y, all)
        }
        """,
        two=np.array([2]),
    )
    net = function(from_onnx(spread))
    for n in (2, 3, 7):
        y, flat = net(rng(n, 4), np.arange(4, dtype=F32))
        np.testing.assert_array_equal(y.numpy(), rng(n, 4) + np.arange(4, dtype=F32))
        np.testing.assert_array_equal(flat.numpy(), y.numpy().reshape(-1))
    assert [v.symbolic for v in net.explain()] == [False, True]


def test_states_and_pictures_of_an_open_batch():
    model = model_of(
        """
        f (float[N, 2, 4, 4] x) => (float[N, 2, 8, 8] y) {
            whole = Shape (x)
            n = Slice (whole, first, second)
            rest = Constant <value_ints = [2, 8, 8]> ()
            target = Concat <axis = 0> (n, rest)
            zeros = ConstantOfShape (target)
            large = Resize <mode = "linear"> (x, "", scales)
            again = Resize <mode = "nearest"> (x, "", "", target)
            both = Add (large, again)
            y = Add (both, zeros)
        }
        """,
        first=np.array([0]), second=np.array([1]), scales=np.array([1, 1, 2, 2], F32),
    )  # fmt: skip
    net, eager = function(from_onnx(model)), from_onnx(model)
    for n in (2, 3, 5):
        x = rng(n, 2, 4, 4, seed=n)
        (expected,) = ReferenceEvaluator(model).run(None, {"x": x})
        np.testing.assert_allclose(net(x).numpy(), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(eager(x).numpy(), expected, rtol=1e-5, atol=1e-6)
    assert [v.symbolic for v in net.explain()] == [False, True]
