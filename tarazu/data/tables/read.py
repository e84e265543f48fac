"""Reading a table from a CSV or Parquet file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tarazu.base.errors import DataError, FileFormatError
from tarazu.data.columns.values import MISSING_WORDS
from tarazu.data.tables.csv_file import read_csv
from tarazu.data.tables.files import read_bytes
from tarazu.data.tables.table import Table

PARQUET_MAGIC = b"PAR1"
MOST_CELLS, MOST_BYTES, GROWTH = 2**22, 2**25, 100  # of any file, and more for each of its bytes


def read_table(path: str | os.PathLike[str], missing: Iterable[str] = MISSING_WORDS, *,
               on_progress: Callable[[float], None] | None = None) -> Table:
    """The table in a CSV file (comma, semicolon, tab or vertical bar; gzip too) or a Parquet file.

    Cells that are empty, or one of the words `missing` in any case (by default NA, N/A, NaN, NaT, null, None and ?),
    are missing. A line `sep=;` at the top, lines of comments that start with # and separators at the ends of lines are
    understood. `on_progress` is called with the share of the file that is read. Raises DataError if there is no such
    file and FileFormatError, with the line, if it is not a proper table.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "people.csv"
    ...     _ = path.write_text("age;city\\n31;Lahore\\nNA;Delhi\\n")
    ...     read_table(path)
    Table(2 rows: age, city)
    """
    path, words = Path(path), tuple(missing)
    data = read_bytes(path)
    if data.startswith(PARQUET_MAGIC) or path.suffix == ".parquet":
        return _read_parquet(path, data, words)
    return read_csv(path, data, words, on_progress)


def _require_fair_size(path: Path, metadata: Any, size: int) -> None:
    """FileFormatError where the footer of a Parquet file tells of more cells or bytes than so small a file may have."""
    cells = metadata.num_rows * metadata.num_columns
    unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    most_cells, most_bytes = MOST_CELLS + GROWTH * size, MOST_BYTES + GROWTH * size
    if not (0 <= cells <= most_cells and 0 <= unpacked <= most_bytes):
        raise FileFormatError(f"{size:,} bytes that tell of {cells:,} cells in {unpacked:,} bytes", path=path,
                              expected=f"at most {most_cells:,} cells in {most_bytes:,} bytes",
                              fix="write it again, or as CSV, if you trust it")


def _read_parquet(path: Path, data: bytes, missing_words: tuple[str, ...]) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError("a Parquet file needs the package pyarrow, which is not installed", path=path,
                        expected="pyarrow, or a CSV file", fix="pip install pyarrow") from error
    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data))
        _require_fair_size(path, file.metadata, len(data))
        frame = file.read()
    except FileFormatError:
        raise
    except Exception as error:  # of a damaged file pyarrow raises errors of several kinds
        raise FileFormatError(f"this is not a Parquet file, or it is damaged: {error}", path=path,
                              expected="a complete Parquet file", fix="write or download it again") from error
    return dataclasses.replace(Table.from_frame(frame, missing_words), path=str(path))
