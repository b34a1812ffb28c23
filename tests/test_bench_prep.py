"""`hatch run bench:prep`: the table is what it says, sides take turns, and the lines tell what was measured."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.prep import __main__ as bench
from benchmarks.prep.sides import AGAINST, NEEDS, PLACES, SIDES
from benchmarks.prep.table import BOOLEANS, CARDINALITIES, CATEGORIES, DATES, FEW, MANY, NUMBERS, make


def test_the_table_has_the_columns_that_it_says():
    frame = pd.DataFrame(make(20_000))
    assert list(frame) == [*NUMBERS, *CATEGORIES, *DATES, *BOOLEANS] and frame.shape[1] == 20
    assert [frame[name].nunique() for name in CATEGORIES] == list(CARDINALITIES)
    assert all(0.03 < frame[name].isna().mean() < 0.07 for name in [*NUMBERS, *CATEGORIES[:-2]])
    assert all(frame[name].dtype.kind == kind for names, kind in ((DATES, "M"), (BOOLEANS, "b")) for name in names)
    assert set(FEW) | set(MANY) == set(CATEGORIES) and all(frame[name].nunique() > PLACES for name in MANY)
    pd.testing.assert_frame_equal(frame, pd.DataFrame(make(20_000)))


def test_sides_do_the_same_work():
    """As many columns of the same kinds, but for the places of the unseen and of parts that do not vary."""
    assert set(NEEDS) == set(SIDES) and set(AGAINST) | set(AGAINST.values()) == set(SIDES)
    frame = pd.DataFrame(make(20_000))
    ours, theirs = SIDES["ours"]().fit(frame), SIDES["scikit-learn"]().fit(frame)
    names = ours.get_feature_names_out().tolist()
    mine, other = ours.transform(frame), theirs.transform(frame)
    extra = len(FEW) + len(MANY)  # an unseen place of each of few categories, a missing one of each of many
    assert mine.shape[1] == other.shape[1] + extra
    dates = other[:, -26:-2]
    times = [names.index(f"{name}_{part}") for name in DATES for part in ("time", "year", "month", "day", "weekday")]
    theirs_at = [12 * i + k for i in range(2) for k in range(5)]
    np.testing.assert_allclose(mine[:, times], dates[:, theirs_at], atol=2e-3)


def test_lines_tell_what_was_measured(tmp_path, capsys, monkeypatch):
    pytest.importorskip("pyarrow", reason="pandas keeps text elsewhere without pyarrow")
    monkeypatch.setattr(bench, "NEEDS", {**NEEDS, "skrub": "no_such_package"})
    path = tmp_path / "found.json"
    bench.main(["--rows", "3000", "--rounds", "2", "--calls", "20", "--sides", "ours", "scikit-learn", "skrub",
                "--json", str(path)])  # fmt: skip
    out = capsys.readouterr().out
    found = json.loads(path.read_text())
    assert [len(side["turns"]) for side in found.values()] == [3, 3]
    assert found["ours"]["row"]["dict"] < found["scikit-learn"]["row"]["frame"]
    lines = [line for line in out.splitlines() if line.startswith("| ")]
    assert [line.split("|")[1].strip() for line in lines] == ["side", "ours", "scikit-learn"]
    assert "times | 3 |" in lines[2] and "skrub: not run, no_such_package is not installed." in out
