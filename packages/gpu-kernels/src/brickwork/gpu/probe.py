"""What of CUDA is on this machine, as data: driver, CuPy, NVRTC, headers. Imports no CuPy.

`problem` turns it into the one sentence that a person needs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from .driver import Driver, ask_driver
from .environment import toolkit_roots, visible_devices, wheel_roots
from .nvrtc import find_nvrtc, wheel_name

__all__ = ["CupyWheel", "Probe", "probe_machine", "problem"]

OLDEST_CUDA = 12
DRIVERS = "https://www.nvidia.com/drivers"
CUPY_WHEELS = {"cupy-cuda11x": 11, "cupy-cuda12x": 12, "cupy-cuda13x": 13, "cupy": None}
# CuPy's own kernels include it; since CUDA 12.2 NVRTC does not bring it (cupy/cupy#8466).
HEADER = "cuda_fp16.h"


@dataclass(frozen=True, slots=True)
class CupyWheel:
    """An installed CuPy. ``cuda_major``: the CUDA it was built for, None for one that was built here."""

    distribution: str
    version: str
    cuda_major: int | None


@dataclass(frozen=True, slots=True)
class Probe:
    """All that was found.

    ``nvrtc``: path of the runtime compiler; ``headers``: folder of CUDA's headers; ``visible``: CUDA_VISIBLE_DEVICES.
    """

    platform: str
    driver: Driver
    cupy: tuple[CupyWheel, ...] = ()
    nvrtc: str | None = None
    headers: str | None = None
    visible: str | None = None

    def lines(self) -> list[tuple[str, str]]:
        """(what, finding) pairs to show a person."""
        cuda = "CUDA {}.{}".format(*self.driver.version) if self.driver.version else "unknown CUDA"
        driver = (
            f"{self.driver.library}, {cuda}" + (f", {self.driver.error}" if self.driver.error else "")
            if self.driver.library
            else "not found"
        )
        gpus = "; ".join(
            f"{d.name}, compute capability {d.capability / 10}, {d.memory / 2**30:.0f} GiB" for d in self.driver.devices
        )
        return [
            ("driver", driver),
            ("devices", gpus or "none"),
            ("CUDA_VISIBLE_DEVICES", "not set" if self.visible is None else repr(self.visible)),
            ("CuPy", "; ".join(f"{w.distribution} {w.version}" for w in self.cupy) or "not installed"),
            ("NVRTC", self.nvrtc or "not found"),
            ("CUDA headers", self.headers or "not found"),
        ]


def probe_machine() -> Probe:
    """Look at this machine. Starts the driver where there is one; makes no context on a device."""
    driver = ask_driver()
    cupy = installed_cupy()
    major = next((w.cuda_major for w in cupy if w.cuda_major), driver.version[0] if driver.version else None)
    compiler = find_nvrtc(major)
    return Probe(
        sys.platform, driver, cupy, compiler.path if compiler else None, find_headers(major), visible_devices()
    )


def installed_cupy() -> tuple[CupyWheel, ...]:
    """The CuPy distributions of this environment; more than one is a fault."""
    out = []
    for name, major in CUPY_WHEELS.items():
        try:
            out.append(CupyWheel(name, version(name), major))
        except PackageNotFoundError:
            continue
    if not out and find_spec("cupy"):
        out.append(CupyWheel("cupy", "of unknown version", None))
    return tuple(out)


def find_headers(major: int | None) -> str | None:
    """The folder that holds CUDA's headers for a major version, in NVIDIA's wheels or in a toolkit."""
    in_wheels = ("cuda_runtime/include",) if major == 12 else (f"cu{major or '[0-9]*'}/include",)
    folders: list[Path] = [f for root in wheel_roots() for pattern in in_wheels for f in root.glob(pattern)]
    folders += [f for root in toolkit_roots() for f in (root / "include", *root.glob("targets/*/include"))]
    return next((str(f) for f in folders if (f / HEADER).is_file()), None)


def problem(found: Probe) -> str | None:
    """Why the GPU can not be used and what mends it, in one sentence; None where nothing is known to be missing."""
    return _driver_problem(found) or _cupy_problem(found.cupy, found.driver) or _compiler_problem(found)


def _driver_problem(found: Probe) -> str | None:
    driver = found.driver
    if driver.library is None:
        if found.platform == "darwin":
            return "macOS has no CUDA: use device='cpu' here, or a machine with an NVIDIA GPU"
        return f"there is no NVIDIA driver (no libcuda): install it from {DRIVERS}, and in a container pass --gpus all"
    if not driver.devices and driver.error in (None, "CUDA_ERROR_NO_DEVICE"):
        if found.visible is not None:
            return (
                f"the driver shows no GPU because CUDA_VISIBLE_DEVICES is {found.visible!r}: unset it, or set it to a "
                "number that nvidia-smi lists"
            )
        return "the driver shows no GPU: check that nvidia-smi lists one, and in a container pass --gpus all"
    if driver.error is not None:
        return f"the NVIDIA driver does not start ({driver.error}): check nvidia-smi, and restart after an update"
    if driver.version is not None and driver.version[0] < OLDEST_CUDA:
        cuda = f"CUDA {driver.version[0]}.{driver.version[1]}, and {OLDEST_CUDA}.0 is needed"
        return f"the NVIDIA driver is too old (it runs {cuda}): update it from {DRIVERS}"
    return None


def _cupy_problem(wheels: Sequence[CupyWheel], driver: Driver) -> str | None:
    major = driver.version[0] if driver.version else OLDEST_CUDA
    extra = f"cuda{min(major, 13)}"
    install = f"python -m pip install 'brickwork-gpu-kernels[{extra}]'"
    if not wheels:
        return f"CuPy is not installed, and this driver runs CUDA {major}: {install}"
    if len(wheels) > 1:
        names = [w.distribution for w in wheels]
        cause = f"several CuPy packages are installed ({', '.join(names)}) and share one folder"
        return f"{cause}: python -m pip uninstall -y {' '.join(names)} && {install}"
    built_for = wheels[0].cuda_major
    if built_for is not None and not OLDEST_CUDA <= built_for <= major:
        name = wheels[0].distribution
        cause = f"{name} is built for CUDA {built_for}, but this driver runs CUDA {major}"
        return f"{cause}: python -m pip uninstall -y {name} && {install}"
    return None


def _compiler_problem(found: Probe) -> str | None:
    major = found.cupy[0].cuda_major or (found.driver.version or (13, 0))[0]
    if found.nvrtc is None:
        return f"NVRTC, CUDA's runtime compiler, is missing: python -m pip install {_pinned(wheel_name(major), major)}"
    if found.headers is None:
        runtime = "nvidia-cuda-runtime-cu12" if major == 12 else "nvidia-cuda-runtime"
        install = f"python -m pip install {_pinned(runtime, major)}"
        return f"CUDA's headers ({HEADER}) are missing, without which CuPy can not compile: {install}"
    return None


def _pinned(distribution: str, major: int) -> str:
    """The distribution at CUDA's major version, where its name does not say it."""
    return distribution if distribution.endswith("-cu12") else f"'{distribution}=={major}.*'"
