"""Losses of pairs and triples of vectors or scores, which bring like ones together and others apart.

They take more than a prediction and a target, so they are for a model's own `compute_loss` and for own loops.
"""

from __future__ import annotations

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.losses.checks import aligned, require_positive
from tarazu.nn.losses.numbers import cosine
from tarazu.nn.losses.reduction import reduced
from tarazu.ops import elementwise as e
from tarazu.ops.networks.activations import relu
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import sum
from tarazu.ops.shape import reshape
from tarazu.ops.typing import ArrayLike, Tensor

SMALLEST_DISTANCE = 1e-6  # that is added to differences, so that a distance of 0 has a gradient; as in torch


def triplet_loss(anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, margin: float = 1.0, p: float = 2.0,
                 swap: bool = False, reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Tensor:
    """max(0, distance(anchor, positive) - distance(anchor, negative) + margin) (Schroff and others, 2015).

    All three have one shape, (batch, ..., size); distances are the p-norm over the last axis. `swap` takes the distance
    of positive and negative where that is the smaller one. The result is the "mean" over all triples, their "sum", or,
    with "none", one loss per sample, (batch,); `sample_weight` multiplies them. ShapeError for unequal shapes,
    ArgumentError for a margin or p that is not above 0 and for another reduction.

    >>> import tarazu as tz
    >>> one, other = tz.tensor([[1.0, 0.0]]), tz.tensor([[0.0, 1.0]])
    >>> round(tz.nn.triplet_loss(one, other, one).item(), 3), tz.nn.triplet_loss(one, one, other).item()
    (2.414, 0.0)
    """
    require_positive("triplet_loss", "margin", margin)
    require_positive("triplet_loss", "p", p)
    anchor, positive = _pair("triplet_loss", anchor, positive)
    anchor, negative = _pair("triplet_loss", anchor, negative)
    far = _distance(anchor, negative, p)
    if swap:
        far = e.minimum(far, _distance(positive, negative, p))
    return reduced(relu(_distance(anchor, positive, p) - far + margin), reduction, sample_weight)


def contrastive_loss(x: ArrayLike, y: ArrayLike, target: ArrayLike, *, margin: float = 1.0, reduction: str = "mean",
                     sample_weight: ArrayLike | None = None) -> Tensor:
    """The squared distance of pairs that are alike, and max(0, margin - distance) ** 2 of others (Hadsell and others,
    2006).

    `x` and `y` have one shape, (batch, ..., size); `target` (batch, ...) is 1 for pairs that are alike, else 0. The
    result is the "mean" over all pairs, their "sum", or, with "none", one loss per sample, (batch,). ShapeError for
    other shapes, ArgumentError for a margin that is not above 0 and for another reduction.

    >>> import tarazu as tz
    >>> one, other = tz.tensor([[1.0, 0.0]]), tz.tensor([[0.0, 1.0]])
    >>> [round(tz.nn.contrastive_loss(one, other, tz.tensor([alike])).item(), 3) for alike in (1, 0)]
    [2.0, 0.0]
    """
    require_positive("contrastive_loss", "margin", margin)
    x, y = _pair("contrastive_loss", x, y)
    distance = _distance(x, y, 2.0)
    alike = _label_of_pairs("contrastive_loss", target, distance)
    losses = alike * e.square(distance) + (1 - alike) * e.square(relu(margin - distance))
    return reduced(losses, reduction, sample_weight)


def cosine_embedding(x: ArrayLike, y: ArrayLike, target: ArrayLike, *, margin: float = 0.0, reduction: str = "mean",
                     sample_weight: ArrayLike | None = None) -> Tensor:
    """1 - the cosine of pairs that are alike (a target of 1), and max(0, cosine - margin) of others (-1, or 0).

    Shapes, reductions and errors (ShapeError, ArgumentError) are those of `contrastive_loss`; the margin is from -1 to
    1.

    >>> import tarazu as tz
    >>> one, other = tz.tensor([[1.0, 0.0]]), tz.tensor([[0.0, 1.0]])
    >>> [tz.nn.cosine_embedding(one, other, tz.tensor([alike])).item() for alike in (1, -1)]
    [1.0, 0.0]
    """
    if not -1 <= margin <= 1:
        raise ArgumentError(f"cosine_embedding: margin={margin!r}", expected="a number from -1 to 1",
                            fix="leave it out for 0")
    x, y = _pair("cosine_embedding", x, y)
    likeness = cosine(x, y, 1e-8)
    alike = _label_of_pairs("cosine_embedding", target, likeness)
    return reduced(e.where(alike > 0, 1 - likeness, relu(likeness - margin)), reduction, sample_weight)


def margin_ranking(x: ArrayLike, y: ArrayLike, target: ArrayLike, *, margin: float = 0.0, reduction: str = "mean",
                   sample_weight: ArrayLike | None = None) -> Tensor:
    """max(0, margin - target * (x - y)): with a target of 1 `x` has to be larger than `y`, with -1 the smaller one.

    All three have one shape, (batch, ...). The result is the "mean" over all pairs, their "sum", or, with "none", one
    loss per sample, (batch,). ShapeError for other shapes, ArgumentError for another reduction.

    >>> import tarazu as tz
    >>> tz.nn.margin_ranking(tz.tensor([3.0, 1.0]), tz.tensor([1.0, 2.0]), tz.tensor([1, 1]), reduction="none")
    Tensor([0., 1.], dtype=float32)
    """
    x, y = aligned("margin_ranking", x, y)
    target = aligned("margin_ranking", x, target)[1]
    return reduced(relu(margin - target * (x - y)), reduction, sample_weight)


def hinge_embedding(distance: ArrayLike, target: ArrayLike, *, margin: float = 1.0, reduction: str = "mean",
                    sample_weight: ArrayLike | None = None) -> Tensor:
    """The distance of pairs that are alike (a target of 1), and max(0, margin - distance) of others (-1, or 0).

    Shapes, reductions and errors (ShapeError, ArgumentError) are those of `mse`; ArgumentError, too, for a margin that
    is not above 0.

    >>> import tarazu as tz
    >>> tz.nn.hinge_embedding(tz.tensor([0.25, 0.25]), tz.tensor([1, -1]), reduction="none")
    Tensor([0.25, 0.75], dtype=float32)
    """
    require_positive("hinge_embedding", "margin", margin)
    distance, target = aligned("hinge_embedding", distance, target)
    return reduced(e.where(target > 0, distance, relu(margin - distance)), reduction, sample_weight)


def _pair(name: str, x: ArrayLike, y: ArrayLike) -> tuple[Tensor, Tensor]:
    x, y = as_value(x), as_value(y)
    if x.shape != y.shape or not x.shape:
        raise ShapeError(f"{name}: vectors of shape {x.shape} and of shape {y.shape}", expected="one shape",
                         fix="make both by the same model")
    return x, y


def _label_of_pairs(name: str, target: ArrayLike, pairs: Tensor) -> Tensor:
    target = as_value(target)
    if target.shape not in (pairs.shape, (*pairs.shape, 1)):
        raise ShapeError(f"{name}: a target of shape {target.shape} for pairs of shape {pairs.shape}",
                         expected="a number for each pair", fix="1 for pairs that are alike")
    return e.astype(reshape(target, pairs.shape), pairs.dtype, copy=False)


def _distance(x: Tensor, y: Tensor, p: float) -> Tensor:
    difference = x - y + SMALLEST_DISTANCE
    if p == 2:
        return e.sqrt(sum(e.square(difference), -1))
    return e.pow(sum(e.pow(e.abs(difference), p), -1), 1 / p)
