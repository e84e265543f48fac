"""The exercises of lesson 6, overfitting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.course.forms import choices, letters, mistake
from tarazu.course.wrong import Judge, Wrong
from tarazu.nn import Dense, Module, Sequential, cross_entropy
from tarazu.optim import Adam
from tarazu.runtime.tensor.creation import tensor

VERDICTS = {"A": "underfitting", "B": "overfitting", "C": "about right", "D": "underfitting", "E": "undecided"}
CAUSES = {"A", "C", "D"}
LOWER = 0.7  # of the loss of the page's network: the most that a better one may have


def turning_epoch(answer: object) -> Wrong | None:
    """A function that gives the epoch of the lowest validation loss, counted from 1, the first of equals."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    losses = [0.9, 0.6, 0.4, 0.45, 0.4, 0.7]
    found = answer(losses)
    cases = {2: "from_zero", 5: "last_of_equals", 6: "last_epoch", 0.4: "loss"}
    if found != 3:
        return Wrong(cases.get(found, "value"), losses=losses, expected=3, found=found)
    found = answer([0.9, 0.8])
    return None if found == 2 else Wrong("value", losses=[0.9, 0.8], expected=2, found=found)


def early_stopping(answer: object) -> Wrong | None:
    """A function that gives the number of epochs after which training stops, from validation losses and patience."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    losses = [0.9, 0.6, 0.5, 0.55, 0.52, 0.56, 0.6, 0.7, 0.8, 0.3]
    found = answer(losses, 3)
    cases = {3: "best_epoch", 5: "early", 7: "late", 8: "in_a_row", 10: "never"}
    if found != 6:
        return Wrong(cases.get(found, "value"), losses=losses, patience=3, expected=6, found=found)
    found = answer([0.9, 0.8, 0.85], 3)
    return None if found == 3 else Wrong("no_stop", losses=[0.9, 0.8, 0.85], found=found)


def parameter_count(answer: object) -> Wrong | None:
    """A function that counts the parameters of a network with one hidden layer."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    found = answer(2, 64, 3)
    cases = {320: "no_biases", 384: "output_biases", 323: "hidden_biases"}
    return None if found == 387 else Wrong(cases.get(found, "value"), expected=387, found=found)


def verdicts(answer: object) -> Wrong | None:
    """The verdicts on five pictures of curves, by letter."""
    return choices(answer, VERDICTS, {*VERDICTS.values()})


def one_layer(answer: object) -> Wrong | None:
    """A function that gives weight and bias of the layer that does what two linear layers do."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    random = np.random.default_rng(0)
    w1, b1, w2, b2 = (random.normal(size=shape) for shape in ((3, 4), 4, (4, 2), 2))
    found = answer(w1, b1, w2, b2)
    if not isinstance(found, tuple) or len(found) != 2:
        return Wrong("not_pair", type=type(found).__name__)
    weight, bias = map(np.asarray, found)
    if weight.shape != (3, 2) or not np.allclose(weight, w1 @ w2):
        return Wrong("weight", found=weight.shape)
    if bias.shape != (2,):
        return Wrong("bias")
    if np.allclose(bias, b1 @ w2 + b2):
        return None
    return mistake(bias, {"no_first_bias": b2, "no_second_bias": b1 @ w2}) or Wrong("bias")


def rings(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of two rings of radius 1 and 2, moved by noise, and the number of the ring; as on the page."""
    random = np.random.default_rng(seed)
    ring = np.arange(rows) % 2
    angle = random.uniform(0, 2 * np.pi, rows)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (1 + ring[:, None])
    return (points + 0.4 * random.normal(size=points.shape)).astype("float32"), ring


def _page_model() -> Module:
    model = Sequential(Dense(64, "relu"), Dense(2))
    return model.compile(Adam(lr=0.05), "cross_entropy")


def _losses(build: Callable[[], Any]) -> tuple[float, float] | Wrong:
    """The cross-entropy on the rows that a model is trained on, and on others."""
    made = build()
    if not isinstance(made, Module):
        return Wrong("not_model", type=type(made).__name__)
    rows, others = rings(40, 1), rings(300, 100)
    made.fit(*rows, epochs=60, batch_size=40, seed=0, verbose=0)
    training, validation = (cross_entropy(made.predict(x), tensor(y)).item() for x, y in (rows, others))
    return training, validation


def better_model(answer: object) -> Wrong | None:
    """A function that gives a compiled model with a lower validation loss than the page's."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    found, page = _losses(answer), _losses(_page_model)
    if isinstance(found, Wrong):
        return found
    assert not isinstance(page, Wrong)
    values = {"training": f"{found[0]:.2f}", "validation": f"{found[1]:.2f}", "page": f"{page[1]:.2f}",
              "bound": f"{LOWER * page[1]:.2f}"}
    if found[1] <= LOWER * page[1] and found[1] < 0.6:
        return None
    if found[0] > 0.5:
        return Wrong("underfits", **values)
    return Wrong("little" if found[1] < page[1] else "no_better", **values)


def causes(answer: object) -> Wrong | None:
    """The letters of what makes a model overfit."""
    return letters(answer, CAUSES)


EXERCISES: dict[str, Judge] = {"1": turning_epoch, "2": early_stopping, "3": parameter_count, "4": verdicts,
                               "5": one_layer, "6": better_model, "7": causes}
