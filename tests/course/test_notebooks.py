"""The course's pages: the English and the Punjabi one of a lesson have the same code and the same headings."""

import ast
import re
from pathlib import Path

import pytest

COURSE = Path(__file__).parents[2] / "docs/course"
PAGES = sorted(page.name for page in COURSE.glob("[0-9][0-9]_*.md"))
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
OPTION = re.compile(r"^:\w[\w-]*:.*\n", re.MULTILINE)


class WithoutStrings(ast.NodeTransformer):
    """Texts may be translated: a string becomes an empty one, and of an f-string only what is filled in is left."""

    def visit_Constant(self, node):
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node):
        filled = [part for part in node.values if isinstance(part, ast.FormattedValue)]
        return ast.JoinedStr(sorted(map(self.visit, filled), key=ast.dump))


def code(page):
    cells = [OPTION.sub("", cell) for cell in CELL.findall(page.read_text(encoding="utf-8"))]
    return [ast.dump(WithoutStrings().visit(ast.parse(cell))) for cell in cells]


def headings(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_have_the_same_code_and_headings(name):
    english, punjabi = COURSE / name, COURSE / "pa" / name
    assert punjabi.exists(), f"{name} has no Punjabi twin in docs/course/pa"
    assert code(english) == code(punjabi)
    assert headings(english) == headings(punjabi)


def test_every_punjabi_page_has_an_english_one():
    assert {page.name for page in (COURSE / "pa").glob("[0-9][0-9]_*.md")} <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_languages_are_set(name):
    for page, language in [(COURSE / name, "en"), (COURSE / "pa" / name, "pa")]:
        assert set(re.findall(r'course\.set_language\("(\w+)"\)', page.read_text(encoding="utf-8"))) <= {language}


def test_code_is_compared_without_its_texts():
    first, second, other = (ast.dump(WithoutStrings().visit(ast.parse(text))) for text in
                            ['print(f"a {x} b {y:.2f}")  # c', 'print(f"{y:.2f} p {x}")', 'print(f"{y:.2f} p {z}")'])
    assert first == second != other
