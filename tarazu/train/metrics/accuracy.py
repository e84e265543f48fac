"""Accuracies, a number for each row: 1 where the class, or each label, is right."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ShapeError
from tarazu.ops.elementwise import astype, equal, greater, logical_and
from tarazu.ops.indexing.sorting import topk
from tarazu.ops.reduce import all, any, argmax, mean
from tarazu.ops.shape import expand_dims, reshape
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.metrics.metric import Metric, RowFunction
from tarazu.train.metrics.outputs import is_single


def accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """1 for each sample whose class is right, 0 otherwise.

    With several outputs the largest one is the class, and the target a class number or one-hot; with one output the
    class is 1 when the logit is above 0. NaN is never right. In `compile`, "accuracy" beside a loss of numbers, such as
    "mse", takes 0.5 as the bound in place of 0: outputs are then near the targets 0 and 1 themselves.

    >>> import tarazu as tz
    >>> tz.train.accuracy(tz.tensor([[0.1, 0.9], [0.8, 0.2]]), tz.tensor([1, 1]))
    Tensor([1., 0.], dtype=float32)
    """
    if is_single(prediction.shape):
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
    judge = binary_number_accuracy if is_single(prediction.shape) else accuracy
    return judge(prediction, target)


def binary_number_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """`binary_accuracy` beside a loss of numbers: each output counts as 1 above 0.5.

    >>> import tarazu as tz
    >>> binary_number_accuracy(tz.tensor([[0.9, 0.2]]), tz.tensor([[1, 1]]))
    Tensor([0.5], dtype=float32)
    """
    return _share(_is_right(prediction, target, 0.5))


ACCURACIES = accuracy, binary_accuracy, number_accuracy, binary_number_accuracy


def _is_right(prediction: Tensor, target: Tensor, bound: float) -> Tensor:
    is_equal = equal(greater(prediction, bound), greater(reshape(target, prediction.shape), 0.5))
    return logical_and(equal(prediction, prediction), is_equal)


def _class_numbers(prediction: Tensor, target: Tensor) -> Tensor:
    """The target as class numbers, which may be one-hot, in the shape of the prediction without its last axis."""
    return argmax(target, -1) if target.shape == prediction.shape else reshape(target, prediction.shape[:-1])


def _share(right: Tensor) -> Tensor:
    return mean(reshape(astype(right, "float32"), (right.shape[0], -1)), -1)


def top_k_accuracy(prediction: Tensor, target: Tensor, k: int = 5) -> Tensor:
    """1 for each sample whose class is among the `k` with the largest outputs, 0 otherwise. NaN is never right.

    Targets are those of `accuracy`, and outputs logits, or probabilities, or scores: their order alone counts. In
    `compile`, "top_5_accuracy" (or another number) names it. ArgumentError for a `k` below 1; one that is larger than
    the number of classes takes all. ShapeError for a single output, which has no order.

    >>> import tarazu as tz
    >>> tz.train.top_k_accuracy(tz.tensor([[0.1, 0.9, 0.5], [0.8, 0.2, 0.1]]), tz.tensor([2, 2]), k=2)
    Tensor([1., 0.], dtype=float32)
    """
    positive_int("k", k)
    if is_single(prediction.shape):
        raise ShapeError(f"top_{k}_accuracy: outputs of shape {prediction.shape}",
                         expected="an output for each of 2 or more classes", fix='take "accuracy"')
    best = topk(prediction, min(k, prediction.shape[-1]))[1]
    is_among = any(equal(best, expand_dims(_class_numbers(prediction, target), -1)), -1)
    return _share(logical_and(all(equal(prediction, prediction), -1), is_among))


def zero_one_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """1 for each sample whose class is wrong, 0 otherwise: 1 - `accuracy`.

    >>> import tarazu as tz
    >>> tz.train.zero_one_loss(tz.tensor([[0.1, 0.9], [0.8, 0.2]]), tz.tensor([1, 1]))
    Tensor([0., 1.], dtype=float32)
    """
    return 1 - accuracy(prediction, target)


def _wrong(right: RowFunction, prediction: Tensor, target: Tensor) -> Tensor:
    return 1 - right(prediction, target)


WRONG: dict[RowFunction, RowFunction] = {right: partial(_wrong, right) for right in ACCURACIES}  # what they miss of 1


def number_classes_note(metrics: Iterable[Metric], targets: np.ndarray, outputs: tuple[int, ...]) -> str | None:
    """What to say where a metric of classes beside a loss of numbers has targets other than 0 and 1; else None.

    `outputs` is the shape of a batch of outputs.
    """
    right = (number_accuracy, binary_number_accuracy) if is_single(outputs) else (binary_number_accuracy,)
    judged = {*right, *(WRONG[function] for function in right)}
    name = next((metric.name for metric in metrics if metric.function in judged or metric.splits_numbers), None)
    if name is None or ((targets == 0) | (targets == 1)).all():
        return None
    low, high = targets.min(), targets.max()
    return (f"{name} beside a loss of numbers takes outputs above 0.5 for class 1, and targets go from {low:g} to "
            f"{high:g}; number the two classes, y = (y == {high:g}).astype(int), or leave {name} out")
