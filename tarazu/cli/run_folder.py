"""Run folders: what `tarazu fit` leaves behind and the other commands read. A folder appears whole or not at all."""

from __future__ import annotations

import csv
import io
import itertools
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, FileFormatError
from tarazu.data import TableEncoder
from tarazu.diagnose import write_report
from tarazu.nn import Module
from tarazu.record import History, write_text
from tarazu.train.save.loading import read_description, read_model
from tarazu.train.save.names import Finder
from tarazu.train.save.saving import write_model
from tarazu.train.table import Scores, TableFit

HISTORY, REPORT = "history.jsonl", "report.html"
SUFFIXES = (".gz", ".csv", ".tsv", ".txt", ".parquet")


def destination(table: str, target: str, out: str | None, force: bool) -> Path:
    """Where the run folder goes: `out`, or a new folder in runs/ that is named after table and target.

    ArgumentError where it could not be written, which is better known before training than after.
    """
    if out is not None:
        path = Path(out)
        if path.exists() and not force:
            raise ArgumentError(f"{path} is there already", expected="a new folder",
                                fix="choose another --out, or replace it with --force")
        if path.exists() and not (path / HISTORY).is_file():
            raise ArgumentError(f"{path} is not a run folder", expected="a folder that `tarazu fit` wrote",
                                fix="choose another --out; only run folders are replaced by --force")
        _require_writable(path)
        return path
    plain_target = "".join(c if c.isalnum() or c in "._-" else "_" for c in target)
    name = f"{_stem(table)}-{plain_target}"
    _require_writable(Path("runs") / name)
    return _free(Path("runs") / name)


def _free(path: Path) -> Path:
    """`path`, or with the first number that makes it a new one."""
    candidates = (path.with_name(f"{path.name}-{i}") if i > 1 else path for i in itertools.count(1))
    return next(candidate for candidate in candidates if not candidate.exists())


def _require_writable(path: Path) -> None:
    """The nearest folder above `path` that is there must take new entries."""
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise ArgumentError(f"nothing can be written in {above}", expected="a folder in which you may write",
                            fix="choose another --out")


def _stem(table: str) -> str:
    name = Path(table).name
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name or "table"


def write(result: TableFit, destination: Path, *, title: str, force: bool) -> Path:
    """Write the run folder; with `force` one that is there is replaced at the end, all at once.

    Without, a folder that another run made meanwhile stays, and this one gets a number. Gives the folder's path.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}.", dir=destination.parent) as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        write_model(result.model, new, {"encoder": result.encoder.to_json(), "scores": result.scores})
        result.history.save(new / HISTORY)
        write_report(new / REPORT, title=title, history=result.history, table=result.scores, plot=result.plot,
                     notes=str(result.summary).split("\n"))
        if force and destination.exists():
            destination.rename(Path(scratch) / "old")
        return _move(new, destination)


def _move(new: Path, destination: Path) -> Path:
    """Rename `new` to `destination`, or to a free name beside it; another run may take a name at any moment."""
    while True:
        free = _free(destination)
        try:
            return new.rename(free)
        except OSError:
            if not free.exists():
                raise


def read(run: str, trust: Sequence[str] = ()) -> tuple[Module, TableEncoder, Scores]:
    """The model, the encoder and the scores in a run folder; `trust` names packages whose layers may be imported."""
    folder = _require_folder(run)
    model, extra = read_model(folder, Finder(trust=trust))
    return model, TableEncoder.from_json(_entry(extra, "encoder", folder)), _entry(extra, "scores", folder)


def read_outcome(run: str) -> tuple[History, Scores]:
    """The history and the scores in a run folder, without loading the model."""
    folder = _require_folder(run)
    scores = _entry(read_description(folder)["extra"], "scores", folder)
    return History.load(folder / HISTORY), scores


def _require_folder(run: str) -> Path:
    folder = Path(run)
    if not folder.is_dir():
        raise FileFormatError("it is a file" if folder.exists() else "there is no such folder", path=folder,
                              expected="a run folder", fix="check the path; `tarazu fit` prints that of its run folder")
    return folder


def _entry(extra: Any, name: str, folder: Path) -> Any:
    if not isinstance(extra, dict) or name not in extra:
        raise FileFormatError(f"model.json holds no {name}", path=folder,
                              expected="a run folder that `tarazu fit` wrote",
                              fix="models saved from Python are loaded with tz.load(path)")
    return extra[name]


def write_predictions(columns: dict[str, np.ndarray], output: str | None, force: bool) -> None:
    """Predictions as CSV, to a file or to the terminal."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*([_cell(value) for value in column] for column in columns.values()), strict=True))
    if output is None:
        sys.stdout.write(text.getvalue())
        return
    if Path(output).exists() and not force:
        raise ArgumentError(f"{output} is there already", expected="a new file",
                            fix="choose another -o, or replace it with --force")
    write_text(output, text.getvalue())


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
