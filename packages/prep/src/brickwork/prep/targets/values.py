"""The values of a target: read whole, as numbers or as labels told apart and put in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cells import column_of
from ..columns import Column, as_numbers
from ..errors import SHOWN, SchemaError, TargetError, bad_values, nearest, quote
from ..frame import read_target
from ..state import KINDS_OF_VALUE

__all__ = ["codes_among", "codes_of_labels", "labels_at", "numbers_of", "ordered", "plain_labels", "read_whole"]


def read_whole(y: Any, who: str) -> np.ndarray:
    """The values of a target (n,), or TargetError where there are none or some are missing."""
    values, missing = read_target(y, who)
    if not len(values):
        raise TargetError.of(who, "a target has rows", "none")
    if missing.all():
        fix = "Choose another column."
        raise TargetError.of(who, "a target has values", f"{len(values)} rows, every one missing", fix)
    if missing.any():
        rows = np.flatnonzero(missing)
        gone = [None] * len(rows)
        raise bad_values(who, "target", "must not be missing", rows, gone, "Drop these rows.", TargetError)
    return values


def numbers_of(values: np.ndarray, who: str) -> np.ndarray:
    """Finite float64 (n,), or TargetError naming the rows that hold something else."""
    try:
        plain = values.dtype.kind in "biuf"
        column = (
            Column("target", "number", values.astype(np.float64)) if plain else column_of("target", values.tolist())
        )
        return as_numbers(column, who)
    except SchemaError as cause:
        raise TargetError(str(cause), column=cause.column, rows=cause.rows, values=cause.values) from None


def plain_labels(labels: list[Any], who: str) -> list[Any]:
    """The labels, or TargetError where one is not text, a number or a boolean: only these stand in a state."""
    odd = [label for label in labels if not KINDS_OF_VALUE["label"](label)]
    if odd:
        got = f"{quote(odd)} of type {type(odd[0]).__name__}"
        raise TargetError.of(who, "labels to be saved are text, numbers or booleans", got, values=odd[:SHOWN])
    return labels


def codes_of_labels(values: np.ndarray, who: str) -> tuple[list[Any], np.ndarray]:
    """The labels of a target (n,) in order, as Python values, and the place of each row's, int64 (n,)."""
    if values.dtype.kind in "iub" and (found := _few_whole(values)) is not None:
        return found
    if values.dtype.kind in "iufb":
        labels, codes = np.unique(values, return_inverse=True)
        return labels.tolist(), codes
    index: dict[Any, int] = {}
    try:
        first = [index.setdefault(label, len(index)) for label in values.tolist()]
    except TypeError:
        odd = next(label for label in values.tolist() if not _hashable(label))
        raise TargetError.of(who, "labels are hashable", f"{odd!r} of type {type(odd).__name__}") from None
    sorted_labels = ordered(index)
    places = np.empty(len(index), dtype=np.int64)
    places[[index[label] for label in sorted_labels]] = np.arange(len(index))
    return sorted_labels, places[np.array(first, dtype=np.int64)]


def codes_among(values: np.ndarray, classes: np.ndarray, who: str) -> np.ndarray:
    """The place of each label (n,) among those seen at fit, int64 (n,); TargetError, with rows, where it is not one."""
    labels, codes = codes_of_labels(values, who)
    known = classes.tolist()
    index = {label: place for place, label in enumerate(known)}
    places = np.array([index.get(label, -1) for label in labels], dtype=np.int64)
    if (places < 0).any():
        rows = np.flatnonzero(places[codes] < 0)
        unknown = list(dict.fromkeys(labels[code] for code in codes[rows].tolist()))
        fix = f"The classes are {quote(known)}{nearest(unknown[0], known)}."
        raise bad_values(who, "target", "holds a label not seen at fit", rows, unknown, fix, TargetError)
    return places[codes]


def labels_at(places: np.ndarray, classes: np.ndarray, who: str) -> np.ndarray:
    """The labels of class indices, of their shape; TargetError where one is no index of a class."""
    if places.dtype.kind not in "iu":
        fix = "Take the argmax of probabilities first."
        raise TargetError.of(who, "class indices are integers", f"dtype {places.dtype}", fix)
    outside = np.flatnonzero((places < 0) | (places >= len(classes)))
    if len(outside):
        rule = f"must be class indices from 0 to {len(classes) - 1}"
        raise bad_values(who, "target", rule, outside, places.ravel()[outside].tolist(), "", TargetError)
    found: np.ndarray = classes[places]
    return found


def ordered(labels: Any) -> list[Any]:
    """Sorted by value; labels of types that do not compare by type name, then by text."""
    try:
        return sorted(labels)
    except TypeError:
        return sorted(labels, key=lambda label: (type(label).__name__, str(label)))


def _few_whole(values: np.ndarray) -> tuple[list[Any], np.ndarray] | None:
    """The same for whole numbers that lie close together, without sorting."""
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values) + 1024:
        return None
    above = values - values.dtype.type(low) if values.dtype.kind == "u" else values.astype(np.int64) - low
    places = above.astype(np.int64)
    there = np.bincount(places, minlength=high - low + 1) > 0
    labels = [low + place for place in np.flatnonzero(there).tolist()]
    return list(map(bool, labels)) if values.dtype.kind == "b" else labels, (np.cumsum(there) - 1)[places]


def _hashable(label: Any) -> bool:
    try:
        hash(label)
    except TypeError:
        return False
    return True
