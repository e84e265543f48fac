"""Losses: functions of (prediction, target). Classification losses take logits, the outputs before softmax or sigmoid.

`reduction` is "mean" (over the batch), "sum", or "none", which gives one loss per sample: shape (batch,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops import elementwise as e
from tarazu.ops.composite import log_softmax, softplus
from tarazu.ops.index import take_along_axis
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import mean, sum
from tarazu.ops.shape import expand_dims, reshape, squeeze

Loss = Callable[..., Any]


def cross_entropy(logits: Any, labels: Any, *, reduction: str = "mean") -> Any:
    """-log of the probability that softmax(logits) gives to the label.

    `logits` of shape (batch, ..., classes); `labels` are class numbers of shape (batch, ...), or probabilities (one-hot) of
    the shape of the logits.

    >>> import tarazu as tz
    >>> round(tz.nn.cross_entropy(tz.zeros(1, 4), tz.tensor([2])).item(), 4)
    1.3863
    """
    logits, labels = as_value(logits), as_value(labels)
    scores = log_softmax(logits)
    if labels.dtype.is_integer:
        return _reduced(-squeeze(take_along_axis(scores, expand_dims(_class_numbers(labels, logits), -1)), -1), reduction)
    if labels.shape != logits.shape:
        raise ShapeError(f"cross_entropy: labels of {labels.dtype} and shape {labels.shape} for logits of shape {logits.shape}",
                         expected=f"class numbers (integers) of shape {logits.shape[:-1]}, or probabilities of shape {logits.shape}",
                         fix="cast class numbers to integers: y.astype(tz.int64)")
    return _reduced(-sum(scores * labels, -1), reduction)


def _class_numbers(labels: Any, logits: Any) -> Any:
    if labels.shape == (*logits.shape[:-1], 1):
        return squeeze(labels, -1)
    if labels.shape != logits.shape[:-1]:
        raise ShapeError(f"cross_entropy: labels of shape {labels.shape} for logits of shape {logits.shape}",
                         expected=f"class numbers of shape {logits.shape[:-1]}, one for each row of logits",
                         fix="one logit per class belongs on the last axis; one-hot labels must be floats")
    return labels


def binary_cross_entropy(logits: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """-log of the probability that sigmoid(logits) gives to targets of 0 or 1 (or in between), averaged over the outputs.

    >>> import tarazu as tz
    >>> round(tz.nn.binary_cross_entropy(tz.tensor([0.0]), tz.tensor([1.0])).item(), 4)
    0.6931
    """
    logits, targets = _aligned("binary_cross_entropy", logits, targets)
    return _reduced(softplus(logits) - logits * targets, reduction)


def mse(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The mean squared difference."""
    prediction, target = _aligned("mse", prediction, target)
    return _reduced(e.square(prediction - target), reduction)


def mae(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The mean absolute difference."""
    prediction, target = _aligned("mae", prediction, target)
    return _reduced(e.abs(prediction - target), reduction)


def huber(prediction: Any, target: Any, *, delta: float = 1.0, reduction: str = "mean") -> Any:
    """Half the squared difference up to `delta`, beyond it linear, so that outliers count less (Huber, 1964)."""
    prediction, target = _aligned("huber", prediction, target)
    distance = e.abs(prediction - target)
    return _reduced(e.where(distance <= delta, 0.5 * e.square(distance), delta * (distance - 0.5 * delta)), reduction)


def _aligned(name: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Both of one shape; a missing last axis of size 1 is added, as (n, 1) - (n,) would otherwise silently be (n, n)."""
    prediction, target = as_value(prediction), as_value(target)
    if prediction.shape != target.shape:
        if tuple(n for n in prediction.shape if n != 1) != tuple(n for n in target.shape if n != 1) or (
                len(prediction.shape) - len(target.shape)) not in (-1, 1):
            raise ShapeError(f"{name}: a prediction of shape {prediction.shape} for a target of shape {target.shape}",
                             expected="one shape", fix="give the last layer as many outputs as the target has, or reshape the target")
        target = reshape(target, prediction.shape)
    return prediction, e.astype(target, prediction.dtype, copy=False)


def _reduced(losses: Any, reduction: str) -> Any:
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    if reduction == "none":
        return mean(reshape(losses, (losses.shape[0], -1)), -1) if len(losses.shape) > 1 else losses
    raise ArgumentError(f"reduction={reduction!r}", expected='"mean", "sum" or "none"', fix="check the spelling")


LOSSES: dict[str, Loss] = {loss.__name__: loss for loss in (cross_entropy, binary_cross_entropy, mse, mae, huber)}


def loss(spec: str | Loss) -> Loss:
    """The loss that `spec` names; a function is given back as it is."""
    if callable(spec):
        return spec
    if spec not in LOSSES:
        raise ArgumentError(f"loss {spec!r}", expected=f"one of {', '.join(LOSSES)}, or a function of (prediction, target)",
                            fix="check the spelling; losses for classes take logits, so the last layer has no softmax or sigmoid")
    return LOSSES[spec]
