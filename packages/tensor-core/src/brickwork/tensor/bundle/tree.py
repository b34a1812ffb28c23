"""Trees as JSON: `encode` takes arrays and registered objects out of a tree, `Decoder` puts them back.

JSON is the tree itself, but for dicts with one of these keys, each of which is a marker:

    {"$tensor": path}              an array, in tensors.safetensors under its path in the tree
    {"$complex128": path}          a complex array, kept as float64 pairs on a last axis (safetensors has no complex128)
    {"$type": tag, "state": tree}  an object of a registered type
    {"$tuple": [tree, ...]}        a tuple
    {"$float": "nan"}              a float that JSON cannot say: nan, inf, -inf

A user's own key that starts with `$` is written with one more `$`. A path joins keys with `/`; inside a key, `~` is
written `~0` and `/` is written `~1` (RFC 6901), so each place in a tree has its own path.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from . import registry
from .json_text import shown
from .records import BundleError, Limits

_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_INT_BITS = 1024  # Python itself stops reading decimal text at 4300 digits
_MARKERS = {
    "$tensor": {"$tensor"},
    "$complex128": {"$complex128"},
    "$type": {"$type", "state"},
    "$tuple": {"$tuple"},
    "$float": {"$float"},
}


def place(path: str, key: str | int) -> str:
    """The path of a child; `""` is the path of the root."""
    step = str(key).replace("~", "~0").replace("/", "~1")
    return f"{path}/{step}" if path else step


def check_pairs(path: str, dtype: str, shape: tuple[int, ...]) -> None:
    """Raises `BundleError` where an array can not be the pairs that stand for complex128."""
    if dtype != "float64" or shape[-1:] != (2,):
        raise BundleError(f"{path!r} must be float64 pairs to be complex128; got {dtype} {shown(shape)}.")


def from_pairs(pairs: np.ndarray) -> np.ndarray:
    """The complex128 array that pairs stand for; the same memory."""
    return pairs.view(np.complex128)[..., 0]


def _refuse(path: str, rule: str) -> NoReturn:
    raise BundleError(f"{path or 'objects'!r} {rule}")


def _text(text: str, path: str, limits: Limits) -> str:
    if len(text) > limits.string_length:
        _refuse(path, f"holds a str of {len(text)} characters; the limit is {limits.string_length}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse(path, "holds a str with half of a surrogate pair, which is no Unicode text.")
    return text


# ---- to JSON --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Encoder:
    """Collects what `encode` takes out of trees. With `plain`, arrays and objects are refused."""

    limits: Limits
    plain: bool = False
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def encode(self, value: Any, path: str, depth: int = 0) -> Any:
        """The JSON of one tree."""
        if depth > self.limits.tree_depth:
            _refuse(path, f"is nested deeper than {self.limits.tree_depth} levels. Does the tree contain itself?")
        if isinstance(value, np.generic):
            value = self._scalar(value, path)
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return _text(value, path, self.limits)
        if kind is int:
            if value.bit_length() > _INT_BITS:
                _refuse(path, f"must be an int of at most {_INT_BITS} bits; got {value.bit_length()} bits.")
            return value
        if kind is float:
            return value if math.isfinite(value) else {"$float": repr(value)}
        if kind is dict:
            return {
                self._key(key, path): self.encode(child, place(path, key), depth + 1) for key, child in value.items()
            }
        if kind is list or kind is tuple:
            items = [self.encode(child, place(path, index), depth + 1) for index, child in enumerate(value)]
            return items if kind is list else {"$tuple": items}
        return self._array(value, path) if kind is np.ndarray else self._object(value, path, depth)

    def _key(self, key: Any, path: str) -> str:
        if type(key) is not str:
            _refuse(path, f"has a key that is not a str; got {key!r}. Use str keys.")
        _text(key, path, self.limits)
        return "$" + key if key.startswith("$") else key

    def _scalar(self, value: np.generic, path: str) -> Any:
        plain = value.item()
        if type(plain) not in (bool, int, float, str):
            _refuse(path, f"must not be a NumPy scalar of {value.dtype}; got {value!r}. Use np.asarray of it.")
        return plain

    def _array(self, value: np.ndarray, path: str) -> Any:
        if self.plain:
            _refuse(path, "must be plain JSON; got an array. Put it among the objects.")
        marker = "$tensor"
        if value.dtype == np.complex128:
            marker = "$complex128"
            value = np.stack([value.real, value.imag], axis=-1)
        self.tensors[path] = value
        return {marker: path}

    def _object(self, value: Any, path: str, depth: int) -> Any:
        cls = type(value)
        tag = None if self.plain else registry.tag_of(cls)
        if tag is None:
            allowed = "dict, list, tuple, str, int, float, bool or None"
            if not self.plain:
                allowed += ", a NumPy array, or an object of a registered type"
            _refuse(path, f"must be {allowed}; got {cls.__module__}.{cls.__qualname__}.")
        entry = registry.type_of(tag)
        if version := registry.version_of(entry):
            self.versions.update([version])
        try:
            state = entry.to_state(value)
        except Exception as error:  # foreign code may fail in any way
            raise BundleError(f"{path!r} ({tag}): to_state raised {type(error).__name__}: {error}") from error
        return {"$type": tag, "state": self.encode(state, path, depth + 1)}


# ---- from JSON ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decoder:
    """Reads JSON that nothing is known about, and leaves the making of arrays and objects to its owner.

    `tensor(path, marker)` gives the array of a place; `make(path, tag, state)` gives the object. So one walk
    serves to check a file, to describe it and to load it.
    """

    limits: Limits
    tensor: Callable[[str, str], Any]
    make: Callable[[str, str, Any], Any]

    def decode(self, node: Any, path: str, depth: int = 0) -> Any:
        """The tree of parsed JSON. Raises `BundleError` naming the path of what is not allowed."""
        if depth > self.limits.tree_depth:
            _refuse(path, f"is nested deeper than {self.limits.tree_depth} levels.")
        if isinstance(node, str):
            return _text(node, path, self.limits)
        if isinstance(node, list):
            return [self.decode(child, place(path, index), depth + 1) for index, child in enumerate(node)]
        if not isinstance(node, dict):
            return node
        if any(key.startswith("$") and not key.startswith("$$") for key in node):
            return self._marked(node, path, depth)
        keys = {key: _text(key.removeprefix("$"), path, self.limits) for key in node}
        return {name: self.decode(node[key], place(path, name), depth + 1) for key, name in keys.items()}

    def _marked(self, node: Mapping[str, Any], path: str, depth: int) -> Any:
        marker = next((key for key in _MARKERS if key in node), None)
        if marker is None or node.keys() != _MARKERS[marker]:
            _refuse(path, f"has keys that make no marker of this format; got {sorted(node)[:4]}.")
        value = node[marker]
        if marker == "$tuple":
            if not isinstance(value, list):
                _refuse(path, f"$tuple must hold a list; got {type(value).__name__}.")
            return tuple(self.decode(child, place(path, index), depth + 1) for index, child in enumerate(value))
        if not isinstance(value, str):
            _refuse(path, f"{marker} must hold a str; got {type(value).__name__}.")
        _text(value, path, self.limits)
        if marker == "$float":
            if value not in _FLOATS:
                _refuse(path, f"$float must be one of {', '.join(_FLOATS)}; got {value[:40]!r}.")
            return _FLOATS[value]
        if marker == "$type":
            prefix, _, name = value.partition(".")
            if not (prefix.isidentifier() and name.isidentifier()):
                _refuse(path, f"$type must be two names joined by a dot; got {value[:80]!r}.")
            return self.make(path, value, self.decode(node["state"], path, depth + 1))
        if value != path:
            _refuse(path, f"must hold the tensor of its own path; got {value[:80]!r}.")
        return self.tensor(path, marker)
