"""The questions of the quizzes, as en.json and pa.json have them."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.course.language import LANGUAGES

TIMES = ("before", "after")


@dataclass(frozen=True)
class Answer:
    """One of the answers to choose from: its text, whether it is right, and why or why not."""

    text: str
    is_right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question with its answers; `code` is "" or a program, and then the right answer is what that prints."""

    name: str
    text: str
    code: str
    takes_several: bool
    answers: tuple[Answer, ...]

    def is_right(self, chosen: set[int]) -> bool:
        """Whether the chosen answers, by their places, are all of the right ones and no other."""
        return chosen == {place for place, answer in enumerate(self.answers) if answer.is_right}


@dataclass(frozen=True)
class Quiz:
    """The questions before or after a lesson."""

    lesson: str
    time: str
    title: str
    questions: tuple[Question, ...]


def quizzes(language: str = "en", lesson: str | None = None, time: str | None = None) -> list[Quiz]:
    """All quizzes, or those of one lesson or time ("before", "after"), in English ("en") or Punjabi ("pa").

    ArgumentError for a lesson, time or language that is not there.

    >>> from tarazu.course.quizzes import quizzes
    >>> [quiz.time for quiz in quizzes("en", "tensors")]
    ['before', 'after']
    """
    lessons = _data(language)["lessons"]
    for given, known, what in ((lesson, lessons, "lesson"), (time, TIMES, "time")):
        if given is not None and given not in known:
            raise ArgumentError(f"there is no {what} {given!r}", expected=f"one of {', '.join(known)}")
    return [Quiz(name, when, of_lesson["title"], tuple(_question(entry) for entry in of_lesson[when]))
            for name, of_lesson in lessons.items() if lesson in (None, name)
            for when in TIMES if time in (None, when)]


def quiz(lesson: str, time: str, language: str = "en") -> Quiz:
    """The quiz before or after a lesson; ArgumentError for one that is not there.

    >>> from tarazu.course.quizzes import quiz
    >>> quiz("tensors", "after").questions[1].code.splitlines()[-1]
    'print(w.grad.item())'
    """
    return quizzes(language, lesson, time)[0]


def words(language: str) -> dict[str, str]:
    """What is said around the questions, such as "Right."; ArgumentError for a language that is not there."""
    return _data(language)["words"]


@functools.cache
def _data(language: str) -> dict[str, Any]:
    if language not in LANGUAGES:
        raise ArgumentError(f"the course has no language {language!r}", expected=" or ".join(map(repr, LANGUAGES)))
    return json.loads((Path(__file__).parent / f"{language}.json").read_text(encoding="utf-8"))


def _question(entry: dict[str, Any]) -> Question:
    answers = tuple(Answer(answer["text"], answer["right"], answer["why"]) for answer in entry["answers"])
    return Question(entry["id"], entry["question"], entry.get("code", ""), entry["choose"] == "several", answers)
