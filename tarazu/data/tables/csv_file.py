"""Reading CSV files into columns, with the line on which each row starts. The `csv` module parses."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import itertools
import re
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tarazu.base.errors import FileFormatError
from tarazu.base.messages import plural
from tarazu.data.columns.column import Column, LevelNumbers, column_of_texts
from tarazu.data.columns.notes import ColumnNote
from tarazu.data.columns.values import MISSING_WORDS
from tarazu.data.tables.files import check_lines, check_text
from tarazu.data.tables.table import Table

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
SNIFFED_BYTES, SNIFFED_ROWS = 1 << 16, 100
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SEP_LINE = re.compile(rb'"?sep=([,;\t|])"?[ \t]*\r?\n', re.IGNORECASE)  # as Excel writes and reads it
BLANK_OR_COMMENT = re.compile(rb"[ \t]*\r?\n|#[^\n]*\n")
LONGEST_CELL, CELLS = 2**23, 8  # characters of a cell in any file, and a part of large ones by this number
BLOCK_ROWS, BLOCK_CELLS = 1_000, 2**20  # held as Python texts at a time: few enough to stay in the cache, and memory

Record = tuple[int, list[str]]


def read_csv(path: Path, data: bytes, missing_words: tuple[str, ...] = MISSING_WORDS,
             on_progress: Callable[[float], None] | None = None, most_columns: int | None = None,
             most_rows: int | None = None) -> Table:
    """The table in the bytes of a CSV file, of which no more than `most_rows` are read. Raises FileFormatError, and for
    more columns than `most_columns` too.
    """
    check_text(path, data)
    stated, skipped, body = split_preamble(data)
    delimiter = stated or sniff_delimiter(body)
    check_lines(path, body, delimiter, skipped)
    buffer = io.BytesIO(body)
    longest = max(LONGEST_CELL, len(body) // CELLS)
    with _long_cells(longest):
        records = read_records(path, buffer, delimiter, skipped, longest)
        header_line, header = next(records, (1, []))
        if not header:
            raise FileFormatError("the file is empty", path=path,
                                  expected="a line of column names, then a line per row",
                                  fix="check that the program that wrote it came to its end")
        names = [cell.strip() for cell in header]
        if names[0].startswith("# "):
            names[0] = names[0][2:].strip()
        if most_columns is not None and len(names) > most_columns:
            raise FileFormatError(f"there are {len(names):,} columns", path=path, line=header_line,
                                  expected=f"at most {most_columns:,}", fix="leave out those that are not needed")
        check_names(path, header_line, names)
        blocks = _blocks(path, itertools.islice(records, most_rows), names, delimiter)
        if on_progress is not None:
            blocks = _watched(blocks, lambda: on_progress(buffer.tell() / len(body)))
        columns, lines = _read_columns(path, blocks, names, missing_words)
    columns, notes = _named(columns)
    table = Table.from_columns(columns, str(path), lines)
    return dataclasses.replace(table, missing_words=missing_words, semicolons=delimiter == ";", notes=notes)


@contextlib.contextmanager
def _long_cells(longest: int) -> Iterator[None]:
    """The `csv` module refuses cells of over 131,072 characters unless it is told otherwise."""
    limit = csv.field_size_limit(longest)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def split_preamble(data: bytes) -> tuple[str, int, bytes]:
    """The delimiter that a first line `sep=;` states (else ""), how many lines come before the column names, and the
    data from there: such a line and lines of comments, which start with #.

    >>> split_preamble(b"sep=;\\n# made in May\\na;b\\n")
    (';', 2, b'a;b\\n')
    """
    data = data.removeprefix(BYTE_ORDER_MARK)
    stated, skipped = "", 0
    if match := SEP_LINE.match(data):
        stated, skipped, data = match[1].decode(), 1, data[match.end():]
    start, end, lines = _last_comment(data)
    if not lines:
        return stated, skipped, data
    comment, rest = data[start:end], data[end:]
    after = rest.split(b"\n", 1)[0]
    mark = (stated or sniff_delimiter(rest)).encode()
    # The names themselves may start with #: "# a,b" as NumPy writes them, "#id,name".
    if comment.count(mark) == after.count(mark) and (after.count(mark) or not comment.startswith(b"# ")):
        lines, rest = lines - 1, data[start:]
    return stated, skipped + lines, rest


def _last_comment(data: bytes) -> tuple[int, int, int]:
    """Where the last comment at the top starts and ends, and its line; comments and blank lines may stand before it."""
    position = line = 0
    found = 0, 0, 0
    while match := BLANK_OR_COMMENT.match(data, position):
        position, line = match.end(), line + 1
        if data.startswith(b"#", match.start()):
            found = match.start(), position, line
    return found


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


def read_records(path: Path, buffer: io.BytesIO, delimiter: str, skipped: int, longest: int) -> Iterator[Record]:
    """The line on which each row starts, and its cells, of at most `longest` characters; blank lines are skipped.
    `skipped` lines came before.
    """
    text = io.TextIOWrapper(buffer, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True)
    line = skipped + 1
    try:
        for cells in reader:
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield line, cells
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):
            raise FileFormatError("a cell of the row that starts here is too long", path=path, line=line,
                                  expected=f"at most {longest:,} characters", fix="check the quotes: one that "
                                  "is not closed makes a cell of all that follows") from error
        raise FileFormatError(f"a quoted cell of the row that starts here does not end properly: {error}", path=path,
                              line=line, expected='cells as abc or "abc"',
                              fix='close the quote, or double a quote inside a quoted cell: "5"" pipe"') from error


def check_names(path: Path, line: int, names: list[str]) -> None:
    """Check that no two columns have the same name; columns may lack one. Raises FileFormatError."""
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if name and first.setdefault(name, number) < number:
            raise FileFormatError(f"columns {first[name] + 1} and {number + 1} have the same name", path=path,
                                  line=line, column=name, expected="a name of its own for each column",
                                  fix="rename one of them in the first line")


def _blocks(path: Path, records: Iterator[Record], names: list[str], delimiter: str) -> Iterator[list[Record]]:
    """Rows as wide as the names, some at a time."""
    rows = max(1, min(BLOCK_ROWS, BLOCK_CELLS // len(names)))
    while block := list(itertools.islice(records, rows)):
        if any(len(cells) != len(names) for _, cells in block):
            block = [record for record in block if not _is_comment(record, names)]
            for _, cells in block:
                _cut_trailing_separators(cells, names)
            _check_widths(path, block, names, delimiter)
        if block:
            yield block


def _watched(blocks: Iterator[list[Record]], after_each: Callable[[], None]) -> Iterator[list[Record]]:
    for block in blocks:
        yield block
        after_each()


def _is_comment(record: Record, names: list[str]) -> bool:
    _, cells = record
    return len(cells) != len(names) and cells[0].startswith("#")


def _cut_trailing_separators(cells: list[str], names: list[str]) -> None:
    """Take the empty cells away that separators at the end of a row make, or give the one that the names have."""
    while len(cells) > len(names) and not cells[-1].strip():
        cells.pop()
    if len(cells) == len(names) - 1 and not names[-1]:
        cells.append("")


def _read_columns(path: Path, blocks: Iterator[list[Record]], names: list[str],
                  missing_words: tuple[str, ...]) -> tuple[list[Column], np.ndarray]:
    numbers = [LevelNumbers() for _ in names]
    codes, lines = deque(array("i") for _ in names), array("i")  # which grow in place: little memory beside the text
    for block in blocks:
        lines.extend([line for line, _ in block])
        columns = zip(*(cells for _, cells in block), strict=True)
        for cells, column_numbers, column_codes in zip(columns, numbers, codes, strict=True):
            column_codes.frombytes(column_numbers.encode(cells).tobytes())
    if not lines:
        raise FileFormatError("the file has a line of column names and no rows", path=path,
                              expected="at least one row below the names", fix="check that it was written completely")
    return [column_of_texts(name, number, np.frombuffer(codes.popleft(), np.int32), missing_words=missing_words)
            for name, number in zip(names, numbers, strict=True)], np.frombuffer(lines, np.int32)


def _named(columns: list[Column]) -> tuple[list[Column], tuple[ColumnNote, ...]]:
    """The columns, those without a name named by their number, or left out if they are empty, with notes of them."""
    kept, notes = [], []
    for number, column in enumerate(columns, start=1):
        if not column.name and column.missing().all():
            continue
        if not column.name:
            column = dataclasses.replace(column, name=f"column {number}")
            notes.append(ColumnNote(column.name, "it has no name in the file"))
        kept.append(column)
    return kept, tuple(notes)


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
