"""`.brick` files: one model, one data-only file.

A bundle is a zip of two stored members: `tensors.safetensors` (the arrays) and `bundle.json` (all the rest). It
holds plain trees and objects of registered types; there is no pickle in it, no code, and no path that is ever opened.

This room is the face. What does the work needs `json`, `zipfile` and `hashlib`, which NumPy does not import, so it is
imported on first use and `import brickwork.tensor` does not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from ..late import later
from .records import BundleError, BundleInfo, Limits, TensorInfo
from .registry import register

__all__ = ["BundleError", "BundleInfo", "Limits", "TensorInfo", "inspect", "load", "register", "save"]

_NO_METADATA: Mapping[str, Any] = {}
_DEFAULT = Limits()
_save, _load, _inspect = (later(f"bundle.format.{name}") for name in ("save", "load", "inspect"))


def save(
    path: str | PathLike[str],
    objects: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] = _NO_METADATA,
    limits: Limits = _DEFAULT,
) -> None:
    """Write named objects to one file, whole or not at all.

    Each value is a tree of dict (str keys), list, tuple, str, int, float, bool, None and NumPy arrays, in which objects
    of registered types may stand at any depth. Arrays may be bool, signed or unsigned integers of 8 to 64 bits,
    float16/32/64, complex64, bfloat16 and the 8-bit floats of ml_dtypes; any shape, 0-d and empty ones included. NumPy
    scalars come back as Python numbers, big-endian arrays in native order, dicts with their keys sorted.

    The same objects give the same bytes. The file is written beside the target, synced and moved over it, so that
    after a full disk or a crash the old file is still whole. `metadata` is a JSON tree that `inspect` shows.

    Raises:
        BundleError: something cannot be stored (its place in the tree is named), is larger than `limits`, or the file
            cannot be written.

    Example:
        >>> save("model.brick", {"net": {"kernel": np.ones((3, 2), np.float32)}}, metadata={"rows": 344})
        >>> load("model.brick")["net"]["kernel"].shape
        (3, 2)
    """
    _save(path, objects, metadata, limits)


def load(path: str | PathLike[str], *, limits: Limits = _DEFAULT) -> dict[str, Any]:
    """Read the objects that `save` wrote, under their names.

    Everything in the file is checked (structure, limits, checksums, every type tag) before the first array is allocated
    and the first object is made. Arrays are new, writable and own their memory; the peak is twice their bytes.

    Raises:
        BundleError: no such file, not a bundle, cut off, altered, larger than `limits`, of a type that no installed
            package declares, or refused by that type's `from_state`.
    """
    return dict(_load(path, limits))


def inspect(path: str | PathLike[str], *, limits: Limits = _DEFAULT) -> BundleInfo:
    """Describe a bundle with every check of `load`, making no object and importing no other package.

    Raises:
        BundleError: as `load`, less what only making the objects can show.
    """
    found: BundleInfo = _inspect(path, limits)
    return found
