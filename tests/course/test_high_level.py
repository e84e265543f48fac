"""The exercises of lesson 4: the right answer, and an answer for every wrong case."""

import numpy as np
import pytest

import tarazu as tz
from tarazu import course
from tarazu.course.exercises import high_level
from tarazu.course.language import texts

LOSSES = {"price": "mse", "spam": "binary_cross_entropy", "digit": "cross_entropy", "tags": "binary_cross_entropy"}


def scaled(train, test):
    return (test - train.min(0)) / np.ptp(train, 0)


RIGHT = {
    "1": scaled,
    "2": LOSSES,
    "3": tz.nn.Sequential(tz.nn.Dense(8, "relu"), tz.nn.Dense(3)),
    "4": 50,
    "5": lambda logits, labels: ((logits > 0) == (labels == 1)).mean(),
    "6": lambda history: history.best_epoch(),
}
WRONG = {
    ("1", "own_range"): lambda train, test: scaled(test, test),
    ("1", "global"): lambda train, test: (test - train.min()) / np.ptp(train),
    ("1", "clipped"): lambda train, test: scaled(train, test).clip(0, 1),
    ("1", "not_shifted"): lambda train, test: test / np.ptp(train, 0),
    ("1", "value"): lambda train, test: test,
    ("1", "shape"): lambda train, test: train,
    ("1", "not_callable"): 1,
    ("2", "not_a_dict"): "mse",
    ("2", "empty"): dict.fromkeys(LOSSES),
    ("2", "price"): LOSSES | {"price": "cross_entropy"},
    ("2", "spam"): LOSSES | {"spam": "cross_entropy"},
    ("2", "digit"): LOSSES | {"digit": "mse"},
    ("2", "tags"): LOSSES | {"tags": "cross_entropy"},
    ("3", "not_a_model"): 67,
    ("3", "shape"): tz.nn.Sequential(tz.nn.Dense(8, "relu"), tz.nn.Dense(2)),
    ("3", "count"): tz.nn.Sequential(tz.nn.Dense(9, "relu"), tz.nn.Dense(3)),
    ("3", "softmax"): tz.nn.Sequential(tz.nn.Dense(8, "relu"), tz.nn.Dense(3, "softmax")),
    ("3", "linear"): tz.nn.Sequential(tz.nn.Dense(8), tz.nn.Dense(3)),
    ("4", "dropped_last"): 40,
    ("4", "one_epoch"): 5,
    ("4", "rows"): 700,
    ("4", "value"): 44,
    ("5", "half"): lambda logits, labels: ((logits > 0.5) == (labels == 1)).mean(),
    ("5", "count"): lambda logits, labels: ((logits > 0) == (labels == 1)).sum(),
    ("5", "error"): lambda logits, labels: ((logits > 0) != (labels == 1)).mean(),
    ("5", "percent"): lambda logits, labels: 100 * ((logits > 0) == (labels == 1)).mean(),
    ("5", "value"): lambda logits, labels: 0.5,
    ("5", "shape"): lambda logits, labels: logits,
    ("5", "not_callable"): 0.8,
    ("6", "from_zero"): lambda history: np.argmin(history.history["val_loss"]),
    ("6", "training"): lambda history: history.best_epoch("loss"),
    ("6", "largest"): lambda history: np.argmax(history.history["val_loss"]) + 1,
    ("6", "loss"): lambda history: min(history.history["val_loss"]),
    ("6", "value"): lambda history: 4,
    ("6", "not_callable"): 3,
    ("7", "not_a_model"): 0.95,
    ("7", "shape"): tz.nn.Sequential(tz.nn.Flatten(), tz.nn.Dense(3)),
}


@pytest.mark.parametrize("number", RIGHT)
def test_right(number):
    assert course.check(f"high_level.{number}", RIGHT[number]).is_right


@pytest.mark.parametrize(("number", "case"), WRONG)
def test_wrong(number, case):
    assert high_level.EXERCISES[number](WRONG[number, case]).case == case


def test_digits():
    images, labels = tz.data.load("mnist_small")[0].in_memory()
    model = tz.nn.Sequential(tz.nn.Flatten(), tz.nn.Dense(64, "relu"), tz.nn.Dense(10))
    model.compile(tz.optim.Adam(lr=0.005), "cross_entropy")
    judge = high_level.EXERCISES["7"]
    model(images[:1].astype("float32"))
    assert judge(model).case == "weak"
    model.fit((images / 255).astype("float32"), labels, epochs=4, seed=0, verbose=0)
    assert judge(model) is None
    with tz.no_grad():
        model[1].weight /= 255
    assert judge(model).case == "not_scaled"


def test_every_case_is_reached():
    cases = {(number, case) for number, cases in texts("en", "high_level").items() for case in cases}
    assert cases - {(number, "right") for number in high_level.EXERCISES} \
        == WRONG.keys() & cases | {("7", "weak"), ("7", "not_scaled")}
