"""What a person sees while training: a progress bar in a terminal or a notebook, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol

from tarazu.base.errors import ArgumentError
from tarazu.data.screens import NOTEBOOK_WIDTH, CellOutput, is_notebook, replaces_lines
from tarazu.nn.module.trainable import Verbose
from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.progress_text import (
    GAP,
    Meter,
    number_texts,
    numbers_so_far,
    status_lines,
    step_time_text,
    where_texts,
)
from tarazu.train.trainer.limits import Limits
from tarazu.train.trainer.run import Run

MOST_LINES = 20  # for runs of more epochs only every so many are shown, unless all are wanted
EVERY = 0.1  # seconds after which the bar is drawn again at the earliest
CHEAP = 0.001  # seconds of processor time of a draw; one that takes so many times as long is followed by as many waits,
MOST_WAITS = 10  # but by no more than so many


def progress(verbose: Verbose, ends: Limits) -> list[Callback]:
    """The callbacks that `verbose` asks for: "auto", 0, 1 or 2."""
    if verbose == 2:
        return [Lines(every=1)]
    if verbose == 1 or verbose == "auto":
        if replaces_lines(sys.stdout):
            return [Bar(Terminal(), ends)]
        return [Bar(Notebook(), ends) if is_notebook() else Lines()]
    if verbose == 0:
        return []
    raise ArgumentError(f"verbose={verbose!r}", expected='"auto", 0, 1 or 2', fix='leave it out for "auto"')


def _say_where_from(run: Run) -> None:
    if run.resumed_from:
        print(f"going on after epoch {run.epoch} of {run.epochs} from {run.resumed_from}", flush=True)


class Lines(Callback):
    """A line for every so many epochs, the first and the last always; for long runs fewer, unless `every` is given."""

    def __init__(self, every: int | None = None) -> None:
        self._every = every

    def on_fit_start(self, run: Run) -> None:
        _say_where_from(run)

    def on_epoch_end(self, run: Run) -> None:
        every = self._every or -(-run.epochs // MOST_LINES)
        if run.epoch % every == 0 or run.epoch in (1, run.epochs) or run.history.stopped:
            row = run.history[-1]
            count = f"{run.epoch:>{len(str(run.epochs))}}/{run.epochs}"
            pace = [step_time_text(row["seconds"] / run.step)] if run.step else []
            print(GAP.join([f"epoch {count}", f"{row['seconds']:.2f} s", *pace, *number_texts(row)]), flush=True)

    def on_fit_end(self, run: Run) -> None:
        if run.failure and len(run.history):  # in an epoch that came to no end
            self.on_epoch_end(run)


class Screen(Protocol):
    """Where a bar is shown."""

    def start(self) -> None: ...

    def show(self, where: list[str], pace: list[str], numbers: list[str], share: float | None) -> None: ...

    def stop(self) -> None: ...


class Bar(Callback):
    """Epoch, step, a bar over all steps, rate, time left, and the numbers of the epoch so far."""

    def __init__(self, screen: Screen, ends: Limits) -> None:
        self._screen, self._ends = screen, ends

    def on_fit_start(self, run: Run) -> None:
        _say_where_from(run)
        self._meter, self._next = Meter(self._ends), 0.0
        self._screen.start()

    def on_epoch_start(self, run: Run) -> None:
        self._meter.start_epoch()
        self._show(run)

    def on_chunk_end(self, run: Run) -> None:
        self._meter.end_chunk(run)
        self._show(run)

    def on_epoch_end(self, run: Run) -> None:
        self._show(run)

    def on_fit_end(self, run: Run) -> None:
        try:
            self._draw(run, [*self._meter.rate(), *self._meter.time_in_all()])
        finally:
            self._screen.stop()

    def _show(self, run: Run) -> None:
        if time.monotonic() >= self._next:
            before = time.thread_time()
            self._draw(run, [*self._meter.rate(), *self._meter.time_left(run)])
            times = min(max((time.thread_time() - before) / CHEAP, 1), MOST_WAITS)
            self._next = time.monotonic() + EVERY * times

    def _draw(self, run: Run, pace: list[str]) -> None:
        self._screen.show(where_texts(run), pace, number_texts(numbers_so_far(run)), self._meter.share(run))


def bar_of(share: float | None, *, is_ascii: bool = False) -> Callable[[int], str] | None:
    """A function that gives a bar of so many characters; None where the share is not known.

    >>> bar_of(0.25)(8), bar_of(0.5, is_ascii=True)(8)
    ('━━──────', '====----')
    """
    if share is None:
        return None
    done, rest = ("=", "-") if is_ascii else ("━", "─")
    return lambda width: done * int(share * width) + rest * (width - int(share * width))


class Terminal:
    """The last lines of the terminal; what is printed meanwhile appears above them."""

    def start(self) -> None:
        """Show lines from now on."""
        from rich.live import Live

        self._live = Live(auto_refresh=False, vertical_overflow="visible")
        self._live.start()

    def show(self, where: list[str], pace: list[str], numbers: list[str], share: float | None) -> None:
        """Draw them anew, in the width that the terminal has now."""
        from rich.text import Text

        console = self._live.console
        is_ascii = console.options.ascii_only
        lines = status_lines(where, pace, numbers, console.width, bar_of(share, is_ascii=is_ascii))
        text = Text("\n".join(lines), overflow="fold")
        text.highlight_regex("━+", "green")
        text.highlight_regex("─+", "dim")
        self._live.update(text, refresh=True)

    def stop(self) -> None:
        """Leave the lines as they are."""
        self._live.stop()


class Notebook:
    """An output of the notebook cell that is replaced each time."""

    def start(self) -> None:
        """Add the output to the cell."""
        self._output = CellOutput()

    def show(self, where: list[str], pace: list[str], numbers: list[str], share: float | None) -> None:
        """Replace the output."""
        lines = status_lines(where, pace, numbers, NOTEBOOK_WIDTH, bar_of(share))
        self._output.show("\n".join(lines))

    def stop(self) -> None:
        """Leave the output as it is."""
