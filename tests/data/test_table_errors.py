"""Each kind of bad file, column and target has its own message, and this is its text."""

import gzip
import sys

import numpy as np
import pytest

from tarazu.base.errors import ArgumentError, DataError, FileFormatError, TarazuError
from tarazu.data import Table, TableEncoder, find_target, read_table, split_table

BAD_FILES = {
    "empty": (b"", ": the file is empty", "a line of column names", "came to its end"),
    "only blank lines": (b"\xef\xbb\xbf\n \n", ": the file is empty", "a line of column names", "came to its end"),
    "header only": (b"a,b\n", ": the file has a line of column names and no rows", "at least one row", "completely"),
    "duplicate names": (b"a,b,a\n1,2,3\n", ", line 1, column 'a': columns 1 and 3 have the same name",
                        "a name of its own for each column", "rename one of them in the first line"),
    "latin-1": ("a,b\n1,2\n3,caf\u00e9\n".encode("latin-1"), ", line 3: byte 0xe9 (number 13 in the file) is not UTF-8",
                "text in UTF-8", "iconv -f WINDOWS-1252 -t UTF-8 table.csv > new.csv"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), ": the text is in UTF-16", "UTF-8", "iconv -f UTF-16 -t UTF-8 table.csv"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0", ": this is a PNG image, not text", "a CSV or Parquet file", "export the table"),
    "xlsx": (b"PK\x03\x04\x14\0", ": this is a zip archive or an Excel workbook, not text", "a CSV", "export the"),
    "NUL byte": (b"a,b\n1,\0\n", ", line 2: this is a binary file: byte 6 is a NUL byte", "a CSV", "export the table"),
    "too few cells": (b'a,b,c\n"1\n",2,3\n\n4,5\n', ", line 5: this row has 2 cells", "3, as many as there are",
                      "an empty cell needs its comma too"),
    "one cell": (b"a;b\n1;2\n3\n", ", line 3: this row has 1 cell\n", "2, as many as", "needs its semicolon too"),
    "too many cells": (b"a,b\n1,2\n1,234,5\n", ", line 3: this row has 3 cells", "2, as many as there are column names",
                       'put a cell that contains a comma in double quotes: "a,b"'),
    "open quote": (b'a,b\n1,2\n3,"x\n4,y\n', ", line 3: a quoted cell of the row that starts here does not end",
                   'cells as abc or "abc"', "close the quote"),
    "cut gzip": (gzip.compress(b"a,b\n1,2\n" * 50)[:-9], ": the gzip file is damaged or cut short", "a complete gzip",
                 "download or compress it again"),
    "cut parquet": (b"PAR1\x15\x04", ": this is not a Parquet file, or it is damaged", "a complete Parquet", "again"),
}


def assert_message(error, place, expected, fix):
    problem, expected_line, fix_line = str(error).split("\n  ")
    assert place.rstrip("\n") in problem
    assert expected_line.startswith(f"expected: {expected}")
    assert fix_line.startswith("to mend it: ") and fix in fix_line


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file(tmp_path, name):
    content, problem, expected, fix = BAD_FILES[name]
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(FileFormatError) as caught:
        read_table(path)
    assert_message(caught.value, f"{path}{problem}", expected, fix)


def test_no_such_file(tmp_path):
    (tmp_path / "penguins.csv").touch()
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "pengiuns.csv")
    assert_message(caught.value, "pengiuns.csv: there is no such file", "the path of", "did you mean 'penguins.csv'?")
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "nowhere" / "penguins.csv")
    assert_message(caught.value, "there is no such file", "the path of", "nowhere' is not there either")


def test_folder(tmp_path):
    with pytest.raises(DataError) as caught:
        read_table(tmp_path)
    assert_message(caught.value, f"{tmp_path}: this is a folder", "a file: .csv", "name a file inside it")


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "table.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "table.parquet")
    assert_message(caught.value, "needs the package pyarrow", "pyarrow, or a CSV file", "pip install pyarrow")


