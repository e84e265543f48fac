"""CSV and Parquet files larger than memory: read in blocks of rows by pyarrow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, DataError, FileFormatError
from tarazu.base.extras import require
from tarazu.base.messages import listing
from tarazu.base.pytree import flatten
from tarazu.base.spelling import did_you_mean
from tarazu.data.dataset.stage import Epoch, InOrder, Item

BLOCK_ROWS = 1 << 14
CSV_BLOCK_BYTES = 1 << 22

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class TableFiles(InOrder):
    """Rows of files, in order. With a target samples are (x, y), x a float32 row of numbers; else dicts by column."""

    def __init__(self, paths: Paths, columns: Sequence[str] | None, target: str | None) -> None:
        require("pyarrow", "a table larger than memory", error=DataError)
        self.files = [Path(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
        if not self.files:
            raise ArgumentError("an empty list of files", expected="at least one", fix="check how it was made")
        for file in self.files:
            if not file.is_file():
                raise DataError("there is no such file", path=file, expected="the path of a table",
                                fix="check the name and the folder")
        names = self._names(self.files[0])
        for name in [*(columns or []), *([] if target is None else [target])]:
            if name not in names:
                raise DataError("there is no such column", path=self.files[0], column=name,
                                expected=f"one of {listing(names)}", fix=did_you_mean(name, names))
        self.target = target
        self.columns = [name for name in (names if columns is None else columns) if name != target]
        if not self.columns:
            raise ArgumentError("no column beside the target", expected="at least one", fix="name it in columns=")

    def _names(self, file: Path) -> list[str]:
        raise NotImplementedError

    def _batches(self, file: Path, skip: int) -> Iterator[Any]:
        """Record batches of a file, where it says how many rows it has without its first `skip`."""
        raise NotImplementedError

    def _rows_in(self, file: Path) -> int | None:
        """How many rows a file has, if it says so."""
        return None

    def _read(self, epoch: Epoch) -> Iterator[Item]:
        yield from self._rows(0)

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        return enumerate(self._rows(start), start)

    def _rows(self, start: int) -> Iterator[Item]:
        for block in self.blocks(Epoch(), start):
            leaves, structure = flatten(block)
            for row in zip(*leaves, strict=True):
                yield structure.rebuild(row)

    def blocks(self, epoch: Epoch, start: int = 0) -> Iterator[Item]:

        skip, is_empty = start, True
        for file in self.files:
            rows = self._rows_in(file)
            if rows is not None and rows <= skip:
                skip -= rows
                continue
            try:
                for batch in self._batches(file, 0 if rows is None else skip):
                    skipped = min(skip, batch.num_rows) if rows is None else 0
                    skip -= skipped
                    if batch.num_rows > skipped:
                        is_empty = False
                        yield self._block(file, batch.slice(skipped))
            except Exception as error:  # of a damaged file pyarrow raises errors of several kinds
                raise _damaged(file, error) from error
            skip = skip if rows is None else 0
        if is_empty and not start:
            raise DataError("the table has no rows", path=self.files[0], expected="at least one",
                            fix="check that it was written completely")

    def _block(self, file: Path, batch: Any) -> Item:
        arrays = {name: _array(batch.column(name)) for name in self._wanted()}
        if self.target is None:
            return arrays
        for name in self.columns:
            if arrays[name].dtype.kind not in "fiub":
                raise DataError(f"it holds no numbers ({batch.schema.field(name).type})", path=file, column=name,
                                expected="columns of numbers beside the target", fix="leave it out: columns=[...]; or "
                                "read without target= and encode it in a map")
        x = np.column_stack([arrays[name] for name in self.columns]).astype(np.float32)
        y = arrays[self.target]
        return x, y.astype(np.float32) if y.dtype.kind == "f" else y

    def _wanted(self) -> list[str]:
        return [*self.columns, *([] if self.target is None else [self.target])]


class ParquetFiles(TableFiles):
    """Rows of Parquet files; row groups that are skipped are not read."""

    can_start = True

    @property
    def length(self) -> int:
        return sum(map(self._rows_in, self.files))

    def _names(self, file: Path) -> list[str]:
        return list(self._open(file).schema_arrow.names)

    def _open(self, file: Path) -> Any:
        import pyarrow
        import pyarrow.parquet

        try:
            return pyarrow.parquet.ParquetFile(file)
        except Exception as error:  # of a damaged file pyarrow raises errors of several kinds
            raise _damaged(file, error) from error

    def _rows_in(self, file: Path) -> int:
        return self._open(file).metadata.num_rows

    def _batches(self, file: Path, skip: int) -> Iterator[Any]:
        with self._open(file) as opened:
            for group in range(opened.num_row_groups):
                rows = opened.metadata.row_group(group).num_rows
                if skip >= rows:
                    skip -= rows
                    continue
                for batch in opened.iter_batches(BLOCK_ROWS, [group], self._wanted()):
                    if skip < batch.num_rows:
                        yield batch.slice(skip)
                    skip = max(skip - batch.num_rows, 0)


class CsvFiles(TableFiles):
    """Rows of CSV files."""

    def _names(self, file: Path) -> list[str]:
        with self._open(file) as reader:
            try:
                return list(reader.schema.names)
            except UnicodeDecodeError as error:
                raise _damaged(file, error) from error

    def _open(self, file: Path, **options: Any) -> Any:
        import pyarrow
        from pyarrow import csv

        from tarazu.data.tables.csv_file import SNIFFED_BYTES, sniff_delimiter

        try:
            with pyarrow.input_stream(str(file)) as head:
                delimiter = sniff_delimiter(head.read(SNIFFED_BYTES))
            return csv.open_csv(file, read_options=csv.ReadOptions(block_size=CSV_BLOCK_BYTES),
                                parse_options=csv.ParseOptions(delimiter=delimiter),
                                convert_options=csv.ConvertOptions(**options))
        except Exception as error:  # of a damaged file pyarrow raises errors of several kinds
            raise _damaged(file, error) from error

    def _batches(self, file: Path, skip: int) -> Iterator[Any]:
        with self._open(file, include_columns=self._wanted()) as reader:
            yield from reader


def _array(column: Any) -> np.ndarray:
    """A column of pyarrow as an array; missing numbers are NaN."""
    return np.array(column.to_numpy(zero_copy_only=False))


def _damaged(file: Path, error: Exception) -> FileFormatError:
    return FileFormatError(f"the table cannot be read: {error}", path=file, expected="a complete CSV or Parquet file, "
                           "with values of one type in each column", fix="check it with tz.data.read_table")
