"""The ONNX project's own backend tests, which come inside its package: every op it has cases for, eagerly, and some of
each family compiled."""

import os
import warnings
from functools import partial

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the package `onnx` is an extra of brickwork-graph-exec")

from onnx.backend.test.loader import load_model_tests  # noqa: E402
from onnx.backend.test.runner import Runner  # noqa: E402

from brickwork.graph.onnx import BrickworkRep, UnsupportedError, from_onnx, prepare  # noqa: E402
from brickwork.graph.onnx.folding import obstacle  # noqa: E402

NEWEST = 28
"""The op set of the standard that this was last read against: cases of newer ones are not judged."""
OTHERWISE = {
    # their expected results are draws of NumPy's generator
    *(f"test_bernoulli{kind}{how}" for kind in ("", "_double", "_seed") for how in ("", "_expanded")),
    *(f"test_training_dropout{kind}" for kind in ("", "_default", "_mask", "_default_mask")),
    # the comparison of the suite takes the length of a tensor without axes
    "test_loop16_seq_none",
}
FAMILIES = (
    "test_add_bcast", "test_attention_4d_gqa_causal", "test_averagepool_2d_ceil", "test_basic_conv_with_padding",
    "test_batchnorm_epsilon_training_mode", "test_cast_FLOAT_to_FLOAT16", "test_clip_example", "test_concat_2d_axis_0",
    "test_convtranspose_output_shape", "test_cumsum_2d_axis_1", "test_dequantizelinear_axis", "test_einsum_sum",
    "test_expand_dim_changed", "test_gather_elements_0", "test_gelu_tanh_1", "test_gemm_all_attributes",
    "test_gru_seq_length", "test_if", "test_layer_normalization_4d_axis2", "test_loop11", "test_lstm_with_peepholes",
    "test_matmul_4d", "test_maxpool_with_argmax_2d_precomputed_pads", "test_mod_mixed_sign_int32",
    "test_nllloss_NCd1d2_with_weight", "test_onehot_negative_indices", "test_qlinearconv", "test_quantizelinear_axis",
    "test_range_int32_type_negative_delta", "test_reduce_log_sum_exp_keepdims_random", "test_reflect_pad",
    "test_reshape_extended_dims", "test_reversesequence_time", "test_scan9_sum", "test_scatternd_add",
    "test_sce_mean_weight_ii_log_prob", "test_slice_neg_steps", "test_softmax_axis_1",
    "test_split_variable_parts_2d_opset18", "test_top_k", "test_transpose_all_permutations_4", "test_tril_neg",
    "test_where_example",
)  # fmt: skip


@pytest.fixture(scope="module")
def cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = load_model_tests(kind="node")
    return {c.name: c for c in found if all(o.version <= NEWEST for o in read(c).opset_import if not o.domain)}


def read(case):
    """The model of a case: older packages hold files instead of it."""
    return case.model or onnx.load(os.path.join(case.model_dir, "model.onnx"))


def value(x):
    """What a case holds, as what a backend takes."""
    return onnx.numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else x


def judge(case, rep):
    for inputs, expected in case.data_sets or map(partial(files, rep), folders(case)):
        got = rep.run([value(x) for x in inputs])
        Runner.assert_similar_outputs([value(x) for x in expected], list(got), case.rtol, case.atol)


def folders(case):
    names = sorted(d for d in os.listdir(case.model_dir) if d.startswith("test_data_set"))
    return [os.path.join(case.model_dir, d) for d in names]


def files(rep, folder):
    """Inputs and expected outputs of a folder."""
    declared = {"input": rep.model.inputs, "output": rep.model.outputs}
    return [
        [read_value(os.path.join(folder, f"{what}_{k}.pb"), v) for k, v in enumerate(vs)]
        for what, vs in declared.items()
    ]


def read_value(path, declared):
    with open(path, "rb") as file:
        data = file.read()
    if declared.optional:
        return onnx.numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    if declared.dtype is None:
        return [np.asarray(v) for v in onnx.numpy_helper.to_list(onnx.SequenceProto.FromString(data))]
    return onnx.numpy_helper.to_array(onnx.TensorProto.FromString(data))


@pytest.mark.skipif(
    tuple(map(int, onnx.__version__.split(".")[:2])) < (1, 22),
    reason="results of attention were corrected in onnx 1.22",
)
def test_every_op_that_has_a_translator_agrees_with_the_standard(cases):
    wrong, unknown, count = {}, set(), 0
    for name, case in cases.items():
        try:
            judge(case, prepare(read(case), compile=False))
            count += 1
        except UnsupportedError:
            unknown.add(name)
        except Exception as error:
            wrong[name] = f"{type(error).__name__}: {error}"
    assert not {k: v[:300] for k, v in wrong.items() if k not in OTHERWISE}
    assert not {
        n for n in unknown if not n.startswith(("test_ai_onnx_ml", "test_image_decoder", "test_flex_attention"))
    }
    assert count > 1700


@pytest.mark.parametrize("name", FAMILIES)
def test_compiled_models_agree_too(cases, name):
    case = cases[name]
    judge(case, prepare(read(case), compile=True))


def test_what_has_no_obstacle_can_be_traced(cases):
    # `obstacle` is what a backend goes by; a case of each primary op is traced, and none of them may ask for numbers
    import brickwork.tensor as bt
    from brickwork.graph import function

    seen, count = set(), 0
    for name, case in cases.items():
        op = read(case).graph.node[0].op_type
        if op in seen or name in OTHERWISE or "expanded" in name:
            continue
        try:
            model = from_onnx(read(case))
        except UnsupportedError:
            continue
        if obstacle(model.graph) is not None or model.sizes:
            continue
        seen.add(op)
        given = [value(x) for x in (case.data_sets or [files(BrickworkRep(model), folders(case)[0])])[0][0]]
        function(model.run).lower(*(None if x is None else bt.asarray(x) for x in given))
        count += 1
    assert count > 100


@pytest.mark.parametrize("kind", ["simple", "pytorch-operator", "pytorch-converted"])
def test_models_of_other_frameworks(kind):
    for case in load_model_tests(kind=kind):
        rep = prepare(os.path.join(case.model_dir, "model.onnx"), compile=False)
        assert folders(case) or kind == "simple"
        judge(case, rep)
