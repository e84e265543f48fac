"""Runs whose steps overshoot, whose targets are far from the outputs, or whose loss few samples make."""

import re

import numpy as np
import pytest
import synthetic_runs as synthetic
from synthetic_runs import PARAMETERS, falling, make_run

from tarazu.diagnose import judge, measure_fit
from tarazu.record import History


def found(verdict):
    return {finding.name for finding in verdict.findings}


def run_with(curve, losses, trivial, *, predictor="the class frequencies", validation=400):
    """A run whose training samples have these losses, and whose validation samples have their first quartile."""
    history = History()
    for loss in curve:
        history.append(loss=float(loss), val_loss=float(loss))
    history.measurements = measure_fit(
        losses, np.full(validation, np.quantile(losses, 0.25)), np.full(len(losses), trivial),
        np.full(validation, trivial), history.rows, num_parameters=PARAMETERS, trivial_predictor=predictor)
    return history


def test_finite_losses_that_jump_are_undecided_and_want_smaller_steps_not_a_larger_model():
    losses = np.r_[np.zeros(240), 163.0]  # penguins with a learning rate of 0.5: all is right but one very sure error
    verdict = judge(run_with([23.8, 2.6, 14.6, 9.8, 3.2, 0.7], losses, 1.05))
    assert verdict.headline.startswith("undecided: training was unstable; the model removes 36 %")
    assert {"not settled", "few samples"} <= found(verdict) and "room" not in found(verdict)
    assert "a smaller learning rate: a tenth of the present one" in verdict.advice
    assert not any("larger model" in line for line in verdict.advice)


def test_a_train_loss_that_rises_again_is_unstable():
    curve = np.r_[np.linspace(2.2, 1.05, 18), 2.8, 1.9, np.full(10, 1.8)]
    verdict = judge(run_with(curve, np.random.default_rng(0).gamma(2, 0.53, 1000), 2.3))
    assert verdict.name == "undecided"
    assert re.search("the train loss rose by 0[.][67]\\d* from its least value to the last epoch", str(verdict))


def test_a_run_that_jumped_and_learned_all_the_same_is_about_right_with_a_warning():
    run = synthetic.healthy(0, train=falling(60, 0.02, 5), validation=falling(60, 0.03, 5))
    run.measurements["explosion"] = 8.0
    assert judge(run).name == "about right" and "unstable" in found(judge(run))


def test_a_loss_that_falls_from_far_above_the_trivial_loss_is_no_explosion():
    run = make_run(0, train=falling(60, 0.02, 5, start=1000.0), validation=falling(60, 0.03, 5, start=1000.0))
    assert not {"unstable", "not settled"} & found(judge(run))


def test_outliers_are_told_and_a_loss_for_them():
    losses = np.r_[np.full(294, 0.4), np.full(6, 100.0)]
    verdict = judge(run_with(falling(30, 2.4, 4, start=4.0), losses, 2.5, predictor="the mean"))
    assert "84 % of the train loss comes from 6 of 300 samples" in str(verdict)
    assert 'a loss that outliers move less: "huber" or "mae"' in verdict.advice


def test_a_target_far_from_the_outputs_wants_scaling():
    verdict = judge(run_with(np.linspace(26.0, 25.0, 20) * 1e6, np.full(300, 25e6), 1e4, predictor="the mean"))
    assert verdict.headline == "underfitting: the model removes nothing of the trivial loss on its own training data"
    assert "its loss is 2,500 times as large" in str(verdict)
    assert verdict.advice[0].startswith("a target scaled to mean 0 and standard deviation 1")


def test_five_training_samples_are_not_blamed_on_the_validation_set():
    generator = np.random.default_rng(3)
    history = History()
    for loss in falling(50, 0.13, 5, start=1.0):
        history.append(loss=loss, val_loss=loss)
    history.measurements = measure_fit(
        generator.gamma(0.5, 0.26, 5), generator.gamma(0.5, 0.26, 200), np.full(5, 0.43), np.full(200, 0.43),
        history.rows, num_parameters=2)
    verdict = judge(history)
    assert verdict.headline == "undecided: 5 training samples are too few to tell", verdict
    assert "more training data: now 5 samples" in verdict.advice


@pytest.mark.parametrize("make", [synthetic.healthy, synthetic.weak, synthetic.turned])
def test_no_false_alarm_of_instability_or_few_samples(make):
    alarms = [found(judge(make(seed))) & {"unstable", "not settled", "few samples"} for seed in range(60)]
    assert not any(alarms), alarms
