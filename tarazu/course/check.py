"""`check`: whether an answer to an exercise of the course is right, and if not, why not."""

from __future__ import annotations

import importlib
import traceback
from dataclasses import dataclass
from pathlib import Path

from tarazu.base.errors import ArgumentError
from tarazu.course.language import message
from tarazu.course.wrong import Judge, Wrong

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Checked:
    """What `check` found: whether the answer is right, and what to tell the learner."""

    is_right: bool
    text: str

    def __repr__(self) -> str:
        return ("✓ " if self.is_right else "✗ ") + self.text


def lessons() -> list[str]:
    """The lessons that have exercises, by their names."""
    return sorted(path.stem for path in (Path(__file__).parent / "exercises").glob("[a-z]*.py"))


def judge_of(exercise: str) -> tuple[str, str, Judge]:
    """The lesson, the number and the judge of an exercise such as "tensors.1"; ArgumentError where there is none."""
    lesson, _, number = str(exercise).partition(".")
    if lesson not in lessons():
        raise ArgumentError(f"there is no exercise {exercise!r}; the lessons are {', '.join(lessons())}, "
                            'and exercises are named like "tensors.1"')
    judges: dict[str, Judge] = importlib.import_module(f"tarazu.course.exercises.{lesson}").EXERCISES
    if number not in judges:
        raise ArgumentError(f"lesson {lesson} has no exercise {number!r}; it has {', '.join(judges)}")
    return lesson, number, judges[number]


def _is_learners(error: Exception) -> bool:
    """Whether the learner's own code was running, and not a judge that looked at what the code gave."""
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    return any(PACKAGE not in file.parents and "site-packages" not in file.parts for file in files)


def check(exercise: str, answer: object) -> Checked:
    """Whether `answer`, a value or a function, solves an exercise, and if not, why not; no answer makes it raise.

    `exercise` is the lesson and the number, as the notebook writes it. ArgumentError for an exercise that is not there.

    >>> from tarazu import course
    >>> course.check("tensors.1", None).is_right
    False
    """
    lesson, number, judge = judge_of(exercise)
    if answer is None or answer is ...:
        return Checked(False, message(lesson, number, "empty"))
    try:
        wrong = judge(answer)
    except Exception as error:
        case = "raised" if _is_learners(error) else "unusable"
        wrong = Wrong(case, error=type(error).__name__, text=error)
    if wrong is None:
        return Checked(True, message(lesson, number, "right"))
    return Checked(False, message(lesson, number, wrong.case, **wrong.values))
