"""Reading tables: what a cell means, and what is refused in one sentence with its place."""

from pathlib import Path

import pandas as pd
import pytest

from brickwork.cli.errors import Mistake
from brickwork.cli.tables import read_table, with_numbers


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def kinds(path: Path) -> str:
    """`i`, `f` or `s` (text) for each column."""
    return "".join(d.kind if d.kind in "if" else "s" for d in with_numbers(read_table(path)).dtypes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,x\n2,y\n", "is"),
        ("a,b\n1.5,x\n,y\n", "fs"),
        ("a,b\n1,NA\n-2e3,0.5\n", "ff"),
        ("a,b\n01234,1\n90210,0\n", "si"),
        ("a,b\n1_000,1\n2_000,0\n", "si"),
        ("a,b\n1,inf\n2,3\n", "if"),
        ("a,b\n99999999999999999999999,1\n2,1\n", "fi"),
        ("\ufeffa;b\n1;2,5\n2;3,5\n", "is"),
        ("a\tb\n1\t x\n", "is"),
        ("a,b\r\n1,x\r\n\r\n2,y\r\n", "is"),
        ('"a, of b",b\n1,"x\ny"\n', "is"),
    ],
)
def test_numbers_are_found_and_codes_are_kept(write, text: str, expected: str) -> None:
    assert kinds(write(text)) == expected


def test_cells_mean_the_same_in_a_small_table(write) -> None:
    # pandas alone would read the codes of the second table as numbers and lose their zeros.
    both = [read_table(write(text)).frame["code"].tolist() for text in ("code,n\nA1,1\n007,2\n", "code,n\n007,2\n")]
    assert both == [["A1", "007"], ["007"]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the table is empty; a header line and a row are needed."),
        ("\n \n", "the table is empty; a header line and a row are needed."),
        ("a,b\n", "the table has no rows; got only the columns 'a', 'b'."),
        ("a,b,a\n1,2,3\n", "column names must differ; 'a' stands there twice. Rename or drop one."),
        ("a, b,b \n1,2,3\n", "column names must differ; 'b' stands there twice. Rename or drop one."),
        ("a,,b\n1,2,3\n", "each column needs a name; column 2 has none. Is the first line a header?"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 fields; the header names 2 columns. Is a quote or a separator missing?"),
        ("a,b\n1,2,5\n3,4,5\n", "line 2 has 3 fields; the header names 2 columns. Is a quote or a separator missing?"),
        ("a,b\n1,2\n\n3\n", "line 4 has 1 field; the header names 2 columns. Is a quote or a separator missing?"),
        (b"a,b\n1,\xe9\n", "CSV must be UTF-8 text; got the byte 0xe9. Save it as UTF-8."),
        (b"\x1f\x8b\x08\x00\x00\x00", "is neither CSV (UTF-8 text) nor Parquet. Unpack or convert it first."),
    ],
)
def test_bad_csv_is_told_in_one_sentence(write, text: str | bytes, sentence: str) -> None:
    path = write(text)
    with pytest.raises(Mistake) as caught:
        read_table(path)
    assert str(caught.value) == f"{path}: {sentence}"


def test_an_open_quote_is_told(write) -> None:
    with pytest.raises(Mistake, match="cannot be read as CSV"):
        read_table(write('a,b\n1,"2\n3,4\n'))


def test_a_missing_file_suggests_its_neighbour(write) -> None:
    path = write("a\n1\n", "penguins.csv")
    with pytest.raises(Mistake, match=r"pengiuns.csv: no such file. Did you mean 'penguins.csv'\?"):
        read_table(path.with_name("pengiuns.csv"))
    with pytest.raises(Mistake, match="is a folder"):
        read_table(path.parent)
    with pytest.raises(Mistake, match="There is no folder"):
        read_table(path.parent / "nowhere" / "a.csv")


def test_places_are_lines_of_the_file(write) -> None:
    table = read_table(write('a,b\n1,"x\ny"\n\n2,z\n'))
    assert [table.place(row) for row in (0, 1)] == ["line 2", "line 5"]


def test_a_column_of_row_numbers_gets_the_name_pandas_gives_it(write) -> None:
    assert list(read_table(write(",a\n0,5\n1,6\n")).frame) == ["Unnamed: 0", "a"]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[5, 9])
    frame.to_parquet(path)
    table = read_table(path)
    assert list(table.frame) == ["a", "b"] and list(table.frame.index) == [0, 1] and table.place(1) == "row 1"
    frame.rename_axis("code").to_parquet(path)
    assert list(read_table(path).frame) == ["code", "a", "b"]


def test_bad_parquet_is_told(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "table.parquet"
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(Mistake, match="column names must differ; 'a' stands there twice"):
        read_table(path)
    pq.write_table(pa.table({"a": [1]}), path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(Mistake, match="cannot be read as Parquet"):
        read_table(path)


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "table.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(Mistake, match=r"python -m pip install 'brickwork-cli\[parquet\]'"):
        read_table(path)
