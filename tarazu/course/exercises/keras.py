"""The exercises of the page that compares Keras with Tarazu: translate."""

from __future__ import annotations

import numpy as np

from tarazu.course.forms import is_affine
from tarazu.course.wrong import Judge, Wrong
from tarazu.nn import Dense, Module, Sequential
from tarazu.record import History


def three_classes(answer: object) -> Wrong | None:
    """A model of two layers that gives logits of three classes."""
    if not isinstance(answer, Module):
        return Wrong("no_model", type=type(answer).__name__)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    found = np.asarray(answer(x).detach())
    if found.shape != (5, 3):
        return Wrong("shape", expected=(5, 3), found=found.shape)
    if answer.count_parameters() != 67:
        return Wrong("parameters", expected=67, found=answer.count_parameters())
    if np.allclose(found.sum(axis=1), 1, atol=1e-5):
        return Wrong("softmax")
    return Wrong("linear") if is_affine(answer, x) else None


def best_epoch(answer: object) -> Wrong | None:
    """A function that gives the epoch with the lowest validation loss, counted from 1."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    history = History()
    for loss, val_loss in zip([0.9, 0.7, 0.5, 0.4, 0.3], [0.9, 0.8, 0.6, 0.7, 0.9], strict=True):
        history.append(loss=loss, val_loss=val_loss)
    found = answer(history)
    for case, epochs in (("from_zero", (2,)), ("training", (4, 5))):
        if found in epochs:
            return Wrong(case)
    return None if found == 3 else Wrong("value", expected=3, found=found)


def freeze_all_but_last(answer: object) -> Wrong | None:
    """A function that freezes all layers of a sequence but the last."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    model = Sequential([Dense(3, in_features=2), Dense(3, in_features=3), Dense(1, in_features=3)])
    answer(model)
    first, second, last = (any(p.requires_grad for p in layer.parameters()) for layer in model.layers)
    if not last:
        return Wrong("last")
    if first and second:
        return Wrong("none")
    return Wrong("some") if first or second else None


EXERCISES: dict[str, Judge] = {"1": three_classes, "2": best_epoch, "3": freeze_all_but_last}
