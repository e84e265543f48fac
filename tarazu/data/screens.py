"""Where progress can be shown in place: terminals whose lines can be replaced, and outputs of notebook cells."""

from __future__ import annotations

import importlib
import os
import sys
from typing import IO, Any

NOTEBOOK_WIDTH = 100  # characters
# What ipykernel sets for the commands of a cell ("!tarazu fit"): these write to a terminal of which the notebook keeps
# all that was ever shown.
IN_CELL = {"TERM": "xterm-color", "PAGER": "cat", "GIT_PAGER": "cat"}


def replaces_lines(stream: IO[str]) -> bool:
    """Whether `stream` is a terminal whose lines can be replaced.

    >>> import io
    >>> replaces_lines(io.StringIO())
    False
    """
    is_in_cell = all(os.environ.get(name) == value for name, value in IN_CELL.items())
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown") and not is_in_cell


def is_notebook() -> bool:
    """Whether this is the program of a notebook: Jupyter, Colab, VS Code, Databricks.

    >>> is_notebook()
    False
    """
    if "IPython" not in sys.modules:
        return False
    from rich.console import Console

    return Console().is_jupyter


class CellOutput:
    """An output of the notebook cell that is replaced each time: the notebook keeps the last text alone.

    >>> output = CellOutput()  # doctest: +SKIP
    >>> output.show("half done")  # doctest: +SKIP
    """

    def __init__(self) -> None:
        display = importlib.import_module("IPython.display").display  # is no requirement, but there in a notebook
        self._handle: Any = display({"text/plain": ""}, raw=True, display_id=True)

    def show(self, text: str) -> None:
        """Show `text` in place of what was there."""
        self._handle.update({"text/plain": text}, raw=True)
