"""Writing files so that others see the old or the new content, never a part; and checks of the paths that are read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tarazu.base.errors import ArgumentError, FileFormatError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A block that writes to the path that it gets; at the end of the block that file replaces `path` atomically.

    The new content is on the disk before it has the name, so that a loss of power spares one of both.

    After an error in the block the old file stays, and the new one is removed. ArgumentError for the path of a device
    or a pipe: a file would take its place.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "note.txt") as unfinished:
    ...         _ = unfinished.write_text("whole")
    ...     (Path(folder) / "note.txt").read_text()
    'whole'
    """
    _require_replaceable(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield unfinished
        _to_disk(unfinished)
        unfinished.replace(path)
        _to_disk(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def set_aside(path: Path, aside: Path) -> Iterator[None]:
    """A block in which the file or folder at `path`, if there is one, is at `aside`; after an error it is put back.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     note = Path(folder) / "note.txt"
    ...     _ = note.write_text("old")
    ...     with set_aside(note, Path(folder) / "old.txt"):
    ...         _ = note.write_text("new")
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['note.txt', 'old.txt']
    """
    if not path.exists():
        yield
        return
    path.rename(aside)
    try:
        yield
    except BaseException:
        aside.rename(path)
        raise


def _require_replaceable(path: Path) -> None:
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ArgumentError(f"{path} is a device or a pipe", expected="the path of a file, new or to be replaced",
                            fix="choose another path; /dev/stdout and the like are no files")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are missing; ArgumentError where a file is in the way.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_folder(Path(folder) / "runs" / "first")
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        there = next(path for path in (folder, *folder.parents) if path.exists() or path.is_symlink())
        raise ArgumentError(f"{there} is a file, so that nothing can be written in it", expected="a folder, or nothing",
                            fix="choose another path, or move the file away") from None


def _to_disk(path: Path) -> None:
    """Let what was written to a file, or the names in a folder, outlast a loss of power."""
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened there
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_no_folder(path: Path, example: str) -> None:
    """ArgumentError where a folder is at the path of a file to be written; `example` is the name of such a file.

    >>> require_no_folder(Path("model.stablehlo"), "model.stablehlo")
    """
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder", expected="the path of a file, new or to be replaced",
                            fix=f"choose another path, such as {example}")


def require_file(path: Path, fix: str = "take another copy, from someone whom you trust") -> None:
    """FileFormatError where a folder, a pipe or a device is at a path: reading one might not end. Nothing may be there.

    >>> require_file(Path("model.json"))
    """
    try:
        is_other = (path.exists() or path.is_symlink()) and not path.is_file()
        path.resolve()  # a link that leads to itself is an error here
    except (OSError, ValueError, RuntimeError) as error:
        raise FileFormatError(f"no path: {error}", path=path, expected="the path of a file", fix=fix) from None
    if is_other:
        raise FileFormatError("a folder, a device or a broken link is in its place", path=path, expected="a file",
                              fix=fix)


def file_inside(folder: Path, name: str, fix: str = "take another copy, from someone whom you trust") -> Path:
    """The path of a file in a folder. FileFormatError where the name, or a link there, leads out of the folder.

    >>> file_inside(Path("model.tz"), "model.json").name
    'model.json'
    """
    path = folder / name
    is_plain = name not in ("", ".", "..") and name == Path(name).name and "\\" not in name and "\0" not in name
    if is_plain:
        require_file(path, fix)
    if not is_plain or not path.resolve().is_relative_to(folder.resolve()):
        raise FileFormatError(f"{name!r} leads out of the folder", path=folder, expected="files in the folder itself",
                              fix=fix)
    return path
