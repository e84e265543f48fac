"""A checkpoint on disk: a folder with `checkpoint.json`, which names the file of tensors that belongs to it.

Each checkpoint has a tensor file of its own, of a name that no other has. `checkpoint.json` is replaced once that file
is whole, in one rename, so at any moment it names a whole file; only then the tensors of the one before are deleted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError, FileFormatError
from tarazu.base.files import file_inside, make_folder
from tarazu.record.json_lines import from_line, to_line
from tarazu.record.textfile import write_text
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.save.tensor_file import read_tensors, write_tensors

FORMAT = "tarazu checkpoint 2"
DESCRIPTION = "checkpoint.json"
OWN_FILES = ("tensors-*.safetensors", ".tensors-*.tmp", f".{DESCRIPTION}.*.tmp")  # the last two after a crash


class Content(NamedTuple):
    """What a checkpoint holds: plain values, and arrays by name."""

    values: dict[str, Any]
    arrays: dict[str, np.ndarray]


def write(folder: Path, when: str, values: dict[str, Any], tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Write a checkpoint; the one of an earlier time is valid until this one, of `when`, is whole.

    FileFormatError for values that could not be read again; the earlier one stays.
    """
    make_folder(folder)
    path = _free_path(folder, f"tensors-{when}")
    try:
        write_tensors(path, tensors)
        line: dict[str, Any] = {"format": FORMAT, "tensors": path.name, "checksum": _checksum(path, values),
                                "values": values}
        text = to_line(line, folder / DESCRIPTION) + "\n"
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    write_text(folder / DESCRIPTION, text)
    for other in _own_files(folder):
        if other != path:
            other.unlink()


def _free_path(folder: Path, stem: str) -> Path:
    """The path of tensors that are not there yet: the same epoch may be written again, by a run that is resumed."""
    path, number = folder / f"{stem}.safetensors", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.safetensors"
    return path


def read(folder: Path) -> Content | None:
    """The checkpoint in a folder, None where there is none yet.

    FileFormatError for a damaged one; ArgumentError where something else is, which would be lost among its files.
    """
    if not folder.exists():
        return None
    if not (folder / DESCRIPTION).is_file():
        _require_free(folder)
        return None
    line = _description(folder)
    path = file_inside(folder, str(line["tensors"]), _start_anew(folder))
    content = Content(line["values"], read_tensors(path, fix=_start_anew(folder)))
    if _checksum(path, content.values) != line["checksum"]:
        raise _damaged(folder, "damaged: the checksum is another")
    return content


def _require_free(folder: Path) -> None:
    if not folder.is_dir() or set(folder.iterdir()) - set(_own_files(folder)):
        raise ArgumentError(f"{folder} is there and is not a checkpoint",
                            expected="a new path, or that of a checkpoint", fix="choose another path")


def _own_files(folder: Path) -> list[Path]:
    return [path for pattern in OWN_FILES for path in folder.glob(pattern)]


def _description(folder: Path) -> dict[str, Any]:
    try:
        line = from_line(file_inside(folder, DESCRIPTION).read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(folder, f"not JSON: {error}") from None
    if not isinstance(line, dict) or line.get("format") != FORMAT:
        given = line.get("format") if isinstance(line, dict) else line
        raise FileFormatError(f"a checkpoint of format {given!r}", path=folder / DESCRIPTION, expected=repr(FORMAT),
                              fix=f"go on with the version of Tarazu that wrote it, or {_start_anew(folder)}")
    if line.keys() != {"format", "tensors", "checksum", "values"} or not isinstance(line["values"], dict):
        raise _damaged(folder, f"damaged: it holds {', '.join(line)}")
    return line


def _checksum(path: Path, values: dict[str, Any]) -> int:
    return zlib.crc32(to_line(values, path.with_name(DESCRIPTION)).encode(), zlib.crc32(path.read_bytes()))


def _damaged(folder: Path, problem: str) -> FileFormatError:
    return FileFormatError(problem, path=folder / DESCRIPTION, expected="the files as they were written",
                           fix=_start_anew(folder))


def _start_anew(folder: Path) -> str:
    return f"delete the folder {folder} to start anew"
