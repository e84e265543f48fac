"""The pages of quizzes, written into the site when it is built: course/quiz_en.html and course/quiz_pa.html.

docs/conf.py names this file among its extensions; docs/course/quizzes.md links to the pages.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from tarazu.course.language import LANGUAGES
from tarazu.course.quizzes import quiz_page


def write_pages(app: Sphinx, exception: Exception | None) -> None:
    """Write a page for each language into the folder of the course."""
    if exception is None and app.builder.format == "html":
        folder = Path(app.outdir) / "course"
        folder.mkdir(exist_ok=True)
        for language in LANGUAGES:
            (folder / f"quiz_{language}.html").write_text(quiz_page(language), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Have Sphinx call `write_pages` at the end of a build."""
    app.connect("build-finished", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
