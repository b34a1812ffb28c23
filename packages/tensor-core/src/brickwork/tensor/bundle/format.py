"""Saving, loading and describing bundles: how the tree, the tensors and the zip make one file.

`bundle.json` is `{"format": 1, "body": {...}, "body_sha256": hex}`; the body is `{"metadata", "objects",
"tensors_sha256", "versions"}`. The digest is of the body's canonical JSON, so it vouches for every byte that means
something. It finds damage; it does not prove who wrote the file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NoReturn
from zipfile import ZipFile

import numpy as np

from . import container, registry
from . import tensors as codec
from .container import BODY
from .json_text import canonical, parse, shown
from .records import BundleError, BundleInfo, Limits, TensorInfo
from .tensors import MEMBER
from .tree import Decoder, Encoder, check_pairs, from_pairs

FORMAT = 1
_HUB = "brickwork.tensor"
_CHUNK = 1 << 20


def save(path: Any, objects: Mapping[str, Any], metadata: Mapping[str, Any], limits: Limits) -> None:
    with container.speaking("bundle.save", path) as target:
        encoder = Encoder(limits)
        body = {
            "metadata": _encode_roots(metadata, Encoder(limits, plain=True), "metadata"),
            "objects": _encode_roots(objects, encoder, ""),
            "versions": encoder.versions | {_HUB: sys.modules[_HUB].__version__},
        }
        size, pieces = codec.pack(encoder.tensors, limits)
        digest = sha256()
        with container.replacing(target) as file:
            container.write(
                file,
                size,
                _digested(pieces, digest),
                lambda: _body_text(body | {"tensors_sha256": digest.hexdigest()}, limits),
            )
            if file.tell() > limits.file_bytes:
                raise BundleError(f"may take {limits.file_bytes} bytes; needs {file.tell()}. Pass larger limits?")


def _encode_roots(roots: Mapping[str, Any], encoder: Encoder, path: str) -> Any:
    if not isinstance(roots, Mapping):
        raise BundleError(f"{path or 'objects'} must be a mapping of names; got {type(roots).__name__}.")
    for name in roots:
        # "" is the path of the root, and safetensors keeps the name __metadata__ for itself.
        if type(name) is not str or name in ("", "__metadata__"):
            raise BundleError(f"names must be str, not empty and not '__metadata__'; got {name!r}.")
    return encoder.encode(dict(roots), path)


def _digested(pieces: Iterable[bytes | memoryview], digest: Any) -> Iterator[bytes | memoryview]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _body_text(body: dict[str, Any], limits: Limits) -> bytes:
    text = canonical({"body": body, "body_sha256": sha256(canonical(body)).hexdigest(), "format": FORMAT})
    if len(text) > limits.json_bytes:
        raise BundleError(f"{BODY} may take {limits.json_bytes} bytes; needs {len(text)}. Keep bulk data in arrays.")
    return text


# ---- reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Contents:
    """A file that has passed every check."""

    body: dict[str, Any]
    info: BundleInfo


def load(path: Any, limits: Limits) -> dict[str, Any]:
    with container.speaking("bundle.load", path) as source, container.reading(source, limits) as (archive, size):
        contents = _check(archive, size, limits)
        versions = contents.info.versions
        types = {tag: _known(tag, at, versions) for at, tag in contents.info.types.items()}
        member = archive.read(MEMBER)
        if sha256(member).hexdigest() != contents.body["tensors_sha256"]:
            _tampered(MEMBER)
        arrays = codec.unpack(member, {info.name: info for info in contents.info.tensors})
        del member

        def tensor(at: str, marker: str) -> np.ndarray:
            array = arrays.pop(at)
            return from_pairs(array) if marker == "$complex128" else array

        def make(at: str, tag: str, state: Any) -> Any:
            try:
                return types[tag].from_state(state)
            except Exception as error:  # foreign code may fail in any way
                raise BundleError(
                    f"{at!r} ({tag}): from_state raised {type(error).__name__}: {error}. {_written_by(versions)}"
                ) from error

        return dict(Decoder(limits, tensor, make).decode(contents.body["objects"], ""))


def inspect(path: Any, limits: Limits) -> BundleInfo:
    with container.speaking("bundle.inspect", path) as source, container.reading(source, limits) as (archive, size):
        contents = _check(archive, size, limits)
        digest = sha256()
        with archive.open(MEMBER) as member:
            while chunk := member.read(_CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != contents.body["tensors_sha256"]:
            _tampered(MEMBER)
        return contents.info


def _check(archive: ZipFile, size: int, limits: Limits) -> _Contents:
    """Check all but the digest of the tensors, taking memory for no tensor."""
    body, digest = _read_body(archive)
    with archive.open(MEMBER) as member:
        stored = archive.getinfo(MEMBER).file_size
        length = codec.header_length(member.read(8), stored, limits)
        tensors = codec.check_header(member.read(length), stored - 8 - length, limits)
    types = _check_objects(body["objects"], tensors, limits)
    info = BundleInfo(
        format=FORMAT,
        file_bytes=size,
        metadata=MappingProxyType(_check_metadata(body["metadata"], limits)),
        objects=tuple(key.removeprefix("$") for key in body["objects"]),
        types=MappingProxyType(types),
        tensors=tuple(tensors[name] for name in sorted(tensors)),
        versions=MappingProxyType(body["versions"]),
        sha256=digest,
    )
    return _Contents(body, info)


def _read_body(archive: ZipFile) -> tuple[dict[str, Any], str]:
    whole = parse(archive.read(BODY), BODY)
    written = whole.get("format") if isinstance(whole, dict) else None
    if type(written) is not int or written < 1:
        raise BundleError(
            f"{BODY}: format must be an int of at least 1; got {shown(written)}. Is it a Brickwork bundle?"
        )
    if written != FORMAT:
        raise BundleError(f"{BODY}: format must be {FORMAT}; got {shown(written)}. Upgrade brickwork-tensor-core.")
    _check_keys(whole, {"format", "body", "body_sha256"}, BODY)
    body, digest = whole["body"], whole["body_sha256"]
    if sha256(canonical(body)).hexdigest() != digest:
        _tampered(BODY)
    who = f"{BODY}: body"
    _check_keys(body, {"metadata", "objects", "tensors_sha256", "versions"}, who)
    versions = body["versions"]
    if not isinstance(versions, dict) or not all(isinstance(version, str) for version in versions.values()):
        raise BundleError(f"{who}: versions must be an object of str; got {shown(versions)}.")
    return body, digest


def _check_keys(value: Any, keys: set[str], who: str) -> None:
    if not isinstance(value, dict) or value.keys() != keys:
        got = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise BundleError(f"{who} must be an object with exactly {', '.join(sorted(keys))}; got {shown(got)}.")


def _check_objects(node: Any, tensors: Mapping[str, TensorInfo], limits: Limits) -> dict[str, str]:
    """The type tags by path; each tensor is found to be used exactly once."""
    types: dict[str, str] = {}
    used: set[str] = set()

    def tensor(at: str, marker: str) -> None:
        if at not in tensors or at in used:
            raise BundleError(f"{at!r} must name one tensor of {MEMBER}, and alone; it is {_missing(at in used)}.")
        used.add(at)
        info = tensors[at]
        if marker == "$complex128":
            check_pairs(at, info.dtype, info.shape)

    def make(at: str, tag: str, state: Any) -> None:
        types[at] = tag

    if not isinstance(node, dict) or type(Decoder(limits, tensor, make).decode(node, "")) is not dict:
        raise BundleError(f"{BODY}: objects must be an object of names; got {shown(node)}.")
    if unused := sorted(tensors.keys() - used):
        raise BundleError(f"{MEMBER}: tensor {unused[0][:200]!r} belongs to no place in the objects.")
    return types


def _missing(used: bool) -> str:
    return "used twice" if used else "not there"


def _check_metadata(node: Any, limits: Limits) -> dict[str, Any]:
    def refuse(at: str, *_: Any) -> NoReturn:
        raise BundleError(f"{at!r} must be plain JSON, with no tensor and no object.")

    metadata = Decoder(limits, refuse, refuse).decode(node, "metadata")
    if type(metadata) is not dict:
        raise BundleError(f"{BODY}: metadata must be an object of names; got {shown(node)}.")
    return metadata


def _known(tag: str, at: str, versions: Mapping[str, str]) -> Any:
    if (found := registry.type_of(tag)) is None:
        raise BundleError(f"{at!r} has the type {tag!r}, which no installed package declares. {_written_by(versions)}")
    return found


def _written_by(versions: Mapping[str, str]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    return f"Install what wrote the file: {packages[:400]}."


def _tampered(member: str) -> NoReturn:
    raise BundleError(
        f"{member} was tampered with or damaged: its sha256 is not the one it was written with. "
        "Take the file from its source again."
    )
