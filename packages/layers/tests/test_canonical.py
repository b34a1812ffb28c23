"""Weighted sets of rows, and which of them are held out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.layers import canonical as room
from brickwork.layers.canonical import canonical, held_out


def as_set(rows) -> dict:
    weight = np.ones(len(rows.x)) if rows.weight is None else rows.weight
    return {(*x, y): w for x, y, w in zip(rows.x.tolist(), rows.y.tolist(), weight.tolist(), strict=True)}


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), min_size=1))
def test_rows_become_a_weighted_set(rows) -> None:
    table = np.array(rows)
    if not table[:, 3].any():
        return
    x, y, weight = table[:, :2].astype(np.float32), table[:, 2], table[:, 3].astype(np.float64)
    found = canonical(x, y, weight)
    wanted: dict = {}
    for a, b, c, w in rows:
        if w:
            wanted[(a, b, c)] = wanted.get((a, b, c), 0) + w
    mean = sum(wanted.values()) / len(wanted)
    assert as_set(found) == pytest.approx({key: w / mean for key, w in wanted.items()})
    times = table[:, 3]
    for other in (canonical(x.repeat(times, 0), y.repeat(times), None), canonical(x[::-1], y[::-1], weight[::-1])):
        assert (other.x == found.x).all() and (other.y == found.y).all()
        assert (other.weight is None) == (found.weight is None)
        assert found.weight is None or (other.weight == found.weight).all()


def test_both_zeros_are_one_number() -> None:
    rows = canonical(np.array([[0.0], [-0.0]], np.float32), np.array([1, 1]), None)
    assert len(rows.x) == 1 and rows.weight is None


def test_rows_whose_hashes_collide_stay_apart(monkeypatch) -> None:
    monkeypatch.setattr(room, "_hash", lambda columns, n: np.zeros(n, np.uint64))
    x = np.array([[1.0], [1.0], [2.0]], np.float32)
    rows = canonical(x, np.zeros(3, np.int64), None)
    assert rows.x.tolist() == [[1.0], [2.0]] and rows.weight.tolist() == pytest.approx([4 / 3, 2 / 3])


def test_each_group_gives_its_share() -> None:
    groups = np.repeat([5, 2, 9], [40, 7, 1])
    chosen = held_out(groups, 0.25, 0)
    assert [chosen[groups == g].sum() for g in (5, 2, 9)] == [10, 1, 0]
    assert (held_out(groups, 0.25, 0) == chosen).all() and (held_out(groups, 0.25, 1) != chosen).any()
    assert not held_out(groups, 0.0, 0).any()
