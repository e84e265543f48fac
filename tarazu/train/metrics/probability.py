"""Metrics of probabilities: log loss, perplexity, calibration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.nn.losses.classes import cross_entropy
from tarazu.nn.losses.labels import binary_cross_entropy
from tarazu.ops.elementwise import astype, clip, equal, greater, maximum, sigmoid, where
from tarazu.ops.indexing.segments import segment_sum
from tarazu.ops.networks.softmax import softmax
from tarazu.ops.reduce import argmax, max, sum
from tarazu.ops.shape import reshape
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.metrics.meaning import Outputs
from tarazu.train.metrics.metric import Metric, Sums, ratio
from tarazu.train.metrics.outputs import OutputMetric, counted_targets, has_labels, is_single, rows_of


class LogLoss(OutputMetric):
    """The mean of -log of the probability that the true class is given, in nats: the cross-entropy.

    Every class number counts once, every label, too; targets of `ignore_index` do not. ArgumentError beside a loss of
    numbers, ShapeError for targets that do not fit the outputs.

    >>> import tarazu as tz
    >>> round(tz.train.LogLoss()(tz.zeros(2, 4), tz.tensor([0, 3])), 4)
    1.3863
    """

    default_name: ClassVar[str] = "log_loss"
    needs: ClassVar[str] = "probabilities"

    def metric(self, outputs: Outputs) -> Metric:
        """The metric, by sums over outputs of that meaning."""
        return Metric(lambda prediction, target: self._sums(prediction, target, outputs), self._result, name=self.label)

    def _sums(self, prediction: Tensor, target: Tensor, outputs: Outputs) -> Sums:
        is_single_class = is_single(prediction.shape) or has_labels(outputs, prediction.shape)
        loss = binary_cross_entropy if is_single_class else cross_entropy
        if not is_single_class and target.shape == prediction.shape:  # probabilities, which `rows_of` would round
            prediction, target = (reshape(x, (-1, x.shape[-1])) for x in (prediction, target))
        else:
            prediction, target = rows_of(self.label, prediction, target, outputs)
            prediction, target = (reshape(x, (-1,)) if is_single_class else x for x in (prediction, target))
        counted = counted_targets(target, outputs)
        labels = target if counted is None else where(counted, target, 0)
        each = astype(loss(prediction, labels, from_logits=outputs.traits.outputs == "logits", reduction="none"),
                      "float64")
        if counted is None:
            return {"total": sum(each), "count": each.size}
        return {"total": sum(where(counted, each, 0)), "count": sum(counted)}

    def _result(self, sums: dict[str, np.ndarray]) -> float:
        return ratio(sums["total"], sums["count"])


class Perplexity(LogLoss):
    """e to the power of the log loss: among how many equally likely classes (tokens) the model is undecided.

    Options and errors (ArgumentError, ShapeError) are those of `LogLoss`.

    >>> import tarazu as tz
    >>> round(tz.train.Perplexity()(tz.zeros(2, 4), tz.tensor([0, 3])), 4)
    4.0
    """

    default_name: ClassVar[str] = "perplexity"

    def _result(self, sums: dict[str, np.ndarray]) -> float:
        mean = super()._result(sums)
        return math.exp(mean) if mean < 700 else mean * math.inf  # where exp overflows


@dataclass(frozen=True, kw_only=True)
class CalibrationError(OutputMetric):
    """The expected calibration error: how far the probability of the predicted class is from the share that is right.

    The mean distance over `bins` bins of that probability, weighted by rows (Naeini and others, 2015). Labels count one
    by one. ArgumentError beside a loss of numbers, ShapeError for targets that do not fit the outputs.

    >>> import tarazu as tz
    >>> tz.train.CalibrationError(from_logits=False)(tz.tensor([0.75, 0.75]), tz.tensor([1, 0]))
    0.25
    """

    bins: int = 15
    default_name: ClassVar[str] = "calibration_error"
    needs: ClassVar[str] = "probabilities"

    def __post_init__(self) -> None:
        positive_int("bins", self.bins)

    def metric(self, outputs: Outputs) -> Metric:
        """The metric, by sums over outputs of that meaning."""
        return Metric(lambda prediction, target: self._sums(prediction, target, outputs), _distance, name=self.label)

    def _sums(self, prediction: Tensor, target: Tensor, outputs: Outputs) -> dict[str, Tensor]:
        labels = has_labels(outputs, prediction.shape)
        prediction, target = rows_of(self.label, prediction, target, outputs)
        from_logits = outputs.traits.outputs == "logits"
        if prediction.ndim == 1 or labels:
            share = reshape(sigmoid(prediction) if from_logits else prediction, (-1,))
            certainty = maximum(share, 1 - share)
            is_right = equal(greater(share, 0.5), greater(reshape(target, (-1,)), 0.5))
        else:
            certainty = max(softmax(prediction) if from_logits else prediction, -1)
            is_right = equal(argmax(prediction, -1), target)
        counted = counted_targets(reshape(target, (-1,)), outputs)
        number = clip(astype(certainty * self.bins, "int64"), 0, self.bins - 1)
        parts = {"rows": equal(certainty, certainty), "right": is_right, "certainty": certainty}
        return {name: segment_sum(astype(x if counted is None else where(counted, x, 0), "float64"), number, self.bins)
                for name, x in parts.items()}


def _distance(sums: dict[str, np.ndarray]) -> float:
    return ratio(np.abs(sums["right"] - sums["certainty"]).sum(), sums["rows"].sum())
