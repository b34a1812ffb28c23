"""Fitted state is plain data that comes back bit by bit, and a damaged one is refused."""

import copy
import json
from importlib.metadata import entry_points

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from brickwork.prep import PrepError, StateError, TablePrep, TargetPrep, bundle_types
from brickwork.prep.bundles import TYPES


def plain(value) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(item) for key, item in value.items())
    return all(map(plain, value)) if isinstance(value, list) else isinstance(value, (str, int, float, bool, type(None)))


def test_state_comes_back_bit_by_bit(mixed):
    prep = TablePrep(kinds={"count": "categorical", "tag": "drop"}, max_categories=4).fit(mixed)
    state = prep.to_state()
    assert plain(state) and state["version"] == 1
    same = TablePrep.from_state(json.loads(json.dumps(state)))
    assert same.transform(mixed).tobytes() == prep.transform(mixed).tobytes()
    assert same.describe() == prep.describe()
    assert same.get_params() == prep.get_params()
    assert same.feature_names_in_.tolist() == prep.feature_names_in_.tolist()
    assert same.to_state() == state


def test_state_of_an_array_comes_back():
    X = np.random.default_rng(0).normal(size=(20, 3))
    prep = TablePrep(kinds={np.int64(0): "numeric", 1: "drop"}).fit(X)
    same = TablePrep.from_state(json.loads(json.dumps(prep.to_state())))
    assert same.transform(X).tobytes() == prep.transform(X).tobytes()
    assert not hasattr(same, "feature_names_in_")


def test_numbers_may_come_as_arrays(mixed):
    prep = TablePrep().fit(mixed)
    state = prep.to_state()
    for column in state["columns"]:
        for name in ("means", "scales"):
            if name in column:
                column[name] = np.array(column[name])
    assert TablePrep.from_state(state).transform(mixed).tobytes() == prep.transform(mixed).tobytes()


def test_the_entry_point_names_the_types():
    assert bundle_types is TYPES
    assert TYPES["TablePrep"] is TablePrep and TYPES["TargetPrep"] is TargetPrep
    assert TYPES["Pipeline"].of is Pipeline  # which cannot write itself
    with pytest.raises(TypeError):
        TYPES["Other"] = object
    declared = [point for point in entry_points(group="brickwork.bundles") if point.name == "prep"]
    if declared:  # run from a tree that is not installed, there is none
        assert declared[0].load() is TYPES


SHORT = {"n": [1.0, None, 3.0], "c": ["x", "y", "x"], "b": [True, False, None], "d": ["2024-01-02", "2024-03-04", ""]}
STATE = TablePrep().fit(SHORT | {"k": ["same"] * 3}).to_state()
POSITION = {column["name"]: i for i, column in enumerate(STATE["columns"])}
ABSENT = object()


def tampered(path: tuple, value):
    state = copy.deepcopy(STATE)
    place = state
    *way, last = [POSITION.get(step, step) if i == 1 else step for i, step in enumerate(path)]
    for step in way:
        place = place[step]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return state


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("version",), "1"),
        (("type",), "TargetPrep"),
        (("type",), ["TablePrep"]),
        (("__class__",), "os.system"),
        (("columns",), ABSENT),
        (("columns",), []),
        (("columns",), "columns"),
        (("columns",), [STATE["columns"][-1]]),
        (("columns",), STATE["columns"][:1] * 2),
        (("max_categories",), 0),
        (("max_categories",), True),
        (("named",), 1),
        (("named",), False),
        (("kinds",), {"n": "numeric"}),
        (("kinds",), [["n", "eval"]]),
        (("kinds",), [["n", ["numeric"]]]),
        (("kinds",), [[["n"], "numeric"]]),
        (("kinds",), [["n"]]),
        (("columns", "n"), None),
        (("columns", "n", "kind"), "tensor"),
        (("columns", "n", "kind"), "categorical"),
        (("columns", "n", "kind"), ["numeric"]),
        (("columns", "n", "scale"), 0),
        (("columns", "n", "scale"), -1.0),
        (("columns", "n", "scale"), "1"),
        (("columns", "n", "mean"), float("inf")),
        (("columns", "n", "mean"), None),
        (("columns", "n", "mean"), 10**400),
        (("columns", "n", "mean"), np.ones((1000, 2))),
        (("columns", "n", "missing"), -1),
        (("columns", "n", "name"), 3),
        (("columns", "n", "extra"), 3),
        (("columns", "n", "median"), ABSENT),
        (("columns", "c", "categories"), []),
        (("columns", "c", "categories"), ["x", "x"]),
        (("columns", "c", "categories"), ["x", 3]),
        (("columns", "c", "categories"), "xy"),
        (("columns", "c", "rare"), -1),
        (("columns", "b", "usual"), 1),
        (("columns", "d", "style"), "(a+)+$"),
        (("columns", "d", "median"), 1.5),
        (("columns", "d", "median"), 2**63),
        (("columns", "d", "parts"), ["century"]),
        (("columns", "d", "means"), []),
        (("columns", "d", "scales"), [0.0] * len(STATE["columns"][POSITION["d"]]["scales"])),
        (("columns", "k", "kind"), ABSENT),
    ],
    ids=str,
)
def test_a_tampered_state_is_refused(path, value):
    with pytest.raises(StateError) as caught:
        TablePrep.from_state(tampered(path, value))
    assert isinstance(caught.value, PrepError)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("state", [None, 3, "TablePrep", [], {}, {"type": "TablePrep"}])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(StateError, match=r"^TablePrep\.from_state: "):
        TablePrep.from_state(state)
