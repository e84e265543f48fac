"""From losses to gains, from gains to probabilities of causes; wrong targets."""

import numpy as np
import pytest

from tarazu.study.diagnosis.decide import likeliest, named, probabilities, unmeasured
from tarazu.study.diagnosis.second_opinion import held_out_predictions
from tarazu.study.diagnosis.wrong_targets import doubts
from tarazu.study.trials.trials import DIVERGED, Gain, seed_error


def gain(cause, mean, error):
    return Gain(cause, cause, mean, error, 1)


def test_a_clear_gain_is_the_cause_and_a_small_one_is_none():
    found = probabilities([gain("shift", 0.4, 0.03), gain("label_noise", 0.1, 0.03)], 0.8)
    assert next(iter(found)) == "shift" and found["shift"] > 0.95 and sum(found.values()) == pytest.approx(1)
    assert probabilities([gain("shift", 0.01, 0.01)], 0.8)["healthy"] > 0.95
    assert probabilities([], 0.01) == {"healthy": 1.0}


def test_the_best_of_many_noisy_gains_is_no_gain():
    random = np.random.default_rng(0)
    causes = "too_little_data", "too_much_capacity", "too_little_capacity", "too_little_training"
    said = [next(iter(probabilities([gain(cause, random.normal() * 0.03, 0.03) for cause in causes], 0.8)))
            for _ in range(50)]
    assert said.count("healthy") >= 40


def test_equal_gains_are_equally_probable():
    found = probabilities([gain("shift", 0.4, 0.03), gain("leakage", 0.4, 0.03)], 0.5)
    assert abs(found["shift"] - found["leakage"]) < 0.1


def test_errors_over_seeds():
    assert seed_error(1.0, [0.1]) == pytest.approx(0.05)
    assert seed_error(1.0, [0.1, 0.1, 0.1]) < 0.03 < seed_error(1.0, [0.0, 0.3, 0.6])
    assert DIVERGED == 10


def classes(rate, seed=1, rows=900):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3))
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)
    wrong = random.random(rows) < rate
    return x, np.where(wrong, (y + random.integers(1, 3, rows)) % 3, y), wrong


def numbers(rate, far, seed=0, rows=700):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3))
    y = np.sin(2 * x[:, 0]) + x[:, 1] + 0.2 * random.standard_t(5, size=rows)
    wrong = random.random(rows) < rate
    other = y + random.choice([-1, 1], rows) * random.uniform(3, 8, rows) * y.std() if far else random.permutation(y)
    return x, np.where(wrong, other, y), wrong


@pytest.mark.parametrize(("rows", "rate"), [(classes, 0.0), (classes, 0.2), (classes, 0.4)])
def test_rates_of_wrong_classes(rows, rate):
    x, y, wrong = rows(rate)
    found = doubts(x, y)
    assert abs(found.rate - rate) < 0.07 and found.is_evident == (rate > 0)
    if rate:
        assert wrong[found.probabilities > 0.5].mean() > 0.7


@pytest.mark.parametrize(("rate", "far"), [(0.0, False), (0.3, False), (0.06, True)])
def test_rates_of_wrong_numbers(rate, far):
    x, y, wrong = numbers(rate, far)
    found = doubts(x, y)
    assert abs(found.rate - rate) < 0.1 and found.is_evident == (rate > 0)
    if rate:
        assert found.is_far == far and wrong[found.probabilities > 0.5].mean() > 0.7


def test_classes_that_overlap_are_no_wrong_targets():
    random = np.random.default_rng(1)
    y = random.integers(2, size=900)
    x = random.normal(size=(900, 3)) + y[:, None]
    assert not doubts(x, y).is_evident


def test_few_of_the_errors_on_classes_that_overlap_are_wrong_targets():
    random = np.random.default_rng(0)
    x = random.normal(size=(900, 2))
    y = (x[:, :1] + 1.2 * random.normal(size=(900, 1)) > np.array([[-0.6, 0.6]])).sum(axis=1)  # a third is uncertain
    found = doubts(x, y)
    assert found.rate > 0.1 and not found.is_evident


def test_second_opinions_are_good_and_do_not_see_the_row():
    random = np.random.default_rng(2)
    x = random.normal(size=(500, 2))
    y = np.sin(3 * x[:, :1])
    assert ((held_out_predictions(x, y) - y) ** 2).mean() < 0.05 * y.var()
    noise = random.normal(size=(500, 1))
    assert ((held_out_predictions(x, noise) - noise) ** 2).mean() > 0.9
    assert np.array_equal(held_out_predictions(x, y, 3), held_out_predictions(x, y, 3))


def test_what_was_not_tried_may_be_the_cause():
    seen = [gain("shift", 0.12, 0.03)]
    assert probabilities(seen, 0.8)["shift"] > 0.6
    found = probabilities([*seen, unmeasured("4 x the width", "too_little_capacity")], 0.8)
    assert found["shift"] < 0.6 and found["too_little_capacity"] > 0.2


def test_a_false_alarm_is_worse_than_silence():
    close, clear = {"shift": 0.7, "healthy": 0.3}, {"shift": 0.8, "leakage": 0.15, "healthy": 0.05}
    assert likeliest(close) == "healthy" and named(close, {"shift"}, False) == "undecided"
    assert likeliest(clear) == named(clear, {"shift"}, True) == "shift"
    assert named(clear, {"leakage"}, True) == "undecided"  # no remedy of it was tried
    assert named({"healthy": 0.9, "shift": 0.1}, set(), False) == "healthy"
    assert named({"healthy": 0.9, "shift": 0.1}, set(), True) == "undecided"  # not all was tried
    assert named({"shift": 0.45, "leakage": 0.4, "healthy": 0.15}, {"shift"}, False) == "undecided"
