"""Losses and metrics that users write: what a loss gives for single rows, whether outputs broadcast against targets."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base.errors import TarazuError
from tarazu.ir.node import Node
from tarazu.ir.types import TensorType
from tarazu.nn.losses import Loss
from tarazu.ops.shape import expand_dims, reshape
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.vmap.vmap import vmap

COMPARED_ROWS = 8  # by which a loss of single rows is told from one of whole batches
TOLERANCE = 1e-3  # of the comparison, which is in float32


def losses_of_rows(loss: Loss, prediction: Tensor, target: Tensor) -> np.ndarray:
    """The loss of each row by itself, shape (rows,), of a function that gives a scalar for a batch."""
    def of_row(one_prediction: Tensor, one_target: Tensor) -> Tensor:
        return reshape(loss(expand_dims(one_prediction, 0), expand_dims(one_target, 0)), ())

    try:
        return np.asarray(vmap(of_row)(prediction, target).numpy())
    except TarazuError:  # a function that vmap cannot trace
        return np.array([float(of_row(prediction[i], target[i])) for i in range(len(prediction))])


def is_of_batches(loss: Loss, prediction: Tensor, target: Tensor) -> bool:
    """Whether the loss of a batch is neither the mean nor the sum of those of its rows, as that of a correlation."""
    rows = slice(min(COMPARED_ROWS, len(prediction)))
    whole = float(loss(prediction[rows], target[rows]))
    singles = losses_of_rows(loss, prediction[rows], target[rows])
    if not math.isfinite(whole):
        return False  # a run that diverged is judged as that
    tolerance = TOLERANCE * max(abs(whole), float(np.abs(singles).sum()), TOLERANCE)
    return not any(abs(value - whole) <= tolerance for value in (singles.mean(), singles.sum()))


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
