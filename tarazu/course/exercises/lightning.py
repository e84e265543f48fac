"""The exercises of the page that compares Lightning with Tarazu: translate."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.course.wrong import Judge, Wrong
from tarazu.data import Dataset
from tarazu.nn import Dense, Module, Sequential
from tarazu.record import History
from tarazu.runtime.tensor.creation import tensor


def training_step(answer: object) -> Wrong | None:
    """A class of models whose loss is squared error and a penalty on the weights."""
    if not isinstance(answer, type):
        return Wrong("no_class", type=type(answer).__name__)
    if not issubclass(answer, Module):
        return Wrong("no_module")
    if answer.compute_loss is Module.compute_loss:
        return Wrong("no_compute_loss")
    model: Any = answer()
    x, y = tensor([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]), tensor([[1.0], [2.0]])
    given = model.compute_loss((x, y))
    found = float(given["loss"] if isinstance(given, dict) else given)
    weight, bias = (np.asarray(p.detach()) for p in (model.net.weight, model.net.bias))
    error = float(np.square(np.asarray(x) @ weight + bias - np.asarray(y)).mean())
    expected = error + 0.1 * float(np.abs(weight).sum())
    if np.isclose(found, expected, rtol=1e-4):
        return None
    if np.isclose(found, error, rtol=1e-4):
        return Wrong("no_penalty")
    return Wrong("value", expected=round(expected, 4), found=round(found, 4))


def trainer(answer: object) -> Wrong | None:
    """A function that fits a model for four epochs, with validation, and gives the history."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    draw = np.random.default_rng(0)
    x = draw.normal(size=(24, 2)).astype("float32")
    y = x @ np.array([[1.0], [-2.0]], dtype="float32")
    model = Sequential([Dense(1, in_features=2)]).compile("sgd", loss="mse")
    history = answer(model, Dataset((x[:16], y[:16])).batch(8), Dataset((x[16:], y[16:])).batch(8))
    if not isinstance(history, History):
        return Wrong("no_history", type=type(history).__name__)
    if len(history) != 4:
        return Wrong("epochs", expected=4, found=len(history))
    return None if "val_loss" in history[-1] else Wrong("no_validation")


EXERCISES: dict[str, Judge] = {"1": training_step, "2": trainer}
