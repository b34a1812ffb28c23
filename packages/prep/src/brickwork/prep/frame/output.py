"""What a transformer gives whose columns are of several kinds: a matrix, or the frame that scikit-learn is set to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Literal

import narwhals.stable.v2 as nw
import numpy as np
from sklearn import get_config

from ..cells import is_missing


def contain(blocks: Sequence[np.ndarray], names: Sequence[str], X: Any, estimator: Any) -> Any:
    """Columns (n,) side by side, in the container that `set_output` or `set_config(transform_output=)` asks for.

    By default a matrix (n, k): of numbers and booleans float32 where all floats are that, else float64; of dates
    datetime64[us]; of anything else, or of several kinds, objects, as scikit-learn's own transformers give them. As
    "pandas" or "polars" a frame in which each column has its own dtype, text that is missing is null, and pandas's rows
    keep the index of X.
    """
    library = _asked_for(estimator)
    if library == "default":
        return _matrix(blocks)
    columns = {name: _cells(name, block, library) for name, block in zip(names, blocks, strict=True)}
    frame = nw.to_native(nw.from_dict(columns, backend=library))
    if library == "pandas" and (index := _index_of(X)) is not None and len(index) == len(frame):
        frame.index = index
    return frame


def text_block(codes: np.ndarray, vocabulary: Sequence[str], missing: Any = np.nan) -> np.ndarray:
    """Str objects (n,) of codes into a vocabulary; `missing`, by default scikit-learn's NaN, where the code is -1."""
    texts: np.ndarray = np.array([*vocabulary, missing], dtype=object)[codes]
    return texts


def _asked_for(estimator: Any) -> Literal["default", "pandas", "polars"]:
    # Where scikit-learn's set_output keeps it; a mixin of its own has the last word, and wraps what is a matrix still.
    own: str | None = getattr(estimator, "_sklearn_output_config", {}).get("transform")
    match own or get_config()["transform_output"]:
        case "pandas":
            return "pandas"
        case "polars":
            return "polars"
    return "default"


def _matrix(blocks: Sequence[np.ndarray]) -> np.ndarray:
    kinds = {block.dtype.kind for block in blocks}
    if kinds <= set("biuf"):
        whole = np.result_type(*(block.dtype for block in blocks if block.dtype.kind != "b"), np.float32)
        dtype: Any = np.float32 if whole == np.float32 and "f" in kinds else np.float64
    else:
        dtype = "datetime64[us]" if kinds == {"M"} else object
    out = np.empty((len(blocks[0]), len(blocks)), dtype=dtype)
    for place, block in enumerate(blocks):
        out[:, place] = block
    return out


def _cells(name: str, block: np.ndarray, library: Literal["pandas", "polars"]) -> Any:
    """A block as narwhals makes a column of it."""
    if block.dtype.kind != "O":
        return np.ascontiguousarray(block)
    values = block.tolist()
    others = [value for value in values if not isinstance(value, str)]
    if all(is_missing(value) for value in others):  # said to be text, since a library sees none where all is missing
        texts = [value if isinstance(value, str) else None for value in values] if others else values
        return nw.new_series(name, texts, nw.String, backend=library)
    return [None if is_missing(value) else value for value in values]


def _index_of(X: Any) -> Any:
    pandas = sys.modules.get("pandas")
    return X.index if pandas is not None and isinstance(X, (pandas.DataFrame, pandas.Series)) else None
