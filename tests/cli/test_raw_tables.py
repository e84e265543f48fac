"""The commands on tables as people hand them over: nothing but the target is said."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tarazu as tz
from tarazu.cli.main import main


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def fit(text, *options, target="y"):
    """What `tarazu fit` prints for a file of that text."""
    Path("t.csv").write_text(text, encoding="utf-8")
    return run("fit", "t.csv", "--target", target, "--epochs", 1, "--hidden", 0, "--out", "run", "--force", *options)


def predicted(text):
    """The rows that `tarazu predict` writes for a file of that text."""
    Path("new.csv").write_text(text, encoding="utf-8")
    run("predict", "run", "new.csv", "-o", "p.csv", "--force")
    with Path("p.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def csv_of(**columns):
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("base", "scale"), [(1.357e9, 3600.0), (5.1e6, 250.0), (2e6, 8e5), (0.0, 1e-7)])
def test_predictions_keep_what_float32_tells_apart(base, scale):
    x = np.random.default_rng(0).normal(size=60)
    text = csv_of(x=x, y=base + scale * x)
    fit(text)
    written = np.array([float(row["y"]) for row in predicted(text)])
    exact = tz.tabular.TableModel.load("run").predict("t.csv")
    assert np.array_equal(written.astype(np.float32), exact.astype(np.float32))
    assert np.abs(written - exact).max() <= 1e-7 * np.std(base + scale * x) + 1e-7 * np.abs(exact - base).max()
    assert len(set(written)) == len(set(x))


def test_probabilities_are_written_as_the_shortest_digits_of_their_float32():
    text = csv_of(x=range(40), y=["a", "b"] * 20)
    fit(text)
    exact = tz.tabular.TableModel.load("run").probabilities("t.csv")[:, 0].astype(np.float32)
    assert [row["probability of a"] for row in predicted(text)] == [str(value) for value in exact]
