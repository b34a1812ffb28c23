"""Every atom in every dtype: its CUDA C compiles for a GPU, and computes on the host what NumPy computes."""

from fractions import Fraction

import numpy as np
import pytest
from cuda_on_host import one_unit
from samples import DTYPES, PAIRS, atom_kernel, corners, map_kernel, operands, ulps

from brickwork.gpu import emit
from brickwork.gpu.c_types import NARROW
from brickwork.tensor import DTypeError
from brickwork.tensor.dtypes import NAMES, class_of
from brickwork.tensor.expr import ATOMS, apply, arg, const
from brickwork.tensor.kernel import interpret

IN_NUMPY = [pair for pair in PAIRS if pair[0].name != "fma"]  # NumPy has none: test_fma_rounds_once
SOME = IN_NUMPY[::9]
# What C libraries round as they like, in ulp against NumPy's; all else is exact. NumPy's own float32 exp, sin, ... err
# by up to 4.
LIBRARY = {"pow", "exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "erf"}
LIBRARY |= {"tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "asinh", "acosh", "atanh", "hypot", "log2", "log10"}
LIBRARY |= {"lgamma", "digamma", "trigamma", "erfc", "erfinv"}
LIBRARY_ULPS = 5
# Below 0 these have an absolute error, and one corner is close to a root.
NEAR_ROOTS = {"lgamma": 12, "digamma": 12, "erfc": 8, "erfinv": 8}
CASTS = [(a, b) for a in DTYPES for b in DTYPES if a != b]
BITCASTS = [(a, b) for a, b in CASTS if a.itemsize == b.itemsize and np.dtype("bool") not in (a, b)]


def name_of(*parts):
    return "k_" + "_".join(parts)


@pytest.fixture(scope="module")
def atom_sources():
    sources = {name_of(a.name, d.name): emit(atom_kernel(a, d)) for a, d in PAIRS}
    sources |= {name_of("cast", a.name, b.name): emit(map_kernel(arg(0, a).cast(b), [a])) for a, b in CASTS}
    sources |= {name_of("bits", a.name, b.name): emit(map_kernel(arg(0, a).bitcast(b), [a])) for a, b in BITCASTS}
    return sources


@pytest.fixture(scope="module")
def host(compile_for_host, atom_sources):
    return compile_for_host(atom_sources)


def run(host, name, arrays, dtype):
    out = np.zeros(arrays[0].size, dtype)
    host.run(name, dict(enumerate([*map(np.ascontiguousarray, arrays), out])), {"n": out.size})
    return out


def test_all_compile_for_a_gpu(nvrtc, atom_sources):
    assert nvrtc.compile(one_unit(atom_sources), "sm_90")[:4] == b"\x7fELF"


@pytest.mark.parametrize(("atom", "dtype"), IN_NUMPY, ids=[f"{a.name}-{d.name}" for a, d in IN_NUMPY])
def test_matches_numpy(host, atom, dtype):
    arrays = operands(atom, dtype)
    with np.errstate(all="ignore"):
        wanted = np.asarray(atom.numpy(*arrays))
    wanted = wanted.astype(np.bool_ if atom.result == "bool" else dtype)
    got = run(host, name_of(atom.name, dtype.name), arrays, wanted.dtype)
    if class_of(wanted.dtype) != "f":
        np.testing.assert_array_equal(got, wanted)
    elif atom.name in LIBRARY:
        assert ulps(got, wanted) <= (1 if dtype in NARROW else NEAR_ROOTS.get(atom.name, LIBRARY_ULPS))
    else:
        assert ulps(got, wanted) == 0


@pytest.mark.parametrize("dtype", [d for d in DTYPES if class_of(d) == "f"], ids=str)
def test_fma_rounds_once(host, dtype):
    atom = ATOMS["fma"]
    arrays = [a[:100] for a in operands(atom, dtype)]
    exact = [Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)) for x, y, z in zip(*arrays, strict=True)]
    wanted = np.array([float(e) for e in exact]).astype(dtype)
    assert ulps(run(host, name_of("fma", dtype.name), arrays, dtype), wanted) == 0


