"""Tables that several tests look at."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def mixed() -> pd.DataFrame:
    """Forty rows with a column of every kind, some with missing values."""
    rng = np.random.default_rng(0)
    n = 40
    frame = pd.DataFrame(
        {
            "row_id": np.arange(n) * 7 + 3,
            "size": rng.normal(50, 10, n),
            "count": rng.integers(0, 9, n),
            "island": rng.choice(["Biscoe", "Dream", "Torgersen"], n),
            "ringed": rng.random(n) > 0.3,
            "seen": pd.date_range("2023-01-30 06:00", periods=n, freq="29h"),
            "told": [f"{1 + i % 28}/{1 + i % 12}/2024" for i in range(n)],
            "price": [f"{i / 4}" for i in range(n)],
            "tag": [f"tag-{i:03}" for i in range(n)],
            "planet": "Earth",
            "nothing": np.full(n, np.nan),
        }
    )
    frame.loc[[3, 17], "size"] = np.nan
    frame.loc[[5], "island"] = None
    frame["ringed"] = frame["ringed"].astype("boolean")
    frame.loc[[8], "ringed"] = pd.NA
    frame.loc[[9], "seen"] = pd.NaT
    return frame
