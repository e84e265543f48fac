"""A progress bar on standard error, or in a notebook's cell, that appears once something takes longer than a second."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, ProgressColumn, TextColumn

from tarazu.base.messages import shortened
from tarazu.data.screens import NOTEBOOK_WIDTH, CellOutput, is_notebook, replaces_lines

BAR_AFTER = 1.0  # seconds
EVERY = 0.1  # seconds after which a notebook shows it again at the earliest
LONGEST_NAME = 28  # characters: the bar and the numbers stand in the same line


@contextmanager
def late_bar(verb: str, name: str, total: float | None, *columns: ProgressColumn) -> Iterator[Callable[[float], None]]:
    """A block with a function that shows how much of `total` is done, in the `columns` behind "`verb` `name`".

    In a terminal the bar goes at the end; in a notebook how long it took stays; elsewhere nothing is shown.

    >>> from rich.progress import BarColumn
    >>> with late_bar("reading", "table.csv", 1.0, BarColumn()) as show:
    ...     show(0.5)
    """
    show = _in_cell if is_notebook() else _in_terminal
    with show(f"{verb} {shortened(name, LONGEST_NAME)}", total, columns) as shown:
        yield shown


@contextmanager
def _in_terminal(text: str, total: float | None, columns: tuple[ProgressColumn, ...]
                 ) -> Iterator[Callable[[float], None]]:
    bar = Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True), transient=True,
                   disable=not replaces_lines(sys.stderr))
    task = bar.add_task(text, total=total)
    start = time.monotonic()

    def show(done: float) -> None:
        bar.update(task, completed=done)
        if time.monotonic() - start > BAR_AFTER:
            bar.start()

    try:
        yield show
    finally:
        bar.stop()


@contextmanager
def _in_cell(text: str, total: float | None, columns: tuple[ProgressColumn, ...]) -> Iterator[Callable[[float], None]]:
    """The same bar as text: widgets, as rich would make them, are lost where a notebook is saved."""
    console = Console(file=io.StringIO(), width=NOTEBOOK_WIDTH, force_terminal=False, force_jupyter=False,
                      no_color=True)
    bar = Progress(TextColumn("{task.description}"), *columns, console=console)
    task = bar.add_task(text, total=total)
    start = shown = time.monotonic()
    outputs: list[CellOutput] = []

    def show(done: float) -> None:
        nonlocal shown
        bar.update(task, completed=done)
        now = time.monotonic()
        if now - start > BAR_AFTER and now - shown >= EVERY:
            if not outputs:
                outputs.append(CellOutput())
            with console.capture() as captured:
                console.print(bar)
            outputs[0].show(captured.get().rstrip())
            shown = now

    try:
        yield show
    finally:
        for output in outputs:
            output.show(f"{text}: {time.monotonic() - start:.1f} s")
