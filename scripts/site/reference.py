"""The pages of the API reference: every public name of every package, by area, found by importing the packages."""

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

PACKAGES = (
    *("brickwork.tensor", "brickwork.graph", "brickwork.graph.onnx"),
    *("brickwork.layers", "brickwork.prep", "brickwork.gpu"),
)
COMMANDS = ("train", "evaluate", "predict", "describe", "doctor", "demo")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the reference: where it stands in the menu, and the public names on it, as (module, name)."""

    path: str
    menu: tuple[str, ...]
    intro: str
    names: tuple[tuple[str, str], ...] = ()
    body: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """Names of one package that are read together: those that come from the rooms ``sources``."""

    slug: str
    title: str
    intro: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()


TENSOR_AREAS = (
    Area("tensors", "Tensors and variables", "What holds numbers.", ("tensor", "variable", "spec", "dim")),
    Area("dtypes", "Dtypes and constants", "Types, what they hold, and how two become one.", ("dtypes", "info", "")),
    Area("creation", "Creation", "Tensors from nothing, from numbers, from other libraries.", ("ops.creation",)),
    Area("elementwise", "Elementwise functions", "One result per element; operands broadcast.", ("ops.elementwise",)),
    Area(
        "reductions",
        "Reductions and statistics",
        "Many elements to one, and running totals.",
        ("ops.reduce", "ops.composite", "ops.cumulative"),
    ),
    Area(
        "shapes",
        "Shapes and arrangement",
        "The same elements, elsewhere.",
        ("ops.movement", "ops.arranging", "ops.views"),
    ),
    Area(
        "indexing",
        "Indexing and scattering",
        "Elements by their places.",
        ("ops.indexing", "ops.gathering", "ops.scattering", "ops.segments"),
    ),
    Area(
        "sorting", "Sorting, searching, sets", "Order, places of values, distinct values.", ("ops.sorting", "ops.sets")
    ),
    Area(
        "products",
        "Products",
        "Sums of products: matrices, einsum, convolution.",
        ("ops.contraction", "ops.einstein", "ops.products", "nn.convolution"),
    ),
    Area(
        "derivatives",
        "Derivatives and vmap",
        "Functions made of functions.",
        ("autodiff", "transforms", "checkpointing", "batching"),
        ("stop_gradient",),
    ),
    Area("control", "Control flow", "Paths that the numbers decide.", ("control",)),
    Area("saving", "Saving a tree", "Tensors in files that other libraries read.", ("saved",)),
    Area("devices", "Compilers and devices", "What other packages bring.", ("compiler", "backend", "eager")),
    Area("ops", "Adding ops", "The kinds of op and their registry.", ("op",)),
    Area("errors", "Errors and limits", "What is raised, and by which names it is caught.", ("errors", "memory")),
)
LAYER_AREAS = (
    Area("models", "Models", "Layers joined, trained and saved.", ("models", "saving", "seeds", "naming")),
    Area(
        "layers",
        "Layers",
        "What models are made of.",
        ("core", "convolutional", "pooling", "normalization", "regularization", "reshaping", "merging"),
    ),
    Area("estimators", "Estimators", "Networks as scikit-learn estimators.", ("estimators",)),
    Area(
        "extending",
        "Extending",
        "Base classes for layers, losses and the like of your own.",
        (
            *("layer", "input_spec", "initializers", "losses", "metrics", "optimizers", "regularizers"),
            *("symbolic", "errors", "serialization"),
        ),
    ),
)
AREAS = {"brickwork.tensor": TENSOR_AREAS, "brickwork.layers": LAYER_AREAS}
STYLES = {"brickwork.prep": "numpy", "brickwork.layers.Classifier": "numpy", "brickwork.layers.Regressor": "numpy"}
"""Docstrings are Markdown; a few have sections in the style of scikit-learn, the others in Google's."""


@cache
def pages() -> tuple[Page, ...]:
    """Every page, in the order of the menu."""
    return (*(page for package in PACKAGES for page in _package(package)), _program())


def public() -> dict[str, str]:
    """Every identifier of the reference, with the module that it is read in."""
    return {f"{module}.{name}": module for page in pages() for module, name in page.names}


def _package(package: str) -> Iterator[Page]:
    """The pages of one package: its areas, rooms that are in none, then its public modules."""
    module = import_module(package)
    rooms = _rooms(module)
    plain = [name for name in module.__all__ if not _is_room(module, name)]
    folder, areas = package.rpartition(".")[2], AREAS.get(package, ())
    if not areas:
        yield _page(package, f"{folder}.md", (package,), _head(module), tuple((package, name) for name in plain))
        return
    taken = {source for area in areas for source in area.sources}
    apart = {name for area in areas for name in area.names}
    others = [
        Area(room.replace(".", "-"), _title(room), "", (room,))
        for room in dict.fromkeys(rooms.get(name, "") for name in plain)
        if room not in taken
    ]
    for area in (*areas, *others):
        names = [n for n in plain if n in area.names or (rooms.get(n, "") in area.sources and n not in apart)]
        if names:
            chosen = tuple((package, name) for name in names)
            yield _page(area.title, f"{folder}/{area.slug}.md", (package, area.title), area.intro, chosen)
    for name in module.__all__:
        if _is_room(module, name):
            yield from _room_page(package, name, {id(getattr(module, n)) for n in plain})


