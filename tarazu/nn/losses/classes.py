"""Losses of classes that exclude each other: a logit for each class, and one class per label."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tarazu.base.errors import ShapeError
from tarazu.ir.interpreter import state
from tarazu.nn.losses.checks import require_class_numbers, require_positive, require_probabilities, require_share
from tarazu.nn.losses.reduction import reduced, weights_of_outputs
from tarazu.ops import elementwise as e
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.create import arange, one_hot
from tarazu.ops.indexing.index import take, take_along_axis
from tarazu.ops.networks.softmax import log_softmax
from tarazu.ops.promote import as_value, rounded_like, single
from tarazu.ops.reduce import max, mean, sum
from tarazu.ops.shape import broadcast_to, expand_dims, reshape, squeeze
from tarazu.ops.typing import ArrayLike, Tensor

LEAST_PROBABILITY = 1e-7  # to which smaller ones are raised, as in Keras


def cross_entropy(logits: ArrayLike, labels: ArrayLike, *, label_smoothing: float = 0.0,
                  class_weight: ArrayLike | None = None, ignore_index: int | None = None, from_logits: bool = True,
                  reduction: str = "mean", sample_weight: ArrayLike | None = None,
                  mask: ArrayLike | None = None) -> Tensor:
    """-log of the probability that softmax(logits) gives to the label.

    `logits` of shape (batch, ..., classes); `labels` are class numbers of shape (batch, ...), or one-hot rows or
    probabilities of the shape of the logits. The result is the "mean" over all labels, their "sum", or, with "none",
    one loss per sample, (batch,).

    `label_smoothing` spreads this share of each label evenly over all classes (Szegedy and others, 2016).
    `class_weight` (classes,) multiplies the losses of each class; the mean over class numbers divides by the sum of
    their weights, as in torch. Labels of `ignore_index` do not count. With `from_logits=False` outputs are
    probabilities. `sample_weight` multiplies the losses of samples (batch,) or steps (batch, time), and the mean still
    divides by their number, as in Keras; the mean over a `mask` (True where a label counts) is that of the labels that
    count, 0 if there are none.

    ShapeError for shapes that do not fit, ArgumentError for another reduction, for options out of range, for a class
    number that has no logit and for probabilities below 0 or above 1 (not in a traced function, where labels have no
    values yet).

    >>> import tarazu as tz
    >>> round(tz.nn.cross_entropy(tz.zeros(1, 4), tz.tensor([2])).item(), 4)
    1.3863
    """
    require_share("cross_entropy", "label_smoothing", label_smoothing)
    logits, labels = _logits_and_labels("cross_entropy", logits, labels)
    weights = None if class_weight is None else _of_classes("cross_entropy", "class_weight", class_weight, logits)
    if labels.shape == logits.shape:
        if label_smoothing:
            labels = e.astype(labels, logits.dtype) * (1 - label_smoothing) + label_smoothing / logits.shape[-1]
        losses = _of_probabilities(logits, labels) if from_logits and weights is None else -_spread(
            _log_probabilities(logits, from_logits), labels, weights)
        return reduced(losses, reduction, sample_weight, mask)
    numbers, mask = _counted("cross_entropy", logits, labels, ignore_index, mask)
    is_usual = weights is None and sample_weight is None and mask is None and not label_smoothing and from_logits
    if is_usual and reduction == "mean" and state.interpreter.compiles_often:
        return _mean_of_class_numbers(logits, numbers)
    losses = _of_class_numbers(logits, numbers) if from_logits else nll_of(_log_probabilities(logits, False), numbers)
    counts = None if weights is None else take(weights, numbers)
    losses = _weighted(losses, counts)
    if label_smoothing:
        evenly = -mean(_weighted(_log_probabilities(logits, from_logits), weights), -1)
        losses = (1 - label_smoothing) * losses + label_smoothing * evenly
    return reduced(losses, reduction, sample_weight, mask, counts)


def nll(log_probabilities: ArrayLike, labels: ArrayLike, *, class_weight: ArrayLike | None = None,
        ignore_index: int | None = None, reduction: str = "mean", sample_weight: ArrayLike | None = None,
        mask: ArrayLike | None = None) -> Tensor:
    """The negative log-likelihood: minus the log probability of the label, of outputs after `log_softmax`.

    `cross_entropy` computes it from logits. `labels` are class numbers; shapes, options and errors (ShapeError,
    ArgumentError) are those of `cross_entropy`.

    >>> import tarazu as tz
    >>> round(tz.nn.nll(tz.log(tz.tensor([[0.25, 0.75]])), tz.tensor([0])).item(), 4)
    1.3863
    """
    scores, labels = _logits_and_labels("nll", log_probabilities, labels)
    numbers, mask = _counted("nll", scores, labels, ignore_index, mask)
    weights = None if class_weight is None else _of_classes("nll", "class_weight", class_weight, scores)
    counts = None if weights is None else take(weights, numbers)
    return reduced(_weighted(nll_of(scores, numbers), counts), reduction, sample_weight, mask, counts)


def focal_loss(logits: ArrayLike, labels: ArrayLike, *, gamma: float = 2.0, alpha: ArrayLike | None = None,
               label_smoothing: float = 0.0, ignore_index: int | None = None, from_logits: bool = True,
               reduction: str = "mean", sample_weight: ArrayLike | None = None,
               mask: ArrayLike | None = None) -> Tensor:
    """`cross_entropy` times (1 - p) ** gamma, p the probability of each class, so that labels that are right already
    count less (Lin and others, 2017).

    `alpha`, a number or one for each class, multiplies the losses of labels of the class; the mean divides by how many
    labels there are. All else, and errors (ShapeError, ArgumentError), is as there.

    >>> import tarazu as tz
    >>> round(tz.nn.focal_loss(tz.zeros(1, 2), tz.tensor([1])).item(), 4)
    0.1733
    """
    require_share("focal_loss", "label_smoothing", label_smoothing)
    if gamma:
        require_positive("focal_loss", "gamma", gamma)
    logits, labels = _logits_and_labels("focal_loss", logits, labels)
    classes = logits.shape[-1]
    if labels.shape != logits.shape:
        numbers, mask = _counted("focal_loss", logits, labels, ignore_index, mask)
        labels = one_hot(numbers, classes)
    labels = e.astype(labels, logits.dtype, copy=False)
    if label_smoothing:
        labels = labels * (1 - label_smoothing) + label_smoothing / classes
    scores = _log_probabilities(logits, from_logits)
    factor = e.pow(1 - e.exp(scores), gamma)
    weights = None if alpha is None else _of_classes("focal_loss", "alpha", alpha, logits)
    return reduced(-_spread(scores * factor, labels, weights), reduction, sample_weight, mask)


def kl_divergence(logits: ArrayLike, target: ArrayLike, *, from_logits: bool = True, reduction: str = "mean",
                  sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """The divergence of softmax(logits) from the distribution `target` (Kullback and Leibler, 1951), in nats.

    sum(target * log(target / softmax(logits))) over the last axis; both have the shape (batch, ..., classes). With
    `from_logits=False` the outputs are probabilities. The result is the "mean" over all distributions, their "sum", or,
    with "none", one number per sample, (batch,). Weights, mask and errors (ShapeError, ArgumentError) are those of
    `cross_entropy`.

    >>> import tarazu as tz
    >>> round(tz.nn.kl_divergence(tz.zeros(1, 2), tz.tensor([[1.0, 0.0]])).item(), 4)
    0.6931
    """
    logits, target = as_value(logits), as_value(target)
    if logits.shape != target.shape or not logits.shape:
        raise ShapeError(f"kl_divergence: a target of shape {target.shape} for logits of shape {logits.shape}",
                         expected="a probability for each logit", fix="make class numbers one-hot: tz.one_hot(y, n)")
    if isinstance(target.raw, np.ndarray):
        require_probabilities(target.raw, "kl_divergence")
    target = e.astype(target, logits.dtype, copy=False)
    is_zero = target <= 0
    entropy = sum(e.where(is_zero, 0, target * e.log(e.where(is_zero, 1, target))), -1)
    return reduced(entropy - _spread(_log_probabilities(logits, from_logits), target, None), reduction, sample_weight,
                   mask)


def _logits_and_labels(name: str, logits: ArrayLike, labels: ArrayLike) -> tuple[Tensor, Tensor]:
    logits, labels = as_value(logits), as_value(labels)
    if not logits.shape or logits.shape[-1] < 2:
        raise ShapeError(f"{name}: logits of shape {logits.shape}",
                         expected="a logit for each of 2 or more classes",
                         fix="two classes in one logit are a matter for binary_cross_entropy")
    if labels.shape == logits.shape and isinstance(labels.raw, np.ndarray):
        require_probabilities(labels.raw, name)
    return logits, labels


def _counted(name: str, logits: Tensor, labels: Tensor, ignore_index: int | None,
             mask: ArrayLike | None) -> tuple[Tensor, ArrayLike | None]:
    """Class numbers that were checked, 0 for those that are ignored, and the mask without these."""
    if ignore_index is None:
        return checked_class_numbers(name, labels, logits), mask
    is_counted = e.not_equal(labels, ignore_index)
    numbers = checked_class_numbers(name, e.where(is_counted, labels, 0), logits)
    is_counted = reshape(is_counted, numbers.shape)
    if mask is None:
        return numbers, is_counted
    mask = as_value(mask)
    mask = reshape(mask, (*mask.shape, *(1,) * (len(numbers.shape) - mask.ndim)))
    return numbers, e.logical_and(is_counted, e.astype(mask, "bool", copy=False))


def _of_classes(loss: str, name: str, weights: ArrayLike, logits: Tensor) -> Tensor:
    """A weight for each class, (classes,)."""
    return broadcast_to(weights_of_outputs(loss, name, weights, logits), logits.shape[-1:])


def _log_probabilities(outputs: Tensor, from_logits: bool) -> Tensor:
    return log_softmax(outputs) if from_logits else e.log(e.clip(outputs, LEAST_PROBABILITY, 1))


def _weighted(scores: Tensor, weights: Tensor | None) -> Tensor:
    return scores if weights is None else scores * weights


def _spread(scores: Tensor, probabilities: Tensor, weights: Tensor | None) -> Tensor:
    """The sum of scores, weighted by the probabilities of the label; a probability of 0 costs nothing,
    also where 0 * inf would be NaN."""
    wanted = e.astype(probabilities, scores.dtype, copy=False)
    impossible = e.logical_and(e.equal(scores, -math.inf), e.equal(wanted, 0))
    return sum(_weighted(e.where(impossible, 0, scores) * wanted, weights), -1)


def nll_of(scores: Tensor, numbers: Tensor) -> Tensor:
    """Minus the scores of the class numbers."""
    return -squeeze(take_along_axis(scores, expand_dims(numbers, -1)), -1)


@composite("cross_entropy_vjp")
def _logits_cotangent(g: Tensor, logits: Tensor, numbers: Tensor) -> Tensor:
    """softmax(logits) minus 1 at the logit that the loss is of, times the cotangent of the loss."""
    is_label = e.equal(expand_dims(_gathered(numbers, logits.shape[-1]), -1), arange(logits.shape[-1]))
    shares = e.exp(log_softmax(logits))  # not softmax, whose powers a compiler would keep from the loss on
    return expand_dims(g, -1) * (shares - e.astype(is_label, g.dtype))


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
    return _losses(logits, numbers)


def _losses(logits: Tensor, numbers: Tensor) -> Tensor:
    """What `nll_of` gives of `log_softmax`, in its order of operations, but of one logit a row: no tensor as large as
    the logits is computed."""
    largest = e.stop_gradient(max(logits, -1, keepdims=True))
    total = sum(e.exp(logits - largest), -1)
    return e.log(total) - squeeze(take_along_axis(logits, expand_dims(numbers, -1)) - largest, -1)


@composite("cross_entropy_mean_vjp")
def _logits_cotangent_of_mean(g: Tensor, logits: Tensor, numbers: Tensor) -> Tensor:
    shares = rounded_like(broadcast_to(single(g) / math.prod(numbers.shape), numbers.shape), g)
    return e.astype(_logits_cotangent(shares, logits, numbers), logits.dtype, copy=False)


def _mean_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
               needed: Sequence[bool]) -> list[Tensor | None]:
    return [_logits_cotangent_of_mean(cotangents[0], *inputs), None]


@composite("cross_entropy_mean", gradient=_mean_rule)
def _mean_of_class_numbers(logits: Tensor, numbers: Tensor) -> Tensor:
    """What eager code calls most, in one call."""
    return reduced(_losses(logits, numbers), "mean")


@composite("cross_entropy_of_probabilities")
def _of_probabilities(logits: Tensor, probabilities: Tensor) -> Tensor:
    return -_spread(log_softmax(logits), probabilities, None)


def checked_class_numbers(name: str, labels: Tensor, logits: Tensor) -> Tensor:
    """Class numbers in the shape of the logits without their last axis.

    ShapeError for another shape and for what is no integer, ArgumentError for numbers out of range.
    """
    wanted = logits.shape[:-1]
    if not labels.dtype.is_integer or labels.shape not in (wanted, (*wanted, 1)):
        raise ShapeError(f"{name}: labels of {labels.dtype} and shape {labels.shape} for logits of shape "
                         f"{logits.shape}",
                         expected=f"class numbers (integers) of shape {wanted}, or probabilities of the logits' shape",
                         fix="check the shapes, and cast class numbers to integers: y.astype(tz.int64)")
    if isinstance(labels.raw, np.ndarray):
        require_class_numbers(labels.raw, logits.shape[-1])
    return labels if labels.shape == wanted else reshape(labels, wanted)
