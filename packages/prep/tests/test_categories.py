"""Categories to numbers: equal to scikit-learn's where it has the same, and what is asked of the rest."""

import hashlib
import json
import os
import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.preprocessing as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from brickwork.prep import (
    CategoryIndexer,
    CountEncoder,
    HashingEncoder,
    OneHotEncoder,
    OrdinalEncoder,
    PrepError,
    RareGrouper,
    SchemaError,
    StateError,
    TargetEncoder,
)

EXAMPLES = int(os.environ.get("BRICKWORK_FUZZ_EXAMPLES", "40"))
N = 400
RNG = np.random.default_rng(0)


def with_gaps(values):
    return np.where(RNG.random(N) < 0.1, np.nan, values)


MIXED = pd.DataFrame(
    {
        "town": pd.Series(RNG.choice(list("abcdefg"), N, p=[0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.02]), dtype=object),
        "floor": RNG.integers(0, 12, N),
        "price": with_gaps(RNG.choice([1.5, 2.0, -3.0, 10.0], N)),
        "new": RNG.random(N) > 0.5,
        "shape": pd.Series(with_gaps(np.array(RNG.choice(["u", "v", "w"], N), dtype=object)), dtype=object),
    }
)
RARITY = [{}, {"min_frequency": 30}, {"max_categories": 3}, {"min_frequency": 0.1, "max_categories": 4}]


def dense(values):
    return values.toarray() if hasattr(values, "toarray") else values


def same_cells(a, b):
    pd.testing.assert_frame_equal(pd.DataFrame(a), pd.DataFrame(b), check_dtype=False)


def same_categories(ours, other):
    for a, b in zip(ours.categories_, other.categories_, strict=True):
        same_cells(a, b)
        assert a.dtype == b.dtype


@pytest.mark.parametrize("options", [*RARITY, {"encoded_missing_value": -1}, {"max_categories": 1}], ids=str)
def test_ordinal_equals_scikit_learns(options):
    ours, other = OrdinalEncoder(**options).fit(MIXED), theirs.OrdinalEncoder(**options).fit(MIXED)
    np.testing.assert_array_equal(ours.transform(MIXED), other.transform(MIXED))
    same_categories(ours, other)
    whole = MIXED[["town", "floor", "new"]]  # scikit-learn's own inverse mistakes joined categories for missing ones
    ours, other = OrdinalEncoder(**options).fit(whole), theirs.OrdinalEncoder(**options).fit(whole)
    same_cells(ours.inverse_transform(ours.transform(whole)), other.inverse_transform(other.transform(whole)))
    if len(options) > 0 and "encoded_missing_value" not in options:
        for a, b in zip(ours.infrequent_categories_, other.infrequent_categories_, strict=True):
            np.testing.assert_array_equal(a, b)


DROPS = [
    {"drop": "first"},
    {"drop": "if_binary"},
    {"drop": "if_binary", "max_categories": 2},
    {"drop": "first", "max_categories": 3},
    {"drop": ["b", 3, np.nan, True, "u"]},
    {"max_categories": 1, "handle_unknown": "ignore"},
    {"min_frequency": 0.1, "handle_unknown": "infrequent_if_exist"},
    {"dtype": np.float32},
]


@pytest.mark.parametrize("options", [*RARITY, *DROPS], ids=str)
@pytest.mark.parametrize("sparse", [True, False])
def test_one_hot_equals_scikit_learns(options, sparse):
    ours, other = (
        m.OneHotEncoder(**options, sparse_output=sparse).fit(MIXED) for m in (sys.modules["brickwork.prep"], theirs)
    )
    mine, right = ours.transform(MIXED), other.transform(MIXED)
    assert type(mine) is type(right) and mine.dtype == right.dtype
    np.testing.assert_array_equal(dense(mine), dense(right))
    same_categories(ours, other)
    same_cells(ours.inverse_transform(mine), other.inverse_transform(right))
    assert ours.get_feature_names_out().tolist() == other.get_feature_names_out().tolist()
    np.testing.assert_array_equal(ours.drop_idx_, other.drop_idx_)


