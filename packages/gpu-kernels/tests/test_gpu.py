"""On a GPU: generated kernels are launched, and give what the host and NumPy give. Skipped where there is none."""

import numpy as np
import pytest
from cases import CASES, F32, adam
from cuda_on_host import one_unit
from samples import DTYPES, PAIRS, atom_kernel, corners, map_kernel, operands, ulps

from brickwork.gpu import compile_kernel, emit
from brickwork.gpu.c_types import NARROW
from brickwork.tensor.dtypes import class_of
from brickwork.tensor.expr import arg, const

pytestmark = pytest.mark.usefixtures("cuda")
# CUDA's math functions err by at most 2 ulp in float32 (3 for pow, 8 for pow in older toolkits); NumPy's by up to 4.
LIBRARY_ULPS = {"pow": 9, **dict.fromkeys(["exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "erf"], 6)}


def flat(cuda, array):
    """A flat array on the GPU."""
    return cuda.asarray(np.ascontiguousarray(array).reshape(-1))


def run(cuda, kernel, arrays, symbols=None):
    on_gpu = {k: flat(cuda, a) for k, a in arrays.items()}
    compile_kernel(kernel)(on_gpu, symbols)
    return {k: cuda.to_numpy(a) for k, a in on_gpu.items()}


@pytest.mark.parametrize("name", CASES)
def test_kernels(cuda, name):
    case = CASES[name]
    got, wanted = run(cuda, case.kernel, case.arrays(), case.symbols), case.expected()
    for k, array in wanted.items():
        np.testing.assert_allclose(
            got[k].astype(np.float64), array.astype(np.float64), rtol=max(case.rtol, 1e-6), atol=case.rtol * 0.1
        )


@pytest.fixture(scope="module")
def functions(cuda, nvrtc):
    """Every atom in every dtype and every constant, as functions of one module: one compilation for all."""
    sources = {f"k_{a.name}_{d.name}": emit(atom_kernel(a, d)) for a, d in PAIRS}
    sources |= {f"c_{d.name}_{i}": emit(map_kernel(const(v, d), [])) for d in DTYPES for i, v in enumerate(corners(d))}
    capability = cuda.xp.cuda.Device().compute_capability
    module = cuda.xp.cuda.Module()
    module.load(nvrtc.compile(one_unit(sources), f"sm_{capability}"))
    return module


def launch(cuda, module, name, arrays, dtype):
    n = arrays[0].size if arrays else 1
    out = cuda.asarray(np.zeros(n, dtype))
    module.get_function(name)((4,), (256,), (*(flat(cuda, a) for a in arrays), out, np.int64(n)))
    return cuda.to_numpy(out)


@pytest.mark.parametrize("name", dict.fromkeys(a.name for a, _ in PAIRS if a.name != "fma"))  # NumPy has no fma
def test_atoms(cuda, functions, name):
    for atom, dtype in PAIRS:
        if atom.name != name:
            continue
        arrays = operands(atom, dtype)
        with np.errstate(all="ignore"):
            wanted = np.asarray(atom.numpy(*arrays)).astype(np.bool_ if atom.result == "bool" else dtype)
        got = launch(cuda, functions, f"k_{name}_{dtype.name}", arrays, wanted.dtype)
        if class_of(wanted.dtype) != "f":
            np.testing.assert_array_equal(got, wanted, err_msg=dtype.name)
        else:
            allowed = min(LIBRARY_ULPS.get(name, 0), 1 if dtype in NARROW else 9)
            assert ulps(got, wanted) <= allowed, dtype.name


def test_constants(cuda, functions):
    for dtype in DTYPES:
        for i, value in enumerate(corners(dtype)):
            got = launch(cuda, functions, f"c_{dtype.name}_{i}", [], dtype)
            assert got.tobytes() == value.tobytes() or value != value, (dtype, value, got)


def test_an_in_place_step_on_a_stream_of_its_own(cuda):
    """Adam on a million weights, 100 times, in place: the buffers that are read are those that are written."""
    out_of_place = adam(1_000_000).kernel
    targets = {4: 1, 5: 2, 6: 3}
    stages = tuple(_retarget(s, targets) for s in out_of_place.stages)
    step = compile_kernel(type(out_of_place)(out_of_place.axes, 1, out_of_place.reads, stages))
    rng = np.random.default_rng(0)
    g, w = rng.normal(size=(2, 1_000_000)).astype(np.float32)
    m, v = np.zeros_like(w), np.zeros_like(w)
    buffers = {k: flat(cuda, a) for k, a in enumerate((g, w, m, v))}
    stream = cuda.xp.cuda.Stream(non_blocking=True)
    cuda.xp.cuda.Device().synchronize()
    with stream:
        for _ in range(100):
            step(buffers)
    stream.synchronize()
    for _ in range(100):
        m, v = np.float32(0.9) * m + np.float32(0.1) * g, np.float32(0.999) * v + np.float32(0.001) * (g * g)
        w = w - np.float32(0.01) * m / (np.sqrt(v) + np.float32(1e-7))
    np.testing.assert_array_equal(cuda.to_numpy(buffers[1]), w)  # the same bits: no contraction, IEEE division and root


def _retarget(stage, targets):
    from dataclasses import replace

    return replace(stage, write=replace(stage.write, target=targets[stage.write.target]))


def test_a_sum_has_the_same_bits_every_time(cuda):
    case = CASES["wide_row"]
    assert len({run(cuda, case.kernel, case.arrays())[1].tobytes() for _ in range(20)}) == 1


def test_equal_kernels_compile_once(cuda):
    body = arg(0, F32) * 3.25 + 0.125
    first, second = (compile_kernel(map_kernel(body, [F32])) for _ in range(2))
    from brickwork.gpu.kernels import _binary

    for kernel in (first, second):
        before = _binary.cache_info().misses
        kernel({0: flat(cuda, np.ones(4, np.float32)), 1: flat(cuda, np.zeros(4, np.float32))}, {"n": 4})
    assert _binary.cache_info().misses == before


def test_no_points_no_launch(cuda):
    empty = flat(cuda, np.zeros(0, np.float32))
    compile_kernel(map_kernel(arg(0, F32) + 1.0, [F32]))({0: empty, 1: empty}, {"n": 0})
