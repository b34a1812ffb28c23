"""Data as arrays of rows: converted once, checked once, then cut into batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brickwork.tensor import Tensor, as_dtype, random
from brickwork.tensor.dtypes import is_floating
from brickwork.tensor.tree import flatten, leaves, unflatten

from ..call import map_leaves
from ..errors import LayerError

__all__ = ["Rows", "class_weights", "rows_of", "split_rows"]


GATHER_BYTES = 1 << 26  # data up to here is copied into the order of each epoch at once


@dataclass(frozen=True, slots=True)
class Rows:
    """Inputs, targets and weights: trees of arrays with one length of axis 0. ``y`` and ``weight`` may be None."""

    x: Any
    y: Any
    weight: Any
    count: int

    def slice(self, start: int, stop: int) -> Rows:
        """The rows from ``start`` below ``stop``, as views."""
        cut = [map_leaves(lambda a: a[start:stop], part) for part in (self.x, self.y, self.weight)]
        return Rows(*cut, min(stop, self.count) - start)

    def batches(self, size: int, order: np.ndarray | None = None) -> Iterator[tuple[Any, Any, Any]]:
        """(x, y, weight) of ``size`` rows each, the last one of what is left, as tensors; those of ``order``, in it,
        where that is given.

        Small data is put in order once, so that each batch is a view; large data is gathered batch by batch.
        """
        whole = (self.x, self.y, self.weight)
        arrays, count = leaves(whole), self.count if order is None else len(order)
        if order is not None and sum(a.nbytes for a in arrays) <= GATHER_BYTES:
            arrays, order = [a.take(order, 0) for a in arrays], None
        tree = _assembler(whole)
        for start in range(0, count, size):
            if order is None:
                stop = start + size
                yield tree([Tensor(a[start:stop]) for a in arrays])
            else:
                rows = order[start : start + size]
                yield tree([Tensor(a.take(rows, 0)) for a in arrays])

    def steps(self, size: int) -> int:
        return -(-self.count // size)


def _assembler(whole: tuple[Any, ...]) -> Callable[[list[Tensor]], tuple[Any, ...]]:
    """A function that puts leaves back into the structure of a batch; quick where that is three arrays at most."""
    if any(isinstance(part, (dict, list, tuple)) for part in whole):
        return lambda cut: unflatten(whole, cut)  # type: ignore[no-any-return]
    present = [part is not None for part in whole]
    return lambda cut: (cut[0], cut[1] if present[1] else None, cut[-1] if present[2] else None)


def shuffled(count: int, seed: int, epoch: int, iterations: int) -> np.ndarray:
    """The order of rows in an epoch: from the seed of the model and where in training it stands, so that a resumed run
    goes on alike.
    """
    key = random.fold_in(random.fold_in(random.key(seed), epoch), iterations)
    return random.permutation(key, count).numpy()


def rows_of(who: str, x: Any, y: Any = None, sample_weight: Any = None, dtype: str = "float32") -> Rows:
    """Arrays, tensors, frames, lists, or dicts and lists of them, as `Rows`. Raises `LayerError` for what is no number
    or does not pair up.
    """
    if x is None:
        raise LayerError(f"{who}: needs data; got x=None. Pass an array of rows")
    if callable(getattr(x, "__next__", None)) or (
        hasattr(x, "__getitem__")
        and hasattr(x, "__len__")
        and not _is_array(x)
        and not isinstance(x, (list, tuple, dict))
    ):
        raise LayerError(
            f"{who}: x must be arrays; got {type(x).__name__}. Collect the batches into arrays, or call "
            "train_on_batch on each"
        )
    tree = [_arrays(who, name, part, dtype) for name, part in (("x", x), ("y", y), ("sample_weight", sample_weight))]
    named = [
        (".".join(map(str, (name, *path))), a)
        for name, part in zip(("x", "y", "sample_weight"), tree)
        for path, a in flatten(part)
    ]
    for name, a in named:
        if a.ndim == 0:
            raise LayerError(
                f"{who}: {name} must have rows; got a single number {a}. Pass an array of at least one axis"
            )
    count = len(named[0][1])
    for name, a in named:
        if len(a) != count:
            raise LayerError(
                f"{who}: all data must have the same number of rows; got {named[0][0]} {count}, {name} {len(a)}. "
                "Check which rows were dropped"
            )
    if count == 0:
        raise LayerError(f"{who}: needs at least one row; got x of shape {named[0][1].shape}")
    return Rows(*tree, count)


def _is_array(x: Any) -> bool:
    return hasattr(x, "__array__") or hasattr(x, "__dlpack__")


def _arrays(who: str, name: str, data: Any, dtype: str) -> Any:
    if data is None:
        return None
    if isinstance(data, Mapping):
        return {k: _arrays(who, f"{name}[{k!r}]", v, dtype) for k, v in data.items()}
    if isinstance(data, (list, tuple)) and data and any(_is_array(v) and np.ndim(v) > 0 for v in data):
        return [_arrays(who, f"{name}[{k}]", v, dtype) for k, v in enumerate(data)]
    return _array(who, name, data, dtype)


def _array(who: str, name: str, data: Any, dtype: str) -> np.ndarray:
    """One array: floats in ``dtype``, integers and booleans as they are."""
    try:
        array = data.numpy() if isinstance(data, Tensor) else np.asarray(data)
    except ValueError as error:
        raise LayerError(
            f"{who}: {name} must be rectangular; got {type(data).__name__}: {error}. Pad the rows to one length"
        ) from None
    if array.dtype == object:
        try:
            array = array.astype(dtype)
        except (ValueError, TypeError) as error:
            raise LayerError(
                f"{who}: {name} must be numbers; got mixed values ({error}). Encode text and missing values first, as "
                "with brickwork.prep"
            ) from None
    if array.dtype.kind in "USMm":
        raise LayerError(
            f"{who}: {name} must be numbers; got {array.dtype}. Encode text and dates first, as with brickwork.prep"
        )
    wanted = as_dtype(dtype)
    return array.astype(wanted) if is_floating(as_dtype(array.dtype)) and array.dtype != wanted else array


def split_rows(rows: Rows, fraction: float) -> tuple[Rows, Rows]:
    """The first rows to train on, and the last ``fraction`` of them, before any shuffling, to validate on."""
    if not 0 < fraction < 1:
        raise LayerError(
            f"fit: validation_split must be above 0 and below 1; got {fraction}. 0.2 keeps the last fifth for "
            "validation"
        )
    at = int(np.floor(rows.count * (1.0 - fraction)))
    if at in (0, rows.count):
        raise LayerError(
            f"fit: validation_split must leave rows on both sides; got {fraction} of {rows.count} rows. Use more "
            "rows, or another fraction"
        )
    return rows.slice(0, at), rows.slice(at, rows.count)


def class_weights(rows: Rows, weights: Mapping[int, float]) -> Rows:
    """Rows weighted by their class: y holds class numbers (n,) or (n, 1), or is one-hot (n, classes). Multiplies
    weights that are there.
    """
    y = rows.y
    if not isinstance(y, np.ndarray):
        raise LayerError(
            f"fit: class_weight needs one array y; got {'none' if y is None else 'several'}. Use sample_weight"
        )
    classes = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y), -1)[:, 0] if y.ndim <= 2 else y
    out = np.ones(classes.shape, np.float32)
    for label, weight in weights.items():
        out[classes == label] = weight
    if rows.weight is not None:
        out = out * np.asarray(rows.weight).reshape(len(y), *(1,) * (out.ndim - 1))
    return Rows(rows.x, rows.y, out, rows.count)
