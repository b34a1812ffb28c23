"""`save` and `load`: a tree of tensors as one safetensors file, which other libraries read too.

The file is plain safetensors (https://github.com/huggingface/safetensors#format): an array per tensor, named by its
path in the tree, as ``encoder/0/kernel``. What else there is to the tree (lists, tuples, numbers, text, which arrays
are variables) is JSON in the metadata, under ``brickwork``: ``{"format": 1, "root": path of the tree, "tree": the tree
as `bundle.tree` writes it, "variables": {path: [name, trainable]}}``. Nothing in it is code.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import IO, Any

import numpy as np

from .bundle import tensors as codec
from .bundle.container import opened, replacing, speaking
from .bundle.json_text import canonical, parse, shown
from .bundle.records import BundleError, Limits, TensorInfo
from .bundle.tree import Decoder, Encoder, check_pairs, from_pairs, place
from .dtypes import NAMES
from .memory import ledger
from .tensor import Tensor
from .tree import flatten, unflatten
from .variable import Variable

__all__ = ["load", "save"]

KEY, FORMAT = "brickwork", 1
LEAF = "tensor"
"""The name of a tree that is one tensor."""
PART = f"{codec.MEMBER}: "
"""What the checks of a bundle's arrays call them; here they are the whole file."""
_DEFAULT = Limits()


def save(tree: Any, path: str | os.PathLike[str], *, limits: Limits = _DEFAULT) -> None:
    """Write a tree to one safetensors file, whole or not at all.

    A tree is nested dict (str keys), list, tuple and dataclass of tensors, variables and NumPy arrays, in which also
    str, int, float, bool and None may stand. Any dtype of tensors, any shape; complex128, which safetensors has not, is
    kept as pairs of float64 on a last axis. The same tree gives the same bytes. The file is written beside the target,
    synced and moved over it: after a full disk or a crash the old file is still whole.

    Raises `BundleError` where something can not be stored (its place is named), is larger than ``limits``, or the file
    can not be written; `TraceError` for a value of a traced function.

    Example:
        >>> import brickwork.tensor as bt
        >>> bt.save({"kernel": bt.ones((3, 2)), "steps": 7}, "state.safetensors")
        >>> bt.load("state.safetensors")["kernel"].shape
        (3, 2)
    """
    with speaking("save", path, PART) as target:
        encoder = TreeEncoder(limits)
        root = LEAF if isinstance(tree, (Tensor, np.ndarray)) else ""
        text = {"format": FORMAT, "root": root, "tree": encoder.encode(tree, root), "variables": encoder.variables}
        if codec.METADATA in encoder.tensors or "" in encoder.tensors:
            raise BundleError(f"keys must not be empty, nor {codec.METADATA!r} for a tensor; got one. Rename it")
        _, pieces = codec.pack(encoder.tensors, limits, {KEY: canonical(text).decode("ascii")})
        with replacing(target) as file:
            for piece in pieces:
                file.write(piece)


@dataclass(slots=True)
class TreeEncoder(Encoder):
    """Takes tensors out of a tree; ``variables``: name and whether trainable, by path."""

    variables: dict[str, list[Any]] = field(default_factory=dict)

    def _object(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, Tensor):
            if isinstance(value, Variable):
                self.variables[path] = [value.name, value.trainable]
            return self._array(value.numpy(), path)
        if isinstance(value, (dict, list, tuple)):  # a class derived from one
            plain = next(kind for kind in (dict, list, tuple) if isinstance(value, kind))
            return self.encode(plain(value), path, depth)
        if is_dataclass(value) and not isinstance(value, type):
            return self.encode({f.name: getattr(value, f.name) for f in fields(value)}, path, depth)
        kind = type(value)
        raise BundleError(
            f"{path!r} must be a dict, list, tuple, dataclass, tensor, variable, array, str, int, float, bool or None; "
            f"got {kind.__module__}.{kind.__qualname__}"
        )


def load(path: str | os.PathLike[str], *, like: Any = None, limits: Limits = _DEFAULT) -> Any:
    """Read a tree that `save` wrote, or the arrays of any other safetensors file as a dict by name.

    Arrays come back as tensors, variables as variables, dataclasses as dicts of their fields. ``like``: a tree of which
    the result has the structure, classes included; its tensors are found by path, must agree in shape and dtype, and
    none may be left over. Leaves of ``like`` that are no tensors stay.

    The whole file is checked before memory is taken for an array: ``limits``, and those of `memory_limit`. Raises
    `BundleError`, which names the file and the field, and `MemoryLimitError`.
    """
    with speaking("load", path, PART) as source, opened(source) as file:
        infos, starts, metadata = _header(file, limits)
        structure = _structure(metadata, limits) if like is None else None
        if structure is not None:
            _check_tree(structure, infos, limits)
        ledger.ask("load", sum(info.nbytes for info in infos.values()))
        arrays = {name: _read(file, info, starts[name]) for name, info in infos.items()}
        if like is not None:
            return _like(like, arrays)
        if structure is not None:
            return _rebuilt(structure, arrays, limits)
        return {name: Tensor(array) for name, array in arrays.items()}


