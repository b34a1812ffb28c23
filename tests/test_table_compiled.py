"""A table gives the same numbers at once, row by row, and by the formulas of its columns in one compiled function."""

import numpy as np
import pandas as pd
import pytest

import brickwork.tensor as bt
from brickwork.graph import function
from brickwork.prep import RobustScaler, TablePrep, TargetEncoder, program

RNG = np.random.default_rng(2)
N = 400


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Numbers, categories few and many, dates with and without gaps, truth; five of them with missing values."""
    frame = pd.DataFrame(
        {
            "size": RNG.normal(50, 10, N),
            "great": RNG.lognormal(40, 30, N),
            "grade": RNG.choice(["low", "mid", "high"], N).astype(object),
            "city": np.array([f"w{i:03}" for i in RNG.integers(0, 150, N)], dtype=object),
            "seen": pd.Timestamp("1999-12-20 03:04:05") + pd.to_timedelta(RNG.integers(0, 2e9, N), unit="s"),
            "told": [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(N)],
            "ringed": RNG.random(N) > 0.3,
            "shop": RNG.choice(["a", "b", "c", "d"], N).astype(object),
        }
    )
    for name in ("size", "grade", "city", "seen", "told"):
        frame.loc[RNG.choice(N, 30), name] = None
    return frame


@pytest.mark.parametrize(
    ("options", "looked_up"),
    [
        ({}, 1),
        ({"high_cardinality": "frequent", "scale": "robust"}, 2),
        ({"high_cardinality": "index", "impute": "mean", "scale": "minmax"}, 0),
        ({"columns": {"size": RobustScaler(), "shop": TargetEncoder(random_state=0)}, "kinds": {"great": "drop"}}, 1),
    ],
    ids=str,
)
def test_three_ways_to_the_same_numbers(table, options, looked_up) -> None:
    prep = TablePrep(**options).fit(table, table["great"] > 1)
    whole = prep.transform(table)
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    np.testing.assert_array_equal(np.concatenate([prep.transform(record) for record in records]), whole)

    arithmetic = program(prep)
    compiled = function(lambda *columns: arithmetic(columns, bt))
    np.testing.assert_allclose(np.asarray(compiled(*arithmetic.bind(table))), whole, rtol=2e-6, atol=1e-6)
    for row in (0, 17):
        one = np.asarray(compiled(*arithmetic.bind(table.iloc[[row]])))
        np.testing.assert_allclose(one, whole[[row]], rtol=2e-6, atol=1e-6)
    # What a category stands for is looked up by a call.
    assert {variant.calls for variant in compiled.explain()} == {looked_up}, "all else is native code"
