"""A part of a lab: its points, who judges it, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tarazu.course import language
from tarazu.course.labs.student import Student
from tarazu.course.wrong import Wrong


@dataclass(frozen=True)
class Part:
    """A part of a lab, with the judge that gives its points or says why not."""

    name: str
    points: int
    judge: Callable[[Student], Wrong | None]


def said(lab: str, part: str, case: str, **values: object) -> str:
    """The text for a case of a part, in the chosen language: of texts/LANGUAGE/lab_LAB.json, or lab.json for all."""
    of_part, common = (language.texts(language.chosen, name).get(key, {})
                       for name, key in ((f"lab_{lab}", part), ("lab", "any")))
    return (of_part.get(case) or common[case]).format(**values)
