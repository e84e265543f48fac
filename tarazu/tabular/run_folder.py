"""Run folders: model, encoder, scores, history and report of a fit. A folder appears whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from tarazu.base.errors import ArgumentError, FileFormatError, TarazuError
from tarazu.base.files import file_inside, make_folder, set_aside
from tarazu.data import TableEncoder
from tarazu.nn import Module
from tarazu.record import History
from tarazu.tabular.assessment import Assessment
from tarazu.train.save.loading import read_description, read_model
from tarazu.train.save.names import Finder
from tarazu.train.save.saving import DESCRIPTION, write_model

Made = TypeVar("Made")
HISTORY, REPORT, DIAGNOSIS = "history.jsonl", "report.html", "diagnosis.html"


def write(destination: Path, model: Module, encoder: TableEncoder, assessment: Assessment, history: History,
          write_report: Callable[[Path], Path], *, force: bool) -> Path:
    """Write the run folder; gives its path."""
    def fill(new: Path) -> None:
        write_model(model, new, {"encoder": encoder.to_json(), "assessment": assessment.to_json()})
        history.save(new / HISTORY)
        write_report(new / REPORT)

    return _made(destination, fill, force=force)


def write_diagnosis(destination: Path, history: History, write_report: Callable[[Path], Path], *, force: bool) -> Path:
    """Write a folder with the page of a diagnosis, and the history of the fit; gives its path."""
    def fill(new: Path) -> None:
        history.save(new / HISTORY)
        write_report(new / DIAGNOSIS)

    return _made(destination, fill, force=force)


def _made(destination: Path, fill: Callable[[Path], None], *, force: bool) -> Path:
    """A new folder, filled; with `force` one that is there is replaced at the end, all at once.

    Without, a folder that another run made meanwhile stays, and this one gets a number.
    """
    make_folder(destination.parent)
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}.", dir=destination.parent) as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        fill(new)
        with set_aside(destination, Path(scratch) / "old") if force else contextlib.nullcontext():
            return _move(new, destination)


def require_free(path: Path, *, force: bool) -> None:
    """Raises ArgumentError where something is at `path`, but for a run folder that `force` lets one replace."""
    if path.exists() and not force:
        raise ArgumentError(f"{path} is there already", expected="a new folder",
                            fix="choose another one, or replace it: --force in the command, force=True in Python")
    if path.exists() and not (path / HISTORY).is_file():
        raise ArgumentError(f"{path} is not a run folder", expected="a folder that `tarazu fit` wrote",
                            fix="choose another one; only run folders are replaced")


def free(path: Path) -> Path:
    """`path`, or with the first number that makes it a new one."""
    candidates = (path.with_name(f"{path.name}-{i}") if i > 1 else path for i in itertools.count(1))
    return next(candidate for candidate in candidates if not candidate.exists())


def _move(new: Path, destination: Path) -> Path:
    """Rename `new` to `destination`, or to a free name beside it; another run may take a name at any moment."""
    while True:
        path = free(destination)
        try:
            return new.rename(path)
        except OSError:
            if not path.exists():
                raise


def read(run: str | os.PathLike[str], trust: Iterable[str] = ()) -> tuple[Module, TableEncoder]:
    """The model and the encoder in a run folder; `trust` names packages whose layers may be imported."""
    folder = require_folder(run)
    model, extra = read_model(folder, Finder(trust=trust))
    return model, _made_of(TableEncoder.from_json, _entry(extra, "encoder", folder), "encoder", folder)


def read_outcome(run: str | os.PathLike[str]) -> tuple[History, Assessment]:
    """The history and the scores in a run folder, without loading the model."""
    folder = require_folder(run)
    content = _entry(read_description(folder)["extra"], "assessment", folder)
    history = History.load(file_inside(folder, HISTORY))
    return history, _made_of(Assessment.from_json, content, "assessment", folder)


def require_folder(run: str | os.PathLike[str]) -> Path:
    """The folder at a path. Raises FileFormatError where there is none."""
    folder = Path(run)
    if not folder.is_dir():
        raise FileFormatError("it is a file" if folder.exists() else "there is no such folder", path=folder,
                              expected="a run folder", fix="check the path; `tarazu fit` prints that of its run folder")
    return folder


def _made_of(make: Callable[[Any], Made], content: Any, what: str, folder: Path) -> Made:
    """What `make` makes of a part of a file, of which it does not know the path."""
    try:
        return make(content)
    except Exception as error:  # anything may be anywhere in a damaged file
        problem = error.problem if isinstance(error, TarazuError) else f"{type(error).__name__}: {error}"
        raise FileFormatError(f"its {what} is damaged: {problem}", path=folder / DESCRIPTION,
                              expected="the file as `tarazu fit` wrote it", fix="take an undamaged copy") from error


def _entry(extra: Any, name: str, folder: Path) -> Any:
    if not isinstance(extra, dict) or name not in extra:
        raise FileFormatError(f"model.json holds no {name}", path=folder,
                              expected="a run folder that `tarazu fit` wrote",
                              fix="models saved from Python are loaded with tz.load(path)")
    return extra[name]
