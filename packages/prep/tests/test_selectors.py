"""Selectors: which columns they choose of any table, how they combine, and their states."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from brickwork.prep import PrepError, SchemaError, StateError
from brickwork.prep import selectors as s
from brickwork.prep.frame import open_table
from brickwork.prep.selectors import Selector, as_selector

TABLE = pd.DataFrame(
    {
        "id": [3, 1, 2, 4],
        "size": [1.5, None, 2.0, 2.0],
        "is_big": [True, False, False, True],
        "island": ["Dream", None, None, "Dream"],
        "kind": pd.Categorical(["a", "b", "a", "b"]),
        "seen": pd.date_range("2024-01-01", periods=4),
        "took": pd.to_timedelta([1, 2, 3, 4], unit="h"),
        "tags": [["x"], [], ["y"], []],
    }
)

EACH = [
    (s.numeric(), ["id", "size", "took"], "numeric()"),
    (s.boolean(), ["is_big"], "boolean()"),
    (s.datetime(), ["seen"], "datetime()"),
    (s.text(), ["island"], "text()"),
    (s.categorical(), ["kind"], "categorical()"),
    (s.objects(), ["tags"], "objects()"),
    (s.all(), list(TABLE), "all()"),
    (s.by_name("size", "id"), ["id", "size"], "by_name('size', 'id')"),
    (s.by_position(-1, 0), ["id", "tags"], "by_position(-1, 0)"),
    (s.matches("i[sz]"), ["size", "is_big", "island"], "matches('i[sz]')"),
    (s.matches("^i.$"), ["id"], "matches('^i.$')"),
    (s.glob("is*"), ["is_big", "island"], "glob('is*')"),
    (s.glob("Is*"), [], "glob('Is*')"),
    (s.has_missing(), ["size", "island"], "has_missing(above=0.0)"),
    (s.has_missing(above=0.25), ["island"], "has_missing(above=0.25)"),
    (s.cardinality(most=2), ["size", "is_big", "island", "kind"], "cardinality(least=None, most=2)"),
    (s.cardinality(least=2, most=2), ["size", "is_big", "kind"], "cardinality(least=2, most=2)"),
    (s.cardinality(4), ["id", "seen", "took"], "cardinality(least=4, most=None)"),
    (s.numeric() - "id", ["size", "took"], "(numeric() - by_name('id'))"),
    (s.numeric() & s.has_missing(), ["size"], "(numeric() & has_missing(above=0.0))"),
    (s.numeric() ^ s.has_missing(), ["id", "island", "took"], "(numeric() ^ has_missing(above=0.0))"),
    (s.text() | ["seen", "id"], ["id", "island", "seen"], "(text() | by_name('seen', 'id'))"),
    (~(s.numeric() | s.objects()), ["is_big", "island", "kind", "seen"], "~(numeric() | objects())"),
    ("id" | s.text(), ["id", "island"], "(by_name('id') | text())"),
    ([0, 3] & s.text(), ["island"], "(by_position(0, 3) & text())"),
    ("id" - s.text(), ["id"], "(by_name('id') - text())"),
    ("id" ^ s.numeric(), ["size", "took"], "(by_name('id') ^ numeric())"),
]


@pytest.mark.parametrize(("selector", "names", "text"), EACH, ids=lambda value: value if isinstance(value, str) else "")
def test_what_each_chooses(selector, names, text):
    assert selector(TABLE) == names
    assert repr(selector) == text
    state = json.loads(json.dumps(selector.to_state()))
    assert Selector.from_state(state) == selector


def test_where_takes_any_function_and_is_not_saved():
    wide = s.where(lambda column: column.form == "number" and np.nanmax(column.values) > 3)
    assert wide(TABLE) == ["id", "took"]
    assert (wide - "id")(TABLE) == ["took"]
    with pytest.raises(StateError, match=r"Selector\.to_state: a selector that is saved holds no function"):
        (~wide).to_state()


def test_polars_and_arrow_agree():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    records = {"id": [3, 1], "is_big": [True, False], "island": ["Dream", None], "size": [1.5, None]}
    for table in (polars.DataFrame(records, strict=False), arrow.table(records), records):
        assert (s.numeric() | s.has_missing())(table) == ["id", "island", "size"]
    assert s.categorical()(polars.DataFrame({"k": ["a", "b"]}, schema={"k": polars.Categorical})) == ["k"]


def test_positions_where_there_are_no_names():
    assert (~s.by_position(0))(np.eye(3)) == [1, 2]
    assert s.numeric()(pd.DataFrame({0: [1], 1: ["a"]})) == [0]


def test_columns_are_read_only_when_asked_for():
    table = {"x": [1, 2], "bad": [1j, 2]}
    assert s.by_name("x")(table) == s.glob("x")(table) == ["x"]
    with pytest.raises(SchemaError, match="'bad' must be real"):
        s.numeric()(table)


def test_column_transformer_takes_them():
    made = ColumnTransformer(
        [
            ("numbers", StandardScaler(), s.numeric() - ["id", "took"]),
            ("words", OneHotEncoder(), s.text() | s.categorical()),
        ],
        verbose_feature_names_out=False,
    ).fit(TABLE)
    names = ["size", "island_Dream", "island_None", "kind_a", "kind_b"]
    assert [re.sub("nan|None", "None", name) for name in made.get_feature_names_out()] == names


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: s.by_name(), r"by_name: names are text; got \(\)"),
        (lambda: s.by_name("a", 1), "names are text"),
        (lambda: s.by_position("a"), "positions are integers"),
        (lambda: s.by_position(True), "positions are integers"),
        (lambda: s.matches("(a"), r"matches: a pattern is a regular expression; got '\(a': "),
        (lambda: s.matches(3), "a pattern is text; got 3"),
        (lambda: s.glob(None), "a pattern is text; got None"),
        (lambda: s.has_missing(1.0), "above is at least 0 and below 1; got 1.0"),
        (lambda: s.cardinality(), "least= or most= is an integer of 0 or more"),
        (lambda: s.cardinality(most=2.5), "least= or most= is an integer of 0 or more"),
        (lambda: s.where("a"), "a predicate is a function of a Column; got 'a'"),
        (lambda: s.numeric() | 2.5, "positions are integers"),
        (lambda: s.numeric() | ["a", 2], "columns are a selector, a name, a position, or a list"),
        (lambda: s.numeric() | [], "got an empty list"),
        (lambda: s.numeric() and s.text(), r"neither true nor false; got numeric\(\). Combine selectors by"),
        (lambda: s.by_name("iland")(TABLE), r"the table must have the column; got 'iland' \(nearest: 'island'\)"),
        (lambda: s.by_position(8)(TABLE), "the table must have the column; it has 8; got position 8"),
    ],
)
def test_refuses(make, text):
    with pytest.raises(PrepError, match=text):
        make()


NESTED = s.all().to_state()
for _ in range(60):
    NESTED = {"select": "not", "arguments": [NESTED]}


@pytest.mark.parametrize(
    "state",
    [
        None, {}, {"select": "numeric"}, {"select": "eval", "arguments": []}, {"select": "where", "arguments": ["f"]},
        {"select": "numeric", "arguments": [1]}, {"select": "by_name", "arguments": []},
        {"select": "by_name", "arguments": [3]}, {"select": "matches", "arguments": ["(a"]},
        {"select": "has_missing", "arguments": ["x"]}, {"select": "cardinality", "arguments": [None, None]},
        {"select": "or", "arguments": [{"select": "all", "arguments": []}]}, {"select": "or", "arguments": ["a", "b"]},
        {"select": "not", "arguments": [{"select": "all"}]}, {"select": "__class__", "arguments": []}, NESTED,
    ],
    ids=lambda state: str(state)[:60],
)  # fmt: skip
def test_a_damaged_state_is_refused(state):
    with pytest.raises(StateError):
        Selector.from_state(state)


LEAVES = st.sampled_from([selector for selector, _, _ in EACH])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["__or__", "__and__", "__sub__", "__xor__"]), inner, inner),
        inner.map(lambda one: ("~", one)),
    ),
    max_leaves=6,
)
PLAIN = {
    "__or__": set.union,
    "__and__": set.intersection,
    "__sub__": set.difference,
    "__xor__": set.symmetric_difference,
}


@given(TREES)
def test_combinations_are_those_of_sets(tree):
    table = open_table(TABLE, "test")

    def both(tree):
        if isinstance(tree, Selector):
            return tree, set(tree.positions(table, "test"))
        if tree[0] == "~":
            selector, chosen = both(tree[1])
            return ~selector, set(range(len(TABLE.columns))) - chosen
        (one, first), (other, second) = both(tree[1]), both(tree[2])
        return getattr(one, tree[0])(other), PLAIN[tree[0]](first, second)

    selector, chosen = both(tree)
    assert selector.positions(table, "test") == sorted(chosen)
    assert Selector.from_state(json.loads(json.dumps(selector.to_state()))) == selector
    assert as_selector(selector) is selector and {selector: 1}[selector] == 1
