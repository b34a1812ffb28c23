"""What installed packages offer, by entry point.

`importlib.metadata` takes as long to import as half of this package, and reads the tables of all groups. Where packages
are installed in plain folders, as pip leaves them, the one group that is asked for is read from there in a tenth of
that; anything else on the path (zip files, eggs, other finders) is left to it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any

__all__ = ["EntryPoint", "entry_points"]


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """``name = value`` of a group; ``value``: ``package.module:attribute``."""

    name: str
    value: str

    def load(self) -> Any:
        """The object. Raises `ImportError` or `AttributeError` where it is not there."""
        module, _, path = self.value.partition(":")
        found: Any = import_module(module.strip())
        for attribute in filter(None, path.partition("[")[0].strip().split(".")):
            found = getattr(found, attribute)
        return found


def entry_points(group: str) -> list[EntryPoint]:
    """Those of a group. Of two packages of one name the first on `sys.path` counts, as in `importlib.metadata`."""
    folders = [path for path in sys.path if isinstance(path, str)]
    if any(map(_is_special, folders)) or any(
        hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path
    ):
        from importlib import metadata  # noqa: PLC0415 - slow to import, and rarely needed

        return [EntryPoint(e.name, e.value) for e in metadata.entry_points(group=group)]
    seen: set[str] = set()
    return [point for path in folders for point in _in_folder(path, group, seen)]


def _is_special(path: str) -> bool:
    return path.endswith(".egg") or (bool(path) and os.path.isfile(path))


def _in_folder(path: str, group: str, seen: set[str]) -> Iterator[EntryPoint]:
    """Of the packages installed in a folder; ``seen``: names of those that were found before, which hide others."""
    try:
        names = os.listdir(path or ".")
    except OSError:  # as for imports, what is on the path need not be there
        return
    for name in names:
        stem, ending = os.path.splitext(name)
        package = stem.partition("-")[0].lower().replace(".", "_")
        if ending not in (".dist-info", ".egg-info") or package in seen:
            continue
        seen.add(package)
        try:
            with open(os.path.join(path, name, "entry_points.txt"), encoding="utf-8") as file:
                yield from _in_table(file, group)
        except OSError:  # it offers nothing
            continue


def _in_table(lines: Iterable[str], group: str) -> Iterator[EntryPoint]:
    inside = False
    for line in map(str.strip, lines):
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.strip())
