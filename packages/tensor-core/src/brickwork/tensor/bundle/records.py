"""What a caller of `bundle` sees: its error, its limits, and the description of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..errors import BrickworkError


class BundleError(BrickworkError, ValueError):
    """A bundle cannot be written or read; the message names the file and the field."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bundle may hold at most; each is checked before memory is taken for what it counts.

    Members are stored uncompressed, so a file can never ask for more array bytes than it has on disk. What JSON text
    becomes in memory can be about twenty times its size, hence the lower limit there.
    """

    file_bytes: int = 64 << 30
    json_bytes: int = 16 << 20
    """`bundle.json`, and the header of the tensors, each."""
    tensors: int = 100_000
    rank: int = 32
    elements: int = 1 << 34
    """Elements of one tensor; an axis of length 0 counts as 1."""
    tensor_bytes: int = 64 << 30
    """All tensors together."""
    tree_depth: int = 64
    string_length: int = 1 << 20
    """Characters of one string or key."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 0:
                raise BundleError(f"Limits: {field.name} must be an int of at least 0; got {value!r}.")


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One array of a bundle: its path in the tree, NumPy or ml_dtypes dtype name, shape and size in bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What `inspect` found in a file."""

    format: int
    file_bytes: int
    metadata: Mapping[str, Any]
    objects: tuple[str, ...]
    types: Mapping[str, str]
    """Type tag of each registered object, by its path: `{"prep": "prep.TablePrep"}`."""
    tensors: tuple[TensorInfo, ...]
    versions: Mapping[str, str]
    """Packages that wrote the file, by import name."""
    sha256: str
    """Digest of all that the file says, tensors included: equal digests, equal content."""
