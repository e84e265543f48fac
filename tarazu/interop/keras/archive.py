"""A `.keras` file: a zip archive of which three members are read, none of them before its size is known to be fair.

Nothing is unpacked to a path: members are read by their exact names, into memory.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from tarazu.base.bounded.json_files import parse_json
from tarazu.base.errors import FileFormatError
from tarazu.base.files import require_file

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
GROWTH = 20  # how much larger than the archive what is in it may be; Keras does not compress
SLACK = 2**20
INTACT = "take an undamaged copy, or save it again in Keras: model.save(path)"


class Archive(NamedTuple):
    """What is read of a `.keras` file."""

    config: dict[str, Any]  # the model as data
    weights: bytes  # an HDF5 file; empty where the archive has none
    version: str  # of the Keras that wrote it, as far as it says


def read_archive(path: Path) -> Archive:
    """The members of a `.keras` file. FileFormatError for what is no such file, is damaged, or claims to be huge."""
    require_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _require_inside(path, archive)
            config, metadata = (_json(path, name, _member(path, archive, name)) for name in (CONFIG, METADATA))
            has_weights = WEIGHTS in archive.namelist()
            weights = _member(path, archive, WEIGHTS) if has_weights else b""
    except FileFormatError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise FileFormatError(f"no archive of Keras: {error}", path=path,
                              expected="a zip archive, as Keras 3 writes it", fix=INTACT) from error
    return Archive(config, weights, str(metadata.get("keras_version", "")))


def _require_inside(path: Path, archive: zipfile.ZipFile) -> None:
    """FileFormatError for members that would lie elsewhere, or be links, if a program unpacked them: none of Keras."""
    for info in archive.infolist():
        name, is_link = info.filename, stat.S_ISLNK(info.external_attr >> 16)
        if is_link or ".." in name.split("/") or name.startswith("/") or set(name) & {"\\", ":"}:
            raise FileFormatError(f"the archive has {'a link' if is_link else 'a path out of it'}: {name!r:.99}",
                                  path=path, expected="the members that Keras writes", fix="do not trust this file")


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of a member; FileFormatError where it is missing, is there twice, or is larger than is fair."""
    found = [info for info in archive.infolist() if info.filename == name]
    if len(found) != 1:
        raise FileFormatError(f"the archive has {name} {len(found)} times", path=path, expected="each member once",
                              fix=INTACT)
    if found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileFormatError(f"{name} is packed in a way that Keras does not use", path=path,
                              expected="members as they are, or deflated", fix=INTACT)
    size, fair = found[0].file_size, GROWTH * path.stat().st_size + SLACK
    if size > fair:
        raise FileFormatError(f"{name} is said to have {size:,} bytes unpacked", path=path,
                              expected=f"at most {fair:,}, {GROWTH} times the size of the archive",
                              fix="do not trust this file; Keras does not compress what it saves")
    with archive.open(found[0]) as member:
        content = member.read(size)  # the packed bytes may be those of more, which `archive.read` would unpack
    if len(content) < size:
        raise FileFormatError(f"{name} has {len(content):,} bytes", path=path,
                              expected=f"{size:,}, as the archive says", fix=INTACT)
    return content


def _json(path: Path, name: str, content: bytes) -> dict[str, Any]:
    try:
        value = parse_json(content)
    except ValueError as error:
        raise FileFormatError(f"{name} is not JSON: {error}", path=path, expected="JSON", fix=INTACT) from error
    if not isinstance(value, dict):
        raise FileFormatError(f"{name} is no object of JSON", path=path, expected="an object", fix=INTACT)
    return value
