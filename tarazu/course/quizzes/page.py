"""A page of quizzes, whole in itself: no network, keyboard and screen reader, light and dark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tarazu.course.quizzes.questions import Quiz, quizzes, words


def quiz_page(language: str = "en", chosen: Sequence[Quiz] | None = None) -> str:
    """The HTML of a page with the given quizzes in their order, by default with all; ArgumentError as `quizzes`.

    Explanations appear where an answer is checked, and all at once where JavaScript is off.

    >>> from tarazu.course.quizzes import quiz, quiz_page
    >>> '<html lang="pa">' in quiz_page("pa", [quiz("tensors", "before", "pa")])
    True
    """
    import jinja2
    import markupsafe

    def marked(text: str) -> markupsafe.Markup:
        """Text whose parts between backticks are code."""
        parts = re.split(r"`([^`]+)`", text)
        tags = ("{}", '<code lang="en" dir="ltr">{}</code>')
        return markupsafe.Markup("").join(markupsafe.Markup(tags[place % 2]).format(part)
                                          for place, part in enumerate(parts))

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["marked"] = marked
    shown = list(quizzes(language) if chosen is None else chosen)
    return environment.get_template("page.html.jinja").render(language=language, words=words(language), quizzes=shown)
