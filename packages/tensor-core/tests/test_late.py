"""Rooms that load when first asked for: what importing leaves out, and that nobody can tell."""

import subprocess
import sys

import pytest

import brickwork.tensor as bt
from brickwork.tensor.late import later

BUDGET = 40
"""Modules of this package that importing it may load: each costs a file to find, read and run. `hatch run bench:start`
prints what that comes to."""
FIRST_ASKED_FOR = {
    "bt.sort([2, 1])": "ops.sorting",
    "bt.cumulative_sum([1.0])": "ops.cumulative",
    "bt.unique_values([1, 1])": "ops.sets",
    "bt.tile([1], 2)": "ops.arranging",
    "bt.asarray([[1.0]]).mT": "ops.arranging",
    "bt.asarray([1.0]).at[0].add(1.0)": "ops.scattering",
    "bt.grad(lambda x: (x[1:] * 2.0).sum())(bt.ones(3))": "view",
    "bt.lgamma([0.5])": "gamma_functions",
    "bt.floor_divide(3.0, bt.ones(2))": "arithmetic",
    "bt.vmap(bt.exp)(bt.ones((2, 2)))": "batching",
    "bt.while_loop(lambda i: i < 3, lambda i: i + 1, 0)": "control",
}


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_loads_few_rooms() -> None:
    loaded = run("import sys, brickwork.tensor; print(*[m for m in sys.modules if m.startswith('brickwork.tensor')])")
    assert len(loaded.split()) <= BUDGET, loaded


def test_common_work_needs_no_more() -> None:
    """Arithmetic, elementary functions, reductions, indexing, products and a gradient."""
    code = """
import sys, brickwork.tensor as bt
rooms = set(sys.modules)
x, w = bt.ones((3, 4)), bt.Variable(bt.zeros((4, 2)))
with bt.GradientTape() as tape:
    loss = bt.mean(bt.tanh(bt.exp(x) * 2.0 - 1.0)) + (w ** 2.0).sum()
w.assign(w - 0.1 * tape.gradient(loss, w))
bt.where(x > 0, bt.log(x), 0.0)[1:, 0].max(axis=0), x @ w
print(sorted(m for m in set(sys.modules) - rooms if m.startswith("brickwork")))
"""
    assert run(code) == "[]"


@pytest.mark.parametrize(("expression", "room"), FIRST_ASKED_FOR.items())
def test_a_room_loads_with_its_first_use(expression: str, room: str) -> None:
    asked = f"'brickwork.tensor.{room}' in sys.modules"
    assert run(f"import sys, brickwork.tensor as bt; print({asked}); {expression}; print({asked})") == "False\nTrue"


def test_late_names_are_one_object() -> None:
    code = """
from importlib import import_module
import brickwork.tensor as bt
print(sorted(name for name in bt._LATER if name in vars(bt)))
for name, room in bt._LATER.items():
    first = getattr(bt, name)
    loaded = import_module(f"brickwork.tensor.{room}")
    assert first is getattr(bt, name) is vars(bt)[name], name
    assert first is (loaded if name == room else getattr(loaded, name)), name
"""
    assert run(code) == "[]"


def test_a_star_brings_late_names() -> None:
    missing = "print([n for n in bt.__all__ if n not in globals() or n not in dir(bt)])"
    assert run(f"import brickwork.tensor as bt\nfrom brickwork.tensor import *\n{missing}") == "[]"


def test_a_late_function_is_the_rooms_own() -> None:
    assert later("ops.sorting.sort")([2, 1], descending=True).tolist() == bt.sort([2, 1], descending=True).tolist()
