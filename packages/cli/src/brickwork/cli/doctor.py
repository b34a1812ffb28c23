"""`brickwork doctor`: what is usable here, and the command that mends what is not."""

from __future__ import annotations

import platform
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, entry_points, version

from .errors import DONE, FAULT
from .report import Report


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `trouble` is the reason it is not usable, with the fix; empty where it is."""

    name: str
    state: str
    trouble: str = ""
    needed: bool = True


# Distribution, import name, what brings it, and whether the program cannot do without it.
PACKAGES = (
    ("brickwork-tensor-core", "brickwork.tensor", "brickwork-tensor-core", True),
    ("brickwork-layers", "brickwork.layers", "brickwork-layers", True),
    ("brickwork-prep", "brickwork.prep", "brickwork-prep", True),
    ("brickwork-graph-exec", "brickwork.graph", "brickwork-graph-exec", False),
    ("brickwork-gpu-kernels", "brickwork.gpu", "'brickwork-gpu-kernels[cuda12]'", False),
    ("numpy", "numpy", "numpy", True),
    ("pandas", "pandas", "pandas", True),
    ("scikit-learn", "sklearn", "scikit-learn", True),
    ("rich", "rich", "rich", True),
    ("pyarrow", "pyarrow", "'brickwork-cli[parquet]'", False),
)


def run(options: Namespace) -> int:
    """Print every finding; 0 where the program can train and predict, else 1."""
    report = Report()
    report.title("Brickwork", f"Python {platform.python_version()}, {platform.platform()}")
    sections = {"packages": packages(), "devices": devices(), "compilers": compilers()}
    usable = True
    for heading, findings in sections.items():
        found = list(findings)
        usable &= all(not finding.trouble for finding in found if finding.needed)
        report.findings(heading, [(f.name, f.state, f.trouble, f.needed) for f in found])
    report.console.print()
    report.line("Ready to train and predict." if usable else "Not ready: mend what is marked above.")
    return DONE if usable else FAULT


def packages() -> Iterator[Finding]:
    """Each package that the program uses: its version, or why it does not import."""
    for distribution, module, source, needed in PACKAGES:
        install = f"python -m pip install {source}"
        try:
            found = version(distribution)
        except PackageNotFoundError:
            yield Finding(distribution, "not installed", install, needed)
            continue
        try:
            import_module(module)
        except Exception as error:  # a broken package may fail in any way
            trouble = f"{type(error).__name__}: {_line(error)}. python -m pip install --force-reinstall {source}"
            yield Finding(distribution, f"{found}, does not import", trouble, needed)
        else:
            yield Finding(distribution, found, needed=needed)


def devices() -> Iterator[Finding]:
    """Each device that a package offers, and CUDA, which people ask for by name."""
    tensor = import_module("brickwork.tensor")
    for name in sorted({*tensor.backend_names(), "cuda"}):
        try:
            backend = tensor.get_backend(name)
        except Exception as error:  # a backend is another package's, and probing a driver may fail in any way
            yield Finding(name, "not usable", _line(error), needed=name == "cpu")
        else:
            yield Finding(name, f"usable, arrays of {backend.xp.__name__}", needed=name == "cpu")


def compilers() -> Iterator[Finding]:
    """Each compiler that a package offers; without one, training runs op by op."""
    points = sorted(entry_points(group="brickwork.compilers"), key=lambda point: point.name)
    if not points:
        fix = "training runs op by op, which is slower. python -m pip install brickwork-graph-exec"
        yield Finding("none", "not installed", fix, needed=False)
    for point in points:
        try:
            trouble = point.load()().available()
        except Exception as error:  # as above
            fix = "python -m pip install --force-reinstall brickwork-graph-exec"
            trouble = f"{type(error).__name__}: {_line(error)}. {fix}"
        yield Finding(point.name, "not usable" if trouble else f"usable{_llvm()}", trouble or "", needed=False)


def _llvm() -> str:
    return f", llvmlite {sys.modules['llvmlite'].__version__}" if "llvmlite" in sys.modules else ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
