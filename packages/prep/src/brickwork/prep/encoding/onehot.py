"""`OneHotEncoder`: a column of zeros and ones for each category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from ..encoder import Encoder
from ..errors import PrepError, bad_values
from ..frame import open_table
from ..ones import ones_at
from ..params import choice, flags
from ..readings import Codes
from ..schema import ColumnSchema
from .categories import (
    Categories,
    CategoryEncoder,
    check_dtype,
    check_rarity,
    common,
    indicators,
    text_of,
)

__all__ = ["OneHotEncoder"]

UNKNOWN = ("error", "ignore", "infrequent_if_exist", "warn")
DROPS = ("first", "if_binary")


class OneHotEncoder(CategoryEncoder):
    """For each category of a column, a column that is 1 in its rows and 0 elsewhere. Equals scikit-learn's.

    3 and 3.0 are one category. Missing values (None, NaN, NaT, NA, blank text) that fit saw are a category of their
    own, the last; where fit saw none they are unknown.

    Parameters
    ----------
    categories : "auto" or list of n_features_in_ lists, default "auto"
        The categories of each column in their order; NaN or None, if there, last. "auto" takes those seen, sorted.
    drop : "first", "if_binary" or list of n_features_in_ categories, optional
        The category that gets no column: the first, the first where there are two, or one named for each column.
        Counted after rare ones are joined.
    sparse_output : bool, default True
        A scipy.sparse.csr_matrix in place of an array; it holds k ones per row, whatever the number of categories.
    dtype : a type of numbers, default float64
    handle_unknown : "error", "ignore", "infrequent_if_exist" or "warn", default "error"
        What is done with a category not known: a SchemaError; no one in its row; the joined rare category's one (none
        where none are joined); that with a UserWarning.
    min_frequency : int or float, optional
        Categories of fewer rows, or of a smaller share of the rows, are joined in one, behind the others.
    max_categories : int, optional
        So many are kept, the joined one among them.
    feature_name_combiner : "concat" or function of (column, category), default "concat"
        How columns that come out are called: `column_category`. What has a function can not be saved as a state.

    Attributes
    ----------
    categories_ : list of arrays, one per column, as `OrdinalEncoder` has them
    drop_idx_ : object array of places in categories_ (None where none is dropped), or None
    infrequent_categories_ : list of arrays or None, the joined ones

    Examples
    --------
    >>> from brickwork.prep import OneHotEncoder
    >>> encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit([["Bonn"], ["Ulm"]])
    >>> encoder.get_feature_names_out().tolist(), encoder.transform([["Ulm"], ["Trier"]]).tolist()
    (['x0_Bonn', 'x0_Ulm'], [[0.0, 1.0], [0.0, 0.0]])
    """

    def __init__(
        self,
        *,
        categories: Any = "auto",
        drop: Any = None,
        sparse_output: bool = True,
        dtype: Any = np.float64,
        handle_unknown: str = "error",
        min_frequency: Any = None,
        max_categories: int | None = None,
        feature_name_combiner: Any = "concat",
    ):
        self.categories = categories
        self.drop = drop
        self.sparse_output = sparse_output
        self.dtype = dtype
        self.handle_unknown = handle_unknown
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.feature_name_combiner = feature_name_combiner

    def _check_params(self, who: str) -> None:
        self._check_categories(who)
        check_dtype(self.dtype, who)
        choice(who, UNKNOWN, handle_unknown=self.handle_unknown)
        check_rarity(self.min_frequency, self.max_categories, who)
        if isinstance(self.drop, str):
            choice(who, DROPS, drop=self.drop)
        elif self.drop is not None and not isinstance(self.drop, (list, tuple, np.ndarray)):
            raise PrepError.of(who, "drop must be 'first', 'if_binary', a list of categories or None", repr(self.drop))
        flags(who, sparse_output=self.sparse_output)
        if not callable(self.feature_name_combiner):
            choice(who, ("concat",), feature_name_combiner=self.feature_name_combiner)

    def _settle(self, statistics: Sequence[Any], schema: Sequence[ColumnSchema], who: str) -> None:
        if self.drop is not None and not isinstance(self.drop, str) and len(self.drop) != len(schema):
            rule = f"drop must name a category for each of {len(schema)} columns"
            raise PrepError.of(who, rule, f"{len(self.drop)} of them")
        super()._settle(statistics, schema, who)

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        kept = self.kept_[schema.name]
        dropped = self._dropped(schema.name, kept, who)
        places = kept.places
        joint = kept.n_places - 1 if kept.rare.any() else -1
        words = kept.words()
        if dropped is not None:
            joint = -1 if joint == dropped else joint - 1 if joint > dropped else joint
            places = np.where(places == dropped, -1, places - (places > dropped))
            del words[dropped]
        index = dict(zip(kept.texts, places.tolist(), strict=False))
        missing = float(places[-1]) if kept.missing else None
        reading = Codes(
            index, joint if self.handle_unknown in ("infrequent_if_exist", "warn") else -1, missing, self._unknown()
        )
        return Encoder(schema.name, tuple(words), indicators(len(words)), reading)

    def _unknown(self) -> Any:
        if self.handle_unknown == "error":
            return "refuse"
        return "warn" if self.handle_unknown == "warn" or self.drop is not None else "take"

    def _dropped(self, name: str, kept: Categories, who: str) -> int | None:
        """The place that gets no column."""
        if self.drop is None:
            return None
        if isinstance(self.drop, str):
            return 0 if self.drop == "first" or kept.n_places == 2 else None
        text = text_of(self.drop[list(self.kept_).index(name)])
        row = len(kept.texts) if text is None and kept.missing else kept.texts.index(text) if text in kept.texts else -1
        if row < 0 or kept.rare[row]:
            rule = f"the category to drop of column {name!r} is one that is kept"
            got = f"{text!r}, which is {'joined with the rare' if row >= 0 else 'not there'}"
            raise PrepError.of(who, rule, got, "Mend drop=.", column=name)
        return int(kept.places[row])

    def _publish(self) -> None:
        super()._publish()
        self.drop_idx_ = None
        if self.drop is not None:
            found: list[Any] = []
            for name, kept in self.kept_.items():
                place = self._dropped(name, kept, self._who("fit"))
                found.append(None if place is None else int(np.flatnonzero(kept.places == place)[0]))
            self.drop_idx_ = np.array(found, dtype=object)

    def _dtype(self, X: Any) -> np.dtype:
        return np.dtype(self.dtype)

    def _values_out(self, name: str) -> np.ndarray:
        """The category of each column that comes of one."""
        kept = self.kept_[name]
        dropped = self._dropped(name, kept, self._who("transform"))
        return kept.of_places() if dropped is None else np.delete(kept.of_places(), dropped)

    def _names(self, names: Sequence[str]) -> list[str]:
        combine = self.feature_name_combiner
        if not callable(combine):
            return super()._names(names)
        own = [one.name for one in self.schema_]
        return [combine(name, value) for name, o in zip(names, own, strict=True) for value in self._values_out(o)]

    def transform(self, X: Any) -> Any:
        """Zeros and ones (n, number of names out), an array or a scipy.sparse.csr_matrix."""
        if not self.sparse_output:
            return super().transform(X)
        who = self._who("transform")
        self._need_fit(who)
        table = open_table(X, who)
        positions = self._positions_in(table, who)
        codes = np.full((table.n_rows, len(positions)), -1, dtype=np.int32)
        for place, (encoder, (start, stop)) in enumerate(zip(self.encoders_, self.spans_, strict=True)):
            if stop > start:
                found = encoder.reading.read(table.column(positions[place]), who)
                codes[:, place] = np.where(found < 0, -1, found + start)
        return ones_at(codes, self.n_features_out_, self.dtype)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The categories (n, n_features_in_) of indicators (n, n_features_out_), an array, frame or sparse matrix.

        A row of zeros is the dropped category where there is one, else None; PrepError where no category is dropped and
        none can be unknown. The joined rare ones are "infrequent_sklearn".
        """
        who = self._who("inverse_transform")
        self._need_fit(who)
        given = sparse.csr_array(X) if sparse.issparse(X) else np.asarray(X)
        if given.ndim != 2 or given.shape[1] != self.n_features_out_:
            raise PrepError.of(who, f"indicators have {self.n_features_out_} columns", f"shape {given.shape}")
        spans = zip(self.kept_, self.spans_, strict=True)
        return common([self._inverse_of(name, given[:, start:stop], who) for name, (start, stop) in spans])

    def _inverse_of(self, name: str, block: Any, who: str) -> np.ndarray:
        kept = self.kept_[name]
        dropped = self._dropped(name, kept, who)
        values, n = self._values_out(name), block.shape[0]
        if not len(values):
            return np.full(n, kept.of_places()[dropped], dtype=kept.of_places().dtype)
        out = values[np.asarray(block.argmax(axis=1)).ravel()]
        zeros = np.flatnonzero(np.asarray(block.sum(axis=1)).ravel() == 0)
        if not len(zeros):
            return out
        if dropped is None and (
            self.handle_unknown == "error" or (self.handle_unknown != "ignore" and kept.rare.any())
        ):
            rule = "has no one in a row, which stands for no category since none is dropped and none can be unknown"
            raise bad_values(who, name, rule, zeros, [0], "Give what transform gave.")
        out = out if dropped is not None and out.dtype == kept.of_places().dtype else out.astype(object)
        out[zeros] = None if dropped is None else kept.of_places()[dropped]
        return out

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
