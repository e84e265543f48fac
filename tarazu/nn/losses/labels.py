"""Losses of outputs that are 0 or 1, each by itself: one logit for each."""

from __future__ import annotations

import numpy as np

from tarazu.nn.losses.checks import aligned, require_probabilities
from tarazu.nn.losses.reduction import reduced
from tarazu.ops.networks.activations import softplus
from tarazu.ops.typing import ArrayLike, Tensor


def binary_cross_entropy(logits: ArrayLike, targets: ArrayLike, *, reduction: str = "mean") -> Tensor:
    """-log of the probability that sigmoid(logits) gives to targets from 0 to 1.

    Both have one shape, (batch, ...), but for a last axis of size 1 that either may lack. The result is the "mean" over
    all outputs, their "sum", or, with "none", the mean of each sample, (batch,). ShapeError for other shapes,
    ArgumentError for another reduction and for targets below 0 or above 1 (not in a traced function, where they have no
    values yet).

    >>> import tarazu as tz
    >>> round(tz.nn.binary_cross_entropy(tz.tensor([0.0]), tz.tensor([1.0])).item(), 4)
    0.6931
    """
    logits, targets = aligned("binary_cross_entropy", logits, targets)
    if isinstance(targets.raw, np.ndarray):
        require_probabilities(targets.raw, "binary_cross_entropy")
    return reduced(softplus(logits) - logits * targets, reduction)
