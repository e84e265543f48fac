"""The exercises of lesson 7: the right answer to each, and for every case of its texts an answer that reaches it."""

import numpy as np
import pytest
from answers import check_coverage, check_right, check_wrong


def terms(predictions, truth):
    return ((predictions.mean(axis=0) - truth)**2).mean(), predictions.var(axis=0).mean()


def best(bias2, noise, rows):
    return int(np.argmin(np.array(bias2) + noise / rows * (1 + np.arange(len(bias2))))) + 1


LOWERS = {"more rows": "variance", "a wider network": "bias", "dropout": "variance", "more epochs": "bias",
          "the mean of ten models": "variance", "less weight decay": "bias"}
COMES_FROM = {"A": "bias", "B": "variance", "C": "noise", "D": "bias"}
OTHER = {"bias": "variance", "variance": "bias", "noise": "bias"}
RIGHT = {"1": terms, "2": 0.09, "3": best, "4": LOWERS, "5": (0.05, 0.03), "6": COMES_FROM}
WRONG = [
    ("1", "not_callable", (0.1, 0.2)),
    ("1", "not_pair", lambda predictions, truth: 0.1),
    ("1", "not_squared", lambda predictions, truth: (abs(predictions.mean(axis=0) - truth).mean(), 0)),
    ("1", "sum", lambda predictions, truth: (((predictions.mean(axis=0) - truth)**2).sum(), 0)),
    ("1", "loss", lambda predictions, truth: (((predictions - truth)**2).mean(), 0)),
    ("1", "signs", lambda predictions, truth: ((predictions - truth).mean()**2, 0)),
    ("1", "bias", lambda predictions, truth: (7, 0)),
    ("1", "axis", lambda predictions, truth: (terms(predictions, truth)[0], predictions.var(axis=1).mean())),
    ("1", "deviation", lambda predictions, truth: (terms(predictions, truth)[0], predictions.std(axis=0).mean())),
    ("1", "variance", lambda predictions, truth: (terms(predictions, truth)[0], predictions.var())),
    ("2", "zero", 0),
    ("2", "deviation", 0.3),
    ("2", "value", "0.09"),
    ("3", "not_callable", 3),
    ("3", "bias_only", lambda bias2, noise, rows: bias2.index(min(bias2)) + 1),
    ("3", "variance_only", lambda bias2, noise, rows: 1),
    ("3", "from_zero", lambda bias2, noise, rows: best(bias2, noise, rows) - 1),
    ("3", "rows", lambda bias2, noise, rows: best(bias2, noise, 20)),
    ("3", "value", lambda bias2, noise, rows: 4),
    ("4", "not_dict", "bias"),
    ("4", "missing", {**LOWERS, "dropout": None}),
    ("4", "unknown", {**LOWERS, "dropout": "noise"}),
    *(("4", name, {**LOWERS, name: OTHER[right]}) for name, right in LOWERS.items()),
    ("5", "not_pair", 0.03),
    ("5", "bias", (0.0125, 0.03)),
    ("5", "same", (0.05, 0.12)),
    ("5", "root", (0.05, 0.06)),
    ("5", "squared", (0.05, 0.12 / 16)),
    ("5", "variance", (0.05, 0.48)),
    ("6", "not_dict", ["bias"]),
    ("6", "missing", {"A": "bias"}),
    ("6", "unknown", {**COMES_FROM, "C": "floor"}),
    *(("6", name, {**COMES_FROM, name: OTHER[right]}) for name, right in COMES_FROM.items()),
]


@pytest.mark.parametrize("exercise", RIGHT)
def test_right(exercise):
    check_right("bias_variance", exercise, RIGHT[exercise])


@pytest.mark.parametrize(("exercise", "case", "answer"), WRONG)
def test_wrong(exercise, case, answer):
    check_wrong("bias_variance", exercise, case, answer)


def test_every_case_is_reached():
    check_coverage("bias_variance", RIGHT, [(exercise, case) for exercise, case, _ in WRONG])
