"""The judge on single made-up runs: each verdict, each way of not knowing, and the words."""

from __future__ import annotations

import math
import time
from types import FunctionType

import numpy as np
import pytest
import synthetic_runs as synthetic
from synthetic_runs import falling, make_run

from tarazu.diagnose import judge, measure_fit
from tarazu.diagnose.judging import evidence_rules, rules
from tarazu.diagnose.judging.judge import RULES
from tarazu.record import History, Verdict


def names(verdict: Verdict) -> set[str]:
    return {finding.name for finding in verdict.findings}


def test_every_rule_has_its_place():
    functions = [x for module in (rules, evidence_rules) for x in vars(module).values() if isinstance(x, FunctionType)
                 and x.__module__ == module.__name__ and not x.__name__.startswith("_")]
    missing = [rule.__name__ for rule in functions if rule not in RULES]
    assert not missing, f"tarazu/diagnose/judging/judge.py, in RULES, lacks: {', '.join(missing)}"


def test_about_right_says_both_shares_and_the_gap():
    verdict = judge(synthetic.healthy(0))
    assert verdict.headline.startswith("about right: the model removes ")
    for part in (" % of the trivial loss on training data and ", " % on validation (gap ", ", 95 % interval "):
        assert part in verdict.headline


def test_overfitting_advises_with_the_sizes():
    verdict = judge(synthetic.overfit(0))
    assert verdict.name == "overfitting"
    assert "a smaller model: now 4,835 parameters for 400 samples" in verdict.advice
    assert any(line.startswith("stop at epoch ") for line in verdict.advice)


def test_kept_best_weights_make_a_late_rise_mere_information():
    verdict = judge(synthetic.turned(0))
    assert verdict.name == "about right"
    turned = next(finding for finding in verdict.findings if finding.name == "turned")
    assert turned.severity == "info"
    assert "from before that overfitting" in turned.evidence


def test_kept_best_weights_do_not_excuse_a_run_that_only_memorizes():
    verdict = judge(synthetic.memorizing(0))
    assert verdict.name == "overfitting"
    assert "do not do well on new data either" in verdict.findings[0].evidence
    assert not any(line.startswith("stop at") for line in verdict.advice)


@pytest.mark.parametrize(("make", "remedy"), [
    (synthetic.weak, "a larger model or another kind of layer: now 4,835 parameters"),
    (synthetic.too_short, "train longer: now 39 epochs"),
])
def test_underfitting_advises_by_its_cause(make, remedy):
    verdict = judge(make(1))
    assert verdict.name == "underfitting"
    assert remedy in verdict.advice


def test_unstable_training_that_learned_nothing_wants_smaller_steps():
    run = synthetic.weak(0)
    run.measurements["explosion"] = 50.0
    verdict = judge(run)
    assert verdict.name == "underfitting"
    assert "a smaller learning rate: a tenth of the present one" in verdict.advice
    assert "not settled" in names(verdict)


def test_underfitting_needs_no_validation_set():
    assert judge(make_run(0, train=falling(30, 1.09, 5), validation=None)).name == "underfitting"


@pytest.mark.parametrize(("make", "shift", "finding", "name"), [
    (synthetic.overfit, 1.2, "gap to other rows", "undecided"),
    (synthetic.overfit, 0.3, None, "overfitting"),
    (synthetic.healthy, 1.2, "other rows", "about right"),
    (synthetic.turned, 1.2, "other rows", "about right"),
    (synthetic.healthy, 0.0, None, "about right"),
])
def test_a_gap_to_rows_of_another_kind_is_not_called_overfitting(make, shift, finding, name):
    run = make(0)
    run.measurements["shift"] = shift
    verdict = judge(run)
    assert verdict.name == name
    assert names(verdict) & {"other rows", "gap to other rows"} == ({finding} if finding else set())
    assert ("another kind than the training rows; the model removes" in verdict.headline) == (name == "undecided")


def run_with_gap(own, low, high):
    run = synthetic.healthy(0)
    middle = (low + high) / 2
    run.measurements |= {"validation_loss": own, "train_loss": own - middle, "gap": middle, "gap_low": low,
                         "gap_high": high, "loss_scale": 1.0, "validation_skill": 1 - own}
    return judge(run).name


@pytest.mark.parametrize(("own", "low", "high", "name"), [
    (0.4, 0.11, 0.2, "overfitting"),  # from 0.1 on, twice a twentieth of the trivial loss
    (0.4, 0.09, 0.2, "about right"),
    (0.4, 0.09, 0.3, "undecided"),
    (0.8, 0.11, 0.2, "about right"),  # from 0.16 on, twice a tenth of the own loss
    (0.8, 0.17, 0.3, "overfitting"),
    (0.8, 0.11, 0.35, "undecided"),
])
def test_a_gap_counts_where_half_of_it_is_worth_a_name(own, low, high, name):
    assert run_with_gap(own, low, high) == name


