"""The distributions of this tree, read from their own `pyproject.toml` files."""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


class WorkspaceError(Exception):
    """The tree breaks a rule of the workspace."""


@dataclass(frozen=True)
class Distribution:
    """One distribution: the meta-package at the root, or a folder under `packages/`."""

    folder: Path

    @cached_property
    def project(self) -> dict[str, Any]:
        """The `[project]` table, with the version filled in where Hatch reads it from the code."""
        config = self.config
        project: dict[str, Any] = config["project"]
        if "version" not in project:
            project["version"] = _version_in(self.folder / config["tool"]["hatch"]["version"]["path"])
        return project

    @cached_property
    def config(self) -> dict[str, Any]:
        """The whole `pyproject.toml`."""
        return tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """The name on the registry, normalised."""
        return canonicalize_name(self.project["name"])

    @property
    def version(self) -> str:
        """The version this tree would build."""
        return str(self.project["version"])

    @property
    def module(self) -> str | None:
        """The dotted import name, or None for the meta-package, which has no code."""
        path = self.config["tool"]["hatch"].get("version", {}).get("path")
        return None if path is None else ".".join(Path(path).parent.parts[1:])

    @property
    def tests(self) -> Path:
        """The folder of the distribution's own tests."""
        return self.folder / "tests"

    @property
    def test_requirements(self) -> list[str]:
        """What its own tests need beyond its dependencies."""
        return list(self.config.get("dependency-groups", {}).get("test", []))

    def requirements(self) -> list[tuple[str, Requirement]]:
        """Every declared requirement, extras included, each with the table it stands in."""
        tables = {"dependencies": self.project.get("dependencies", [])}
        for extra, lines in self.project.get("optional-dependencies", {}).items():
            tables[f"optional-dependencies.{extra}"] = lines
        return [(table, Requirement(line)) for table, lines in tables.items() for line in lines]

    def build_wheel(self, into: Path) -> Path:
        """Build the wheel with the hatchling of this environment and return its path."""
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(into)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        stem = f"{self.name.replace('-', '_')}-{self.version}-"
        wheels = sorted(into.glob(f"{stem}*.whl"))
        if done.returncode != 0 or len(wheels) != 1:
            raise WorkspaceError(f"{self.name}: one wheel must come out; got {wheels}.\n{done.stdout}{done.stderr}")
        return wheels[0]


def packages() -> list[Distribution]:
    """The distributions under `packages/`, by name."""
    return sorted((Distribution(file.parent) for file in ROOT.glob("packages/*/pyproject.toml")), key=lambda d: d.name)


def distributions() -> list[Distribution]:
    """The meta-package and then the packages."""
    return [Distribution(ROOT), *packages()]


def _version_in(file: Path) -> str:
    match = re.search(r'^__version__ = "([^"]+)"$', file.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise WorkspaceError(f'{file}: must hold a line __version__ = "X.Y.Z"; got none.')
    return match[1]
