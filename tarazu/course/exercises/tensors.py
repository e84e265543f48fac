"""The exercises of lesson 1, tensors and gradients from scratch."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.course.forms import called, mistake, number, tuple_of_ints
from tarazu.course.wrong import Judge, Wrong

LOGITS = np.array([[2.0, 1.0, 0.0], [-1.0, 0.5, 3.0]])


def shape_of_pictures(answer: object) -> Wrong | None:
    """The shape of 32 color pictures of 64 x 48 pixels."""
    shape = tuple_of_ints(answer)
    if isinstance(shape, Wrong) or shape == (32, 64, 48, 3):
        return shape if isinstance(shape, Wrong) else None
    cases = {(64, 48, 3): "no_batch", (32, 64, 48): "no_colors", (32, 3, 64, 48): "channels_first",
             (32, 48, 64, 3): "width_first"}
    return Wrong(cases.get(shape, "other"), found=shape)


def chain_rule(answer: object) -> Wrong | None:
    """The derivative of (2x + 1) ** 2 at 3."""
    found = number(answer)
    if isinstance(found, Wrong) or abs(found - 28) < 1e-3:
        return found if isinstance(found, Wrong) else None
    return Wrong({14.0: "no_inner", 49.0: "the_value", 56.0: "twice"}.get(found, "other"), found=found)


def softmax(z: np.ndarray, axis: int = 1) -> np.ndarray:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def stable_softmax(answer: object) -> Wrong | None:
    """A function of logits that gives probabilities, also of large logits."""
    found = called(answer, LOGITS.copy(), shape=(2, 3))
    if isinstance(found, Wrong):
        return found
    if np.allclose(found, softmax(LOGITS, 0)):
        return Wrong("columns")
    if np.allclose(found, np.exp(LOGITS) / np.exp(LOGITS).sum()):
        return Wrong("whole", found=float(found.sum()))
    if not np.allclose(found, softmax(LOGITS)):
        return Wrong("other", found=found.round(4).tolist(), expected=softmax(LOGITS).round(4).tolist())
    large = called(answer, np.array([[1000.0, 1001.0], [-1000.0, 0.0]]), shape=(2, 2))
    if isinstance(large, Wrong):
        return large
    return None if np.isfinite(large).all() and np.allclose(large.sum(1), 1) else Wrong("overflow")


def cross_entropy(answer: object) -> Wrong | None:
    """A function of logits and class numbers that gives the mean cross-entropy."""
    labels = np.array([0, 1])
    found = called(answer, LOGITS.copy(), labels, shape=())
    if isinstance(found, Wrong):
        return found
    right = -np.log(softmax(LOGITS)[[0, 1], labels]).mean()
    if not np.allclose(found, right):
        cases = {"sign": -right, "sum": 2 * right, "all_classes": -np.log(softmax(LOGITS)).mean()}
        return mistake(found, cases) or Wrong("other", found=round(float(found), 4), expected=round(float(right), 4))
    far = called(answer, np.array([[1000.0, 0.0]]), np.array([1]), shape=())
    if isinstance(far, Wrong):
        return far
    return None if np.allclose(far, 1000) else Wrong("overflow", found=float(far))


def relu_layer(answer: Any) -> Wrong | None:
    """A class with forward and backward."""
    if not isinstance(answer, type):
        return Wrong("no_class", type=type(answer).__name__)
    missing = [name for name in ("forward", "backward") if not hasattr(answer, name)]
    if missing:
        return Wrong("no_method", name=missing[0])
    layer, x = answer(), np.array([[-2.0, 3.0], [0.5, -1.0]])
    forward = called(layer.forward, x.copy(), shape=(2, 2))
    if isinstance(forward, Wrong):
        return forward
    if not np.allclose(forward, np.maximum(x, 0)):
        return Wrong("forward", found=forward.tolist())
    gradient = np.array([[10.0, 20.0], [30.0, 40.0]])
    backward = called(layer.backward, gradient.copy(), shape=(2, 2))
    if isinstance(backward, Wrong):
        return backward
    if np.allclose(backward, x > 0):
        return Wrong("no_chain")
    if np.allclose(backward, gradient):
        return Wrong("passes_all")
    return None if np.allclose(backward, gradient * (x > 0)) else Wrong("backward", found=backward.tolist())


def one_layer(answer: Any) -> Wrong | None:
    """A function of two layers' weights that gives those of one."""
    draw = np.random.default_rng(0)
    w1, b1, w2, b2 = (draw.normal(size=size) for size in [(2, 3), (3,), (3, 2), (2,)])
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    pair = answer(w1, b1, w2, b2)
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        return Wrong("no_pair", type=type(pair).__name__)
    w, b = np.asarray(pair[0]), np.asarray(pair[1])
    if w.shape == (3, 3):
        return Wrong("order")
    if w.shape != (2, 2) or not np.allclose(w, w1 @ w2):
        return Wrong("weight", found=w.shape)
    if b.shape == (2,) and np.allclose(b, b2):
        return Wrong("bias_left_out")
    return None if b.shape == (2,) and np.allclose(b, b1 @ w2 + b2) else Wrong("bias")


class Number:
    """A value as the lesson's: a number and its parents with their derivatives."""

    def __init__(self, data: float) -> None:
        self.data, self.parents, self.grad = data, (), 0.0


def exponential(answer: Any) -> Wrong | None:
    """A function that gives the exponential of a Value as a Value."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    value = Number(0.5)
    found = answer(value)
    if not hasattr(found, "parents"):
        return Wrong("no_value", type=type(found).__name__)
    if not np.isclose(found.data, np.exp(0.5)):
        return Wrong("data", found=found.data)
    if [parent for parent, _ in found.parents] != [value]:
        return Wrong("parents")
    derivative = found.parents[0][1]
    return None if np.isclose(derivative, np.exp(0.5)) else Wrong("derivative", found=derivative)


EXERCISES: dict[str, Judge] = {"1": shape_of_pictures, "2": chain_rule, "3": stable_softmax, "4": cross_entropy,
                               "5": relu_layer, "6": one_layer, "7": exponential}
