"""Wheels of every distribution, built once for the whole run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.workspace import Distribution, distributions


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each distribution by name, all in one folder that serves pip as an index of siblings."""
    into = tmp_path_factory.mktemp("wheels")
    return {distribution.name: distribution.build_wheel(into) for distribution in distributions()}


@pytest.fixture(scope="session")
def clean_environ() -> dict[str, str]:
    """An environment that leads a child to no package of this one."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")
    return {key: value for key, value in os.environ.items() if key not in hidden and not key.startswith("HATCH_")}


@pytest.fixture(scope="session")
def run_python(clean_environ: dict[str, str]):
    """Run `python -c code` in a new process of this environment and return what it printed; stderr must be empty."""

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], env=clean_environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    return run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every test that asks for `distribution` or `package` each one of the tree."""
    everything = distributions()
    for fixture, members in (("distribution", everything), ("package", [d for d in everything if d.module])):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, members, ids=_name)


def _name(distribution: Distribution) -> str:
    return distribution.name
