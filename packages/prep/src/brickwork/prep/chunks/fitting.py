"""`fit_chunks`: a transformer learns from parts of a table that never are in memory together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any, TypeVar

from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone

from ..errors import PrepError, SchemaError, nearest, quote
from ..frame import open_table
from ..frame.choosing import take_columns
from ..frame.target import read_target
from ..params import whole
from ..transformer import Transformer
from .progress import teller
from .sources import Part, open_source

__all__ = ["fit_chunks"]

AT_ONCE = 16  # parts that are merged together

Fitted = TypeVar("Fitted", bound=Transformer)


def fit_chunks(
    transformer: Fitted,
    source: Any,
    *,
    target: str | None = None,
    rows: int = 131_072,
    n_jobs: int = 1,
    progress: bool | Callable[[int, int | None], None] | None = None,
) -> Fitted:
    """Fits a transformer to a table that is read in parts; it is fitted in place and returned.

    Each part is learned from by itself, and what was learned is merged in the parts' order: the result does not depend
    on `n_jobs`. Statistics of parts tell what those of the whole tell, exactly for counts, ranges and quantiles (which
    are kept to a part of a value beyond 8,192 distinct ones), to rounding for moments.

    Parameters
    ----------
    transformer : one of prep's whose statistics merge, all but GroupImputer, IterativeImputer and the like
    source : path or list of paths or iterable of tables
        Parquet files (read by row groups; needs pyarrow), CSV files (UTF-8 with a header; cells stay text, of which
        numbers, dates and words for true and false are read), a folder of such files, or tables of any kind one by one.
    target : str, default None
        The column that is y and no part of X.
    rows : int, default 131072
        The most rows of a file that are in memory at a time, in each process.
    n_jobs : int, default 1
        Processes (joblib's), -1 for one per CPU.
    progress : True, or a function called with (rows done, rows in all or None), default None
        True writes a bar to the error stream.

    Raises
    ------
    PrepError : before anything is read, where the statistics can not merge; where a file can not be read

    Interrupted or failing, it leaves the transformer as it was.

    Examples
    --------
    >>> from brickwork.prep import StandardScaler, fit_chunks
    >>> parts = ({"a": [float(i), i + 1.0]} for i in range(0, 100, 2))
    >>> fit_chunks(StandardScaler(), parts).mean_
    array([49.5])
    """
    who = "fit_chunks"
    _check(transformer, who)
    whole(who, rows=rows)
    tell = teller(progress, who)
    opened = open_source(source, rows, who)
    done = 0

    def told(learned: Iterator[Any]) -> Iterator[Any]:
        nonlocal done
        for part in learned:
            if part is not None:
                done += part.schema_[0].n
                if done != opened.n_rows:
                    tell(done, opened.n_rows)
                yield part

    with closing(_learned(clone(transformer), opened.parts, target, n_jobs)) as learned:
        merged = _merged(told(learned))
    if merged is None:
        raise PrepError.of(who, "a source has rows", "none")
    tell(done, done)
    params = transformer.get_params(deep=False)
    vars(transformer).update({name: value for name, value in vars(merged).items() if name not in params})
    return transformer


def _check(transformer: Any, who: str) -> None:
    if not isinstance(transformer, Transformer):
        fix = "Fit its parts one after another; each may be a TablePrep, a StandardScaler, ..."
        raise PrepError.of(who, "a transformer of prep's own is needed", type(transformer).__name__, fix)
    if not (hasattr(transformer, "merge") and hasattr(transformer, "partial_fit")):
        got = f"{type(transformer).__name__}, which looks at the whole table"
        raise PrepError.of(who, "what parts tell must merge", got, "Use fit, on a sample that fits in memory.")


def _learned(model: Any, parts: Any, target: str | None, n_jobs: int) -> Iterator[Any]:
    """What each part tells, in order, as soon as it is known and no sooner than it is asked for."""
    if n_jobs == 1:
        yield from (_learn(model, part, target) for part in parts)
        return
    with Parallel(n_jobs=n_jobs, batch_size=1) as pool:
        # A few parts for each process at a time, no more: what is read must not pile up.
        few = 4 * effective_n_jobs(n_jobs)
        parts = iter(parts)
        while taken := list(islice(parts, few)):
            yield from pool(delayed(_learn)(model, part, target) for part in taken)


def _learn(model: Any, part: Part, target: str | None) -> Any:
    """A transformer fitted to one part; None for a part without rows."""
    pairs = (_split(table, target) for table in part.read())
    return _merged(clone(model).fit(X, y) for X, y in pairs)


def _merged(parts: Iterator[Any]) -> Any:
    """What all parts tell; None where there is none. Some at a time, since after each merge all is derived anew."""
    merged: Any = None
    waiting: list[Any] = []
    for part in parts:
        if merged is None:
            merged = part
            continue
        waiting.append(part)
        if len(waiting) == AT_ONCE:
            merged.merge(*waiting)
            waiting.clear()
    return merged.merge(*waiting) if waiting else merged


def _split(table: Any, target: str | None) -> tuple[Any, Any]:
    if target is None:
        return table, None
    names = list(open_table(table, "fit_chunks").names)
    if target not in names:
        got = f"columns {quote(names)}{nearest(target, names)}"
        raise SchemaError.of("fit_chunks", f"the target {target!r} must be a column", got, column=target)
    place = names.index(target)
    y, _ = read_target(_column(table, target, place), "fit_chunks")
    return take_columns(table, [i for i in range(len(names)) if i != place]), y


def _column(table: Any, name: str, place: int) -> Any:
    taken = take_columns(table, [place])
    if isinstance(taken, dict):
        return taken[name]
    return [record[name] for record in taken] if isinstance(taken, list) else taken
