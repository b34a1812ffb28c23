"""Importing a package prints nothing, starts no thread, opens no socket and loads nothing it does not need."""

import json

import pytest

from scripts.workspace import Distribution

# Python itself raises an audit event for each, so neither a C extension nor a subprocess of its own slips by unseen.
WATCHED = ("socket.__new__", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.fork", "os.system")

# Modules beyond those of NumPy: what a clock would tell on an idle machine, told the same on a busy one. The times
# themselves are printed by `hatch run bench:start`.
MODULE_BUDGET = {"brickwork.tensor": 52, "brickwork.layers": 185}

PROBE = """
import json, sys, threading
events = []
watched = {watched!r}
sys.addaudithook(lambda event, args: events.append(event) if event in watched else None)
import {module}
print(json.dumps({{"events": events, "threads": threading.active_count(), "modules": sorted(sys.modules)}}))
"""

HEAVY = {"cupy", "jax", "llvmlite", "pandas", "polars", "pyarrow", "scipy", "sklearn", "tensorflow", "torch"}
NEEDED = {
    "brickwork.cli": {"pandas", "pyarrow", "scipy", "sklearn", "llvmlite"},
    "brickwork.graph": {"llvmlite"},
    "brickwork.prep": {"pandas", "pyarrow", "scipy", "sklearn"},
}


@pytest.fixture
def imported(package: Distribution, run_python) -> dict:
    return json.loads(run_python(PROBE.format(module=package.module, watched=WATCHED)))


def test_import_touches_nothing(imported: dict) -> None:
    assert imported["events"] == []
    assert imported["threads"] == 1


def test_import_loads_nothing_heavy(package: Distribution, imported: dict) -> None:
    loaded = HEAVY & set(imported["modules"])
    assert loaded <= NEEDED.get(str(package.module), set())


def test_import_loads_no_leaf_but_its_own(package: Distribution, imported: dict) -> None:
    loaded = {".".join(name.split(".")[:2]) for name in imported["modules"] if name.startswith("brickwork.")}
    if package.module == "brickwork.cli":
        return
    assert loaded <= {package.module, "brickwork.tensor"}


@pytest.mark.parametrize(("module", "budget"), MODULE_BUDGET.items())
def test_import_stays_small(module: str, budget: int, run_python) -> None:
    count = run_python(f"import sys, numpy; n = len(sys.modules); import {module}; print(len(sys.modules) - n)")
    assert int(count) <= budget
