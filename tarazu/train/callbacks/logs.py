"""Callbacks that write the numbers of each epoch: to a CSV file, to a folder of JSON lines, for TensorBoard."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError, TarazuError
from tarazu.base.extras import require
from tarazu.base.files import make_folder
from tarazu.ops.typing import ArrayLike
from tarazu.record.json_lines import to_line
from tarazu.record.textfile import write_text
from tarazu.runtime import processes
from tarazu.runtime.tensor.creation import asarray
from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.tensorboard_events import add_graph, add_settings
from tarazu.train.trainer.divergence import warn
from tarazu.train.trainer.run import Run


def require_path(kind: str, path: str | os.PathLike, example: str = "run") -> None:
    """ArgumentError for an empty path, which `Path` takes for the working folder."""
    if not os.fspath(path):
        raise ArgumentError(f"{kind}('')", expected="a path", fix=f"for example {kind}('{example}')")


def require_no_file(kind: str, folder: Path) -> None:
    """ArgumentError where a file is what should be a folder."""
    if folder.is_file():
        raise ArgumentError(f"{kind}({os.fspath(folder)!r}), which is a file", expected="the path of a folder",
                            fix="pass another path, or move the file away")


class CSVLog(Callback):
    """Writes the rows of the history to the CSV file `path`, after each epoch; a fit that resumes goes on with it.

    Columns are the names of the history in the order in which they first came. The file's folder is made where it is
    missing. ArgumentError for an empty path, and before the first epoch for one that is a folder; OSError where it
    cannot be written.

    >>> import pathlib, tempfile
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "epochs.csv"
    ...     history = model.fit([[1.0]], [2.0], epochs=2, seed=0, callbacks=tz.train.CSVLog(path), verbose=0)
    ...     lines = path.read_text().splitlines()
    >>> lines[0], len(lines)
    ('epoch,seconds,loss,learning_rate', 3)
    """

    def __init__(self, path: str | os.PathLike) -> None:
        require_path("CSVLog", path, "epochs.csv")
        self.path = Path(path)

    def on_fit_start(self, run: Run) -> None:
        if self.path.is_dir():
            raise ArgumentError(f"CSVLog({os.fspath(self.path)!r}), which is a folder", expected="the path of a file",
                                fix=f"for example CSVLog({os.fspath(self.path / 'epochs.csv')!r})")
        if processes.is_first():
            make_folder(self.path.parent)

    def on_epoch_end(self, run: Run) -> None:
        if not processes.is_first():
            return
        import io

        text = io.StringIO()
        names = list(dict.fromkeys(name for row in run.history.rows for name in row))
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(run.history.rows)
        write_text(self.path, text.getvalue())

    def on_fit_end(self, run: Run) -> None:
        if run.failure:  # the row of an epoch that came to no end
            self.on_epoch_end(run)


class Log(Callback):
    """Writes the run to `folder`: `epochs.jsonl` with a row per epoch, and `settings.json` with what was trained how.

    The folder is made where it is missing; a later run there replaces both files. ArgumentError for an empty path, and
    before the first epoch for one that is a file; OSError where it cannot be written.

    >>> import pathlib, tempfile
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = model.fit([[1.0]], [2.0], epochs=2, seed=0, callbacks=tz.train.Log(folder), verbose=0)
    ...     sorted(path.name for path in pathlib.Path(folder).iterdir())
    ['epochs.jsonl', 'settings.json']
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        require_path("Log", folder)
        self.folder = Path(folder)

    def on_fit_start(self, run: Run) -> None:
        require_no_file("Log", self.folder)
        if processes.is_first():
            make_folder(self.folder)
            write_text(self.folder / "settings.json", to_line(_settings(run)) + "\n")

    def on_epoch_end(self, run: Run) -> None:
        if processes.is_first():
            write_text(self.folder / "epochs.jsonl", "".join(to_line(row) + "\n" for row in run.history.rows))

    def on_fit_end(self, run: Run) -> None:
        if run.failure:  # the row of an epoch that came to no end
            self.on_epoch_end(run)


def _by_name(name: str, given: Mapping[str, Any] | None, example: str) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise ArgumentError(f"TensorBoard with {name} of type {type(given).__name__}", expected="a dict by name",
                            fix=f"for example {name}={example}")
    return dict(given or {})


def _pictures(name: str, x: ArrayLike) -> np.ndarray:
    pixels = asarray(x).numpy()
    if pixels.ndim != 4 or pixels.shape[-1] not in (1, 3):
        raise ShapeError(f"TensorBoard with images {name!r} of shape {pixels.shape}",
                         expected="(images, height, width, channels), of 1 or 3 channels",
                         fix="for one image, x[None]; for gray ones without channels, x[..., None]")
    return pixels


