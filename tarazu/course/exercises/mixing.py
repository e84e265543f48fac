"""The exercises of lesson 5, both levels mixed."""

from __future__ import annotations

import numpy as np

from tarazu import nn
from tarazu.course.forms import as_array, called, mistake, number
from tarazu.course.wrong import Judge, Wrong
from tarazu.optim import SGD
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray

PREDICTED = np.array([1.0, 2.0, 5.0, 4.0], "float32")
TARGET = np.array([2.0, 2.0, 3.0, 7.0], "float32")


def own_layer(answer: object) -> Wrong | None:
    """A class of layers that multiply each feature by a learned number, which begins as 1."""
    if not callable(answer) or isinstance(answer, nn.Module):
        return Wrong("not_class", type=type(answer).__name__)
    layer = answer(3)
    if not isinstance(layer, nn.Module):
        return Wrong("not_module", type=type(layer).__name__)
    x = np.array([[1.0, 2.0, 3.0], [-4.0, 5.0, 6.0]], "float32")
    found = called(layer, asarray(x), shape=x.shape)
    if isinstance(found, Wrong):
        return found
    if layer.count_parameters() != 3:
        return Wrong("count" if layer.count_parameters() else "no_parameters", found=layer.count_parameters())
    if not np.allclose(found, x):
        return Wrong("start", found=found.tolist())
    with no_grad():
        for parameter in layer.parameters():
            parameter.copy_(asarray(np.array([2.0, 3.0, 0.5], "float32")).reshape(parameter.shape))
    return None if np.allclose(as_array(layer(asarray(x))), x * [2, 3, 0.5]) else Wrong("not_used")


def own_loss(answer: object) -> Wrong | None:
    """A squared error that counts ten times where the prediction is too small."""
    predicted = asarray(PREDICTED).requires_grad_()
    squares = np.square(PREDICTED - TARGET)
    small, large = np.where(PREDICTED < TARGET, 10, 1), np.where(PREDICTED > TARGET, 10, 1)
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    result = answer(predicted, asarray(TARGET))
    found = called(lambda: result, shape=())
    if isinstance(found, Wrong):
        return found
    right = (small * squares).mean()
    cases = {"other_side": (large * squares).mean(), "no_weight": squares.mean(), "sum": (small * squares).sum(),
             "all": 10 * squares.mean(), "absolute": (small * np.abs(PREDICTED - TARGET)).mean()}
    if not np.isclose(found, right):
        return mistake(found, cases) or Wrong("value", expected=float(right), found=float(found))
    return None if getattr(result, "requires_grad", False) else Wrong("no_gradient")


def freeze_count(answer: object) -> Wrong | None:
    """A function that freezes all layers but the last, and counts what still learns."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    model = nn.Sequential(nn.Dense(8, "relu", in_features=4), nn.Dense(6, in_features=8), nn.Dense(2, in_features=6))
    result = answer(model)
    if result is None:
        return Wrong("no_result")
    found = number(result)
    if isinstance(found, Wrong):
        return found
    learns = [all(parameter.requires_grad for parameter in layer.parameters()) for layer in model.layers]
    if learns != [False, False, True]:
        cases = {(True, True, True): "not_frozen", (True, True, False): "last_frozen",
                 (False, False, False): "all_frozen"}
        return Wrong(cases.get((learns[0], learns[1], learns[2]), "some_frozen"), found=found)
    cases_of_counts = {108.0: "all_counted", 94.0: "frozen_counted", 2.0: "tensors", 12.0: "no_biases"}
    return None if found == 14 else Wrong(cases_of_counts.get(found, "value"), expected=14, found=found)


def loop_step(answer: object) -> Wrong | None:
    """A function that makes one step, and gives the loss before it."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    layer = nn.Dense(1, in_features=1, kernel_initializer="zeros")
    optimizer = SGD(layer.parameters(), lr=0.1)
    x, y = asarray(np.array([[1.0], [2.0]], "float32")), asarray(np.array([[2.0], [4.0]], "float32"))
    w, b, losses = 0.0, 0.0, []
    for expected_step in range(2):
        errors = np.array([w + b - 2, 2 * w + b - 4])
        losses.append(np.square(errors).mean())
        w, b = w - 0.1 * (errors * [1, 2]).sum(), b - 0.1 * errors.sum()
        found = called(answer, layer, optimizer, x, y, shape=())
        if isinstance(found, Wrong):
            return found
        values = layer.weight.item(), layer.bias.item() if layer.bias is not None else 0.0
        if expected_step == 0 and values == (0.0, 0.0):
            return Wrong("no_step")
        if not np.allclose(values, (w, b), atol=1e-4):
            return Wrong("no_zero" if expected_step else "step", expected=round(w, 3), found=round(values[0], 3))
        if not np.isclose(found, losses[-1], atol=1e-4):
            after = np.square([w + b - 2, 2 * w + b - 4]).mean()
            return Wrong("after" if np.isclose(found, after, atol=1e-4) else "value",
                         expected=float(losses[-1]), found=float(found))
    return None


def own_metric(answer: object) -> Wrong | None:
    """A function that gives 1 for each row whose prediction is at most 0.5 away, else 0."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    predicted = np.array([1.0, 2.5, 5.0, 1.0, 3.75], "float32")
    target = np.array([1.25, 2.0, 3.0, 4.0, 4.0], "float32")
    result = answer(asarray(predicted), asarray(target))
    found = called(lambda: result, shape=np.shape(result) if result is not None else ())
    if isinstance(found, Wrong):
        return found
    if found.shape != (5,):
        return Wrong("mean" if found.shape == () else "shape", expected=(5,), found=found.shape)
    away = predicted - target
    cases = {"signed": away <= 0.5, "strict": np.abs(away) < 0.5, "errors": np.abs(away), "outside": np.abs(away) > 0.5}
    right = (np.abs(away) <= 0.5).astype(float)
    if np.allclose(found, right):
        return None
    return mistake(found, cases) or Wrong("value", expected=right.tolist(), found=found.tolist())


EXERCISES: dict[str, Judge] = {"1": own_layer, "2": own_loss, "3": freeze_count, "4": loop_step, "5": own_metric}
