"""`ColumnTransformer` to a state and back."""

from __future__ import annotations

from collections import UserList
from collections.abc import Sequence
from string import Formatter
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.utils.validation import check_is_fitted

from ..errors import StateError
from ..settings import output_of, read_output
from ..state import demand, read_fields
from . import picks
from .shapes import gives_sparse, n_in, n_out
from .steps import HEAD, check_names, read_names, read_part, read_weights, write_part, write_weights

if TYPE_CHECKING:
    from .states import Place, States

FIELDS = {"transformers": "tuple[any, ...]", "remainder": "any", "n_features": "any", "names": "any",
          "remainder_columns": "any", "sparse": "any", "sparse_threshold": "float", "transformer_weights": "any",
          "verbose_feature_names_out": "any", "output": "any"}  # fmt: skip
WORDS = ("passthrough", "drop")


def write(given: ColumnTransformer, states: States, at: Place) -> dict[str, Any]:
    """Each transformer with its columns as they were asked for, and as fit found them where that is not the same."""
    if at.fitted:
        check_is_fitted(given)
    learned = {name: (part, columns) for name, part, columns in given.transformers_} if at.fitted else {}
    entries = []
    for name, part, asked in given.transformers:
        fitted, found = learned.get(name, (part, asked))
        part = part if isinstance(part, str) else fitted  # a word stays one; fit puts a FunctionTransformer there
        inside = at.inside(name, fitted=not picks.empty(found))
        entries.append(
            {
                "name": name,
                "columns": picks.write(asked, inside.where),
                "found": picks.write(found, inside.where) if callable(asked) and at.fitted else None,
                "state": write_part(part, states, inside),
            }
        )
    rest, left = learned.get("remainder", (given.remainder, None))
    inside = at.inside("remainder", fitted=left is not None)
    return {
        "transformers": entries,
        "remainder": write_part(given.remainder if isinstance(given.remainder, str) else rest, states, inside),
        "remainder_columns": None if left is None else picks.write(_listed(left), inside.where),
        "n_features": int(given.n_features_in_) if at.fitted else None,
        "names": _names_of(given) if at.fitted else None,
        "sparse": bool(given.sparse_output_) if hasattr(given, "sparse_output_") and at.fitted else None,
        "sparse_threshold": float(given.sparse_threshold),
        "transformer_weights": write_weights(given.transformer_weights, at.where),
        "verbose_feature_names_out": _write_naming(given.verbose_feature_names_out, at.where),
        "output": output_of(given),
    }


def read(state: Any, states: States, at: Place) -> ColumnTransformer:
    """The transformer, whose parts fit their columns."""
    values = read_fields(state, HEAD | FIELDS, at.where)
    n, names = values["n_features"], read_names(values["names"], at.where)
    demand((type(n) is int and 0 < n < 2**24) if at.fitted else n is None, at.where, "n_features must fit", n)
    demand(names is None or len(names) == n, at.where, "names must be as many as n_features", names)
    demand(
        0 <= values["sparse_threshold"] <= 1, at.where, "sparse_threshold must be in [0, 1]", values["sparse_threshold"]
    )
    fields = {"name": "str", "columns": "any", "found": "any", "state": "any"}
    entries = [read_fields(entry, fields, at.where) for entry in values["transformers"]]
    made = ColumnTransformer(
        [],
        sparse_threshold=values["sparse_threshold"],
        transformer_weights=read_weights(
            values["transformer_weights"], [*(entry["name"] for entry in entries), "remainder"], at.where
        ),
        verbose_feature_names_out=_read_naming(values["verbose_feature_names_out"], at.where),
    )
    check_names([entry["name"] for entry in entries], made, at.where)
    demand(all(entry["name"] != "remainder" for entry in entries), at.where, "no part is called remainder", "one")
    if not at.fitted:
        return _unfitted(made, entries, values, states, at)
    return _fitted(made, entries, values, states, at)


def _unfitted(made: Any, entries: list[dict[str, Any]], values: dict[str, Any], states: States, at: Place) -> Any:
    read_output(values["output"], made, at.where)
    made.transformers = [
        (e["name"], read_part(e["state"], states, at.inside(e["name"]), WORDS), picks.read(e["columns"], at.where))
        for e in entries
    ]
    made.remainder = read_part(values["remainder"], states, at.inside("remainder"), WORDS)
    return made


