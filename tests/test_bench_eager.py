"""`hatch run bench:eager`: every side does the same work, and the table says what is over its bound."""

import pytest

from benchmarks import eager

SMALL = ((4, 6), (3, 3))


def test_every_call_gives_what_numpy_gives():
    calls = eager.sides(SMALL)
    assert len(calls["numpy"]) == 20 and {*calls} >= {"numpy", "ours"}
    for side in calls.values():
        assert {*side} == {*calls["numpy"]}
    for op in calls["numpy"]:
        eager.agree(calls, op)


def test_other_numbers_and_copies_are_told():
    calls = eager.sides(SMALL)
    ours = dict(calls["ours"])
    with pytest.raises(AssertionError, match="add"):
        eager.agree({**calls, "ours": {**ours, "add": ours["multiply"]}}, "add")
    with pytest.raises(SystemExit, match="transpose must give a view"):
        eager.agree({**calls, "ours": {**ours, "transpose": lambda: ours["transpose"]() + 0.0}}, "transpose")


def test_rows_and_table(capsys):
    taken = {"ours": [5.0, 6.0, 50.0], "numpy": [1.0, 4.0, 5.0], "torch": [1.0, 2.0, 3.0]}
    tiny, large = eager.row("add", taken, large=False), eager.row("add", taken, large=True)
    assert (tiny.ours, tiny.numpy, tiny.measure, tiny.torch, tiny.jax) == (6.0, 4.0, 4.0, 2.0, None)
    assert large.measure == 5.0
    held = eager.Row("exp", 1.0, 1.0, 0.0, 3.0, None, None)
    eager.show("Title", "us above numpy", [tiny, held])
    out = capsys.readouterr().out
    assert "| add | 6.00 | 4.00 | 4.00 | 3 | OVER | 2.00 |  |" in out and "1 of 2 within the bound" in out
