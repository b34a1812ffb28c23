"""Labels to class indices and to columns of zeros and ones, and back."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from ..errors import PrepError, TargetError
from ..frame import one_dtype
from ..params import flags
from ..state import demand
from .base import TargetTransformer
from .values import codes_among, codes_of_labels, labels_at, ordered, plain_labels, read_whole

__all__ = ["LabelBinarizer", "LabelEncoder"]


class Labels(TargetTransformer):
    """What both have: the labels seen, in order, which chunks add to."""

    LEARNED: ClassVar = {"classes": "tuple[label, ...]"}

    classes_: np.ndarray

    def fit(self, y: Any) -> Self:
        """Learns the labels of y (n,)."""
        who = self._who("fit")
        self._check_params(who)
        self.classes_ = one_dtype(codes_of_labels(read_whole(y, who), who)[0])
        return self

    def partial_fit(self, y: Any) -> Self:
        """Adds the labels of y (n,); class indices move where one stands before those known."""
        if not self.__sklearn_is_fitted__():
            return self.fit(y)
        who = self._who("partial_fit")
        return self._add(codes_of_labels(read_whole(y, who), who)[0])

    def merge(self, *others: Self) -> Self:
        """Adds the labels that others, fitted on other rows, have seen."""
        for one in (self, *others):
            one._need_fit(self._who("merge"))
        for other in others:
            self._add(other.classes_.tolist())
        return self

    def _add(self, labels: list[Any]) -> Self:
        self.classes_ = one_dtype(ordered(dict.fromkeys([*self.classes_.tolist(), *labels])))
        return self

    def _codes(self, y: Any, who: str) -> np.ndarray:
        """Class indices int64 (n,); TargetError, with rows, where a label was not there at fit."""
        self._need_fit(who)
        if not len(y):
            return np.zeros(0, dtype=np.int64)
        return codes_among(read_whole(y, who), self.classes_, who)

    def _learned(self) -> dict[str, Any]:
        return {"classes": plain_labels(self.classes_.tolist(), self._who("to_state"))}

    def _restore(self, values: dict[str, Any], where: str) -> None:
        classes = values["classes"]
        demand(len(set(classes)) == len(classes) > 0, where, "classes must be there and differ", classes)
        demand(list(classes) == ordered(classes), where, "classes must be in order", classes)
        self.classes_ = one_dtype(classes)


class LabelEncoder(Labels):
    """Labels to their place among the sorted labels, 0 to k - 1, and back. Equals scikit-learn's of that name.

    Labels are of any hashable type; missing ones are refused.

    Attributes
    ----------
    classes_ : array (k,), the labels in order

    Raises
    ------
    TargetError, a ValueError, with `rows` and `values`: labels missing or, at transform, not seen at fit.

    Examples
    --------
    >>> from brickwork.prep import LabelEncoder
    >>> encoder = LabelEncoder().fit(["Gentoo", "Adelie"])
    >>> encoder.transform(["Adelie", "Gentoo"]).tolist(), encoder.inverse_transform([1]).tolist()
    ([0, 1], ['Gentoo'])
    """

    def transform(self, y: Any) -> np.ndarray:
        """Class indices, int64 (n,), of labels (n,)."""
        return self._codes(y, self._who("transform"))

    def inverse_transform(self, y: Any) -> np.ndarray:
        """Labels of class indices, of their shape."""
        who = self._who("inverse_transform")
        self._need_fit(who)
        values = np.asarray(y)
        if not values.size:
            return self.classes_[:0]
        return labels_at(values, self.classes_, who)


class LabelBinarizer(Labels):
    """Labels to one column per class, and back; of two classes to one column, which marks the second.

    Equals scikit-learn's of that name, but a label not seen at fit is refused, not marked in no column.

    Parameters
    ----------
    neg_label, pos_label : int, default 0 and 1
        What stands elsewhere, and what marks the class.
    sparse_output : bool, default False
        A scipy.sparse.csr_matrix in place of an array; needs a neg_label of 0.

    Attributes
    ----------
    classes_ : array (k,), the labels in order

    Examples
    --------
    >>> from brickwork.prep import LabelBinarizer
    >>> LabelBinarizer().fit_transform(["b", "a", "c"]).tolist()
    [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    """

    def __init__(self, *, neg_label: int = 0, pos_label: int = 1, sparse_output: bool = False):
        self.neg_label = neg_label
        self.pos_label = pos_label
        self.sparse_output = sparse_output

    def _check_params(self, who: str) -> None:
        flags(who, sparse_output=self.sparse_output)
        low, high = self.neg_label, self.pos_label
        if not all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in (low, high)) or low >= high:
            raise PrepError.of(who, "neg_label and pos_label are whole numbers that rise", f"{low!r}, {high!r}")
        if self.sparse_output and (low != 0 or high == 0):
            raise PrepError.of(who, "sparse_output needs a neg_label of 0", repr(low))

    def transform(self, y: Any) -> Any:
        """Int64 (n, k), (n, 1) of two classes, of labels (n,)."""
        codes = self._codes(y, self._who("transform"))
        k = len(self.classes_)
        if k == 2:
            rows, columns = np.flatnonzero(codes), np.zeros(np.count_nonzero(codes), np.int64)
        elif k == 1:  # of one class nothing is marked
            rows = columns = np.zeros(0, np.int64)
        else:
            rows, columns = np.arange(len(codes)), codes
        shape = (len(codes), 1 if k < 3 else k)
        if self.sparse_output:
            return sparse.csr_matrix((np.full(len(rows), self.pos_label, np.int64), (rows, columns)), shape)
        out = np.full(shape, self.neg_label, dtype=np.int64)
        out[rows, columns] = self.pos_label
        return out

    def inverse_transform(self, Y: Any, threshold: float | None = None) -> np.ndarray:
        """Labels (n,) of columns (n, k): the class of the greatest number.

        Of two classes the second where the one column, or the second of two, is above `threshold`, by default halfway
        between both labels.
        """
        who = self._who("inverse_transform")
        self._need_fit(who)
        given = sparse.csr_array(Y) if sparse.issparse(Y) else np.asarray(Y)
        k = len(self.classes_)
        if given.ndim == 1:
            given = given[:, None]
        widths = {1: (1,), 2: (1, 2)}.get(k, (k,))
        if given.ndim != 2 or given.shape[1] not in widths:
            raise TargetError.of(who, f"{k} classes have {widths[0]} columns", f"shape {given.shape}")
        if k > 2:
            found: np.ndarray = self.classes_[np.asarray(given.argmax(axis=1)).ravel()]
            return found
        halfway = (self.neg_label + self.pos_label) / 2 if threshold is None else threshold
        last = given[:, [-1]].toarray() if sparse.issparse(given) else given[:, -1]
        codes = (np.asarray(last).ravel() > halfway).astype(np.int64)
        marked: np.ndarray = self.classes_[np.minimum(codes, k - 1)]
        return marked