def _settings(run: Run) -> dict[str, Any]:
    return {"model": type(run.model).__name__, "parameters": run.model.count_parameters(), "epochs": run.epochs,
            "batch_size": run.batch_size, "steps": run.steps, "precision": run.trainer.precision,
            "optimizers": {name or "compiled": repr(optimizer) for name, optimizer in run.trainer.optimizers().items()}}


class TensorBoard(Callback):
    """Writes the numbers of each epoch for TensorBoard to `folder`: "train/loss", "validation/loss", "learning_rate".

    `histograms=n` writes the weights too, after every n-th epoch; `graph=True` the graph of the model, with a
    TrainingWarning where it has none, as with own steps; `images`, arrays by name of (images, height, width,
    channels), a picture of each before the first epoch. The table HParams gets a row of what was trained how, of the
    numbers and texts of `settings` by name, and of the numbers of the last epoch. Needs the package tensorboardX:
    ArgumentError without it, for an empty path, for other arguments than these, and before the first epoch for a path
    that is a file; ShapeError for what is no images.

    >>> import pathlib, tempfile
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = model.fit([[1.0]], [2.0], epochs=2, callbacks=tz.train.TensorBoard(folder), verbose=0)
    ...     next(pathlib.Path(folder).iterdir()).name.startswith("events")
    True
    """

    def __init__(self, folder: str | os.PathLike, *, histograms: int = 0, graph: bool = False,
                 images: Mapping[str, ArrayLike] | None = None,
                 settings: Mapping[str, float | str] | None = None) -> None:
        require_path("TensorBoard", folder)
        self.settings = _by_name("settings", settings, '{"width": 16}')
        self.folder, self.graph = Path(folder), graph
        self.histograms = histograms and positive_int("histograms", histograms)
        self.images = {name: _pictures(name, x) for name, x in
                       _by_name("images", images, '{"digits": x[:16]}').items()}
        self._writer: Any = None

    def on_fit_start(self, run: Run) -> None:
        require_no_file("TensorBoard", self.folder)
        if not processes.is_first():
            return
        tensorboard = require("tensorboardX", "tz.train.TensorBoard", "tensorboard")
        self._writer = tensorboard.SummaryWriter(str(self.folder), write_to_disk=True)
        for name, x in self.images.items():
            self._writer.add_images(name, x, 0, dataformats="NHWC")

    def on_epoch_end(self, run: Run) -> None:
        if self._writer is None:
            return
        for tag, value in _tagged(run.history[-1]).items():
            self._writer.add_scalar(tag, value, run.epoch)
        if self.histograms and run.epoch % self.histograms == 0:
            for path, x in run.model.named_parameters():
                self._writer.add_histogram(path.replace(".", "/"), x.numpy(), run.epoch)
        self._writer.flush()

    def on_fit_end(self, run: Run) -> None:
        if self._writer is None:
            return
        try:
            if len(run.history):
                results = {tag: value for tag, value in _tagged(run.history[-1]).items() if "/" in tag}
                add_settings(self._writer, _compared(run) | self.settings, results)
            if self.graph:
                self._add_graph(run)
        finally:
            self._writer.close()
            self._writer = None

    def _add_graph(self, run: Run) -> None:
        try:
            if run.trainer.zero_inputs is None:
                raise ArgumentError("the model trains by steps of its own", expected="compile(loss=...)",
                                    fix="leave graph=True out")
            add_graph(self._writer, run.model, run.trainer.zero_inputs)
        except TarazuError as error:
            warn([f"TensorBoard(graph=True) wrote no graph: {error.problem}"])


def _compared(run: Run) -> dict[str, float | str]:
    """What runs are compared by, each a number or a text."""
    plain = {name: value for name, value in _settings(run).items() if isinstance(value, int | float | str)}
    kinds = {f"{name}.optimizer" if name else "optimizer": type(one).__name__
             for name, one in run.trainer.optimizers().items()}
    rates = {name: value for name, value in run.history[0].items()
             if name.endswith("learning_rate") and isinstance(value, float)}
    return plain | kinds | rates


def _tagged(row: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of an epoch by their tags."""
    return {_tag(name): value for name, value in row.items() if name != "epoch" and isinstance(value, int | float)}


def _tag(name: str) -> str:
    if name == "seconds" or name.endswith("learning_rate"):
        return name
    return f"validation/{name[4:]}" if name.startswith("val_") else f"train/{name}"
