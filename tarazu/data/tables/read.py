"""Reading a table from a CSV or Parquet file."""

from __future__ import annotations

import os
from pathlib import Path

from tarazu.base.errors import DataError, FileFormatError
from tarazu.data.tables.csv_file import read_csv
from tarazu.data.tables.files import read_bytes
from tarazu.data.tables.table import Table

PARQUET_MAGIC = b"PAR1"


def read_table(path: str | os.PathLike[str]) -> Table:
    """The table in a CSV file (comma, semicolon, tab or vertical bar; gzip too) or a Parquet file.

    Cells that are empty or say NA, N/A, NaN, null, None or ? (in any case) are missing. Raises DataError if there is
    no such file and FileFormatError, with the line, if it is not a proper table.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "people.csv"
    ...     _ = path.write_text("age;city\\n31;Lahore\\nNA;Delhi\\n")
    ...     read_table(path)
    Table(2 rows: age, city)
    """
    path = Path(path)
    data = read_bytes(path)
    if data.startswith(PARQUET_MAGIC) or path.suffix == ".parquet":
        return _read_parquet(path, data)
    return read_csv(path, data)


def _read_parquet(path: Path, data: bytes) -> Table:
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
    table = Table.from_frame(frame)
    return Table(table.columns, str(path))
