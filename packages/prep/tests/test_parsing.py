"""Numbers and truth in free-form text: what is read, what is refused, how the mark before decimals is found."""

import json
import math
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickwork.prep import BooleanParser, NumberParser, PrepError, SchemaError, StateError
from brickwork.prep.literals.booleans import FALSE, TRUE
from brickwork.prep.literals.numbers import MULTIPLES, NumberFormat

POINT, COMMA = NumberFormat(), NumberFormat(",")
LOOSE = NumberFormat(units=(("kg", 1.0), ("g", 0.001), ("m", 1.0)), fractions=True)

READ = {
    POINT: {
        "1,200": 1200, "1 200.5": 1200.5, "1\u202f200": 1200, "1'200'300": 1200300, "12,34,567.5": 1234567.5,
        "1e3": 1000, "-2.5E-2": -0.025, "12%": 0.12, "57 %": 0.57, "5‰": 0.005, "$3.5k": 3500, "3.5M": 3.5e6,
        "EUR 3.5": 3.5, "3.5 Mio. €": 3.5e6, "1,200,300.5 USD": 1200300.5, "CHF12": 12, "-$5": -5, "$-5": -5,
        "(42)": -42, "( $1,000 )": -1000, "−7": -7, "+3": 3, ".5": 0.5, "5.": 5, " 42 ": 42, "1_000": 1000,
    },
    COMMA: {"1.200,50": 1200.5, "3,99": 3.99, "1 200,5": 1200.5, "12,5 %": 0.125, "1,200": 1.2},
    LOOSE: {"500 g": 0.5, "500G": 0.5, "7 m": 7, "1/2": 0.5, "3 1/2 kg": 3.5, "½": 0.5, "2½ kg": 2.5, "-1/4": -0.25},
}  # fmt: skip
UNREAD = {
    POINT: ["1,5", "1,2,3", "1,2345", "12 34", "1,200 300", "(-42)", "--5", "inf", "1e999", "5 kg", "5e", "0x10", "1/2",
            "12.5.1", "two", "$", "%", "١", "1.200,50", "1 in 5"],
    COMMA: ["1.5", "1,200,300"],
    LOOSE: ["1/0", "1/2/3", "5 lb"],
}  # fmt: skip


@pytest.mark.parametrize(("form", "text"), [(form, text) for form, texts in READ.items() for text in texts])
def test_numbers_are_read(form, text):
    assert form.read(text) == READ[form][text]


@pytest.mark.parametrize(("form", "text"), [(form, text) for form, texts in UNREAD.items() for text in texts])
def test_what_is_no_number(form, text):
    assert form.read(text) is None


@pytest.mark.parametrize("text", ["", "-", "N/A", "NaN", "null", "?", "—"])
def test_what_is_missing(text):
    assert math.isnan(POINT.read(text))


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([POINT, COMMA]))
def test_what_python_writes_is_read_back(value, form):
    assert form.read(repr(value).replace(".", form.decimal)) == value
    if abs(value) < 1e15:
        grouped = f"{value:,.3f}".translate(str.maketrans(",.", ".,")) if form is COMMA else f"{value:,.3f}"
        assert form.read(grouped) == float(f"{value:.3f}")


@given(st.text(max_size=12))
def test_any_text_is_read_or_not(text):
    for form in (POINT, COMMA, LOOSE):
        found = form.read(text)
        assert found is None or (isinstance(found, float) and not math.isinf(found))


def test_multiples_are_those_of_the_docs():
    assert all(word in NumberParser.__doc__ for word in MULTIPLES)


def test_the_mark_is_found_from_the_whole_column():
    parser = NumberParser().fit(
        {"a": ["1.200,50", "3,99", "7"], "b": ["1,200", "3.5", "7"], "c": ["1,200", "1.200", "7"]}
    )
    assert parser.decimals_ == {"a": ",", "b": ".", "c": "."}
    chunks = NumberParser().fit({"a": ["1.200"]}).partial_fit({"a": ["1,25"]})
    merged = NumberParser().fit({"a": ["1.200"]}).merge(NumberParser().fit({"a": ["1,25"]}))
    assert chunks.decimals_ == merged.decimals_ == {"a": ","} and merged.to_state() == chunks.to_state()
    assert chunks.transform({"a": ["1.200"]})[0, 0] == 1200


