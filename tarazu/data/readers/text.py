"""Text files as samples: the lines of one, or whole ones in folders by class."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tarazu.base.errors import DataError, FileFormatError
from tarazu.data.dataset.dataset import Dataset
from tarazu.data.dataset.stage import Epoch, Item, Stage
from tarazu.data.gzip_files import GZIP_MAGIC, unpack
from tarazu.data.readers.folders import Classes, files_in, labeled

CHUNK_BYTES = 1 << 24  # read at a time to find the ends of lines
LINE_FEED = ord("\n")


def text_lines(path: str | os.PathLike[str]) -> Dataset:
    r"""The lines of a UTF-8 text file, without their ends: samples are texts.

    The file may be larger than memory: only where lines start is kept, and lines are read as they are asked for, so
    that they can be shuffled. A gzip file, whatever its name, is unpacked into memory. Raises DataError where there is
    no such file or no line, FileFormatError for a damaged gzip file, and, when a line is read, where it is not UTF-8.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "haiku.txt"
    ...     _ = file.write_text("old pond\nfrog leaps in\nsplash\n")
    ...     lines = text_lines(file)
    ...     len(lines), lines[1]
    (3, 'frog leaps in')
    """
    file = Path(path)
    try:
        lines = TextLines(file, _unpacked(file))
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", path=file, expected="a text file",
                        fix="check the name and the folder") from error
    if lines.length == 0:
        raise DataError("the file is empty", path=file, expected="at least one line", fix="check that it was written")
    return Dataset(lines)


def text_folder(path: str | os.PathLike[str], labels: str | Sequence[int] | None = "inferred") -> Dataset:
    """The .txt files below a folder: samples are pairs (text, label), with `labels` None texts alone.

    Labels and `class_names` are those of `image_folder`. Raises DataError where there is no folder or no file,
    ArgumentError for labels that do not fit, and, when a sample is read, FileFormatError for a file that is not UTF-8.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for kind, text in [("bad", "too long"), ("good", "a joy")]:
    ...         (Path(folder) / kind).mkdir()
    ...         _ = (Path(folder) / kind / "1.txt").write_text(text)
    ...     reviews = text_folder(folder)
    ...     reviews.class_names, reviews[1][0], int(reviews[1][1])
    (['bad', 'good'], 'a joy', 1)
    """
    files = files_in(path, (".txt",), "text")
    return Dataset(Texts(files.paths, labeled(files, labels)))


class Texts(Stage):
    """Text files, read when they are asked for."""

    parents = ()

    def __init__(self, files: list[Path], classes: Classes) -> None:
        self.files = files
        self.class_names, self.labels = classes

    @property
    def length(self) -> int:
        return len(self.files)

    def get(self, number: int, epoch: Epoch) -> Item:
        file = self.files[number]
        content = file.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FileFormatError(f"byte 0x{content[error.start]:02x} of the file is not UTF-8", path=file,
                                  expected="text in UTF-8", fix="save the file as UTF-8") from error
        return text if self.labels is None else (text, np.int64(self.labels[number]))


def _unpacked(path: Path) -> bytes | None:
    """The content of a gzip file, None for any other."""
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    return unpack(path, path.read_bytes()) if is_gzip else None


def _line_starts(file: BinaryIO) -> np.ndarray:
    """Where each line starts, and the end of the file, in bytes."""
    starts, position = [np.zeros(1, np.int64)], 0
    while chunk := file.read(CHUNK_BYTES):
        starts.append(np.flatnonzero(np.frombuffer(chunk, np.uint8) == LINE_FEED) + position + 1)
        position += len(chunk)
    joined = np.concatenate(starts)
    return joined if joined[-1] == position else np.append(joined, position)


class TextLines(Stage):
    """Lines of a file, read when they are asked for, or of `content` in its place."""

    parents = ()

    def __init__(self, path: Path, content: bytes | None) -> None:
        self.path, self.content = path, content
        with self._open() as file:
            self.starts = _line_starts(file)

    def _open(self) -> BinaryIO:
        return self.path.open("rb") if self.content is None else io.BytesIO(self.content)

    @property
    def length(self) -> int:
        return len(self.starts) - 1

    def get(self, number: int, epoch: Epoch) -> Item:
        first, last = self.starts[number:number + 2].tolist()
        with self._open() as file:
            file.seek(first)
            line = file.read(last - first)
        try:
            return line.decode("utf-8-sig" if number == 0 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise FileFormatError(f"byte 0x{line[error.start]:02x} of the line is not UTF-8", path=self.path,
                                  line=number + 1, expected="text in UTF-8", fix="save the file as UTF-8") from error
