"""The safetensors part of a bundle: writing it, and checking its header before anything is allocated for it.

Layout (https://github.com/huggingface/safetensors#format): 8 bytes, the little-endian length of the header; the
header, JSON of `{name: {"dtype", "shape", "data_offsets"}}`; the arrays, end to end.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, deserialize

from .json_text import parse, shown
from .records import BundleError, Limits, TensorInfo

MEMBER = "tensors.safetensors"
ALIGNMENT = 64
"""The arrays start at a multiple of this in the file: a cache line, and the widest vector register."""
METADATA = "__metadata__"
"""The entry of the header that is no tensor: text by name."""
NO_METADATA: Mapping[str, str] = {}

_DTYPES: dict[str, np.dtype] = {
    "BOOL": np.dtype("?"),
    **{f"{letter}{8 * size}": np.dtype(f"<{letter.lower()}{size}") for letter in "IU" for size in (1, 2, 4, 8)},
    **{f"F{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
    "C64": np.dtype("<c8"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "F8_E8M0": np.dtype(ml_dtypes.float8_e8m0fnu),
    "F8_E4M3FNUZ": np.dtype(ml_dtypes.float8_e4m3fnuz),
    "F8_E5M2FNUZ": np.dtype(ml_dtypes.float8_e5m2fnuz),
}
_CODES = {dtype.name: code for code, dtype in _DTYPES.items()}


def _check_size(name: str, shape: tuple[int, ...], limits: Limits) -> None:
    if len(shape) > limits.rank:
        raise BundleError(f"tensor {name!r} has rank {len(shape)}; the limit is {limits.rank}.")
    if math.prod(size or 1 for size in shape) > limits.elements:
        raise BundleError(f"tensor {name!r} of shape {shown(shape)} has more elements than {limits.elements}.")


def _check_total(count: int, nbytes: int, limits: Limits) -> None:
    if count > limits.tensors:
        raise BundleError(f"a bundle may hold {limits.tensors} tensors; got {count}.")
    if nbytes > limits.tensor_bytes:
        raise BundleError(f"the tensors may take {limits.tensor_bytes} bytes; got {nbytes}.")


# ---- writing --------------------------------------------------------------------------------------------------------


def pack(
    tensors: Mapping[str, np.ndarray], limits: Limits, metadata: Mapping[str, str] = NO_METADATA
) -> tuple[int, Iterator[bytes | memoryview]]:
    """The size of the member, and its bytes in pieces, so that no second copy of all arrays is made.

    Wide dtypes come first, then names in order, as the safetensors library writes them: each array is aligned to
    its own items, and the same arrays give the same bytes.
    """
    for name, array in tensors.items():
        if array.dtype.name not in _CODES:
            raise BundleError(
                f"{name!r} is an array of {array.dtype}; arrays may be {', '.join(_CODES)}. "
                "Keep text as a list of str, dates as int64."
            )
        _check_size(name, array.shape, limits)
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    end = 0
    for name in order:
        begin, end = end, end + tensors[name].nbytes
        code = _CODES[tensors[name].dtype.name]
        header[name] = {"dtype": code, "shape": list(tensors[name].shape), "data_offsets": [begin, end]}
    _check_total(len(order), end, limits)
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    if len(text) > limits.json_bytes:
        raise BundleError(f"the header of {MEMBER} may take {limits.json_bytes} bytes; got {len(text)}.")
    return 8 + len(text) + end, _pieces(text, [tensors[name] for name in order])


def _pieces(header: bytes, arrays: list[np.ndarray]) -> Iterator[bytes | memoryview]:
    yield struct.pack("<Q", len(header))
    yield header
    for array in arrays:
        little = array.astype(_DTYPES[_CODES[array.dtype.name]], order="C", copy=False)
        # As bytes, because Python's buffers know no bfloat16.
        yield little.reshape(-1).view(np.uint8).data


# ---- reading --------------------------------------------------------------------------------------------------------


def header_length(head: bytes, size: int, limits: Limits) -> int:
    """The length in the first 8 bytes of a member of `size` bytes."""
    if len(head) < 8:
        raise BundleError(f"{MEMBER}: must begin with 8 bytes of length; got {len(head)} bytes.")
    (length,) = struct.unpack("<Q", head)
    if length > limits.json_bytes:
        raise BundleError(f"{MEMBER}: the header may take {limits.json_bytes} bytes; it says {length}.")
    if 8 + length > size:
        raise BundleError(f"{MEMBER}: the header must lie in the member; it says {length} of {size} bytes.")
    return int(length)


def check_header(header: bytes, data_bytes: int, limits: Limits) -> dict[str, TensorInfo]:
    """Describe the tensors of a header, each found to be exactly as large as it says, inside `data_bytes`, with
    no gap and no overlap."""
    return check_entries(parse(header, f"{MEMBER}: the header"), data_bytes, limits)


def check_entries(entries: Any, data_bytes: int, limits: Limits) -> dict[str, TensorInfo]:
    """`check_header` of parsed JSON."""
    if not isinstance(entries, dict):
        raise BundleError(f"{MEMBER}: the header must be an object; got {type(entries).__name__}.")
    _check_total(len(entries), data_bytes, limits)
    found, spans = {}, []
    for name, entry in entries.items():
        found[name], span = _check_entry(name, entry, limits)
        spans.append((span, name))
    end = 0
    for (begin, stop), name in sorted(spans):
        if begin != end:
            raise BundleError(f"{MEMBER}: tensor {name!r} must begin at byte {end}; data_offsets begin at {begin}.")
        end = stop
    if end != data_bytes:
        raise BundleError(f"{MEMBER}: the tensors must fill {data_bytes} bytes; data_offsets end at {shown(end)}.")
    return found


def _check_entry(name: str, entry: Any, limits: Limits) -> tuple[TensorInfo, tuple[int, int]]:
    who = f"{MEMBER}: tensor {name[:200]!r}"
    if len(name) > limits.string_length:
        raise BundleError(f"{who} has a name of {len(name)} characters; the limit is {limits.string_length}.")
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise BundleError(f"{who} must have exactly dtype, shape and data_offsets; got {shown(entry)}.")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(code, str) or code not in _DTYPES:
        raise BundleError(f"{who}: dtype must be one of {', '.join(_DTYPES)}; got {shown(code)}.")
    if not _are_sizes(shape):
        raise BundleError(f"{who}: shape must be a list of ints of at least 0; got {shown(shape)}.")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise BundleError(f"{who}: data_offsets must be two ints in order; got {shown(offsets)}.")
    _check_size(name, tuple(shape), limits)
    dtype, (begin, end) = _DTYPES[code], offsets
    nbytes = math.prod(shape) * dtype.itemsize
    if end - begin != nbytes:
        raise BundleError(
            f"{who}: shape {shown(shape)} of {code} takes {nbytes} bytes; data_offsets hold {end - begin}."
        )
    return TensorInfo(name, dtype.name, tuple(shape), nbytes), (begin, end)


def _are_sizes(value: Any) -> bool:
    # type(...) is int, since True is an int too; 2**62, since more is no size on any machine.
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 2**62 for size in value)


def unpack(member: bytes, infos: Mapping[str, TensorInfo]) -> dict[str, np.ndarray]:
    """The arrays of a member whose header `check_header` has passed: native, writable, each with its own memory."""
    try:
        raw = dict(deserialize(member))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise BundleError(f"{MEMBER}: safetensors cannot read it: {error}") from error
    arrays = {}
    for name, info in infos.items():
        dtype = _DTYPES[_CODES[info.dtype]]
        flat = np.frombuffer(raw.pop(name)["data"], dtype)
        arrays[name] = flat.astype(dtype.newbyteorder("="), copy=False).reshape(info.shape)
    return arrays
