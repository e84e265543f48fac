"""Reading CSV files into columns, with the line on which each row starts. The `csv` module parses."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tarazu.base.errors import FileFormatError
from tarazu.base.messages import plural
from tarazu.data.tables.column import Column, LevelNumbers, column_of_texts
from tarazu.data.tables.files import check_text
from tarazu.data.tables.table import Table

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
SNIFFED_BYTES, SNIFFED_ROWS = 1 << 16, 100
BLOCK_ROWS = 1_000  # rows held as Python texts at a time: few enough to stay in the cache

Record = tuple[int, list[str]]


def read_csv(path: Path, data: bytes) -> Table:
    """The table in the bytes of a CSV file. Raises FileFormatError."""
    check_text(path, data)
    delimiter = sniff_delimiter(data)
    records = read_records(path, data, delimiter)
    header_line, header = next(records, (1, []))
    if not header:
        raise FileFormatError("the file is empty", path=path, expected="a line of column names, then a line per row",
                              fix="check that the program that wrote it came to its end")
    names = [cell.strip() for cell in header]
    check_names(path, header_line, names)
    columns, lines = _read_columns(path, records, names, delimiter)
    return Table.from_columns(columns, str(path), lines)


def sniff_delimiter(data: bytes) -> str:
    """Of the DELIMITERS the one that cuts the most rows at the top of the file as it cuts the header.

    >>> sniff_delimiter(b"name;price\\nbread;1,50\\n")
    ';'
    """
    head = data[:SNIFFED_BYTES]
    if len(data) > len(head):
        head = head[:head.rfind(b"\n") + 1] or head
    lines = head.decode("utf-8-sig", errors="ignore")

    def agreement(delimiter: str) -> tuple[float, int]:
        reader = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, skipinitialspace=True)
        try:
            widths = [len(row) for row in itertools.islice(reader, SNIFFED_ROWS) if row]
        except csv.Error:
            return 0, 0
        if not widths or widths[0] == 1:
            return 0, 0
        return widths.count(widths[0]) / len(widths), widths[0]

    return max(DELIMITERS, key=agreement)


def read_records(path: Path, data: bytes, delimiter: str) -> Iterator[Record]:
    """The line on which each row starts, and its cells; blank lines are skipped."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True)
    line = 1
    try:
        for cells in reader:
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFormatError(f"a quoted cell of the row that starts here does not end properly: {error}", path=path,
                              line=line, expected='cells as abc or "abc"',
                              fix='close the quote, or double a quote inside a quoted cell: "5"" pipe"') from error


def check_names(path: Path, line: int, names: list[str]) -> None:
    """Check that each column has a name of its own. Raises FileFormatError."""
    for number, name in enumerate(names):
        if not name:
            raise FileFormatError(f"column {number + 1} of {len(names)} has no name", path=path, line=line,
                                  expected="a name for each column in the first line",
                                  fix="name it or delete it; pandas leaves its index out with to_csv(..., index=False)")
        if names.index(name) < number:
            raise FileFormatError(f"columns {names.index(name) + 1} and {number + 1} have the same name", path=path,
                                  line=line, column=name, expected="a name of its own for each column",
                                  fix="rename one of them in the first line")


def _read_columns(path: Path, records: Iterator[Record], names: list[str],
                  delimiter: str) -> tuple[list[Column], np.ndarray]:
    numbers = [LevelNumbers() for _ in names]
    codes: list[list[np.ndarray]] = [[] for _ in names]
    lines: list[np.ndarray] = []
    while block := list(itertools.islice(records, BLOCK_ROWS)):
        _check_widths(path, block, names, delimiter)
        lines.append(np.fromiter((line for line, _ in block), np.int64, len(block)))
        columns = zip(*(cells for _, cells in block), strict=True)
        for cells, column_numbers, column_codes in zip(columns, numbers, codes, strict=True):
            column_codes.append(column_numbers.encode(cells))
    if not lines:
        raise FileFormatError("the file has a line of column names and no rows", path=path,
                              expected="at least one row below the names", fix="check that it was written completely")
    return [column_of_texts(name, number, np.concatenate(code))
            for name, number, code in zip(names, numbers, codes, strict=True)], np.concatenate(lines)


def _check_widths(path: Path, block: list[Record], names: list[str], delimiter: str) -> None:
    wrong = next(((line, len(cells)) for line, cells in block if len(cells) != len(names)), None)
    if wrong is None:
        return
    line, width = wrong
    mark = DELIMITERS[delimiter]
    fix = (f'put a cell that contains a {mark} in double quotes: "a{delimiter}b"' if width > len(names)
           else f"fill the row up; an empty cell needs its {mark} too")
    raise FileFormatError(f"this row has {plural(width, 'cell')}", path=path, line=line,
                          expected=f"{len(names)}, as many as there are column names", fix=fix)
