"""How many columns a fitted estimator takes and gives, and whether as a sparse matrix."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

__all__ = ["gives_sparse", "n_in", "n_out"]


def n_in(part: Any) -> int | None:
    """The columns that a part takes; None where it takes any."""
    if isinstance(part, str):
        return None
    if isinstance(part, (Pipeline, FeatureUnion)):
        parts = part.steps[:1] if isinstance(part, Pipeline) else part.transformer_list
        return next((takes for _, one in parts if (takes := n_in(one)) is not None), None)
    return getattr(part, "n_features_in_", None)


def n_out(part: Any, given: int | None) -> int | None:
    """The columns that a part gives when it is given so many; None where that is not known."""
    if isinstance(part, str):
        return given if part == "passthrough" else 0
    if isinstance(part, FunctionTransformer):
        return part.n_features_in_
    if isinstance(part, Pipeline):
        for _, step in part.steps:
            given = n_out(step, given)
        return given
    if isinstance(part, FeatureUnion):
        return _sum([n_out(one, given) for _, one in part.transformer_list])
    if isinstance(part, ColumnTransformer):
        return max((span.stop for span in part.output_indices_.values()), default=0)
    return len(part.get_feature_names_out()) if hasattr(part, "get_feature_names_out") else None


def _sum(widths: list[int | None]) -> int | None:
    known = [width for width in widths if width is not None]
    return sum(known) if len(known) == len(widths) else None


def gives_sparse(part: Any) -> bool:
    """Whether a fitted part gives sparse matrices."""
    if isinstance(part, Pipeline):
        return any(gives_sparse(step) for _, step in part.steps[-1:])
    if isinstance(part, FeatureUnion):
        return any(gives_sparse(one) for _, one in part.transformer_list)
    return bool(getattr(part, "sparse_output_" if isinstance(part, ColumnTransformer) else "sparse_output", False))
