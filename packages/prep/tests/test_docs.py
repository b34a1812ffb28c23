"""The examples in the docstrings run as they stand."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("room", ["table", "target", "splits.parts", "splits.leakage", "splits.folds"])
def test_examples(room):
    result = doctest.testmod(importlib.import_module(f"brickwork.prep.{room}"))
    assert result.attempted > 0 and result.failed == 0
