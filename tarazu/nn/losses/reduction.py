"""From the losses of single outputs to the mean, the sum, or one number per sample; weights and masks."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops import elementwise as e
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import mean, sum
from tarazu.ops.shape import broadcast_to, reshape
from tarazu.ops.typing import ArrayLike, Tensor


def reduced(losses: Tensor, reduction: str, sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None,
            counts: Tensor | None = None) -> Tensor:
    """The `reduction` of `losses` (batch, ...): "mean", "sum", or "none", which gives one loss per sample, (batch,).

    `sample_weight` and `mask` have the shape of the losses, or lack axes at its end: (batch,), (batch, time). Losses
    are multiplied by the weights, and the mean still divides by the number of losses, as in Keras. Where the mask is
    False there is no loss, and the mean is that of the others, 0 if there are none. `counts`, of the shape of the
    losses, says how much each counts: the mean divides by the sum of it. ShapeError for weights of other shapes,
    ArgumentError for weights below 0 and for another reduction.
    """
    require_reduction(reduction)
    valid = None
    if mask is not None:
        valid = e.astype(_spread_over(losses, mask, "mask"), "bool", copy=False)
        losses = e.where(valid, losses, 0)
        valid = e.astype(valid, losses.dtype)
    if sample_weight is not None:
        losses = losses * e.astype(_spread_over(losses, sample_weight, "sample_weight"), losses.dtype, copy=False)
    if reduction == "sum":
        return sum(losses)
    if reduction == "none":
        return _of_samples(losses, valid)
    divisor = counts if valid is None else valid if counts is None else valid * counts
    return mean(losses) if divisor is None else _share(sum(losses), sum(divisor))


def require_reduction(reduction: str) -> None:
    """ArgumentError unless it is one of the three."""
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(f"reduction={reduction!r}", expected='"mean", "sum" or "none"', fix="check the spelling")


def _of_samples(losses: Tensor, valid: Tensor | None) -> Tensor:
    if losses.ndim < 2:
        return losses
    losses = reshape(losses, (losses.shape[0], -1))
    return mean(losses, -1) if valid is None else _share(sum(losses, -1), sum(reshape(valid, losses.shape), -1))


def _share(total: Tensor, count: Tensor) -> Tensor:
    """total / count, 0 where nothing was counted."""
    return total / e.where(e.equal(count, 0), 1, count)


def _spread_over(losses: Tensor, weights: ArrayLike, name: str) -> Tensor:
    """Weights in the shape of the losses."""
    weights = as_value(weights)
    shape = losses.shape
    if weights.shape == (*shape, 1):
        weights = reshape(weights, shape)
    if weights.ndim > len(shape) or any(a not in (1, b) for a, b in zip(weights.shape, shape, strict=False)):
        raise ShapeError(f"{name} of shape {weights.shape} for losses of shape {shape}",
                         expected=f"shape {shape}, or one that lacks axes at its end",
                         fix="give each sample, or each of its steps, a number")
    if name == "sample_weight" and isinstance(weights.raw, np.ndarray) and weights.size:
        require_weights(weights.raw, name)
    return broadcast_to(reshape(weights, weights.shape + (1,) * (len(shape) - weights.ndim)), shape)


def weights_of_outputs(loss: str, name: str, weights: ArrayLike, outputs: Tensor) -> Tensor:
    """One weight for all outputs, or one for each along the last axis; ShapeError for others, ArgumentError below 0."""
    weights = as_value(weights)
    if weights.shape not in ((), (1,)) and (outputs.ndim < 2 or weights.shape != outputs.shape[-1:]):
        raise ShapeError(f"{loss}: {name} of shape {weights.shape} for outputs of shape {outputs.shape}",
                         expected="one number, or one for each output (the last axis)",
                         fix=f"pass {outputs.shape[-1] if outputs.ndim > 1 else 1} of them")
    if isinstance(weights.raw, np.ndarray):
        require_weights(weights.raw, name)
    return e.astype(weights, outputs.dtype, copy=False)


def require_weights(weights: np.ndarray, name: str) -> None:
    """ArgumentError unless all weights are finite and not below 0."""
    lowest = weights.min() if np.isfinite(weights).all() else math.nan
    if not lowest >= 0:
        raise ArgumentError(f"{name} with {'a value that is not finite' if math.isnan(lowest) else f'{lowest:g}'}",
                            expected="weights of 0 or above", fix="a weight of 0 leaves a sample out")
