"""Files below a folder, and the classes that the folders in it are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tarazu.base.errors import ArgumentError, DataError
from tarazu.base.messages import listing, plural


class Files(NamedTuple):
    """Files below a folder, in the order of their paths."""

    folder: Path
    paths: list[Path]
    kind: str  # what messages call one


class Classes(NamedTuple):
    """The names of the classes, if there are any, and the number of that of each file."""

    names: list[str] | None
    labels: Sequence[int] | None


def files_in(path: str | os.PathLike[str], suffixes: tuple[str, ...], kind: str) -> Files:
    """The files below a folder that end so. DataError where there is no folder, or none of them."""
    folder = Path(path)
    if not folder.is_dir():
        raise DataError("there is no such folder", path=folder, expected="a folder with a folder for each class",
                        fix="check the path")
    paths = sorted(file for file in folder.rglob("*") if file.suffix.lower() in suffixes and file.is_file())
    if not paths:
        raise DataError(f"the folder holds no {kind}", path=folder, expected=f"files that end in {listing(suffixes)}",
                        fix="check the path")
    return Files(folder, paths, kind)


def labeled(files: Files, labels: str | Sequence[int] | None) -> Classes:
    """The classes of files: "inferred" from their folders, a label for each, or none. ArgumentError for others."""
    if isinstance(labels, str):
        if labels != "inferred":
            raise ArgumentError(f"labels={labels!r}", expected='"inferred", a list of numbers, or None',
                                fix="leave it out to have the folders' names as classes")
        return _inferred(files)
    if labels is not None and len(labels) != len(files.paths):
        raise ArgumentError(f"{plural(len(labels), 'label')} for {plural(len(files.paths), files.kind)}",
                            expected=f"a label for each {files.kind}, in the order of their paths",
                            fix="sorted(Path(folder).rglob('*')) gives the order")
    return Classes(None, labels)


def _inferred(files: Files) -> Classes:
    loose = [path for path in files.paths if path.parent == files.folder]
    if loose:
        raise DataError(f"this {files.kind} lies in no folder of a class", path=loose[0],
                        expected=f"a folder for each class in {str(files.folder)!r}",
                        fix="move it, or pass labels=None")
    of_file = [path.relative_to(files.folder).parts[0] for path in files.paths]
    names = sorted(set(of_file))
    numbers = {name: number for number, name in enumerate(names)}
    return Classes(names, [numbers[name] for name in of_file])
