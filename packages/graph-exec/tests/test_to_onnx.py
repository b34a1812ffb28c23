"""`to_onnx`: what it writes is valid, gives what the function gives (by onnxruntime, else by the standard's reference),
and comes back through `from_onnx`."""

import math
from pathlib import Path

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import TensorSpec, nn
from brickwork.tensor.trace import bind

onnx = pytest.importorskip("onnx", reason="writing models takes the package onnx")

from brickwork.graph.onnx import ModelError, UnsupportedError, from_onnx, to_onnx  # noqa: E402

F32 = "float32"
RNG = np.random.default_rng(5)


def normal(*shape, scale=1.0):
    return (RNG.standard_normal(shape) * scale).astype(F32)


def variable(name, *shape, scale=0.4):
    return bt.Variable(normal(*shape, scale=scale), name=name)


def run(model, arrays):
    """The outputs of a model, by another runtime than ours."""
    named = dict(zip([v.name for v in model.graph.input], arrays, strict=True))
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        try:
            return ReferenceEvaluator(model).run(None, named)
        except RuntimeError as error:
            if "Scan" not in str(error):
                raise
            pytest.skip("onnx's own runtime does not run this Scan; onnxruntime, which does, is not installed")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, named)


def check(fn, *arrays, specs=None, tol=2e-5, **options):
    """The model of a function, checked in all three ways."""
    model = to_onnx(fn, *(arrays if specs is None else specs), **options)
    onnx.checker.check_model(model, full_check=True)
    wanted = [x.numpy() for x in bt_leaves(fn(*map(bt.asarray, arrays)))]
    again = bt_leaves(from_onnx(model)(*map(bt.asarray, arrays)))
    assert len(wanted) == len(model.graph.output)
    for want, got, back in zip(wanted, run(model, arrays), again, strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=tol, atol=tol)
        np.testing.assert_allclose(back.numpy(), want, rtol=tol, atol=tol)
    return model


def bt_leaves(out):
    return list(out) if isinstance(out, (tuple, list)) else [out]


def ops_of(model):
    return [n.op_type for n in model.graph.node]


# ---- whole networks --------------------------------------------------------------------------------------------------


def mlp():
    w1, b1, w2 = variable("w1", 8, 16), variable("b1", 16), variable("w2", 16, 3)
    return lambda x: nn.softmax(nn.relu(x @ w1 + b1) @ w2)


def cnn():
    kernel, deep, dense = variable("kernel", 3, 3, 1, 8), variable("deep", 3, 3, 8, 1), variable("dense", 128, 10)
    mean, gamma, beta = (variable(n, 8) for n in ("mean", "gamma", "beta"))
    var = bt.Variable(np.abs(normal(8)) + 0.5, name="variance")

    def forward(x):
        h = nn.relu(nn.batch_norm(nn.conv(x, kernel, 1, "same"), mean, var, gamma, beta))
        h = nn.max_pool(h, 2)
        h = nn.average_pool(nn.depthwise_conv(h, deep, padding="same"), 2, padding="same")
        return nn.log_softmax(h.reshape((h.shape[0], -1)) @ dense)

    return forward


def lstm():
    wx, wh, b = variable("wx", 4, 20), variable("wh", 5, 20), variable("b", 20)

    def step(state, row):
        h, c = state
        i, f, g, o = bt.split(row @ wx + h @ wh + b, 4, axis=1)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * bt.tanh(g)
        h = nn.sigmoid(o) * bt.tanh(c)
        return (h, c), h

    def forward(x):
        start = (x[:, 0, :1] * 0.0) @ bt.zeros((1, 5))
        (h, _), rows = bt.scan(step, (start, start), x.transpose((1, 0, 2)))
        return rows.transpose((1, 0, 2)), h

    return forward


