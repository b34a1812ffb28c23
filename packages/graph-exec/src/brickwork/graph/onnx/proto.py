"""The one door to the `onnx` package: what it parses, as arrays and bytes that were checked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from .errors import MissingPackageError, ModelError, UnsupportedError

try:
    import onnx
    from onnx import numpy_helper
    from onnx.backend import base as onnx_backend
except ImportError as error:
    raise MissingPackageError(
        f"onnx: reading and writing models takes the package `onnx`; got {error}. "
        'Install it: python -m pip install "brickwork-graph-exec[onnx]"'
    ) from None

__all__ = ["array_of", "dtype_of", "load", "onnx", "onnx_backend"]


def load(model: Any) -> tuple[Any, Path | None]:
    """The message of a model, and the folder in which its external data may lie.

    ``model``: a path, the bytes of a file, or an `onnx.ModelProto`; the last two have no folder. Raises `ModelError`
    for what is none of these, and for bytes that are no model.
    """
    if isinstance(model, onnx.ModelProto):
        return model, None
    folder = None
    if isinstance(model, (str, os.PathLike)):
        path = Path(model)
        if not path.is_file():
            raise ModelError(f"from_onnx: a model must be a file; got {str(path)!r}, which is none. Check the path")
        folder, model = path.resolve().parent, path.read_bytes()
    if not isinstance(model, (bytes, bytearray, memoryview)):
        raise ModelError(f"from_onnx: a model must be a path, bytes or a ModelProto; got {type(model).__name__}")
    try:
        message = onnx.load_model_from_string(bytes(model))
    except Exception as error:
        raise ModelError(f"from_onnx: the bytes must be a model; got what does not parse: {error}") from None
    return message, folder


def dtype_of(number: int) -> np.dtype:
    """The NumPy dtype of an element type's number; objects for strings. Raises `UnsupportedError`."""
    try:
        return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(number))
    except (KeyError, ValueError, TypeError):
        raise UnsupportedError(f"onnx: an element type must be one of the standard's; got {number}") from None


def array_of(tensor: Any, folder: Path | None) -> np.ndarray:
    """The array of a `TensorProto` or `SparseTensorProto`. External data are read from inside ``folder`` only."""
    if isinstance(tensor, onnx.SparseTensorProto):
        return _dense(tensor, folder)
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        filled = onnx.TensorProto()
        filled.data_type, filled.name = tensor.data_type, tensor.name
        filled.dims.extend(tensor.dims)
        filled.raw_data = _external(tensor, folder)
        tensor = filled
    try:
        return np.array(numpy_helper.to_array(tensor))  # a copy: what protobuf holds may lie at any address
    except (ValueError, TypeError, KeyError, UnicodeDecodeError) as error:
        raise ModelError(
            f"onnx: the values of a tensor must fit its shape and type; got {tensor.name!r} "
            f"of type {tensor.data_type} and shape {list(tensor.dims)}: {error}"
        ) from None


def _external(tensor: Any, folder: Path | None) -> bytes:
    """The bytes that a tensor names in another file, which must lie in the model's folder."""
    about = {entry.key: entry.value for entry in tensor.external_data}
    location = about.get("location", "")
    if folder is None:
        raise ModelError(
            f"onnx: a model without a folder must hold its own data; got {tensor.name!r}, which names the file "
            f"{location!r}. Give the path of the model"
        )
    path = (folder / location).resolve()
    if not location or Path(location).is_absolute() or not path.is_relative_to(folder) or not path.is_file():
        raise ModelError(
            f"onnx: external data must be a file in the model's folder; got {location!r} for {tensor.name!r}"
        )
    try:
        offset, length = int(about.get("offset", 0)), int(about.get("length", -1))
    except ValueError as error:
        raise ModelError(f"onnx: places in external data must be numbers; got {error} for {tensor.name!r}") from None
    size = path.stat().st_size
    length = size - offset if length < 0 else length
    if offset < 0 or offset + length > size:
        raise ModelError(
            f"onnx: external data must lie within their file; got bytes {offset} to {offset + length} of {size} "
            f"for {tensor.name!r}"
        )
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def _dense(sparse: Any, folder: Path | None) -> np.ndarray:
    """The array of given values at given places, zero elsewhere."""
    values, places = array_of(sparse.values, folder), array_of(sparse.indices, folder)
    shape = tuple(sparse.dims)
    out = np.zeros(shape, values.dtype)
    flat = places if places.ndim == 1 else np.ravel_multi_index(tuple(places.T), shape)
    try:
        out.reshape(-1)[flat] = values
    except (IndexError, ValueError) as error:
        raise ModelError(f"onnx: sparse values must lie in their shape; got {list(shape)}: {error}") from None
    return out
