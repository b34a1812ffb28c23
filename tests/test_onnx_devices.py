"""ONNX models on a device whose arrays mix with no others: what is known stays on the host, all else is moved there."""

import sys
import warnings
from pathlib import Path

import pytest

from brickwork.tensor import backend
from scripts.workspace import ROOT

onnx = pytest.importorskip("onnx", reason="the package `onnx` is an extra of brickwork-graph-exec")

from onnx.backend.test.loader import load_model_tests  # noqa: E402
from onnx.backend.test.runner import Runner  # noqa: E402

from brickwork.graph.onnx import UnsupportedError, prepare, supports_device  # noqa: E402

RANDOM = ("Bernoulli", "Dropout", "RandomNormal", "RandomUniform")
UNSUPPORTED = ("ImageDecoder",)


@pytest.fixture
def strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The device of that name, from the tests of gpu-kernels."""
    metadata = tmp_path / "strict_device-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: strict-device\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text("[brickwork.backends]\nstrict = strict_arrays:StrictBackend\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path), str(ROOT / "packages/gpu-kernels/tests")])
    monkeypatch.setattr(backend, "_LOADED", dict(backend._LOADED))
    backend._entry_points.cache_clear()
    yield "STRICT"
    monkeypatch.undo()
    backend._entry_points.cache_clear()


def first_cases():
    """A case for each op, as NumPy arrays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = load_model_tests(kind="node")
    found = {}
    for case in cases:
        node = case.model.graph.node[0]
        if not node.domain and node.op_type not in (*RANDOM, *UNSUPPORTED) and "expanded" not in case.name:
            found.setdefault(node.op_type, case)
    return found


def value(x):
    return onnx.numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else x


def test_every_op_runs_there(strict: str) -> None:
    assert supports_device(strict)
    wrong, cases = {}, first_cases()
    with pytest.raises(UnsupportedError, match="compiled models run on the CPU"):
        prepare(cases["Add"].model, strict, compile=True)
    for op, case in cases.items():
        inputs, expected = case.data_sets[0]
        try:
            got = prepare(case.model, strict).run([value(x) for x in inputs])
            Runner.assert_similar_outputs([value(x) for x in expected], list(got), case.rtol, case.atol)
        except Exception as error:
            wrong[op] = f"{case.name}: {type(error).__name__}: {error}"[:300]
    assert not wrong
