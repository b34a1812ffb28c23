"""Intervals beside scikit-learn's; bounds of what is usual."""

import numpy as np
import pytest
from sklearn import preprocessing as sk

from brickwork import prep
from brickwork.prep import PrepError

RNG = np.random.default_rng(0)
X = np.column_stack([RNG.normal(0, 3, 300), RNG.lognormal(0, 1, 300), RNG.integers(0, 12, 300)])
NEW = RNG.normal(0, 5, (100, 3))


@pytest.mark.parametrize("strategy", ["quantile", "uniform", "kmeans"])
@pytest.mark.parametrize("encode", ["onehot", "onehot-dense", "ordinal"])
@pytest.mark.parametrize("bins", [2, 5, 7])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_bins_equal_scikit_learn(strategy, encode, bins):
    method = (
        {"quantile_method": "averaged_inverted_cdf"} if "quantile_method" in sk.KBinsDiscretizer().get_params() else {}
    )
    theirs = sk.KBinsDiscretizer(bins, encode=encode, strategy=strategy, **method).fit(X)
    linear = "averaged_inverted_cdf" if method else "linear"
    ours = prep.KBinsDiscretizer(bins, encode=encode, strategy=strategy, quantile_method=linear).fit(X)
    for got, want in zip(ours.bin_edges_, theirs.bin_edges_, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    got, want = ours.transform(NEW), theirs.transform(NEW)
    np.testing.assert_allclose(ours.inverse_transform(got), theirs.inverse_transform(want))
    assert hasattr(got, "toarray") == hasattr(want, "toarray")
    got, want = (v.toarray() if hasattr(v, "toarray") else v for v in (got, want))
    np.testing.assert_array_equal(got, want)
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())


def test_linear_quantiles():
    ours = prep.KBinsDiscretizer(4, encode="ordinal", quantile_method="linear").fit(X)
    np.testing.assert_allclose(ours.bin_edges_[0], np.quantile(X[:, 0], np.linspace(0, 1, 5)))


def test_a_gap_is_in_no_interval():
    table = [[1.0], [None], [3.0], [4.0]]
    assert np.isnan(prep.KBinsDiscretizer(2, encode="ordinal").fit_transform(table)[1, 0])
    one_hot = prep.KBinsDiscretizer(2, encode="onehot-dense").fit(table)
    assert one_hot.transform(table).sum(axis=1).tolist() == [1, 0, 1, 1]
    assert np.isnan(one_hot.inverse_transform(one_hot.transform(table))[1, 0])


def test_binarizer_equals_scikit_learn():
    want = sk.Binarizer(threshold=0.5).fit_transform(X)
    np.testing.assert_array_equal(prep.Binarizer(threshold=0.5).fit_transform(X), want)


@pytest.mark.parametrize(
    "method, factor, bounds",
    [
        ("iqr", None, lambda x, q: (q(0.25) - 1.5 * (q(0.75) - q(0.25)), q(0.75) + 1.5 * (q(0.75) - q(0.25)))),
        ("zscore", 2.0, lambda x, q: (x.mean() - 2 * x.std(), x.mean() + 2 * x.std())),
        ("quantile", 0.05, lambda x, q: (q(0.05), q(0.95))),
    ],
)
def test_outliers(method, factor, bounds):
    for k in range(X.shape[1]):
        x = X[:, [k]]
        low, high = bounds(x, lambda share, x=x: np.quantile(x, share))
        beyond = (x < low) | (x > high)
        clipped = prep.OutlierClipper(method, factor=factor).fit_transform(x)
        np.testing.assert_allclose(clipped, np.clip(x, low, high))
        np.testing.assert_array_equal(prep.OutlierFlagger(method, factor=factor).fit_transform(x), beyond)
        gone = prep.OutlierFlagger(method, factor=factor, output="nan").fit_transform(x)
        np.testing.assert_array_equal(np.isnan(gone), beyond)


@pytest.mark.parametrize(
    "transformer",
    [
        prep.KBinsDiscretizer(1),
        prep.KBinsDiscretizer(strategy="equal"),
        prep.Binarizer(threshold=float("nan")),
        prep.OutlierClipper("mad"),
        prep.OutlierFlagger("quantile", factor=0.7),
        prep.OutlierFlagger(output="drop"),
    ],
    ids=repr,
)
def test_parameters_are_checked(transformer):
    with pytest.raises(PrepError, match="must be"):
        transformer.fit(X)
