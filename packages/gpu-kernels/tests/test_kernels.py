"""Whole kernels: they compile for a GPU, and on the host they do what the waist says."""

import re

import numpy as np
import pytest
from cases import BATCH, CASES, F32, adam, softmax, write
from cuda_on_host import one_unit

from brickwork.gpu import CompileError, compile_binary, compile_kernel, emit
from brickwork.gpu.nvrtc import Nvrtc, target_for
from brickwork.tensor import DeviceError, DTypeError
from brickwork.tensor.coalesce import coalesce
from brickwork.tensor.dtypes import NAMES
from brickwork.tensor.expr import acc, apply, arg, index
from brickwork.tensor.kernel import Kernel, KernelError, Read, Stage, interpret

ELF, SM_90 = b"\x7fELF", "sm_90"
IN_PLACE = Kernel(
    (50,),
    1,
    (Read(0, F32, 0, (1,)), Read(1, F32, 0, (1,))),
    (write(arg(0, F32) + arg(1, F32), 0, (1,)), write(arg(0, F32) - arg(1, F32), 1, (1,))),
)
SOFTMAX_IN_PLACE = Kernel(
    (4, 40),
    1,
    (Read(0, F32, 0, (40, 1)),),
    (Stage((1,), apply("exp", arg(0, F32)), "add"), write(apply("exp", arg(0, F32)) / acc(0, F32), 0, (40, 1), (1,))),
)


@pytest.fixture(scope="module")
def sources():
    kernels = {
        **{name: case.kernel for name, case in CASES.items()},
        "in_place": IN_PLACE,
        "softmax_in_place": SOFTMAX_IN_PLACE,
    }
    return {"k_" + name: emit(kernel) for name, kernel in kernels.items()}


@pytest.fixture(scope="module")
def host(compile_for_host, sources):
    return compile_for_host(sources)


@pytest.mark.parametrize("name", CASES)
def test_on_the_host(host, name):
    case = CASES[name]
    got, wanted = case.arrays(), case.expected()
    host.run("k_" + name, got, case.symbols)
    for k, array in wanted.items():
        np.testing.assert_allclose(
            got[k].astype(np.float64), array.astype(np.float64), rtol=case.rtol, atol=case.rtol * 0.1, err_msg=str(k)
        )


def test_all_compile_for_a_gpu(nvrtc, sources):
    assert nvrtc.compile(one_unit(sources), SM_90)[:4] == ELF


@pytest.mark.parametrize("name", ["adam", "gelu_gradient", "uniform", "layer_norm"])
def test_each_is_a_program_of_its_own(nvrtc, name):
    assert compile_binary(CASES[name].kernel, SM_90)[:4] == ELF


def test_ptx_for_a_gpu_newer_than_the_compiler(nvrtc):
    ptx = compile_binary(CASES["adam"].kernel, "compute_90")
    assert b".target sm_90" in ptx and ptx.endswith(b"\0")


def test_updates_in_place(host):
    rng = np.random.default_rng(0)
    x, y = rng.random(50, dtype=np.float32), rng.random(50, dtype=np.float32)
    got = {0: x.copy(), 1: y.copy()}
    host.run("k_in_place", got)
    np.testing.assert_array_equal(got[0], x + y)
    np.testing.assert_array_equal(got[1], x - y)
    rows = rng.random((4, 40), dtype=np.float32)
    out = rows.copy()
    host.run("k_softmax_in_place", {0: out})
    np.testing.assert_allclose(out, np.exp(rows) / np.exp(rows).sum(1, keepdims=True), rtol=1e-6)


@pytest.mark.parametrize("name", ["softmax", "sum", "wide_row"])
def test_sums_have_the_same_bits_on_any_grid(host, name):
    case = CASES[name]
    outputs = []
    for blocks in (1, 2, 5):
        arrays = case.arrays()
        host.run("k_" + name, arrays, case.symbols, blocks=blocks)
        outputs.append(arrays[1].tobytes())
    assert len(set(outputs)) == 1


def test_shared_values_are_computed_once():
    source = emit(adam(8).kernel)
    assert len(re.findall(r"const float x1 = ", source.text)) == 1
    assert source.text.count("sqrt(") == 1
    writes, reads = [source.text.index(f"b{k}[") for k in (4, 5, 6)], [source.text.index(f"= b{k}[") for k in range(4)]
    assert max(reads) < min(writes)


def test_parameters_say_what_is_written():
    source = emit(IN_PLACE)
    assert [(b.number, b.read, b.written) for b in source.buffers] == [(0, True, True), (1, True, True)]
    assert "__restrict__" not in source.text
    assert "const float* __restrict__ b0" in emit(adam(8).kernel).text
    assert emit(softmax(F32, 2, 9).kernel).symbols == ("batch",)


