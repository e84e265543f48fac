"""Losses of outputs that are 0 or 1, each by itself: one logit for each."""

from __future__ import annotations

import numpy as np

from tarazu.nn.losses.checks import aligned, require_positive, require_probabilities, require_share
from tarazu.nn.losses.reduction import reduced, weights_of_outputs
from tarazu.ops import elementwise as e
from tarazu.ops.networks.activations import softplus
from tarazu.ops.typing import ArrayLike, Tensor

LEAST_PROBABILITY = 1e-7  # to which smaller ones are raised, as in Keras


def binary_cross_entropy(logits: ArrayLike, targets: ArrayLike, *, pos_weight: ArrayLike | None = None,
                         label_smoothing: float = 0.0, from_logits: bool = True, reduction: str = "mean",
                         sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """-log of the probability that sigmoid(logits) gives to targets from 0 to 1.

    Both have one shape, (batch, ...), but for a last axis of size 1 that either may lack. The result is the "mean" over
    all outputs, their "sum", or, with "none", the mean of each sample, (batch,). `pos_weight`, a number or one for each
    output, multiplies the loss of targets of 1. `label_smoothing` moves targets by this share to 0.5. With
    `from_logits=False` the outputs are probabilities.

    `sample_weight` and `mask` (True where an output counts) have the shape of the outputs, or lack axes at its end:
    (batch,), (batch, time). Losses are multiplied by the weights, and the mean still divides by their number, as in
    Keras; the mean over a mask is that of the outputs that count. ShapeError for other shapes, ArgumentError for
    another reduction, for options and weights out of range and for targets below 0 or above 1 (not in a traced
    function, where they have no values yet).

    >>> import tarazu as tz
    >>> round(tz.nn.binary_cross_entropy(tz.tensor([0.0]), tz.tensor([1.0])).item(), 4)
    0.6931
    """
    logits, targets = _smoothed("binary_cross_entropy", logits, targets, label_smoothing)
    if pos_weight is not None:
        pos_weight = weights_of_outputs("binary_cross_entropy", "pos_weight", pos_weight, logits)
    return reduced(_binary(logits, targets, pos_weight, from_logits), reduction, sample_weight, mask)


def _smoothed(name: str, logits: ArrayLike, targets: ArrayLike, label_smoothing: float) -> tuple[Tensor, Tensor]:
    """Both of one shape, the targets moved by a share to 0.5."""
    require_share(name, "label_smoothing", label_smoothing)
    outputs, wanted = aligned(name, logits, targets)
    if isinstance(wanted.raw, np.ndarray):
        require_probabilities(wanted.raw, name)
    return outputs, wanted * (1 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else wanted


def _binary(outputs: Tensor, targets: Tensor, pos_weight: Tensor | None, from_logits: bool) -> Tensor:
    """The cross-entropy of each output."""
    if not from_logits:
        outputs = e.clip(outputs, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        ones = -targets * e.log(outputs)
        zeros = (targets - 1) * e.log1p(-outputs)
        return zeros + (ones if pos_weight is None else ones * pos_weight)
    if pos_weight is None:
        return softplus(outputs) - outputs * targets
    return (1 - targets) * outputs + (1 + (pos_weight - 1) * targets) * softplus(-outputs)


def binary_focal_loss(logits: ArrayLike, targets: ArrayLike, *, gamma: float = 2.0, alpha: float | None = None,
                      label_smoothing: float = 0.0, from_logits: bool = True, reduction: str = "mean",
                      sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """`binary_cross_entropy` times (1 - p) ** gamma, p the probability of what is true, so that outputs that are right
    already count less (Lin and others, 2017).

    `alpha` weighs targets of 1, and 1 - alpha those of 0. All else, and errors (ShapeError, ArgumentError), is as
    there.

    >>> import tarazu as tz
    >>> round(tz.nn.binary_focal_loss(tz.tensor([0.0]), tz.tensor([1.0])).item(), 4)
    0.1733
    """
    if gamma:
        require_positive("binary_focal_loss", "gamma", gamma)
    logits, targets = _smoothed("binary_focal_loss", logits, targets, label_smoothing)
    share = e.sigmoid(logits) if from_logits else logits
    missing = targets * (1 - share) + (1 - targets) * share
    losses = e.pow(missing, gamma) * _binary(logits, targets, None, from_logits)
    if alpha is not None:
        require_share("binary_focal_loss", "alpha", alpha)
        losses = losses * (targets * alpha + (1 - targets) * (1 - alpha))
    return reduced(losses, reduction, sample_weight, mask)
