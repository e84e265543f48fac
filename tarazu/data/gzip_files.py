"""Gzip files: how they begin, and their content."""

from __future__ import annotations

import zlib
from pathlib import Path

from tarazu.base.errors import FileFormatError

GZIP_MAGIC = b"\x1f\x8b"


def unpack(path: Path, data: bytes, *, fix: str = "download or compress it again") -> bytes:
    """The content of a gzip file of the bytes `data`. Raises FileFormatError, with the hint `fix`, if it is damaged."""
    import gzip

    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise FileFormatError(f"the gzip file is damaged or cut short: {error}", path=path,
                              expected="a complete gzip file", fix=fix) from error
