"""Reading a table from a CSV or Parquet file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from tarazu.base.errors import DataError, FileFormatError
from tarazu.data.columns.values import MISSING_WORDS
from tarazu.data.tables.csv_file import read_csv
from tarazu.data.tables.files import read_bytes
from tarazu.data.tables.table import Table

PARQUET_MAGIC = b"PAR1"


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


def _read_parquet(path: Path, data: bytes, missing_words: tuple[str, ...]) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError("a Parquet file needs the package pyarrow, which is not installed", path=path,
                        expected="pyarrow, or a CSV file", fix="pip install pyarrow") from error
    try:
        frame = pyarrow.parquet.read_table(pyarrow.BufferReader(data))
    except (pyarrow.ArrowException, OSError) as error:
        raise FileFormatError(f"this is not a Parquet file, or it is damaged: {error}", path=path,
                              expected="a complete Parquet file", fix="write or download it again") from error
    return dataclasses.replace(Table.from_frame(frame, missing_words), path=str(path))
