"""Losses of masks in images (segmentation): how much predicted and true masks overlap."""

from __future__ import annotations

import numpy as np

from tarazu.nn.losses.checks import aligned, require_positive, require_probabilities
from tarazu.nn.losses.reduction import reduced
from tarazu.ops import elementwise as e
from tarazu.ops.reduce import sum
from tarazu.ops.shape import reshape
from tarazu.ops.typing import ArrayLike, Tensor


def dice_loss(logits: ArrayLike, targets: ArrayLike, *, smooth: float = 1e-7, from_logits: bool = True,
              reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Tensor:
    """1 - the Dice coefficient, twice the intersection over the sum of both, of each sample's outputs and targets
    (Milletari and others, 2016).

    Targets are 0 or 1 for each output (or between), of the shape of the outputs, (batch, ...), but for a last axis of
    size 1; masks of several classes are one-hot. `smooth` is added to both sides. With `from_logits=False` the outputs
    are probabilities, else the sigmoid of them counts. The result is the mean over samples, their "sum", or, with
    "none", one loss each, (batch,); `sample_weight` (batch,) multiplies them. ShapeError for other shapes,
    ArgumentError for another reduction and for targets below 0 or above 1.

    >>> import tarazu as tz
    >>> round(tz.nn.dice_loss(tz.tensor([[9.0, 9.0, -9.0]]), tz.tensor([[1.0, 0.0, 0.0]])).item(), 3)
    0.333
    """
    return _tversky("dice_loss", logits, targets, 0.5, 0.5, smooth / 2, from_logits, reduction, sample_weight)


def tversky_loss(logits: ArrayLike, targets: ArrayLike, *, alpha: float = 0.5, beta: float = 0.5, smooth: float = 1e-7,
                 from_logits: bool = True, reduction: str = "mean",
                 sample_weight: ArrayLike | None = None) -> Tensor:
    """1 - TP / (TP + alpha FP + beta FN) of each sample's outputs and targets (Salehi and others, 2017).

    With both 0.5 it is `dice_loss`, with both 1 that of the intersection over the union. All else, and errors
    (ShapeError, ArgumentError), is as there; `alpha` and `beta` are above 0.

    >>> import tarazu as tz
    >>> round(tz.nn.tversky_loss(tz.tensor([[9.0, 9.0, -9.0]]), tz.tensor([[1.0, 0.0, 0.0]]), alpha=1.0).item(), 3)
    0.5
    """
    require_positive("tversky_loss", "alpha", alpha)
    require_positive("tversky_loss", "beta", beta)
    return _tversky("tversky_loss", logits, targets, alpha, beta, smooth, from_logits, reduction, sample_weight)


def _tversky(name: str, outputs: ArrayLike, targets: ArrayLike, alpha: float, beta: float, smooth: float,
             from_logits: bool, reduction: str, sample_weight: ArrayLike | None) -> Tensor:
    outputs, targets = aligned(name, outputs, targets)
    if isinstance(targets.raw, np.ndarray):
        require_probabilities(targets.raw, name)
    shares = e.sigmoid(outputs) if from_logits else outputs
    shares, targets = (reshape(x, (x.shape[0], -1)) for x in (shares, targets))
    both, predicted, actual = sum(shares * targets, -1), sum(shares, -1), sum(targets, -1)
    misses = alpha * (predicted - both) + beta * (actual - both)
    return reduced(1 - (both + smooth) / (both + misses + smooth), reduction, sample_weight)