def csv_column(*cells):
    return "x,y\n" + "".join(f'"{cell}",{row % 2}\n' for row, cell in enumerate(cells))


MANY = [f"id{row}" for row in range(60)]
BAD_COLUMNS = {  # the cells of feature x, its kind if the user states it; problem, expected, fix
    "stray word": (["12", "13", "abc", "14"], None, ", line 4, column 'x': 'abc' is not a number in a column that is "
                   "mostly numbers (1 of its 4 cells is not)", "numbers only", "--kind x=category"),
    "infinity": (["1", "-inf"], None, ", line 3, column 'x': '-inf' is infinite", "finite numbers", "correct the cell"),
    "words as numbers": (["low", "high"], "number", ", line 2, column 'x': 'low' is not a number", "numbers in this",
                         "--kind x=category"),
    "marks that do not fit": (["1", "1'23", "2"], "number", ", line 3, column 'x': \"1'23\" is not a number", "numbers",
                              "take the thousands separators out of it"),
    "no dates": (["2020-01-31", "soon"], "date", ", line 3, column 'x': 'soon' is not a date", "dates in the order",
                 "correct the cell"),
    "identifiers alone": (MANY, None, ": no column is left to learn from; 'x': 60 distinct texts, for example 'id0'",
                          "a feature besides", "--kind NAME=category keeps a column"),
    "unknown kind": (["1", "2"], "nummer", "'nummer' is not a kind of column (for column 'x')",
                     "one of 'number', 'category', 'date', 'ignore'", "did you mean 'number'?"),
    "nothing left": (["1", "1"], None, ": no column is left to learn from", "a feature besides", "columns that vary"),
    "huge numbers": (["1e300", "-1e300"], None, "column 'x': the numbers are so large that their mean or standard "
                     "deviation overflows", "numbers below about 1e150", "use a larger unit"),
}


@pytest.mark.parametrize("name", BAD_COLUMNS)
def test_bad_column(tmp_path, name):
    cells, kind, problem, expected, fix = BAD_COLUMNS[name]
    path = tmp_path / "table.csv"
    path.write_text(csv_column(*cells))
    with pytest.raises(TarazuError) as caught:
        TableEncoder.fit(read_table(path), target="y", kinds={"x": kind} if kind else None)
    assert_message(caught.value, problem, expected, fix)


def test_kind_for_an_unknown_column():
    with pytest.raises(ArgumentError) as caught:
        TableEncoder.fit(Table.from_frame({"age": [1, 2], "y": [0, 1]}), target="y", kinds={"aeg": "number"})
    assert_message(caught.value, "kinds names a column 'aeg', which the table does not have", "one of 'age', 'y'",
                   "did you mean 'age'?")


BAD_TARGETS = {  # the cells of target y, its kind if stated; problem, expected, fix
    "constant": (["a"] * 4, None, ", column 'y': the target is 'a' in every row", "at least two different", "add rows"),
    "missing": (["1", "NA", "3", ""], None, ", line 3, column 'y': the target is missing in 2 of 4 rows, first here",
                "a value in each row", "table.drop_missing('y')"),
    "rare classes": (["a"] * 2 + ["b"] * 2 + ["c"], None,
                     ", column 'y': each class of the target has fewer than 3 rows", "3 rows of some class",
                     "join classes"),
    "nearly all distinct": (MANY, None, ", column 'y': the target has 60 classes in 60 rows, for example 'id0'",
                            "a class that many rows share", "--kind y=number"),
    "ignored": (["a", "b"], "ignore", "column 'y' is the target and cannot be ignored", "a kind", "another target"),
    "infinite": (["1", "inf"], "number", ", line 3, column 'y': 'inf' is infinite", "finite", "correct the cell"),
    "stray word": (["1.5", "2.5", "x"], None,
                   ", line 4, column 'y': 'x' is not a number in a column", "numbers", "correct"),
    "words as numbers": (["a", "b"], "number", ", line 2, column 'y': 'a' is not a number", "numbers", "correct"),
}


