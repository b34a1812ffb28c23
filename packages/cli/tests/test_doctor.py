"""The doctor finds what is there, and for what is not gives the reason and the command."""

import importlib.metadata

import pytest

from brickwork.cli import doctor
from brickwork.cli.main import main
from brickwork.tensor import DeviceError


def test_a_healthy_machine_is_ready(capsys) -> None:
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    for name in ("brickwork-layers", "numpy", "cpu", "cuda"):
        assert name in told
    assert importlib.metadata.version("numpy") in told
    assert "Ready to train and predict." in told


def test_a_missing_package_is_told_with_its_command(monkeypatch) -> None:
    def version(name: str) -> str:
        if name in ("pyarrow", "pandas"):
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(doctor, "version", version)
    found = {finding.name: finding for finding in doctor.packages()}
    assert found["pyarrow"].trouble == "python -m pip install 'brickwork-cli[parquet]'" and not found["pyarrow"].needed
    assert found["pandas"].trouble == "python -m pip install pandas" and found["pandas"].needed
    assert not found["numpy"].trouble
    assert doctor.run(None) == 1  # pandas is needed


def test_a_broken_package_is_told_with_its_error(monkeypatch) -> None:
    def import_module(name: str):
        if name == "rich":
            raise ImportError("no\nlibrary.")
        return importlib.import_module(name)

    monkeypatch.setattr(doctor, "import_module", import_module)
    found = {finding.name: finding for finding in doctor.packages()}
    fix = "python -m pip install --force-reinstall rich"
    assert found["rich"].trouble == f"ImportError: no library. {fix}"


def test_a_device_that_is_not_usable_is_told_with_its_reason(monkeypatch) -> None:
    import brickwork.tensor

    def get_backend(name: str):
        if name == "cuda":
            raise DeviceError("device: 'cuda' can not be used here; no driver. Install one")
        return real(name)

    real = brickwork.tensor.get_backend
    monkeypatch.setattr(brickwork.tensor, "get_backend", get_backend)
    found = {finding.name: finding for finding in doctor.devices()}
    assert not found["cpu"].trouble
    assert "no driver. Install one" in found["cuda"].trouble and not found["cuda"].needed


class _Point:
    name = "llvm"

    def __init__(self, reason):
        self.reason = reason

    def load(self):
        return lambda: self

    def available(self):
        if isinstance(self.reason, Exception):
            raise self.reason
        return self.reason


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([], "python -m pip install brickwork-graph-exec"),
        ([_Point("llvmlite is too old. python -m pip install -U llvmlite")], "llvmlite is too old"),
        ([_Point(OSError("libLLVM.so: not found"))], "OSError: libLLVM.so: not found. python -m pip install"),
        ([_Point(None)], ""),
    ],
)
def test_compilers_are_told_with_their_reason(monkeypatch, points, words: str) -> None:
    monkeypatch.setattr(doctor, "entry_points", lambda group: points)
    (found,) = doctor.compilers()
    assert words in found.trouble and bool(found.trouble) == bool(words) and not found.needed
