"""`tarazu diagnose` and `tarazu fit --diagnose`, as a user calls them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from commands import run

from tarazu.runtime import processes

QUICK = ("--hidden", 0, "--learning-rate", 0.1, "--epochs", 20)  # a loss near 0 ends a diagnosis after three fits


@pytest.fixture(scope="module")
def flats(tmp_path_factory):
    """Prices that follow from the size and the city; some sizes are missing."""
    random = np.random.default_rng(0)
    size, city = random.uniform(20, 200, 200), random.choice(["Herat", "Delhi"], 200)
    rows = [[f"{s:.1f}" if i % 40 else "", c, f"{1000 * s + 50_000 * (c == 'Delhi'):.0f}"]
            for i, (s, c) in enumerate(zip(size, city, strict=True))]
    path = tmp_path_factory.mktemp("tables") / "flats.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["size", "city", "price"], *rows])
    return path


def test_diagnose_tells_the_cause_and_writes_the_page_in_place_of_an_old_one(flats):
    arguments = ("diagnose", flats, "--target", "price", *QUICK, "--out", "why")
    Path("why").mkdir()
    assert "why is there already" in run(*arguments, code=2)
    assert "why is not a run folder" in run(*arguments, "--force", code=2)
    Path("why/history.jsonl").touch()
    output = run(*arguments, "--force")
    assert "200 rows, 2 features: 1 number, 1 category; 5 missing cells in 1 column" in output
    assert re.search(r"^healthy \(\d+ %\): nothing that was tried", output, re.MULTILINE)
    assert output.endswith("\n\ndiagnosis: why/diagnosis.html\n")
    assert sorted(path.name for path in Path("why").iterdir()) == ["diagnosis.html", "history.jsonl"]
    page = Path("why/diagnosis.html").read_text(encoding="utf-8")
    assert '<p class="name">healthy</p>' in page and "What more rows would bring" in page
    assert f"Made by: tarazu diagnose {flats} --target price" in page


def test_fit_with_a_diagnosis_adds_it_to_the_run_folder(flats):
    output = run("fit", flats, "--target", "price", *QUICK, "--quiet", "--diagnose")
    cause, last = output.splitlines()[-2:]
    assert last == "diagnosis: runs/flats-price/diagnosis.html"
    page = Path("runs/flats-price/report.html").read_text(encoding="utf-8")
    assert f'<a href="diagnosis.html">Why it does as it does, and what would help: {cause}</a>' in page
    assert "Made by: tarazu fit" in Path("runs/flats-price/diagnosis.html").read_text(encoding="utf-8")


def test_what_cannot_be_diagnosed_is_said_and_the_fit_stays(flats, monkeypatch):
    small = Path("small.csv")
    small.write_text("\n".join(flats.read_text().splitlines()[:50]))
    options = ("--target", "price", "--epochs", 1, "--quiet")
    output = run("fit", small, *options, "--diagnose", "--test", 0, code=2)
    assert "a study of 7 validation rows" in output and Path("runs/small-price/report.html").is_file()
    output = run("diagnose", flats, *options, "--validation", 0, "--test", 0, code=2)
    assert "no rows are left out of the training" in output
    assert "0 is not in the range x>0" in run("diagnose", flats, *options, "--budget", 0, code=2)
    monkeypatch.setattr(processes, "count", lambda: 2)
    assert "a diagnosis by several processes" in run("fit", flats, *options, "--diagnose", code=2)
    assert not Path("runs/flats-price").exists()
