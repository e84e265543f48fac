"""Metrics: functions of (prediction, target) that give one number per sample; what is shown is their mean."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import flatten
from tarazu.base.spelling import by_name, did_you_mean
from tarazu.nn import losses
from tarazu.ops.elementwise import astype, equal, greater, logical_and
from tarazu.ops.reduce import all, argmax, mean
from tarazu.ops.shape import reshape
from tarazu.runtime.tensor.tensor import Tensor

RowFunction = Callable[[Any, Any], Any]  # of (prediction, target): a number per sample
Sums = dict[str, Any]  # a tree of sums over rows


class Metric:
    """A number made of sums over rows, such as precision: `sums(prediction, target)` gives them, `result` the number.

    The sums of batches are added up, in float64, and `result` takes them as arrays; a dict of numbers is shown by their
    names. `whole(prediction, target)`, if given, is the exact value where all rows are in memory.
    """

    def __init__(self, sums: Callable[[Any, Any], Sums], result: Callable[[Sums], Any], *, name: str | None = None,
                 whole: Callable[[np.ndarray, np.ndarray], Any] | None = None) -> None:
        self.sums, self.result, self.name, self.whole = sums, result, name, whole
        self.function: RowFunction | None = None  # of a metric that is the mean over rows of one


def as_metric(function: RowFunction) -> Metric:
    """The mean over rows of a function."""
    def sums(prediction: Any, target: Any) -> Sums:
        return mean_sums(mean(function(prediction, target)), len(flatten(target)[0][0]))

    metric = Metric(sums, mean_of)
    metric.function = function
    return metric


def mean_sums(value: Tensor, rows: int) -> Sums:
    """The sums of a metric that is a mean, for a batch with that mean."""
    return {"total": reshape(astype(value, "float64"), ()) * rows, "rows": rows}


def mean_of(sums: Sums) -> float:
    """The mean by its sums."""
    return float(sums["total"]) / float(sums["rows"])


MEAN = Metric(lambda value, rows: mean_sums(value, rows), mean_of)  # what losses and numbers of own steps are
MetricSpec = str | RowFunction | Metric
Metrics = MetricSpec | Iterable[MetricSpec]


def accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """1 for each sample whose class is right, 0 otherwise.

    With several outputs the largest one is the class, and the target a class number or one-hot; with one output the
    class is 1 when the logit is above 0. NaN is never right. In `compile`, "accuracy" beside a loss of numbers, such as
    "mse", takes 0.5 as the bound in place of 0: outputs are then near the targets 0 and 1 themselves.

    >>> import tarazu as tz
    >>> tz.train.accuracy(tz.tensor([[0.1, 0.9], [0.8, 0.2]]), tz.tensor([1, 1]))
    Tensor([1., 0.], dtype=float32)
    """
    if _is_single(prediction.shape):
        return binary_accuracy(prediction, target)
    is_number = all(equal(prediction, prediction), -1)
    return _share(logical_and(is_number, equal(argmax(prediction, -1), _class_numbers(prediction, target))))


def binary_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """For each sample the share of outputs that are right: logit above 0 for a target of 1. NaN is never right.

    >>> import tarazu as tz
    >>> tz.train.binary_accuracy(tz.tensor([[2.0, -1.0], [-3.0, -4.0]]), tz.tensor([[1, 1], [0, 0]]))
    Tensor([0.5, 1. ], dtype=float32)
    """
    return _share(_is_right(prediction, target, 0))


def number_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """`accuracy` beside a loss of numbers, where a single output near 0 or 1 is the class: 1 when it is above 0.5.

    >>> import tarazu as tz
    >>> number_accuracy(tz.tensor([[0.9], [0.2], [0.4]]), tz.tensor([1, 0, 1]))
    Tensor([1., 1., 0.], dtype=float32)
    """
    judge = binary_number_accuracy if _is_single(prediction.shape) else accuracy
    return judge(prediction, target)


def binary_number_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """`binary_accuracy` beside a loss of numbers: each output counts as 1 above 0.5.

    >>> import tarazu as tz
    >>> binary_number_accuracy(tz.tensor([[0.9, 0.2]]), tz.tensor([[1, 1]]))
    Tensor([0.5], dtype=float32)
    """
    return _share(_is_right(prediction, target, 0.5))


ACCURACIES = accuracy, binary_accuracy, number_accuracy, binary_number_accuracy


def _is_single(outputs: tuple[int, ...]) -> bool:
    """Whether outputs of that shape are one number for each sample."""
    return len(outputs) < 2 or outputs[-1] == 1


def _is_right(prediction: Tensor, target: Tensor, bound: float) -> Tensor:
    is_equal = equal(greater(prediction, bound), greater(reshape(target, prediction.shape), 0.5))
    return logical_and(equal(prediction, prediction), is_equal)


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


METRICS: dict[str, RowFunction] = {
    "accuracy": accuracy,
    "acc": accuracy,
    "binary_accuracy": binary_accuracy,
    "mae": mae,
    "mse": mse,
}
BUILT_IN = *METRICS.values(), *ACCURACIES


def number_classes_note(metrics: Iterable[Metric], targets: np.ndarray, outputs: tuple[int, ...]) -> str | None:
    """What to say where an accuracy beside a loss of numbers has targets other than 0 and 1; else None.

    `outputs` is the shape of a batch of outputs.
    """
    judged = (number_accuracy, binary_number_accuracy) if _is_single(outputs) else (binary_number_accuracy,)
    if not any(metric.function in judged for metric in metrics) or ((targets == 0) | (targets == 1)).all():
        return None
    low, high = targets.min(), targets.max()
    return (f"accuracy beside a loss of numbers takes outputs above 0.5 for class 1, and targets go from {low:g} to "
            f"{high:g}; number the two classes, y = (y == {high:g}).astype(int), or leave accuracy out")


def named_metrics(specs: Iterable[MetricSpec], loss: losses.Loss) -> dict[str, Metric]:
    """The metrics by the names under which the history shows them; ArgumentError for names that are not unique.

    "accuracy" is chosen for the loss: where that judges each output by itself, so does the accuracy, and beside a loss
    of numbers the bound between two classes is 0.5.
    """
    metrics: dict[str, Metric] = {}
    for spec in specs:
        name, metric = _named(spec, loss)
        if name in RESERVED or name.startswith("val_"):
            raise ArgumentError(f"a metric with the name {name!r}, which the history has for something else",
                                expected=f"other names than {', '.join(RESERVED)} and those that begin with val_",
                                fix=_RENAME)
        if name in metrics:
            raise ArgumentError(f"two metrics with the name {name!r}", expected="a name of its own for each",
                                fix=_RENAME if callable(spec) else "leave one out")
        metrics[name] = metric
    return metrics


def _named(spec: MetricSpec, loss: losses.Loss) -> tuple[str, Metric]:
    if isinstance(spec, Metric):
        return spec.name or "metric", spec
    if callable(spec):
        return _name_of(spec), as_metric(spec)
    function = by_name("metric", spec, METRICS, "a function of (prediction, target)", _suggest)
    return spec, as_metric(_FOR_TARGETS.get((losses.traits(loss).target, function), function))


def _name_of(metric: RowFunction) -> str:
    """The name of a function, of the function that a partial one is made of, or of an object's class."""
    while isinstance(metric, functools.partial) and not hasattr(metric, "__name__"):
        metric = metric.func
    return getattr(metric, "__name__", type(metric).__name__)


def _suggest(spec: object, names: Iterable[str]) -> str:
    """What to do for a metric that is no mean over samples, or is misspelled."""
    if str(spec).lower() in _OF_WHOLE_SETS:
        return (f"{spec} is no mean over samples, so it is no metric of batches; compute it after the fit from "
                "model.predict(x), for example with sklearn.metrics")
    return did_you_mean(spec, names)


RESERVED = ("epoch", "seconds", "loss", "learning_rate")  # columns of the history
_RENAME = 'give the function another name: f.__name__ = "..."'
_OF_WHOLE_SETS = {"auc", "roc_auc", "pr_auc", "f1", "f1_score", "precision", "recall", "r2", "r2_score", "rmse"}
_FOR_TARGETS: dict[tuple[str, RowFunction], RowFunction] = {
    ("labels", accuracy): binary_accuracy,
    ("numbers", accuracy): number_accuracy,
    ("numbers", binary_accuracy): binary_number_accuracy,
}
