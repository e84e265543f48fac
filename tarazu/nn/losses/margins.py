"""Losses of scores that have to be right by a margin: hinge losses and their smooth relatives."""

from __future__ import annotations

from tarazu.nn.losses.checks import aligned, require_positive
from tarazu.nn.losses.classes import checked_class_numbers
from tarazu.nn.losses.reduction import reduced
from tarazu.ops import elementwise as e
from tarazu.ops.create import arange
from tarazu.ops.indexing.index import take_along_axis
from tarazu.ops.networks.activations import relu, softplus
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import max, sum
from tarazu.ops.shape import expand_dims
from tarazu.ops.typing import ArrayLike, Tensor


def hinge(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean", sample_weight: ArrayLike | None = None,
          mask: ArrayLike | None = None) -> Tensor:
    """max(0, 1 - y * prediction) with y 1 for targets above 0 and -1 for others: 0 and 1 will do, and -1 and 1.

    Shapes, reductions, weights and errors (ShapeError, ArgumentError) are those of `mse`.

    >>> import tarazu as tz
    >>> tz.nn.hinge(tz.tensor([0.5, 2.0, 0.5]), tz.tensor([1, 1, -1]), reduction="none")
    Tensor([0.5, 0. , 1.5], dtype=float32)
    """
    return reduced(relu(1 - _signed("hinge", prediction, target)), reduction, sample_weight, mask)


def squared_hinge(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean",
                  sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """The square of `hinge`, of each output by itself.

    Targets, shapes, reductions, weights and errors (ShapeError, ArgumentError) are those of `hinge`.

    >>> import tarazu as tz
    >>> tz.nn.squared_hinge(tz.tensor([0.5, 2.0, 0.5]), tz.tensor([1, 1, -1]), reduction="none")
    Tensor([0.25, 0.  , 2.25], dtype=float32)
    """
    return reduced(e.square(relu(1 - _signed("squared_hinge", prediction, target))), reduction, sample_weight, mask)


def soft_margin(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean",
                sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """log(1 + exp(-y * prediction)), a smooth `hinge`, and `binary_cross_entropy` for targets that are signs.

    Targets, shapes, reductions, weights and errors (ShapeError, ArgumentError) are those of `hinge`.

    >>> import tarazu as tz
    >>> round(tz.nn.soft_margin(tz.tensor([0.0]), tz.tensor([-1])).item(), 4)
    0.6931
    """
    return reduced(softplus(-_signed("soft_margin", prediction, target)), reduction, sample_weight, mask)


def _signed(name: str, prediction: ArrayLike, target: ArrayLike) -> Tensor:
    """The prediction, negated where the target is not above 0."""
    prediction, target = aligned(name, prediction, target)
    return e.where(target > 0, prediction, -prediction)


def categorical_hinge(scores: ArrayLike, labels: ArrayLike, *, reduction: str = "mean",
                      sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """max(0, 1 + the largest score of the other classes - the score of the label).

    `scores` of shape (batch, ..., classes), `labels` are class numbers (batch, ...). The result is the "mean" over all
    labels, their "sum", or, with "none", one loss per sample. Weights, mask and errors (ShapeError, ArgumentError) are
    those of `cross_entropy`.

    >>> import tarazu as tz
    >>> tz.nn.categorical_hinge(tz.tensor([[2.0, 1.5, 0.0]]), tz.tensor([0]))
    Tensor(0.5, dtype=float32)
    """
    scores, own, is_own = _own_scores("categorical_hinge", scores, labels)
    others = max(e.where(is_own, -float("inf"), scores), -1)
    return reduced(relu(1 + others - own), reduction, sample_weight, mask)


def multi_margin(scores: ArrayLike, labels: ArrayLike, *, p: int = 1, margin: float = 1.0, reduction: str = "mean",
                 sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None) -> Tensor:
    """The sum over the other classes of max(0, margin - the score of the label + theirs) ** p, divided by the number of
    classes (Crammer and Singer, 2001).

    `p` is 1 or 2. Shapes, reductions, weights and errors (ShapeError, ArgumentError) are those of `categorical_hinge`.

    >>> import tarazu as tz
    >>> tz.nn.multi_margin(tz.tensor([[2.0, 1.5, 0.0, 0.0]]), tz.tensor([0]))
    Tensor(0.125, dtype=float32)
    """
    require_positive("multi_margin", "p", p)
    scores, own, is_own = _own_scores("multi_margin", scores, labels)
    misses = e.where(is_own, 0, relu(margin - expand_dims(own, -1) + scores))
    return reduced(sum(misses if p == 1 else e.pow(misses, p), -1) / scores.shape[-1], reduction, sample_weight, mask)


def _own_scores(name: str, scores: ArrayLike, labels: ArrayLike) -> tuple[Tensor, Tensor, Tensor]:
    """All scores, those of the labels, and which are those."""
    scores = as_value(scores)
    numbers = checked_class_numbers(name, as_value(labels), scores)
    columns = expand_dims(numbers, -1)
    own = take_along_axis(scores, columns, -1)
    return scores, own[..., 0], e.equal(columns, arange(scores.shape[-1]))
