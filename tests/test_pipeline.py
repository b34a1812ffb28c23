"""prep and layers together, as scikit-learn composes them: neither knows of the other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline

import brickwork.cli
from brickwork.layers import Classifier, Regressor
from brickwork.prep import RobustScaler, TablePrep, TargetPrep
from brickwork.tensor import bundle

QUICK = {"hidden": (16,), "learning_rate": 0.01, "epochs": 60, "random_state": 0}


@pytest.fixture(scope="module")
def penguins() -> pd.DataFrame:
    return pd.read_csv(Path(brickwork.cli.__file__).parent / "data" / "penguins.csv")


@pytest.fixture(scope="module")
def raw(penguins: pd.DataFrame) -> pd.DataFrame:
    return penguins.drop(columns="species")


def pipeline(net=None) -> Pipeline:
    return Pipeline([("prep", TablePrep()), ("net", net or Classifier(**QUICK))])


def test_a_raw_table_goes_in_and_labels_come_out(penguins, raw) -> None:
    model = pipeline().fit(raw, penguins["species"])
    assert model.score(raw, penguins["species"]) > 0.98
    assert list(model.classes_) == ["Adelie", "Chinstrap", "Gentoo"]
    rows = raw.head(3).assign(island="Anvers", sex=None)
    chances = model.predict_proba(rows)
    assert chances.shape == (3, 3) and (model.predict(rows) == "Adelie").all()


def test_cross_validation_fits_prep_inside_each_fold(penguins, raw) -> None:
    scores = cross_val_score(pipeline(), raw, penguins["species"], cv=3)
    assert scores.min() > 0.96


def test_search_reaches_into_both(penguins, raw) -> None:
    grid = {"prep__max_categories": [2, 10], "net__hidden": [(8,), (16,)]}
    search = GridSearchCV(pipeline(), grid, cv=2).fit(raw, penguins["species"])
    assert set(search.best_params_) == set(grid) and search.best_score_ > 0.95


def test_regression_with_weights(penguins) -> None:
    known = penguins.dropna(subset=["body_mass_g"])
    X, y = known.drop(columns="body_mass_g"), known["body_mass_g"]
    weight = np.where(known["island"] == "Dream", 2.0, 1.0)
    model = pipeline(Regressor(**QUICK)).fit(X, y, net__sample_weight=weight)
    assert model.score(X, y) > 0.8


def test_a_clone_learns_the_same(penguins, raw) -> None:
    one = pipeline().fit(raw, penguins["species"])
    two = clone(one).fit(raw, penguins["species"])
    assert (one.predict_proba(raw) == two.predict_proba(raw)).all()


def test_one_file_holds_the_whole_way(penguins, raw, tmp_path) -> None:
    target = TargetPrep().fit(penguins["species"])
    model = pipeline().fit(raw, target.transform(penguins["species"]))
    parts = {**dict(model.steps), "target": target}
    bundle.save(tmp_path / "all.brick", parts)
    found = bundle.load(tmp_path / "all.brick")
    again = Pipeline([("prep", found["prep"]), ("net", found["net"])])
    assert (again.predict_proba(raw) == model.predict_proba(raw)).all()
    assert found["target"].inverse_transform(again.predict(raw.head(2))).tolist() == ["Adelie", "Adelie"]


def test_a_composition_stands_in_a_bundle_beside_its_network(penguins, raw, tmp_path) -> None:
    numbers = ["bill_depth_mm", "flipper_length_mm"]
    prep = ColumnTransformer(
        [
            ("scaled", Pipeline([("robust", RobustScaler()), ("filled", TablePrep())]), numbers),
            ("both", FeatureUnion([("one", TablePrep()), ("two", TablePrep(max_categories=1))]), ["island", "sex"]),
        ]
    )
    model = Pipeline([("prep", prep), ("net", Classifier(**QUICK))]).fit(raw, penguins["species"])
    bundle.save(tmp_path / "all.brick", {"prep": model[:-1], "net": model["net"]})
    assert dict(bundle.inspect(tmp_path / "all.brick").types)["prep"] == "prep.Pipeline"
    found = bundle.load(tmp_path / "all.brick")
    again = Pipeline([*found["prep"].steps, ("net", found["net"])])
    assert (again.predict_proba(raw) == model.predict_proba(raw)).all()
    with pytest.raises(bundle.BundleError, match=r"a model has a file format of its own"):
        bundle.save(tmp_path / "all.brick", {"model": model})
