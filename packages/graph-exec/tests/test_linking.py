"""Object code that is linked and mapped here does what it does in LLVM's engine; what is not linked here goes there."""

import ctypes
import platform
import subprocess
import sys

import pytest

from brickwork.graph.llvm import engine, installed, library
from brickwork.graph.llvm.engine import Engine, compile_text
from brickwork.graph.llvm.library import Library
from brickwork.graph.llvm.linking import Image, Unlinkable

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="links ELF objects for x86-64"
)
DOUBLES = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)
WHOLE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
ADDRESS = ctypes.CFUNCTYPE(ctypes.c_void_p)

MIXED = """
@table = private constant [8 x i64] [i64 3, i64 1, i64 4, i64 1, i64 5, i64 9, i64 2, i64 6], align 64
@bytes = private constant [3 x i8] c"abc"
@vector = private constant <4 x float> <float 12.0, float 2.0, float 18.0, float 4.0>
declare double @cos(double)
declare double @sin(double)
declare float @llvm.vector.reduce.fadd.v4f32(float, <4 x float>)

define double @outside(double %x) {
  %c = call double @cos(double %x)
  %s = call double @sin(double %c)
  %t = call double @scaled(double %s)
  ret double %t
}
define double @scaled(double %x) noinline {
  %y = fmul double %x, 1.25
  %z = fadd double %y, 0x3FB999999999999A
  ret double %z
}
define i64 @looked_up(i64 %k) {
  %at = getelementptr [8 x i64], ptr @table, i64 0, i64 %k
  %v = load i64, ptr %at
  %c = getelementptr [3 x i8], ptr @bytes, i64 0, i64 1
  %b = load i8, ptr %c
  %w = zext i8 %b to i64
  %r = load <4 x float>, ptr @vector
  %q = call reassoc float @llvm.vector.reduce.fadd.v4f32(float 0.0, <4 x float> %r)
  %i = fptosi float %q to i64
  %s = add i64 %v, %w
  %u = mul i64 %s, %i
  ret i64 %u
}
define ptr @address_within() {
  ret ptr @scaled
}
define ptr @address_outside() {
  ret ptr @cos
}
"""


@pytest.fixture(scope="module")
def mixed():
    return compile_text(MIXED)


@pytest.fixture
def numbers(mixed):
    """What the functions of `MIXED` give, by a way of loading them."""

    def ask(load):
        loaded = load(mixed)
        outside, scaled, looked_up = (
            kind(loaded.address(n)) for kind, n in ((DOUBLES, "outside"), (DOUBLES, "scaled"), (WHOLE, "looked_up"))
        )
        within = DOUBLES(ADDRESS(loaded.address("address_within"))())
        beyond = DOUBLES(ADDRESS(loaded.address("address_outside"))())
        return [outside(0.3), scaled(0.7), within(0.7), beyond(0.3), *map(looked_up, range(8))]

    return ask


def test_code_is_the_same_here_and_in_the_engine(mixed, numbers):
    assert {"outside", "scaled", "looked_up"} <= set(Image(mixed).names)
    here = numbers(Library)
    assert here == numbers(Engine)
    assert here[4:] == [36 * (98 + n) for n in (3, 1, 4, 1, 5, 9, 2, 6)]


def test_nothing_is_writable_and_executable_and_all_of_it_goes(mixed):
    def mapped(address):
        with open("/proc/self/maps") as file:
            for line in file:
                first, last = (int(n, 16) for n in line.split()[0].split("-"))
                if first <= address < last:
                    return line.split()[1]
        return None

    loaded = Library(mixed)
    address = loaded.address("scaled")
    assert mapped(address) == "r-xp"
    del loaded
    assert mapped(address) is None


def test_where_no_memory_may_be_executable_the_engine_is_asked(numbers, monkeypatch):
    here = numbers(Library)
    monkeypatch.setattr(library, "EXECUTE", 1 << 20)  # no such right: the system says no, as some do to all of these
    asked = []
    monkeypatch.setattr(engine, "Engine", lambda code: asked.append(1) or Engine(code))
    assert numbers(Library) == here and asked == [1]


