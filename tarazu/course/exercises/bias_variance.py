"""The exercises of lesson 7, bias and variance."""

from __future__ import annotations

import numpy as np

from tarazu.course.forms import choices
from tarazu.course.wrong import Judge, Wrong

LOWERS = {"more rows": "variance", "a wider network": "bias", "dropout": "variance", "more epochs": "bias",
          "the mean of ten models": "variance", "less weight decay": "bias"}
COMES_FROM = {"A": "bias", "B": "variance", "C": "noise", "D": "bias"}


def is_close(found: object, expected: float) -> bool:
    """Whether an answer is this number, to rounding."""
    return isinstance(found, int | float | np.number) and bool(np.isclose(float(found), expected, rtol=1e-4))


def terms_by_hand(answer: object) -> Wrong | None:
    """A function that gives squared bias and variance of predictions (fits, rows)."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    predictions = np.array([[1.0, 2.0, 4.0], [3.0, 2.0, 0.0], [2.0, 5.0, 2.0], [2.0, 3.0, 2.5]])
    truth = np.array([1.0, 2.0, 3.0])
    found = answer(predictions, truth)
    if not isinstance(found, tuple) or len(found) != 2:
        return Wrong("not_pair", type=type(found).__name__)
    difference = predictions.mean(axis=0) - truth
    bias2 = float((difference**2).mean())
    cases = {"not_squared": np.abs(difference).mean(), "sum": (difference**2).sum(),
             "loss": ((predictions - truth)**2).mean(), "signs": difference.mean()**2}
    if not is_close(found[0], bias2):
        for case, value in cases.items():
            if is_close(found[0], float(value)):
                return Wrong(case)
        return Wrong("bias", expected=f"{bias2:.4g}", found=found[0])
    variance = float(predictions.var(axis=0).mean())
    if is_close(found[1], float(predictions.var(axis=1).mean())):
        return Wrong("axis")
    if is_close(found[1], float(predictions.std(axis=0).mean())):
        return Wrong("deviation")
    return None if is_close(found[1], variance) else Wrong("variance", expected=f"{variance:.4g}", found=found[1])


def floor(answer: object) -> Wrong | None:
    """The lowest expected squared error with noise of standard deviation 0.3."""
    if is_close(answer, 0.09):
        return None
    for case, value in {"zero": 0.0, "deviation": 0.3}.items():
        if is_close(answer, value):
            return Wrong(case)
    return Wrong("value", found=answer)


def best_size(answer: object) -> Wrong | None:
    """A function that gives the number of parameters with the smallest sum of bias and variance."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    bias2 = [0.5, 0.4, 0.02, 0.015, 0.01]
    found = answer(bias2, 0.16, 20)
    cases = {5: "bias_only", 1: "variance_only", 2: "from_zero"}
    if found != 3:
        return Wrong(cases.get(found, "value"), bias2=bias2, rows=20, expected=3, found=found)
    found = answer(bias2, 0.16, 2000)
    return None if found == 5 else Wrong("rows", bias2=bias2, rows=2000, expected=5, found=found)


def what_is_lowered(answer: object) -> Wrong | None:
    """Whether each change lowers bias or variance."""
    return choices(answer, LOWERS, {"bias", "variance"})


def what_it_comes_from(answer: object) -> Wrong | None:
    """Where the error of four models comes from."""
    return choices(answer, COMES_FROM, {"bias", "variance", "noise"})


def mean_of_models(answer: object) -> Wrong | None:
    """Squared bias and variance of the mean of four independent models."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        return Wrong("not_pair", type=type(answer).__name__)
    bias2, variance = answer
    if not is_close(bias2, 0.05):
        return Wrong("bias", found=bias2)
    for case, value in {"same": 0.12, "root": 0.06, "squared": 0.0075}.items():
        if is_close(variance, value):
            return Wrong(case)
    return None if is_close(variance, 0.03) else Wrong("variance", found=variance)


EXERCISES: dict[str, Judge] = {"1": terms_by_hand, "2": floor, "3": best_size, "4": what_is_lowered,
                               "5": mean_of_models, "6": what_it_comes_from}
