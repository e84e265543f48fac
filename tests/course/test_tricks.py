"""The exercises of lesson 8: the right answer to each, and for every case of its texts an answer that reaches it."""

import numpy as np
import pytest
from answers import check_coverage, check_right, check_wrong

import tarazu as tz


def deep(depth=8, lr=0.003, activation="relu"):
    tz.random.seed(0)
    layers = []
    for _ in range(depth):
        layers += [tz.nn.Dense(64, kernel_initializer="he_normal"), tz.nn.BatchNorm(), tz.nn.Activation(activation)]
    return tz.nn.Sequential([*layers, tz.nn.Dense(10)]).compile(tz.optim.Adam(lr=lr), "cross_entropy")


def clip(gradient, threshold):
    norm = np.sqrt((gradient**2).sum())
    return gradient * min(1, threshold / norm) if norm else gradient


def step(w, v, g, rate, momentum):
    v = momentum * v - rate * g
    return w + v, v


RIGHT = {
    "1": 0.1,
    "2": lambda x, kept, rate: x * kept / (1 - rate),
    "3": clip,
    "4": step,
    "5": lambda x: (x - x.mean(0)) / x.std(0),
    "6": deep,
    "7": {"B", "D", "E"},
}
WRONG = [
    ("1", "variance", 0.01),
    ("1", "lecun", 0.0707),
    ("1", "inverse", 10),
    ("1", "value", 1),
    ("2", "not_scaled", lambda x, kept, rate: x * kept),
    ("2", "scaled_down", lambda x, kept, rate: x * kept * (1 - rate)),
    ("2", "by_rate", lambda x, kept, rate: x * kept / rate),
    ("2", "inverted", lambda x, kept, rate: x * ~kept / (1 - rate)),
    ("2", "all_kept", lambda x, kept, rate: x / (1 - rate)),
    ("2", "value", lambda x, kept, rate: x),
    ("3", "norm_one", lambda g, threshold: g / np.sqrt((g**2).sum())),
    ("3", "by_element", np.minimum),
    ("3", "value", lambda g, threshold: g),
    ("3", "short", lambda g, threshold: g * threshold / np.sqrt((g**2).sum())),
    ("3", "zero", lambda g, threshold: g * min(1, threshold / np.sqrt((g**2).sum())) if g.any() else g + 1),
    ("4", "not_pair", lambda w, v, g, rate, momentum: w),
    ("4", "sign", lambda w, v, g, rate, momentum: step(w, v, -g, rate, momentum)),
    ("4", "old_velocity", lambda w, v, g, rate, momentum: (w + v, momentum * v - rate * g)),
    ("4", "no_momentum", lambda w, v, g, rate, momentum: step(w, v, g, rate, 0)),
    ("4", "swapped", lambda w, v, g, rate, momentum: step(w, v, g, rate, momentum)[::-1]),
    ("4", "value", lambda w, v, g, rate, momentum: (w, v)),
    ("5", "layer_norm", lambda x: (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)),
    ("5", "all_together", lambda x: (x - x.mean()) / x.std()),
    ("5", "variance", lambda x: (x - x.mean(0)) / x.var(0)),
    ("5", "only_mean", lambda x: x - x.mean(0)),
    ("5", "value", lambda x: x),
    ("6", "not_model", lambda: 1),
    ("6", "shallow", lambda: deep(1)),
    ("6", "guesses", lambda: deep(lr=1e-9)),
    ("6", "low", lambda: deep(lr=0.0003)),
    ("7", "not_letters", ["dropout"]),
    ("7", "A", "ABDE"),
    ("7", "B", "DE"),
    ("7", "C", "BCDE"),
    ("7", "D", "BE"),
    ("7", "E", "BD"),
]


@pytest.mark.parametrize("exercise", RIGHT)
def test_right(exercise):
    check_right("tricks", exercise, RIGHT[exercise])


@pytest.mark.parametrize(("exercise", "case", "answer"), WRONG)
def test_wrong(exercise, case, answer):
    check_wrong("tricks", exercise, case, answer)


def test_every_case_is_reached():
    check_coverage("tricks", RIGHT, [(exercise, case) for exercise, case, _ in WRONG])
