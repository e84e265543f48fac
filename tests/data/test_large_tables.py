"""Tables that are large in one way, as ordinary data are, are read; the bounds grow with the file."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tarazu.base.errors import FileFormatError
from tarazu.data.gzip_files import unpack
from tarazu.data.tables import csv_file, files
from tarazu.data.tables.read import read_table


def wide(path, columns, rows):
    path.write_text("".join(",".join(cells) + "\n" for cells in
                            [[f"c{i}" for i in range(columns)], *[[str(i % 7) for i in range(columns)]] * rows]))
    return path


def test_large_files_may_have_more_columns(tmp_path, monkeypatch):
    for name, value in {"MOST_CELLS": 10, "LONGEST_LINE": 1000, "BYTES_PER_CELL": 64}.items():
        monkeypatch.setattr(files, name, value)
    assert read_table(wide(tmp_path / "many.csv", 20, 40)).columns["c19"].numbers().tolist() == [5.0] * 40
    with pytest.raises(FileFormatError, match=r"line 1: a line of 20 cells in 69 bytes\n.*at most 10 cells in 1,000 "):
        read_table(wide(tmp_path / "few.csv", 20, 3))


def test_large_files_may_have_longer_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "LONGEST_CELL", 100)
    long = tmp_path / "long.csv"
    long.write_text("a,b\n" + f"1,{'x' * 300}\n" * 10)
    assert read_table(long).columns["b"].level_texts == ["x" * 300]
    long.write_text("a,b\n" + f"1,{'x' * 300}\n" * 2)
    with pytest.raises(FileFormatError, match=r"long.csv, line 2: a cell .* is too long\n  expected: at most 100 char"):
        read_table(long)


def test_wide_rows_are_held_a_few_at_a_time(tmp_path, monkeypatch):
    path = wide(tmp_path / "wide.csv", 30, 50)
    whole = read_table(path)
    monkeypatch.setattr(csv_file, "BLOCK_CELLS", 64)
    in_blocks = read_table(path)
    assert list(in_blocks.columns) == list(whole.columns)
    assert all(np.array_equal(x.numbers(), whole.columns[name].numbers()) for name, x in in_blocks.columns.items())
    assert in_blocks.lines.tolist() == list(range(2, 52))


def test_zeros_are_unpacked():
    packed = gzip.compress(b"0,0,0,0,0,0,0,0,0,0\n" * 1_000_000, 1)
    assert len(packed) * 140 < len(unpack(Path("zeros.csv.gz"), packed)) == 20_000_000
    with pytest.raises(FileFormatError, match=r"zeros.csv.gz: more than [\d,]+ bytes come out of [\d,]+\n.*100 times"):
        unpack(Path("zeros.csv.gz"), gzip.compress(bytes(30 * 2**20)))
