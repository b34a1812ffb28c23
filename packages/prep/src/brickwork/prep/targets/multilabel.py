"""`MultiLabelBinarizer`: several labels per row to a matrix of zeros and ones, and back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from ..cells import is_missing
from ..errors import SHOWN, PrepError, TargetError, bad_values, quote, quote_rows
from ..frame import one_dtype
from ..params import flags
from ..state import demand
from .base import TargetTransformer
from .values import ordered, plain_labels

__all__ = ["MultiLabelBinarizer"]


class MultiLabelBinarizer(TargetTransformer):
    """Lists, sets or tuples of labels, one per row, to one column per label, and back. Equals scikit-learn's.

    A row without labels is an empty list. A label not seen at fit has no column: a UserWarning names it.

    Parameters
    ----------
    classes : list of labels, optional
        The columns, in this order; without, those seen at fit, sorted.
    sparse_output : bool, default False
        A scipy.sparse.csr_matrix in place of an array.

    Attributes
    ----------
    classes_ : array (k,), the labels in the order of columns

    Raises
    ------
    TargetError, a ValueError, with `rows` and `values`, where a row is no list of labels: a text is none.

    Examples
    --------
    >>> from brickwork.prep import MultiLabelBinarizer
    >>> binarizer = MultiLabelBinarizer().fit([["calm", "wet"], ["cold"], []])
    >>> binarizer.classes_.tolist(), binarizer.transform([["wet", "cold"]]).tolist()
    (['calm', 'cold', 'wet'], [[0, 1, 1]])
    """

    LEARNED: ClassVar = {"classes": "tuple[label, ...]"}

    classes_: np.ndarray

    def __init__(self, *, classes: Any = None, sparse_output: bool = False):
        self.classes = classes
        self.sparse_output = sparse_output

    def _check_params(self, who: str) -> None:
        flags(who, sparse_output=self.sparse_output)
        if self.classes is not None and (isinstance(self.classes, str) or len(set(self.classes)) != len(self.classes)):
            raise PrepError.of(who, "classes must be labels that differ", quote(self.classes))

    def fit(self, y: Any) -> Self:
        """Learns the labels of y, n lists of labels."""
        who = self._who("fit")
        self._check_params(who)
        rows = _rows_of(y, who)
        self.classes_ = one_dtype(list(self.classes) if self.classes is not None else ordered(_distinct(rows, who)))
        return self

    def partial_fit(self, y: Any) -> Self:
        """Adds the labels of y; columns move where one stands before those known."""
        who = self._who("partial_fit")
        return self._add(_distinct(_rows_of(y, who), who)) if self.__sklearn_is_fitted__() else self.fit(y)

    def merge(self, *others: Self) -> Self:
        """Adds the labels that others, fitted on other rows, have seen."""
        for one in (self, *others):
            one._need_fit(self._who("merge"))
        for other in others:
            self._add(other.classes_.tolist())
        return self

    def _add(self, labels: Any) -> Self:
        if self.classes is None:
            self.classes_ = one_dtype(ordered(dict.fromkeys([*self.classes_.tolist(), *labels])))
        return self

    def transform(self, y: Any) -> Any:
        """Int64 (n, k), 1 where a row has the label of the column."""
        who = self._who("transform")
        self._need_fit(who)
        lists = _rows_of(y, who)
        index = {label: place for place, label in enumerate(self.classes_.tolist())}
        places = np.array([index.get(label, -1) for label in chain.from_iterable(lists)], dtype=np.int64)
        rows = np.repeat(np.arange(len(lists)), np.array([len(row) for row in lists], dtype=np.int64))
        if (places < 0).any():
            self._tell_unknown(lists, rows[places < 0], index, who)
            rows, places = rows[places >= 0], places[places >= 0]
        shape = (len(lists), len(index))
        if self.sparse_output:
            out = sparse.csr_matrix((np.ones(len(rows), np.int64), (rows, places)), shape)
            out.data[:] = 1  # a label that a row names twice
            return out
        out = np.zeros(shape, dtype=np.int64)
        out[rows, places] = 1
        return out

    def _tell_unknown(self, lists: list[Any], rows: np.ndarray, index: Mapping[Any, int], who: str) -> None:
        rows = np.unique(rows)
        unknown = dict.fromkeys(label for row in rows[:SHOWN].tolist() for label in lists[row] if label not in index)
        what = f"{who}: labels not seen at fit have no column; got {quote(unknown)} in {quote_rows(rows)}."
        warnings.warn(what, UserWarning, stacklevel=3)

    def inverse_transform(self, Y: Any) -> list[tuple[Any, ...]]:
        """A tuple of labels for each row of a matrix (n, k) of zeros and ones."""
        who = self._who("inverse_transform")
        self._need_fit(who)
        given = sparse.csr_array(Y) if sparse.issparse(Y) else np.asarray(Y)
        if given.ndim != 2 or given.shape[1] != len(self.classes_):
            raise TargetError.of(who, f"there are {len(self.classes_)} columns", f"shape {given.shape}")
        values = given.data if sparse.issparse(given) else given
        if not np.isin(values, (0, 1)).all():
            fix = "Compare probabilities with a threshold first."
            raise TargetError.of(who, "a matrix of labels holds 0 and 1", quote(np.unique(values).tolist()), fix)
        rows, columns = given.nonzero()
        ends = np.cumsum(np.bincount(rows, minlength=given.shape[0]))[:-1]
        labels = self.classes_.tolist()
        named = np.split(columns[np.argsort(rows, kind="stable")], ends)
        return [tuple(labels[place] for place in sorted(row.tolist())) for row in named]

    def _learned(self) -> dict[str, Any]:
        return {"classes": plain_labels(self.classes_.tolist(), self._who("to_state"))}

    def _restore(self, values: dict[str, Any], where: str) -> None:
        classes = values["classes"]
        demand(len(set(classes)) == len(classes), where, "classes must differ", classes)
        right = ordered(classes) if self.classes is None else list(self.classes)
        demand(list(classes) == right, where, "classes must be in order", classes)
        self.classes_ = one_dtype(classes)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.two_d_labels = True
        tags.target_tags.one_d_labels = False
        return tags


def _rows_of(y: Any, who: str) -> list[Any]:
    """The labels of each row, as lists; TargetError where a row is a text, missing or no list."""
    named = next((name for name in ("to_list", "to_pylist", "tolist") if hasattr(y, name)), None)
    rows = list(getattr(y, named)() if named else y)
    kinds = {type(row) for row in rows}
    odd = {kind for kind in kinds if issubclass(kind, (str, bytes, Mapping)) or not hasattr(kind, "__iter__")}
    if odd:
        wrong = [i for i, row in enumerate(rows) if type(row) in odd]
        gap = is_missing(rows[wrong[0]])
        fix = "Give [] for a row without labels." if gap else "Wrap it: ['label']."
        values = [rows[i] for i in wrong[:SHOWN]]
        raise bad_values(who, "target", "must hold lists of labels", np.array(wrong), values, fix, TargetError)
    return [row if isinstance(row, (list, tuple)) else list(row) for row in rows]


def _distinct(rows: list[Any], who: str) -> list[Any]:
    try:
        return list(dict.fromkeys(chain.from_iterable(rows)))
    except TypeError as cause:
        raise TargetError.of(who, "labels are hashable", str(cause)) from None
