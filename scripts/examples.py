"""The Python on the pages that people copy from: every block, what it does, and what its page says that it prints.

A block of `text` right below a block of `python` is what that prints, to the letter. Where the code is to fail, its
last line is the error, as `Name: message`. A comment `<!-- needs: NAME -->` above a block names a library that it
needs and that the tests do without.

`python -m scripts.examples PAGE FILE` runs the blocks of a page and writes what each did to a file.
"""

import contextlib
import io
import json
import linecache
import re
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from scripts.workspace import ROOT, packages

FENCES = re.compile(
    r"(?:^<!-- needs: (?P<needs>[\w ]+) -->\n+)?"
    r"^```python\n(?P<code>.*?)^```$"
    r"(?:\n\n```text\n(?P<prints>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
QUIET = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""What Python itself does not show to whoever runs a script."""


@dataclass(frozen=True, slots=True)
class Example:
    """One block: the line of its page where the code starts, the code, and what it prints where the page says so."""

    page: Path
    line: int
    code: str
    prints: str | None
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        """The page and line, as a person would look it up."""
        page = self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page
        return f"{page.as_posix()}:{self.line}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a block printed, the traceback where it failed and its page does not say so, and what it lacked."""

    printed: str = ""
    failure: str = ""
    missing: tuple[str, ...] = ()


def pages() -> list[Path]:
    """Every README, and every page of the site."""
    readmes = [ROOT / "README.md", *(package.folder / "README.md" for package in packages())]
    return [*readmes, *sorted((ROOT / "docs").rglob("*.md"))]


def examples_of(page: Path) -> list[Example]:
    """The blocks of one page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Example(
            page,
            text.count("\n", 0, match.start("code")) + 1,
            match["code"],
            match["prints"],
            tuple((match["needs"] or "").split()),
        )
        for match in FENCES.finditer(text)
    ]


def run_page(page: Path, folder: Path, environ: dict[str, str]) -> dict[int, Outcome]:
    """What the blocks of a page do, by line, in a new process that works in ``folder``."""
    found = folder / "outcomes.json"
    command = [sys.executable, "-m", "scripts.examples", str(page), str(found)]
    environ = {**environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0 or done.stderr:
        return {e.line: Outcome(failure=f"{done.stdout}{done.stderr}") for e in examples_of(page)}
    return {int(line): Outcome(**told) for line, told in json.loads(found.read_text(encoding="utf-8")).items()}


def run_here(page: Path) -> dict[int, Outcome]:
    """What the blocks of a page do in this process, from the top; in a README each block starts anew."""
    names: dict[str, Any] = {}
    told: dict[int, Outcome] = {}
    for example in examples_of(page):
        if not names or page.name == "README.md":
            names = {"__name__": "__main__"}
        missing = tuple(name for name in example.needs if find_spec(name) is None)
        told[example.line] = Outcome(missing=missing) if missing else execute(example, names)
    return told


def execute(example: Example, names: dict[str, Any]) -> Outcome:
    """Run one block; an error that its page announces is the last line that it prints."""
    source = "\n" * (example.line - 1) + example.code  # so that a traceback shows the line of the page
    linecache.cache[example.name] = len(source), None, source.splitlines(True), example.name
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), _warnings_as_shown():
            exec(compile(source, example.name, "exec"), names)  # noqa: S102 - the pages are ours
    except Exception as error:
        if not (example.prints or "").rstrip().rpartition("\n")[2].startswith(f"{type(error).__name__}:"):
            return Outcome(printed.getvalue(), traceback.format_exc())
        print(f"{type(error).__name__}: {error}", file=printed)
    return Outcome(printed.getvalue())


@contextlib.contextmanager
def _warnings_as_shown() -> Iterator[None]:
    """Every warning that a person would see is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for category in QUIET:
            warnings.simplefilter("ignore", category)
        warnings.filterwarnings("error", category=DeprecationWarning, module="__main__")
        yield


if __name__ == "__main__":
    outcomes = {line: asdict(outcome) for line, outcome in run_here(Path(sys.argv[1])).items()}
    Path(sys.argv[2]).write_text(json.dumps(outcomes), encoding="utf-8")
