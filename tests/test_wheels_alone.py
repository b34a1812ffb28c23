"""Each wheel, in a new environment with only what it declares, imports in silence and passes its own tests."""

import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.workspace import Distribution, distributions


@dataclass(frozen=True)
class Environment:
    """A new virtual environment that knows nothing of this tree."""

    folder: Path
    environ: dict[str, str]

    @classmethod
    def create(cls, folder: Path, environ: dict[str, str]) -> "Environment":
        venv.create(folder / "env", with_pip=True)
        return cls(folder, environ)

    def program(self, name: str) -> str:
        return str(self.folder / "env" / (f"Scripts/{name}.exe" if sys.platform == "win32" else f"bin/{name}"))

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.program(name), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        return done

    def install(self, *requirements: str) -> None:
        self.run("python", "-m", "pip", "install", "--quiet", *requirements)
        self.run("python", "-m", "pip", "check")


@pytest.fixture
def environment(tmp_path: Path, clean_environ: dict[str, str]) -> Environment:
    return Environment.create(tmp_path, {**clean_environ, "PYTHONUTF8": "1"})


@pytest.mark.slow
def test_wheel_alone(package: Distribution, wheels: dict[str, Path], environment: Environment) -> None:
    environment.install(*wheels_for(package, wheels))
    assert environment.run("python", "-c", f"import {package.module}").stderr == ""

    environment.install("hypothesis", "pytest", *package.test_requirements)
    shutil.copytree(package.tests, environment.folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    pytest_options = ("-q", "--tb=short", "--import-mode=importlib", "--rootdir=.", "-p", "no:cacheprovider")
    environment.run("python", "-m", "pytest", *pytest_options, "tests")


@pytest.mark.slow
def test_the_meta_package_brings_the_program(wheels: dict[str, Path], environment: Environment) -> None:
    environment.install(*wheels_for(distributions()[0], wheels))
    assert "train" in environment.run("brickwork", "--help").stdout


def wheels_for(distribution: Distribution, wheels: dict[str, Path]) -> list[str]:
    """The wheels of a distribution and of every sibling it requires without an extra, directly or through another.

    Siblings are named as files: a registry may hold other versions of them, or somebody else's package of that name.
    """
    tree = {member.name: member for member in distributions()}
    found: set[str] = set()
    waiting = {distribution.name}
    while waiting:
        name = waiting.pop()
        found.add(name)
        named = {requirement.name for table, requirement in tree[name].requirements() if table == "dependencies"}
        waiting |= (named & tree.keys()) - found
    return [str(wheels[name]) for name in sorted(found)]
