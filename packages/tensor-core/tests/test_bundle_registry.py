"""The closed registry of types that may stand in bundles, and what bundles cost who uses none."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest
from bundle_files import (
    Scaler,
    entry,
    forge,
    run_python,
)

from brickwork.tensor import bundle
from brickwork.tensor.bundle import BundleError
from brickwork.tensor.bundle import format as bundle_format
from brickwork.tensor.bundle import registry as bundle_registry
from brickwork.tensor.entry_points import EntryPoint

pytestmark = pytest.mark.usefixtures("own_registry")


def test_an_unknown_type_is_named_before_any_object_is_made(path, monkeypatch):
    forge(path, {"a": {"$type": "test.Scaler", "state": {}}, "z": {"$type": "os.system", "state": "true"}})
    monkeypatch.setattr(Scaler, "from_state", lambda state: pytest.fail("made an object"))
    with pytest.raises(BundleError, match=r"'z' has the type 'os.system', which no installed package declares"):
        bundle.load(path)
    assert bundle.inspect(path).types["z"] == "os.system"


@pytest.mark.parametrize("tag", ["test.Missing", "test.from_state", "test.__class__", "builtins.eval", "brickwork.x"])
def test_tags_are_keys_and_nothing_else(path, tag):
    forge(path, {"a": {"$type": tag, "state": None}})
    with pytest.raises(BundleError, match="no installed package declares"):
        bundle.load(path)


def test_an_error_in_from_state_names_the_place_and_the_tag(path):
    bundle.save(path, {"deep": [Scaler(np.ones((2, 2)))]})
    with pytest.raises(
        BundleError, match=r"'deep/0' \(test.Scaler\): from_state raised RuntimeError: mean must"
    ) as caught:
        bundle.load(path)
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize(
    "prefix, types, message",
    [
        ("a.b", {}, "prefix must be an identifier"),
        (1, {}, "prefix must be an identifier"),
        ("a", {"b.c": Scaler}, "names must be identifiers"),
        ("a", {"b": int}, "without to_state and from_state"),
        ("a", {"b": Scaler(np.ones(1))}, "must be a type"),
        ("test", {"Other": Scaler}, "'test' is taken"),
    ],
)
def test_register_checks_what_it_is_given(prefix, types, message):
    with pytest.raises(BundleError, match=message):
        bundle.register(prefix, types)


class Fractions:
    """Writes and reads a type that can not do so itself."""

    of = Fraction
    to_state = staticmethod(lambda fraction: [fraction.numerator, fraction.denominator])
    from_state = staticmethod(lambda state: Fraction(*state))


def test_a_type_of_another_library_has_one_that_writes_it(path):
    bundle.register("more", {"Fraction": Fractions()})
    bundle.save(path, {"a": Fraction(2, 3), "b": [Fraction(1)]})
    assert bundle.load(path) == {"a": Fraction(2, 3), "b": [Fraction(1)]}
    assert dict(bundle.inspect(path).types) == {"a": "more.Fraction", "b/0": "more.Fraction"}
    with pytest.raises(BundleError, match="must be a type"):
        bundle.register("odd", {"Fraction": type("Odd", (Fractions,), {"of": "Fraction"})()})


def test_who_writes_another_librarys_type_is_found_where_it_is_in_use(path, declared, monkeypatch):
    module = type(sys)("declared_codecs")
    module.TYPES = {"Fraction": Fractions()}
    declared(prep="declared_codecs:TYPES", broken="no_such_module:TYPES")
    with pytest.raises(BundleError, match="must be dict"):
        bundle.save(path, {"a": Fraction(1)})
    monkeypatch.setitem(sys.modules, "declared_codecs", module)
    bundle.save(path, {"a": Fraction(1)})
    assert dict(bundle.inspect(path).types) == {"a": "prep.Fraction"}


def test_registering_twice_is_registering_once():
    bundle.register("again", {"Scaler": Scaler})
    bundle.register("again", {"Scaler": Scaler})


@pytest.fixture
def declared(monkeypatch):
    """Pretend that installed packages declare types by entry points."""
    monkeypatch.setattr(bundle_registry, "_types", {})

    def declare(**values):
        group_name = "brickwork.bundles"
        points = [EntryPoint(name.strip("_"), value) for name, value in values.items()]
        monkeypatch.setattr(bundle_registry, "entry_points", lambda group: points * (group == group_name))

    return declare


def test_types_are_found_by_entry_point(path, declared, monkeypatch):
    module = type(sys)("declared_bundles")
    module.TYPES = {"Scaler": Scaler}
    monkeypatch.setitem(sys.modules, "declared_bundles", module)
    declared(prep="declared_bundles:TYPES", broken="no_such_module:TYPES")
    forge(path, {"a": {"$type": "prep.Scaler", "state": {"mean": {"$tensor": "a/mean"}, "inner": None}}},
          {"a/mean": entry()["a"]}, bytes(8))  # fmt: skip
    loaded = bundle.load(path)
    assert type(loaded["a"]) is Scaler, "and the broken neighbour was not imported"
    monkeypatch.setattr(bundle_registry, "_types", {})
    declared(prep="declared_bundles:TYPES")
    bundle.save(path, loaded)
    assert dict(bundle.inspect(path).types) == {"a": "prep.Scaler"}


def test_a_package_that_does_not_import_is_named(path, declared):
    declared(prep="no_such_module:TYPES")
    forge(path, {"a": {"$type": "prep.Scaler", "state": None}})
    with pytest.raises(BundleError, match="no_such_module:TYPES raised ModuleNotFoundError"):
        bundle.load(path)


def test_two_packages_with_one_prefix_are_refused(path, declared):
    declared(prep="one:TYPES", prep_="two:TYPES")
    forge(path, {"a": {"$type": "prep.Scaler", "state": None}})
    with pytest.raises(BundleError, match="declared twice"):
        bundle.load(path)


def test_versions_name_the_package_of_each_type(path, monkeypatch):
    package = type(sys)("acme")
    package.__version__ = "3.2"
    monkeypatch.setitem(sys.modules, "acme", package)
    monkeypatch.setattr(Scaler, "__module__", "acme.inner.room")
    bundle.save(path, {"a": Scaler(np.ones(1))})
    assert bundle.inspect(path).versions["acme"] == "3.2"


# ---- the cost of not using it ----------------------------------------------------------------------------------------


def test_importing_the_room_imports_nothing_heavy():
    done = run_python(
        """
        import sys
        import numpy, brickwork.tensor
        before = set(sys.modules)
        from brickwork.tensor import bundle
        heavy = {"json", "zipfile", "hashlib", "safetensors", "importlib.metadata"} & (set(sys.modules) - before)
        sys.exit(f"imports {heavy}" if heavy else 0)
        """
    )
    assert done.returncode == 0, done.stderr


def test_format_1_is_what_this_writes():
    assert bundle_format.FORMAT == 1
