"""Measured gains in the verdict on a run, in place of guesses."""

import inspect

import pytest

from tarazu.diagnose.judging import advice, rules
from tarazu.record import Finding, Verdict
from tarazu.study.interventions.table import INTERVENTIONS
from tarazu.study.trials.measured_advice import GUESSES, with_measured_advice
from tarazu.study.trials.trials import Gain

GUESSED = Verdict("overfitting", "overfitting: a gap", (
    Finding("gap", "problem", "the gap is 0.2", advice=("more training data: now 50 samples", "a smaller model: now 9",
                                                        "dropout, weight decay or, for pictures, augmented data")),
    Finding("unscaled inputs", "warning", "the inputs are not scaled", advice=("inputs scaled to mean 0",))))


def gain(name, mean, error=0.01):
    return Gain(name, "too_much_capacity", mean, error, 3)


def test_what_was_measured_takes_the_place_of_guesses_about_it():
    made = with_measured_advice(GUESSED, [gain("dropout of 0.3", 0.06), gain("a quarter of the width", 0.01)], 0.5)
    assert made.advice == ("dropout of 0.3: lowers the validation loss by 12 % (8 to 16), measured over 3 seeds",
                           "more training data: now 50 samples", "inputs scaled to mean 0")
    assert "tried, without a sure gain: a quarter of the width" in str(made)
    assert made.name == "overfitting" and made.findings[1].evidence == "the gap is 0.2"
    again = with_measured_advice(made, [gain("dropout of 0.3", 0.06), gain("a quarter of the width", 0.01)], 0.5)
    assert again == made


def test_where_nothing_helped_that_is_said():
    made = with_measured_advice(GUESSED, [gain("dropout of 0.3", 0.01), gain("4 x the rows", -0.2)], 0.5)
    assert made.advice == ("a smaller model: now 9", "inputs scaled to mean 0")
    assert str(made).splitlines()[1] == ("  nothing that was tried lowers the validation loss for sure; tried, without "
                                         "a sure gain: dropout of 0.3, 4 x the rows")
    assert with_measured_advice(GUESSED, [], 0.5) == GUESSED
    assert Verdict.from_json(made.to_json()) == made


@pytest.mark.parametrize("start", GUESSES)
def test_each_guess_is_one_that_the_judge_makes_about_changes_that_are_tried(start):
    assert f'"{start}' in inspect.getsource(advice) + inspect.getsource(rules)
    assert set(GUESSES[start]) <= set(INTERVENTIONS)