def transformer():
    projections = [variable(n, 16, 16) for n in ("q", "k", "v", "o")]
    gamma, beta, up, down = variable("g", 16), variable("b", 16), variable("up", 16, 32), variable("down", 32, 16)

    def forward(x):
        h = nn.layer_norm(x, gamma, beta)
        q, k, v = ((h @ w).reshape((h.shape[0], h.shape[1], 4, 4)) for w in projections[:3])
        mixed = nn.dot_product_attention(q, k, v, is_causal=True).reshape(x.shape)
        x = x + mixed @ projections[3]
        return x + nn.gelu(nn.layer_norm(x, gamma, beta) @ up) @ down

    return forward


NETWORKS = {
    "mlp": (mlp, (5, 8), {"Gemm", "MatMul", "Relu", "Softmax"}),
    "cnn": (cnn, (2, 16, 16, 1), {"Conv", "MaxPool", "AveragePool", "LogSoftmax"}),
    "lstm": (lstm, (3, 7, 4), {"Scan"}),
    "transformer": (transformer, (2, 6, 16), {"LayerNormalization", "Gelu", "MatMul"}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    make, shape, expected = NETWORKS[name]
    model = check(make(), normal(*shape))
    assert expected <= set(ops_of(model))


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_for_any_batch(name):
    make, shape, _ = NETWORKS[name]
    fn = make()
    model = check(fn, normal(*shape), specs=[((None, *shape[1:]), F32)])
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    more = normal(shape[0] + 3, *shape[1:])
    for got, want in zip(run(model, [more]), bt_leaves(fn(bt.asarray(more))), strict=True):
        np.testing.assert_allclose(got, want.numpy(), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("opset", [17, 18, 19, 21, 24])
@pytest.mark.parametrize("name", NETWORKS)
def test_op_sets(name, opset):
    make, shape, _ = NETWORKS[name]
    model = check(make(), normal(*shape), opset=opset)
    assert [o.version for o in model.opset_import] == [opset]


# ---- ops -------------------------------------------------------------------------------------------------------------

KERNEL = normal(3, 3, 4, 8)
RECURRENT = normal(4, 4, scale=0.3)


def nested_step(c, t):
    c = bt.cond(c.sum() > 0, lambda a: bt.tanh(a @ RECURRENT + t), lambda a: a * 0.5 - t @ RECURRENT, c)
    c = bt.while_loop(lambda s: (s**2).sum() < 0.5, lambda s: s * 1.3 + 0.1, c)
    inner, _ = bt.scan(lambda s, _: (s * 0.9 + t, None), c, None, length=3)
    return inner, c


CASES = {
    "statistics": (lambda x: (bt.mean(x, 0), bt.var(x, 1), bt.std(x), bt.logsumexp(x, 1)), (4, 5)),
    "reductions": (lambda x: ((x > 0).any(), (x > 0).all(1), bt.prod(x, 1), x.min(0), x.max(), (x > 0).sum()), (4, 5)),
    "reductions of images": (
        lambda x: (
            nn.conv(x, KERNEL).sum((1, 2)), bt.mean(nn.conv(x, KERNEL), (1, 3), True), nn.conv(x, KERNEL).max((0, 1)),
            nn.global_average_pool(nn.conv(x, KERNEL)),
        ),
        (2, 5, 6, 4),
    ),
    "truth of nothing": (lambda x: ((x[:, :0] > 0).any(1), (x[:, :0] > 0).all(1), x[:, :0].sum(1)), (4, 5)),
    "extremes": (lambda x: (bt.argmax(x, 1), bt.argmin(x), bt.argmax(x > 0, 1)), (4, 5)),
    "top_k": (lambda x: tuple(bt.top_k(x, 3)), (4, 5)),
    "order": (lambda x: (bt.sort(x, 0), bt.sort(x, descending=True), bt.argsort(x, 1), bt.sort(x > 0)), (4, 5)),
    "keys": (lambda x: (x[:, np.array([1, 1])], x[np.array([0, 1]), np.array([3, 2])], x[-1], x[1:3, ::-2]), (4, 5)),
    "writes": (
        lambda x: (
            x.at[1:3].set(0.0), x.at[:, 2].add(1.0), x.at[::2, 1:3].set(7.0), x.at[np.array([0, 0])].add(2.0),
            x.at[np.array([1])].max(0.5),
        ),
        (4, 5),
    ),
    "running": (lambda x: (bt.cumulative_sum(x, axis=1), bt.cumulative_sum(x > 0, axis=0)), (4, 5)),
    "search": (
        lambda x: (
            bt.searchsorted(np.arange(5, dtype=F32), x),
            bt.searchsorted(np.arange(5, dtype=F32), bt.round(x), side="right"),
            bt.isin(bt.round(x), np.array([0.0, 1.0], F32)),
        ),
        (4, 5),
    ),
    "einsum": (
        lambda x: (
            bt.einsum("ij,kj->ik", x, x), bt.einsum("ii->i", x[:4, :4]), bt.einsum("ij->j", x),
            bt.einsum("bi,bj->bij", x, x),
        ),
        (4, 5),
    ),
    "joins": (
        lambda x: (
            bt.pad(x, ((1, 2), (0, 1)), 3.0), bt.flip(x), bt.concat([x, x], 1), bt.stack([x, x], 1),
            bt.broadcast_to(x, (3, 4, 5)),
        ),
        (4, 5),
    ),
    "windows": (lambda x: (bt.sliding_window(x, (0, 1), (2, 3), (1, 2), (2, 1)), bt.sliding_window(x, 1, 2)), (4, 5)),
    "windows transposed": (
        lambda x: bt.grad(lambda z: (bt.sliding_window(z, (0, 1), (2, 3), 2) ** 2).sum())(x),
        (5, 7),
    ),
    "integers": (
        lambda x: (
            (x * 3).astype("int32") // 2, (x * 3).astype("int32") % 3, (x * 3).astype("int64") ** 2,
            (x * 3).astype("int32") & 5, (x * 9).astype("int16") >> 2, (x * 9).astype("int64") << 3,
            nn.conv((x[None, :, :, None] * 9).astype("int32"), np.ones((2, 2, 1, 2), "int32")),
            (x * 3).astype("int8") @ (x * 3).astype("int8").T,
            bt.bitwise_left_shift((x * x).astype("uint8"), bt.asarray(2, dtype="uint8")),
        ),
        (4, 5),
    ),
    "grouped conv": (lambda x: nn.conv(x, KERNEL[:, :, :2], 2, "same", groups=2), (1, 6, 5, 4)),
    "dilated conv": (lambda x: nn.conv(x, KERNEL, 1, "same", dilations=2), (1, 6, 5, 4)),
    "padded conv": (lambda x: nn.conv(x, KERNEL, (2, 1), ((1, 0), (2, 2))), (1, 6, 5, 4)),
    "conv of one axis": (lambda x: nn.conv(x, KERNEL[0], 1, "causal"), (2, 7, 4)),
    "gradients of conv": (
        lambda x: bt.grad(lambda z, w: (nn.conv(z, w, 2, "same") ** 2).sum(), argnums=(0, 1))(x, bt.asarray(KERNEL)),
        (2, 7, 7, 4),
    ),
    "adaptive pooling": (lambda x: (nn.adaptive_average_pool(x, 3), nn.adaptive_max_pool(x, 3)), (2, 7, 7, 2)),
    "normalizations": (
        lambda x: (nn.group_norm(x, 2), nn.instance_norm(x), nn.rms_norm(x), nn.normalize(x)),
        (2, 3, 3, 4),
    ),
    "resize": (lambda x: nn.resize(x, (8, 9)), (1, 4, 5, 2)),
    "one hot": (lambda x: nn.one_hot(bt.argmax(x, 1), 5), (4, 5)),
    "det": (lambda x: bt.linalg.det(x), (3, 4, 4)),
    "cond": (lambda x: bt.cond(x.sum() > 0, lambda a: a * 2, bt.exp, x), (4,)),
    "cond of what comes in": (lambda x: bt.cond(x.sum() < 0, lambda a: a * 2, lambda a: a, x), (4,)),
    "while_loop": (
        lambda x: bt.while_loop(
            lambda s: (s[0] < 5) & (bt.max(bt.abs(s[1])) < 10.0),
            lambda s: (s[0] + 1, s[1] * 1.5 + x),
            (bt.asarray(0), x),
        ),
        (3,),
    ),
    "scan so many times": (lambda x: bt.scan(lambda c, _: (c * 1.1, c[::-1]), x, None, length=4), (4,)),
    "counted back": (lambda x: bt.scan(lambda c, _: (c * 1.1, c[::-1]), x, None, length=4, reverse=True), (4,)),
    "scan back": (lambda x: bt.scan(lambda c, t: (c * 0.5 + t, c * t), x[0], x, reverse=True), (4, 3)),
    "loops in loops": (lambda x: bt.scan(nested_step, x[0], x), (5, 4)),
    "gradient through a loop": (
        lambda x: bt.grad(
            lambda z: (bt.scan(lambda c, t: (bt.tanh(c @ RECURRENT + t), c * 2), z[0], z)[1] ** 2).sum()
        )(x),
        (5, 4),
    ),
    "gradient through a branch": (
        lambda x: bt.grad(
            lambda z: bt.cond(z.sum() > 0, lambda a: (a * a).sum(), lambda a: bt.exp(a).sum(), z)
        )(x),
        (4,),
    ),
    "a step of training": (
        lambda x: bt.value_and_grad(lambda w: -nn.log_softmax(nn.relu(x @ w))[:, 0].mean())(bt.asarray(RECURRENT)),
        (5, 4),
    ),
    "second derivatives": (lambda x: bt.hessian(lambda z: (bt.tanh(RECURRENT @ z) ** 2).sum())(x), (4,)),
    "one value twice": (lambda x: (x, x, x + 1, x + 1, bt.asarray(normal(3))), (3,)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_ops(name):
    fn, shape = CASES[name]
    x = normal(*shape)
    if name == "one value twice":
        fn = (lambda constant: lambda x: (x, x, x + 1, x + 1, constant))(bt.asarray(normal(3)))
    check(fn, x, tol=1e-4 if "gradients" in name else 2e-5)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_conv_transpose(padding, stride):
    model = check(lambda x: nn.conv_transpose(x, KERNEL, stride, padding), normal(2, 5, 6, 8))
    assert "ConvTranspose" in ops_of(model)


NUMBERS = np.array([-3, -1.5, -1, -0.5, -1e-4, -1e-7, 0, 1e-7, 0.3, 1, 2.5, 9, 88], F32)
ELEMENTWISE = [n for n, op in bt.OPS.items() if op.kind == "elementwise" and n not in ("map", "iota")]
BEYOND = {"nextafter", "erfc"}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name):
    """Every registered function of numbers; those beyond the standard are refused by name."""
    op = bt.OPS[name]
    arrays = [np.roll(NUMBERS, 3 * k) for k in range(op.arity)]
    if name.startswith(("bitwise", "logical")):
        arrays = [np.abs(a).astype("int32") for a in arrays]
    if name == "where":
        arrays[0] = arrays[0] > 0

    def fn(*xs):
        return bind(op, xs)

    if name in BEYOND:
        with pytest.raises(UnsupportedError, match=f"'{name}' at .*test_to_onnx.py"):
            to_onnx(fn, *arrays)
    else:
        check(fn, *arrays, tol=1e-5)


def test_atan2_and_hypot_at_the_ends():
    ends = np.array([-math.inf, -1.0, -0.0, 0.0, 2.0, math.inf], F32)
    y, x = (np.ascontiguousarray(a.reshape(-1)) for a in np.meshgrid(ends, ends))
    check(lambda y, x: (bt.atan2(y, x), bt.hypot(y, x)), y, x)


# ---- models that were read -------------------------------------------------------------------------------------------


def _arrays(folder, kind):
    """The tensors of a folder of the standard's tests."""
    messages = []
    for k in range(len(list(folder.glob(f"{kind}_*.pb")))):
        message = onnx.TensorProto()
        message.ParseFromString((folder / f"{kind}_{k}.pb").read_bytes())
        messages.append(onnx.numpy_helper.to_array(message))
    return messages


def test_networks_of_the_standard_go_through_us_and_back():
    """Each of the networks that the ONNX project has from PyTorch: read, written again, and run by onnxruntime."""
    pytest.importorskip("onnxruntime", reason="runs what is written")
    from onnx.backend.test.loader import load_model_tests

    cases = [c for kind in ("pytorch-converted", "pytorch-operator") for c in load_model_tests(kind=kind)]
    assert len(cases) >= 117
    for case in cases:
        folder = Path(case.model_dir)
        inputs, wanted = (_arrays(folder / "test_data_set_0", kind) for kind in ("input", "output"))
        model = to_onnx(from_onnx(folder / "model.onnx").run, *inputs)
        onnx.checker.check_model(model, full_check=True)
        for got, want in zip(run(model, inputs), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=2e-3, atol=1e-5, err_msg=case.name)


# ---- what is written -------------------------------------------------------------------------------------------------


def test_names_and_file(tmp_path):
    w = variable("dense/kernel", 4, 2)
    file = tmp_path / "model.onnx"
    model = to_onnx(lambda x: {"a": x @ w, "b": x}, ((None, 4), F32), path=file)
    assert [v.name for v in model.graph.input] == ["x"]
    assert [v.name for v in model.graph.output] == ["output_a", "output_b"]
    assert [t.name for t in model.graph.initializer] == ["dense/kernel"]
    assert onnx.load(file) == model
    x = normal(3, 4)
    np.testing.assert_allclose(from_onnx(file)(x)[0].numpy(), x @ w.numpy(), rtol=1e-6)
    named = to_onnx(lambda x: x @ w, TensorSpec((3, 4), np.dtype(F32)), input_names=["rows"], output_names=["y"])
    assert (named.graph.input[0].name, named.graph.output[0].name) == ("rows", "y")


def test_what_no_single_file_holds(tmp_path, monkeypatch):
    monkeypatch.setattr("brickwork.graph.onnx.exporter.WHOLE", 1000)
    w, file = variable("w", 64, 64), tmp_path / "model.onnx"
    for _ in range(2):
        to_onnx(lambda x: x @ w, normal(2, 64), path=file)
    assert file.stat().st_size < 1000
    assert (tmp_path / "model.onnx.data").stat().st_size < 2 * w.numpy().nbytes
    x = normal(2, 64)
    np.testing.assert_allclose(from_onnx(file)(x).numpy(), x @ w.numpy(), rtol=1e-4, atol=1e-5)


def test_what_follows_from_weights_is_computed():
    w = variable("w", 4, 4)
    model = to_onnx(lambda x: x @ bt.exp(w.T), normal(2, 4))
    assert ops_of(model) == ["MatMul"]


def test_images_stay_channels_first_between_convolutions():
    k1, k2, bias = variable("k1", 3, 3, 2, 4), variable("k2", 3, 3, 1, 8), variable("bias", 4)

    def fn(x):
        h = nn.relu(nn.conv(x, k1, 1, "same") + bias)
        h = nn.max_pool(h + nn.sigmoid(h) * 2.0, 2)
        return nn.conv(h, k2, 1, "same", groups=4)

    model = check(fn, normal(2, 8, 8, 2))
    assert ops_of(model) == ["Transpose", "Conv", "Relu", "Sigmoid", "Mul", "Add", "MaxPool", "Conv", "Transpose"]
    assert [len(n.input) for n in model.graph.node if n.op_type == "Conv"] == [3, 2]
    assert [t.name.split("_")[0] for t in model.graph.initializer if len(t.dims)] == ["bias", "k1", "k2"]


def test_a_product_takes_in_its_bias_only_where_nothing_else_reads_it():
    w, b = variable("w", 4, 3), variable("b", 3)
    assert ops_of(check(lambda x: x @ w + b, normal(2, 4))) == ["Gemm"]
    assert ops_of(check(lambda x: (x @ w + b, x @ w), normal(2, 4))) == ["MatMul", "Add"]
    assert ops_of(check(lambda x: x @ w + b, normal(5, 2, 4))) == ["MatMul", "Add"]
    assert ops_of(check(lambda x: x @ w + np.ones((2, 3), F32), normal(2, 4))) == ["MatMul", "Add"]


def test_trees_of_arguments():
    model = check_tree()
    assert [v.name for v in model.graph.input] == ["batch_x", "batch_y", "scale"]


def check_tree():
    def fn(batch, scale):
        return batch["x"] * scale + batch["y"]

    model = to_onnx(fn, {"x": ((None, 2), F32), "y": ((None, 2), F32)}, ((), F32))
    x, y = normal(3, 2), normal(3, 2)
    np.testing.assert_allclose(run(model, [x, y, np.array(2, F32)])[0], x * 2 + y, rtol=1e-6)
    return model


def test_random_numbers_are_refused_with_their_line():
    key = bt.random.key(3)
    with pytest.raises(UnsupportedError, match=r"at .*test_to_onnx.py:\d+.*random numbers"):
        to_onnx(lambda x, k: x * bt.random.uniform(k, x.shape), normal(3), key)
    fixed = to_onnx(lambda x: x * bt.random.uniform(key, x.shape), normal(3))
    assert ops_of(fixed) == ["Mul"]


def test_complex_numbers_are_refused():
    with pytest.raises(UnsupportedError, match="complex"):
        to_onnx(lambda x: bt.abs(bt.fft.fft(x)), normal(4))


def test_assignments_are_refused():
    count = bt.Variable(np.float32(0), name="count")

    def fn(x):
        count.assign(count + 1)
        return x

    with pytest.raises(ModelError, match="count"):
        to_onnx(fn, normal(3))


@pytest.mark.parametrize("options", [{"opset": 9}, {"opset": 1000}, {"input_names": ["a", "b"]}, {"output_names": []}])
def test_bad_settings(options):
    with pytest.raises(ModelError):
        to_onnx(lambda x: x, normal(3), **options)


def test_bad_arguments():
    with pytest.raises(ModelError, match="TensorSpec"):
        to_onnx(lambda x: x, "x")
    with pytest.raises(ModelError, match="axis 0"):
        to_onnx(lambda x: x, ((None, None), F32))
    with pytest.raises(ModelError, match="function of tensors"):
        to_onnx(3, normal(2))


def test_several_open_axes():
    w = variable("w", 8, 3)

    def fn(x):
        return nn.softmax((x + 1.0) @ w), bt.mean(x, (0, 1)), x.reshape((-1, 8)), bt.concat([x, x], 1)

    model = check(fn, normal(2, 5, 8), specs=[(("batch", "time", 8), F32)])
    assert [d.dim_param for d in model.graph.input[0].type.tensor_type.shape.dim][:2] == ["batch", "time"]
    assert run(model, [normal(3, 4, 8)])[3].shape == (3, 8, 8)


def test_narrow_floats():
    w = bt.asarray(normal(4, 3)).astype("bfloat16")
    model = to_onnx(lambda x: nn.relu(x @ w).astype(F32), ((2, 4), "bfloat16"))
    onnx.checker.check_model(model, full_check=True)
    x = bt.asarray(normal(2, 4)).astype("bfloat16")
    np.testing.assert_array_equal(from_onnx(model)(x).numpy(), nn.relu(x @ w).astype(F32).numpy())
    check(lambda x: (nn.gelu(x), nn.softmax(x), x @ x.T, bt.log1p(bt.abs(x))), normal(3, 4).astype("float16"), tol=5e-3)
