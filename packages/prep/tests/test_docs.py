"""The examples in the docstrings run as they stand."""

import doctest
import importlib
import pkgutil

import pytest

import brickwork.prep

ROOMS = [room.name for room in pkgutil.walk_packages(brickwork.prep.__path__, "brickwork.prep.")]


@pytest.mark.parametrize("room", ROOMS)
def test_examples(room):
    assert doctest.testmod(importlib.import_module(room)).failed == 0


def test_every_public_class_and_function_has_an_example():
    bare = [
        name
        for name in brickwork.prep.__all__
        if callable(thing := getattr(brickwork.prep, name))
        and not (isinstance(thing, type) and issubclass(thing, (Exception, Warning)))
        and ">>>" not in (thing.__doc__ or "")
        and not name.endswith(("Report", "Schema", "Leak"))  # records, which the docs of their makers show
    ]
    assert bare == []