UNSEEN = pd.DataFrame({"town": ["a", "nowhere", None], "floor": [3, 99, 3], "price": [1.5, 77.0, np.nan],
                       "new": [True, False, True], "shape": ["u", "z", np.nan]})  # fmt: skip


@pytest.mark.parametrize("unknown", ["ignore", "infrequent_if_exist", "warn"])
@pytest.mark.parametrize("options", [{}, {"max_categories": 3}, {"max_categories": 3, "drop": "first"}], ids=str)
def test_what_is_not_known_has_no_one_or_the_joint_one(unknown, options):
    asked = options | {"handle_unknown": unknown, "sparse_output": False}
    ours = OneHotEncoder(**asked).fit(MIXED)
    # Which is what "warn" does beside telling; scikit-learn 1.6 took it for "ignore" by mistake.
    same = asked | {"handle_unknown": "infrequent_if_exist" if unknown == "warn" else unknown}
    other = theirs.OneHotEncoder(**same).fit(MIXED)
    tells = unknown == "warn" or "drop" in options
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        mine = ours.transform(UNSEEN)
    assert bool(told) == tells
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        right = other.transform(UNSEEN)
    np.testing.assert_array_equal(mine, right)
    if options.keys() != {
        "max_categories",
        "drop",
    }:  # scikit-learn's own inverse then names another category than dropped
        same_cells(ours.inverse_transform(mine), other.inverse_transform(right))


def test_an_unknown_category_is_refused_with_its_rows():
    for encoder in (OrdinalEncoder(), OneHotEncoder(), OneHotEncoder(sparse_output=False)):
        fitted = encoder.fit(MIXED)
        text = "column 'town' holds a category that was not there at fit; got 'nowhere', None in rows 1, 2. Known are"
        with pytest.raises(SchemaError, match=re.escape(text)) as caught:
            fitted.transform(UNSEEN)
        assert caught.value.rows == (1, 2) and caught.value.column == "town"


def test_an_unknown_value_has_its_code_and_comes_back_as_none():
    options = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
    ours, other = OrdinalEncoder(**options).fit(MIXED), theirs.OrdinalEncoder(**options).fit(MIXED)
    np.testing.assert_array_equal(ours.transform(UNSEEN), other.transform(UNSEEN.fillna({"town": "also nowhere"})))
    back = ours.inverse_transform(ours.transform(UNSEEN))
    assert back[1].tolist()[:3] == [None, None, None] and np.isnan(back[2, 2]) and back[0].tolist()[:2] == ["a", 3]


CELLS = st.one_of(st.sampled_from(["a", "b", "cd", "e f"]), st.just(np.nan))
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 1e9, -2.25]), st.just(np.nan))


@given(st.lists(CELLS, min_size=1, max_size=30), st.sampled_from(RARITY[:3]))
def test_any_texts_are_as_scikit_learn_has_them(cells, options):
    table = np.array(cells, dtype=object)[:, None]
    check_both(table, options)


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.sampled_from(RARITY[:3]))
def test_any_numbers_are_as_scikit_learn_has_them(cells, options):
    check_both(np.array(cells, dtype=np.float64)[:, None], options)


def check_both(table, options):
    for name in ("OrdinalEncoder", "OneHotEncoder"):
        ours, other = (getattr(m, name)(**options).fit(table) for m in (sys.modules["brickwork.prep"], theirs))
        np.testing.assert_array_equal(dense(ours.transform(table)), dense(other.transform(table)))
        again = type(ours).from_state(json.loads(json.dumps(ours.to_state(), allow_nan=False)))
        np.testing.assert_array_equal(dense(again.transform(table)), dense(ours.transform(table)))


def test_whole_numbers_are_one_category_in_any_type():
    fitted = OrdinalEncoder().fit(pd.DataFrame({"a": [1, 3, 10]}))
    for same in ([1.0, 3.0, 10.0], ["1", "3", "10"], pd.array([1, 3, 10], dtype="Int64")):
        assert fitted.transform(pd.DataFrame({"a": same})).ravel().tolist() == [0, 1, 2]


