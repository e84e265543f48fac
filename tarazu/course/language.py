"""The language of the course, and its texts: texts/LANGUAGE/LESSON.json, messages by exercise and by case."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator
from pathlib import Path

from tarazu.base.errors import ArgumentError

LANGUAGES = {"en": "English", "pa": "ਪੰਜਾਬੀ"}
TEXTS = Path(__file__).parent / "texts"
chosen = "en"


def set_language(language: str) -> None:
    """From now on checks and quizzes speak this language: "en" (English) or "pa" (Punjabi).

    ArgumentError for any other.

    >>> from tarazu import course
    >>> course.set_language("en")
    """
    global chosen
    if language not in LANGUAGES:
        raise ArgumentError(f"the course has no language {language!r}; it has {' and '.join(map(repr, LANGUAGES))}")
    chosen = language


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Texts in this language within the block."""
    global chosen
    before, chosen = chosen, language
    try:
        yield
    finally:
        chosen = before


@functools.cache
def texts(language: str, lesson: str) -> dict[str, dict[str, str]]:
    """The messages of a lesson: by exercise ("1"), then by case ("right", "shape"); those of "common" hold for all."""
    return json.loads((TEXTS / language / f"{lesson}.json").read_text(encoding="utf-8"))


def message(lesson: str, exercise: str, case: str, **values: object) -> str:
    """The text for a case of an exercise in the chosen language, with values filled in."""
    of_lesson, common = texts(chosen, lesson), texts(chosen, "common")["any"]
    return of_lesson.get(exercise, {}).get(case, common.get(case, "")).format(**values)
