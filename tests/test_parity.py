"""What docs/parity.md says holds: names of Tarazu are there, rows are counted, what is missing is named."""

from __future__ import annotations

import inspect
import re
from operator import attrgetter
from pathlib import Path

import pytest

import tarazu as tz

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "parity.md").read_text(encoding="utf-8")
OTHERWISE = (DOCS / "differences.md").read_text(encoding="utf-8")
OTHERWISE = OTHERWISE[OTHERWISE.index("## What the peers have"):OTHERWISE.index("## Compiled functions")]


def cells(line):
    return [cell.strip() for cell in line.strip()[1:-1].split("|")]


def rows():
    """Of each row: the cells of the peers, of Tarazu, of "Has it" and of "Used"."""
    found = []
    for line in PAGE.splitlines():
        if line.startswith("| ") and "| Has it |" not in line:
            *peers, ours, has_it, used = cells(line)
            found.append((" ".join(peers), ours, has_it.strip("*"), used))
    return found


ROWS = rows()
CODE = [code for text in [ours for _, ours, _, _ in ROWS] + PAGE.split("## 16. ")[1].splitlines()
        for code in re.findall(r"`([^`]+)`", text)]
NAMES = sorted({name for code in CODE for name in re.findall(r"(?<![\w.])(?:tz|nn)(?:\.\w+)+", code)})
CALLS = sorted({call for code in CODE
                for call in re.findall(r"(?<![\w.])((?:(?:tz|nn)\.[\w.]+)|compile|fit|evaluate)\(([^`]*)\)$", code)})


def resolved(name):
    whole = name if name.startswith("tz.") else f"tz.{name}" if name.startswith("nn.") else f"tz.train.{name}"
    return attrgetter(whole.removeprefix("tz."))(tz)


def test_the_counts_are_those_of_the_rows():
    counts = [sum(has_it == word for _, _, has_it, _ in ROWS) for word in ("yes", "partly", "no")]
    assert "Rows: {} yes, {} partly, {} no;".format(*counts) in PAGE
    assert sum(counts) == len(ROWS) == 291


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there(name):
    resolved(name)


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_the_arguments_of_a_call_are_there(name, arguments):
    parameters = inspect.signature(resolved(name)).parameters
    if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values()):
        assert set(re.findall(r"\b(\w+)=", arguments)) <= set(parameters)


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] != "yes" and not row[3].startswith("low")],
                         ids=lambda row: row[0][:40])
def test_what_is_missing_is_named(row):
    not_yet = PAGE.split("**Not yet**")[1].split("\n## ")[0]
    otherwise = " ".join(cells(line)[0] for line in OTHERWISE.splitlines() if line.startswith("| "))
    named = re.findall(r"`([\w.]+)`", not_yet + otherwise)
    assert any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", row[0]) for name in named)
