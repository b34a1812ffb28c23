"""Where tables come from in parts: Parquet files by row groups, CSV files by lines, anything that gives tables."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import PrepError

__all__ = ["Part", "Source", "open_source"]

GAPS = frozenset(("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A"))
"""Cells of a CSV file without a value."""

FIELD = 1 << 24  # characters of one cell; the csv module's own 131,072 is less than an honest document


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows: `read()` gives them as one or more tables, and may run in another process."""

    read: Callable[[], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Source:
    """Parts in order, which can be gone through once; `n_rows` of all of them, None where that is not known."""

    parts: Iterable[Part]
    n_rows: int | None = None


def open_source(source: Any, rows: int, who: str) -> Source:
    """A path (a file, or a folder of them), a list of paths, or an iterable of tables.

    Nothing but the ends of Parquet files is read yet.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return _of_files(_files_in(path) if path.is_dir() else [path], rows, who)
    if isinstance(source, (list, tuple)) and source and all(isinstance(one, (str, os.PathLike)) for one in source):
        return _of_files([Path(one) for one in source], rows, who)
    if isinstance(source, Mapping) or hasattr(source, "shape") or not hasattr(source, "__iter__"):
        rule = "a source is the path of Parquet or CSV files, or an iterable of tables"
        raise PrepError.of(who, rule, type(source).__name__, "Use fit for one table.")
    return Source(Part(partial(_one, table)) for table in source)


def _one(table: Any) -> Iterator[Any]:
    yield table


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in (".parquet", ".pq", ".csv"))


def _of_files(paths: list[Path], rows: int, who: str) -> Source:
    lost = [path for path in paths if not path.is_file()]
    if lost or not paths:
        raise PrepError.of(who, "a source is files that are there", f"{lost[0]}" if lost else "a folder without any")
    comma = [path.suffix.lower() in (".csv", ".tsv", ".txt") for path in paths]
    if all(comma):
        return Source(part for path in paths for part in _csv_parts(path, rows, who))
    if any(comma):
        raise PrepError.of(who, "files are of one kind", ", ".join(path.name for path in paths[:5]))
    return _of_parquet(paths, rows, who)


# ---- Parquet --------------------------------------------------------------------------------------------------------


def _of_parquet(paths: list[Path], rows: int, who: str) -> Source:
    parquet = _parquet(who)
    parts, total = [], 0
    for path in paths:
        try:
            with parquet.ParquetFile(path) as file:
                total += file.metadata.num_rows
                parts += [Part(partial(_row_group, path, group, rows)) for group in range(file.num_row_groups)]
        except (OSError, ValueError) as cause:  # what pyarrow raises is one of these
            raise PrepError.of(who, "a file is Parquet or CSV", f"{path}: {cause}") from None
    return Source(parts, total)


def _row_group(path: Path, group: int, rows: int) -> Iterator[Any]:
    from pyarrow import Table  # noqa: PLC0415 - as below

    with _parquet("fit_chunks").ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=rows, row_groups=[group]):
            if batch.num_rows:
                yield Table.from_batches([batch])


def _parquet(who: str) -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an optional third party, in its one room
    except ImportError:
        fix = "pip install brickwork-prep[parquet]"
        raise PrepError.of(who, "Parquet files need pyarrow", "none installed", fix) from None
    return parquet


# ---- CSV ------------------------------------------------------------------------------------------------------------


def _csv_parts(path: Path, rows: int, who: str) -> Iterator[Part]:
    """Cells as text, since what a column is can not be known from its first rows; prep reads numbers from text."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        before = csv.field_size_limit(FIELD)
        try:
            head = file.read(1 << 16)
            file.seek(0)
            lines = csv.reader(file, _dialect(head))
            names = next(lines, None)
            if not names:
                raise PrepError.of(who, "a CSV file has a header line", f"{path}: none")
            while block := list(islice(lines, rows)):
                table = _columns(names, [cells for cells in block if cells], path, lines.line_num, who)
                if table:
                    yield Part(partial(_one, table))
        except (csv.Error, UnicodeDecodeError) as cause:
            raise PrepError.of(who, "a CSV file is UTF-8 text in columns", f"{path}: {cause}") from None
        finally:
            csv.field_size_limit(before)


def _dialect(head: str) -> Any:
    try:
        return csv.Sniffer().sniff(head, delimiters=",;\t|")
    except csv.Error:  # one column
        return csv.excel


def _columns(names: list[str], block: list[list[str]], path: Path, last: int, who: str) -> dict[str, list[Any]]:
    odd = next((cells for cells in block if len(cells) != len(names)), None)
    if odd is not None:
        got = f"{path}, at or before line {last}: {len(odd)} cells under {len(names)} names"
        raise PrepError.of(who, "lines of a CSV file have one length", got)
    if len(set(names)) < len(names):
        raise PrepError.of(who, "column names must differ from one another", f"{path}: {', '.join(names[:5])}")
    columns = zip(*block, strict=True)
    return {
        name: [None if cell in GAPS else cell for cell in cells] for name, cells in zip(names, columns, strict=False)
    }