def test_best_weights_with_an_uncertain_gap_do_not_overfit_for_what_came_after():
    run = synthetic.turned(0)
    run.measurements |= {"gap": 0.13, "gap_low": 0.03, "gap_high": 0.23}
    verdict = judge(run)
    assert verdict.name == "about right" and "turned" in names(verdict)


@pytest.mark.parametrize(("loss", "name"), [(0.01, "about right"), (0.4, "undecided")])
def test_two_epochs_are_enough_where_nothing_is_left_to_gain(loss, name):
    curve = np.array([loss * 1.2, loss])
    assert judge(make_run(0, train=curve, validation=curve, validation_samples=500)).name == name


@pytest.mark.parametrize(("epochs", "noise", "stopped", "name"), [
    (20, 0.001, "epochs", "underfitting"),
    (20, 0.1, "epochs", "about right"),  # noise may be all of the fall
    (20, 0.001, "early stopping", "about right"),
    (100, 0.001, "epochs", "about right"),
])
def test_a_fall_that_goes_on_is_underfitting_where_it_is_more_than_noise(epochs, noise, stopped, name):
    curve = falling(epochs, 0.5, 20)
    run = make_run(0, train=curve, validation=curve, validation_samples=1000, noise=noise, stopped=stopped)
    assert judge(run).name == name


def test_without_validation_set():
    verdict = judge(make_run(0, train=falling(30, 0.1, 3), validation=None))
    assert verdict.headline == "undecided: there is no validation set"
    assert verdict.advice == ("set a fifth of the samples aside: validation_split=0.2",)


def test_few_validation_samples_say_how_many_are_needed():
    verdict = judge(synthetic.healthy(0, validation_samples=8))
    assert verdict.headline == "undecided: 8 validation samples are too few to tell"
    needed = next(finding for finding in verdict.findings if finding.name == "few validation samples").numbers["needed"]
    assert 30 <= needed < 1000


def test_one_validation_sample():
    assert judge(synthetic.healthy(0, validation_samples=1)).headline.endswith("1 validation sample is too few to tell")


def test_one_epoch():
    verdict = judge(make_run(0, train=np.array([0.5]), validation=np.array([0.5]), validation_samples=500))
    assert verdict.headline.startswith("undecided: 1 epoch is too few to tell; so far the model removes ")


def test_no_epoch():
    history = History()
    history.stopped = "interrupted"
    history.measurements = measure_fit(np.full(50, 0.1), np.full(50, 0.9), np.full(50, 1.0), np.full(50, 1.0), [],
                                       num_parameters=3)
    assert judge(history).headline == "undecided: no epoch was finished"


def test_diverged():
    rows = [{"epoch": 1, "loss": 2.0, "val_loss": 2.0}, {"epoch": 2, "loss": math.nan, "val_loss": math.nan}]
    history = History()
    history.rows, history.stopped = rows, "not finite"
    history.measurements = measure_fit(np.full(9, np.nan), np.full(9, np.nan), None, None, rows, num_parameters=3)
    verdict = judge(history)
    assert verdict.headline == "undecided: training diverged, the loss is not a number"
    assert "it first happened in epoch 2" in verdict.findings[0].evidence


def test_a_tiny_gap_of_an_accurate_model_is_not_overfitting():
    run = make_run(0, train=falling(60, 0.01, 5), validation=falling(60, 0.05, 5), validation_samples=50)
    assert judge(run).name == "about right"


def test_validation_data_that_are_too_easy_are_told():
    run = make_run(0, train=falling(40, 0.5, 5), validation=falling(40, 0.1, 5), validation_samples=500)
    assert "easier validation" in names(judge(run))


def test_a_run_without_measurements_is_undecided():
    assert judge(History()).headline == "undecided: the run was not measured"


def test_judging_changes_nothing_and_takes_milliseconds():
    run = make_run(0, train=falling(1000, 0.1, 50), validation=falling(1000, 0.1, 50), validation_samples=10_000)
    before = repr((run.rows, run.measurements))
    start = time.perf_counter()
    judge(run)
    assert time.perf_counter() - start < 0.05  # measured: 0.0001
    assert repr((run.rows, run.measurements)) == before


def test_a_verdict_survives_its_file(tmp_path):
    run = synthetic.overfit(0)
    run.verdict = judge(run)
    assert History.load(run.save(tmp_path / "run.jsonl")).verdict == run.verdict


def test_a_run_that_broke_off_at_once_has_diverged_although_its_first_weights_have_finite_losses():
    history = History()
    history.stopped = "not finite"
    losses = np.full(50, 1.1)
    history.measurements = measure_fit(losses, losses, losses, losses, [], num_parameters=3)
    verdict = judge(history)
    assert verdict.name == "undecided"
    assert "a loss was NaN or infinite in epoch 1, and training stopped there" in str(verdict)


def test_a_good_run_that_broke_off_late_is_judged_by_its_kept_weights_with_a_warning():
    run = synthetic.healthy(0)
    run.stopped = "not finite"
    verdict = judge(run)
    assert verdict.name == "about right"
    assert "unstable" in names(verdict)
