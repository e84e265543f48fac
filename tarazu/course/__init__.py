"""What the course (docs/course) needs: checks of its exercises in English and Punjabi.

language.py has the language and the texts, which lie in texts/LANGUAGE/LESSON.json; exercises/ has a judge for every
exercise, by lesson; wrong.py what a judge says, forms.py what many judges ask first, check.py runs them; quizzes/ has
the quizzes of all lessons, labs/ the labs and their grader.
"""

from __future__ import annotations

from tarazu.course.check import Checked, check
from tarazu.course.language import set_language

__all__ = ["Checked", "check", "set_language"]


def __dir__() -> list[str]:
    return __all__
