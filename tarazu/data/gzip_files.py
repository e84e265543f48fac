"""Gzip files: how they begin, and their content, which may not be much larger than they are."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

from tarazu.base.errors import FileFormatError

GROWTH, SLACK = 100, 20 * 2**20  # how many times the packed bytes, and how many more, may come out
BLOCK = 2**20
GZIP_MAGIC = b"\x1f\x8b"


def unpack(path: Path, data: bytes, *, fix: str = "download or compress it again") -> bytes:
    """The content of a gzip file of the bytes `data`. Raises FileFormatError, with the hint `fix`, if it is damaged,
    and as soon as more than GROWTH times its size comes out.
    """
    import gzip

    most, content = GROWTH * len(data) + SLACK, bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while block := file.read(BLOCK):
                content += block
                if len(content) > most:
                    raise FileFormatError(f"more than {most:,} bytes come out of {len(data):,}", path=path,
                                          expected=f"at most {GROWTH} times as many", fix="unpack it yourself, if you "
                                          "trust it, and read that file")
    except (EOFError, OSError, zlib.error) as error:
        raise FileFormatError(f"the gzip file is damaged or cut short: {error}", path=path,
                              expected="a complete gzip file", fix=fix) from error
    return bytes(content)