@pytest.mark.parametrize(("atom", "dtype"), SOME, ids=[f"{a.name}-{d.name}" for a, d in SOME])
def test_interpreter_agrees(host, atom, dtype):
    """The waist's own meaning, on a few: it is slow, and the atoms' NumPy functions are the same."""
    arrays = [a[:20] for a in operands(atom, dtype)]
    kernel = atom_kernel(atom, dtype)
    wanted = np.zeros(20, kernel.stages[0].body.dtype)
    interpret(kernel, dict(enumerate([*arrays, wanted])), {"n": 20})
    got = run(host, name_of(atom.name, dtype.name), arrays, wanted.dtype)
    np.testing.assert_allclose(
        got.astype(np.float64), wanted.astype(np.float64), rtol=1e-2 if dtype in NARROW else 1e-6
    )


@pytest.mark.parametrize(("source", "target"), CASTS, ids=[f"{a.name}-{b.name}" for a, b in CASTS])
def test_casts(host, source, target):
    values = np.array(corners(source), source)
    if class_of(source) == "f" and class_of(target) in "iu":  # out of range, C and NumPy both leave it to the machine
        info = np.iinfo(target)
        with np.errstate(all="ignore"):
            wide = values.astype(np.float64)
            values = values[np.isfinite(wide) & (wide > max(info.min, -100) - 1) & (wide < 100)]
    if class_of(source) == class_of(target) == "f":
        random = np.random.default_rng(1).integers(0, 2**63, 2000).astype(f"u{source.itemsize}").view(source)
        near = np.random.default_rng(2).uniform(-6e4, 6e4, 2000).astype(source)
        values = np.concatenate(
            [values, random, near, np.exp(np.random.default_rng(3).uniform(-20, -5, 2000)).astype(source)]
        )
    with np.errstate(all="ignore"):
        wanted = values.astype(target)
    got = run(host, name_of("cast", source.name, target.name), [values], target)
    if class_of(target) == "f":
        assert ulps(got, wanted) == 0
    else:
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(("source", "target"), BITCASTS, ids=[f"{a.name}-{b.name}" for a, b in BITCASTS])
def test_bitcasts(host, source, target):
    bits = np.random.default_rng(0).integers(0, 2**63, 500).astype(f"u{source.itemsize}")
    values = bits.view(source)
    for narrow in {source, target} & set(NARROW):  # passing through float quiets signalling NaN
        values = values[~np.isnan(values.view(narrow).astype(np.float32))]
    got = run(host, name_of("bits", source.name, target.name), [values], target)
    np.testing.assert_array_equal(got.view(bits.dtype), values.view(bits.dtype))


@pytest.mark.parametrize("narrow", NARROW, ids=str)
def test_every_narrow_float_survives(host, narrow):
    everything = np.arange(2**16, dtype=np.uint16).view(narrow)
    got = run(host, name_of("cast", narrow.name, "float32"), [everything], np.dtype("float32"))
    assert ulps(got, everything.astype(np.float32)) == 0
    assert ulps(run(host, name_of("cast", "float32", narrow.name), [got], narrow), everything) == 0


def test_constants_keep_their_bits(compile_for_host, nvrtc):
    values = [(d, v) for d in DTYPES for v in corners(d)]
    sources = {f"c_{i}": emit(map_kernel(const(v, d), [])) for i, (d, v) in enumerate(values)}
    assert nvrtc.compile(one_unit(sources), "sm_90")[:4] == b"\x7fELF"
    host = compile_for_host(sources)
    for i, (dtype, value) in enumerate(values):
        out = np.zeros(1, dtype)
        host.run(f"c_{i}", {0: out}, {"n": 1})
        assert out.tobytes() == value.tobytes(), (dtype, value)


def test_what_generated_code_can_not_do_is_said():
    with pytest.raises(DTypeError, match=r"generated kernels take .*; got complex64\. Cast"):
        emit(map_kernel(arg(0, NAMES["complex64"]) + 1.0, [NAMES["complex64"]]))
    with pytest.raises(DTypeError, match="mulhi"):
        emit(map_kernel(apply("mulhi", arg(0, NAMES["uint8"]), arg(1, NAMES["uint8"])), [NAMES["uint8"]] * 2))
    with pytest.raises(DTypeError, match="a bitcast keeps the width"):
        emit(map_kernel(arg(0, NAMES["int32"]).bitcast(NAMES["int64"]), [NAMES["int32"]]))