def _fitted(made: Any, entries: list[dict[str, Any]], values: dict[str, Any], states: States, at: Place) -> Any:
    """Fits on a row of zeros, with stand-ins for what has learned, and then puts in what has.

    So scikit-learn sets what is its own to set, in every version, and only attributes are assigned that it documents.
    """
    n, names = values["n_features"], values["names"]
    asked, learned, stand_ins = [], [], []
    for entry in entries:
        columns = picks.read(entry["columns"], at.where)
        found = columns if entry["found"] is None else picks.read(entry["found"], at.where)
        demand(callable(columns) == (entry["found"] is not None) and not callable(found), at.where,
               "found must be the columns of a selector", entry["found"])  # fmt: skip
        positions = picks.positions(found, n, names, at.where)
        part = _part(entry["state"], positions, names, states, at.inside(entry["name"], fitted=bool(positions)))
        asked.append((entry["name"], _anew(part), columns))
        learned.append((entry["name"], part, found))
        stand_ins.append((entry["name"], _stand_in(part, positions), positions))
    taken = {place for _, _, positions in stand_ins for place in positions}
    left = [place for place in range(n) if place not in taken]
    listed = None if values["remainder_columns"] is None else picks.read(values["remainder_columns"], at.where)
    found = [] if listed is None else picks.positions(listed, n, names, at.where)
    demand(found == left, at.where, "remainder_columns must be those that no part takes", found)
    rest = _part(values["remainder"], left, names, states, at.inside("remainder", fitted=bool(left)))
    made.transformers, made.remainder = stand_ins, _stand_in(rest, left)
    with config_context(transform_output="default", enable_metadata_routing=False):
        made.fit(np.zeros((1, n)))
    if left:
        learned.append(("remainder", rest, listed))
    _take_over(made, learned, names)
    made.transformers, made.remainder = [], "drop"
    transformers_, made.transformers_ = made.transformers_, []
    read_output(values["output"], made, at.where)  # of its own; each part has one
    made.transformers, made.remainder, made.transformers_ = asked, _anew(rest), transformers_
    sparse, may = values["sparse"], any(gives_sparse(part) for _, part, columns in learned if not picks.empty(columns))
    fits = type(sparse) is bool and (may or not sparse) if hasattr(made, "sparse_output_") else sparse is None
    demand(fits, at.where, "sparse must fit the parts", sparse)
    if sparse is not None:
        made.sparse_output_ = sparse
    return made


def _part(state: Any, positions: Sequence[int], names: Any, states: States, at: Place) -> Any:
    """A word or an estimator, which takes columns at these positions."""
    part = read_part(state, states, at, WORDS)
    if positions and not isinstance(part, str):
        takes = n_in(part)
        demand(takes in (None, len(positions)), at.where, f"as many columns as it takes ({takes})", len(positions))
        demand(n_out(part, len(positions)) is not None, at.where, "a part must give columns", type(part).__name__)
        own = _names_of(part)
        fits = own is None or (names is not None and own == [names[place] for place in positions])
        demand(fits, at.where, "the columns must be called as it knows them", own)
    return part


def _take_over(made: ColumnTransformer, learned: list[Any], names: Any) -> None:
    """Puts what has learned in place of the stand-ins; "passthrough" is as scikit-learn's fit left it."""
    fitted = {name: part for name, part, _ in made.transformers_}
    for place, (name, part, columns) in enumerate(learned):
        if part == "passthrough":
            passing = fitted[name]
            if names is not None and not isinstance(passing, str):
                positions = picks.positions(columns, made.n_features_in_, names, name)
                passing.feature_names_in_ = np.array([names[i] for i in positions], dtype=object)
            learned[place] = (name, passing, columns)
    made.transformers_ = learned
    if names is not None:
        made.feature_names_in_ = np.array(names, dtype=object)


class StandIn(BaseEstimator):
    """Gives `width` columns of zeros."""

    def __init__(self, width: int = 1):
        self.width = width

    def fit(self, X: Any, y: Any = None) -> StandIn:
        """Learns nothing."""
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Zeros (n, width)."""
        return np.zeros((len(X), self.width))


def _listed(columns: Any) -> list[Any]:
    # scikit-learn 1.6 warns whoever reads its own list of the columns that remain.
    return list(columns.data if isinstance(columns, UserList) else columns)


def _stand_in(part: Any, positions: Sequence[int]) -> Any:
    if isinstance(part, str):
        return part
    return StandIn(n_out(part, len(positions)) if positions else 1)


def _anew(part: Any) -> Any:
    return part if isinstance(part, str) else clone(part)


def _names_of(estimator: Any) -> list[str] | None:
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _write_naming(naming: Any, where: str) -> Any:
    if isinstance(naming, (bool, np.bool_)):
        return bool(naming)
    if isinstance(naming, str):
        return _read_naming(naming, where)
    fix = "Give True, False or a text with {transformer_name} and {feature_name}."
    raise StateError.of(where, "verbose_feature_names_out that is saved is no function", repr(naming), fix)


def _read_naming(naming: Any, where: str) -> Any:
    """True, False, or a text to be formatted, in which nothing but the two names may stand in braces."""
    rule = "verbose_feature_names_out must be a bool, or text with {transformer_name} and {feature_name}"
    if isinstance(naming, bool):
        return naming
    demand(isinstance(naming, str), where, rule, naming)
    try:
        parts = list(Formatter().parse(naming))
    except ValueError as cause:
        raise StateError.of(where, rule, f"{naming!r}: {cause}") from None
    allowed = ("transformer_name", "feature_name", None)
    fits = all(name in allowed and not form and turn is None for _, name, form, turn in parts)
    demand(fits, where, rule, naming)
    return naming
