"""Text files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from tarazu.base.files import replacing


def write_text(path: str | os.PathLike, text: str) -> Path:
    """Writes `text` in UTF-8 to `path`: under another name first, then renamed, so that a crash spares the old file.

    Raises OSError where the folder is missing or may not be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "note.txt", "ਤਰਾਜ਼ੂ").read_text(encoding="utf-8")
    'ਤਰਾਜ਼ੂ'
    """
    path = Path(path)
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
    return path