def _room_page(package: str, name: str, seen: set[int]) -> Iterator[Page]:
    """The page of a public module, less the names that its package offers too; none where nothing is left."""
    path, room = f"{package}.{name}", getattr(import_module(package), name)
    names = [
        n for n in _names(room) if not isinstance(getattr(room, n), ModuleType) and id(getattr(room, n)) not in seen
    ]
    if names:
        file = f"{package.rpartition('.')[2]}/{name}.md"
        yield _page(path, file, (package, name), _head(room), tuple((path, n) for n in names))


def _is_room(module: ModuleType, name: str) -> bool:
    return isinstance(getattr(module, name), ModuleType)


def _names(room: ModuleType) -> list[str]:
    """The public names of a module, which it may leave to be seen: those that are defined in it."""
    if hasattr(room, "__all__"):
        return list(room.__all__)
    package = room.__name__.partition(".")[0]
    return sorted(
        name
        for name, value in vars(room).items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", "").startswith(package)
    )


def _rooms(module: ModuleType) -> dict[str, str]:
    """The room of a package that each name is imported from, as its `__init__` writes it."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {alias.asname or alias.name: node.module or "" for alias in node.names}
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):  # names that load later
            pairs = ((k, v) for k, v in zip(node.value.keys, node.value.values) if k is not None)
            later = {k.value: v.value for k, v in pairs if isinstance(k, ast.Constant) and isinstance(v, ast.Constant)}
            found |= {k: v for k, v in later.items() if isinstance(k, str) and isinstance(v, str) and k not in found}
    return found


def _title(room: str) -> str:
    return room.rpartition(".")[2].replace("_", " ").capitalize()


def _head(module: ModuleType) -> str:
    return inspect.getdoc(module) or ""


def _page(title: str, path: str, menu: tuple[str, ...], intro: str, names: tuple[tuple[str, str], ...]) -> Page:
    """A table of all names with what they are in a line, then each in full that is more than a value."""
    rows, full = [], []
    for module, name in sorted(names, key=lambda pair: (pair[1].lower(), pair[1])):
        identifier, value = f"{module}.{name}", getattr(module_at(module), name)
        if callable(value):
            rows.append(f"| [`{name}`][{identifier}] | {_line(value)} |")
            full.append(f"::: {identifier}{_options(identifier)}")
        else:
            rows.append(f"| `{name}` | {_value(value)} |")
    table = "\n".join(["| name | what it is |", "|---|---|", *rows])
    body = "\n\n".join([f"# {title}", intro, table, *full])
    return Page(f"reference/{path}", menu, intro, names, body)


def module_at(path: str) -> Any:
    """A module by its public path, which may be an attribute of its parent (`brickwork.tensor.nn`)."""
    try:
        return import_module(path)
    except ModuleNotFoundError:
        parent, _, name = path.rpartition(".")
        return getattr(import_module(parent), name)


def _options(identifier: str) -> str:
    parent = identifier.rpartition(".")[0]
    style = STYLES.get(identifier) or STYLES.get(parent)
    return f"\n    options:\n      docstring_style: {style}" if style else ""


def _line(value: Any) -> str:
    """The first sentence of a docstring, on one line of a table."""
    text = " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    end = text.find(". ")
    sentence = text if end < 0 else text[: end + 1]
    pieces = re.split(r"(`+.+?`+)", sentence)  # in code, a table takes the bar as it is
    return "".join(piece if piece.startswith("`") else piece.replace("|", "\\|") for piece in pieces)


def _value(value: Any) -> str:
    if isinstance(value, np.dtype):
        return f"dtype, {value.itemsize * 8} bits"
    return f"`{type(value).__name__}`" if hasattr(value, "__len__") else f"`{value!r}`"


def _program() -> Page:
    """What `--help` of the program and of each of its commands prints."""
    parts = ["# The brickwork program"]
    for command in ("", *COMMANDS):
        line = [sys.executable, "-m", "brickwork.cli", *command.split(), "--help"]
        environ = {**os.environ, "COLUMNS": "100", "PYTHONUTF8": "1"}
        done = subprocess.run(line, env=environ, capture_output=True, encoding="utf-8", check=True)
        parts += [f"## brickwork {command}".rstrip(), f"```text\n{done.stdout.rstrip()}\n```"]
    return Page("reference/cli.md", ("brickwork.cli",), "", body="\n\n".join(parts))


def menu() -> list[Any]:
    """The reference as mkdocs writes a menu: one entry per package, with its pages."""
    tree: dict[str, Any] = {}
    for page in pages():
        if len(page.menu) == 1:
            tree[page.menu[0]] = page.path
        else:
            tree.setdefault(page.menu[0], []).append({page.menu[1]: page.path})
    return [{title: entry} for title, entry in tree.items()]