def test_contiguous_axes_become_one():
    contiguous = Kernel(
        (BATCH, 4, 8),
        3,
        (Read(0, F32, 0, (32, 8, 1)), Read(1, F32, 0, (0, 0, 0))),
        (write(arg(0, F32) * arg(1, F32), 2, (32, 8, 1)),),
    )
    assert coalesce(contiguous).axes == (BATCH * 32,)
    assert "%" not in emit(contiguous).text
    bias = Kernel(
        (BATCH, 4, 8),
        3,
        (Read(0, F32, 0, (32, 8, 1)), Read(1, F32, 0, (0, 0, 1))),
        (write(arg(0, F32) + arg(1, F32), 2, (32, 8, 1)),),
    )
    assert coalesce(bias).axes == (BATCH * 4, 8)


@pytest.mark.parametrize("seed", range(30))
def test_collapsed_kernels_mean_the_same(seed):
    """Random axes in random orders, with sizes of 1, broadcasts, an index and a reduction now and then."""
    rng = np.random.default_rng(seed)
    axes = tuple(int(n) for n in rng.choice([1, 2, 3], size=rng.integers(1, 5)))
    outer = int(rng.integers(0, len(axes) + 1))
    inner = tuple(range(outer, len(axes)))

    def strides(over: list[int]) -> tuple[int, ...]:
        out, step = [0] * len(axes), 1
        for a in reversed(over if rng.random() < 0.7 else list(rng.permutation(over))):
            out[a], step = step, step * axes[a]
        return tuple(out)

    everything = list(range(len(axes)))
    reads = (
        Read(0, F32, 0, strides(everything)),
        Read(1, F32, 0, strides(everything) if rng.random() < 0.5 else (0,) * len(axes)),
    )
    body = arg(0, F32) + arg(1, F32) * (index(int(rng.integers(len(axes)))).cast(F32) if rng.random() < 0.3 else 2.0)
    if inner and rng.random() < 0.5:
        stages = (Stage(inner, body, "maximum"), write(acc(0, F32), 2, strides(everything[:outer])))
    else:
        stages = (write(body, 2, strides(everything), inner),)
    kernel = Kernel(axes, outer, reads, stages)
    kernel.check()
    smaller = coalesce(kernel)
    smaller.check()
    size = int(np.prod(axes))
    inputs = {0: rng.random(size, dtype=np.float32), 1: rng.random(size, dtype=np.float32)}
    results = []
    for k in (kernel, smaller):
        out = np.full(size, -1, np.float32)
        interpret(k, {**inputs, 2: out})
        results.append(out)
    np.testing.assert_array_equal(*results)


def test_a_buffer_has_one_dtype():
    kernel = Kernel((3,), 1, (Read(0, F32, 0, (1,)), Read(0, NAMES["int32"], 0, (1,))), (write(arg(0, F32), 1, (1,)),))
    with pytest.raises(KernelError, match="a buffer must have one dtype; got float32 and int32 for buffer 0"):
        emit(kernel)


def test_log_of_refused_code_shows_the_line(nvrtc):
    with pytest.raises(
        CompileError, match=r'(?s)kernel\.cu\(2\): error: identifier "y" is undefined.*2 \|     x\[0\] = y;'
    ) as caught:
        nvrtc.compile('extern "C" __global__ void f(float* x) {\n    x[0] = y;\n}\n', SM_90)
    assert "y;" in caught.value.source


def test_target():
    assert target_for(90, (75, 80, 90)) == "sm_90"
    assert target_for(121, (75, 80, 90)) == "compute_90"
    with pytest.raises(DeviceError, match=r"compute capability 7\.5 or newer for this NVRTC; got 6\.1"):
        target_for(61, (75, 80, 90))


def test_without_nvrtc(monkeypatch):
    monkeypatch.setattr("brickwork.gpu.kernels.find_nvrtc", lambda major: None)
    with pytest.raises(DeviceError, match="python -m pip install nvidia-cuda-nvrtc"):
        compile_binary(adam(3).kernel, "sm_80")


def test_calls_are_checked_before_the_gpu_is_asked():
    run = compile_kernel(IN_PLACE)
    with pytest.raises(DeviceError, match="every buffer and symbol must be given; got none for 1"):
        run({0: np.zeros(50, np.float32)})
    with pytest.raises(DeviceError, match=r"buffer 0 must be on the GPU; got a numpy\.ndarray"):
        run({0: np.zeros(50, np.float32), 1: np.zeros(50, np.float32)})

    class OnGpu(np.ndarray):
        __cuda_array_interface__ = {}

    wrong = np.zeros(50, np.float64).view(OnGpu)
    with pytest.raises(DTypeError, match="buffer 0 must be contiguous float32; got contiguous float64"):
        run({0: wrong, 1: wrong})
    strided = np.zeros(100, np.float32).view(OnGpu)[::2]
    with pytest.raises(DTypeError, match="got strided float32"):
        run({0: strided, 1: strided})


def test_repr_of_a_compiler_is_short(nvrtc):
    assert isinstance(nvrtc, Nvrtc) and "library" not in repr(nvrtc)
