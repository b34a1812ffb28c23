"""Each wheel, alone in a new environment with only what it declares, imports in silence and passes its own tests."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from scripts.workspace import Distribution, packages


@pytest.mark.slow
def test_wheel_alone(
    package: Distribution, wheels: dict[str, Path], tmp_path: Path, clean_environ: dict[str, str]
) -> None:
    python = _new_environment(tmp_path / "env")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(python), *command], cwd=tmp_path, env=clean_environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        return done

    def install(*requirements: str) -> None:
        siblings = str(wheels[package.name].parent)
        run("-m", "pip", "install", "--quiet", "--find-links", siblings, *requirements)

    install(str(wheels[package.name]))
    run("-m", "pip", "check")
    assert (run("-c", f"import {package.module}").stderr, _siblings(run)) == ("", _declared(package, wheels))

    install(*package.test_requirements)
    shutil.copytree(package.tests, tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    run("-m", "pytest", "-q", "--import-mode=importlib", "--rootdir=.", "-p", "no:cacheprovider", "tests")


def _new_environment(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _siblings(run) -> set[str]:
    listed = run("-m", "pip", "list", "--format=freeze").stdout.split()
    return {line.partition("==")[0] for line in listed if line.startswith("brickwork")}


def _declared(package: Distribution, wheels: dict[str, Path]) -> set[str]:
    """The package and, through its dependencies, every sibling it declares."""
    tree = {member.name: member for member in packages()}
    found: set[str] = set()
    waiting = [package.name]
    while waiting:
        name = waiting.pop()
        found.add(name)
        named = {r.name for table, r in tree[name].requirements() if table == "dependencies"}
        waiting.extend((named & wheels.keys()) - found)
    return found
