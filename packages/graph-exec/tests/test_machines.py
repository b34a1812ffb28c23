"""Code for other CPUs than the one the tests run on, where this one can run it too."""

import os
import platform
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

CHECK = """
import sys
import numpy as np
import llvmlite.binding as llvm
import brickwork.graph.llvm.engine as engine
from brickwork.graph.llvm.strategy import Machine

name, width, registers, half = sys.argv[1], *map(int, sys.argv[2:5])

def target():
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.Target.from_default_triple()
    machine = triple.create_target_machine(cpu=name, features="", opt=3, reloc="pic", codemodel="default")
    return machine, Machine(name, "", width, registers, bool(half))

engine._target = target
import brickwork.tensor as bt
from brickwork.graph import function

rng = np.random.default_rng(0)
def array(*shape): return rng.normal(size=shape).astype("f")

def check(fn, *args, bound=2e-5):
    want, got = fn(*map(bt.asarray, args)), function(fn)(*args)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got.numpy().astype("d"), want.numpy().astype("d"), rtol=bound, atol=bound)

x, w, image, taps = array(5, 37), array(37, 20), array(2, 9, 9, 3), array(3, 3, 3, 8)
check(lambda a, b: bt.nn.relu(a @ b), x, w)
check(lambda a, b: bt.grad(lambda p, q: (bt.tanh(p @ q) ** 2.0).sum(), 1)(a, b), x, w)
check(lambda a: bt.nn.log_softmax(a) + bt.floor(a) + bt.round(a), x)
for stride in (1, 2):
    loss = lambda p, q: (bt.conv(p, q, stride, "same") ** 2.0).sum()
    check(lambda a, b: bt.grad(loss, 0)(a, b), image, taps, bound=2e-4)
check(lambda a: bt.random.uniform(bt.random.key(1), (5, 37)) + a * 0.0, x, bound=0)
check(lambda a: (a.astype("int64") // 2).astype("float64") * 3.0, x * 9)
for dtype, bound in (("float16", 2e-3), ("bfloat16", 2e-2)):
    check(lambda a: bt.nn.softmax(a * 2.0) + bt.maximum(a, 0.5), x.astype(bt.as_dtype(dtype)), bound=bound)
    bits = np.arange(2**16, dtype=np.uint16).view(bt.as_dtype(dtype))
    got = function(lambda a: a.astype("float32"))(bits).numpy()
    assert np.array_equal(got, bits.astype("f"), equal_nan=True), dtype
    near = [np.nextafter(got, np.float32(end)) for end in (np.inf, -np.inf)]
    wide = np.concatenate([got, *near, array(5000) * np.float32(1e-5), array(5000) * np.float32(1e5)])
    with np.errstate(all="ignore"):
        want = wide.astype(bits.dtype)
    back = function(lambda a: a.astype(dtype))(wide).numpy()
    same = (back.view(np.uint16) == want.view(np.uint16)) | (np.isnan(want.astype("f")) & np.isnan(back.astype("f")))
    assert same.all(), (dtype, wide[~same][:5], back[~same][:5], want[~same][:5])
print("right")
"""
MACHINES = {"avx2": ("haswell", 32, 16, 1), "sse2": ("x86-64", 16, 16, 0)}


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the CPUs named are x86-64")
@pytest.mark.parametrize("machine", MACHINES)
def test_code_for_older_machines(machine):
    arguments = list(map(str, MACHINES[machine]))
    done = subprocess.run(
        [sys.executable, "-c", CHECK, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "BRICKWORK_CACHE_DIR": ""},
    )
    assert (done.returncode, done.stdout.strip()) == (0, "right"), done.stderr[-3000:]


def test_16_bit_floats_are_rounded_once_per_kernel():
    """Inside a kernel they are float32, so a sum of many small parts does not lose them."""
    import brickwork.tensor as bt
    from brickwork.graph import function

    x = np.full(4096, 0.01, ml_dtypes.bfloat16)
    total = float(function(lambda a: bt.sum(a))(x).numpy())
    assert abs(total / (4096 * float(x[0])) - 1) < 2**-8
