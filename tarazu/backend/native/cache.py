"""The cache of object code on disk: a program that was compiled once is loaded the next time.

One file per program, named by its `key`: a hash of the graph (as cache_key.py writes it), the processor, the versions
of llvmlite and LLVM, and the compiler's own source. TARAZU_CACHE names the folder, or is `off`.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tarazu.backend.native.llvm.target import Target
from tarazu.base.settings import log

LIMIT = 256 * 2**20  # bytes; what was used least recently goes first
_MAGIC = b"tarazu native 1\n"
_HEAD = struct.Struct("<16s32sQQ")  # magic, checksum, sizes of metadata and code
_NAME = re.compile(r"[0-9a-f]{64}\.code")
_UNFINISHED = re.compile(r"[0-9a-f]{64}\.code\.\d+\.\d+")
_STALE = 3600  # seconds after which an unfinished file is taken for abandoned


class Entry(NamedTuple):
    """A compiled program: its object file, and what else its user needs to run it."""

    code: bytes
    metadata: bytes = b""


class Info(NamedTuple):
    """What the cache holds; times in seconds since 1970, None where it is empty."""

    folder: Path | None  # None: there is no cache
    entries: int
    size: int
    oldest: float | None
    newest: float | None


def key(content: bytes, target: Target) -> str:
    """The key of the program of a graph, whose `content` is as cache_key.py writes it, on the processor `target`."""
    import llvmlite
    from llvmlite.binding import llvm_version_info

    made_by = (_sources(), llvmlite.__version__, llvm_version_info, *target)
    return hashlib.sha256(repr(made_by).encode() + b"\0" + content).hexdigest()


def load(name: str) -> Entry | None:
    """The entry whose key is `name`; None where there is none. One that is damaged is removed."""
    if (path := _path(name)) is None:
        return None
    try:
        entry = _unpack(name, path.read_bytes())
        if entry is None:
            log("native", f"{path} is damaged and will be made anew")
            path.unlink(missing_ok=True)
        else:
            os.utime(path)
        return entry
    except FileNotFoundError:
        return None
    except OSError as error:
        log("native", f"the cache cannot be read: {error}")
        return None


def store(name: str, entry: Entry) -> None:
    """Keep the entry under the key `name`; nothing happens where the folder cannot be written."""
    if (path := _path(name)) is None:
        return
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            unfinished.write_bytes(_pack(name, entry))
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        if _is_time_to_trim(name, len(entry.code)):
            _trim(path.parent)
    except OSError as error:
        log("native", f"the cache cannot be written: {error}")


def info() -> Info:
    """What the cache holds."""
    path = folder()
    files = [status for _, status in _files(path, _NAME)] if path else []
    times = sorted(status.st_mtime for status in files)
    return Info(path, len(files), sum(status.st_size for status in files),
                times[0] if times else None, times[-1] if times else None)


def clear() -> int:
    """Remove all entries; gives their number."""
    root = folder()
    paths = [path for path, _ in _files(root, _NAME)] if root else []
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def folder() -> Path | None:
    """Where entries lie; None where there is no cache."""
    setting = os.environ.get("TARAZU_CACHE")
    if setting:
        return None if setting == "off" else Path(setting).expanduser()
    try:
        from platformdirs import user_cache_path
    except ImportError:
        return Path("~/.cache/tarazu").expanduser()
    return user_cache_path("tarazu")


def _path(name: str) -> Path | None:
    root = folder()
    return root / f"{name}.code" if root else None


@functools.cache
def _sources() -> str:
    """A hash of the compiler's own source."""
    digest = hashlib.sha256()
    for folder, _, names in sorted(os.walk(Path(__file__).parent)):  # Path.rglob takes longer than all the rest
        for name in sorted(names):
            if name.endswith(".py"):
                digest.update(name.encode() + Path(folder, name).read_bytes())
    return digest.hexdigest()


def _pack(name: str, entry: Entry) -> bytes:
    head = _HEAD.pack(_MAGIC, _checksum(name, entry), len(entry.metadata), len(entry.code))
    return head + entry.metadata + entry.code


def _unpack(name: str, data: bytes) -> Entry | None:
    """The entry in a file's bytes; None if they are not those that were written under this key."""
    if len(data) < _HEAD.size:
        return None
    magic, checksum, metadata, code = _HEAD.unpack_from(data)
    if magic != _MAGIC or len(data) != _HEAD.size + metadata + code:
        return None
    entry = Entry(data[_HEAD.size + metadata:], data[_HEAD.size:_HEAD.size + metadata])
    return entry if _checksum(name, entry) == checksum else None


def _checksum(name: str, entry: Entry) -> bytes:
    return hashlib.sha256(b"%s %d %b%b" % (name.encode(), len(entry.metadata), entry.metadata, entry.code)).digest()


def _is_time_to_trim(name: str, size: int) -> bool:
    """Whether to look at the whole folder, at random: so often that about a 64th of the limit is written in between.

    The first digits of the key, a hash, are the random number.
    """
    return int(name[:8], 16) * LIMIT < 2**32 * 64 * size


def _trim(root: Path) -> None:
    """Remove what was used least recently until a tenth of the limit is free, and files that were never finished."""
    files = sorted(_files(root, _NAME), key=lambda file: file[1].st_mtime, reverse=True)
    held = 0
    for path, status in files:
        held += status.st_size
        if held > 0.9 * LIMIT:
            path.unlink(missing_ok=True)
    for path, status in _files(root, _UNFINISHED):
        if status.st_mtime < time.time() - _STALE:
            path.unlink(missing_ok=True)


def _files(root: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, os.stat_result]]:
    """The files whose names match the pattern; they may be gone at any time."""
    try:
        paths = [Path(entry) for entry in os.scandir(root) if pattern.fullmatch(entry.name)]
    except OSError:
        return
    for path in paths:
        try:
            yield path, path.stat()
        except OSError:
            continue
