"""Metrics of sequences with a mask: each step where that is true counts as a row."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.base.pytree import map_leaves
from tarazu.ops.elementwise import where
from tarazu.ops.reduce import mean, sum
from tarazu.ops.shape import expand_dims, reshape
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.vmap.vmap import vmap
from tarazu.train.metrics.metric import Metric, Sums, mean_sums


def takes_mask(function: Callable[..., Any]) -> bool:
    """Whether a loss or metric can leave out steps of sequences."""
    return "mask" in inspect.signature(function).parameters


def is_masked(metric: Metric) -> bool:
    """Whether a metric leaves out the steps where a mask is false: Tarazu's own, and functions that take a mask."""
    return metric.counts_steps or (metric.function is not None and takes_mask(metric.function))


def masked_sums(metric: Metric, prediction: Any, target: Any, mask: Tensor | None) -> Sums:
    """The sums of a metric over the steps where `mask` is true, if it can leave out others; over all without one."""
    own: Callable[..., Any] | None = None if metric.counts_steps else metric.function
    if mask is not None and own is not None and takes_mask(own):
        return mean_sums(mean(own(prediction, target, mask=mask)), mask.shape[0])
    if mask is None or not metric.counts_steps or tuple(target.shape[:2]) != tuple(mask.shape):
        return metric.sums(prediction, target)
    if isinstance(mask.raw, np.ndarray) and mask.numpy().any():
        return metric.sums(*(asarray(x) for x in valid_steps(prediction, target, mask)))

    def of_step(prediction: Tensor, target: Tensor) -> Sums:
        return map_leaves(asarray, metric.sums(expand_dims(prediction, 0), expand_dims(target, 0)))

    valid = reshape(mask, (-1,))
    sums = vmap(of_step)(_steps(prediction), _steps(target))
    return map_leaves(lambda x: sum(where(reshape(valid, (-1, *(1,) * (x.ndim - 1))), x, 0), 0), sums)


def valid_steps(prediction: ArrayLike, target: ArrayLike, mask: ArrayLike) -> list[np.ndarray]:
    """The steps of sequences (batch, time, ...) where a mask (batch, time) is true, as rows, of arrays."""
    return [np.asarray(x)[np.asarray(mask)] for x in (prediction, target)]


def _steps(x: Tensor) -> Tensor:
    return reshape(x, (-1, *x.shape[2:]))
