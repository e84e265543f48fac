"""What a person sees while training: a progress bar in a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.nn.module.trainable import Verbose
from tarazu.train.callbacks.base import Callback
from tarazu.train.trainer.run import Run

MOST_LINES = 20  # for runs of more epochs only every so many are shown


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
                     if name not in ("epoch", "seconds", "learning_rate"))


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
    """A bar over all steps with the numbers of the last epoch."""

    def on_fit_start(self, run: Run) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        _say_where_from(run)
        rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)  # what a narrow terminal cuts
        self._bar = Progress(TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"), BarColumn(bar_width=12),
                             TimeRemainingColumn(compact=True),
                             TextColumn("{task.fields[numbers]}", table_column=rest), expand=True)
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
        self._bar.update(self._task, numbers=row_text(run.history[-1]))

    def on_fit_end(self, run: Run) -> None:
        self._bar.stop()
