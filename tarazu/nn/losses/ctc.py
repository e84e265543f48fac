"""Connectionist temporal classification: the loss of labels that are not aligned with the steps of the input."""

from __future__ import annotations

import math

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.losses.checks import require_class_numbers
from tarazu.nn.losses.reduction import require_reduction
from tarazu.ops import elementwise as e
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import arange, full
from tarazu.ops.indexing.index import take_along_axis
from tarazu.ops.networks.softmax import log_softmax
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import mean, sum
from tarazu.ops.shape import broadcast_to, concat, expand_dims, moveaxis, reshape, stack
from tarazu.ops.typing import ArrayLike, Tensor

IMPOSSIBLE = -1e30  # the logarithm of a probability of 0, whose differences are finite, so that gradients are


def ctc_loss(logits: ArrayLike, labels: ArrayLike, input_lengths: ArrayLike | None = None,
             label_lengths: ArrayLike | None = None, *, blank: int = 0, reduction: str = "mean") -> Tensor:
    """-log of the probability of a sequence of labels, over all ways to spread it over the steps (Graves and others,
    2006).

    `logits` are (batch, time, classes), before softmax; `labels` (batch, longest) are class numbers other than `blank`,
    the class of steps without a label, which also stands between two equal labels. Of each sample the first
    `input_lengths` (batch,) steps and `label_lengths` (batch,) labels count, all where they are left out. As in torch
    the "mean" divides the loss of each sample by the number of its labels; "sum" and "none", one loss per sample,
    (batch,), do not. A sequence that is too long for its steps costs inf.

    ShapeError for other shapes, ArgumentError for a blank or for labels that are no classes (in a traced function
    labels have no values yet) and for another reduction.

    >>> import tarazu as tz
    >>> round(tz.nn.ctc_loss(tz.zeros(1, 2, 3), tz.tensor([[1]]), reduction="sum").item(), 4)
    1.0986
    """
    require_reduction(reduction)
    logits, labels = as_value(logits), as_value(labels)
    _require_shapes(logits, labels, blank)
    batch, time, classes = logits.shape
    steps = _lengths("input_lengths", input_lengths, batch, time)
    sizes = _lengths("label_lengths", label_lengths, batch, labels.shape[1])
    if isinstance(labels.raw, np.ndarray):
        require_class_numbers(labels.raw, classes)
    losses = _losses(log_softmax(logits), labels, steps, sizes, blank)
    if reduction == "none":
        return losses
    return sum(losses) if reduction == "sum" else mean(losses / e.astype(e.maximum(sizes, 1), losses.dtype))


def _require_shapes(logits: Tensor, labels: Tensor, blank: int) -> None:
    if logits.ndim != 3 or labels.ndim != 2 or logits.shape[0] != labels.shape[0] or not labels.dtype.is_integer:
        raise ShapeError(f"ctc_loss: logits of shape {logits.shape} and labels of {labels.dtype} and shape "
                         f"{labels.shape}",
                         expected="logits (batch, time, classes) and integer labels (batch, longest)",
                         fix="pad labels to one length, and pass label_lengths")
    if not 0 <= blank < logits.shape[2]:
        raise ArgumentError(f"ctc_loss: blank={blank!r} for {logits.shape[2]} classes",
                            expected=f"a class from 0 to {logits.shape[2] - 1}", fix="leave it out for class 0")


def _lengths(name: str, given: ArrayLike | None, batch: int, most: int) -> Tensor:
    if given is None:
        return full((batch,), most, dtype="int64")
    lengths = as_value(given)
    if lengths.shape != (batch,) or not lengths.dtype.is_integer:
        raise ShapeError(f"ctc_loss: {name} of {lengths.dtype} and shape {lengths.shape} for {batch} samples",
                         expected=f"integers of shape ({batch},)", fix="give each sample its length")
    if isinstance(lengths.raw, np.ndarray) and lengths.size and not 0 <= lengths.raw.min() <= lengths.raw.max() <= most:
        raise ArgumentError(f"ctc_loss: {name} from {lengths.raw.min()} to {lengths.raw.max()}",
                            expected=f"lengths from 0 to {most}", fix="lengths count the steps before the padding")
    return e.astype(lengths, "int64", copy=False)


def _losses(scores: Tensor, labels: Tensor, input_lengths: Tensor, label_lengths: Tensor, blank: int) -> Tensor:
    """The loss of each sample by the forward recursion over states: a blank, a label, a blank, and so on."""
    batch, longest = labels.shape
    labels = e.astype(labels, "int64", copy=False)
    blanks, blanks_of_one = (full((batch, size), blank, dtype="int64") for size in (longest, 1))
    states = concat([reshape(stack([blanks, labels], -1), (batch, 2 * longest)), blanks_of_one], 1)
    before_last = concat([blanks_of_one, blanks_of_one, states[:, :-2]], 1)
    can_skip = e.logical_and(e.not_equal(states, blank), e.not_equal(states, before_last))
    steps = broadcast_to(expand_dims(states, 1), (batch, scores.shape[1], states.shape[1]))
    emitted = moveaxis(take_along_axis(scores, steps, -1), 1, 0)  # (time, batch, states)
    never = full((batch, 2), IMPOSSIBLE, dtype=scores.dtype)
    first = e.where(arange(states.shape[1]) < 2, emitted[0], IMPOSSIBLE)

    def step(alpha: Tensor, row: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        number, scores_now = row
        one = concat([never[:, :1], alpha[:, :-1]], 1)
        two = e.where(can_skip, concat([never, alpha[:, :-2]], 1), IMPOSSIBLE)
        reached = _log_sum(alpha, one, two) + scores_now
        alpha = e.where(expand_dims(number < input_lengths, -1), reached, alpha)
        return alpha, alpha[:0]

    alpha, _ = scan(step, first, (arange(1, scores.shape[1]), emitted[1:]))
    last = expand_dims(2 * label_lengths, -1)
    ends = take_along_axis(alpha, concat([last, e.maximum(last - 1, 0)], 1), 1)
    no_label = e.equal(label_lengths, 0)
    total = e.where(no_label, ends[:, 0], _log_sum(ends[:, 0], ends[:, 1], IMPOSSIBLE))
    no_step = e.logical_and(e.equal(input_lengths, 0), no_label)  # nothing to say, and nothing said
    return e.where(no_step, 0, e.where(total < 0.5 * IMPOSSIBLE, math.inf, -total))


def _log_sum(x: Tensor, y: Tensor, z: ArrayLike) -> Tensor:
    """The logarithm of exp(x) + exp(y) + exp(z)."""
    largest = e.stop_gradient(e.maximum(e.maximum(x, y), z))
    return largest + e.log(e.exp(x - largest) + e.exp(y - largest) + e.exp(z - largest))