def test_dates_are_categories_by_time():
    days = pd.to_datetime(["2021-05-06", "1999-01-02", None, "2021-05-06"])
    fitted = OrdinalEncoder(encoded_missing_value=-1).fit(pd.DataFrame({"day": days}))
    assert fitted.categories_[0].dtype == "datetime64[us]" and np.isnat(fitted.categories_[0][-1])
    assert fitted.transform(pd.DataFrame({"day": days})).ravel().tolist() == [1, 0, -1, 1]
    back = fitted.inverse_transform([[1], [0], [-1]])
    assert back[0, 0] == np.datetime64("2021-05-06") and np.isnat(back[2, 0])


@pytest.mark.parametrize("kind", [OrdinalEncoder, OneHotEncoder])
def test_categories_given_are_taken_in_their_order(kind):
    given = [["large", "small", "huge"]]
    table = np.array([["small"], ["large"]], dtype=object)
    ours, other = kind(categories=given).fit(table), getattr(theirs, kind.__name__)(categories=given).fit(table)
    np.testing.assert_array_equal(dense(ours.transform(table)), dense(other.transform(table)))
    assert ours.categories_[0].tolist() == given[0]
    with pytest.raises(PrepError, match="holds only the categories given; got 'tiny'"):
        kind(categories=given).fit([["tiny"]])
    again = kind.from_state(json.loads(json.dumps(ours.to_state())))
    np.testing.assert_array_equal(dense(again.transform(table)), dense(ours.transform(table)))


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: OrdinalEncoder(categories="all"), "categories must be 'auto' or a list of lists"),
        (lambda: OrdinalEncoder(categories=[["a"], ["b"]]), "categories must be 1 lists; got 2"),
        (lambda: OrdinalEncoder(categories=[["a", "a", "b"]]), "are one or more that differ"),
        (lambda: OrdinalEncoder(categories=[["a", None, "b"]]), "a missing value is the last"),
        (lambda: OrdinalEncoder(dtype="text"), "dtype must be a type of numbers"),
        (lambda: OrdinalEncoder(handle_unknown="ignore"), "handle_unknown must be one of"),
        (lambda: OrdinalEncoder(handle_unknown="use_encoded_value"), "unknown_value is given where"),
        (lambda: OrdinalEncoder(unknown_value=3), "unknown_value is given where"),
        (lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=1), "must not be the code of"),
        (lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=0.5), "a whole number or NaN"),
        (lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, dtype=int), "needs a dtype"),
        (lambda: OrdinalEncoder(min_frequency=0), "min_frequency must be a count"),
        (lambda: OrdinalEncoder(max_categories=1.5), "max_categories must be a count"),
        (lambda: OneHotEncoder(drop="last"), "drop must be one of"),
        (lambda: OneHotEncoder(drop=["z"]), "the category to drop of column 'x0' is one that is kept; got 'z'"),
        (lambda: OneHotEncoder(drop=["b"], max_categories=1), "joined with the rare"),
        (lambda: OneHotEncoder(drop=["a", "b"]), "drop must name a category for each of 1 columns"),
        (lambda: OneHotEncoder(sparse_output="no"), "sparse_output must be True or False"),
        (lambda: HashingEncoder(0), "n_components must be an integer of 1 or more"),
        (lambda: RareGrouper(other=" "), "other must be a word"),
        (lambda: CountEncoder(normalize=1), "normalize must be True or False"),
    ],
)  # fmt: skip
def test_parameters_that_can_not_be_used_are_refused(made, text):
    with pytest.raises(PrepError, match=re.escape(text)):
        made().fit([["a"], ["b"], ["b"]])


def test_missing_values_need_a_code_that_the_dtype_has():
    with pytest.raises(PrepError, match="missing values, as column 'x0' holds, need a code of dtype int64"):
        OrdinalEncoder(dtype=np.int64).fit([["a"], [None]])
    with pytest.raises(PrepError, match="encoded_missing_value must not be the code"):
        OrdinalEncoder(encoded_missing_value=0).fit([["a"], [None]])


