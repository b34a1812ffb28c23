"""Devices and compilers: found by entry points, and errors that say how to get one."""

import sys
import types

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.tensor import backend, compiler
from brickwork.tensor.entry_points import EntryPoint
from brickwork.tensor.numpy_backend import NumpyBackend


class Broken(NumpyBackend):
    name = "broken"

    def available(self):
        return "no driver is loaded. Install one"


class Marking:
    name = "marking"

    def available(self):
        return None

    def function(self, fn, **options):
        return lambda *args: (fn(*args), options)


class Unusable(Marking):
    def available(self):
        return "llvmlite is missing"


@pytest.fixture
def installed(monkeypatch):
    """Sets the entry points of a group, for this test."""
    module = types.ModuleType("brickwork_test_rooms")
    module.Broken, module.Marking, module.Unusable = Broken, Marking, Unusable
    monkeypatch.setitem(sys.modules, module.__name__, module)
    groups = {}

    def entry_points(group):
        return [EntryPoint(n, f"brickwork_test_rooms:{c}") for n, c in groups.get(group, {}).items()]

    monkeypatch.setattr(backend, "entry_points", entry_points)
    monkeypatch.setattr(compiler, "entry_points", entry_points)
    monkeypatch.setattr(backend, "_LOADED", {})  # a device that an earlier test asked for is not known here
    backend._entry_points.cache_clear()
    compiler.find_compiler.cache_clear()
    yield groups.update
    monkeypatch.undo()
    backend._entry_points.cache_clear()
    compiler.find_compiler.cache_clear()


def test_the_cpu_is_always_there(installed):
    installed({})
    cpu = bt.get_backend("cpu")
    assert isinstance(cpu, bt.Backend) and cpu.available() is None and bt.backend_names() == ["cpu"]
    x = bt.asarray([1.0])
    assert x.device == "cpu" and x.to("cpu") is x
    assert cpu.to_numpy(cpu.asarray([1, 2], np.dtype("float32"))).tolist() == [1.0, 2.0]


def test_a_device_nobody_provides(installed):
    installed({})
    with pytest.raises(bt.DeviceError, match=r"no package provides 'cuda'.*pip install 'brickwork-gpu-kernels"):
        bt.asarray(1.0).to("cuda")
    with pytest.raises(bt.DeviceError, match=r"no package provides 'tpu'; got devices cpu. Use one of cpu"):
        bt.get_backend("tpu")


def test_a_device_that_can_not_be_used_is_never_another(installed):
    installed({"brickwork.backends": {"broken": "Broken"}})
    assert bt.backend_names() == ["broken", "cpu"]
    with pytest.raises(bt.DeviceError, match=r"'broken:1' can not be used here; no driver is loaded"):
        bt.asarray(1.0).to("broken:1")


def test_jit_without_a_compiler_is_the_function(installed):
    installed({"brickwork.compilers": {"unusable": "Unusable"}})
    assert bt.find_compiler() is None
    assert bt.jit(abs) is abs


def test_jit_uses_the_compiler_that_is_installed(installed):
    installed({"brickwork.compilers": {"a": "Unusable", "b": "Marking"}})
    assert isinstance(bt.find_compiler(), bt.Compiler)
    assert bt.jit(abs, max_variants=3)(-2) == (2, {"max_variants": 3})


def test_registered_names_are_taken():
    with pytest.raises(bt.BrickworkError, match="register: op names must be new; got 'add'"):
        bt.register(bt.Elementwise("add", "add", 2))
    assert bt.OPS["add"].kind == "elementwise"
