"""Where the commands write: run folders, and files of predictions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.record import write_text
from tarazu.tabular.predictions import csv_text
from tarazu.tabular.run_folder import free, require_free

SUFFIXES = (".gz", ".csv", ".tsv", ".txt", ".parquet")


def destination(table: str, target: str, out: str | None, force: bool, suffix: str = "") -> Path:
    """Where the run folder goes: `out`, or a new folder in runs/ that is named after table and target, and `suffix`.

    ArgumentError where it could not be written, which is better known before training than after.
    """
    if out is not None:
        path = Path(out)
        require_free(path, force=force)
        _require_writable(path)
        return path
    plain_target = "".join(c if c.isalnum() or c in "._-" else "_" for c in target)
    name = f"{_stem(table)}-{plain_target}{suffix}"
    _require_writable(Path("runs") / name)
    return free(Path("runs") / name)


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


def write_predictions(columns: dict[str, np.ndarray], output: str | None, force: bool) -> None:
    """Predictions as CSV, to a file or to the terminal."""
    text = csv_text(columns)
    if output is None:
        sys.stdout.write(text)
        return
    if Path(output).exists() and not force:
        raise ArgumentError(f"{output} is there already", expected="a new file",
                            fix="choose another -o, or replace it with --force")
    write_text(output, text)
