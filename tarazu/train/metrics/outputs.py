"""What the outputs of a model mean beside its loss, and how metrics read classes, scores and probabilities in them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.losses import Loss
from tarazu.ops.create import arange
from tarazu.ops.elementwise import astype, equal, greater, logical_and, logical_not, not_equal, where
from tarazu.ops.reduce import argmax, sum
from tarazu.ops.shape import expand_dims, reshape, stack
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.metrics.meaning import ANY, NUMBERS, PROBABILITIES, Outputs, require_meaning
from tarazu.train.metrics.metric import Metric, RowFunction, Sums, Value, mean_of

TAKES = {"classes": ANY, "scores": ANY, "probabilities": PROBABILITIES, "numbers": NUMBERS}  # by what a metric needs


class Decisions(NamedTuple):
    """Which classes each row was predicted as and is of: bools of shape (rows, classes).

    One output, or one label, is two classes, 0 and 1. With several labels in each row, every column is a label.
    """

    predicted: Tensor
    actual: Tensor
    counted: Tensor | None  # bool (rows,), or (rows, labels), where some targets do not count
    has_labels: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutputMetric:
    """A metric with options that reads outputs as the loss means them.

    `from_logits` says whether outputs are logits, `multilabel` whether each output is 0 or 1 by itself, `ignore_index`
    which target does not count; None leaves that to the loss. Without one, outputs are logits. `name` is what the
    history calls the metric.
    """

    from_logits: bool | None = None
    multilabel: bool | None = None
    ignore_index: int | None = None
    name: str | None = None
    default_name: ClassVar[str]
    needs: ClassVar[str] = "classes"  # what it reads from outputs: "classes", "scores", "probabilities" or "numbers"

    def beside(self, loss: Loss) -> Metric:
        """The metric for the outputs of a model with that loss; ArgumentError where it has no meaning beside it."""
        return self.reading(Outputs.beside(loss))

    def reading(self, outputs: Outputs) -> Metric:
        """The metric for outputs that mean what `outputs` says, but for what the options say."""
        known = outputs.traits
        if self.from_logits is not None:
            known = known._replace(outputs="logits" if self.from_logits else "probabilities")
        if self.multilabel is not None:
            known = known._replace(target="labels" if self.multilabel else "unknown")
        if self.ignore_index is not None:
            known = known._replace(ignored_target=self.ignore_index)
        outputs = outputs._replace(traits=known)
        require_meaning(self.label, TAKES[self.needs], outputs, type(self).__name__)
        splits_numbers = known.outputs == "numbers" and self.needs != "numbers"
        return dataclasses.replace(self.metric(outputs), splits_numbers=splits_numbers)

    def metric(self, outputs: Outputs) -> Metric:
        """The metric, by sums over outputs of that meaning."""
        raise NotImplementedError

    def __call__(self, prediction: Any, target: Any) -> Value:
        """The value for these rows; outputs are logits unless `from_logits` says otherwise."""
        return self.reading(Outputs())(prediction, target)

    @property
    def label(self) -> str:
        """What the history calls it."""
        return self.name or self.default_name


def is_single(shape: tuple[int, ...]) -> bool:
    """Whether outputs of that shape are one number for each sample."""
    return len(shape) < 2 or shape[-1] == 1


def has_labels(outputs: Outputs, shape: tuple[int, ...]) -> bool:
    """Whether outputs of that shape are several, each 0 or 1 by itself."""
    return outputs.traits.target in ("labels", "signs") and not is_single(shape)


def rows_of(name: str, prediction: Tensor, target: Tensor, outputs: Outputs) -> tuple[Tensor, Tensor]:
    """Predictions as (rows,) or (rows, outputs), and targets as (rows,), or (rows, outputs) where there are labels.

    Axes but the last are rows. Class numbers are made of one-hot targets. ShapeError for targets of other shapes.
    """
    shape = prediction.shape
    if is_single(shape):
        if math.prod(shape) != target.size:
            raise _misfit(name, prediction, target, f"{shape}, or that without the last axis")
        return reshape(prediction, (-1,)), reshape(target, (-1,))
    if has_labels(outputs, shape):
        if target.shape != shape:
            raise _misfit(name, prediction, target, str(shape))
        return reshape(prediction, (-1, shape[-1])), reshape(target, (-1, shape[-1]))
    if target.shape == shape:
        target = argmax(target, -1)
    if target.shape not in (shape[:-1], (*shape[:-1], 1)):
        raise _misfit(name, prediction, target, f"{shape[:-1]} (class numbers), or {shape} (one-hot)")
    return reshape(prediction, (-1, shape[-1])), reshape(target, (-1,))


def _misfit(name: str, prediction: Tensor, target: Tensor, expected: str) -> ShapeError:
    return ShapeError(f"metric {name!r}: a target of shape {target.shape} for outputs of shape {prediction.shape}",
                      expected=f"a target of shape {expected}", fix="check how y was made, and the last layer")


def counted_targets(target: Tensor, outputs: Outputs) -> Tensor | None:
    """Which targets count, where some do not."""
    ignored = outputs.traits.ignored_target
    return None if ignored is None else not_equal(target, ignored)


def ignoring(function: RowFunction, outputs: Outputs, name: str) -> Metric:
    """The mean of a function of single class numbers over those that count."""
    def sums(prediction: Tensor, target: Tensor) -> Sums:
        prediction, target = rows_of(name, prediction, target, outputs)
        counted = counted_targets(target, outputs)
        assert counted is not None
        values = astype(function(prediction, where(counted, target, 0)), "float64")
        return {"total": sum(where(counted, values, 0)), "rows": sum(counted)}

    return Metric(sums, mean_of, name=name)


def decisions(name: str, prediction: Tensor, target: Tensor, outputs: Outputs, threshold: float = 0.5) -> Decisions:
    """Which classes the outputs decide for: the largest, or those whose probability is above `threshold`.

    NaN is of no class. ArgumentError for a threshold other than 0.5 for more than two classes.
    """
    labels = has_labels(outputs, prediction.shape)
    prediction, target = rows_of(name, prediction, target, outputs)
    counted = counted_targets(target, outputs)
    if len(prediction.shape) == 1 or labels:
        predicted = _with_negation(greater(prediction, _bound(outputs, threshold)), labels)
        predicted = logical_and(predicted, _each(equal(prediction, prediction), labels))
        return Decisions(predicted, _with_negation(greater(target, 0.5), labels), counted, labels)
    classes = prediction.shape[-1]
    if threshold != 0.5:
        raise ArgumentError(f"metric {name!r} with threshold={threshold!r} for {classes} classes",
                            expected="a threshold for one output, or for labels by themselves",
                            fix="leave it out: the class with the largest output is the prediction")
    best = equal(expand_dims(argmax(prediction, -1), -1), arange(classes))
    is_number = equal(prediction, prediction).all(-1, keepdims=True)
    return Decisions(logical_and(best, is_number), equal(expand_dims(target, -1), arange(classes)), counted, False)


def _bound(outputs: Outputs, threshold: float) -> float:
    """The output at which the probability is `threshold`."""
    if outputs.traits.outputs in ("probabilities", "numbers"):
        return threshold
    return math.log(threshold / (1 - threshold)) if 0 < threshold < 1 else math.copysign(math.inf, threshold - 0.5)


def _with_negation(is_one: Tensor, labels: bool) -> Tensor:
    return is_one if labels else stack([logical_not(is_one), is_one], -1)


def _each(is_number: Tensor, labels: bool) -> Tensor:
    return is_number if labels else expand_dims(is_number, -1)


def suffixed(values: np.ndarray) -> dict[str, float]:
    """A number for each class, by its number."""
    return {str(number): float(value) for number, value in enumerate(values)}