@pytest.mark.parametrize(
    ("made", "given", "text"),
    [
        (OrdinalEncoder, [[2.0]], "holds what is no code (0 to 1); got 2.0 in row 0"),
        (OrdinalEncoder, [[0.5]], "holds what is no code"),
        (OrdinalEncoder, [[0.0, 1.0]], "codes have 1 columns; got 2"),
        (OneHotEncoder, [[1.0, 0.0], [0.0, 0.0]], "has no one in a row"),
        (OneHotEncoder, [[1.0]], "indicators have 2 columns"),
        (CategoryIndexer, [[4]], "holds what is no number of a category (0 to 3); got 4.0 in row 0"),
    ],
)
def test_an_inverse_of_what_never_came_out_is_refused(made, given, text):
    with pytest.raises(PrepError, match=re.escape(text)):
        made().fit([["a"], ["b"]]).inverse_transform(given)


def test_a_pipeline_can_name_columns_by_a_function():
    encoder = OneHotEncoder(feature_name_combiner=lambda column, category: f"{column}={category!r}").fit([["a"], ["b"]])
    assert encoder.get_feature_names_out().tolist() == ["x0='a'", "x0='b'"]
    with pytest.raises(StateError, match="plain data"):
        encoder.to_state()


def test_frames_of_sparse_columns_are_refused_as_scikit_learn_does():
    fitted = OneHotEncoder().set_output(transform="pandas").fit(MIXED)
    with pytest.raises(ValueError, match="sparse"):
        fitted.transform(MIXED)


def test_counts_and_shares():
    table = pd.DataFrame({"a": ["x", "y", "x", None]})
    new = pd.DataFrame({"a": ["x", "y", "z", None]})
    assert CountEncoder().fit(table).transform(new).ravel().tolist() == [2, 1, 0, 1]
    assert CountEncoder(normalize=True).fit(table).transform(new).ravel().tolist() == [0.5, 0.25, 0, 0.25]
    assert CountEncoder().fit(table).counts_[0].tolist() == [2, 1, 1]


def test_the_hash_is_the_one_documented():
    found = HashingEncoder(1000).fit_transform([["Ulm"], ["Köln"], [3], [3.0]]).argmax(axis=1)
    words = ("Ulm", "Köln", "3", "3")
    hashes = [hashlib.blake2b(word.encode(), digest_size=8).digest() for word in words]
    assert found.tolist() == [int.from_bytes(one, "little") % 1000 for one in hashes] == [361, 889, 726, 726]


def test_hashes_are_spread_evenly():
    words = pd.DataFrame({"a": [f"word {i}" for i in range(20_000)]})
    found = HashingEncoder(50).fit_transform(words).sum(axis=0)
    assert 300 < found.min() and found.max() < 500 and found.sum() == 20_000


def test_rare_ones_and_unseen_ones_become_one_word():
    table = pd.DataFrame({"a": ["x"] * 5 + ["y"] * 3 + ["z", "w", None], "n": range(11)})
    fitted = RareGrouper(min_frequency=3, other="else").fit(table)
    new = pd.DataFrame({"a": ["x", "z", "never", None], "n": [5, 6, 7, 8]})
    out = fitted.transform(new)
    assert out[:3, 0].tolist() == ["x", "else", "else"] and np.isnan(out[3, 0]) and out[:, 1].tolist() == [5, 6, 7, 8]
    assert fitted.infrequent_categories_[0].tolist() == ["w", "z"]
    frame = RareGrouper(min_frequency=3).set_output(transform="pandas").fit(table).transform(new)
    assert frame["n"].dtype == np.float64 and frame["a"].isna().tolist() == [False, False, False, True]


def test_embedding_indices_have_room_for_missing_and_unseen():
    table = pd.DataFrame({"a": ["x", "y", "y", "z"], "b": [2, 2, 1, 3]})
    fitted = CategoryIndexer().fit(table)
    new = pd.DataFrame({"a": ["y", "x", "q", None], "b": [2, 3, 9, None]})
    out = fitted.transform(new)
    assert out.dtype == np.int32 and out.tolist() == [[2, 2], [3, 4], [1, 1], [0, 0]]
    assert fitted.vocabulary_sizes_.tolist() == [5, 5] and (out < fitted.vocabulary_sizes_).all()
    back = fitted.inverse_transform(out)
    assert back[:3].tolist() == [["y", 2], ["x", 3], [None, None]] and np.isnan(back[3].astype(float)).all()
    few = CategoryIndexer(min_frequency=2).fit(table)
    assert few.transform(table)[:, 0].tolist() == [1, 2, 2, 1] and few.vocabulary_sizes_.tolist() == [3, 3]


