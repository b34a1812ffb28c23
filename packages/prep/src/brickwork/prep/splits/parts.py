"""A table and its target in parts: to learn from, to choose by, to judge by."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import PrepError, nearest
from ..frame import take_rows
from ..hashing import hash_rows
from . import drawing, keys
from .leakage import LeakageWarning, Parts, duplicates_in, times_in

NAMES = ("train", "valid", "test")
DUPLICATES = ("warn", "together", "ignore")


def train_valid_split(
    X: Any,
    y: Any,
    *,
    valid_size: float | int = 0.2,
    stratify: Any = True,
    groups: Any = None,
    time: Any = None,
    duplicates: str = "warn",
    seed: int = 0,
) -> tuple[Any, Any, Any, Any]:
    """`X_train, X_valid, y_train, y_valid`: two of the three parts of `train_valid_test_split`, whose words hold.

    >>> X, y = [[1], [2], [3], [4]], ["a", "b", "a", "b"]
    >>> X_train, X_valid, y_train, y_valid = train_valid_split(X, y, valid_size=0.5)
    >>> sorted(y_valid)
    ['a', 'b']
    """
    sizes = {"valid_size": valid_size}
    X_train, X_valid, y_train, y_valid = _split(
        "train_valid_split", X, y, sizes, stratify, groups, time, duplicates, seed
    )
    return X_train, X_valid, y_train, y_valid


def train_valid_test_split(
    X: Any,
    y: Any,
    *,
    valid_size: float | int = 0.2,
    test_size: float | int = 0.2,
    stratify: Any = True,
    groups: Any = None,
    time: Any = None,
    duplicates: str = "warn",
    seed: int = 0,
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """`X_train, X_valid, X_test, y_train, y_valid, y_test`, shuffled, of the types given.

    Takes frames, Series, arrays, lists and dicts of columns, of n rows each. The same arguments give the same rows; the
    test rows do not depend on `valid_size`, unless by time.

    - valid_size, test_size: fractions of all n rows in (0, 1), rounded to whole rows, or numbers of rows.
    - stratify: True keeps the share of each class, and of ten quantile bins of a regression target; False does not; an
      array (n,) gives the strata whose shares to keep. Shares are rounded by largest remainder; the only row of a
      stratum goes to training.
    - groups: a column's name or position, or an array (n,). No group is in two parts; sizes and shares are met as
      nearly as whole groups allow (each group in random order joins a part where that lowers the chi-squared distance
      of its counts per stratum from those wanted).
    - time: a column's name or position, or an array (n,), of dates, dates in text, or numbers. The latest rows are the
      test, those before them the validation; rows are in order of time, and no shares are kept.
    - duplicates: of rows of X that are equal. "warn" gives a LeakageWarning where two parts share some; "together"
      keeps them in one part, as a group; "ignore" does not look. X that prep cannot read as a table is not looked at.
    - seed: of NumPy's PCG64.

    Warns LeakageWarning also where one time is in two parts. Raises PrepError where lengths differ, a part would be
    empty, or a group or time is missing; TargetError where values to stratify by are missing.

    >>> X = {"day": [3, 1, 4, 2, 5]}
    >>> X_train, X_valid, X_test, *_ = train_valid_test_split(X, range(5), valid_size=1, test_size=1, time="day")
    >>> X_train, X_valid, X_test
    ({'day': [1, 2, 3]}, {'day': [4]}, {'day': [5]})
    """
    sizes = {"valid_size": valid_size, "test_size": test_size}
    parts = _split("train_valid_test_split", X, y, sizes, stratify, groups, time, duplicates, seed)
    X_train, X_valid, X_test, y_train, y_valid, y_test = parts
    return X_train, X_valid, X_test, y_train, y_valid, y_test


def _split(
    who: str, X: Any, y: Any, sizes: Mapping[str, float | int], stratify: Any, groups: Any, time: Any,
    duplicates: str, seed: int,
) -> list[Any]:  # fmt: skip
    n = keys.n_rows(X, who)
    if keys.n_rows(y, who) != n:
        raise PrepError.of(who, "X and y have one row each per case", f"{n} rows in X, {keys.n_rows(y, who)} in y")
    _one_rule(stratify, groups, time, duplicates, who)
    counts = _counts(sizes, n, who)
    hashes = None if duplicates == "ignore" else _hashes(X, who, needed=duplicates == "together")
    rng = np.random.Generator(np.random.PCG64(seed))
    leaks = []
    if time is not None:
        times = keys.times_of(time, X, n, who)
        parts = drawing.by_time(times, counts)
        leaks = times_in(Parts(NAMES, parts, parts), times)
    elif groups is None and duplicates != "together":
        parts = drawing.by_shares(keys.strata(y, stratify, n, who), counts, rng)
    else:
        codes = keys.codes(hashes) if groups is None else keys.groups_of(groups, X, n, who)
        parts = drawing.by_groups(codes, keys.strata(y, stratify, n, who), counts, rng, who)
    if duplicates == "warn" and hashes is not None:
        leaks += duplicates_in(Parts(NAMES, parts, parts), hashes)
    for leak in leaks:
        fix = "Keep them in one by duplicates='together'" if leak.what == "duplicates" else "Split between two times"
        warnings.warn(f"{who}: {leak.text} {fix}.", LeakageWarning, stacklevel=3)
    return [take_rows(data, rows) for data in (X, y) for rows in parts]


def _one_rule(stratify: Any, groups: Any, time: Any, duplicates: Any, who: str) -> None:
    if not isinstance(duplicates, str) or duplicates not in DUPLICATES:
        got = f"{duplicates!r}{nearest(duplicates, DUPLICATES)}"
        raise PrepError.of(who, f"duplicates must be one of {', '.join(DUPLICATES)}", got)
    rules = {"groups": groups is not None, "time": time is not None, "duplicates='together'": duplicates == "together"}
    given = [name for name, is_given in rules.items() if is_given]
    if len(given) > 1:
        rule = "groups, time and duplicates='together' each say which rows go together"
        raise PrepError.of(who, rule, " and ".join(given), "Give one of them.")
    if time is not None and not isinstance(stratify, (bool, type(None))):
        raise PrepError.of(
            who, "a split by time keeps no shares", "time and an array to stratify by", "Give one of them."
        )


def _counts(sizes: Mapping[str, float | int], n: int, who: str) -> list[int]:
    """The number of rows of each part but the first."""
    counts = []
    for name, size in sizes.items():
        whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
        if not whole and not (isinstance(size, (float, np.floating)) and 0 < size < 1):
            raise PrepError.of(who, f"{name} is a fraction between 0 and 1, or a number of rows", repr(size))
        counts.append(int(size) if whole else round(size * n))
    if min(counts) <= 0 or sum(counts) >= n:
        asked = ", ".join(
            f"{count} by {name}={size!r}" for count, (name, size) in zip(counts, sizes.items(), strict=True)
        )
        raise PrepError.of(who, "every part needs a row", f"{asked}, of {n} rows", "Give more rows or other sizes.")
    return counts


def _hashes(X: Any, who: str, *, needed: bool) -> np.ndarray | None:
    try:
        return hash_rows(X, who)
    except PrepError:
        if needed:
            raise
        return None  # what prep cannot read as a table can be split all the same
