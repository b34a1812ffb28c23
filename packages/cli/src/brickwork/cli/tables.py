"""Reading a table from a file, so that each cell means the same whatever stands around it.

A CSV file is read as text. `with_numbers` then makes numbers of the columns that hold nothing else, which is how prep
tells a count of rows from a measurement. At predict time text goes straight to prep, which knows from training what
each column is: pandas would read a column of codes one way in a thousand rows and another way in two.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from .errors import Mistake, listed, nearest

_DELIMITERS = ",;\t|"
_CODE = re.compile(r"\s*[+-]?0\d")  # 01234 is a postcode, not the number 1234
_FIELD_LIMIT = 1 << 24  # characters of one CSV field; the csv module's own 131072 is less than an honest document
_PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as read: `frame` has unique column names and a plain 0, 1, ... index."""

    path: Path
    frame: pd.DataFrame
    is_text: bool
    """True for CSV, whose every cell is text or missing."""

    def place(self, row: int) -> str:
        """Where a person finds a row: its line in a CSV file, else its number counted from 0."""
        return f"line {_line_of(self.path, row)}" if self.is_text else f"row {row}"


def read_table(path: Path) -> Table:
    """The table of a CSV or Parquet file, of one row or more.

    CSV: UTF-8, a header line, fields separated by comma, semicolon, tab or bar; what pandas takes for missing (empty,
    NA, NaN, null, None, ...) is missing. Raises `Mistake` naming the file and the line, row or column.
    """
    if not path.exists():
        raise Mistake(f"{path}: no such file.{_near_file(path)}")
    if path.is_dir():
        raise Mistake(f"{path}: is a folder. Name a CSV or Parquet file in it.")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise Mistake(f"{path}: cannot be read: {error.strerror}.") from error
    if not head.strip():
        raise Mistake(f"{path}: the table is empty; a header line and a row are needed.")
    frame = _read_parquet(path) if head.startswith(_PARQUET) else _read_csv(path, head)
    if frame.empty:
        raise Mistake(f"{path}: the table has no rows; got only the columns {listed(frame.columns)}.")
    return Table(path, frame, is_text=not head.startswith(_PARQUET))


def with_numbers(table: Table) -> pd.DataFrame:
    """The frame with numbers in the text columns that hold nothing else (and no codes such as 0042)."""
    if not table.is_text:
        return table.frame
    return table.frame.apply(as_numbers)


def as_numbers(column: pd.Series) -> pd.Series:
    """A column of text as numbers where every value present is one; otherwise as it was."""
    present = column.dropna()
    if present.empty:
        return column
    distinct = pd.Series(present.unique())
    if distinct.str.match(_CODE).any() or pd.to_numeric(distinct, errors="coerce").isna().any():
        return column
    numbers = pd.to_numeric(column)
    return numbers.astype("float64") if numbers.dtype == object else numbers  # whole numbers beyond 64 bits


# ---- CSV ------------------------------------------------------------------------------------------------------------


def _read_csv(path: Path, head: bytes) -> pd.DataFrame:
    if b"\0" in head:
        raise Mistake(f"{path}: is neither CSV (UTF-8 text) nor Parquet. Unpack or convert it first.")
    names, delimiter = _read_header(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # fields that would be thrown away
            frame = pd.read_csv(
                path, sep=delimiter, names=names, header=0, index_col=False, dtype="str", skipinitialspace=True,
                encoding="utf-8-sig",
            )  # fmt: skip
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        _check_lengths(path, len(names))
        raise Mistake(f"{path}: cannot be read as CSV: {error}.") from error
    # pandas fills up a row that is too short, so only a gap in the last column can hide one.
    if frame[names[-1]].isna().any():
        _check_lengths(path, len(names))
    return frame


def _read_header(path: Path) -> tuple[list[str], str]:
    """The column names, which pandas would quietly rename where two are alike, and what separates them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            first = next((line for line in file if line.strip()), "")
        except UnicodeDecodeError as error:
            raise _not_utf8(path, error) from None
    delimiter = max(_DELIMITERS, key=first.count)
    _, names = next(_records(path, delimiter))
    names = [name.strip() for name in names]
    nameless = [str(i + 1) for i, name in enumerate(names) if not name]
    # One column without a name is how pandas and R write row numbers, and prep knows that name for an identifier.
    if len(nameless) == 1 and not names[0]:
        names[0] = "Unnamed: 0"
    elif nameless:
        raise Mistake(f"{path}: each column needs a name; column {nameless[0]} has none. Is the first line a header?")
    _refuse_doubled(path, names)
    return names, delimiter


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line number of its first line, fields) of each record that is not blank, the header first."""
    csv.field_size_limit(_FIELD_LIMIT)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
        line = 1
        try:
            for fields in reader:
                if fields:
                    yield line, fields
                line = reader.line_num + 1
        except csv.Error as error:
            raise Mistake(f"{path}: line {line} cannot be read as CSV: {error}.") from error
        except UnicodeDecodeError as error:
            raise _not_utf8(path, error) from None


def _check_lengths(path: Path, n_columns: int) -> None:
    _, delimiter = _read_header(path)
    for line, fields in _records(path, delimiter):
        if len(fields) != n_columns:
            plural = "" if len(fields) == 1 else "s"
            raise Mistake(
                f"{path}: line {line} has {len(fields)} field{plural}; the header names {n_columns} columns. "
                "Is a quote or a separator missing?"
            )


def _line_of(path: Path, row: int) -> int:
    _, delimiter = _read_header(path)
    return next((line for i, (line, _) in enumerate(_records(path, delimiter)) if i == row + 1), row + 2)


def _not_utf8(path: Path, error: UnicodeDecodeError) -> Mistake:
    return Mistake(f"{path}: CSV must be UTF-8 text; got the byte {error.object[error.start]:#04x}. Save it as UTF-8.")


# ---- Parquet --------------------------------------------------------------------------------------------------------


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        import pyarrow  # noqa: PLC0415 - an extra, and slow to import
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError:
        fix = "python -m pip install 'brickwork-cli[parquet]'"
        raise Mistake(f"{path}: Parquet needs pyarrow, which is not installed. Run {fix}") from None
    try:
        names = pyarrow.parquet.read_schema(path).names
        _refuse_doubled(path, names)
        frame = pd.read_parquet(path, engine="pyarrow")
    except (pyarrow.ArrowException, OSError) as error:
        cause = str(error).strip().splitlines()[0]
        raise Mistake(f"{path}: cannot be read as Parquet: {cause} Take the file from its source again.") from error
    frame = frame.reset_index(drop=frame.index.name is None)
    frame.columns = [str(name) for name in frame.columns]
    return frame


def _refuse_doubled(path: Path, names: list[Any]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1}, key=names.index)
    if doubled:
        raise Mistake(f"{path}: column names must differ; {listed(doubled)} stands there twice. Rename or drop one.")


def _near_file(path: Path) -> str:
    try:
        others = [other.name for other in path.parent.iterdir() if other.is_file()]
    except OSError:
        return f" There is no folder {path.parent} either."
    return nearest(path.name, others)
