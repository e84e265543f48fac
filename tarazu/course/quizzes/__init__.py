"""The quizzes before and after each lesson, in two languages: en.json and pa.json have them all.

questions.py reads them; page.py makes a page of them, by page.html.jinja. The command `tarazu quiz` asks them in the
terminal (tarazu/cli/quiz.py).
"""

from __future__ import annotations

from tarazu.course.quizzes.page import quiz_page
from tarazu.course.quizzes.questions import Answer, Question, Quiz, quiz, quizzes

__all__ = ["Answer", "Question", "Quiz", "quiz", "quiz_page", "quizzes"]
