"""What the judges of both labs measure."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from tarazu.course.labs.student import Stop
from tarazu.course.wrong import Wrong

FEW = 1e-4


def require_array(found: object, shape: tuple[int, ...]) -> np.ndarray:
    """The array, if it has the shape; else it stops the judgement."""
    array = np.asarray(found)
    if array.shape != shape:
        raise Stop(Wrong("shape", found=array.shape, expected=shape))
    return array


def require_model(model: Any, inputs: np.ndarray, sizes: list[int]) -> np.ndarray:
    """The outputs of a model of dense layers of these sizes, or it stops the judgement."""
    if not hasattr(model, "predict") or not hasattr(model, "parameters"):
        raise Stop(Wrong("no_model", found=type(model).__name__))
    outputs = require_array(model.predict(inputs), (len(inputs), sizes[-1]))
    wanted = sum((one + 1) * other for one, other in itertools.pairwise(sizes))
    found = sum(math.prod(parameter.shape) for parameter in model.parameters())
    if found != wanted:
        raise Stop(Wrong("parameters", found=found, expected=wanted, layers=", ".join(map(str, sizes[1:]))))
    if outputs.min() >= 0 and np.allclose(outputs.sum(axis=1), 1, atol=FEW):
        raise Stop(Wrong("softmax"))
    return outputs


def is_linear(model: Any, size: int) -> bool:
    """Whether the output half way between two inputs is half way between their outputs."""
    one, other = np.random.default_rng(0).normal(size=(2, 50, size)).astype(np.float32)
    ends = model.predict(np.concatenate([one, other]))
    middle = model.predict((one + other) / 2)
    return np.allclose(np.asarray(middle), (np.asarray(ends)[:50] + np.asarray(ends)[50:]) / 2, atol=1e-3)


def require_curves(history: Any, model: Any, x: np.ndarray, y: np.ndarray, least: float) -> float:
    """The accuracy on new rows, if history has both curves, and it is at least so much."""
    curves = getattr(history, "history", None)
    if not isinstance(curves, dict):
        raise Stop(Wrong("no_history", found=type(history).__name__))
    for name in ("accuracy", "val_accuracy"):
        if name not in curves:
            raise Stop(Wrong("no_curve", name=name))
    accuracy = float((np.asarray(model.predict(x)).argmax(axis=1) == y).mean())
    if accuracy < least:
        raise Stop(Wrong("accuracy", found=f"{accuracy:.3f}", expected=f"{least:.2f}"))
    return accuracy
