"""Points for a student's file, run in a process of its own with a time limit, and a reason for each that is lost."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tarazu.base.errors import ArgumentError, DataError
from tarazu.course.labs.part import Part, said
from tarazu.course.labs.template import solution
from tarazu.course.language import message, speaking

TIME_LIMIT = 300.0  # seconds for all parts


@dataclass(frozen=True)
class Mark:
    """What a part got: points of so many, the case and its reason, a hint, and the line of the student's own error."""

    part: str
    title: str
    points: int
    of: int
    case: str
    reason: str
    hint: str | None = None
    line: int | None = None
    code: str | None = None

    def text(self, language: str) -> str:
        """What a person reads of it."""
        text = f"{'✓' if self.points else '✗'} {self.points:>2}/{self.of:<2}  {self.title}: {self.reason}"
        with speaking(language):
            if self.line:
                text += f"\n{' ' * 9}{message('lab', 'any', 'line', line=self.line)} {self.code or ''}".rstrip()
            return text + (f"\n{' ' * 9}{message('lab', 'any', 'hint')} {self.hint}" if self.hint else "")


@dataclass(frozen=True)
class Grade:
    """The marks of all parts of a lab; `str` is what `tarazu lab grade` prints."""

    lab: str
    marks: tuple[Mark, ...]
    language: str = "en"

    @property
    def points(self) -> int:
        """All points together."""
        return sum(mark.points for mark in self.marks)

    @property
    def of(self) -> int:
        """The points that there are."""
        return sum(mark.of for mark in self.marks)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as `--json` prints it."""
        return {"lab": self.lab, "points": self.points, "of": self.of, "parts": [asdict(mark) for mark in self.marks]}

    def __str__(self) -> str:
        with speaking(self.language):
            total = message("lab", "any", "total", points=self.points, of=self.of)
        return "\n".join([*(mark.text(self.language) for mark in self.marks), total])


def grade(lab: str, file: str | Path, language: str = "en", time_limit: float = TIME_LIMIT) -> Grade:
    """The points of a student's file, which is run in another process, for at most `time_limit` seconds.

    The file can do what its user can: grade those of strangers where they can do no harm. ArgumentError for a lab or a
    language that is not there, and for a limit that is not above 0; DataError where there is no file.

    >>> grade("iris", "no_such_file.py")
    Traceback (most recent call last):
        ...
    tarazu.base.errors.DataError: no_such_file.py: there is no such file
      expected: a file that `tarazu lab start` has written
      to mend it: tarazu lab start iris
    """
    solution(lab, language)  # which raises where there is none
    if not time_limit > 0:
        raise ArgumentError(f"time_limit={time_limit}", expected="seconds above 0", fix="pass for example 300")
    path = Path(file).resolve()
    if not path.is_file():
        raise DataError("there is no such file", path=file, expected="a file that `tarazu lab start` has written",
                        fix=f"tarazu lab start {lab}")
    parts: tuple[Part, ...] = importlib.import_module(f"tarazu.course.labs.{lab}").PARTS
    lines, ended = _run(lab, path, language, time_limit)
    with speaking(language):
        return Grade(lab, tuple(_mark(lab, part, lines.get(part.name), ended) for part in parts), language)


def _run(lab: str, path: Path, language: str, time_limit: float) -> tuple[dict[str, dict[str, Any]], str]:
    """What the child has said of each part, and how it ended where it has not said all: "time" or "ended"."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        command = [sys.executable, "-P", "-m", "tarazu.course.labs.child", lab, str(path), language, str(results)]
        ended = "ended"
        try:
            subprocess.run(command, timeout=time_limit, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, cwd=path.parent, check=False)
        except subprocess.TimeoutExpired:
            ended = "time"
        text = results.read_text(encoding="utf-8") if results.exists() else ""
    whole = text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]
    read = (json.loads(line) for line in whole)
    return {line["part"]: line for line in read}, ended


def _mark(lab: str, part: Part, line: dict[str, Any] | None, ended: str) -> Mark:
    title = said(lab, part.name, "title")
    if line is None:
        return Mark(part.name, title, 0, part.points, ended, said(lab, part.name, ended))
    if line["is_right"]:
        return Mark(part.name, title, part.points, part.points, "right", line["reason"])
    return Mark(part.name, title, 0, part.points, line["case"], line["reason"], said(lab, part.name, "hint"),
                line["line"], line["code"])