def _header(file: IO[bytes], limits: Limits) -> tuple[dict[str, TensorInfo], dict[str, int], Mapping[str, str]]:
    """What the file holds, where each array starts, and the metadata; all found to be as the format says."""
    size = os.fstat(file.fileno()).st_size
    if size > limits.file_bytes:
        raise BundleError(f"may take {limits.file_bytes} bytes; got {size}. Pass larger limits?")
    length = codec.header_length(file.read(8), size, limits)
    entries = parse(file.read(length), "the header")
    metadata = entries.pop(codec.METADATA, {}) if isinstance(entries, dict) else {}
    if not isinstance(metadata, dict) or not all(type(value) is str for value in metadata.values()):
        raise BundleError(f"the metadata must be an object of str; got {shown(metadata)}.")
    infos = codec.check_entries(entries, size - 8 - length, limits)
    for info in infos.values():
        if info.dtype not in NAMES:
            raise BundleError(f"tensor {info.name!r} is of {info.dtype}; tensors may be of {', '.join(NAMES)}.")
    return infos, {name: 8 + length + entries[name]["data_offsets"][0] for name in infos}, metadata


def _read(file: IO[bytes], info: TensorInfo, start: int) -> np.ndarray:
    """One array, native and in memory of its own."""
    native = NAMES[info.dtype]
    array = np.empty(info.shape, native.newbyteorder("<"))
    file.seek(start)
    if file.readinto(array.reshape(-1).view(np.uint8)) != info.nbytes:  # type: ignore[attr-defined]
        raise BundleError(f"tensor {info.name!r} must take {info.nbytes} bytes; the file ended. Is it being written?")
    made: np.ndarray = ledger.made(array.astype(native, copy=False))
    return made


def _structure(metadata: Mapping[str, str], limits: Limits) -> dict[str, Any] | None:
    """What `save` said of the tree; None in a file that it did not write."""
    if KEY not in metadata:
        return None
    found = parse(metadata[KEY].encode(), f"the metadata {KEY!r}")
    written = found.get("format") if isinstance(found, dict) else None
    if type(written) is not int or written != FORMAT:
        raise BundleError(f"the format must be {FORMAT}; got {shown(written)}. Upgrade brickwork-tensor-core.")
    variables = found.get("variables")
    if found.keys() != {"format", "root", "tree", "variables"} or found["root"] not in ("", LEAF):
        raise BundleError(f"the metadata {KEY!r} must have format, root, tree and variables; got {shown(found)}.")
    if not isinstance(variables, dict) or not all(
        isinstance(v, list) and len(v) == 2 and isinstance(v[0], str) and isinstance(v[1], bool)
        for v in variables.values()
    ):
        raise BundleError(f"variables must be [name, trainable] by path; got {shown(variables)}.")
    return dict(found)


def _check_tree(structure: Mapping[str, Any], infos: Mapping[str, TensorInfo], limits: Limits) -> None:
    """Each tensor is found to have one place in the tree."""
    left = dict(infos)

    def tensor(at: str, marker: str) -> None:
        info = left.pop(at, None)
        if info is None:
            raise BundleError(f"{at!r} must name a tensor of the file, and alone; it is not there, or used twice.")
        if marker == "$complex128":
            check_pairs(at, info.dtype, info.shape)

    def make(at: str, tag: str, state: Any) -> None:
        raise BundleError(f"{at!r} must be data; got an object of type {tag!r}. Use bundle.load.")

    Decoder(limits, tensor, make).decode(structure["tree"], structure["root"])
    if left:
        raise BundleError(f"tensor {min(left)[:200]!r} belongs to no place in the tree.")


def _rebuilt(structure: Mapping[str, Any], arrays: Mapping[str, np.ndarray], limits: Limits) -> Any:
    """The tree, which `_check_tree` has passed."""
    variables = structure["variables"]

    def tensor(at: str, marker: str) -> Tensor:
        array = from_pairs(arrays[at]) if marker == "$complex128" else arrays[at]
        return _leaf(array, *variables[at]) if at in variables else Tensor(array)

    return Decoder(limits, tensor, lambda *_: None).decode(structure["tree"], structure["root"])


def _leaf(array: np.ndarray, name: str, trainable: bool) -> Variable:
    return Variable(array, name=name, trainable=trainable)


def _like(like: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The tree ``like`` with the arrays of its paths."""
    out = []
    for steps, leaf in flatten(like):
        if not isinstance(leaf, (Tensor, np.ndarray)):
            out.append(leaf)
            continue
        at = ""
        for step in steps:
            at = place(at, step)
        at = at or LEAF
        if at not in arrays:
            raise BundleError(f"{at!r} must be a tensor of the file; it holds {shown(sorted(arrays))}.")
        array = arrays.pop(at)
        if leaf.dtype == np.complex128:
            check_pairs(at, array.dtype.name, array.shape)
            array = from_pairs(array)
        if array.shape != leaf.shape or array.dtype != leaf.dtype:
            wanted, got = (f"{x.dtype.name}{shown(x.shape)}" for x in (leaf, array))
            raise BundleError(f"{at!r} must be {wanted}; the file has {got}.")
        out.append(_leaf(array, leaf.name, leaf.trainable) if isinstance(leaf, Variable) else Tensor(array))
    if arrays:
        raise BundleError(f"tensor {min(arrays)[:200]!r} belongs to no place in the tree that was given.")
    return unflatten(like, out)
