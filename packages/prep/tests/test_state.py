"""Fitted state is plain data that comes back bit by bit, and a damaged one is refused."""

import copy
import json
from importlib.metadata import entry_points

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from brickwork.prep import PrepError, RobustScaler, StateError, TablePrep, TargetPrep, bundle_types
from brickwork.prep.bundles import TYPES


def plain(value) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(item) for key, item in value.items())
    return all(map(plain, value)) if isinstance(value, list) else isinstance(value, (str, int, float, bool, type(None)))


def test_state_comes_back_bit_by_bit(mixed):
    prep = TablePrep(kinds={"count": "categorical", "tag": "drop"}, max_categories=4).fit(mixed)
    state = prep.to_state()
    assert plain(state) and state["version"] == 2
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
    for learned in state["learned"]["statistics"]:
        if learned["form"] == "number":
            quantiles = learned["part"]["quantiles"]
            quantiles |= {name: np.array(quantiles[name]) for name in ("values", "counts")}
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
STATE = (
    TablePrep(kinds={"m": "categorical"}, columns={"r": RobustScaler()})
    .fit(SHORT | {"k": ["same"] * 3, "m": [1, 2, 1], "o": [1.5, {}, []], "r": [1.0, 2.0, 4.0], "e": [None] * 3})
    .to_state()
)
POSITION = {learned["name"]: i for i, learned in enumerate(STATE["schema"])}
ABSENT = object()


def tampered(path: tuple, value):
    """The state with a value put at a path; `("n", ...)` is inside what was learned of column n."""
    state = copy.deepcopy(STATE)
    place = state
    if path[0] in POSITION:
        place, path = state["learned"]["statistics"], (POSITION[path[0]], *path[1:])
    *way, last = path
    for step in way:
        place = place[step]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return state


def nested(depth: int):
    """Transformers inside transformers, as no constructor takes them."""
    state = "frequency"
    for _ in range(depth):
        state = {"transformer": "TablePrep", "params": {"high_cardinality": state}}
    return state


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 1),
        (("version",), "2"),
        (("type",), "TargetPrep"),
        (("type",), ["TablePrep"]),
        (("__class__",), "os.system"),
        (("learned",), ABSENT),
        (("learned",), []),
        (("learned", "statistics"), []),
        (("learned", "statistics"), "columns"),
        (("learned", "statistics"), STATE["learned"]["statistics"][:1]),
        (("learned", "statistics"), STATE["learned"]["statistics"][::-1]),
        (("schema",), []),
        (("schema",), [STATE["schema"][0]] * len(STATE["schema"])),
        (("params", "max_categories"), 0),
        (("params", "max_categories"), True),
        (("params", "high_cardinality"), "eval"),
        (("params", "scale"), "none"),
        (("params", "impute"), "mode"),
        (("params", "output"), "pickle"),
        (("params", "other"), 1),
        (("params", "kinds"), {"n": "numeric"}),
        (("params", "kinds"), {"pairs": [["n", "eval"]]}),
        (("params", "kinds"), {"pairs": [["n", ["numeric"]]]}),
        (("params", "kinds"), {"pairs": [[["n"], "numeric"]]}),
        (("params", "kinds"), {"pairs": [["n"]]}),
        (("params", "kinds"), {"pairs": [["z", "drop"]]}),
        (("params", "kinds"), {"pairs": [["n", "categorical"]]}),
        (("params", "columns"), {"pairs": [["r", "RobustScaler"]]}),
        (("params", "columns"), {"pairs": [["r", {"transformer": "Popen", "params": {}}]]}),
        (("params", "columns"), {"pairs": [["r", {"transformer": "RobustScaler", "params": {"shell": True}}]]}),
        (("params", "columns"), {"pairs": [["r", {"transformer": "StandardScaler", "params": {}}]]}),
        (("params", "columns"), {"pairs": [["n", {"transformer": "RobustScaler", "params": {}}]]}),
        (("params", "high_cardinality"), nested(40)),
        (("named",), 1),
        (("named",), False),
        (("n",), None),
        (("n", "name"), "c"),
        (("n", "asked"), "categorical"),
        (("n", "asked"), "tensor"),
        (("n", "form"), "text"),
        (("n", "form"), ["number"]),
        (("n", "form"), ""),
        (("n", "missing"), -1),
        (("n", "missing"), 3),
        (("n", "missing"), 4),
        (("n", "extra"), 3),
        (("n", "beside"), {"statistic": "Nothing"}),
        (("n", "part"), None),
        (("n", "part"), {"statistic": "Truths", "yes": 1, "no": 1}),
        (("n", "part", "step"), 3),
        (("n", "part", "moments", "unit"), 0),
        (("n", "part", "moments", "mean"), float("inf")),
        (("n", "part", "moments", "mean"), None),
        (("n", "part", "moments", "mean"), 10**400),
        (("n", "part", "moments", "mean"), np.ones((1000, 2))),
        (("n", "part", "moments", "n"), 0),
        (("n", "part", "quantiles", "asked"), []),
        (("n", "part", "distinct", "counts"), [1]),
        (("n", "part", "distinct", "hashes"), [5, 4]),
        (("c", "part", "texts"), []),
        (("c", "part", "texts"), ["x", "x"]),
        (("c", "part", "texts"), ["x", 3]),
        (("c", "part", "texts"), "xy"),
        (("c", "part", "counts"), [1, -1]),
        (("c", "part", "counts"), [0, 0]),
        (("b", "part", "yes"), True),
        (("b", "part"), {"statistic": "Truths", "yes": 0, "no": 0}),
        (("m", "asked"), ""),
        (("m", "form"), "number"),
        (("o", "part", "count"), 0),
        (("r", "made", "type"), "StandardScaler"),
        (("r", "made", "type"), "TablePrep"),
        (("r", "made", "type"), "os.system"),
        (("r", "made"), None),
        (("e", "form"), "number"),
        (("k", "form"), ABSENT),
    ],
    ids=str,
)
def test_a_tampered_state_is_refused(path, value):
    with pytest.raises(StateError) as caught:
        TablePrep.from_state(tampered(path, value))
    assert isinstance(caught.value, PrepError)
    assert len(str(caught.value)) < 400


def test_the_state_that_is_tampered_with_is_sound():
    assert TablePrep.from_state(tampered(("version",), 2)).to_state() == STATE


@pytest.mark.parametrize("state", [None, 3, "TablePrep", [], {}, {"type": "TablePrep"}])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(StateError, match=r"^TablePrep\.from_state: "):
        TablePrep.from_state(state)
