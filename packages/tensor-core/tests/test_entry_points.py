"""What packages offer, read from their folders: what `importlib.metadata` gives, in less time."""

import collections.abc
import math
import subprocess
import sys
import zipfile
from importlib import metadata
from importlib.machinery import PathFinder

import pytest

from brickwork.tensor.entry_points import EntryPoint, entry_points

TABLE = """# made by hand
[other]
a = x:y

[brickwork.test]
# of two
b.c = collections.abc : Mapping.get [extra]
d=math
[last]
e = f
"""


def pairs(points):
    return sorted((p.name, p.value) for p in points)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, text, under=tmp_path):
        place = under / name
        place.mkdir(parents=True)
        (place / "METADATA").write_text(f"Name: {name.partition('-')[0]}\nVersion: 1\n")
        (place / "entry_points.txt").write_text(text)

    return install


@pytest.mark.parametrize("group", ["brickwork.compilers", "brickwork.bundles", "console_scripts", "no.such.group"])
def test_as_the_standard_library_finds_them_here(group):
    assert pairs(entry_points(group)) == pairs(metadata.entry_points(group=group))


def test_a_table_is_read_by_its_group(folder):
    folder("One_Two-1.0.dist-info", TABLE)
    found = entry_points("brickwork.test")
    assert [p.name for p in found] == ["b.c", "d"]
    assert found[0].load() is collections.abc.Mapping.get
    assert found[1].load() is math
    assert pairs(found) == pairs(metadata.entry_points(group="brickwork.test"))


def test_the_first_of_two_packages_of_one_name_counts(folder, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path / "before")
    folder("one_two-1.0.dist-info", "[brickwork.test]\na = old:x\n")
    folder("One.Two-2.0.dist-info", "[brickwork.test]\na = new:x\n", tmp_path / "before")
    assert pairs(entry_points("brickwork.test")) == [("a", "new:x")]
    assert pairs(metadata.entry_points(group="brickwork.test")) == [("a", "new:x")]


def test_what_lies_in_no_plain_folder_is_found_too(folder, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as file:
        file.writestr("packed-1.0.dist-info/METADATA", "Name: packed\n")
        file.writestr("packed-1.0.dist-info/entry_points.txt", "[brickwork.test]\na = packed:x\n")
    monkeypatch.syspath_prepend(tmp_path / "packed.zip")
    assert entry_points("brickwork.test") == [EntryPoint("a", "packed:x")]


def test_other_finders_are_asked(monkeypatch):
    class Other(PathFinder):
        @classmethod
        def find_distributions(cls, context=None):
            class Made(metadata.Distribution):
                def read_text(self, name):
                    return {"METADATA": "Name: made\n", "entry_points.txt": "[brickwork.test]\na = made:x\n"}.get(name)

                def locate_file(self, path):
                    return path

            return [Made()]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Other])
    assert entry_points("brickwork.test") == [EntryPoint("a", "made:x")]


def test_the_standard_librarys_reader_is_not_loaded():
    code = (
        "import sys; from brickwork.tensor import find_compiler, backend_names; find_compiler(); backend_names()\n"
        "print(sorted({'importlib.metadata', 'email'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
