"""Ops of models against onnxruntime, in settings that the standard's own tests have none of: recurrent networks in all
directions, regions, resizing, sampling; eager and compiled."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the package `onnx` is an extra of brickwork-graph-exec")
onnxruntime = pytest.importorskip("onnxruntime", reason="the peer is onnxruntime")

from onnx import TensorProto, helper  # noqa: E402

from brickwork.graph.onnx import prepare  # noqa: E402

F32 = np.float32


def normal(seed, *shape, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(F32)


def agree(op, arrays, outputs, opset=22, compiled=True, tol=1e-4, **attributes):
    """One node, by onnxruntime, by ours, and by ours compiled."""
    names = ["" if a is None else f"x{k}" for k, a in enumerate(arrays)]
    node = helper.make_node(op, names, [f"y{k}" for k in range(outputs)], **attributes)
    given = {n: np.asarray(a) for n, a in zip(names, arrays, strict=True) if n}
    inputs = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in given.items()
    ]
    results = [helper.make_tensor_value_info(f"y{k}", TensorProto.UNDEFINED, None) for k in range(outputs)]
    graph = helper.make_graph([node], op, inputs, results)
    imports = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=helper.find_min_ir_version_for(imports))
    model = onnx.shape_inference.infer_shapes(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = session.run(None, given)
    for compile in (False, True) if compiled else (False,):
        for got, want in zip(prepare(model, compile=compile).run([*given.values()]), wanted, strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=tol, atol=tol)


STEPS, BATCH, INPUTS, HIDDEN = 5, 3, 4, 6
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
STATES = {"RNN": 1, "GRU": 1, "LSTM": 2}
SETTINGS = {
    "plain": {},
    "clip": {"clip": 0.4},
    "others": {
        "RNN": {"activations": ["LeakyRelu"], "activation_alpha": [0.3]},
        "GRU": {"activations": ["HardSigmoid", "Softsign"], "activation_alpha": [0.3], "activation_beta": [0.4]},
        "LSTM": {
            "activations": ["Sigmoid", "Elu", "ScaledTanh"],
            "activation_alpha": [0.7, 0.9],
            "activation_beta": [0.8],
        },
    },
}


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("op", GATES)
def test_recurrent(op, direction, whole, settings):
    ways, gates = 2 if direction == "bidirectional" else 1, GATES[op]
    given = SETTINGS[settings]
    attributes = dict(given.get(op, {}) if settings == "others" else given)
    for name in ("activations", "activation_alpha", "activation_beta"):
        if name in attributes:
            attributes[name] = attributes[name] * ways
    if op == "GRU" and direction == "reverse":
        attributes["linear_before_reset"] = 1
    states = [normal(7 + k, ways, BATCH, HIDDEN) for k in range(STATES[op])]
    arrays = [
        normal(1, STEPS, BATCH, INPUTS),
        normal(2, ways, gates * HIDDEN, INPUTS, scale=0.4),
        normal(3, ways, gates * HIDDEN, HIDDEN, scale=0.4),
        normal(4, ways, 2 * gates * HIDDEN),
        None if whole else np.array([5, 2, 3], np.int32),
        *states,
    ]
    if op == "LSTM":
        arrays.append(normal(5, ways, 3 * HIDDEN))
    compiled = direction == "bidirectional" and not whole and settings == "plain"
    agree(op, arrays, 1 + STATES[op], compiled=compiled, direction=direction, hidden_size=HIDDEN, **attributes)


COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]


@pytest.mark.parametrize("sizes", [(7, 11), (3, 4), (9, 3)])
@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_resize(mode, coordinates, sizes):
    x = normal(1, 2, 3, 6, 8)
    target = np.array([2, 3, *sizes], np.int64)
    compiled = coordinates == "half_pixel" and sizes == (9, 3)
    settings = {"mode": mode, "coordinate_transformation_mode": coordinates}
    agree("Resize", [x, None, None, target], 1, 19, compiled=compiled, **settings)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("outside", [0, 1])
def test_resize_antialias(mode, outside):
    sizes = np.array([1, 1, 4, 5], np.int64)
    settings = {"mode": mode, "antialias": 1, "exclude_outside": outside}
    agree("Resize", [normal(2, 1, 1, 9, 12), None, None, sizes], 1, 19, compiled=False, **settings)


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest", "cubic"])
def test_grid_sample(mode, padding, align):
    grid = normal(3, 2, 4, 5, 2, scale=0.9)
    x = normal(4, 2, 3, 5, 6)
    settings = {"mode": mode, "padding_mode": padding, "align_corners": align}
    agree("GridSample", [x, grid], 1, 20, compiled=padding == "reflection" and not align, tol=2e-3, **settings)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("ratio", [0, 2])
@pytest.mark.parametrize("coordinates", ["half_pixel", "output_half_pixel"])
def test_roi_align(coordinates, ratio, mode):
    rois = np.array([[1, 1, 9, 8], [0, 0, 3.5, 4], [2, 3, 2.2, 3.1]], F32)
    arrays = [normal(5, 2, 3, 10, 12), rois, np.array([0, 1, 1], np.int64)]
    settings = {"output_height": 3, "output_width": 2, "sampling_ratio": ratio, "spatial_scale": 0.8}
    settings |= {"coordinate_transformation_mode": coordinates, "mode": mode}
    agree("RoiAlign", arrays, 1, 16, compiled=ratio > 0, **settings)


def test_max_roi_pool():
    rois = np.array([[0, 1, 1, 9, 8], [1, 0, 0, 3, 4], [1, 2, 3, 2, 3]], F32)
    agree("MaxRoiPool", [normal(6, 2, 3, 10, 12), rois], 1, 21, compiled=False, pooled_shape=[3, 2], spatial_scale=0.8)


@pytest.mark.parametrize("centre", [0, 1])
def test_non_max_suppression(centre):
    rng = np.random.default_rng(7)
    boxes, scores = rng.random((2, 30, 4)).astype(F32), rng.random((2, 3, 30)).astype(F32)
    limits = [np.array([6], np.int64), np.array([0.3], F32), np.array([0.4], F32)]
    agree("NonMaxSuppression", [boxes, scores, *limits], 1, 11, compiled=False, center_point_box=centre)


@pytest.mark.parametrize("length", [6, 9, 12])
@pytest.mark.parametrize("onesided", [0, 1])
def test_dft(length, onesided):
    arrays = [normal(8, 2, 9, 1), np.array(length, np.int64), np.array(1, np.int64)]
    agree("DFT", arrays, 1, 20, compiled=False, onesided=onesided)
    if not onesided:
        agree("DFT", [normal(9, 2, 9, 2), *arrays[1:]], 1, 20, compiled=False, inverse=1)


@pytest.mark.parametrize("onesided", [0, 1])
def test_stft(onesided):
    arrays = [normal(10, 2, 40, 1), np.array(4, np.int64), np.hanning(16).astype(F32), np.array(16, np.int64)]
    agree("STFT", arrays, 1, 17, compiled=False, onesided=onesided)
