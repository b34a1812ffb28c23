"""A table and its target in two parts: one to learn from, one to judge by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import PrepError, TargetError
from .frame import read_target, take_rows
from .target import find_task


def train_valid_split(
    X: Any, y: Any, *, valid_size: float | int = 0.2, stratify: Any = True, seed: int = 0
) -> tuple[Any, Any, Any, Any]:
    """`X_train, X_valid, y_train, y_valid`, shuffled, of the types given; the same arguments give the same rows.

    Takes DataFrames, Series, arrays, lists and dicts of columns, of n rows each.

    - valid_size: a fraction in (0, 1), rounded to whole rows, or a number of rows.
    - stratify: True keeps the share of each class where y is a classification; False does not; an array (n,) gives the
      groups whose shares to keep. Shares are rounded by largest remainder; a group's only row goes to training.
    - seed: of NumPy's PCG64.

    Raises PrepError where lengths differ or a part would be empty, TargetError where values to stratify by are missing.

    >>> X, y = [[1], [2], [3], [4]], ["a", "b", "a", "b"]
    >>> X_train, X_valid, y_train, y_valid = train_valid_split(X, y, valid_size=0.5)
    >>> sorted(y_valid)
    ['a', 'b']
    """
    who = "train_valid_split"
    n = _n_rows(X)
    if _n_rows(y) != n:
        raise PrepError.of(who, "X and y have one row each per case", f"{n} rows in X, {_n_rows(y)} in y")
    n_valid = _n_valid(valid_size, n, who)
    groups = _groups(y, stratify, n, who)
    rng = np.random.Generator(np.random.PCG64(seed))
    order = rng.permutation(n)
    quota = _quota(np.bincount(groups), n_valid)
    chosen = np.zeros(n, dtype=bool)
    for group, rows in enumerate(quota):
        chosen[order[groups[order] == group][:rows]] = True
    train, valid = order[~chosen[order]], order[chosen[order]]
    return take_rows(X, train), take_rows(X, valid), take_rows(y, train), take_rows(y, valid)


def _n_rows(X: Any) -> int:
    if isinstance(X, Mapping):
        return len(next(iter(X.values()))) if X else 0
    return len(X)


def _n_valid(valid_size: float | int, n: int, who: str) -> int:
    whole = isinstance(valid_size, (int, np.integer)) and not isinstance(valid_size, bool)
    if not whole and not (isinstance(valid_size, (float, np.floating)) and 0 < valid_size < 1):
        raise PrepError.of(who, "valid_size is a fraction between 0 and 1, or a number of rows", repr(valid_size))
    n_valid = int(valid_size) if whole else round(valid_size * n)
    if not 0 < n_valid < n:
        fix = "Give more rows or another valid_size."
        raise PrepError.of(who, "both parts need a row", f"{n_valid} of {n} rows for validation", fix)
    return n_valid


def _groups(y: Any, stratify: Any, n: int, who: str) -> np.ndarray:
    """Int64 (n,): the group of each row, 0 for all where shares are not kept."""
    if stratify is False or stratify is None:
        return np.zeros(n, dtype=np.int64)
    values, missing = read_target(y if stratify is True else stratify, who)
    if len(values) != n:
        raise PrepError.of(who, "stratify has one group per row", f"{len(values)} for {n} rows")
    if missing.any():
        rows = np.flatnonzero(missing)[:5].tolist()
        raise TargetError.of(
            who, "rows to stratify by have a value", f"none in rows {rows}", "Drop these rows.", rows=rows
        )
    if stratify is True and find_task(values)[0] == "regression":
        return np.zeros(n, dtype=np.int64)
    index: dict[Any, int] = {}
    return np.array([index.setdefault(value, len(index)) for value in values.tolist()], dtype=np.int64)


def _quota(sizes: np.ndarray, n_valid: int) -> np.ndarray:
    """How many rows of each group go to validation: its share, rounded by largest remainder, at most all but one."""
    shares = sizes * (n_valid / sizes.sum())
    most = np.maximum(sizes - 1, 0)
    quota = np.minimum(np.floor(shares).astype(np.int64), most)
    for group in np.argsort(-(shares - quota), kind="stable"):
        if quota.sum() == n_valid:
            break
        quota[group] += quota[group] < most[group]
    while (
        quota.sum() < n_valid
    ):  # groups too small to give their share: the largest give more, their last row if need be
        quota[np.argmax(sizes - quota)] += 1
    return quota
