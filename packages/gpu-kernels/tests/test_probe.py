"""What is told of a machine that lacks something: one sentence with cause and fix, and never a silent CPU."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import brickwork.tensor as bt
from brickwork.gpu import CudaBackend, Probe, __main__, environment, find_nvrtc, nvrtc, probe_machine, problem
from brickwork.gpu import backend as backend_room
from brickwork.gpu import driver as driver_room
from brickwork.gpu.driver import Device, Driver
from brickwork.gpu.nvrtc import nvrtc_files
from brickwork.gpu.probe import CupyWheel, find_headers, installed_cupy

H100 = Device("NVIDIA H100", 90, 80 * 2**30)
READY = Probe(
    "linux",
    Driver("libcuda.so.1", (13, 0), None, (H100,)),
    (CupyWheel("cupy-cuda13x", "14.2.0", 13),),
    "libnvrtc.so.13",
    "/include",
)
NO_DEVICE = Driver("libcuda.so.1", (13, 0), "CUDA_ERROR_NO_DEVICE", ())

SITUATIONS = {
    "no driver": (
        replace(READY, driver=Driver()),
        "there is no NVIDIA driver (no libcuda): install it",
        "nvidia.com/drivers",
    ),
    "macOS": (replace(READY, platform="darwin", driver=Driver()), "macOS has no CUDA", "device='cpu'"),
    "hidden": (replace(READY, driver=NO_DEVICE, visible=""), "because CUDA_VISIBLE_DEVICES is ''", "unset it"),
    "hidden by a number": (
        replace(READY, driver=NO_DEVICE, visible="7"),
        "because CUDA_VISIBLE_DEVICES is '7'",
        "nvidia-smi",
    ),
    "no device": (replace(READY, driver=NO_DEVICE), "the driver shows no GPU", "--gpus all"),
    "broken driver": (
        replace(READY, driver=replace(NO_DEVICE, error="CUDA_ERROR_SYSTEM_DRIVER_MISMATCH")),
        "SYSTEM_DRIVER_MISMATCH",
        "restart",
    ),
    "old driver": (
        replace(READY, driver=replace(READY.driver, version=(11, 8))),
        "too old (it runs CUDA 11.8",
        "update it",
    ),
    "no CuPy, CUDA 13": (
        replace(READY, cupy=()),
        "CuPy is not installed, and this driver runs CUDA 13",
        "'brickwork-gpu-kernels[cuda13]'",
    ),
    "no CuPy, CUDA 12": (
        replace(READY, cupy=(), driver=replace(READY.driver, version=(12, 4))),
        "runs CUDA 12",
        "'brickwork-gpu-kernels[cuda12]'",
    ),
    "no CuPy, CUDA 14": (
        replace(READY, cupy=(), driver=replace(READY.driver, version=(14, 0))),
        "runs CUDA 14",
        "'brickwork-gpu-kernels[cuda13]'",
    ),
    "CuPy too new": (
        replace(READY, driver=replace(READY.driver, version=(12, 4))),
        "cupy-cuda13x is built for CUDA 13, but this driver runs CUDA 12",
        "pip uninstall -y cupy-cuda13x && python -m pip install 'brickwork-gpu-kernels[cuda12]'",
    ),
    "CuPy too old": (
        replace(READY, cupy=(CupyWheel("cupy-cuda11x", "13.6", 11),)),
        "cupy-cuda11x is built for CUDA 11",
        "[cuda13]",
    ),
    "two CuPys": (
        replace(READY, cupy=(*READY.cupy, CupyWheel("cupy-cuda12x", "14", 12))),
        "several CuPy packages",
        "uninstall -y cupy-cuda13x cupy-cuda12x",
    ),
    "no NVRTC": (
        replace(READY, nvrtc=None),
        "NVRTC, CUDA's runtime compiler, is missing",
        "pip install 'nvidia-cuda-nvrtc==13.*'",
    ),
    "no NVRTC 12": (
        replace(READY, nvrtc=None, cupy=(CupyWheel("cupy-cuda12x", "14", 12),)),
        "NVRTC",
        "pip install nvidia-cuda-nvrtc-cu12",
    ),
    "no headers": (
        replace(READY, headers=None),
        "CUDA's headers (cuda_fp16.h) are missing",
        "pip install 'nvidia-cuda-runtime==13.*'",
    ),
    "no headers 12": (
        replace(READY, headers=None, cupy=(CupyWheel("cupy-cuda12x", "14", 12),)),
        "headers",
        "nvidia-cuda-runtime-cu12",
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_device_error_names_cause_and_fix(monkeypatch, situation):
    found, cause, fix = SITUATIONS[situation]
    monkeypatch.setattr(backend_room, "probe_machine", lambda: found)
    backend = CudaBackend()
    reason = backend.available()
    assert reason is not None and cause in reason and fix in reason and not set("\n{}") & set(reason)
    with pytest.raises(bt.DeviceError, match="'cuda' can not be used here") as caught:
        _ = backend.xp
    assert reason in str(caught.value)


def test_nothing_is_missing():
    assert problem(READY) is None
    assert (
        problem(replace(READY, cupy=(CupyWheel("cupy-cuda12x", "14", 12),))) is None
    )  # an older CUDA runs on a newer driver
    assert problem(replace(READY, cupy=(CupyWheel("cupy", "14", None),))) is None


@pytest.mark.parametrize("name", ["cuda", "gpu", "cuda:0"])
def test_the_hub_raises_and_never_computes_on_the_cpu(monkeypatch, name):
    monkeypatch.setattr(backend_room, "probe_machine", lambda: SITUATIONS["hidden"][0])
    if not isinstance(CudaBackend().available(), str):
        pytest.skip("a GPU is in use in this process")
    x = bt.asarray(np.arange(3.0, dtype=np.float32))
    with pytest.raises(bt.DeviceError, match="CUDA_VISIBLE_DEVICES is ''"):
        x.to(name)
    np.testing.assert_array_equal((x + 1.0).numpy(), [1, 2, 3])  # and the CPU still works
    assert x.device == "cpu"


def test_cupy_that_does_not_work_is_said(monkeypatch):
    monkeypatch.setattr(backend_room, "probe_machine", lambda: READY)

    def broken(name):
        raise ImportError(f"libcublas.so.13: cannot open shared object file: {name}\nmore")

    monkeypatch.setattr(backend_room, "import_module", broken)
    reason = CudaBackend().available()
    assert reason == (
        "CuPy does not work here (libcublas.so.13: cannot open shared object file: cupy): python -m "
        "brickwork.gpu shows what was found"
    )


class FakeCupy:
    """A CuPy that is NumPy."""

    ndarray = np.ma.MaskedArray  # some type of its own
    argmax, argmin = np.argmax, np.argmin
    zeros, asnumpy = staticmethod(np.zeros), staticmethod(np.asarray)

    @staticmethod
    def asarray(data, dtype=None):
        if dtype == "float8_e5m2":
            raise ValueError("Unsupported dtype float8_e5m2")
        return np.asarray(data, dtype)


def test_success_is_remembered(monkeypatch):
    looks = []
    monkeypatch.setattr(backend_room, "probe_machine", lambda: looks.append(1) or READY)
    monkeypatch.setattr(backend_room, "import_module", lambda name: FakeCupy)
    backend = CudaBackend()
    assert not isinstance(np.zeros(1), backend.array_type)
    assert not looks, "making a backend looks at nothing"
    assert backend.available() is None and backend.available() is None and len(looks) == 1
    assert backend.xp is FakeCupy and backend.array_type is FakeCupy.ndarray
    assert isinstance(backend, bt.Backend) and set(backend.claims) == {"argmax", "argmin"}
    with pytest.raises(
        bt.DTypeError, match=r"cuda: CuPy must have the dtype; got float8_e5m2: Unsupported dtype float8_e5m2"
    ):
        backend.asarray([1.0], "float8_e5m2")


def test_import_touches_nothing():
    code = (
        "import sys, threading; sys.addaudithook(lambda e, a: e == 'ctypes.dlopen' and a[0] and print('loaded', a[0]));"
        "import brickwork.gpu;"
        "assert not [m for m in sys.modules if m.startswith(('cupy', 'nvidia'))]; assert threading.active_count() == 1"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_program_prints_what_was_found(monkeypatch, capsys):
    found = SITUATIONS["no CuPy, CUDA 12"][0]
    monkeypatch.setattr(__main__, "probe_machine", lambda: found)
    monkeypatch.setattr(backend_room, "probe_machine", lambda: found)
    assert __main__.main() == 1
    text = capsys.readouterr().out
    assert "libcuda.so.1, CUDA 12.4" in text and "NVIDIA H100, compute capability 9.0, 80 GiB" in text
    assert text.endswith(
        "device 'cuda' can not be used: CuPy is not installed, and this driver runs CUDA 12: "
        "python -m pip install 'brickwork-gpu-kernels[cuda12]'\n"
    )


def test_the_program_runs():
    done = subprocess.run([sys.executable, "-m", "brickwork.gpu"], capture_output=True, text=True)
    assert done.returncode in (0, 1) and done.stderr == "" and "NVRTC" in done.stdout


def test_probe_of_this_machine():
    found = probe_machine()
    assert found == probe_machine()
    assert [what for what, _ in found.lines()] == [
        "driver",
        "devices",
        "CUDA_VISIBLE_DEVICES",
        "CuPy",
        "NVRTC",
        "CUDA headers",
    ]


class FakeDriver:
    """libcuda with two devices, called as ctypes calls it."""

    def __init__(self, init=0):
        self.init = init

    def cuDriverGetVersion(self, out):
        out._obj.value = 12040
        return 0

    def cuInit(self, flags):
        return self.init

    def cuGetErrorName(self, code, out):
        out._obj.value = b"CUDA_ERROR_NO_DEVICE" if code == 100 else None
        return 0 if code == 100 else 1

    def cuDeviceGetCount(self, out):
        out._obj.value = 2

    def cuDeviceGet(self, out, ordinal):
        out._obj.value = ordinal

    def cuDeviceGetName(self, buffer, size, handle):
        buffer.value = b"GPU %d" % handle.value

    def cuDeviceTotalMem_v2(self, out, handle):
        out._obj.value = 8 * 2**30

    def cuDeviceGetAttribute(self, out, attribute, handle):
        out._obj.value = {75: 12, 76: 1}[attribute]


def test_driver_is_read(monkeypatch):
    monkeypatch.setattr(driver_room.ctypes, "CDLL", lambda name: FakeDriver())
    found = driver_room.ask_driver()
    assert found.version == (12, 4) and found.error is None
    assert found.devices == (Device("GPU 0", 121, 8 * 2**30), Device("GPU 1", 121, 8 * 2**30))


@pytest.mark.parametrize(("code", "error"), [(100, "CUDA_ERROR_NO_DEVICE"), (803, "error 803")])
def test_driver_that_does_not_start(monkeypatch, code, error):
    monkeypatch.setattr(driver_room.ctypes, "CDLL", lambda name: FakeDriver(code))
    assert driver_room.ask_driver() == Driver(driver_room.LIBRARIES[0], (12, 4), error, ())


def test_no_driver_library(monkeypatch):
    def absent(name):
        raise OSError(name)

    monkeypatch.setattr(driver_room.ctypes, "CDLL", absent)
    assert driver_room.ask_driver() == Driver()


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_where_nvrtc_is_looked_for(monkeypatch, tmp_path):
    make(
        tmp_path / "nvidia",
        "cu13/lib/libnvrtc.so.13",
        "cu13/lib/libnvrtc-builtins.so.13.0",
        "cuda_nvrtc/lib/libnvrtc.so.12",
        "cu13/bin/x86_64/nvrtc64_130_0.dll",
    )
    make(tmp_path / "toolkit", "lib64/libnvrtc.so.12.9.86", "bin/nvrtc64_120_0.dll")
    monkeypatch.setattr(nvrtc, "wheel_roots", lambda: [tmp_path / "nvidia"])
    monkeypatch.setattr(nvrtc, "toolkit_roots", lambda: [tmp_path / "toolkit"])
    found = [(major, Path(p).name) for major, p in nvrtc_files()]
    assert found[:5] == [
        (13, "libnvrtc.so.13"),
        (12, "libnvrtc.so.12"),
        (13, "nvrtc64_130_0.dll"),
        (12, "libnvrtc.so.12.9.86"),
        (12, "nvrtc64_120_0.dll"),
    ]
    tried = []

    def absent(name):
        tried.append(Path(name).name)
        raise OSError(name)

    monkeypatch.setattr(nvrtc.ctypes, "CDLL", absent)
    find_nvrtc.cache_clear()
    assert find_nvrtc(12) is None
    find_nvrtc.cache_clear()
    assert tried and not any("13" in name for name in tried)


def test_where_headers_are_looked_for(monkeypatch, tmp_path):
    monkeypatch.setattr("brickwork.gpu.probe.wheel_roots", lambda: [tmp_path / "nvidia"])
    monkeypatch.setattr("brickwork.gpu.probe.toolkit_roots", lambda: [tmp_path / "toolkit"])
    assert find_headers(12) is None
    make(tmp_path, "nvidia/cu13/include/cuda_fp16.h")
    assert find_headers(12) is None and find_headers(13) == find_headers(None) == str(tmp_path / "nvidia/cu13/include")
    make(tmp_path, "toolkit/include/cuda_fp16.h", "nvidia/cuda_runtime/include/cuda_fp16.h")
    assert find_headers(12) == str(tmp_path / "nvidia/cuda_runtime/include")


def test_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "absent"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert environment.toolkit_roots()[0] == tmp_path and tmp_path / "absent" not in environment.toolkit_roots()
    assert environment.visible_devices() == "1"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert environment.visible_devices() is None


def test_installed_cupy(monkeypatch):
    monkeypatch.setattr(
        "brickwork.gpu.probe.version", lambda name: "14.2.0" if name == "cupy-cuda13x" else _absent(name)
    )
    assert installed_cupy() == (CupyWheel("cupy-cuda13x", "14.2.0", 13),)
    monkeypatch.setattr("brickwork.gpu.probe.version", _absent)
    monkeypatch.setattr("brickwork.gpu.probe.find_spec", lambda name: object())
    assert installed_cupy() == (CupyWheel("cupy", "of unknown version", None),)


def _absent(name):
    from importlib.metadata import PackageNotFoundError

    raise PackageNotFoundError(name)
