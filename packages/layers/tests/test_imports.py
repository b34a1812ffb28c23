"""What importing costs, and what is public."""

from __future__ import annotations

import subprocess
import sys

import pytest

from brickwork import layers

HEAVY = (
    "rich",
    "pandas",
    "sklearn",
    "scipy",
    "llvmlite",
    "torch",
    "tensorflow",
    "keras",
    "jax",
    "multiprocessing",
    "asyncio",
)


def test_import_is_quiet_and_light() -> None:
    code = f"import sys, brickwork.layers; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_everything_public_is_there() -> None:
    for name in layers.__all__:
        assert getattr(layers, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Dence'"):
        layers.Dence  # noqa: B018
