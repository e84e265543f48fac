"""The exercises of lesson 2, the low level."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.course.forms import as_array, called, mistake, number
from tarazu.course.wrong import Judge, Wrong
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor


def centered_columns(answer: Any) -> Wrong | None:
    """A function that subtracts its mean from each column."""
    x = np.array([[1.0, 10.0], [2.0, 30.0], [6.0, 50.0]], np.float32)
    found = called(answer, tensor(x), shape=(3, 2))
    if isinstance(found, Wrong):
        return found
    if np.allclose(found, x - x.mean()):
        return Wrong("whole", mean=float(x.mean()))
    if np.allclose(found, x - x.mean(1, keepdims=True)):
        return Wrong("rows")
    right = x - x.mean(0)
    return None if np.allclose(found, right, atol=1e-5) else Wrong("value", found=found.tolist(),
                                                                   expected=right.tolist())


def accuracy_of_logits(answer: Any) -> Wrong | None:
    """A function of logits and labels that gives the accuracy."""
    logits, labels = [2.0, 0.3, -1.0, 0.2, -0.1], [1.0, 1.0, 0.0, 1.0, 1.0]
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    found = number(answer(tensor(logits), tensor(labels)))
    if isinstance(found, Wrong) or abs(found - 0.8) < 1e-6:
        return found if isinstance(found, Wrong) else None
    cases = {0.4: "half", 0.2: "errors", 4.0: "count", 80.0: "percent"}
    return Wrong(cases.get(round(found, 4), "other"), found=found)


def gradient_at_a_point(answer: Any) -> Wrong | None:
    """The gradient of sqrt(a ** 2 + b ** 2) at (3, 4)."""
    found = as_array([as_array(part) for part in answer] if isinstance(answer, tuple | list) else answer)
    if found.shape == () and np.isclose(found, 5):
        return Wrong("the_value")
    if found.shape != (2,):
        return Wrong("shape", expected=(2,), found=found.shape)
    if np.allclose(found, [0.6, 0.8], atol=1e-4):
        return None
    return mistake(found, {"squares": [6, 8], "not_divided": [3, 4], "swapped": [0.8, 0.6]}) \
        or Wrong("value", found=found.tolist(), expected=[0.6, 0.8])


def twice_without_clearing(answer: Any) -> Wrong | None:
    """The gradient of x ** 2 at 3 after two backward calls."""
    found = number(answer)
    if isinstance(found, Wrong) or abs(found - 12) < 1e-6:
        return found if isinstance(found, Wrong) else None
    cases = {6.0: "once", 36.0: "multiplied", 9.0: "the_value", 18.0: "the_value"}
    return Wrong(cases.get(found, "other"), found=found)


def bowl(x: Tensor) -> Tensor:
    return (x[0] - 3) ** 2 + (x[1] + 2) ** 2


def descended(rate: float, steps: int, is_cleared: bool = True) -> np.ndarray:
    """Where gradient descent in `bowl` comes from (0, 0), also when gradients are never cleared."""
    x, gradient = np.zeros(2), np.zeros(2)
    for _ in range(steps):
        gradient = 2 * (x - [3, -2]) + (0 if is_cleared else gradient)
        x = x - rate * gradient
    return x


def descent(answer: Any) -> Wrong | None:
    """A function that goes down from a start."""
    start = tensor([0.0, 0.0])
    found = called(answer, bowl, start, 0.1, 15, shape=(2,))
    if isinstance(found, Wrong):
        return found
    cases = {"accumulated": descended(0.1, 15, False), "uphill": descended(-0.1, 15), "one_step": descended(0.1, 1),
             "stayed": np.zeros(2), "one_more": descended(0.1, 16), "one_less": descended(0.1, 14)}
    right = descended(0.1, 15)
    if not np.allclose(found, right, atol=1e-4):
        return mistake(found, cases, rtol=1e-4) \
            or Wrong("value", found=found.tolist(), expected=right.round(5).tolist())
    return None if np.allclose(as_array(start), 0) else Wrong("start_changed")


def minibatches(answer: Any) -> Wrong | None:
    """A generator of pairs of rows and labels."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    x = np.arange(140, dtype=np.float32).reshape(70, 2)
    batches = answer(tensor(x), tensor(x[:, 0]), 16)
    if not hasattr(batches, "__iter__") or isinstance(batches, Tensor):
        return Wrong("no_generator", type=type(batches).__name__)
    pairs = list(batches)
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
        return Wrong("no_pairs")
    sizes = [len(rows) for rows, _ in pairs]
    if sizes == [16] * 4:
        return Wrong("last_lost")
    if sizes != [16] * 4 + [6]:
        return Wrong("sizes", found=sizes)
    rows, labels = (np.concatenate([as_array(pair[k]) for pair in pairs]) for k in (0, 1))
    if labels.shape != (70,) or not np.array_equal(rows[:, 0], labels):
        return Wrong("apart")
    return None if sorted(labels) == sorted(x[:, 0]) else Wrong("twice")


NAMES = ["loss", "val_loss", "accuracy", "val_accuracy"]


def recorded_curves(answer: Any) -> Wrong | None:
    """A function that trains, and gives four lists."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 2)).astype("float32")
    y = (x.sum(1) + 0.3 * draw.normal(size=60) > 0).astype("float32")
    history = answer(tensor(x[:40]), tensor(y[:40]), tensor(x[40:]), tensor(y[40:]), 5)
    if not isinstance(history, dict):
        return Wrong("no_dict", type=type(history).__name__)
    missing = [name for name in NAMES if name not in history]
    if missing:
        return Wrong("no_name", name=missing[0])
    for name in NAMES:
        if len(history[name]) != 5:
            return Wrong("length", name=name, found=len(history[name]))
        if any(isinstance(number(value), Wrong) for value in history[name]):
            return Wrong("no_floats", name=name)
    if not history["loss"][-1] < history["loss"][0]:
        return Wrong("not_falling", first=float(history["loss"][0]), last=float(history["loss"][-1]))
    if list(history["loss"]) == list(history["val_loss"]):
        return Wrong("same_data")
    if not all(0 <= value <= 1 for name in NAMES[2:] for value in history[name]):
        return Wrong("no_share")
    return None


EXERCISES: dict[str, Judge] = {"1": centered_columns, "2": accuracy_of_logits, "3": gradient_at_a_point,
                               "4": twice_without_clearing, "5": descent, "6": minibatches, "7": recorded_curves}
