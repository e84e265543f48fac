"""Downloads that go on where they stopped, and are kept only if their checksum is right."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from tarazu.base.errors import DataError
from tarazu.base.files import replacing

if TYPE_CHECKING:
    from http.client import HTTPResponse

BLOCK = 1 << 18  # bytes
TIMEOUT = 30.0  # seconds without an answer
PARTIAL_CONTENT, NOT_SATISFIABLE = 206, 416  # status codes of HTTP
FOLDER = "download the file elsewhere and pass folder=, or set TARAZU_DATA to the folder"


def download(url: str, path: Path, sha256: str) -> Path:
    """The file at `url`, put at `path`, whose folder is made. Gives `path`.

    What arrives is kept beside it, with the suffix .part, so that the next call goes on after a broken connection.
    Raises DataError where the server does not answer or breaks off, and for a wrong checksum, after which nothing is
    kept.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    _fetch(url, part)
    _require_checksum(url, part, sha256)
    with replacing(path) as unfinished:
        part.replace(unfinished)
    return path


def _fetch(url: str, part: Path) -> None:
    """Add to `part` what it lacks, or write it anew where the server cannot start in the middle."""
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            start = start if response.status == PARTIAL_CONTENT else 0
            _append(response, part, start)
    except urllib.error.HTTPError as error:
        if error.code != NOT_SATISFIABLE or not start:  # there is nothing after what has arrived
            raise DataError(f"{url} answers {error.code} {error.reason}", expected="the file", fix=FOLDER) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"{url} could not be downloaded: {reason}", expected="the whole file",
                        fix=f"try again; or {FOLDER}") from error


def _append(response: HTTPResponse, part: Path, start: int) -> None:
    """Write what the server sends behind the first `start` bytes. Raises OSError where it breaks off."""
    total = start + response.length if response.length is not None else None
    size = start
    with part.open("ab" if start else "wb") as file, _bar(part.stem, total) as show:
        while block := response.read(BLOCK):
            file.write(block)
            size += len(block)
            show(size)
    if total is not None and size < total:
        raise OSError(f"the connection broke off after {size:,} of {total:,} bytes, which are kept")


def _require_checksum(url: str, part: Path, sha256: str) -> None:
    """DataError unless the file has the checksum; it is then deleted."""
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        size = part.stat().st_size
        part.unlink()
        raise DataError(f"the {size:,} bytes from {url} have the wrong checksum and were deleted: SHA-256 {digest}",
                        expected=sha256, fix=f"try again; or {FOLDER}")


def _bar(name: str, total: int | None) -> AbstractContextManager[Callable[[float], None]]:
    """A block with a function that shows the bytes that have arrived, in a terminal."""
    if not sys.stderr.isatty():
        return nullcontext(lambda size: None)
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn

    from tarazu.data.late_bar import late_bar

    return late_bar("downloading", name, total, BarColumn(), DownloadColumn(), TimeRemainingColumn(compact=True))
