"""Finding ops by name in a process that has loaded nothing but the package."""

import subprocess
import sys

from brickwork.tensor.registry import OPS, find_op


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_an_op_of_a_late_room_is_found():
    code = "from brickwork.tensor.registry import OPS, find_op; print('eig' in OPS, find_op('eig').name)"
    assert run(code) == ["False", "eig"]
    assert find_op("exp") is OPS["exp"] and find_op("scan").kind == "region" and find_op("no such op") is None


def test_every_late_room_is_known():
    """After one look-up that fails, no room of the package has an op left to register."""
    code = """
import importlib, pkgutil
import brickwork.tensor as bt
from brickwork.tensor.registry import OPS, REGIONS, find_op
find_op("no such op")
before = {*OPS, *REGIONS}
for room in pkgutil.walk_packages(bt.__path__, bt.__name__ + "."):
    importlib.import_module(room.name)
print(len(before), *sorted({*OPS, *REGIONS} - before))
"""
    assert len(run(code)) == 1
