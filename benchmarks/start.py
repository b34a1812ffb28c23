"""What it costs to have and to import each package: `hatch run bench:start [--runs N] [--json FILE]`.

Import time is the wall time of one `import` statement in a new process; the packages and `import numpy` take turns, so
that a busy moment falls on all of them, and the median counts. Size is what pip leaves on disk, compiled files too.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.workspace import Distribution, packages

BASELINE = "numpy"
# Import time as a multiple of `import numpy` in the same run.
TARGETS = {"brickwork.tensor": 1.6, "brickwork.layers": 2.5}
PROBE = """
import sys, time
before = set(sys.modules)
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
print(seconds, len(set(sys.modules) - before))
"""


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement, measured: seconds of each run, modules it loaded, what it wrote to stderr."""

    module: str
    seconds: tuple[float, ...]
    modules: int
    stderr: str

    @property
    def median_ms(self) -> float:
        """The median in milliseconds."""
        return statistics.median(self.seconds) * 1e3


@dataclass(frozen=True, slots=True)
class Row:
    """What the table says of one package; times in milliseconds, sizes in MB (10^6 bytes)."""

    package: str
    module: str
    import_ms: float
    times_numpy: float
    target: float | None
    modules: int
    size_mb: float
    size_with_dependencies_mb: float
    stderr: str


def measure_imports(modules: list[str], runs: int) -> dict[str, Import]:
    """Import each module `runs` times in new processes, taking turns."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    for module in modules:
        # The first import writes the compiled files, which a person pays for once, on installing.
        _import_once(module, environ)
    taken = [(module, *_import_once(module, environ)) for _ in range(runs) for module in modules]
    return {
        module: Import(
            module,
            tuple(seconds for name, seconds, _, _ in taken if name == module),
            next(count for name, _, count, _ in taken if name == module),
            "".join(text for name, _, _, text in taken if name == module),
        )
        for module in modules
    }


def _import_once(module: str, environ: dict[str, str]) -> tuple[float, int, str]:
    command = [sys.executable, "-c", PROBE.format(module=module)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench:start: {module} must import; got\n{done.stderr}")
    # Only the probe's own line counts, should the import print one before it.
    seconds, count = done.stdout.splitlines()[-1].split()
    return float(seconds), int(count), done.stderr


def own_bytes(package: Distribution, scratch: Path) -> int:
    """What pip writes for the package's own wheel; the tree itself holds an editable install, which says nothing."""
    wheel = package.build_wheel(scratch)
    target = scratch / package.name
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True)
    return sum(file.stat().st_size for file in target.rglob("*") if file.is_file())


def needed(name: str, extras: frozenset[str] = frozenset()) -> Iterator[str]:
    """The distributions that installing `name` brings, itself first; a name may come more than once."""
    yield canonicalize_name(name)
    for line in importlib.metadata.requires(name) or []:
        requirement = Requirement(line)
        wanted = [{"extra": extra} for extra in extras or {""}]
        if requirement.marker is None or any(requirement.marker.evaluate(environment) for environment in wanted):
            yield from needed(requirement.name, frozenset(requirement.extras))


def installed_bytes(name: str) -> int:
    """What an installed distribution holds on disk, as its record lists it."""
    files = importlib.metadata.files(name) or []
    paths = [Path(str(file.locate())) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file())


def table(runs: int) -> tuple[list[Row], Import]:
    """Measure every package of the tree; the rows, and NumPy as the yardstick."""
    tree = packages()
    imports = measure_imports([BASELINE, *(str(package.module) for package in tree)], runs)
    with tempfile.TemporaryDirectory() as scratch:
        own = {package.name: own_bytes(package, Path(scratch)) for package in tree}
    rows = []
    for package in tree:
        taken = imports[str(package.module)]
        everything = set(needed(package.name))
        whole = sum(own[name] if name in own else installed_bytes(name) for name in everything)
        times = taken.median_ms / imports[BASELINE].median_ms
        target = TARGETS.get(taken.module)
        sizes = (own[package.name] / 1e6, whole / 1e6)
        rows.append(
            Row(package.name, taken.module, taken.median_ms, times, target, taken.modules, *sizes, taken.stderr)
        )
    return rows, imports[BASELINE]


def markdown(rows: list[Row], baseline: Import) -> str:
    """The rows as a table in Markdown."""
    lines = [
        f"Python {platform.python_version()}, {platform.machine()} {platform.system()}, {os.cpu_count()} CPUs, "
        f"median of {len(baseline.seconds)} runs in new processes",
        "",
        "| package | import, ms | times numpy | target | modules | own size, MB | with dependencies, MB | stderr |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {row.package} | {row.import_ms:.1f} | {row.times_numpy:.2f} | {_target(row)} | {row.modules} "
        f"| {row.size_mb:.2f} | {row.size_with_dependencies_mb:.1f} | {'written' if row.stderr else 'silent'} |"
        for row in rows
    ]
    size = installed_bytes(BASELINE) / 1e6
    noise = "written" if baseline.stderr else "silent"
    lines.append(
        f"| {BASELINE} (yardstick) | {baseline.median_ms:.1f} | 1.00 | | {baseline.modules} | {size:.2f} | {size:.1f} "
        f"| {noise} |"
    )
    return "\n".join(lines)


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    return f"{'met' if row.times_numpy <= row.target else 'missed'}: at most {row.target}"


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(prog="hatch run bench:start", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="imports of each package (default 15)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error(f"--runs must be at least 1; got {options.runs}")
    rows, baseline = table(options.runs)
    print(markdown(rows, baseline))
    if options.json:
        record = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
        record |= {"cpus": os.cpu_count(), "numpy": asdict(baseline), "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