def test_errors_name_rows():
    with pytest.raises(SchemaError, match=r"'a' must hold numbers .*; got 'two', 'x' in rows 1, 3\. Mend") as caught:
        NumberParser().fit({"a": ["1", "two", None, "x"]})
    assert caught.value.rows == (1, 3)
    with pytest.raises(SchemaError, match="must hold numbers"):
        NumberParser().fit({"a": ["1,5", "2.25"]})
    with pytest.raises(SchemaError, match=r"with ',' before decimals\); got '2.5' in row 0"):
        NumberParser(decimal=",").fit({"a": ["2,5"]}).transform({"a": ["2.5"]})
    loose = NumberParser(errors="missing").fit({"a": ["1", "two"], "b": ["1,5", "2,5"]})
    np.testing.assert_array_equal(loose.transform({"a": ["x", "3"], "b": ["1,5", "?"]}), [[np.nan, 1.5], [3, np.nan]])


def test_numbers_stay():
    X = pd.DataFrame({"a": [1.5, np.nan], "b": [True, False]})
    np.testing.assert_array_equal(NumberParser().fit_transform(X), [[1.5, 1], [np.nan, 0]])
    with pytest.raises(SchemaError, match="must be finite"):
        NumberParser().fit([[np.inf]])


def test_a_restored_parser_learns_on():
    parser = NumberParser.from_state(json.loads(json.dumps(NumberParser().fit({"a": ["1"]}).to_state())))
    assert parser.partial_fit({"a": ["1,5"]}).decimals_ == {"a": ","}
    state = parser.to_state()
    state["learned"]["statistics"][0]["unread"] = [9, 9]
    with pytest.raises(StateError, match="unread"):
        NumberParser.from_state(state)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"decimal": ";"}, "decimal must be one of"),
        ({"units": {"kg": "one"}}, r"units\['kg'\] must be a finite number"),
        ({"units": {"kg": 0}}, "a unit is not 0"),
        ({"units": ["kg"]}, "units must be a dict"),
        ({"missing": "n/a"}, "missing must be a list"),
        ({"errors": "ignore"}, "errors must be one of"),
        ({"fractions": 1}, "fractions must be True or False"),
    ],
)
def test_bad_parameters_of_numbers(options, rule):
    with pytest.raises(PrepError, match=rule):
        NumberParser(**options).fit({"a": ["1"]})


def test_words():
    words = random.Random(0).sample(TRUE + FALSE, len(TRUE + FALSE))
    found = BooleanParser().fit_transform({"a": [f" {word.upper()}" for word in words]})
    assert found.ravel().tolist() == [float(word in TRUE) for word in words]
    np.testing.assert_array_equal(BooleanParser().fit_transform([[1, True], [0, None]]), [[1, 1], [0, np.nan]])


def test_words_that_are_neither():
    with pytest.raises(SchemaError, match="must hold words for true or false; got 'maybe' in row 1"):
        BooleanParser().fit({"a": ["yes", "maybe"]})
    with pytest.raises(SchemaError, match="2 in row 0"):
        BooleanParser().fit({"a": ["yes"]}).transform({"a": [2]})
    assert np.isnan(BooleanParser(errors="missing").fit_transform({"a": ["yes", "maybe"]})[1, 0])


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"true": "yes"}, "true must be a list"),
        ({"false": []}, "false must be a list"),
        ({"true": ["x"], "false": ["X"]}, "'x' for both"),
        ({"errors": "coerce"}, "errors must be one of"),
    ],
)
def test_bad_parameters_of_words(options, rule):
    with pytest.raises(PrepError, match=rule):
        BooleanParser(**options).fit({"a": ["yes"]})
