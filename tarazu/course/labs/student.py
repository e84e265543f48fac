"""A student's file: its functions, and what went wrong in them, with their line."""

from __future__ import annotations

import runpy
import traceback
from pathlib import Path
from typing import Any

from tarazu.course.wrong import Wrong


class Stop(Exception):
    """Ends the judgement of a part with what is wrong."""

    def __init__(self, wrong: Wrong) -> None:
        self.wrong = wrong


class Student:
    """The functions of a student's file, by their names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names: dict[str, Any] = runpy.run_path(str(path), run_name="lab")

    def call(self, name: str, *arguments: object) -> Any:
        """What the function gives. Raises Stop where there is none, or it gives None."""
        function = self._names.get(name)
        if not callable(function):
            raise Stop(Wrong("missing", name=name))
        result = function(*arguments)
        if result is None:
            raise Stop(Wrong("empty", name=name))
        return result


def as_wrong(error: BaseException, path: Path) -> Wrong:
    """What an error means: one in the student's file stands with its line, another comes from what it gave."""
    name, text = type(error).__name__, str(error).splitlines()[0] if str(error) else ""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return Wrong("raised", error=name, text=error.msg, line=error.lineno, code=(error.text or "").strip())
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if places:
        return Wrong("raised", error=name, text=text, line=places[-1].lineno, code=places[-1].line)
    return Wrong("unusable", error=name, text=text)
