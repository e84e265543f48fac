"""Metrics: functions of (prediction, target) that give one number per sample; what is shown is their mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.nn import losses
from tarazu.ops.elementwise import astype, equal, greater
from tarazu.ops.reduce import argmax, mean
from tarazu.ops.shape import reshape
from tarazu.runtime.tensor import Tensor

Metric = Callable[[Any, Any], Any]


def accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """1 for each sample whose class is right, 0 otherwise.

    With several outputs the largest one is the class, and the target a class number or one-hot; with one output the class is 1
    when the logit is above 0.
    """
    rows = prediction.shape[0]
    if len(prediction.shape) > 1 and prediction.shape[-1] > 1:
        labels = argmax(target, -1) if target.shape == prediction.shape else reshape(target, prediction.shape[:-1])
        right = equal(argmax(prediction, -1), labels)
    else:
        right = equal(greater(reshape(prediction, (rows,)), 0), greater(reshape(target, (rows,)), 0.5))
    return mean(reshape(astype(right, "float32"), (rows, -1)), -1)


def mae(prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute difference."""
    return losses.mae(prediction, target, reduction="none")


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """The squared difference."""
    return losses.mse(prediction, target, reduction="none")


METRICS: dict[str, Metric] = {"accuracy": accuracy, "acc": accuracy, "mae": mae, "mse": mse}


def named_metrics(specs: Iterable[str | Metric] | str | Metric) -> dict[str, Metric]:
    """The metrics by the names under which the history shows them."""
    if isinstance(specs, str) or callable(specs):
        specs = [specs]
    found: dict[str, Metric] = {}
    for spec in specs:
        name = spec if isinstance(spec, str) else getattr(spec, "__name__", type(spec).__name__)
        if isinstance(spec, str) and spec not in METRICS:
            raise ArgumentError(f"metric {spec!r}", expected=f"one of {', '.join(METRICS)}, or a function of (prediction, target)",
                                fix="check the spelling")
        found[name] = METRICS[spec] if isinstance(spec, str) else spec
    return found
