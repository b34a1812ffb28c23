"""`KBinsDiscretizer` and `Binarizer`: numbers to intervals."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from ..column_wise import ColumnWise
from ..columns import Column, as_numbers
from ..encoder import Encoder
from ..evaluation import evaluate
from ..formula import Formula, bucket, constant, is_missing, number, one_hot, where
from ..ones import ones_at
from ..params import choice, finite, whole
from ..schema import ColumnSchema
from ..statistics import Moments, Quantiles

__all__ = ["Binarizer", "KBinsDiscretizer"]

_NARROW = 1e-8  # bins of quantiles are joined where they are narrower


class KBinsDiscretizer(ColumnWise):
    """Which of `n_bins` intervals a number is in, as its place or one-hot.

    Equals scikit-learn's of that name. A missing number stays NaN as a place, and is in no interval one-hot. The
    edges of "kmeans" are midway between the centres of clusters, which are those of the values that
    `statistics.Quantiles` keeps.

    Parameters
    ----------
    n_bins : int, default 5
    encode : "onehot" (a SciPy CSR matrix), "onehot-dense" or "ordinal"
    strategy : "quantile" (as many values in each), "uniform" (as wide each) or "kmeans"
    quantile_method : "averaged_inverted_cdf" (NumPy's name; a value that occurs) or "linear"

    Attributes
    ----------
    bin_edges_ : list of float64 arrays; n_bins_ : int64 (n_features_in_,)

    Examples
    --------
    >>> from brickwork.prep import KBinsDiscretizer
    >>> X = [[0.0], [1.0], [2.0], [10.0]]
    >>> KBinsDiscretizer(2, encode="ordinal", strategy="uniform").fit_transform(X).ravel().tolist()
    [0.0, 0.0, 0.0, 1.0]
    """

    STATISTICS: ClassVar = (Moments, Quantiles)

    def __init__(
        self,
        n_bins: int = 5,
        *,
        encode: str = "onehot",
        strategy: str = "quantile",
        quantile_method: str = "averaged_inverted_cdf",
    ):
        self.n_bins = n_bins
        self.encode = encode
        self.strategy = strategy
        self.quantile_method = quantile_method

    def _check_params(self, who: str) -> None:
        whole(who, 2, n_bins=self.n_bins)
        choice(who, ("onehot", "onehot-dense", "ordinal"), encode=self.encode)
        choice(who, ("quantile", "uniform", "kmeans"), strategy=self.strategy)
        choice(who, ("averaged_inverted_cdf", "linear"), quantile_method=self.quantile_method)

    def _gather(self, column: Column, who: str) -> Moments | Quantiles:
        if self.strategy == "uniform":
            return Moments()
        if self.strategy == "kmeans":
            return Quantiles()
        n = int(np.count_nonzero(~np.isnan(as_numbers(column, who))))
        return Quantiles(np.unique([share for pair in self._shares(n) for share in pair]))

    def _shares(self, n: int) -> list[tuple[float, float]]:
        """For each edge the two shares whose quantiles, linear between ranks, have it for their mean."""
        shares = np.linspace(0, 1, self.n_bins + 1)
        if self.quantile_method == "linear" or n < 2:
            return [(share, share) for share in shares.tolist()]
        places = shares * n
        above = np.ceil(places - 1e-9).clip(1, n)
        meet = (np.abs(places - np.round(places)) < 1e-9) & (places > 0.5)  # a whole rank: the mean of it and the next
        upper = np.where(meet, above + 1, above).clip(1, n)
        return list(zip(((above - 1) / (n - 1)).tolist(), ((upper - 1) / (n - 1)).tolist(), strict=True))

    def _edges(self, found: Any) -> np.ndarray:
        if not found.n:
            return np.array([-np.inf, np.inf])
        if self.strategy == "uniform":
            if found.low == found.high:
                return np.array([-np.inf, np.inf])
            # Halves, since the distance of two finite numbers may be infinite.
            steps = np.linspace(0, 1, self.n_bins + 1)
            far = found.high / 2 - found.low / 2 > 4e307
            return (
                found.low * (1 - steps) + found.high * steps
                if far
                else np.linspace(found.low, found.high, self.n_bins + 1)
            )
        if found.at(0.0) == found.at(1.0):
            return np.array([-np.inf, np.inf])
        if self.strategy == "kmeans":
            return self._between_clusters(found)
        edges = np.array([found.at(a) / 2 + found.at(b) / 2 for a, b in self._shares(found.n)])
        wide = np.concatenate([[True], np.diff(edges) > _NARROW])
        return edges[wide]

    def _between_clusters(self, found: Quantiles) -> np.ndarray:
        from sklearn.cluster import KMeans  # noqa: PLC0415 - takes as long to import as all of this package

        values = found.middles()
        clusters = min(self.n_bins, len(values))
        low, high = found.at(0.0), found.at(1.0)
        steps = np.linspace(low, high, clusters + 1)
        start = ((steps[1:] + steps[:-1]) * 0.5)[:, None]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer values than bins: some centres are one
            means = KMeans(n_clusters=clusters, init=start, n_init=1)
            means.fit(values[:, None], sample_weight=found.counts)
        centres = np.sort(means.cluster_centers_[:, 0])
        return np.unique([low, *((centres[1:] + centres[:-1]) * 0.5), high])

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        edges = self._edges(statistic)
        bins = len(edges) - 1
        x = number()
        place: Formula = bucket(x, edges[1:-1]) if bins > 1 else where(is_missing(x), constant(1), constant(0))
        if self.encode == "ordinal":
            return Encoder(schema.name, ("",), (where(is_missing(x), x, place),))
        # NaN is behind the last edge: moved out of the intervals it is in none.
        place = where(is_missing(x), constant(-1), place)
        return Encoder(schema.name, tuple(f"{float(i)}" for i in range(bins)), (one_hot(place, bins),))

    def _computes(self) -> bool:
        return True

    def _give(self, table: Any, positions: Sequence[int], X: Any, who: str) -> Any:
        if self.encode != "onehot":
            return super()._give(table, positions, X, who)
        places = np.full((table.n_rows, len(positions)), -1, dtype=np.int32)
        for i, (encoder, (start, _), position) in enumerate(zip(self.encoders_, self.spans_, positions, strict=True)):
            one_hot_of: Any = encoder
            values = one_hot_of.reading.read(table.column(position), who)
            (bins,) = evaluate(one_hot_of.formulas[0].inputs, [values])
            places[:, i] = np.where(bins < 0, -1, bins + start)
        return ones_at(places, self.n_features_out_, self._dtype(X))

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The middle of each interval (n, n_features_in_), of what transform gave."""
        who = self._who("inverse_transform")
        self._need_fit(who)
        given = X.toarray() if sparse.issparse(X) else np.asarray(X, np.float64)
        out = np.full((len(given), self.n_features_in_), np.nan)
        for column, ((start, stop), edges) in enumerate(zip(self.spans_, self.bin_edges_, strict=True)):
            middles = np.append((edges[1:] + edges[:-1]) / 2, np.nan)
            block = given[:, start:stop]
            if self.encode == "ordinal":
                place = np.where(np.isnan(block[:, 0]), len(middles) - 1, block[:, 0])
            else:
                place = np.where(block.any(axis=1), block.argmax(axis=1), len(middles) - 1)
            out[:, column] = middles[place.astype(np.int64)]
        return out

    def _publish(self) -> None:
        self.bin_edges_ = [self._edges(found) for found in self.statistics_]
        self.n_bins_ = np.array([len(edges) - 1 for edges in self.bin_edges_])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class Binarizer(ColumnWise):
    """1 where a number is above the threshold, 0 elsewhere; NaN stays NaN. Equals scikit-learn's of that name.

    Parameters
    ----------
    threshold : float, default 0.0

    Examples
    --------
    >>> from brickwork.prep import Binarizer
    >>> Binarizer(threshold=2.0).fit_transform([[1.0], [2.0], [3.0]]).tolist()
    [[0.0], [0.0], [1.0]]
    """

    STATISTICS: ClassVar = (Moments,)

    def __init__(self, *, threshold: float = 0.0):
        self.threshold = threshold

    def _check_params(self, who: str) -> None:
        finite(who, threshold=self.threshold)

    def _gather(self, column: Column, who: str) -> Moments:
        return Moments()

    def _encoder(self, schema: ColumnSchema, statistic: Any, who: str) -> Encoder:
        x = number()
        return Encoder(schema.name, ("",), (where(is_missing(x), x, x > float(self.threshold)),))
