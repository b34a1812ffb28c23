"""What the process's environment says of CUDA: the only room of this package that reads it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

__all__ = ["toolkit_roots", "visible_devices", "wheel_roots"]


def visible_devices() -> str | None:
    """``CUDA_VISIBLE_DEVICES``, or None where it is not set."""
    return os.environ.get("CUDA_VISIBLE_DEVICES")


def toolkit_roots() -> list[Path]:
    """Folders of CUDA toolkits that are installed outside Python, the one that the environment names first."""
    named = [os.environ.get(name) for name in ("CUDA_PATH", "CUDA_HOME")]
    usual = [] if sys.platform == "win32" else ["/usr/local/cuda"]
    return [Path(root) for root in dict.fromkeys([*named, *usual]) if root and Path(root).is_dir()]


def wheel_roots() -> list[Path]:
    """The ``nvidia`` folders that NVIDIA's wheels install into; found without importing anything of them."""
    spec = find_spec("nvidia")
    return [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []
