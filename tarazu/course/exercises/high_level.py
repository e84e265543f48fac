"""The exercises of lesson 4, the high level."""

from __future__ import annotations

import numpy as np

from tarazu.course.forms import arrays, is_affine, mistake
from tarazu.course.wrong import Judge, Wrong
from tarazu.data import load
from tarazu.nn import Module
from tarazu.record import History


def scale_with_training(answer: object) -> Wrong | None:
    """A function of training and test rows that scales the test rows by the training rows' minimum and range."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    train, test = np.array([[0.0, 10.0], [4.0, 30.0], [2.0, 20.0]]), np.array([[1.0, 40.0], [3.0, 10.0]])
    found = np.asarray(answer(train.copy(), test.copy()), float)
    right = np.array([[0.25, 1.5], [0.75, 0.0]])
    if found.shape != right.shape:
        return Wrong("shape", expected=right.shape, found=found.shape)
    cases = {"own_range": (test - test.min(0)) / np.ptp(test, 0), "global": (test - train.min()) / np.ptp(train),
             "clipped": right.clip(0, 1), "not_shifted": test / np.ptp(train, 0)}
    if np.allclose(found, right):
        return None
    return mistake(found, cases) or Wrong("value", expected=right.tolist(), found=found.tolist())


def choose_losses(answer: object) -> Wrong | None:
    """The name of the loss for each of four problems."""
    right = {"price": ("mse", "mae", "huber", "smooth_l1", "log_cosh"), "spam": ("binary_cross_entropy",),
             "digit": ("cross_entropy",), "tags": ("binary_cross_entropy",)}
    if not isinstance(answer, dict) or set(answer) != set(right):
        return Wrong("not_a_dict", names=", ".join(right))
    if all(loss is None for loss in answer.values()):
        return Wrong("empty")
    if wrong := [name for name, losses in right.items() if answer[name] not in losses]:
        return Wrong(wrong[0], found=answer[wrong[0]])
    return None


def build_model(answer: object) -> Wrong | None:
    """A model of 4 features, a hidden layer of 8 with ReLU, and 3 logits."""
    if not isinstance(answer, Module):
        return Wrong("not_a_model", type=type(answer).__name__)
    rows = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    out = answer(rows).numpy()
    if out.shape != (64, 3):
        return Wrong("shape", expected=(64, 3), found=out.shape)
    if answer.count_parameters() != 67:
        return Wrong("count", found=answer.count_parameters())
    if (out >= 0).all() and np.allclose(out.sum(1), 1):
        return Wrong("softmax")
    return Wrong("linear") if is_affine(answer, rows) else None


def count_steps(answer: object) -> Wrong | None:
    """The updates of 10 epochs of 70 rows in batches of 16."""
    found = float(np.asarray(answer))
    cases = {40.0: "dropped_last", 5.0: "one_epoch", 700.0: "rows"}
    return None if found == 50 else Wrong(cases.get(found, "value"), expected=50, found=found)


def accuracy_of_logits(answer: object) -> Wrong | None:
    """A function of logits and labels that gives the accuracy."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    logits, labels = np.array([0.2, -0.3, 0.4, 2.0, -1.0]), np.array([1, 1, 1, 1, 0])
    found = np.asarray(answer(logits, labels), float)
    if found.shape != ():
        return Wrong("shape", expected=(), found=found.shape)
    cases = {"half": 0.4, "count": 4.0, "error": 0.2, "percent": 80.0}
    if np.isclose(found, 0.8):
        return None
    return mistake(found, cases) or Wrong("value", expected=0.8, found=found.tolist())


def best_epoch(answer: object) -> Wrong | None:
    """A function of a history that gives its best epoch, from 1."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    history = History()
    for loss, val_loss in [(0.9, 0.95), (0.6, 0.8), (0.4, 0.7), (0.3, 0.75), (0.2, 0.9)]:
        history.append(loss=loss, val_loss=val_loss)
    found = float(np.asarray(answer(history)))
    cases = {2.0: "from_zero", 5.0: "training", 1.0: "largest", 0.7: "loss"}
    return None if found == 3 else Wrong(cases.get(found, "value"), expected=3, found=found)


def digits(answer: object) -> Wrong | None:
    """A model of small MNIST that is right for 90 % of the test pictures."""
    if not isinstance(answer, Module):
        return Wrong("not_a_model", type=type(answer).__name__)
    images, labels = arrays(load("mnist_small")[1])

    def outputs(pictures: np.ndarray) -> np.ndarray:
        return np.asarray(answer.predict(pictures.astype("float32")).numpy())

    out = outputs(images / 255)
    if out.shape != (len(images), 10):
        return Wrong("shape", expected=(len(images), 10), found=out.shape)
    accuracy = (out.argmax(1) == labels).mean()
    if accuracy >= 0.9:
        return None
    raw = (outputs(images).argmax(1) == labels).mean()
    return Wrong("not_scaled" if raw >= 0.9 else "weak", accuracy=round(float(accuracy), 3))


EXERCISES: dict[str, Judge] = {"1": scale_with_training, "2": choose_losses, "3": build_model, "4": count_steps,
                               "5": accuracy_of_logits, "6": best_epoch, "7": digits}
