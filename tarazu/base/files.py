"""Writing files so that others see the old or the new content, never a part."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tarazu.base.errors import ArgumentError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A block that writes to the path that it gets; at the end of the block that file replaces `path` atomically.

    After an error in the block the old file stays, and the new one is removed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "note.txt") as unfinished:
    ...         _ = unfinished.write_text("whole")
    ...     (Path(folder) / "note.txt").read_text()
    'whole'
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def require_no_folder(path: Path, example: str) -> None:
    """ArgumentError where a folder is at the path of a file to be written; `example` is the name of such a file.

    >>> require_no_folder(Path("model.stablehlo"), "model.stablehlo")
    """
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder", expected="the path of a file, new or to be replaced",
                            fix=f"choose another path, such as {example}")
