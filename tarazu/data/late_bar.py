"""A progress bar on standard error that appears once something takes longer than a second, and then goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from rich.console import Console
from rich.progress import Progress, ProgressColumn, TextColumn

BAR_AFTER = 1.0  # seconds


@contextmanager
def late_bar(verb: str, name: str, total: float | None, *columns: ProgressColumn) -> Iterator[Callable[[float], None]]:
    """A block with a function that shows how much of `total` is done, in the `columns` behind "`verb` `name`".

    >>> from rich.progress import BarColumn
    >>> with late_bar("reading", "table.csv", 1.0, BarColumn()) as show:
    ...     show(0.5)
    """
    console = Console(stderr=True)
    no_widgets = console.is_jupyter and find_spec("ipywidgets") is None  # rich shows a warning in place of the bar
    bar = Progress(TextColumn(verb + " {task.description}"), *columns, console=console, transient=True,
                   disable=no_widgets)
    task = bar.add_task(name, total=total)
    start = time.monotonic()

    def show(done: float) -> None:
        bar.update(task, completed=done)
        if time.monotonic() - start > BAR_AFTER:
            bar.start()

    try:
        yield show
    finally:
        bar.stop()
