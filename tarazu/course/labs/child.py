"""The process that runs a student's file: python -m tarazu.course.labs.child LAB FILE LANGUAGE RESULTS."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tarazu.course.labs.part import Part, said
from tarazu.course.labs.student import Stop, Student, as_wrong
from tarazu.course.language import set_language
from tarazu.course.wrong import Wrong
from tarazu.runtime.random.generator import seed


def run(lab: str, path: Path, results: Path) -> None:
    """Judge each part, and add a line to the results as soon as one is judged."""
    with results.open("w", encoding="utf-8") as file:
        for line in judged(lab, path):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()


def judged(lab: str, path: Path) -> Iterator[dict[str, object]]:
    """What is said of each part: its name, and the text, None for a right one, with the line of an error."""
    parts: tuple[Part, ...] = importlib.import_module(f"tarazu.course.labs.{lab}").PARTS
    try:
        student = Student(path)
    except BaseException as error:  # sys.exit() at the end of a file, too
        wrong = as_wrong(error, path)
        yield from (as_line(lab, part, wrong) for part in parts)
        return
    for part in parts:
        seed(0)
        try:
            found = part.judge(student)
        except Stop as stop:
            found = stop.wrong
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            found = as_wrong(error, path)
        yield as_line(lab, part, found)


def as_line(lab: str, part: Part, wrong: Wrong | None) -> dict[str, object]:
    """A line of the results."""
    case, values = (wrong.case, wrong.values) if wrong else ("right", {})
    return {"part": part.name, "is_right": wrong is None, "case": case, "reason": said(lab, part.name, case, **values),
            "line": values.get("line"), "code": values.get("code")}


if __name__ == "__main__":
    set_language(sys.argv[3])
    run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[4]))