def test_forms_that_change_between_parts_are_categories_still():
    fitted = OrdinalEncoder().partial_fit(pd.DataFrame({"a": [1, 2]})).partial_fit(pd.DataFrame({"a": ["b", "2"]}))
    assert fitted.categories_[0].tolist() == ["1", "2", "b"]
    assert fitted.transform(pd.DataFrame({"a": [1.0, 2.0]})).ravel().tolist() == [0, 1]


ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.datetimes(),
    st.sampled_from(["a", "b", 1, 1.0, "1", True, "True", "nan", "None", "infrequent_sklearn", [1]]),
)  # fmt: skip
EVERY = {
    "ordinal": OrdinalEncoder,
    "ordinal, joined": lambda: OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2, max_categories=2
    ),
    "one-hot": OneHotEncoder,
    "one-hot, dropped": lambda: OneHotEncoder(
        drop="first", min_frequency=2, handle_unknown="infrequent_if_exist", sparse_output=False
    ),
    "target": TargetEncoder,
    "target, smooth": lambda: TargetEncoder(smooth=0, cv=2),
    "count": CountEncoder,
    "hash": HashingEncoder,
    "rare": RareGrouper,
    "index": CategoryIndexer,
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.filterwarnings("ignore::UserWarning")
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_cells_give_a_result_or_one_error(name, data):
    n = data.draw(st.integers(1, 8))
    kinds = data.draw(st.lists(st.sampled_from([ANY, st.integers(-2, 2), st.text(max_size=2)]), min_size=1, max_size=2))
    table = {f"c{i}": data.draw(st.lists(kind, min_size=n, max_size=n)) for i, kind in enumerate(kinds)}
    y = data.draw(st.lists(st.sampled_from([0, 1, 2]), min_size=n, max_size=n))
    try:
        fitted = EVERY[name]().fit(table, y)
        out = dense(fitted.transform(table))
        new = {name: data.draw(st.lists(ANY, min_size=3, max_size=3)) for name in table}
        other = dense(fitted.transform(new))
    except PrepError:
        return
    assert out.shape == (n, len(fitted.get_feature_names_out())) and other.shape[1] == out.shape[1]
    again = type(fitted).from_state(json.loads(json.dumps(fitted.to_state(), allow_nan=False)))
    same_cells(dense(again.transform(table)), out)
    if hasattr(fitted, "inverse_transform"):
        assert fitted.inverse_transform(out).shape == (n, len(kinds))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_value_alone_is_read_as_in_a_column(name):
    values = ["a", "b", " ", 3, 3.0, 2**60, 1.5, -0.0, True, None, float("nan"), np.float64(3), 10**400, pd.NA, pd.NaT]
    fitted = EVERY[name]().fit({"c": [str(value) for value in values[:9]] + [None]}, [0, 1] * 5)
    for value in values:
        alone, beside = ({"c": value}, {"c": [value]})
        try:
            right = fitted.transform(beside)
        except PrepError as refused:
            with pytest.raises(type(refused), match=re.escape(str(refused))):
                fitted.transform(alone)
        else:
            same_cells(dense(fitted.transform(alone)), dense(right))


@pytest.mark.parametrize(("encoder", "y"), [(CountEncoder(), None), (TargetEncoder(), [0, 1, 0])])
def test_too_many_categories_to_count_are_refused(monkeypatch, encoder, y):
    monkeypatch.setattr("brickwork.prep.statistics.counts.MOST", 2)
    with pytest.raises(SchemaError, match=r"column 'x0' must have at most 2 categories; got 3\. Drop it, or hash it"):
        encoder.fit([["a"], ["b"], ["c"]], y)
