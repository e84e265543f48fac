"""The pages of docs/guide and docs/howto: all are listed, and every how-to is a screen with code and pitfalls."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
HOWTOS = sorted(page for page in (DOCS / "howto").glob("*.md") if page.stem != "index")
GUIDE = sorted(page for page in (DOCS / "guide").glob("*.md") if page.stem != "index")
CELL = re.compile(r"```\{code-cell\}\n(.*?)```", re.DOTALL)


def title(page):
    return re.search(r"^# (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[1]


@pytest.mark.parametrize("page", HOWTOS, ids=lambda page: page.stem)
def test_a_how_to_is_a_question_with_an_answer_on_a_screen(page):
    text = page.read_text(encoding="utf-8")
    assert title(page).endswith("?")
    assert "**Pitfalls.**" in text
    assert CELL.search(text) or "```python" in text  # the latter are run by tests, where an extra is installed
    assert len(text.splitlines()) <= 80


def test_how_tos_are_listed_by_their_questions():
    index = (DOCS / "howto" / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[(.*)\]\((.*)\)$", index, re.MULTILINE)
    assert len(listed) >= 30
    assert sorted(listed) == sorted((title(page), page.name) for page in HOWTOS)


def test_pages_of_the_guide_are_listed():
    index = (DOCS / "guide" / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[.*\]\((.*?)\) \|", index, re.MULTILINE)
    assert sorted(listed) == [page.name for page in GUIDE]


@pytest.mark.parametrize("page", GUIDE + HOWTOS, ids=lambda page: page.stem)
def test_cells_are_python_that_draws_with_seeds(page):
    for cell in CELL.findall(page.read_text(encoding="utf-8")):
        code = re.sub(r"\A---\n.*?\n---\n", "", re.sub(r"^(:|%).*\n", "", cell, flags=re.MULTILINE), flags=re.DOTALL)
        calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "default_rng":
                assert call.args, f"{page.name}: default_rng() without a seed"


def test_fifteen_errors_are_raised_by_cells():
    text = (DOCS / "guide" / "errors.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^### (\d+)\. ", text, re.MULTILINE)]
    assert numbers == list(range(1, 16))
    assert text.count(":tags: [raises-exception]") >= 15


@pytest.mark.parametrize("page", [*GUIDE, *HOWTOS, DOCS / "first_hour.md"], ids=lambda page: page.stem)
def test_pictures_say_in_words_what_they_show(page):
    for cell in CELL.findall(page.read_text(encoding="utf-8")):
        assert "plt." not in cell or re.search(r"\A---\nmystnb:\n  image:\n    alt: .{20,}\n---\n", cell)
