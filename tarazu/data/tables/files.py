"""Reading the bytes of files, and checks that they are text, with an error for each way in which that fails."""

from __future__ import annotations

import codecs
from pathlib import Path

from tarazu.base.errors import DataError, FileFormatError
from tarazu.base.files import require_file
from tarazu.base.spelling import did_you_mean
from tarazu.data.gzip_files import GZIP_MAGIC, unpack

MOST_CELLS, LONGEST_LINE = 100_000, 2**24  # of a line of any file; those of large files may have more:
BYTES_PER_CELL, LINES = 2**9, 4  # a cell for so many bytes of the file, a part of it by this number
BLOCK = 2**20  # bytes that are decoded at a time
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
BINARY_MAGICS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook", b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"GIF8": "a GIF image", b"%PDF": "a PDF document",
    b"BZh": "a bzip2 archive", b"\xfd7zXZ": "an xz archive", b"\x28\xb5\x2f\xfd": "a zstandard archive",
    b"\x89HDF": "an HDF5 file", b"SQLite format 3": "an SQLite database", b"\x93NUMPY": "a NumPy array",
}


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked if it is gzip. Raises DataError or FileFormatError."""
    if path.is_dir():
        raise DataError("this is a folder", path=path, expected="a file: .csv, .csv.gz or .parquet",
                        fix="name a file inside it")
    try:
        require_file(path, "name a file")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("there is no such file", path=path, expected="the path of a .csv, .csv.gz or .parquet file",
                        fix=_nearest_file(path)) from error
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", path=path, expected="a file that you may read",
                        fix="check its permissions") from error
    return unpack(path, data) if data.startswith(GZIP_MAGIC) else data


def _nearest_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {str(path.parent)!r} is not there either: check the path"
    near = did_you_mean(path.name, [other.name for other in path.parent.iterdir() if other.is_file()])
    return near if near.startswith("did") else "check the name and the folder"


def check_text(path: Path, data: bytes) -> None:
    """Check that `data` are UTF-8 text. Raises FileFormatError."""
    fix = "export the table as CSV (UTF-8) and read that file"
    if data.startswith(UTF16_MARKS):
        raise FileFormatError("the text is in UTF-16 (it starts with the UTF-16 byte order mark)", path=path,
                              expected="UTF-8", fix="save it as UTF-8 (in Excel: 'CSV UTF-8'), or run: "
                              f"iconv -f UTF-16 -t UTF-8 {path.name} > new.csv")
    for magic, what in BINARY_MAGICS.items():
        if data.startswith(magic):
            raise FileFormatError(f"this is {what}, not text", path=path, expected="a CSV or Parquet file", fix=fix)
    nul = data.find(b"\0")
    if nul >= 0:
        raise FileFormatError(f"this is a binary file: byte {nul} is a NUL byte", path=path, line=line_of(data, nul),
                              expected="a CSV or Parquet file", fix=fix)
    _check_encoding(path, data)


def _check_encoding(path: Path, data: bytes) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    start = waiting = 0
    try:
        for start in range(0, len(data), BLOCK):
            waiting = len(decoder.getstate()[0])
            decoder.decode(data[start:start + BLOCK], final=start + BLOCK >= len(data))
    except UnicodeDecodeError as error:
        position = start - waiting + error.start
        raise FileFormatError(f"byte 0x{data[position]:02x} (number {position} in the file) is not UTF-8",
                              path=path, line=line_of(data, position), expected="text in UTF-8",
                              fix="save it as UTF-8 (in Excel: 'CSV UTF-8'), or, if it is in the Western encoding of "
                              f"Windows, run: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > new.csv") from error


def check_lines(path: Path, data: bytes, delimiter: str, skipped: int = 0) -> None:
    """FileFormatError for a line that is so long, or of so many cells, that it would fill the memory.

    A column takes about a KB of memory, so there may be many where the file is large. Only lines of more bytes than
    there may be cells are looked at more closely, so that this takes no time. `skipped` lines came before.
    """
    most_cells, longest = max(MOST_CELLS, len(data) // BYTES_PER_CELL), max(LONGEST_LINE, len(data) // LINES)
    end, position = b"\n" if data.find(b"\n", 0, longest) >= 0 else b"\r", 0
    while len(data) - position > most_cells:
        last = data.rfind(end, position, position + most_cells)
        if last < 0:
            last = data.find(end, position, position + longest)
            size = (last if last >= 0 else len(data)) - position
            cells = data.count(delimiter.encode(), position, position + size) + 1
            if size > longest or cells > max(most_cells, size // 50):  # a long cell may have some within it
                raise FileFormatError(f"a line of {cells:,} cells in {size:,} bytes", path=path,
                                      line=skipped + line_of(data, position),
                                      expected=f"at most {most_cells:,} cells in {longest:,} bytes, and more "
                                      "in larger files", fix="put columns into rows, or load such data as arrays")
            last = position + size
        position = last + 1


def line_of(data: bytes, position: int) -> int:
    """The line, from 1, in which the byte at `position` stands."""
    return data.count(b"\n", 0, position) + 1
