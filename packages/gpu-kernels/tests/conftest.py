"""What the tests share: the tables of kernels beside this file, a compiler for the host, and the two array modules."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # the tables are modules of this folder, however pytest imports the tests

from cuda_on_host import COMPILER, Host

from brickwork.gpu import CudaBackend, find_nvrtc


@pytest.fixture(scope="session", autouse=True)
def entry_point(tmp_path_factory):
    """The entry points of the strict device and, where this package runs uninstalled from its folder, of its own."""
    lines = ["[brickwork.backends]", "strict = strict_arrays:StrictBackend"]
    if not any(e.name == "cuda" for e in entry_points(group="brickwork.backends")):
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        lines.append(f"cuda = {project['entry-points']['brickwork.backends']['cuda']}")
    folder = tmp_path_factory.mktemp("site")
    metadata = folder / "brickwork_gpu_tests-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: brickwork-gpu-tests\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    sys.path.append(str(folder))


@pytest.fixture(scope="session")
def nvrtc():
    found = find_nvrtc()
    if found is None:
        pytest.skip("NVRTC is not installed: python -m pip install nvidia-cuda-nvrtc")
    return found


@pytest.fixture(scope="module")
def compile_for_host(tmp_path_factory):
    """A function from named sources to a `Host` that runs them."""
    if COMPILER is None:
        pytest.skip("no g++ or clang++ here")
    return lambda sources: Host(sources, tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="session")
def cuda():
    """The CUDA backend, where there is a GPU."""
    backend = CudaBackend()
    reason = backend.available()
    if reason is not None:
        pytest.skip(f"no usable GPU: {reason}")
    return backend


@pytest.fixture(params=["cpu", "strict", "cuda"])
def device(request):
    """The devices by name: NumPy, a stand-in that is as strict as a GPU, and a GPU where there is one."""
    if request.param == "cuda":
        request.getfixturevalue("cuda")
    return request.param
