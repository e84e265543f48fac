"""Metrics: functions of (prediction, target) that give one number per sample; what is shown is their mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tarazu.base.spelling import by_name
from tarazu.nn import losses
from tarazu.ops.elementwise import astype, equal, greater
from tarazu.ops.reduce import argmax, mean
from tarazu.ops.shape import reshape
from tarazu.runtime.tensor.tensor import Tensor

Metric = Callable[[Any, Any], Any]
Metrics = str | Metric | Iterable[str | Metric]


def accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """1 for each sample whose class is right, 0 otherwise.

    With several outputs the largest one is the class, and the target a class number or one-hot; with one output the
    class is 1 when the logit is above 0.

    >>> import tarazu as tz
    >>> tz.train.accuracy(tz.tensor([[0.1, 0.9], [0.8, 0.2]]), tz.tensor([1, 1]))
    Tensor([1., 0.], dtype=float32)
    """
    if len(prediction.shape) < 2 or prediction.shape[-1] == 1:
        return binary_accuracy(prediction, target)
    return _share(equal(argmax(prediction, -1), _class_numbers(prediction, target)))


def binary_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """For each sample the share of outputs that are right: logit above 0 for a target of 1.

    >>> import tarazu as tz
    >>> tz.train.binary_accuracy(tz.tensor([[2.0, -1.0], [-3.0, -4.0]]), tz.tensor([[1, 1], [0, 0]]))
    Tensor([0.5, 1. ], dtype=float32)
    """
    return _share(equal(greater(prediction, 0), greater(reshape(target, prediction.shape), 0.5)))


def _class_numbers(prediction: Tensor, target: Tensor) -> Tensor:
    """The target as class numbers, which may be one-hot, in the shape of the prediction without its last axis."""
    return argmax(target, -1) if target.shape == prediction.shape else reshape(target, prediction.shape[:-1])


def _share(right: Tensor) -> Tensor:
    return mean(reshape(astype(right, "float32"), (right.shape[0], -1)), -1)


def mae(prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute difference."""
    return losses.mae(prediction, target, reduction="none")


def mae_in_units(scale: float, prediction: Tensor, target: Tensor) -> Tensor:
    """The absolute difference in the unit that a target has before it is divided by `scale`."""
    return mae(prediction, target) * scale


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """The squared difference."""
    return losses.mse(prediction, target, reduction="none")


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "acc": accuracy,
    "binary_accuracy": binary_accuracy,
    "mae": mae,
    "mse": mse,
}


def named_metrics(specs: Metrics, loss: losses.Loss) -> dict[str, Metric]:
    """The metrics by the names under which the history shows them.

    Where the loss judges each output by itself, so does "accuracy".
    """
    if isinstance(specs, str) or not isinstance(specs, Iterable):
        specs = [specs]
    return dict(_named(spec, loss) for spec in specs)


def _named(spec: str | Metric, loss: losses.Loss) -> tuple[str, Metric]:
    if callable(spec):
        return getattr(spec, "__name__", type(spec).__name__), spec
    metric = by_name("metric", spec, METRICS, "a function of (prediction, target)")
    return spec, binary_accuracy if metric is accuracy and losses.traits(loss).target == "labels" else metric
