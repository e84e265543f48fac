"""Losses of classes that exclude each other: a logit for each class, and one class per label."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tarazu.base.errors import ShapeError
from tarazu.nn.losses.checks import require_class_numbers, require_probabilities
from tarazu.nn.losses.reduction import reduced
from tarazu.ops import elementwise as e
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.create import arange
from tarazu.ops.indexing.index import take_along_axis
from tarazu.ops.networks.softmax import log_softmax, softmax
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import sum
from tarazu.ops.shape import expand_dims, reshape, squeeze
from tarazu.ops.typing import ArrayLike, Tensor


def cross_entropy(logits: ArrayLike, labels: ArrayLike, *, reduction: str = "mean") -> Tensor:
    """-log of the probability that softmax(logits) gives to the label.

    `logits` of shape (batch, ..., classes); `labels` are class numbers of shape (batch, ...), or one-hot rows or
    probabilities of the shape of the logits. The result is the "mean" over all labels, their "sum", or, with "none",
    one loss per sample, (batch,). ShapeError for shapes that do not fit, ArgumentError for another reduction, for a
    class number that has no logit and for probabilities below 0 or above 1 (not in a traced function, where labels have
    no values yet).

    >>> import tarazu as tz
    >>> round(tz.nn.cross_entropy(tz.zeros(1, 4), tz.tensor([2])).item(), 4)
    1.3863
    """
    logits, labels = as_value(logits), as_value(labels)
    if not logits.shape or logits.shape[-1] < 2:
        raise ShapeError(f"cross_entropy: logits of shape {logits.shape}",
                         expected="a logit for each of 2 or more classes",
                         fix="two classes in one logit are a matter for binary_cross_entropy")
    if labels.shape == logits.shape:
        if isinstance(labels.raw, np.ndarray):
            require_probabilities(labels.raw, "cross_entropy")
        return reduced(_of_probabilities(logits, labels), reduction)
    return reduced(_of_class_numbers(logits, _checked_class_numbers(labels, logits)), reduction)


@composite("cross_entropy_vjp")
def _logits_cotangent(g: Tensor, logits: Tensor, numbers: Tensor) -> Tensor:
    """softmax(logits) minus 1 at the logit that the loss is of, times the cotangent of the loss."""
    is_label = e.equal(expand_dims(_gathered(numbers, logits.shape[-1]), -1), arange(logits.shape[-1]))
    return expand_dims(g, -1) * (softmax(logits) - e.astype(is_label, g.dtype))


def _gathered(numbers: Tensor, classes: int) -> Tensor:
    """Which logits a gather takes for `numbers` without raising: negative ones count from the end, others clamp."""
    numbers = e.astype(numbers, "int64", copy=False)
    return e.clip(e.where(e.less(numbers, 0), numbers + classes, numbers), 0, classes - 1)


def _class_numbers_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                        needed: Sequence[bool]) -> list[Tensor | None]:
    logits, numbers = inputs
    return [e.astype(_logits_cotangent(cotangents[0], logits, numbers), logits.dtype, copy=False), None]


@composite("cross_entropy", gradient=_class_numbers_rule)
def _of_class_numbers(logits: Tensor, numbers: Tensor) -> Tensor:
    return -squeeze(take_along_axis(log_softmax(logits), expand_dims(numbers, -1)), -1)


@composite("cross_entropy_of_probabilities")
def _of_probabilities(logits: Tensor, probabilities: Tensor) -> Tensor:
    scores = log_softmax(logits)
    wanted = e.astype(probabilities, scores.dtype, copy=False)
    impossible = e.logical_and(e.equal(scores, -math.inf), e.equal(wanted, 0))  # costs nothing, where 0 * inf is nan
    return -sum(e.where(impossible, 0, scores) * wanted, -1)


def _checked_class_numbers(labels: Tensor, logits: Tensor) -> Tensor:
    wanted = logits.shape[:-1]
    if not labels.dtype.is_integer or labels.shape not in (wanted, (*wanted, 1)):
        raise ShapeError(f"cross_entropy: labels of {labels.dtype} and shape {labels.shape} for logits of shape "
                         f"{logits.shape}",
                         expected=f"class numbers (integers) of shape {wanted}, or probabilities of the logits' shape",
                         fix="check the shapes, and cast class numbers to integers: y.astype(tz.int64)")
    if isinstance(labels.raw, np.ndarray):
        require_class_numbers(labels.raw, logits.shape[-1])
    return reshape(labels, wanted)
