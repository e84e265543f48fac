"""The adapter of the verdict to the benchmark of causes, and how verdicts are scored there."""

import importlib
from pathlib import Path

import pytest

from tarazu.record import History, Verdict
from tarazu.study.benchmark import judge_case

FOLDER = Path(__file__).parents[2] / "bench" / "causes"


@pytest.fixture
def score_verdict(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("score_verdict")


@pytest.mark.parametrize(("acceptable", "overfit", "right"), [
    (["healthy"], False, ["about right"]),
    (["too_little_data"], True, ["overfitting"]),
    (["too_little_training", "too_little_capacity"], False, ["underfitting"]),
    (["learning_rate_too_high", "too_much_capacity"], None, ["overfitting", "underfitting"]),
    (["learning_rate_too_high", "too_much_capacity"], False, ["underfitting"]),
    (["label_noise"], True, ["overfitting"]),
    (["label_noise"], False, []),
    (["too_little_data"], None, []),  # near the bound of a gap
    (["shift"], False, []),
    (["leakage", "too_little_data"], None, []),
])
def test_the_right_verdicts_follow_from_the_truth(score_verdict, acceptable, overfit, right):
    true = {"cause": acceptable[0], "acceptable": acceptable, "overfit": overfit}
    assert score_verdict.right_verdicts(true) == right


def test_the_scores_of_verdicts(score_verdict):
    said = {"about right": ["about right", "overfitting", "undecided", "about right"],
            "overfitting": ["overfitting", "about right"], "": ["overfitting"]}
    records = [{"verdict_true": [true] if true else [], "verdict_said": one} for true, all_of in said.items()
               for one in all_of]
    found = score_verdict.summary(records)
    assert found["verdicts asked"] == 6 and found["verdicts right"] == 0.5
    assert found["verdicts: false alarms on healthy"] == 0.25
    assert found["verdicts: F1"] == pytest.approx({"overfitting": 0.5, "underfitting": 0, "about right": 4 / 7})
    assert found["verdicts: true, said"]["not asked, overfitting"] == 1
    assert score_verdict.summary([{"verdict_true": ["about right"], "verdict_said": None}]) == {}


@pytest.mark.parametrize(("name", "cause", "overfit"), [
    ("overfitting", "too_little_data", True), ("underfitting", "too_little_capacity", False),
    ("undecided", "healthy", False)])
def test_the_adapter_gives_the_verdict_of_one_fit(name, cause, overfit):
    class Case:
        def fit(self):
            history = History()
            history.verdict = Verdict(name, f"{name}: so it is")
            return None, history

    found = judge_case(Case())
    assert (found["verdict"], found["cause"], found["overfit"], found["fits"]) == (name, cause, overfit, 1)
