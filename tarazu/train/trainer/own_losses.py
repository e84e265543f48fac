"""Losses and metrics that users write: what a loss gives for single rows, whether outputs broadcast against targets."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.base.errors import TarazuError
from tarazu.base.pytree import flatten, map_leaves
from tarazu.ir.node import Node
from tarazu.ir.types import TensorType
from tarazu.nn.losses import Loss
from tarazu.ops.shape import expand_dims, reshape
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.vmap.vmap import vmap
from tarazu.train.sources.arrays import Arrays

COMPARED_ROWS = 8  # by which a loss of single rows is told from one of whole batches
TOLERANCE = 1e-3  # of the comparison, which is in float32
REPEATS = 4  # calls by which the noise of a loss that draws random numbers is measured
NOISES = 3  # the range of those calls, so many times, is what a mean may be off by


def has_reduction(loss: Loss) -> bool:
    """Whether a loss can give one number for each row."""
    return "reduction" in inspect.signature(loss).parameters


def takes_weights(loss: Loss) -> bool:
    """Whether a loss can weight samples."""
    return "sample_weight" in inspect.signature(loss).parameters


def masked(loss: Loss, prediction: Any, target: Any, mask: Tensor | None = None, **options: Any) -> Tensor:
    """The loss of a batch, told of the mask of its outputs where there is one and it takes one."""
    return loss(prediction, target, **options) if mask is None else loss(prediction, target, mask=mask, **options)


def row_losses(loss: Loss, prediction: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """The loss of each row by itself, shape (rows,), of a function that gives a scalar for a batch."""
    def of_row(*row: Any) -> Tensor:
        return reshape(masked(loss, *map_leaves(lambda x: expand_dims(x, 0), row)), ())

    return vmap(of_row)(prediction, target, *([] if mask is None else [mask]))


def losses_of_rows(loss: Loss, prediction: Tensor, target: Tensor, mask: Tensor | None = None) -> np.ndarray:
    """The same as an array; of a function that vmap cannot trace row by row."""
    try:
        return np.asarray(row_losses(loss, prediction, target, mask).numpy())
    except TarazuError:
        rows = len(flatten(target)[0][0])
        return np.array([float(reshape(masked(loss, *_rows((prediction, target, mask), slice(i, i + 1))), ()))
                         for i in range(rows)])


def _rows(tree: Any, rows: slice) -> Any:
    return map_leaves(lambda x: x[rows], tree)


def is_of_batches(loss: Loss, prediction: Tensor, target: Tensor, mask: Tensor | None = None) -> bool:
    """Whether the loss of a batch is neither the mean nor the sum of those of its rows, as that of a correlation."""
    if mask is not None:  # rows of several lengths: the mean over steps is not that of the means of rows
        return False
    prediction, target = _rows((prediction, target), slice(COMPARED_ROWS))
    whole = float(loss(prediction, target))
    singles = losses_of_rows(loss, prediction, target)
    return not _is_of_rows(whole, singles)


def _is_of_rows(whole: float, singles: np.ndarray, noise: float = 0.0) -> bool:
    """Whether the loss of some rows is the mean or the sum of those of each, but for noise; True where it is infinite
    or NaN, as a run that diverged is judged as that."""
    tolerance = TOLERANCE * max(abs(whole), float(np.abs(singles).sum()), TOLERANCE) + NOISES * noise
    return not math.isfinite(whole) or any(abs(x - whole) <= tolerance for x in (singles.mean(), singles.sum()))


def depends_on_batch(of_rows: Callable[[Any], Tensor], of_batch: Callable[[Any], Tensor], part: Arrays) -> bool:
    """Whether the loss of some rows together is neither the mean nor the sum of those of each, or has none of each.

    A loss that draws random numbers differs from call to call, and so far its mean may be off.
    """
    batch = map_leaves(asarray, part.at(slice(COMPARED_ROWS)).tree)
    try:
        singles = of_rows(batch).numpy().astype(float)
    except TarazuError:  # a function that vmap cannot trace
        return True
    wholes = [float(of_batch(batch)) for _ in range(REPEATS)]
    if not np.isfinite(wholes).all():
        return False
    return not _is_of_rows(wholes[0], singles, max(wholes) - min(wholes))


def broadcast_note(what: str, value: Tensor, prediction: Tensor, target: Tensor) -> str | None:
    """What a traced own loss or metric does wrong where it makes (n, n) of outputs (n, 1) and targets (n,); else None.

    `what` names it, `value` is what it gave.
    """
    traced = value.raw, prediction.raw, target.raw
    if not all(isinstance(raw, Node) for raw in traced):
        return None
    shapes = {prediction.shape, target.shape}
    if len(shapes) < 2 or not _has_broadcast(*traced, shapes):
        return None
    return (f"{what} broadcasts a prediction of shape {prediction.shape} against a target of shape {target.shape}, "
            "each row of one against all of the other; give both one shape first: "
            "target = tz.reshape(target, prediction.shape)")


def _has_broadcast(value: Node, prediction: Node, target: Node, shapes: set[tuple[int, ...]]) -> bool:
    """Whether a node between the two and the value has inputs of both shapes, and neither of them itself."""
    waiting, seen = [value], {id(prediction), id(target)}
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        has_both = shapes <= {x.shape for x in node.inputs if isinstance(x.type, TensorType)}
        if has_both and isinstance(node.type, TensorType) and len(node.shape) > 1 and node.shape not in shapes:
            return True
        waiting += node.inputs
    return False
