"""The page of a diagnosis: what it says to whom nothing is known of statistics, of each kind of answer."""

import re

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.record import History
from tarazu.study import ColumnDifference, Diagnosis, Estimate, Evidence, Gain, RowsLoss, SuspectFeature, SuspectTarget
from tarazu.study.diagnosis.row_evidence import RowEvidence
from tarazu.study.diagnosis.row_findings import suspect_targets
from tarazu.study.experiment.experiment import Experiment

GAINS = (Gain("corrected targets", "label_noise", 0.4, 0.1, 1),
         Gain("4 x the width", "too_little_capacity", 0.1, 0.2, 1))
BY_ROWS = (RowsLoss(100, Estimate(0.9, 0.8, 1.0), True), RowsLoss(200, Estimate(0.7, 0.6, 0.8), True),
           RowsLoss(800, Estimate(0.5, 0.4, 0.6), False))


def diagnosis(cause, probability=0.97, **options):
    return Diagnosis(cause, ((cause if cause != "undecided" else "shift", probability),), 0.2, None,
                     (Evidence("label_noise", "share <of> wrong", 0.2, (0.1, 0.3), "it is so"),), GAINS, 0.7, 12.0, 0.3,
                     **options)


def page_of(found, path):
    return found.report(path / "why.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")


def test_the_page_of_a_cause(tmp_path):
    history = History()
    history.append(loss=0.5, val_loss=0.6)
    history.append(loss=0.4, val_loss=0.7)
    suspects = tuple(SuspectTarget("flats.csv", i, "dear", "cheap", "line") for i in range(25))
    found = diagnosis("label_noise", history=history, kept_epoch=1, by_rows=BY_ROWS, suspect_targets=suspects)
    page = page_of(found, tmp_path)
    assert "Some targets are wrong" in page and "97 %, almost certain" in page
    assert "with “corrected targets”, the loss on new rows falls from 70 % to about 30 %" in page
    assert "kept: epoch 1<" in page
    assert "About 20 % of all targets seem to be wrong" in page and ">line 19 of flats.csv<" in page
    assert ">line 20 of flats.csv<" not in page and "Rows are counted from 0" not in page
    assert "The dashed line goes on to 800 rows: 50 % is expected there (40 % to 60 %)" in page
    assert "share &lt;of&gt; wrong" in page and "<of>" not in page and ">0.1 to 0.3<" in page
    titles = re.findall(r'role="img"[^>]*><title>([^<]+)</title>', page)
    assert [title.split(";")[0] for title in titles] == [
        "what lowers the loss on new rows", "how probable each cause is", "loss by epoch",
        "loss on new rows, in % by training rows (logarithmic axis)", "Tarazu, a pair of scales"]
    assert "<script" not in page and not re.search(r'(src|href)="', page)
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}


def test_the_pages_of_other_answers(tmp_path):
    healthy = page_of(diagnosis("healthy"), tmp_path)
    assert "Nothing has to be mended" in healthy and "What was not tried" not in healthy
    undecided = page_of(diagnosis("undecided", 0.4, skipped=("dropout of 0.3",)), tmp_path)
    assert "The most probable answers are shift (40 %)" in undecided and "larger budget" in undecided
    assert "for want of budget or of a way to change this model: &#39;dropout of 0.3&#39;" in undecided
    leak = page_of(diagnosis("leakage", 0.7, leaking=(SuspectFeature("<code>", (3,), 0.9, 0.4, True),),
                             shifted=(ColumnDifference("age", 0, 1.5, 0.6, 0.001),)), tmp_path)
    assert "&lt;code&gt;" in leak and ">90 %<" in leak and ">age<" in leak and "70 %, likely" in leak


def test_a_page_that_cannot_be_written_spares_what_is_there(tmp_path):
    found = diagnosis("healthy")
    with pytest.raises(OSError):
        found.report(tmp_path / "missing" / "why.html")
    assert not list(tmp_path.iterdir())


def problem():
    random = np.random.default_rng(0)
    x = random.normal(size=(320, 3)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    wrong = random.random(320) < 0.25
    return x, np.where(wrong, 1 - y, y), wrong


def build():
    return tz.nn.Sequential(tz.nn.Dense(2)).compile(tz.optim.Adam(lr=0.05), "cross_entropy")


def suspects_of(x, y, **options):
    return suspect_targets(RowEvidence.of(Experiment.of(build, x, y, epochs=1, **options), 0))


def test_suspect_rows_are_those_of_the_arrays_that_were_given():
    x, y, wrong = problem()
    rows = suspects_of(x, y)
    assert len(rows) > 30 and {one.source for one in rows} == {"x"}
    assert all(one.target == y[one.row] != one.expected for one in rows)
    assert wrong[[one.row for one in rows]].mean() > 0.7
    rows = suspects_of(x[:240], y[:240], validation_data=(x[240:], y[240:]))
    parts = {"x": y[:240], "validation_data": y[240:]}
    assert {one.source for one in rows} == set(parts)
    assert all(one.target == parts[one.source][one.row] != one.expected for one in rows)


def test_names_of_features_stand_in_what_is_found():
    random = np.random.default_rng(0)
    x = random.normal(size=(240, 2)).astype("float32")
    x[180:, 1] += 3
    y = x[:, :1] - x[:, 1:]
    names, options = ["age", "weight"], {"validation_data": (x[180:], y[180:]), "epochs": 2, "budget": 3, "verbose": 0}

    def build():
        return tz.nn.Sequential(tz.nn.Dense(1)).compile("sgd", "mse")

    found = tz.study.diagnose(build, x[:180], y[:180], feature_names=names, **options)
    assert [column.name for column in found.shifted] == ["weight"] and "differ most: 'weight' by" in str(found)
    assert [point.rows for point in found.by_rows if point.is_measured] == [90, 180]
    with pytest.raises(ArgumentError, match=r"3 feature_names(.|\n)*a name for each of 2 columns"):
        tz.study.diagnose(build, x, y, feature_names=["a", "b", "c"], **options)
