"""Learning from a table in parts: the same as from the whole, in any number of processes, in bounded memory."""

import csv
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from brickwork.prep import (
    CountEncoder,
    IterativeImputer,
    OneHotEncoder,
    PrepError,
    RobustScaler,
    SchemaError,
    StandardScaler,
    TablePrep,
    TargetEncoder,
    fit_chunks,
)

N = 1000


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": np.where(rng.random(N) < 0.1, np.nan, rng.normal(5, 2, N)),
            "count": rng.integers(0, 9, N),
            "city": np.where(rng.random(N) < 0.1, None, rng.choice(["Bonn", "Köln", "Ulm"], N)),
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, N), unit="D"),
            "price": rng.lognormal(0, 1, N),
        }
    )


@pytest.fixture(scope="module")
def parquet(table, tmp_path_factory):
    pytest.importorskip("pyarrow", reason="Parquet files need pyarrow")
    folder = tmp_path_factory.mktemp("parquet")
    table.iloc[:600].to_parquet(folder / "a.parquet", row_group_size=250)
    table.iloc[600:].to_parquet(folder / "b.parquet", row_group_size=150)
    return folder


@pytest.fixture(scope="module")
def comma(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    table.to_csv(path, index=False)
    return path


def chunks(table, size=130):
    return (table.iloc[start : start + size] for start in range(0, len(table), size))


def same(one, two, table, **how):
    a, b = (np.asarray(t.transform(table), dtype=float) for t in (one, two))
    np.testing.assert_allclose(a, b, **({"rtol": 1e-6, "atol": 1e-6} | how))
    assert list(one.get_feature_names_out()) == list(two.get_feature_names_out())


@pytest.mark.parametrize("made", [TablePrep, lambda: OneHotEncoder(sparse_output=False), CountEncoder])
def test_parquet_tells_what_the_table_tells(made, table, parquet):
    given = table if made is TablePrep else table[["city", "count"]]
    if made is TablePrep:
        found = fit_chunks(made(), parquet, rows=100)
    else:
        found = fit_chunks(made(), chunks(given))
    same(found, made().fit(given), given)
    assert found.n_samples_seen_ == N


def test_the_number_of_processes_and_of_rows_read_at_once_do_not_matter(table, parquet):
    one = fit_chunks(TablePrep(), parquet)
    two = fit_chunks(TablePrep(), sorted(parquet.iterdir()), n_jobs=2)
    assert one.to_state() == two.to_state()
    few = fit_chunks(RobustScaler(), chunks(table[["size", "price"]]), n_jobs=2)
    assert few.to_state() == fit_chunks(RobustScaler(), chunks(table[["size", "price"]])).to_state()


def test_csv_is_read_by_lines(table, comma):
    found = fit_chunks(TablePrep(), comma, rows=90)
    same(found, TablePrep().fit(table), table, rtol=1e-5)
    assert found.schema_[2].missing == table["city"].isna().sum()
    with comma.open(encoding="utf-8", newline="") as file:
        first = dict(zip(table.columns, list(csv.reader(file))[1], strict=True))
    np.testing.assert_allclose(found.transform(first), found.transform(table.head(1)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("library", ["polars", "pyarrow", "records", "dicts"])
def test_tables_of_any_kind_come_one_by_one(library, table):
    given = table[["size", "price"]]
    if library in ("polars", "pyarrow"):
        pytest.importorskip(library, reason=f"{library} is not installed")
    make = {
        "polars": lambda part: __import__("polars").from_pandas(part),
        "pyarrow": lambda part: __import__("pyarrow").Table.from_pandas(part, preserve_index=False),
        "records": lambda part: part.to_dict("records"),
        "dicts": lambda part: part.to_dict("list"),
    }[library]
    found = fit_chunks(StandardScaler(), map(make, chunks(given)))
    same(found, StandardScaler().fit(given), given)


@pytest.mark.parametrize("kind", ["frames", "parquet", "dicts"])
def test_a_column_may_be_the_target(kind, table, parquet):
    given = table[["city", "price"]]
    source = {
        "frames": lambda: chunks(given),
        "parquet": lambda: parquet,
        "dicts": lambda: (part.to_dict("list") for part in chunks(given)),
    }[kind]()
    X = table.drop(columns="price") if kind == "parquet" else given[["city"]]
    whole = TargetEncoder(target_type="continuous").fit(X, table["price"])
    same(fit_chunks(TargetEncoder(target_type="continuous"), source, target="price"), whole, X)


def test_memory_does_not_grow_with_the_table():
    def parts(n):
        rng = np.random.default_rng(0)
        for _ in range(n):
            yield {"a": rng.normal(size=4096), "b": rng.integers(0, 50, 4096)}

    peaks = []
    for n in (20, 200):
        tracemalloc.start()
        fit_chunks(TablePrep(), parts(n))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


# ---- before, during, after -----------------------------------------------------------------------------------------


def unread():
    pytest.fail("was read")
    yield


@pytest.mark.parametrize(
    ("transformer", "text"),
    [
        (
            IterativeImputer(),
            "what parts tell must merge; got IterativeImputer, which looks at the whole table. Use fit",
        ),
        (make_pipeline(StandardScaler()), "a transformer of prep's own is needed; got Pipeline"),
    ],
)
def test_what_can_not_merge_says_so_before_anything_is_read(transformer, text):
    with pytest.raises(PrepError, match=text):
        fit_chunks(transformer, unread())


def test_mistakes_are_told(table, tmp_path):
    scaler = StandardScaler()
    with pytest.raises(PrepError, match=r"an iterable of tables; got DataFrame\. Use fit for one table"):
        fit_chunks(scaler, table)
    with pytest.raises(PrepError, match=r"files that are there; got .*none\.csv"):
        fit_chunks(scaler, tmp_path / "none.csv")
    with pytest.raises(PrepError, match="a folder without any"):
        fit_chunks(scaler, tmp_path)
    with pytest.raises(PrepError, match="a source has rows; got none"):
        fit_chunks(scaler, iter(()))
    with pytest.raises(SchemaError, match=r"the target 'prices' must be a column; got .*nearest: 'price'"):
        fit_chunks(scaler, chunks(table[["price", "size"]]), target="prices")
    with pytest.raises(PrepError, match="rows must be an integer of 1 or more"):
        fit_chunks(scaler, chunks(table), rows=0)
    with pytest.raises(PrepError, match="progress is True, None or a function"):
        fit_chunks(scaler, chunks(table), progress="bar")
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(PrepError, match=r"odd.csv, at or before line 3: 1 cells under 2 names"):
        fit_chunks(scaler, tmp_path / "odd.csv")
    (tmp_path / "odd.csv").write_bytes(b"a,b\n1,\xff\n")
    with pytest.raises(PrepError, match="UTF-8"):
        fit_chunks(scaler, tmp_path / "odd.csv")
    (tmp_path / "odd.parquet").write_bytes(b"no")
    if pytest.importorskip("pyarrow"):
        with pytest.raises(PrepError, match="a file is Parquet or CSV; got"):
            fit_chunks(scaler, tmp_path / "odd.parquet")
    assert not hasattr(scaler, "schema_")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_is_interrupted_or_wrong_leaves_the_transformer_as_it_was(n_jobs, table):
    fitted = StandardScaler().fit({"price": [1.0, 3.0]})
    before = fitted.to_state()

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_chunks(fitted, chunks(table[["price"]]), n_jobs=n_jobs, progress=stop)
    wrong = ({"price": [1.0]}, {"price": ["many"]})
    with pytest.raises(SchemaError, match="column 'price' must hold numbers; got 'many' in row 0"):
        fit_chunks(fitted, iter(wrong), n_jobs=n_jobs)
    assert fitted.to_state() == before


def test_progress_is_told_and_shown(table, parquet, capsys, monkeypatch):
    told = []
    fit_chunks(StandardScaler(), chunks(table[["price"]], 400), progress=lambda *now: told.append(now))
    assert told == [(400, None), (800, None), (1000, None), (1000, 1000)]
    told.clear()
    fit_chunks(TablePrep(), parquet, progress=lambda *now: told.append(now))
    assert told[0] == (250, 1000) and told[-1] == (1000, 1000) and len(told) == 6
    fit_chunks(TablePrep(), parquet, progress=True)
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.splitlines()[-1].startswith(
        "[##############################] 1,000/1,000 rows"
    )
    assert len(shown.err.splitlines()) == 2  # no terminal: the first and the last
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fit_chunks(TablePrep(), parquet, progress=True)
    assert "\r[" in capsys.readouterr().err
