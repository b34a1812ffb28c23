"""`Pipeline`, `FeatureUnion` and the `FunctionTransformer` that passes columns on, to states and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from ..errors import StateError
from ..settings import output_of, read_output
from ..state import demand, read_fields
from .shapes import n_in, n_out

if TYPE_CHECKING:
    from .states import Place, States

HEAD = {"type": "str", "version": "int"}


# ---- Pipeline -------------------------------------------------------------------------------------------------------


def write_pipeline(pipeline: Pipeline, states: States, at: Place) -> dict[str, Any]:
    """The steps by name, in order."""
    parts = [
        [name, write_part("passthrough" if p is None else p, states, at.inside(name))] for name, p in pipeline.steps
    ]
    return {"steps": parts, "transform_input": list(pipeline.transform_input or ()) or None}


def read_pipeline(state: Any, states: States, at: Place) -> Pipeline:
    """The pipeline, whose steps fit on one another."""
    values = read_fields(state, HEAD | {"steps": "tuple[any, ...]", "transform_input": "any"}, at.where)
    parts = read_parts(values["steps"], states, at, ("passthrough",))
    asked = values["transform_input"]
    fits = asked is None or (isinstance(asked, (list, tuple)) and asked and all(isinstance(a, str) for a in asked))
    demand(fits, at.where, "transform_input must be names or null", asked)
    made = Pipeline(parts, **({} if asked is None else {"transform_input": list(asked)}))
    check_names([name for name, _ in parts], made, at.where)
    if at.fitted:
        width = None
        for name, part in parts:
            takes = n_in(part)
            fits = width is None or takes is None or width == takes
            demand(fits, at.where, f"step {name!r} takes {takes} columns, as many as come", width)
            width = n_out(part, width)
    return made


# ---- FeatureUnion ---------------------------------------------------------------------------------------------------


def write_union(union: FeatureUnion, states: States, at: Place) -> dict[str, Any]:
    """The transformers by name, side by side."""
    return {
        "transformers": [[name, write_part(p, states, at.inside(name))] for name, p in union.transformer_list],
        "transformer_weights": write_weights(union.transformer_weights, at.where),
        "verbose_feature_names_out": bool(union.verbose_feature_names_out),
        "output": output_of(union),
    }


def read_union(state: Any, states: States, at: Place) -> FeatureUnion:
    """The union, whose transformers take one and the same table."""
    fields = {"transformers": "tuple[any, ...]", "transformer_weights": "any", "verbose_feature_names_out": "bool"}
    values = read_fields(state, HEAD | fields | {"output": "any"}, at.where)
    parts = read_parts(values["transformers"], states, at, ("passthrough", "drop"))
    weights = read_weights(values["transformer_weights"], [name for name, _ in parts], at.where)
    made = FeatureUnion([], transformer_weights=weights, verbose_feature_names_out=values["verbose_feature_names_out"])
    check_names([name for name, _ in parts], made, at.where)
    read_output(values["output"], made, at.where)  # before the parts, each of which has its own
    made.transformer_list = parts
    if at.fitted:
        widths = {takes for _, part in parts if (takes := n_in(part)) is not None}
        demand(len(widths) <= 1, at.where, "transformers must take as many columns as one another", sorted(widths))
    return made


# ---- FunctionTransformer --------------------------------------------------------------------------------------------


def write_identity(function: FunctionTransformer, states: States, at: Place) -> dict[str, Any]:
    """What "passthrough" becomes when a union is fitted. One with a function is refused."""
    if function.func is not None or function.inverse_func is not None or function.validate:
        fix = "Use prep's transformers for what it does."
        raise StateError.of(at.where, "a FunctionTransformer that is saved has no function", repr(function), fix)
    names = getattr(function, "feature_names_in_", None)
    return {
        "n_features": int(function.n_features_in_) if at.fitted else None,
        "names": None if names is None or not at.fitted else [str(name) for name in names],
        "named_out": function.feature_names_out == "one-to-one",
        "output": output_of(function),
    }


def read_identity(state: Any, states: States, at: Place) -> FunctionTransformer:
    """The transformer that passes on what it is given."""
    values = read_fields(
        state, HEAD | {"n_features": "any", "names": "any", "named_out": "bool", "output": "any"}, at.where
    )
    made = FunctionTransformer(
        accept_sparse=True, check_inverse=False, feature_names_out="one-to-one" if values["named_out"] else None
    )
    n, names = values["n_features"], read_names(values["names"], at.where)
    demand((type(n) is int and 0 < n < 2**31) if at.fitted else n is None, at.where, "n_features must fit", n)
    demand(names is None or len(names) == n, at.where, "names must be as many as n_features", names)
    if at.fitted:
        made.fit(np.zeros((1, n)))
        if names is not None:
            made.feature_names_in_ = np.array(names, dtype=object)
    read_output(values["output"], made, at.where)
    return made


# ---- what compositions share ----------------------------------------------------------------------------------------


def write_part(part: Any, states: States, at: Place) -> Any:
    """A word ("passthrough", "drop"), or the state of an estimator."""
    return part if isinstance(part, str) else states.write(part, at)


def read_part(state: Any, states: States, at: Place, words: Sequence[str]) -> Any:
    """One of the words, or the estimator of a state."""
    if isinstance(state, str):
        demand(state in words, at.where, f"a word is one of {', '.join(words)}", state)
        return state
    return states.read(state, at)


def read_parts(pairs: Sequence[Any], states: States, at: Place, words: Sequence[str]) -> list[tuple[str, Any]]:
    """Parts by name, at least one."""
    demand(len(pairs) > 0, at.where, "parts are needed", len(pairs))
    parts = []
    for pair in pairs:
        fits = isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str)
        demand(fits, at.where, "each part is a name and a state", pair)
        parts.append((pair[0], read_part(pair[1], states, at.inside(pair[0]), words)))
    return parts


def check_names(names: Sequence[str], made: BaseEstimator, where: str) -> None:
    """Refuses names that scikit-learn would: doubled, with two underscores, or of a parameter."""
    taken = type(made)._get_param_names()
    odd = [name for name in names if "__" in name or name in taken or not name]
    demand(not odd, where, "a name of a part must have no double underscore, and not be a parameter's", odd)
    demand(len(set(names)) == len(names), where, "names of parts must differ", list(names))


def read_names(names: Any, where: str) -> list[str] | None:
    """Names of columns, or None."""
    if names is None:
        return None
    fits = isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names)
    demand(fits and len(set(names)) == len(names) > 0, where, "names must be texts that differ", names)
    return list(names)


def write_weights(weights: Any, where: str) -> dict[str, float] | None:
    """`transformer_weights` as plain data."""
    return None if weights is None else {str(name): float(weight) for name, weight in weights.items()}


def read_weights(weights: Any, names: Sequence[str], where: str) -> dict[str, float] | None:
    """`transformer_weights` of a state."""
    if weights is None:
        return None
    fits = isinstance(weights, Mapping) and all(type(w) in (int, float) and abs(w) < 1e300 for w in weights.values())
    demand(fits and set(weights) <= set(names), where, "transformer_weights must be numbers by names of parts", weights)
    return {str(name): float(weight) for name, weight in weights.items()}
