"""What a person sees while training: a progress bar in a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.nn.module.trainable import Verbose
from tarazu.train.callbacks.base import Callback
from tarazu.train.trainer.run import Run

MOST_LINES = 20  # for runs of more epochs only every so many are shown
LEAST_BAR, TIME, GAPS = 10, 5, 3  # characters of the bar's line that numbers leave free


def progress(verbose: Verbose) -> list[Callback]:
    """The callbacks that `verbose` asks for: "auto", 0 or 1."""
    if verbose == "auto":
        return [Bar() if sys.stdout.isatty() else Lines()]
    if verbose in (0, 1):
        return [Lines()] if verbose else []
    raise ArgumentError(f"verbose={verbose!r}", expected='"auto", 0 or 1', fix='leave it out for "auto"')


def row_text(row: dict[str, Any]) -> str:
    """The numbers of an epoch's row on one line."""
    return "  ".join(f"{name} {value:#.4g}" for name, value in row.items()
                     if name not in ("epoch", "seconds") and not name.endswith("learning_rate"))


def fitting_text(row: dict[str, Any], width: int) -> str:
    """The numbers of an epoch's row that fit into `width` characters, each with its name or not at all; losses first.

    >>> fitting_text({"epoch": 1, "loss": 0.5, "accuracy": 0.75, "val_loss": 0.25}, 30)
    'loss 0.5000  val_loss 0.2500'
    """
    chosen: dict[str, Any] = {}
    for name in sorted(row, key=lambda name: not name.endswith("loss")):
        kept = {each: row[each] for each in row if each in chosen or each == name}
        if len(row_text(kept)) <= width:
            chosen = kept
    return row_text(chosen)


def _say_where_from(run: Run) -> None:
    if run.resumed_from:
        print(f"going on after epoch {run.epoch} of {run.epochs} from {run.resumed_from}", flush=True)


class Lines(Callback):
    """A line for each epoch; for long runs for every so many, the first and the last always."""

    def on_fit_start(self, run: Run) -> None:
        _say_where_from(run)

    def on_epoch_end(self, run: Run) -> None:
        every = -(-run.epochs // MOST_LINES)
        if run.epoch % every == 0 or run.epoch in (1, run.epochs) or run.history.stopped:
            row = run.history[-1]
            count = f"{run.epoch:>{len(str(run.epochs))}}/{run.epochs}"
            print(f"epoch {count}  {row['seconds']:.2f} s  {row_text(row)}", flush=True)


class Bar(Callback):
    """A bar over all steps with those numbers of the last epoch for which the terminal has room."""

    def on_fit_start(self, run: Run) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        _say_where_from(run)
        rest = Column(ratio=1)
        self._bar = Progress(TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
                             BarColumn(bar_width=None, table_column=rest), TimeRemainingColumn(compact=True),
                             TextColumn("{task.fields[numbers]}"), expand=True)
        self._task = self._bar.add_task("", total=None, epoch=1, epochs=run.epochs, numbers="")
        self._bar.start()

    def on_epoch_start(self, run: Run) -> None:
        self._show(run)

    def on_chunk_end(self, run: Run) -> None:
        self._show(run)

    def _show(self, run: Run) -> None:
        """Of a stream whose length is not known yet there is no total."""
        steps = run.steps or 0
        self._bar.update(self._task, epoch=run.epoch, total=run.epochs * steps or None,
                         completed=(run.epoch - 1) * steps + run.step)

    def on_epoch_end(self, run: Run) -> None:
        count = len(f"epoch {run.epochs}/{run.epochs}")
        room = self._bar.console.width - count - LEAST_BAR - TIME - GAPS
        self._bar.update(self._task, numbers=fitting_text(run.history[-1], room))

    def on_fit_end(self, run: Run) -> None:
        self._bar.stop()
