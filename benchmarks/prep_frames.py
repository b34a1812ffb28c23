"""What it costs to read a column of each dtype from each library: `hatch run bench:frames [--rows N]`.

Milliseconds of CPU time, one thread, of `open_table(X).column(0)`, the median of several; the floor is a copy of as
many float64. Below, microseconds of one row of twenty mixed columns (`open_row`). It needs pandas, polars and pyarrow.
"""

import argparse
import gc
import os
import statistics
import time
import timeit
from collections.abc import Iterator
from datetime import datetime
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = "1"  # before the libraries look at them

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from brickwork.prep.frame import open_row, open_table

ROUNDS = 7
LIBRARIES = ("NumPy", "list", "pandas", "pandas nullable", "pandas on Arrow", "polars", "Arrow")


def columns(n: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """(dtype, column by library) of n rows."""
    rng = np.random.default_rng(0)
    gaps = rng.random(n) < 0.1
    floats, whole, truth = rng.normal(size=n), rng.integers(-(10**6), 10**6, n), rng.random(n) < 0.5
    yield "float64", of_array(floats)
    yield "float64, 10% missing", of_arrow(pa.array(floats, mask=gaps)) | {"NumPy": np.where(gaps, np.nan, floats)}
    yield "int64", of_array(whole)
    yield "int64, 10% missing", of_arrow(pa.array(whole, mask=gaps))
    yield "bool", of_array(truth)
    yield "bool, 10% missing", of_arrow(pa.array(truth, mask=gaps))
    for k in (5, 10_000, n):
        words = np.array([f"word-{i}" for i in range(k)], dtype=object)
        texts = rng.permutation(words) if k == n else words[rng.integers(0, k, n)]
        of_text = of_arrow(pa.array(texts)) | {"NumPy": texts, "list": texts.tolist(), "pandas": pd.Series(texts)}
        yield f"text of {k:,} values", of_text | {"pandas nullable": pd.Series(texts, dtype="string[python]")}
        if k < n:
            coded = {"pandas": pd.Series(texts).astype("category"), "Arrow": pa.array(texts).dictionary_encode()}
            yield f"categorical of {k:,}", coded | {"polars": pl.Series(texts).cast(pl.Categorical)}
    ticks = rng.integers(0, 10**15, n)
    moments = ticks.view("M8[us]")
    yield "datetime, microseconds", of_array(moments) | {"list": moments.tolist()}
    yield "datetime, nanoseconds", of_array(moments.astype("M8[ns]"))
    yield "datetime with a zone", of_arrow(pa.array(moments).cast(pa.timestamp("us", "Asia/Tokyo")))
    yield "date", of_arrow(pa.array(moments.astype("M8[D]"))) | {"list": moments.astype("M8[D]").tolist()}
    yield "duration", of_array((ticks // 1000).view("m8[us]"))
    yield "time of day", of_arrow(pa.array(ticks % 86_400_000_000, pa.time64("us")))
    yield "decimal", of_arrow(pa.array(whole).cast(pa.decimal128(19)).cast(pa.decimal128(21, 2)))


def of_array(values: np.ndarray) -> dict[str, Any]:
    """A NumPy array in every library."""
    return {"NumPy": values, "pandas": pd.Series(values), "polars": pl.Series(values), "Arrow": pa.array(values)}


def of_arrow(values: Any) -> dict[str, Any]:
    """An Arrow array in every library that holds gaps."""
    on_arrow = pd.Series(pd.array(values, dtype=pd.ArrowDtype(values.type)))
    found = {"Arrow": values, "polars": pl.Series(values), "pandas on Arrow": on_arrow}
    if values.null_count:
        found["pandas nullable"] = on_arrow.convert_dtypes(dtype_backend="numpy_nullable")
    return found


def table(column: Any) -> Any:
    """A table of one column, as the library of the column has it."""
    match column:
        case pa.Array():
            return pa.table({"c": column})
        case pl.Series():
            return pl.DataFrame({"c": column})
        case pd.Series():
            return pd.DataFrame({"c": column})
    return {"c": column}


def milliseconds(call: Any) -> float:
    """Median CPU time of a call."""
    taken = []
    for _ in range(ROUNDS):
        gc.collect()
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return statistics.median(taken) * 1e3


def rows() -> dict[str, Any]:
    """One row of eight numbers, eight texts, two dates and two booleans, in every form that `open_row` takes."""
    row = {f"number {i}": i + 0.5 for i in range(8)} | {f"text {i}": f"word {i}" for i in range(8)}
    row |= {"date 0": datetime(2024, 1, 1), "date 1": datetime(2024, 1, 2), "yes": True, "no": False}
    arrow = pa.Table.from_pylist([row])
    frame = pd.DataFrame([row])
    return {"dict": row, "list of one dict": [row], "polars": pl.DataFrame([row]), "Arrow": arrow, "pandas": frame,
            "pandas nullable": frame.convert_dtypes(dtype_backend="numpy_nullable"),
            "pandas on Arrow": arrow.to_pandas(types_mapper=pd.ArrowDtype)}  # fmt: skip


def main() -> None:
    """Prints both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    n = parser.parse_args().rows
    pa.set_cpu_count(1)
    source = np.arange(float(n))
    print(f"pandas {pd.__version__}, polars {pl.__version__}, pyarrow {pa.__version__}, NumPy {np.__version__}")
    print(f"floor: a copy of {n:,} float64 takes {milliseconds(source.copy):.2f} ms\n")
    print(f"| dtype | {' | '.join(LIBRARIES)} |\n|---|{'---|' * len(LIBRARIES)}")
    for dtype, held in columns(n):
        cells = []
        for library in LIBRARIES:
            if library in held:
                X = table(held[library])
                cells.append(f"{milliseconds(lambda X=X: open_table(X, 'bench').column(0)):.1f}")
            else:
                cells.append("")
        print(f"| {dtype} | {' | '.join(cells)} |", flush=True)
    print("\n| one row | us |\n|---|---|")
    for label, X in rows().items():
        taken = timeit.repeat(lambda X=X: open_row(X), timer=time.process_time, number=500, repeat=ROUNDS)
        print(f"| {label} | {statistics.median(taken) / 500 * 1e6:.1f} |")


if __name__ == "__main__":
    main()