@pytest.mark.parametrize("name", BAD_TARGETS)
def test_bad_target(tmp_path, name):
    cells, kind, problem, expected, fix = BAD_TARGETS[name]
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "".join(f"{row},{cell}\n" for row, cell in enumerate(cells)))
    with pytest.raises(TarazuError) as caught:
        split_table(read_table(path), "y", kinds={"y": kind} if kind else None)
    assert_message(caught.value, problem, expected, fix)


def test_unknown_target():
    with pytest.raises(DataError) as caught:
        find_target(Table.from_frame({"Species": ["a"], "island": ["b"]}), "specis")
    assert_message(caught.value, "there is no column 'specis'", "one of 'Species', 'island'", "did you mean 'Species'?")


def test_errors_when_applied_to_other_tables(tmp_path):
    train = Table.from_frame({"age": [1, 2, 3], "size": [1, 2, 3], "y": ["a", "b", "a"]})
    encoder = TableEncoder.fit(train, target="y")
    with pytest.raises(DataError) as caught:
        encoder.features(Table.from_frame({"ages": [1]}))
    assert_message(caught.value, "columns 'age', 'size' are missing; there are 'ages'",
                   "the columns of training: 'age', 'size'", "add or rename columns")
    (tmp_path / "new.csv").write_text("age,size,y\n1,2,a\n1,tall,c\n")
    new = read_table(tmp_path / "new.csv")
    with pytest.raises(DataError) as caught:
        encoder.features(new)
    assert_message(caught.value, "new.csv, line 3, column 'size': 'tall' is not a number", "numbers",
                   "correct the cell, or empty it so that it counts as unknown")
    with pytest.raises(DataError) as caught:
        encoder.labels(new)
    assert_message(caught.value, "line 3, column 'y': 'c' is not a class that was there in training", "one of 'a', 'b'",
                   "train with rows of this class")
    with pytest.raises(DataError, match=r"column 'size': row 1 \(counted from 0\): 'tall' is not a number"):
        encoder.features(Table.from_frame({"age": [1, 2], "size": ["2", "tall"]}))


BAD_FRAMES = {
    "no frame": ([1, 2], ArgumentError, "a list is not a data frame that can be read", "a data frame", "{'age': ages"),
    "two axes": ({"x": np.zeros((2, 3))}, DataError, "column 'x': its values have shape (2, 3)", "one dim", "name"),
    "lengths": ({"x": [1], "y": [1, 2]}, DataError, "the columns differ in length: {'x': 1, 'y': 2}", "a", "same"),
    "no rows": ({"x": []}, DataError, "the table has no rows", "at least one row", "check how"),
    "same name": ({1: [1], "1": [1]}, DataError, "two columns have the same name", "a name of its own", "rename"),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frame(name):
    frame, kind, problem, expected, fix = BAD_FRAMES[name]
    with pytest.raises(kind) as caught:
        Table.from_frame(frame)
    assert_message(caught.value, problem, expected, fix)


def test_frame_with_repeated_names():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DataError, match="the data frame has two columns of one name"):
        Table.from_frame(pandas.DataFrame([[1, 2]], columns=["a", "a"]))


def test_words_that_mean_missing_are_named_where_all_or_many_cells_are_such():
    with pytest.raises(DataError, match=r"no row has a value in this column: 'NA', 'None' mean missing\n"):
        Table.from_frame({"x": [1, 2], "y": ["None", "NA"]}).drop_missing("y")
    table = Table.from_frame({"x": [*"123456", "-", "-"], "y": ["a", "b"] * 4})
    with pytest.raises(DataError, match=r"'-' is not a number(.|\n)*add it to the words that mean missing"):
        TableEncoder.fit(table, target="y")


def test_a_column_that_varies_outside_of_the_training_rows_is_not_said_to_have_one_value():
    table = Table.from_frame({"x": [1, 2, 3], "y": [2, 3, 4]})
    with pytest.raises(DataError, match="'x': one value only in the 1 training row"):
        TableEncoder.fit(table, target="y", rows=np.array([0]))
