"""What every distribution promises about itself, checked on the wheel that would be released."""

import email
import email.message
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.check_ranges import CAPS, faults
from scripts.workspace import ROOT, Distribution, distributions

# A wheel of Python text; the penguins table of the program is the largest thing that is not code.
WHEEL_LIMIT = 400_000

# How the packages find one another; DESIGN: entry points are the only meeting place of the leaves.
ENTRY_POINTS = {
    "brickwork-cli": {("console_scripts", "brickwork")},
    "brickwork-gpu-kernels": {("brickwork.backends", "cuda")},
    "brickwork-graph-exec": {("brickwork.compilers", "llvm")},
    "brickwork-layers": {("brickwork.bundles", "layers"), ("brickwork.bundles", "layers_sklearn")},
    "brickwork-prep": {("brickwork.bundles", "prep")},
    "brickwork-tensor-core": {("brickwork.backends", "numpy")},
}


def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def code_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [n for n in archive.namelist() if ".dist-info/" not in n]


def test_wheel_is_pure_python(distribution: Distribution, wheels: dict[str, Path]) -> None:
    assert wheels[distribution.name].name.endswith("-py3-none-any.whl")
    assert wheels[distribution.name].stat().st_size < WHEEL_LIMIT


def test_wheel_leaves_the_namespace_open(distribution: Distribution, wheels: dict[str, Path]) -> None:
    assert "brickwork/__init__.py" not in code_in(wheels[distribution.name])


def test_wheel_holds_its_own_module_and_nothing_else(distribution: Distribution, wheels: dict[str, Path]) -> None:
    code = code_in(wheels[distribution.name])
    if distribution.module is None:
        assert code == []
        return
    folder = distribution.module.replace(".", "/") + "/"
    assert [name for name in code if not name.startswith(folder)] == []
    assert {folder + "__init__.py", folder + "py.typed"} <= set(code)


def test_metadata(distribution: Distribution, wheels: dict[str, Path]) -> None:
    head = metadata(wheels[distribution.name])
    assert head["Version"] == distribution.version
    assert head["Requires-Python"] == ">=3.11"
    assert head["License-Expression"] == "Apache-2.0"
    assert head.get_all("License-File") == ["LICENSE"]
    assert head["Summary"]
    requirements = [Requirement(line) for line in head.get_all("Requires-Dist", [])]
    outside = [r for r in requirements if not r.name.startswith("brickwork")]
    assert [str(r) for r in outside if any(part.operator in CAPS for part in r.specifier)] == []
    # A registry refuses a wheel that points at a file or at another site.
    assert [str(r) for r in requirements if r.url] == []


def test_entry_points(package: Distribution, wheels: dict[str, Path]) -> None:
    project = package.project
    groups = {**project.get("entry-points", {}), "console_scripts": project.get("scripts", {})}
    assert {(group, name) for group, names in groups.items() for name in names} == ENTRY_POINTS[package.name]
    held = set(code_in(wheels[package.name]))
    for names in groups.values():
        for target in names.values():
            path = target.partition(":")[0].replace(".", "/")
            assert held & {f"{path}.py", f"{path}/__init__.py"}, f"{target}: no such module in the wheel"


def test_folder_is_complete(distribution: Distribution) -> None:
    names = ["README.md", "LICENSE"] if distribution.module is None else ["README.md", "LICENSE", "CHANGELOG.md"]
    assert [name for name in names if not (distribution.folder / name).is_file()] == []
    assert (distribution.folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_changelog_tells_the_version(package: Distribution) -> None:
    heads = re.findall(r"^## (\S+)", (package.folder / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heads[0] == package.version


def test_module_tells_the_version(package: Distribution, run_python) -> None:
    assert run_python(f"import {package.module} as m; print(m.__version__)") == f"{package.version}\n"


def test_the_meta_package_installs_every_package_on_request() -> None:
    root, *packages = distributions()
    named = {requirement.name for _, requirement in root.requirements()} - {root.name}
    assert named == {package.name for package in packages}


def test_ranges_admit_the_tree() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.check_ranges"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@dataclass(frozen=True)
class Stated:
    """A distribution as a table of requirements, for the rules of `check_ranges`."""

    name: str
    version: str
    lines: tuple[str, ...] = ()

    @property
    def project(self) -> dict[str, dict[str, list[str]]]:
        return {"optional-dependencies": {"fast": []}}

    def requirements(self) -> list[tuple[str, Requirement]]:
        return [("dependencies", Requirement(line)) for line in self.lines]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("brickwork-hub>=0.1,<0.2", "the range must admit the tree; got brickwork-hub<0.2,>=0.1, the tree has 0.2.0"),
        ("brickwork-hub>=0.3", "the range must admit the tree"),
        ("brickwork-hub[slow]", "has no extra 'slow'"),
        ("brickwork-gone", "a sibling must be in the tree"),
        ("numpy>=2,<3", "no third party may be capped; got numpy<3,>=2. Drop <3."),
        ("numpy~=2.0", "Drop ~=2.0."),
        ("numpy==2.4.6", "Drop ==2.4.6."),
        ("brickwork-hub>=0.1", None),
        ("brickwork-hub[fast]>=0.2,<0.3", None),
        ("numpy>=2,!=2.1.0", None),
    ],
)
def test_ranges_name_the_fault(line: str, fault: str | None) -> None:
    found = list(faults([Stated("brickwork-hub", "0.2.0"), Stated("brickwork-leaf", "0.1.0", (line,))]))
    assert len(found) == (fault is not None)
    assert fault is None or fault in found[0]
