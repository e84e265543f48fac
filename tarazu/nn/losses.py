"""Losses: functions of (prediction, target). Classification losses take logits, the outputs before softmax or sigmoid.

`reduction` is "mean" (over all elements), "sum", or "none", which gives one loss per sample: shape (batch,).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from tarazu.base.dtypes import promote
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.spelling import by_name, did_you_mean
from tarazu.ops import elementwise as e
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.create import arange
from tarazu.ops.indexing.index import take_along_axis
from tarazu.ops.networks.activations import softplus
from tarazu.ops.networks.softmax import log_softmax, softmax
from tarazu.ops.promote import as_value, cast, rounded_like, single
from tarazu.ops.reduce import mean, sum
from tarazu.ops.shape import expand_dims, reshape, squeeze
from tarazu.ops.typing import ArrayLike, Tensor

Loss: TypeAlias = Callable[..., Tensor]
ROUNDING = 1e-3  # by which probabilities may leave 0 to 1: those of half precision do


def cross_entropy(logits: ArrayLike, labels: ArrayLike, *, reduction: str = "mean") -> Tensor:
    """-log of the probability that softmax(logits) gives to the label.

    `logits` of shape (batch, ..., classes); `labels` are class numbers of shape (batch, ...), or one-hot rows or
    probabilities of the shape of the logits. The result is the "mean" over all labels, their "sum", or, with "none",
    one loss per sample, (batch,). ShapeError for shapes that do not fit, ArgumentError for another reduction, for a
    class number that has no logit and for probabilities below 0 or above 1 (not in a traced function, where labels have
    no values yet).

    >>> import tarazu as tz
    >>> round(tz.nn.cross_entropy(tz.zeros(1, 4), tz.tensor([2])).item(), 4)
    1.3863
    """
    logits, labels = as_value(logits), as_value(labels)
    if not logits.shape or logits.shape[-1] < 2:
        raise ShapeError(f"cross_entropy: logits of shape {logits.shape}",
                         expected="a logit for each of 2 or more classes",
                         fix="two classes in one logit are a matter for binary_cross_entropy")
    if labels.shape == logits.shape:
        if isinstance(labels.raw, np.ndarray):
            require_probabilities(labels.raw, "cross_entropy")
        return _reduced(_of_probabilities(logits, labels), reduction)
    return _reduced(_of_class_numbers(logits, _checked_class_numbers(labels, logits)), reduction)


@composite("cross_entropy_vjp")
def _logits_cotangent(g: Tensor, logits: Tensor, numbers: Tensor) -> Tensor:
    """softmax(logits) minus 1 at the logit that the loss is of, times the cotangent of the loss."""
    is_label = e.equal(expand_dims(_gathered(numbers, logits.shape[-1]), -1), arange(logits.shape[-1]))
    return expand_dims(g, -1) * (softmax(logits) - e.astype(is_label, g.dtype))


def _gathered(numbers: Tensor, classes: int) -> Tensor:
    """Which logits a gather takes for `numbers` without raising: negative ones count from the end, others clamp."""
    numbers = e.astype(numbers, "int64", copy=False)
    return e.clip(e.where(e.less(numbers, 0), numbers + classes, numbers), 0, classes - 1)


def _class_numbers_rule(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                        needed: Sequence[bool]) -> list[Tensor | None]:
    logits, numbers = inputs
    return [e.astype(_logits_cotangent(cotangents[0], logits, numbers), logits.dtype, copy=False), None]


@composite("cross_entropy", gradient=_class_numbers_rule)
def _of_class_numbers(logits: Tensor, numbers: Tensor) -> Tensor:
    return -squeeze(take_along_axis(log_softmax(logits), expand_dims(numbers, -1)), -1)


@composite("cross_entropy_of_probabilities")
def _of_probabilities(logits: Tensor, probabilities: Tensor) -> Tensor:
    scores = log_softmax(logits)
    wanted = e.astype(probabilities, scores.dtype, copy=False)
    impossible = e.logical_and(e.equal(scores, -math.inf), e.equal(wanted, 0))  # costs nothing, where 0 * inf is nan
    return -sum(e.where(impossible, 0, scores) * wanted, -1)


def _checked_class_numbers(labels: Tensor, logits: Tensor) -> Tensor:
    wanted = logits.shape[:-1]
    if not labels.dtype.is_integer or labels.shape not in (wanted, (*wanted, 1)):
        raise ShapeError(f"cross_entropy: labels of {labels.dtype} and shape {labels.shape} for logits of shape "
                         f"{logits.shape}",
                         expected=f"class numbers (integers) of shape {wanted}, or probabilities of the logits' shape",
                         fix="check the shapes, and cast class numbers to integers: y.astype(tz.int64)")
    if isinstance(labels.raw, np.ndarray):
        require_class_numbers(labels.raw, logits.shape[-1])
    return reshape(labels, wanted)


def require_class_numbers(labels: np.ndarray, classes: int) -> None:
    """ArgumentError unless all `labels` are from 0 to classes - 1."""
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < 0 or high >= classes:
        fix = "number the classes from 0" + (f", or give the last layer {high + 1} outputs" if low >= 0 else "")
        raise ArgumentError(f"labels from {low} to {high} for a model with {classes} outputs",
                            expected=f"labels from 0 to {classes - 1}", fix=fix)


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
    logits, targets = _aligned("binary_cross_entropy", logits, targets)
    if isinstance(targets.raw, np.ndarray):
        require_probabilities(targets.raw, "binary_cross_entropy")
    return _reduced(softplus(logits) - logits * targets, reduction)


def require_probabilities(targets: np.ndarray, loss: str) -> None:
    """ArgumentError unless all `targets` of a loss are from 0 to 1; the loss itself refuses complex ones."""
    if not targets.size or targets.dtype.kind == "c" or (targets.min() >= -ROUNDING and targets.max() <= 1 + ROUNDING):
        return
    values = np.unique(targets).astype(float)
    has_two = len(values) <= 2
    fix = f"number the two classes: y = (y == {values[-1]:g}).astype(int)" if has_two else "scale them to 0 to 1"
    raise ArgumentError(f"targets from {values[0]:g} to {values[-1]:g} for {loss}", expected="targets from 0 to 1",
                        fix=fix)


def mse(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean") -> Tensor:
    """The mean squared difference; of complex numbers the mean of |difference|^2.

    Shapes, reductions and errors (ShapeError, ArgumentError) are those of `binary_cross_entropy`.

    >>> import tarazu as tz
    >>> tz.nn.mse(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(2., dtype=float32)
    """
    prediction, target = _aligned("mse", prediction, target)
    return rounded_like(_reduced(e.abs_square(single(prediction - target)), reduction), prediction)


def mae(prediction: ArrayLike, target: ArrayLike, *, reduction: str = "mean") -> Tensor:
    """The mean absolute difference.

    Shapes, reductions and errors (ShapeError, ArgumentError) are those of `binary_cross_entropy`.

    >>> import tarazu as tz
    >>> tz.nn.mae(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(1., dtype=float32)
    """
    prediction, target = _aligned("mae", prediction, target)
    return _reduced(e.abs(prediction - target), reduction)


def huber(prediction: ArrayLike, target: ArrayLike, *, delta: float = 1.0, reduction: str = "mean") -> Tensor:
    """Half the squared difference up to `delta`, beyond it linear, so that outliers count less (Huber, 1964).

    d ** 2 / 2 for a distance d up to `delta`, which is in the unit of the target, else delta * (d - delta / 2). Shapes,
    reductions and errors are those of `binary_cross_entropy`; ArgumentError also for a delta that is not above 0.

    >>> import tarazu as tz
    >>> tz.nn.huber(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0]))
    Tensor(0.75, dtype=float32)
    """
    if not delta > 0:
        raise ArgumentError(f"huber: delta={delta!r}", expected="a number above 0, in the unit of the target",
                            fix="leave it out for 1.0")
    prediction, target = _aligned("huber", prediction, target)
    distance = e.abs(prediction - target)
    return _reduced(e.where(distance <= delta, 0.5 * e.square(distance), delta * (distance - 0.5 * delta)), reduction)


def _aligned(name: str, prediction: ArrayLike, target: ArrayLike) -> tuple[Tensor, Tensor]:
    """Both of one shape; a missing last axis of size 1 is added, as (n, 1) - (n,) would silently be (n, n)."""
    prediction, target = as_value(prediction), as_value(target)
    if prediction.shape not in (target.shape, (*target.shape, 1)) and (*prediction.shape, 1) != target.shape:
        raise ShapeError(f"{name}: a prediction of shape {prediction.shape} for a target of shape {target.shape}",
                         expected="one shape",
                         fix="give the last layer as many outputs as the target has, or reshape the target")
    if target.dtype.kind == "complex":
        prediction = cast(prediction, promote(prediction.dtype, target.dtype))
    return prediction, e.astype(reshape(target, prediction.shape), prediction.dtype, copy=False)


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    if reduction == "none":
        return mean(reshape(losses, (losses.shape[0], -1)), -1) if len(losses.shape) > 1 else losses
    raise ArgumentError(f"reduction={reduction!r}", expected='"mean", "sum" or "none"', fix="check the spelling")


class LossTraits(NamedTuple):
    """What training asks of a loss beside its values.

    `target` says what it compares with: "classes" (class numbers, or a probability for each), "labels" (0 or 1 for each
    output by itself), "numbers", or "unknown". `trivial_predictor` names the best prediction that looks at no input;
    None where there is no short formula for it. `activation` is the one that the loss applies to logits itself.
    """

    target: str
    trivial_predictor: str | None = None
    activation: Callable[[Tensor], Tensor] | None = None


TRAITS: dict[Loss, LossTraits] = {
    cross_entropy: LossTraits("classes", "the class frequencies", softmax),
    binary_cross_entropy: LossTraits("labels", "the frequency of each output", e.sigmoid),
    mse: LossTraits("numbers", "the mean"),
    mae: LossTraits("numbers", "the median"),
    huber: LossTraits("numbers"),
}
LOSSES: dict[str, Loss] = {loss.__name__: loss for loss in TRAITS}


def traits(loss: Loss) -> LossTraits:
    """The traits of a loss; of a user's function nothing is known."""
    return TRAITS.get(loss, LossTraits("unknown"))


def _suggest(spec: object, names: Iterable[str]) -> str:
    """The loss that a name of Keras, or a misspelled one, stands for."""
    is_over_classes = isinstance(spec, str) and spec.endswith("categorical_crossentropy")
    hint = "here it is 'cross_entropy'" if is_over_classes else did_you_mean(spec, names)
    return f"{hint}; losses for classes take logits, so the last layer has no softmax or sigmoid"


def find_loss(spec: str | Loss) -> Loss:
    """The loss that `spec` names; a function is given back as it is. Raises ArgumentError."""
    return spec if callable(spec) else by_name("loss", spec, LOSSES, "a function of (prediction, target)", _suggest)
