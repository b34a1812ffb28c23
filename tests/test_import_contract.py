"""The star of the design: the contract is green on the tree and red on every arrow it forbids."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.workspace import ROOT, Distribution, packages

FRAMES = "pandas and polars are imported by the program alone; pyarrow by it and where prep reads files"
FORBIDDEN = [
    ("brickwork.layers", "brickwork.prep", "Leaves never import one another"),
    ("brickwork.layers", "brickwork.graph", "Leaves never import one another"),
    ("brickwork.prep", "brickwork.layers", "Leaves never import one another"),
    ("brickwork.graph", "brickwork.gpu", "Leaves never import one another"),
    ("brickwork.gpu", "brickwork.layers", "Leaves never import one another"),
    ("brickwork.tensor", "brickwork.graph", "The hub imports no leaf"),
    ("brickwork.layers", "brickwork.cli", "Nothing imports the program"),
    ("brickwork.graph", "llvmlite", "llvmlite stays under brickwork.graph.llvm"),
    ("brickwork.layers", "llvmlite.binding", "llvmlite stays under brickwork.graph.llvm"),
    ("brickwork.graph", "onnx", "onnx stays under brickwork.graph.onnx"),
    ("brickwork.cli", "cupy", "CuPy stays in brickwork.gpu"),
    ("brickwork.prep.frame", "pandas", FRAMES),
    ("brickwork.prep", "polars", FRAMES),
    ("brickwork.layers", "pandas", FRAMES),
    ("brickwork.prep", "narwhals", "narwhals stays in the room of prep"),
    ("brickwork.tensor", "torch", "Nothing is built on the frameworks it replaces"),
]
ALLOWED = [
    ("brickwork.cli", "brickwork.layers"),
    ("brickwork.cli", "brickwork.prep"),
    ("brickwork.cli", "pandas"),
    ("brickwork.gpu", "cupy"),
    ("brickwork.graph", "brickwork.tensor"),
    ("brickwork.layers", "brickwork.tensor"),
    ("brickwork.graph.llvm", "llvmlite"),
    ("brickwork.graph.onnx", "onnx"),
    ("brickwork.prep.frame", "narwhals"),
    ("brickwork.prep.chunks", "pyarrow"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the sources, joined to one folder, with the contracts of the real tree beside them."""
    for package in packages():
        shutil.copytree(
            package.folder / "src", tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports"
    # PYTHONPATH comes before the editable installs of this environment, so the copy is what is read.
    environ = {**environ, "PYTHONPATH": str(tree), "PYTHONUTF8": "1", "COLUMNS": "200"}
    return subprocess.run(
        [program, "--no-cache"], cwd=tree, env=environ, capture_output=True, encoding="utf-8", check=False
    )


def add_import(tree: Path, importer: str, imported: str) -> None:
    (tree.joinpath(*importer.split(".")) / "an_arrow.py").write_text(f"import {imported}\n", encoding="utf-8")


def test_green_on_the_tree(tree: Path, clean_environ: dict[str, str]) -> None:
    done = lint(tree, clean_environ)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(("importer", "imported", "contract"), FORBIDDEN)
def test_red_on_a_forbidden_arrow(
    importer: str, imported: str, contract: str, tree: Path, clean_environ: dict[str, str]
) -> None:
    add_import(tree, importer, imported)
    done = lint(tree, clean_environ)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [line for line in done.stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), done.stdout
    assert f"{importer}.an_arrow" in done.stdout


@pytest.mark.parametrize(("importer", "imported"), ALLOWED)
def test_green_on_an_arrow_of_the_design(
    importer: str, imported: str, tree: Path, clean_environ: dict[str, str]
) -> None:
    add_import(tree, importer, imported)
    done = lint(tree, clean_environ)
    assert done.returncode == 0, done.stdout


def test_contracts_name_every_package() -> None:
    contracts = Distribution(ROOT).config["tool"]["importlinter"]
    assert set(contracts["root_packages"]) == {package.module for package in packages()}


def test_no_package_closes_the_namespace() -> None:
    assert list(ROOT.glob("packages/*/src/brickwork/__init__.py")) == []
