"""The table of the course: its rows are whole, and every page, anchor and test that it names exists."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs/course/lesson.md"
CAPABILITIES = {"A": 13, "B": 18, "C": 6, "D": 11, "E": 5, "F": 17, "G": 17, "H": 13, "I": 6, "J": 11, "K": 9}
TASKS = {"T": 9, "L": 10, "O": 11, "R": 15, "Q": 7}
ROWS = re.findall(r"^\| ([A-Z]\d+) \| (.+?) \| (.+?) \| (.+?) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@cache
def anchors(page: Path) -> frozenset[str]:
    text = re.sub(r"^(`{3,}).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return frozenset(slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE))


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_row_is_there_once():
    wanted = [f"{letter}{n + 1}" for letter, count in (CAPABILITIES | TASKS).items() for n in range(count)]
    assert Counter(row for row, *_ in ROWS) == Counter(wanted)


def test_the_head_says_the_counts():
    head = TABLE.read_text(encoding="utf-8").split("|")[0]
    assert f"{sum(CAPABILITIES.values())} capabilities and {sum(TASKS.values())} tasks" in head


def test_every_link_has_its_page_and_anchor():
    links = re.findall(r"\]\(([^)#]+)#([^)]+)\)", TABLE.read_text(encoding="utf-8"))
    assert len(links) > len(ROWS)
    for page, anchor in links:
        assert anchor in anchors((TABLE.parent / page).resolve()), f"{page}#{anchor}"


@pytest.mark.parametrize(("row", "page", "tests"), [(row, page, tests) for row, _, page, tests in ROWS])
def test_a_row_is_shown_by_code_and_held_by_a_test(row, page, tests):
    path = TABLE.parent / re.search(r"\]\(([^)#]+)#", page)[1]
    assert "{code-cell}" in path.read_text(encoding="utf-8")
    for name in re.findall(r"`(.+?)`", tests):
        file, function = name.split("::")
        assert function in functions(file), name
