"""The pages docs/coming_from_*.md: their scripts run and print what is written beside, their names are there."""

from __future__ import annotations

import operator
import re
from pathlib import Path

import pytest

import tarazu as tz

PAGES = sorted((Path(__file__).parents[1] / "docs").glob("coming_from_*.md"))


def text_of(page):
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_scripts_of_a_page_run(page, capsys, monkeypatch):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # other tests run the native backend, which takes seconds to compile
    names: dict[str, object] = {"__name__": page.stem}
    for script in re.findall(r"```python\n(.*?)```", text_of(page), re.DOTALL):
        assert script.count(".fit(") == script.count("seed=0)\n")
        exec(compile(script.replace("seed=0)\n", "seed=0, verbose=0)\n"), page.name, "exec"), names)
        assert capsys.readouterr().out.splitlines() == re.findall(r"^ *print\(.*\)  # (.*)$", script, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_names_in_the_table_are_there(page):
    table = text_of(page).rpartition("\n## Names\n")[2]
    names = re.findall(r"\btz\.([A-Za-z_][\w.]*\w)", table)
    assert len(names) > 20
    for name in names:
        operator.attrgetter(name)(tz)
    assert all(line.count(" | ") == 1 for line in table.strip().splitlines()[2:])