def test_the_engine_needs_nothing_before_it(mixed, tmp_path):
    """In a process that found all of its code, loading some of it is the first that LLVM hears of."""
    (tmp_path / "mixed.o").write_bytes(mixed)
    code = (
        "import sys; from brickwork.graph.llvm.engine import Engine\n"
        "print(Engine(open(sys.argv[1], 'rb').read()).address('scaled') > 0)"
    )
    run = subprocess.run([sys.executable, "-c", code, tmp_path / "mixed.o"], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "True"


OTHERS = {
    "data that is written": (
        "@n = internal global i64 40\ndefine i64 @f(i64 %x) {\n  %a = load volatile i64, ptr @n\n"
        "  %b = add i64 %a, %x\n  store volatile i64 %b, ptr @n\n  ret i64 %b\n}\n"
    ),
    "addresses in data": (
        "@t = internal constant [2 x ptr] [ptr @g, ptr @f]\n"
        "define i64 @g(i64 %x) noinline {\n  %a = add i64 %x, 40\n  ret i64 %a\n}\n"
        "define i64 @f(i64 %x) {\n  %p = load volatile ptr, ptr @t\n  %a = call i64 %p(i64 %x)\n  ret i64 %a\n}\n"
    ),
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_what_is_not_linked_here_is_for_the_engine(text):
    code = compile_text(text)
    with pytest.raises(Unlinkable):
        Image(code)
    loaded = Library(code)
    assert WHOLE(loaded.address("f"))(2) == 42


@pytest.mark.parametrize("code", [b"", b"\x7fELF\x01\x01\x01" + bytes(64), b"\x7fELF\x02\x01\x01" + bytes(64)])
def test_other_files_are_refused(code):
    with pytest.raises(Unlinkable):
        Image(code)


@pytest.mark.parametrize("load", [Library, Engine])
def test_what_is_called_must_be_there(load):
    code = compile_text(
        "declare void @brickwork_nowhere()\ndefine void @f() {\n  call void @brickwork_nowhere()\n  ret void\n}\n"
    )
    with pytest.raises(RuntimeError, match="needs brickwork_nowhere, which this process does not have"):
        load(code)


STEP = """
import sys, numpy as np, brickwork.tensor as bt
from brickwork.graph import function
from brickwork.graph.compiler import LLVMCompiler
assert LLVMCompiler().available() is None
f = function(lambda x, w: bt.sum(bt.nn.softmax(bt.sort(x) @ w)[:, :3] * x[:, :3], 0))
rng = np.random.default_rng(0)
y = f(*(rng.normal(size=s).astype("f") for s in ((640, 400), (400, 300))))
print("llvmlite.binding" in sys.modules, y.numpy().tolist())
"""


def test_who_finds_all_code_loads_no_llvm(tmp_path, monkeypatch):
    monkeypatch.setenv("BRICKWORK_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("BRICKWORK_NUM_THREADS", "3")
    first, second = (
        subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=True).stdout.split(" ", 1)
        for _ in range(2)
    )
    assert (first[0], second[0]) == ("True", "False") and first[1] == second[1]


def test_the_state_of_llvm_is_told_without_it(tmp_path, monkeypatch):
    state = installed.library_state()
    assert "llvmlite" in state and state.count("(") >= 1 and state == installed.library_state()
    monkeypatch.setattr(installed.llvmlite, "__file__", str(tmp_path / "llvmlite" / "__init__.py"))
    assert "llvmlite" in installed.library_state(), "where its libraries are elsewhere there is still an answer"
    (tmp_path / "llvmlite" / "binding").mkdir(parents=True)
    states = {installed.library_state()}
    for size in (1, 2):
        (tmp_path / "llvmlite" / "binding" / "libllvmlite.so").write_bytes(bytes(size))
        states.add(installed.library_state())
    assert len(states) == 3


def test_the_processor_is_told_by_linux_or_else_by_llvm(tmp_path, monkeypatch):
    assert "|" in installed.processor()
    facts = "".join(f"{name}\t: {name} of {{0}}\n" for name in installed.CPU_FACTS)
    (tmp_path / "two").write_text(f"processor\t: 0\n{facts.format('a')}\nprocessor\t: 1\n{facts.format('b')}\n")
    (tmp_path / "arm").write_text("processor\t: 0\nFeatures\t: fp asimd\n\n")
    monkeypatch.setattr(installed, "CPUINFO", str(tmp_path / "two"))
    assert installed.processor() == "|".join(f"{name} of a" for name in installed.CPU_FACTS)
    for name in ("arm", "nothing"):
        monkeypatch.setattr(installed, "CPUINFO", str(tmp_path / name))
        assert installed.processor() == f"{engine.host().name}|{engine.host().features}"
