"""History, findings and their files."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tarazu.base.errors import ArgumentError, FileFormatError
from tarazu.nn import LOSSES
from tarazu.record import Finding, History, Verdict
from tarazu.record.direction import better_direction
from tarazu.train import METRICS


def make_history() -> History:
    history = History()
    history.append(seconds=0.1, loss=np.float32(0.5), val_loss=0.75)
    history.append(seconds=0.1, loss=0.25, val_loss=math.nan, note="line\u2028break")
    history.append(seconds=0.1, loss=-math.inf, val_loss=0.625)
    history.measurements = {"gap": 0.125, "num_parameters": 7, "turning_epoch": None}
    history.stopped = "early stopping"
    history.verdict = Verdict("about right", "about right: no gap", (
        Finding("fit", "info", "evidence", {"gap": 0.125}, None, ("do this", "do that")),))
    return history


def test_columns_are_metrics_of_equal_length():
    columns = make_history().history
    assert list(columns) == ["loss", "val_loss", "note"]
    assert columns["note"] == [None, "line\u2028break", None]


def test_best_epoch_ignores_nan_and_falls_back_to_loss():
    history = make_history()
    assert history.best_epoch() == 3
    assert history.best_epoch("loss", mode="max") == 1
    assert History().best_epoch() is None
    only_loss = History()
    only_loss.append(loss=1.0)
    assert only_loss.best_epoch() == 1


def test_the_best_epoch_of_an_accuracy_is_that_of_the_largest():
    history = History()
    for accuracy in (0.5, 0.75, 0.25):
        history.append(val_accuracy=accuracy, mine=accuracy)
    assert history.best_epoch("val_accuracy") == 2 and history.best_epoch("val_accuracy", mode="min") == 3
    assert history.best_epoch("mine", mode="max") == 2
    with pytest.raises(ArgumentError, match="best_epoch watches 'mine', a name that does not tell"):
        history.best_epoch("mine")
    with pytest.raises(ArgumentError, match="best_epoch with mode='largest'"):
        history.best_epoch("mine", mode="largest")


@pytest.mark.parametrize(("direction", "names"), [
    ("min", "loss val_loss mae mse val_huber cross_entropy mean_squared_error MeanSquaredError brier_score log_loss"),
    ("max", "accuracy val_acc binary_accuracy AUC roc_auc_score F1Score top_5_accuracy r2 mean_iou val_recall"),
])
def test_the_names_of_metrics_tell_what_is_better(direction, names):
    assert {better_direction(name, user="test") for name in names.split()} == {direction}


@pytest.mark.parametrize("name", ["mine", "neg_mean_squared_error", "negative_log_likelihood", "learning_rate"])
def test_other_names_tell_nothing(name):
    with pytest.raises(ArgumentError, match="does not tell whether a larger value is better"):
        better_direction(name, user="test")


def test_every_metric_and_loss_of_ours_has_a_direction():
    no_direction = {"confusion"}
    falling = {"mae", "mse", "mape", "smape", "rmse", "zero_one_loss", "log_loss", "perplexity", "calibration_error",
               "false_positives", "false_negatives", *LOSSES}
    for name in falling | METRICS.keys() - no_direction:
        assert better_direction(name, user="test") == ("min" if name in falling else "max"), name


def test_unknown_metric_names_the_known_ones():
    with pytest.raises(ArgumentError, match=r"no epoch has a metric 'acc'\n  expected: one of loss, val_loss, note"):
        make_history().best_epoch("acc")


def test_append_takes_single_values_only():
    with pytest.raises(ArgumentError, match="the value of 'loss' is a ndarray"):
        History().append(loss=np.zeros(2))


def test_save_and_load_give_the_same_run_and_the_same_bytes(tmp_path):
    history = make_history()
    loaded = History.load(history.save(tmp_path / "run.jsonl"))
    assert repr(loaded.rows) == repr(history.rows)  # repr, since NaN differs from itself
    assert loaded.measurements == history.measurements
    assert (loaded.stopped, loaded.verdict) == (history.stopped, history.verdict)
    assert loaded.save(tmp_path / "again.jsonl").read_bytes() == (tmp_path / "run.jsonl").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.jsonl", "run.jsonl"]


@pytest.mark.parametrize(("damage", "message"), [
    (lambda text: text[: text.index("0.625")], r"line 3: the line is not JSON"),
    (lambda text: "\n".join(text.split("\n")[:2]) + "\n", "line 2: the last line is not the end of"),
    (lambda text: "", "line 1: the line is not JSON"),
    (lambda text: "[1]\n" + text, "line 1: the line is not a JSON object"),
    (lambda text: text.replace('"about right"', '"splendid"'), "the last line lacks something or has it wrong"),
])
def test_damaged_files_are_told_with_their_line(tmp_path, damage, message):
    path = make_history().save(tmp_path / "run.jsonl")
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(FileFormatError, match=message):
        History.load(path)


def test_a_binary_file_is_told(tmp_path):
    (tmp_path / "run.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="not UTF-8 text"):
        History.load(tmp_path / "run.jsonl")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = make_history().save(tmp_path / "run.jsonl")
    before = path.read_bytes()
    broken = make_history()
    broken.measurements = {"x": object()}  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        broken.save(path)
    assert path.read_bytes() == before


def test_repr_is_short():
    assert repr(make_history()) == "<History: 3 epochs; loss -inf, val_loss 0.625; about right>"
    assert repr(History()) == "<History: 0 epochs>"


def test_verdict_text_has_headline_evidence_and_advice_once():
    finding = Finding("gap", "problem", "the gap is 0.5", advice=("more data",))
    text = str(Verdict("overfitting", "overfitting: a gap", (finding, finding)))
    evidence = "  the gap is 0.5"
    assert text.splitlines() == ["overfitting: a gap", evidence, evidence, "  what to try: more data"]


def test_unknown_names_are_refused():
    with pytest.raises(ArgumentError, match="severity is 'bad'"):
        Finding("gap", "bad", "")
    with pytest.raises(ArgumentError, match="name is 'great'"):
        Verdict("great", "")


def test_a_verdict_is_revised_when_it_is_asked_for():
    asked, history = [], History()
    history.judge_later(lambda history: setattr(history, "verdict", Verdict("undecided", "undecided: few epochs")))
    for name in ("first", "second"):
        history.revise_later(lambda verdict, name=name: asked.append(name) or replace(verdict, headline=name))
    assert not asked
    assert history.verdict.headline == "second" and history.verdict.name == "undecided" and asked == ["first", "second"]
    without = History()
    without.revise_later(lambda verdict: 1 / 0)
    assert without.verdict is None
