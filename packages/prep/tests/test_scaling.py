"""Scalers beside scikit-learn's, their edges, and what chunks tell."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import preprocessing as sk

from brickwork import prep
from brickwork.prep import PrepError, SchemaError

RNG = np.random.default_rng(0)
X = np.column_stack(
    [
        RNG.normal(3, 2, 500),
        RNG.lognormal(0, 2, 500),
        RNG.integers(0, 5, 500),
        np.full(500, 7.0),
        np.where(RNG.random(500) < 0.5, 1.0, RNG.random(500)),
    ]
)
GAPS = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
NEW = np.vstack([RNG.normal(0, 30, (50, 5)), X[:10], np.full((1, 5), np.nan)])

PAIRS = {
    "standard": (prep.StandardScaler(), sk.StandardScaler()),
    "standard, mean only": (prep.StandardScaler(with_std=False), sk.StandardScaler(with_std=False)),
    "minmax": (prep.MinMaxScaler(), sk.MinMaxScaler()),
    "minmax, range": (prep.MinMaxScaler((-2, 5), clip=True), sk.MinMaxScaler((-2, 5), clip=True)),
    "maxabs": (prep.MaxAbsScaler(), sk.MaxAbsScaler()),
    "robust": (prep.RobustScaler(), sk.RobustScaler()),
    "robust, options": (
        prep.RobustScaler(quantile_range=(10, 80), unit_variance=True, with_centering=False),
        sk.RobustScaler(quantile_range=(10, 80), unit_variance=True, with_centering=False),
    ),
    "quantile": (prep.QuantileTransformer(), sk.QuantileTransformer(subsample=None)),
    "quantile, few": (prep.QuantileTransformer(n_quantiles=20), sk.QuantileTransformer(n_quantiles=20, subsample=None)),
    "quantile, normal": (
        prep.QuantileTransformer(output_distribution="normal"),
        sk.QuantileTransformer(output_distribution="normal", subsample=None),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("table", [X, GAPS], ids=["whole", "gaps"])
@pytest.mark.filterwarnings("ignore:n_quantiles")
def test_equals_scikit_learn(name, table):
    ours, theirs = PAIRS[name]
    got, want = ours.fit(table).transform(NEW), theirs.fit(table).transform(NEW)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.transform(table), theirs.transform(table), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.inverse_transform(got), theirs.inverse_transform(want), rtol=1e-9, atol=1e-9)
    for attribute in (
        "mean_",
        "var_",
        "scale_",
        "min_",
        "data_min_",
        "data_range_",
        "max_abs_",
        "center_",
        "quantiles_",
    ):
        if hasattr(theirs, attribute):
            assert hasattr(ours, attribute)
            if getattr(theirs, attribute) is not None:
                np.testing.assert_allclose(getattr(ours, attribute), getattr(theirs, attribute), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", ["yeo-johnson", "box-cox"])
@pytest.mark.parametrize("standardize", [True, False])
def test_power_equals_scikit_learn(method, standardize):
    table = GAPS[:, :3] if method == "yeo-johnson" else np.abs(GAPS[:, :3]) + 0.1
    ours = prep.PowerTransformer(method, standardize=standardize).fit(table)
    theirs = sk.PowerTransformer(method, standardize=standardize).fit(table)
    np.testing.assert_allclose(ours.lambdas_, theirs.lambdas_, rtol=1e-6, atol=1e-6)
    got = ours.transform(table)
    np.testing.assert_allclose(got, theirs.transform(table), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.inverse_transform(got), table, rtol=1e-9, atol=1e-9)


def test_power_of_many_values_is_refined_on_all():
    table = RNG.gamma(2.0, 3.0, (30_000, 1))
    ours, theirs = prep.PowerTransformer().fit(table), sk.PowerTransformer().fit(table)
    np.testing.assert_allclose(ours.lambdas_, theirs.lambdas_, rtol=1e-6)
    parts = prep.PowerTransformer().fit(table[:9_000]).merge(prep.PowerTransformer().fit(table[9_000:]))
    np.testing.assert_allclose(parts.lambdas_, theirs.lambdas_, rtol=1e-3)


@pytest.mark.parametrize(
    "scaler", [prep.PowerTransformer("box-cox"), prep.LogTransformer(signed=False, offset=0)], ids=repr
)
def test_what_has_no_logarithm_is_named_by_its_rows(scaler):
    with pytest.raises(SchemaError, match=r"column 'x0' must be above 0; got 0\.0, -2\.0 in rows 1, 3") as caught:
        scaler.fit([[1.0], [0.0], [3.0], [-2.0]])
    assert (caught.value.column, caught.value.rows) == ("x0", (1, 3))
    with pytest.raises(SchemaError, match="must be above 0"):
        scaler.fit([[1.0], [2.0]]).transform([[-1.0]])


def test_logarithms():
    x = np.array([[0.5], [3.0], [np.nan]])
    np.testing.assert_allclose(prep.LogTransformer(signed=False).fit_transform(x), np.log1p(x))
    np.testing.assert_allclose(prep.LogTransformer(base=2, signed=False, offset=3).fit_transform(x), np.log2(x + 3))
    signed = prep.LogTransformer().fit(x)
    np.testing.assert_allclose(signed.transform(-x), -np.log1p(x))
    np.testing.assert_allclose(signed.inverse_transform(signed.transform(-x)), -x)


def test_winsorizer():
    x = GAPS[:, :1]
    got = prep.Winsorizer(lower=0.1, upper=0.8).fit_transform(x)
    np.testing.assert_allclose(got, np.clip(x, *np.nanquantile(x, [0.1, 0.8])))


@pytest.mark.parametrize(
    "scaler",
    [
        prep.MinMaxScaler((1, 0)),
        prep.MinMaxScaler(clip="yes"),
        prep.RobustScaler(quantile_range=(-1, 50)),
        prep.QuantileTransformer(n_quantiles=0),
        prep.QuantileTransformer(output_distribution="norml"),
        prep.PowerTransformer("boxcox"),
        prep.LogTransformer(base=1.0),
        prep.Winsorizer(lower=0.9, upper=0.1),
    ],
    ids=repr,
)
def test_parameters_are_checked(scaler):
    with pytest.raises(PrepError, match="must be"):
        scaler.fit(X)


@settings(max_examples=40, deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 12), st.integers(1, 2)),
        elements=st.floats(-1e150, 1e150) | st.just(np.nan),
    )
)
@example(np.array([[5e-324], [0.0], [0.0], [1.0]]))
@pytest.mark.parametrize("cls", [prep.StandardScaler, prep.MinMaxScaler, prep.MaxAbsScaler, prep.RobustScaler,
                                 prep.QuantileTransformer, prep.PowerTransformer, prep.Winsorizer])  # fmt: skip
def test_any_finite_numbers_give_numbers(cls, table):
    out = cls().fit(table).transform(table)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(table))
    assert not np.isinf(out).any()
