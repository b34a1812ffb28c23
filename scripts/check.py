"""Every check of the workspace, section by section: what `hatch run test` and CI run.

`python -m scripts.check` runs them all; `python -m scripts.check lint types` runs the ones named.
The last line is the sum of the pytest sections; the exit status is 1 where any section failed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from scripts.workspace import ROOT, packages

PYTHON = sys.executable


@dataclass(frozen=True, slots=True)
class Section:
    """One command of the whole; `pytest` sections write a report that the closing line adds up."""

    name: str
    what: str
    command: tuple[str, ...]
    pytest: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def sections() -> list[Section]:
    """The sections, cheapest first, so that a slip is told within seconds."""
    test = (PYTHON, "-m", "pytest", "-q", "--durations=5")
    suites = [
        Section(f"unit:{package.folder.name}", f"tests of {package.name}", (*test, str(package.tests)), pytest=True)
        for package in packages()
    ]
    return [
        Section("format", "ruff format", (PYTHON, "-m", "ruff", "format", "--check", ".")),
        Section("lint", "ruff check", (PYTHON, "-m", "ruff", "check", "--output-format=concise", ".")),
        Section("contract", "import-linter", (_script("lint-imports"), "--no-cache")),
        Section("types", "mypy, strict", (PYTHON, "-m", "mypy")),
        Section("ranges", "dependency ranges", (PYTHON, "-m", "scripts.check_ranges")),
        Section("docs", "the site", (PYTHON, "-m", "mkdocs", "build")),
        *suites,
        Section("whole", "what crosses packages", (*test, "tests"), pytest=True),
    ]


def run(section: Section, reports: Path) -> tuple[bool, Tally]:
    """Run one section under a headline; True where it passed, with the sum of its tests."""
    print(f"\n===== {section.name}: {section.what} =====", flush=True)
    report = reports / f"{section.name.replace(':', '-')}.xml"
    command = [*section.command, f"--junitxml={report}"] if section.pytest else list(section.command)
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    if not section.pytest:
        return done.returncode == 0, Tally()
    tally = read_report(report)
    if tally.failed == 0 and (done.returncode != 0 or tally == Tally()):
        # A run that died, or found nothing to run, has no failed test to its name; the sum must not read as a success.
        tally += Tally(failed=1)
    return tally.failed == 0, tally


def read_report(report: Path) -> Tally:
    """The sums of a JUnit report, zeros where there is none."""
    total = Tally()
    if not report.is_file():
        return total
    # The report was written a moment ago by our own pytest, so entity tricks are not a concern.
    for suite in ElementTree.parse(report).iter("testsuite"):
        tests, failures, errors, skipped = (int(suite.get(k, 0)) for k in ("tests", "failures", "errors", "skipped"))
        total += Tally(tests - failures - errors - skipped, failures + errors, skipped)
    return total


def main() -> int:
    """Run the sections asked for and print the outcome of each, then the sum."""
    # On a console of another code page a test name must not be what fails the run.
    os.environ["PYTHONUTF8"] = "1"
    os.environ["NO_MKDOCS_2_WARNING"] = "1"  # a notice of the theme's authors, on every build
    chosen = _choose(sections())
    outcomes: list[tuple[Section, bool, Tally, float]] = []
    with tempfile.TemporaryDirectory() as reports:
        for section in chosen:
            start = time.perf_counter()
            passed, tally = run(section, Path(reports))
            outcomes.append((section, passed, tally, time.perf_counter() - start))
    print("\n===== summary =====")
    for section, passed, tally, seconds in outcomes:
        counts = str(tally) if section.pytest else ""
        print(f"{'pass' if passed else 'FAIL'}  {section.name:18} {seconds:6.1f} s  {counts}".rstrip())
    print(sum((tally for _, _, tally, _ in outcomes), Tally()), flush=True)
    return 0 if all(passed for _, passed, _, _ in outcomes) else 1


def _choose(known: list[Section]) -> list[Section]:
    parser = argparse.ArgumentParser(prog="hatch run test", description=__doc__.splitlines()[0])
    names = [section.name for section in known]
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"one of {', '.join(names)}; none means all")
    wanted = parser.parse_args().sections
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        parser.error(f"a section must be one of {', '.join(names)}; got {', '.join(unknown)}")
    return [section for section in known if not wanted or section.name in wanted]


def _script(name: str) -> str:
    # The environment's own program first: PATH may hold another one.
    return shutil.which(name, path=str(Path(PYTHON).parent)) or name


if __name__ == "__main__":
    sys.exit(main())
