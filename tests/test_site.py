"""The reference of the site: every public name of every package is on one page, and is what the menu leads to."""

from collections import Counter
from importlib import import_module
from types import ModuleType

import pytest

from scripts.site import reference
from scripts.site.links import linked
from scripts.workspace import packages


@pytest.mark.parametrize("imported", reference.PACKAGES)
def test_every_public_name_has_one_place(imported: str) -> None:
    module = import_module(imported)
    wanted = {f"{imported}.{n}" for n in module.__all__ if not isinstance(getattr(module, n), ModuleType)}
    times = Counter(identifier for page in reference.pages() for identifier in (f"{m}.{n}" for m, n in page.names))
    assert {name: times[name] for name in wanted if times[name] != 1} == {}


def test_public_modules_have_a_page() -> None:
    found = {".".join(module.split(".")[2:]) for module in reference.public().values() if module.count(".") > 1}
    assert {"bundle", "fft", "linalg", "nn", "random", "tree", "callbacks", "losses", "optimizers"} <= found


def test_every_package_is_in_the_menu() -> None:
    titles = [title for entry in reference.menu() for title in entry]
    rooms = {"brickwork.graph.onnx"}  # public, and a page of its own, since it takes an extra
    assert set(titles) == {package.module for package in packages()} | rooms
    assert len({page.path for page in reference.pages()}) == len(reference.pages())


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see `vjp`", "see [`vjp`][brickwork.tensor.vjp]"),
        ("`bt.nn.relu` and `uniform`", "[`bt.nn.relu`][brickwork.tensor.nn.relu] and `uniform`"),
        ("``vjp``, [`vjp`](page.md), `no_such_name`", "``vjp``, [`vjp`](page.md), `no_such_name`"),
    ],
)
def test_names_become_links(text: str, links: str) -> None:
    assert linked(text, ("brickwork.tensor",)) == links
