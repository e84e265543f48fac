"""`tarazu diagnose` and `tarazu fit --diagnose`, as a user calls them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from commands import run

from tarazu.runtime import processes

QUICK = ("--epochs", 4, "--hidden", 8, "--budget", 3)


@pytest.fixture(scope="module")
def flats(tmp_path_factory):
    """A table with texts, empty cells, and a column that is made from the target."""
    random = np.random.default_rng(0)
    size, city = random.uniform(20, 200, 300), random.choice(["Herat", "Delhi"], 300)
    is_dear = size + 60 * (city == "Delhi") + 40 * random.normal(size=300) > 140
    code = np.where(is_dear, "K1", "K2")
    rows = [[f"{s:.1f}" if i % 11 else "", c, k, "dear" if d else ""] for i, (s, c, k, d) in
            enumerate(zip(size, city, code, is_dear, strict=True))]
    rows = [[*cells[:3], cells[3] or "cheap"] for cells in rows]
    path = tmp_path_factory.mktemp("tables") / "flats.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["size", "city", "code", "class"], *rows])
    return path


def test_diagnose_tells_the_cause_by_the_name_of_the_column_and_writes_the_page(flats):
    output = run("diagnose", flats, "--target", "class", *QUICK, "--learning-rate", 0.05)
    assert "300 rows, 3 features: 1 number, 2 categories; 28 missing cells in 1 column" in output
    assert re.search(r"^leakage \(\d+ %\)$", output, re.MULTILINE) and "without 'code'" in output
    assert output.endswith("\ndiagnosis: runs/flats-class-diagnosis/diagnosis.html\n")
    folder = Path("runs/flats-class-diagnosis")
    assert sorted(path.name for path in folder.iterdir()) == ["diagnosis.html", "history.jsonl"]
    page = (folder / "diagnosis.html").read_text(encoding="utf-8")
    assert "Columns that may give the answer away" in page and "<td>code</td>" in page
    assert f"Made by: tarazu diagnose {flats} --target class" in page


def test_diagnose_quietly_into_a_folder_that_force_replaces(flats):
    arguments = ("diagnose", flats, "--target", "class", *QUICK, "--quiet", "--out", "why")
    lines = run(*arguments).splitlines()
    assert len(lines) == 2 and lines[1] == "diagnosis: why/diagnosis.html"
    assert "why is there already" in run(*arguments, code=2)
    assert run(*arguments, "--force").splitlines() == lines


def test_fit_with_a_diagnosis_adds_it_to_the_run_folder(flats):
    output = run("fit", flats, "--target", "class", "--epochs", 3, "--hidden", 8, "--quiet", "--diagnose")
    cause, last = output.splitlines()[-2:]
    assert last == "diagnosis: runs/flats-class/diagnosis.html"
    page = Path("runs/flats-class/report.html").read_text(encoding="utf-8")
    assert f'<a href="diagnosis.html">Why it does as it does, and what would help: {cause}</a>' in page
    assert "Made by: tarazu fit" in Path("runs/flats-class/diagnosis.html").read_text(encoding="utf-8")


def test_what_cannot_be_diagnosed_is_said_and_the_fit_stays(flats, monkeypatch):
    small = Path("small.csv")
    small.write_text("\n".join(flats.read_text().splitlines()[:50]))
    options = ("--target", "class", "--epochs", 1, "--quiet")
    output = run("fit", small, *options, "--diagnose", "--test", 0, code=2)
    assert "a study of 7 validation rows" in output and Path("runs/small-class/report.html").is_file()
    output = run("diagnose", flats, *options, "--validation", 0, "--test", 0, code=2)
    assert "no rows are left out of the training" in output
    assert "0 is not in the range x>0" in run("diagnose", flats, *options, "--budget", 0, code=2)
    monkeypatch.setattr(processes, "count", lambda: 2)
    assert "a diagnosis by several processes" in run("fit", flats, *options, "--diagnose", code=2)
    assert not Path("runs/flats-class").exists()
