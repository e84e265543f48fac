"""Metrics of the order of scores: exact where all rows are in memory, from counts in bins in the program of `fit`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.ops.create import arange
from tarazu.ops.elementwise import astype, clip, equal, expm1, greater, isnan, log, log1p, logical_and, sigmoid, where
from tarazu.ops.indexing.segments import segment_sum
from tarazu.ops.networks.softmax import log_softmax
from tarazu.ops.reduce import sum
from tarazu.ops.shape import broadcast_to, expand_dims, reshape
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.metrics.curves import Curve, area, average_precision, best, curve_of_counts, curve_of_scores, has_both
from tarazu.train.metrics.meaning import Outputs
from tarazu.train.metrics.metric import Metric, Value, ratio
from tarazu.train.metrics.outputs import OutputMetric, counted_targets, has_labels, rows_of, suffixed

BINS = 1024
AVERAGES = ("macro", "weighted", "micro", None)
SHARPNESS = 0.25  # of bins in log odds: they are narrowest at even odds, and tell 20 from 21 all the same


@dataclass(frozen=True, kw_only=True)
class RankingMetric(OutputMetric):
    """A number of the curve of each class against the others, and an average of these."""

    average: str | None = "macro"
    bins: int = BINS
    needs: ClassVar[str] = "scores"

    def __post_init__(self) -> None:
        positive_int("bins", self.bins)
        if self.average not in AVERAGES:
            raise ArgumentError(f"metric {self.label!r} with average={self.average!r}",
                                expected=f"one of {', '.join(map(repr, AVERAGES))}", fix="check the spelling")

    def number(self, curve: Curve) -> float:
        """The number of one curve."""
        raise NotImplementedError

    def metric(self, outputs: Outputs) -> Metric:
        """The metric, by counts in bins, or by all scores at once."""
        def sums(prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
            return _counts_in_bins(*log_odds(self.label, prediction, target, outputs), self.bins)

        def result(sums: dict[str, np.ndarray]) -> Value:
            if sums["undefined"] > 0:
                return self._undefined(sums["counts"].shape[1])
            return self._average([curve_of_counts(*counts) for counts in np.moveaxis(sums["counts"], 1, 0)],
                                 curve_of_counts(*sums["counts"].sum(1)))

        def whole(prediction: np.ndarray, target: np.ndarray) -> Value:
            precise = asarray(np.asarray(prediction, np.float64))
            scores, positive, counted = (x.numpy() for x in log_odds(self.label, precise, asarray(target), outputs))
            if np.isnan(scores[counted]).any():
                return self._undefined(scores.shape[1])
            columns = zip(scores.T, positive.T, counted.T, strict=True)
            return self._average([curve_of_scores(column[keep], is_of[keep]) for column, is_of, keep in columns],
                                 curve_of_scores(scores[counted], positive[counted]))

        return Metric(sums, result, name=self.label, whole=whole)

    def _undefined(self, classes: int) -> Value:
        """The value where some scores are NaN, which have no order."""
        return suffixed(np.full(classes, math.nan)) if self.average is None else math.nan

    def _average(self, curves: list[Curve], all_classes: Curve) -> Value:
        if len(curves) == 1:
            return self.number(curves[0])
        if self.average == "micro":
            return self.number(all_classes)
        values = np.array([self.number(curve) for curve in curves])
        if self.average is None:
            return suffixed(values)
        known = ~np.isnan(values)
        weights = np.array([curve.true[-1] if self.average == "weighted" else 1.0 for curve in curves]) * known
        return ratio((np.where(known, values, 0) * weights).sum(), weights.sum())


def log_odds(name: str, prediction: Tensor, target: Tensor, outputs: Outputs) -> tuple[Tensor, Tensor, Tensor]:
    """For each class against the others the logarithm of p / (1 - p), whether each row is of it, and whether it counts,
    all (rows, classes).

    Two classes, and one output, are one column, that of class 1. Outputs that are numbers, or scores, are taken as they
    are, those near 0 and 1 spread.
    """
    labels = has_labels(outputs, prediction.shape)
    prediction, target = rows_of(name, prediction, target, outputs)
    counted = counted_targets(target, outputs)
    if counted is None:
        counted = equal(target, target)
    if not labels:
        target, counted = expand_dims(target, -1), expand_dims(counted, -1)
    if prediction.ndim == 1 or labels:
        odds = _odds(prediction if labels else expand_dims(prediction, -1), outputs)
        return odds, greater(target, 0.5), counted
    classes = prediction.shape[-1]
    positive = equal(target, arange(classes))
    if classes == 2:
        is_share = outputs.traits.outputs == "probabilities"
        odds = _odds(prediction[:, 1:], outputs) if is_share else prediction[:, 1:] - prediction[:, :1]
        return odds, positive[:, 1:], counted
    if outputs.traits.outputs == "logits":
        scores = log_softmax(prediction)
        odds = scores - log(-expm1(scores))
    else:
        odds = _odds(prediction, outputs)
    return odds, positive, broadcast_to(counted, odds.shape)


def _odds(prediction: Tensor, outputs: Outputs) -> Tensor:
    """The log odds of outputs that are taken one by one."""
    meaning = outputs.traits.outputs
    if meaning == "probabilities":
        return log(prediction) - log1p(-prediction)
    return 8 * (prediction - 0.5) if meaning == "numbers" else prediction


def _counts_in_bins(odds: Tensor, positive: Tensor, counted: Tensor, bins: int) -> dict[str, Tensor]:
    """How many rows are in each bin, (2, classes, bins), the others of a class before those of it; and NaN scores."""
    classes = odds.shape[1]
    undefined = logical_and(isnan(odds), counted)
    share = sigmoid(where(isnan(odds), 0, odds) * SHARPNESS)
    number = clip(astype(share * bins, "int64"), 0, bins - 1)
    cell = (astype(positive, "int64") * classes + arange(classes)) * bins + number
    counts = segment_sum(reshape(astype(counted, "float32"), (-1,)), reshape(cell, (-1,)), 2 * classes * bins)
    return {"counts": reshape(counts, (2, classes, bins)), "undefined": sum(undefined)}


class AUC(RankingMetric):
    """The area under the ROC curve: how often a row of a class scores higher than one that is not; a tie counts half
    (Hanley and McNeil, 1982).

    It is exact in validation and `evaluate`; while training, scores are counted in `bins` bins. Several classes are
    each taken against the others, as labels are: `average` is "macro", the mean of the classes; "weighted", by their
    rows; "micro", of all scores together; or None, a number for each class. NaN where a class has all the rows or none,
    which means leave out. With many classes fewer bins cost less: a step adds 2 * classes * bins numbers.
    `from_logits`, `multilabel` and `ignore_index` are those of `Recall`. ArgumentError for other options, ShapeError
    for targets that do not fit the outputs.

    >>> import tarazu as tz
    >>> tz.train.AUC()(tz.tensor([0.1, 0.4, 0.35, 0.8]), tz.tensor([0, 0, 1, 1]))
    0.75
    """

    default_name: ClassVar[str] = "auc"

    def number(self, curve: Curve) -> float:
        """The number of one curve."""
        return area(curve)


class AveragePrecision(RankingMetric):
    """The mean precision over the steps of recall, the area under the precision-recall curve without interpolation.

    Options, errors (ArgumentError, ShapeError) and bins are those of `AUC`; NaN where no row is of the class.

    >>> import tarazu as tz
    >>> round(tz.train.AveragePrecision()(tz.tensor([0.1, 0.4, 0.35, 0.8]), tz.tensor([0, 0, 1, 1])), 4)
    0.8333
    """

    default_name: ClassVar[str] = "average_precision"

    def number(self, curve: Curve) -> float:
        """The number of one curve."""
        return average_precision(curve)


@dataclass(frozen=True)
class PrecisionAtRecall(RankingMetric):
    """The largest precision of a threshold at which the recall is at least `recall`.

    Options, errors (ArgumentError, ShapeError) and bins are those of `AUC`; NaN where no row is of the class.

    >>> import tarazu as tz
    >>> round(tz.train.PrecisionAtRecall(0.9)(tz.tensor([0.1, 0.4, 0.35, 0.8]), tz.tensor([0, 0, 1, 1])), 4)
    0.6667
    """

    recall: float
    default_name: ClassVar[str] = "precision_at_recall"

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_share(self.label, "recall", self.recall)

    def number(self, curve: Curve) -> float:
        """The number of one curve."""
        return best(curve.precision, curve.recall, self.recall) if curve.true[-1] > 0 else math.nan


@dataclass(frozen=True)
class RecallAtPrecision(RankingMetric):
    """The largest recall of a threshold at which the precision is at least `precision`, 0 where it nowhere is.

    Options, errors (ArgumentError, ShapeError) and bins are those of `AUC`; NaN where no row is of the class.

    >>> import tarazu as tz
    >>> tz.train.RecallAtPrecision(0.9)(tz.tensor([0.1, 0.4, 0.35, 0.8]), tz.tensor([0, 0, 1, 1]))
    0.5
    """

    precision: float
    default_name: ClassVar[str] = "recall_at_precision"

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_share(self.label, "precision", self.precision)

    def number(self, curve: Curve) -> float:
        """The number of one curve."""
        return best(curve.recall, curve.precision, self.precision) if curve.true[-1] > 0 else math.nan


@dataclass(frozen=True)
class SensitivityAtSpecificity(RankingMetric):
    """The largest recall (sensitivity) of a threshold at which the specificity is at least `specificity`.

    Options, errors (ArgumentError, ShapeError) and bins are those of `AUC`; NaN where a class has all the rows or none.

    >>> import tarazu as tz
    >>> tz.train.SensitivityAtSpecificity(0.9)(tz.tensor([0.1, 0.4, 0.35, 0.8]), tz.tensor([0, 0, 1, 1]))
    0.5
    """

    specificity: float
    default_name: ClassVar[str] = "sensitivity_at_specificity"

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_share(self.label, "specificity", self.specificity)

    def number(self, curve: Curve) -> float:
        """The number of one curve."""
        return best(curve.recall, 1 - curve.false_rate, self.specificity) if has_both(curve) else math.nan


@dataclass(frozen=True)
class SpecificityAtSensitivity(RankingMetric):
    """The largest specificity of a threshold at which the recall (sensitivity) is at least `sensitivity`.

    Options, errors (ArgumentError, ShapeError) and bins are those of `AUC`; NaN where a class has all the rows or none.

    >>> import tarazu as tz
    >>> tz.train.SpecificityAtSensitivity(0.9)(tz.tensor([0.1, 0.4, 0.35, 0.8]), tz.tensor([0, 0, 1, 1]))
    0.5
    """

    sensitivity: float
    default_name: ClassVar[str] = "specificity_at_sensitivity"

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_share(self.label, "sensitivity", self.sensitivity)

    def number(self, curve: Curve) -> float:
        """The number of one curve."""
        return best(1 - curve.false_rate, curve.recall, self.sensitivity) if has_both(curve) else math.nan


def _require_share(name: str, option: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ArgumentError(f"metric {name!r} with {option}={value!r}", expected="a number from 0 to 1",
                            fix="pass a share, such as 0.9")
