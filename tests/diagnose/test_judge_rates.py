"""How often the judge is right: false alarms on good runs, hits on bad ones, over many seeds of random runs."""

from __future__ import annotations

from collections import Counter

import pytest
import synthetic_runs as synthetic
from synthetic_runs import healthy, memorizing, noisy, overfit, too_short, turned, weak

from tarazu.diagnose import judge

# The rates in the comments were measured over 500 seeds; the bounds leave room for these few.
SEEDS = range(60)

# Name, runs, options, highest rate of "overfitting" or "underfitting".
GOOD = [
    ("60 to 1000 validation samples", healthy, {}, 0.0),  # 0.000; "about right" in 0.998
    ("kept last weights", healthy, {"keep_best": False}, 0.0),  # 0.000
    ("curves with 10 % noise", healthy, {"noise": 0.1, "keep_best": False}, 0.02),  # 0.000
    ("validation loss wanders by 5 %", healthy, {"wander": 0.05, "keep_best": False}, 0.04),  # 0.004
    ("20 validation samples", healthy, {"validation_samples": 20}, 0.02),  # 0.000; "undecided" in 0.330
    ("8 validation samples", healthy, {"validation_samples": 8}, 0.02),  # 0.000; "undecided" in 1.000
    ("overfits late, best weights kept", turned, {}, 0.0),  # 0.000
    ("mostly noise", noisy, {}, 0.02),  # 0.000
    ("no trivial predictor", healthy, {"trivial": False}, 0.04),  # 0.002; "undecided" in 0.106
]
# Name, runs, options, the right verdict, lowest rate of it.
BAD = [
    ("overfit", overfit, {}, "overfitting", 0.98),  # 1.000
    ("overfit, 20 validation samples", overfit, {"validation_samples": 20}, "overfitting", 0.95),  # 1.000
    ("overfit, no trivial predictor", overfit, {"trivial": False}, "overfitting", 0.98),  # 1.000
    ("memorizes", memorizing, {}, "overfitting", 0.95),  # 1.000
    ("weak", weak, {}, "underfitting", 0.90),  # 0.948; else its little skill holds on validation data
    ("too short", too_short, {}, "underfitting", 0.95),  # 0.998
]


def verdicts(make, options) -> Counter:
    return Counter(judge(make(seed, **options)).name for seed in SEEDS)


@pytest.mark.parametrize(("make", "options", "highest"), [row[1:] for row in GOOD], ids=[row[0] for row in GOOD])
def test_false_alarms(make, options, highest):
    found = verdicts(make, options)
    assert (found["overfitting"] + found["underfitting"]) / len(SEEDS) <= highest, found


@pytest.mark.parametrize(("make", "options", "right", "lowest"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_hits(make, options, right, lowest):
    found = verdicts(make, options)
    assert found[right] / len(SEEDS) >= lowest, found


def test_good_runs_with_enough_validation_samples_are_called_so():
    assert verdicts(healthy, {})["about right"] / len(SEEDS) >= 0.95


def test_tiny_validation_sets_decide_nothing():
    assert verdicts(synthetic.healthy, {"validation_samples": 8})["undecided"] / len(SEEDS) >= 0.95
