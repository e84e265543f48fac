"""The exercises of the page that compares PyTorch with Tarazu: translate."""

from __future__ import annotations

import numpy as np

from tarazu.course.forms import is_affine
from tarazu.course.wrong import Judge, Wrong
from tarazu.nn import Dense, Module
from tarazu.optim import SGD
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import tensor


def kept_axis(answer: object) -> Wrong | None:
    """A function that gives the sums of the rows as a column."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    found = np.asarray(answer(tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])))
    if found.shape == (2,):
        return Wrong("flat")
    if found.shape in ((3,), (1, 3)):
        return Wrong("columns")
    if found.shape != (2, 1):
        return Wrong("shape", expected=(2, 1), found=found.shape)
    expected = [[6], [15]]
    return None if np.allclose(found, expected) else Wrong("value", expected=expected, found=found.tolist())


def optimizer_step(answer: object) -> Wrong | None:
    """A function that makes one step of an optimizer, and can be called again."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    net = Dense(1, in_features=1, bias=False)
    with no_grad():
        net.weight.copy_([[2.0]])
    optimizer, x = SGD(net.parameters(), lr=0.1), tensor([[1.0], [2.0]])
    losses, weights = [], []
    for _ in range(2):
        losses.append(answer(net, optimizer, x, x))
        weights.append(net.weight.item())
    if weights == [2, 2]:
        return Wrong("unchanged")
    if np.allclose(weights, [1.5, 0.75]):
        return Wrong("accumulated")
    if not np.allclose(weights, [1.5, 1.25]):
        return Wrong("moved", expected=[1.5, 1.25], found=[round(weight, 4) for weight in weights])
    if not isinstance(losses[0], float):
        return Wrong("no_number", type=type(losses[0]).__name__)
    return None if np.isclose(losses[0], 2.5) else Wrong("loss", expected=2.5, found=losses[0])


def class_model(answer: object) -> Wrong | None:
    """A class of models with a hidden layer of any size."""
    if not isinstance(answer, type):
        return Wrong("no_class", type=type(answer).__name__)
    if not issubclass(answer, Module):
        return Wrong("no_module")
    model = answer(7)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    found = np.asarray(model(x).detach())
    if found.shape != (5, 3):
        return Wrong("shape", expected=(5, 3), found=found.shape)
    if model.count_parameters() != 59:
        return Wrong("parameters", expected=59, found=model.count_parameters())
    if is_affine(model, x):
        return Wrong("linear")
    return None


EXERCISES: dict[str, Judge] = {"1": kept_axis, "2": optimizer_step, "3": class_model}
