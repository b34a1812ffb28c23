"""The table that all sides learn from: a million rows by default, 20 columns of the kinds that tables have."""

from __future__ import annotations

from typing import Any

import numpy as np

NUMBERS = [f"n{i}" for i in range(8)]
CARDINALITIES = (5, 8, 12, 20, 40, 300, 2_000, 10_000)
CATEGORIES = [f"c{k}" for k in CARDINALITIES]
DATES = ["made", "sold"]
BOOLEANS = ["paid", "new"]
FEW = [f"c{k}" for k in CARDINALITIES if k <= 100]
MANY = [f"c{k}" for k in CARDINALITIES if k > 100]
MISSING = 0.05


def make(n: int, seed: int = 0) -> dict[str, Any]:
    """Columns by name: 8 of float64 with missing, 8 of text (5 to 10,000 words, the first more frequent than the last,
    each there) with missing, 2 of dates, 2 of truth."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for i, name in enumerate(NUMBERS):
        draw = (rng.normal, rng.lognormal, rng.exponential, rng.gamma)[i % 4]
        values = draw(2.0, size=n) if i % 4 < 3 else draw(2.0, 3.0, size=n)
        columns[name] = np.where(rng.random(n) < MISSING, np.nan, values)
    for k, name in zip(CARDINALITIES, CATEGORIES, strict=True):
        words = np.array([f"word{j:05d}" for j in range(k)], dtype=object)
        weights = 1 / np.arange(1, k + 1) ** 0.5
        codes = rng.choice(k, size=n, p=weights / weights.sum())
        codes[:k] = np.arange(k)[:n]  # each occurs
        values = words[codes]
        gaps = rng.random(n) < MISSING
        gaps[:k] = False
        values[gaps] = None
        columns[name] = values
    start = np.datetime64("2015-01-01T00:00:00", "us").astype(np.int64)
    for name in DATES:
        seconds = rng.integers(0, 10 * 365 * 86_400, size=n)
        columns[name] = (start + seconds * 1_000_000).astype("datetime64[us]")
    for name in BOOLEANS:
        columns[name] = rng.random(n) < 0.3
    return columns
