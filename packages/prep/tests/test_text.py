"""Text: equal to scikit-learn's vectorizers for the same options; token numbers; parts that merge; what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction import text as sk
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from brickwork.prep import (
    CountVectorizer,
    HashingVectorizer,
    PrepError,
    SchemaError,
    StateError,
    TextIndexer,
    TfidfVectorizer,
)
from brickwork.prep.text.tokens import make_analyzer

RNG = np.random.default_rng(0)
WORDS = (
    "the déjà vu of Ångström's café is a naïve ﬁne word that it was not to be seen in 2024 x_1 for you and me".split()
)
TEXTS = [" ".join(RNG.choice(WORDS, RNG.integers(1, 12))) for _ in range(150)]
TEXTS += [
    "",
    "   two   spaces\tand a tab\n\nlines ",
    "x y z",
    "ÀÉÎ àéî",
    "straße STRASSE",
    "日本語 テキスト",
    *TEXTS[:20],
]

TOKENS = [
    {},
    {"lowercase": False},
    {"strip_accents": "unicode"},
    {"strip_accents": "ascii"},
    {"stop_words": "english"},
    {"stop_words": ["the", "of"], "ngram_range": (1, 3)},
    {"ngram_range": (2, 2)},
    {"token_pattern": r"(?u)\b(\w)\w*\b"},
    {"analyzer": "char", "ngram_range": (1, 3)},
    {"analyzer": "char", "ngram_range": (4, 4)},
    {"analyzer": "char_wb", "ngram_range": (2, 5)},
]
CUTS = [
    {"min_df": 3},
    {"min_df": 0.1, "max_df": 0.5},
    {"max_df": 20},
    {"max_features": 7},
    {"max_features": 9, "binary": True, "min_df": 2},
    {"binary": True},
    {"vocabulary": ["word", "café", "seen", "never"]},
]
WEIGHTS = [
    {"norm": "l1"},
    {"norm": None, "smooth_idf": False},
    {"sublinear_tf": True, "use_idf": False},
    {"binary": True, "max_features": 9},
]


def same(a, b):
    assert sparse.issparse(a) and a.format == "csr" and a.dtype == np.float64 and a.shape == b.shape
    np.testing.assert_allclose(a.toarray(), b.toarray(), rtol=1e-13)


@pytest.mark.parametrize("options", TOKENS + CUTS, ids=str)
def test_counts_are_those_of_scikit_learn(options):
    ours, theirs = CountVectorizer(**options), sk.CountVectorizer(**options)
    same(ours.fit_transform(TEXTS), theirs.fit_transform(TEXTS))
    names = [f"text_{token}" for token in theirs.get_feature_names_out()]
    assert ours.get_feature_names_out().tolist() == names
    assert ours.vocabularies_["text"] == {token: int(place) for token, place in theirs.vocabulary_.items()}
    other = [*TEXTS[5:9], "never seen before"]
    same(ours.transform(other), theirs.transform(other))


@pytest.mark.parametrize("options", TOKENS[:3] + CUTS + WEIGHTS, ids=str)
def test_weights_are_those_of_scikit_learn(options):
    ours, theirs = TfidfVectorizer(**options), sk.TfidfVectorizer(**options)
    with np.errstate(divide="ignore"):
        same(ours.fit_transform(TEXTS), theirs.fit_transform(TEXTS))
    if ours.use_idf:
        np.testing.assert_allclose(ours.idf_, theirs.idf_, rtol=1e-14)


@pytest.mark.parametrize(
    "options", [*TOKENS, {"norm": None}, {"alternate_sign": False, "norm": "l1"}, {"binary": True}], ids=str
)
def test_hashes_are_those_of_scikit_learn(options):
    for n in (7, 2**20):
        theirs = sk.HashingVectorizer(n_features=n, **options).transform(TEXTS)
        ours = HashingVectorizer(n_features=n, **options).fit(TEXTS[:3]).transform(TEXTS)
        assert ours.shape == theirs.shape and abs(ours - theirs).max() < 1e-13


@given(st.text(max_size=30), st.sampled_from(TOKENS))
def test_tokens_are_those_of_scikit_learn(text, options):
    defaults = dict(sk.CountVectorizer().get_params(), **options)
    names = ("analyzer", "ngram_range", "lowercase", "strip_accents", "stop_words", "token_pattern")
    ours = make_analyzer(**{name: defaults[name] for name in names})
    assert sorted(ours(text)) == sorted(sk.CountVectorizer(**options).build_analyzer()(text))


def test_columns_have_vocabularies_of_their_own():
    X = pd.DataFrame({"a": ["red car", None, "red"], "b": ["car", "blue car", None]})
    vectorizer = TfidfVectorizer().fit(X)
    blocks = [sk.TfidfVectorizer().fit_transform(X[name].fillna("")) for name in X]
    assert vectorizer.get_feature_names_out().tolist() == ["a_car", "a_red", "b_blue", "b_car"]
    assert (
        vectorizer.transform(X).toarray().astype(bool).tolist() == sparse.hstack(blocks).toarray().astype(bool).tolist()
    )
    assert vectorizer.transform(X[["b", "a"]]).toarray().tolist() == vectorizer.transform(X).toarray().tolist()


def test_a_missing_text_is_an_empty_one():
    ours = TfidfVectorizer().fit({"a": ["to be", None, "to do", None, " "]})
    np.testing.assert_allclose(ours.idf_, sk.TfidfVectorizer().fit(["to be", "", "to do", "", " "]).idf_, rtol=1e-14)
    assert ours.transform({"a": [None]}).nnz == 0


def test_texts_without_a_table():
    series = pd.Series(TEXTS[:20], name="said", index=np.arange(20) * 3)
    fitted = CountVectorizer(sparse_output=False).set_output(transform="pandas").fit(series)
    found = fitted.transform(series)
    assert found.index.equals(series.index) and found.columns[0].startswith("said_")
    plain = CountVectorizer(sparse_output=False).fit(series)
    np.testing.assert_array_equal(plain.transform(TEXTS[:20]), found)
    np.testing.assert_array_equal(plain.transform(np.array(TEXTS[:20], object)), found)
    labels = ["the" in text for text in TEXTS]
    assert make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(TEXTS, labels).score(TEXTS, labels) > 0.8


def test_transform_reads_what_it_is_given():
    fitted = CountVectorizer().fit(["one two", "three"])
    fitted.fit_transform(["four five"])
    assert fitted.transform(["five five"]).toarray().tolist() == [[2.0, 0.0]]
    assert not hasattr(fitted, "_kept")


@pytest.mark.parametrize("make", [CountVectorizer, lambda: TfidfVectorizer(min_df=2), TextIndexer])
def test_chunks_tell_what_the_whole_tells(make):
    whole = make().fit(TEXTS)
    chunks, merged = make(), make().fit(TEXTS[:60])
    for part in (TEXTS[:60], TEXTS[60:61], TEXTS[61:]):
        chunks.partial_fit(part)
    merged.merge(make().fit(TEXTS[60:]))
    for one in (chunks, merged):
        assert sorted(one.statistics_[0].times.items()) == sorted(whole.statistics_[0].times.items())
        a, b = (
            np.asarray(v.toarray() if sparse.issparse(v) else v) for v in (one.transform(TEXTS), whole.transform(TEXTS))
        )
        np.testing.assert_array_equal(a, b)
    again = type(whole).from_state(json.loads(json.dumps(chunks.to_state())))
    assert again.partial_fit(["brand new"]).n_samples_seen_ == len(TEXTS) + 1


def test_token_numbers():
    X = ["b a a c", "a b", "c"]
    assert TextIndexer().fit(X).vocabularies_ == {"text": ["", "[UNK]", "a", "b", "c"]}
    for options, rows in [
        ({}, [[3, 2, 2, 4], [2, 3, 0, 0], [1, 0, 0, 0]]),
        ({"length": 2}, [[3, 2], [2, 3], [1, 0]]),
        ({"length": 2, "truncation": "pre"}, [[2, 4], [2, 3], [1, 0]]),
        ({"length": 3, "padding": "pre"}, [[3, 2, 2], [0, 2, 3], [0, 0, 1]]),
        ({"max_tokens": 3}, [[1, 2, 2, 1], [2, 1, 0, 0], [1, 0, 0, 0]]),
        ({"min_df": 3}, [[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]),
    ]:
        found = TextIndexer(**options).fit(X).transform([*X[:2], "d"])
        assert found.dtype == np.int32 and found.tolist() == rows
    letters = TextIndexer(analyzer="char", length=3).fit({"a": ["ab"], "b": ["ba"]})
    assert letters.vocabulary_sizes_ == {"a": 4, "b": 4} and letters.lengths_ == {"a": 3, "b": 3}
    assert letters.transform({"a": ["bx"], "b": [None]}).tolist() == [[3, 1, 0, 0, 0, 0]]


def test_an_embedding_takes_token_numbers():
    layers = pytest.importorskip("brickwork.layers", reason="layers is not installed beside prep")
    indexer = TextIndexer(length=5).fit(TEXTS)
    rows = indexer.transform(TEXTS[:4])
    embedding = layers.Embedding(indexer.vocabulary_sizes_["text"], 3, mask_zero=True)
    assert embedding(rows).shape == (4, 5, 3)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"analyzer": "words"}, "analyzer must be one of .*nearest: 'word'"),
        ({"ngram_range": (2, 1)}, "ngram_range must be two integers"),
        ({"stop_words": "german"}, "stop_words must be"),
        ({"token_pattern": "("}, "token_pattern must be a regular expression"),
        ({"token_pattern": "(a)(b)"}, "at most one group"),
        ({"min_df": 0}, "min_df must be a share"),
        ({"max_df": 1.5}, "max_df must be a share"),
        ({"max_features": 0}, "max_features must be an integer of 1"),
        ({"vocabulary": ["a", "a"]}, "distinct tokens"),
        ({"min_df": 5}, "no token to learn from"),
        ({"strip_accents": "utf"}, "strip_accents must be one of"),
    ],
)
def test_bad_parameters(options, rule):
    with pytest.raises(PrepError, match=rule):
        CountVectorizer(**options).fit(["one text", "another"])


def test_what_is_no_text():
    with pytest.raises(SchemaError, match="row 1"):
        CountVectorizer().fit({"a": ["x y", ["list"]]})
    state = CountVectorizer().fit(["one two"]).to_state()
    for change in ({"documents": [1, 2]}, {"tokens": ["one", "one"]}, {"occurrences": [0, 1]}, {"n": 0}):
        damaged = json.loads(json.dumps(state))
        damaged["learned"]["statistics"][0] |= change
        with pytest.raises(StateError):
            CountVectorizer.from_state(damaged)
