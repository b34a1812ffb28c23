"""What stands in a model file: the prep of the columns, the prep of the target, and the network between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brickwork.layers import Model
from brickwork.prep import PrepError, TablePrep, TargetPrep
from brickwork.tensor import bundle

from .errors import Mistake, listed, mistakes, nearest
from .tables import Table, as_numbers

PARTS: Mapping[str, type] = {"prep": TablePrep, "target": TargetPrep, "model": Model}
FACTS: Mapping[str, type] = {
    "task": str, "target": str, "table": str, "rows": int, "valid_rows": int, "columns": list, "measures": dict,
    "seed": int, "batch_size": int, "versions": dict,
    "epochs": int, "best_epoch": int, "interrupted": bool, "history": dict,
}  # fmt: skip
BATCH = 4096  # rows per step of predict, where nothing is learned and only memory limits it


@dataclass(frozen=True, slots=True)
class Saved:
    """A trained model with all it takes from a raw row to an answer. `facts` is the metadata of its file."""

    prep: TablePrep
    target: TargetPrep
    model: Model
    facts: Mapping[str, Any]

    @property
    def classes(self) -> list[str] | None:
        """The classes as text, in order; None for a regression."""
        return [str(label) for label in self.target.classes_.tolist()] if self.is_classifier else None

    @property
    def is_classifier(self) -> bool:
        return self.target.task_ == "classification"

    def features(self, table: Table) -> np.ndarray:
        """Float32 (n, n_features_out_) of a table; `Mistake` naming the column that does not fit."""
        with column_mistakes(table):
            return self.prep.transform(table.frame)

    def answers(self, features: np.ndarray) -> np.ndarray:
        """Probabilities float32 (n, k) of a classification; float64 (n,) in the target's own unit of a regression."""
        given = np.asarray(self.model.predict(features, batch_size=BATCH, verbose=0))
        return given if self.is_classifier else self.target.inverse_transform(given[:, 0])

    def truth(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """What `answers` are compared with, class indices or float64 (n,), and bool (n,): the rows that have it."""
        name = self.facts["target"]
        column = target_column(table, name)
        known = column.notna().to_numpy()
        if not self.is_classifier:
            return target_numbers(table, column), known
        # Classes that were text stay text, even where the few of a small table all look like numbers.
        text = all(isinstance(label, str) for label in self.target.classes_.tolist())
        labels = (column if text or not table.is_text else as_numbers(column)).tolist()
        # Where the answer is missing any class stands in, so that an error counts the rows as the file does.
        whole = [label if there else self.target.classes_[0] for label, there in zip(labels, known, strict=True)]
        with column_mistakes(table, target=name):
            return self.target.transform(whole), known


def save(path: Path, saved: Saved) -> None:
    """Write a model file, whole or not at all."""
    parts = {name: getattr(saved, name) for name in PARTS}
    with mistakes(bundle.BundleError):
        bundle.save(path, parts, metadata=saved.facts)


def open_saved(path: Path) -> Saved:
    """The model of a file; `Mistake` where it is not one that `train` wrote, or is damaged."""
    with mistakes(bundle.BundleError):
        info = bundle.inspect(path)
        parts = bundle.load(path)
    wrong = [name for name, kind in PARTS.items() if not isinstance(parts.get(name), kind)]
    if wrong or parts.keys() != PARTS.keys():
        got = f"got {listed(parts)}"
        raise Mistake(f"{path}: must be a file that `brickwork train` wrote, with {', '.join(PARTS)}; {got}.")
    check_facts(path, info.metadata)
    return Saved(**parts, facts=info.metadata)


def check_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Refuse metadata that does not tell what `train` writes, since a file can be made by anyone."""
    wrong = [name for name, kind in FACTS.items() if type(facts.get(name)) is not kind]
    wrong = wrong or [name for name, holds in INSIDE.items() if not all(map(holds, _values(facts[name])))]
    if wrong:
        got = repr(facts.get(wrong[0]))[:80]
        raise Mistake(f"{path}: the metadata field {wrong[0]!r} is not what `brickwork train` writes; got {got}.")


def _values(tree: Any) -> Any:
    return tree.values() if isinstance(tree, Mapping) else tree


def _tells_a_column(column: Any) -> bool:
    kinds = {"name": str, "kind": str, "missing": int, "action": str, "why": str, "categories": (list, tuple)}
    return isinstance(column, Mapping) and all(isinstance(column.get(key), kind) for key, kind in kinds.items())


INSIDE: Mapping[str, Callable[[Any], bool]] = {
    "columns": _tells_a_column,
    "measures": lambda value: isinstance(value, float),
    "versions": lambda value: isinstance(value, str),
}


# ---- columns --------------------------------------------------------------------------------------------------------


@contextmanager
def column_mistakes(table: Table, target: str = "") -> Iterator[None]:
    """Tell what prep refuses as a mistake in this table's file, with the place of the first bad row."""
    try:
        with mistakes(PrepError, about=str(table.path)):
            yield
    except Mistake as mistake:
        text = str(mistake).replace("column 'target'", f"the target {target!r}", 1) if target else str(mistake)
        rows = getattr(mistake.__cause__, "rows", ())
        if rows and table.is_text:
            text += f" (Rows count from 0: the first of these is {table.place(rows[0])} of the file.)"
        raise Mistake(text) from mistake.__cause__


def target_column(table: Table, name: str) -> pd.Series:
    """The target's column, as it was read; `Mistake` where there is none or it is all missing."""
    if name not in table.frame:
        got = f"got {listed(table.frame.columns)}.{nearest(name, table.frame)}"
        raise Mistake(f"{table.path}: there is no column {name!r} for a target; {got}")
    column = table.frame[name]
    if column.isna().all():
        raise Mistake(f"{table.path}: every value of the target {name!r} is missing. Choose another column.")
    return column


def target_numbers(table: Table, column: pd.Series) -> np.ndarray:
    """Float64 (n,), NaN where missing; `Mistake` naming the first row that holds no finite number."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = np.flatnonzero((np.isnan(numbers) & column.notna().to_numpy()) | np.isinf(numbers))
    if len(bad):
        values = listed(dict.fromkeys(column.iloc[bad[:100]].tolist()), 3)
        raise Mistake(
            f"{table.path}: the target {column.name!r} must hold finite numbers; got {values} in {table.place(bad[0])}"
            f"{f' and {len(bad) - 1} more' if len(bad) > 1 else ''}. Mend or remove these rows."
        )
    return numbers
