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
from tarazu.data import Table, TableEncoder, read_table
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


def test_a_line_that_states_the_separator():
    table = table_of('sep=;\na;b\n1,5;"x,y,z"\n')
    assert list(table.columns) == ["a", "b"] and table.lines.tolist() == [3]
    assert cells(table_of("sep=|\na,b|c\n1,2|3\n"), "a,b") == ["1,2"]


def test_lines_of_comments():
    table = table_of("# made in May, with it's \"quotes\n#\na,b\n1,2\n# a remark\n3,4\n#5,6\n")
    assert list(table.columns) == ["a", "b"] and cells(table, "a") == ["1", "3", "#5"]
    assert table.lines.tolist() == [4, 6, 7]
    assert list(table_of("# a,b\n1,2\n").columns) == ["a", "b"]  # as numpy.savetxt writes names
    assert list(table_of("#id,b\n1,2\n").columns) == ["#id", "b"]


@pytest.mark.parametrize("text", ["a,b,\n1,2,\n3,4,\n", "a,b\n1,2,\n3,4,\n", "a,b,\n1,2\n3,4\n", "a,b\n1,2,,\n3,4\n"])
def test_separators_at_the_ends_of_lines(text):
    table = table_of(text)
    assert list(table.columns) == ["a", "b"] and cells(table, "b") == ["2", "4"]


def test_a_column_without_a_name_gets_one():
    table = table_of(",b\n1,2\n")
    assert list(table.columns) == ["column 1", "b"]
    assert [str(note) for note in table.notes] == ["column 1: it has no name in the file"]


def test_cells_of_any_length():
    import csv

    before = csv.field_size_limit()
    table = table_of(f"a,b\n{'x' * 200_000},1\n")
    assert len(cells(table, "a")[0]) == 200_000 and csv.field_size_limit() == before


def test_words_that_mean_missing_are_those_that_are_named(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\nNone,1\nNA,1\n-,1\n-999,1\n,1\n")
    assert cells(read_table(tmp_path / "t.csv", missing=["-", "-999"]), "a") == ["None", "NA", None, None, None]
    assert cells(Table.from_frame({"a": ["None", None, "x"]}, missing=[]), "a") == ["None", None, "x"]


def test_whole_numbers_above_2_to_the_53_stay_apart():
    big = 2**53
    texts = [str(big), str(big + 1), str(big + 2)]
    assert cells(table_of("a\n" + "\n".join(texts) + "\n"), "a") == texts
    assert cells(Table.from_frame({"a": np.array([big, big + 1, big + 2])}), "a") == texts
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": pandas.array([big, big + 1, None], dtype="Int64")})
    assert cells(Table.from_frame(frame), "a") == [*texts[:2], None]


def test_spellings_of_one_value_are_one_level():
    assert cells(table_of("a\n1\n1.0\n01\n1e0\nTRUE\ntrue\nFalse\n"), "a") == ["1"] * 6 + ["False"]


def test_names_that_are_numbers_and_missing_values_of_pandas():
    pandas = pytest.importorskip("pandas")
    table = Table.from_frame(pandas.DataFrame({0: [1, 2], 1: ["x", None]}))
    assert list(table.columns) == ["0", "1"]
    frame = pandas.DataFrame({"o": pandas.Series([1, pandas.NA, pandas.NaT, None, "x", np.nan], dtype=object),
                              "d": pandas.to_timedelta([1, 2, None, 4, 5, 6], unit="s")})
    assert cells(Table.from_frame(frame), "o") == ["1", None, None, None, "x", None]
    assert cells(Table.from_frame({"o": list(frame["o"])}), "o") == ["1", None, None, None, "x", None]
    assert cells(Table.from_frame(frame), "d") == ["1", "2", None, "4", "5", "6"]
    assert cells(Table.from_frame({"m": np.ma.array([1, 2], mask=[0, 1])}), "m") == ["1", None]


def test_progress_of_a_large_file():
    shares = []
    read_csv(Path("t.csv"), b"a\n" + b"1\n" * 5000, on_progress=shares.append)
    assert len(shares) == 5 and shares == sorted(shares) and shares[-1] == 1


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


def test_infinite_cells_do_not_make_a_column_of_numbers_texts():
    table = Table.from_frame({"a": ["inf", "1e400", *map(str, range(98))], "y": ["n", "y"] * 50})
    with pytest.raises(DataError, match=r"'inf' is infinite"):
        TableEncoder.fit(table, target="y")
