"""Files and frames become the same tables."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarazu.base.errors import DataError
from tarazu.data import Table, read_table
from tarazu.data.tables.csv_file import read_csv, sniff_delimiter


def table_of(text):
    return read_csv(Path("table.csv"), text.encode())


def cells(table, name):
    column = table[name]
    return [column.level_texts[code] if code >= 0 else None for code in column.codes]


def test_lines_of_rows_after_blank_lines_and_cells_that_span_lines():
    table = table_of('a,b\n\n1,"x\ny"\n \n2,z\n')
    assert table.lines.tolist() == [3, 6]
    assert cells(table, "b") == ["x\ny", "z"]


def test_missing_marks_and_blanks():
    table = table_of('a,b\n NA ,1\nn/a,2\nNaN,3\nNULL,4\nnone,5\n?,6\n,7\n" x ",8\n')
    assert cells(table, "a") == [None] * 7 + ["x"]
    assert table["b"].numbers().tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter, end):
    text = end.join(["\ufeffname|price", 'bread, "white"|1,5', '"milk; 1|l"|2']).replace("|", delimiter)
    if delimiter == ",":
        text = text.replace(" white", "").replace('bread, "white"', "bread").replace("1,5", "1.5")
    table = table_of(text)
    assert list(table.columns) == ["name", "price"] and len(table) == 2
    assert cells(table, "name")[1] == f"milk; 1{delimiter}l"


def test_sniffing_prefers_the_delimiter_that_fits_every_row():
    assert sniff_delimiter(b"a;b, c;d\n1,5;2;3,5\n1;2;3\n") == ";"
    assert sniff_delimiter(b"only\n1\n") == ","


def test_gzip_is_known_by_its_content(tmp_path):
    (tmp_path / "t.csv").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read_table(tmp_path / "t.csv")["b"].numbers().tolist() == [2.0]


TEXTS = st.text(st.characters(exclude_categories=["C"], exclude_characters="\u2028\u2029\x85"), max_size=5)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=20))
def test_what_the_csv_module_writes_is_read_back(rows):
    import csv
    import io

    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    table = table_of(out.getvalue())
    direct = Table.from_frame({"a": [first for first, _ in rows], "b": [second for _, second in rows]})
    assert all(cells(table, name) == cells(direct, name) for name in "ab")


@given(st.binary(max_size=40) | st.text('ab1.5;,\t\n\r" é', max_size=40).map(str.encode))
def test_any_bytes_give_a_table_or_a_clear_error(content):
    try:
        table = read_csv(Path("table.csv"), content)
    except DataError as error:
        assert error.path and error.expected and error.fix
    else:
        assert len(table) == len(table.lines)


@pytest.mark.parametrize("kind", ["pandas", "pyarrow", "arrays"])
def test_frames(kind):
    columns = {"n": [1.5, None, 3.0], "i": [1, 2, 3], "t": ["x", None, "NA"], "b": [True, None, False]}
    if kind == "arrays":
        frame = columns
    elif kind == "pandas":
        frame = pytest.importorskip("pandas").DataFrame(columns)
    else:
        frame = pytest.importorskip("pyarrow").table(columns)
    table = Table.from_frame(frame)
    assert np.array_equal(table["n"].numbers(), [1.5, np.nan, 3.0], equal_nan=True)
    assert table["i"].numbers().tolist() == [1.0, 2.0, 3.0]
    assert cells(table, "t") == ["x", None, None] and cells(table, "b") == ["True", None, "False"]


def test_dates_and_nullable_columns():
    pandas = pytest.importorskip("pandas")
    table = Table.from_frame(pandas.DataFrame({
        "d": pandas.to_datetime(["2020-01-31", None]), "i": pandas.array([7, None], dtype="Int64"),
        "c": pandas.Categorical([1, 2])}))
    assert cells(table, "d") == ["2020-01-31 00:00:00", None]
    assert cells(table, "i") == ["7", None]
    assert cells(table, "c") == ["1", "2"] and table["c"].stated_category
    dates = Table.from_frame({"d": np.array(["2020-01-31", "NaT"], dtype="datetime64[D]")})
    assert cells(dates, "d") == ["2020-01-31", None]


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"a": [1, None], "b": ["x", "y"]}), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert cells(table, "a") == ["1", None] and table.path == str(tmp_path / "t.parquet")


def test_drop_missing_keeps_the_lines():
    table = table_of("a,b\n1,2\n,3\n4,5\n").drop_missing("a")
    assert table.lines.tolist() == [2, 4] and table["a"].numbers().tolist() == [1.0, 4.0]


def test_the_import_is_light():
    code = "import sys, tarazu.data; print([m for m in ('narwhals', 'pandas', 'pyarrow', 'gzip') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
