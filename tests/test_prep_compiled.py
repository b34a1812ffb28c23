"""Prep and network as one compiled function: raw columns go in, predictions come out, all of it native code."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, make_pipeline

import brickwork.cli
import brickwork.tensor as bt
from brickwork import prep as bp
from brickwork.graph import function
from brickwork.layers import Classifier
from brickwork.tensor import nn

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


@pytest.fixture(scope="module")
def penguins() -> pd.DataFrame:
    return pd.read_csv(Path(brickwork.cli.__file__).parent / "data" / "penguins.csv")


def by_columns() -> ColumnTransformer:
    filled = bp.SimpleImputer(strategy="median", add_indicator=True)
    ones = bp.OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(filled, bp.LogTransformer(), bp.StandardScaler()), NUMBERS[:2]),
            ("spread", make_pipeline(bp.QuantileTransformer(n_quantiles=20), bp.SimpleImputer()), NUMBERS[2:]),
            ("bins", bp.KBinsDiscretizer(n_bins=4, encode="ordinal", strategy="uniform"), ["year"]),
            ("words", make_pipeline(bp.SimpleImputer(strategy="most_frequent"), ones), ["island", "sex"]),
        ],
        transformer_weights={"bins": 0.25},
    )


def side_by_side() -> FeatureUnion:
    pipeline = make_pipeline(bp.SelectColumns(NUMBERS), bp.SimpleImputer(), bp.PowerTransformer())
    return FeatureUnion([("table", bp.TablePrep()), ("powers", pipeline)])


@pytest.mark.parametrize("made", [bp.TablePrep, by_columns, side_by_side], ids=["table", "columns", "union"])
def test_prep_and_network_are_one_plan(penguins, made) -> None:
    raw = penguins.drop(columns="species")
    prep = made().fit(raw)
    numbers = np.asarray(prep.transform(raw), dtype=np.float32)
    network = Classifier(hidden=(16,), learning_rate=0.01, epochs=30, random_state=0).fit(numbers, penguins["species"])
    program = bp.program(prep)

    @function
    def predict(*columns):
        return nn.softmax(network.model_(program(columns, bt)), axis=-1)

    for rows in (raw, raw.head(7), raw.iloc[[5]]):
        one_by_one = network.predict_proba(np.asarray(prep.transform(rows), dtype=np.float32))
        chances = np.asarray(predict(*program.bind(rows)))
        assert chances.dtype == np.float32
        np.testing.assert_allclose(chances, one_by_one, rtol=1e-4, atol=1e-6)

    columns = program.bind(raw)
    for variant in predict.explain():
        assert variant.calls == 0 and variant.kernels > 0, "all of it is native code"
    assert {variant.signature.count("f64") for variant in predict.explain()} == {len(columns)}


def test_a_program_that_was_saved_compiles_too(penguins, tmp_path) -> None:
    raw = penguins.drop(columns="species")
    prep = by_columns().fit(raw)
    bt.bundle.save(tmp_path / "prep.brick", {"program": bp.program(prep)})
    program = bt.bundle.load(tmp_path / "prep.brick")["program"]
    compiled = function(lambda *columns: program(columns, bt))
    np.testing.assert_allclose(np.asarray(compiled(*program.bind(raw))), prep.transform(raw), rtol=1e-5, atol=1e-6)
