"""The parts of the lab on MNIST, each with its judge."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from tarazu.course.forms import arrays
from tarazu.course.labs.numbers import is_linear, require_array, require_curves, require_model
from tarazu.course.labs.part import Part
from tarazu.course.labs.student import Student
from tarazu.course.wrong import Wrong
from tarazu.data import load
from tarazu.nn import Dense, Sequential
from tarazu.nn.losses.classes import cross_entropy
from tarazu.runtime.tensor.creation import tensor

PIXELS, DIGITS = 784, 10
LEAST_OF_ONE, LEAST_OF_MORE, LEAST_OF_CONVOLUTION = 0.86, 0.89, 0.92  # docs/course/lab_mnist.md says why
EPOCHS, FEW_ROWS = 6, 2000
GAIN = 0.01  # in accuracy, of relu over no activation
DEEP, WIDTH = 8, 32
RIGHT = {"activation": "no", "depth": "little", "gradients": "first", "weights": "grows"}
CHOICES = {"activation": ("yes", "no"), "depth": ("much", "little"), "gradients": ("first", "last"),
           "weights": ("grows", "shrinks")}


class Images(NamedTuple):
    """Images from 0 to 1, to train and to validate with."""

    x: np.ndarray
    y: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray


@functools.cache
def images() -> Images:
    """All images of the small part of MNIST, (rows, 28, 28, 1)."""
    (x, y), (x_validation, y_validation) = map(arrays, load("mnist_small"))
    return Images(_floats(x), y, _floats(x_validation), y_validation)


def _floats(x: np.ndarray) -> np.ndarray:
    return x[..., None].astype(np.float32) / 255


def rows(few: int | None = None) -> Images:
    """The images as rows (rows, 784); only the first `few` to train with."""
    x, y, x_validation, y_validation = images()
    return Images(x[:few].reshape(-1, PIXELS), y[:few], x_validation.reshape(-1, PIXELS), y_validation)


def prepare(student: Student) -> Wrong | None:
    dark = np.random.default_rng(0).integers(0, 100, (3, 28, 28), np.uint8)
    given = student.call("prepare", dark.copy())
    found, wanted = require_array(given, (3, PIXELS)), dark.reshape(3, PIXELS) / 255
    if found.dtype != np.float32:
        return Wrong("dtype", found=found.dtype)
    if np.allclose(found, wanted, atol=1e-5):
        return None
    if np.allclose(found, dark.reshape(3, PIXELS) / dark.max(), atol=1e-5):
        return Wrong("own_maximum")
    return Wrong("values", found=f"{found.min():.2f}", most=f"{found.max():.2f}", expected=f"{wanted.max():.2f}")


def perceptron(student: Student) -> Wrong | None:
    x = rows().x[:20]
    for hidden in ((), (64,), (64, 32)):
        for activation in ("relu", "linear"):
            model = student.call("perceptron", hidden, activation)
            require_model(model, x, [PIXELS, *hidden, DIGITS])
            if is_linear(model, PIXELS) != (activation == "linear" or not hidden):
                return Wrong("activation", hidden=hidden, activation=activation)
    return None


def single_layer(student: Student) -> Wrong | None:
    return _trained(student, (), LEAST_OF_ONE)


def more_layers(student: Student) -> Wrong | None:
    return _trained(student, (64,), LEAST_OF_MORE) or _trained(student, (64, 32), LEAST_OF_MORE)


def _trained(student: Student, hidden: tuple[int, ...], least: float) -> Wrong | None:
    data, model = rows(), student.call("perceptron", hidden, "relu")
    require_model(model, data.x[:20], [PIXELS, *hidden, DIGITS])
    history = student.call("train", model, *data, EPOCHS)
    require_curves(history, model, data.x_validation, data.y_validation, least)
    epochs = len(history.history["accuracy"])
    return None if epochs == EPOCHS else Wrong("epochs", found=epochs, expected=EPOCHS)


def activations(student: Student) -> Wrong | None:
    found = student.call("accuracy_by_activation", *rows())
    missing = {"linear", "sigmoid", "tanh", "relu"} - set(found)
    if missing:
        return Wrong("missing_names", names=", ".join(sorted(missing)))
    low = min(found, key=lambda name: float(found[name]))
    if float(found[low]) <= 0.6 or max(map(float, found.values())) > 1:
        return Wrong("no_accuracy", name=low, found=f"{float(found[low]):.2f}")
    gain = float(found["relu"]) - float(found["linear"])
    return None if gain > GAIN else Wrong("no_gain", linear=f"{float(found['linear']):.3f}",
                                          relu=f"{float(found['relu']):.3f}")


def depth(student: Student) -> Wrong | None:
    data = rows(200)
    model = Sequential([*(Dense(WIDTH, "sigmoid") for _ in range(DEEP)), Dense(DIGITS)])
    cross_entropy(model(tensor(data.x)), tensor(data.y)).backward()
    wanted = [float(np.linalg.norm(np.asarray(layer.weight.grad))) for layer in model if isinstance(layer, Dense)]
    for parameter in model.parameters():
        parameter.grad = None
    found = require_array(student.call("gradient_norms", model, data.x, data.y), (DEEP + 1,)).astype(float)
    if np.allclose(found, wanted, rtol=0.02):
        return None
    if np.allclose(found[::-1], wanted, rtol=0.02):
        return Wrong("reversed")
    scaled = np.allclose(found / wanted, found[0] / wanted[0], rtol=0.02)
    return Wrong("sum" if scaled else "norms", found=f"{found[0]:.2g}", expected=f"{wanted[0]:.2g}")


def weights(student: Student) -> Wrong | None:
    data, model = rows(FEW_ROWS), student.call("perceptron", (64,), "relu")
    model.predict(data.x[:2])  # which makes the weights
    before = _largest(model)
    found = require_array(student.call("largest_weights", model, data.x, data.y, 5), (5,)).astype(float)
    after = _largest(model)
    if after == before:
        return Wrong("not_trained")
    if not np.isclose(found[-1], after, rtol=1e-4):
        return Wrong("last", found=f"{found[-1]:.3f}", expected=f"{after:.3f}")
    return Wrong("all_same") if np.ptp(found) < 1e-6 else None


def _largest(model: Sequential) -> float:
    return max(float(np.abs(parameter.numpy()).max()) for parameter in model.parameters() if parameter.ndim > 1)


def convolution(student: Student) -> Wrong | None:
    model, data = student.call("convolution"), images()
    if not hasattr(model, "predict") or not hasattr(model, "named_modules"):
        return Wrong("no_model", found=type(model).__name__)
    require_array(model.predict(data.x[:20]), (20, DIGITS))
    if not any(type(layer).__name__ == "Conv2D" for _, layer in model.named_modules()):
        return Wrong("no_convolution")
    size = sum(int(np.prod(parameter.shape)) for parameter in model.parameters())
    if size > 100_000:
        return Wrong("large", found=f"{size:,}")
    model.fit(data.x, data.y, epochs=3, batch_size=64, seed=0, verbose=0)
    accuracy = float((model.predict(data.x_validation).argmax(axis=1) == data.y_validation).mean())
    return None if accuracy >= LEAST_OF_CONVOLUTION else Wrong("accuracy", found=f"{accuracy:.3f}",
                                                                expected=LEAST_OF_CONVOLUTION)


def answers(student: Student) -> Wrong | None:
    found = student.call("answers")
    for question, right in RIGHT.items():
        if found.get(question) not in CHOICES[question]:
            return Wrong("no_choice", question=question, choices=" / ".join(CHOICES[question]))
        if found[question] != right:
            return Wrong(question)
    return None


PARTS = (Part("prepare", 10, prepare), Part("perceptron", 15, perceptron), Part("single_layer", 10, single_layer),
         Part("more_layers", 15, more_layers), Part("activations", 10, activations), Part("depth", 10, depth),
         Part("weights", 10, weights), Part("convolution", 10, convolution), Part("answers", 10, answers))
