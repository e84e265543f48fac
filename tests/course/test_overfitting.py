"""The exercises of lesson 6: the right answer to each, and for every case of its texts an answer that reaches it."""

import numpy as np
import pytest
from answers import check_coverage, check_right, check_wrong

import tarazu as tz


def network(*layers, optimizer="adam"):
    return tz.nn.Sequential(*layers, tz.nn.Dense(2)).compile(optimizer, "cross_entropy")


def held_back():
    return network(tz.nn.GaussianNoise(0.4), tz.nn.Dense(16, "relu"),
                   optimizer=tz.optim.AdamW(lr=0.05, weight_decay=0.1))


def stop(losses, patience):
    best = 0
    for epoch, loss in enumerate(losses):
        best = epoch if loss < losses[best] else best
        if epoch - best == patience:
            return epoch + 1
    return len(losses)


VERDICTS = {"A": "underfitting", "B": "overfitting", "C": "about right", "D": "underfitting", "E": "undecided"}
RIGHT = {
    "1": lambda losses: losses.index(min(losses)) + 1,
    "2": stop,
    "3": lambda inputs, width, outputs: (inputs + 1) * width + (width + 1) * outputs,
    "4": VERDICTS,
    "5": lambda w1, b1, w2, b2: (w1 @ w2, b1 @ w2 + b2),
    "6": held_back,
    "7": {"A", "C", "D"},
}
WRONG = [
    ("1", "not_callable", 3),
    ("1", "from_zero", np.argmin),
    ("1", "last_of_equals", lambda losses: len(losses) - losses[::-1].index(min(losses))),
    ("1", "last_epoch", len),
    ("1", "loss", min),
    ("1", "value", lambda losses: 4),
    ("1", "value", lambda losses: 3),
    ("2", "not_callable", 6),
    ("2", "best_epoch", lambda losses, patience: int(np.argmin(losses[:9])) + 1),
    ("2", "early", lambda losses, patience: stop(losses, patience - 1)),
    ("2", "late", lambda losses, patience: stop(losses, patience + 1)),
    ("2", "in_a_row", lambda losses, patience: 8),
    ("2", "never", lambda losses, patience: len(losses)),
    ("2", "no_stop", lambda losses, patience: stop([*losses, 9, 9, 9, 9], patience)),
    ("2", "value", lambda losses, patience: None),
    ("3", "not_callable", 387),
    ("3", "no_biases", lambda inputs, width, outputs: (inputs + outputs) * width),
    ("3", "output_biases", lambda inputs, width, outputs: (inputs + 1 + outputs) * width),
    ("3", "hidden_biases", lambda inputs, width, outputs: inputs * width + (width + 1) * outputs),
    ("3", "value", lambda inputs, width, outputs: 0),
    ("4", "not_dict", ["underfitting"]),
    ("4", "missing", {**VERDICTS, "C": None}),
    ("4", "unknown", {**VERDICTS, "C": "fine"}),
    ("4", "A", {**VERDICTS, "A": "overfitting"}),
    ("4", "B", {**VERDICTS, "B": "underfitting"}),
    ("4", "C", {**VERDICTS, "C": "overfitting"}),
    ("4", "D", {**VERDICTS, "D": "about right"}),
    ("4", "E", {**VERDICTS, "E": "overfitting"}),
    ("5", "not_callable", np.eye(2)),
    ("5", "not_pair", lambda w1, b1, w2, b2: w1 @ w2),
    ("5", "weight", lambda w1, b1, w2, b2: (w1, b1 @ w2 + b2)),
    ("5", "no_first_bias", lambda w1, b1, w2, b2: (w1 @ w2, b2)),
    ("5", "no_second_bias", lambda w1, b1, w2, b2: (w1 @ w2, b1 @ w2)),
    ("5", "bias", lambda w1, b1, w2, b2: (w1 @ w2, b1)),
    ("6", "not_callable", "a smaller model"),
    ("6", "not_model", lambda: 0.1),
    ("6", "unusable", lambda: tz.nn.Sequential(tz.nn.Dense(2))),
    ("6", "underfits", lambda: network(optimizer=tz.optim.Adam(lr=0.0001))),
    ("6", "little", lambda: network(tz.nn.Dense(16, "relu"), optimizer=tz.optim.Adam(lr=0.05))),
    ("6", "no_better", lambda: network(tz.nn.Dense(256, "relu"), optimizer=tz.optim.Adam(lr=0.05))),
    ("7", "not_letters", ["few rows"]),
    ("7", "A", {"C", "D"}),
    ("7", "B", {"A", "B", "C", "D"}),
    ("7", "C", {"A", "D"}),
    ("7", "D", "AC"),
    ("7", "E", "ACDE"),
]


@pytest.mark.parametrize("exercise", RIGHT)
def test_right(exercise):
    check_right("overfitting", exercise, RIGHT[exercise])


@pytest.mark.parametrize(("exercise", "case", "answer"), WRONG)
def test_wrong(exercise, case, answer):
    check_wrong("overfitting", exercise, case, answer)


def test_every_case_is_reached():
    check_coverage("overfitting", RIGHT, [(exercise, case) for exercise, case, _ in WRONG])
