"""Metrics of decided classes, from how many rows each class was predicted for, is of, and both: precision to kappa."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.ops.create import full
from tarazu.ops.elementwise import astype, logical_and
from tarazu.ops.reduce import sum
from tarazu.ops.shape import broadcast_to, expand_dims
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.metrics.meaning import Outputs
from tarazu.train.metrics.metric import Metric, Value, ratio
from tarazu.train.metrics.outputs import Decisions, OutputMetric, decisions, suffixed

AVERAGES = ("auto", "binary", "macro", "weighted", "micro", None)


class Counts(NamedTuple):
    """Numbers of rows for each class: rightly predicted as it, predicted as it, of it; and of all rows."""

    right: np.ndarray
    predicted: np.ndarray
    actual: np.ndarray
    rows: np.ndarray
    has_labels: bool

    @classmethod
    def of(cls, sums: dict[str, np.ndarray]) -> Counts:
        """From the sums of `class_counts`, where labels have a number of rows each."""
        return cls(sums["right"], sums["predicted"], sums["actual"], sums["rows"], sums["rows"].ndim == 1)

    @property
    def neither(self) -> np.ndarray:
        """The rows that are not of the class and were not predicted as it."""
        return self.rows - self.predicted - self.actual + self.right


def class_counts(decided: Decisions) -> dict[str, Tensor]:
    """The sums from which all metrics of this file but the matrix are made."""
    predicted, actual = _counted(decided)
    counted = full((predicted.shape[0],), True) if decided.counted is None else decided.counted
    if decided.has_labels:
        counted = broadcast_to(counted if counted.ndim > 1 else expand_dims(counted, -1), predicted.shape)
    return {"right": sum(logical_and(predicted, actual), 0), "predicted": sum(predicted, 0), "actual": sum(actual, 0),
            "rows": sum(counted, 0)}


def confusion(decided: Decisions) -> dict[str, Tensor]:
    """How many rows of each class (first axis) were predicted as each (second axis)."""
    predicted, actual = _counted(decided)
    return {"matrix": astype(actual, "float32").T @ astype(predicted, "float32")}


def _counted(decided: Decisions) -> tuple[Tensor, Tensor]:
    """Both without the rows, or labels, that do not count."""
    if decided.counted is None:
        return decided.predicted, decided.actual
    counted = decided.counted if decided.has_labels else expand_dims(decided.counted, -1)
    return logical_and(decided.predicted, counted), logical_and(decided.actual, counted)


@dataclass(frozen=True, kw_only=True)
class ClassMetric(OutputMetric):
    """A metric of decided classes, from `class_counts`."""

    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ArgumentError(f"metric {self.label!r} with threshold={self.threshold!r}",
                                expected="a probability from 0 to 1", fix="leave it out for 0.5")

    def metric(self, outputs: Outputs) -> Metric:
        """The metric, by sums over outputs of that meaning."""
        return Metric(self._sums(outputs, class_counts), lambda sums: self.value(Counts.of(sums)), name=self.label)

    def _sums(self, outputs: Outputs, count: Callable[[Decisions], dict[str, Tensor]]) -> Callable[
            [Tensor, Tensor], dict[str, Tensor]]:
        def sums(prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
            return count(decisions(self.label, prediction, target, outputs, self.threshold))
        return sums

    def value(self, counts: Counts) -> Value:
        """The value of the metric."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class RatioMetric(ClassMetric):
    """A ratio of counts for each class, and an average of these; `Recall` explains the options."""

    average: str | None = "auto"
    class_id: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.average not in AVERAGES:
            raise ArgumentError(f"metric {self.label!r} with average={self.average!r}",
                                expected=f"one of {', '.join(map(repr, AVERAGES))}", fix="check the spelling")

    def ratio(self, counts: Counts) -> tuple[np.ndarray, np.ndarray]:
        """Both sides of the ratio, for each class."""
        raise NotImplementedError

    def value(self, counts: Counts) -> Value:
        """The average of the ratios, or one for each class."""
        part, whole = self.ratio(counts)
        is_there = (counts.predicted + counts.actual > 0) | counts.has_labels
        values = np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.where(is_there, 0.0, np.nan))
        if self.class_id is not None:
            return float(values[self._checked_class(len(values))])
        average = self.average
        if average == "auto":
            average = "binary" if len(values) == 2 and not counts.has_labels else "macro"
        if average is None:
            return suffixed(values)
        if average == "micro":
            return ratio(part.sum(), whole.sum())
        if average == "binary":
            return float(values[self._checked_class(len(values), binary=True)])
        weights = counts.actual * is_there if average == "weighted" else np.float64(is_there)
        return ratio((np.where(is_there, values, 0) * weights).sum(), weights.sum())

    def _checked_class(self, classes: int, *, binary: bool = False) -> int:
        if binary and classes != 2:
            raise ArgumentError(f'metric {self.label!r} with average="binary" for {classes} classes',
                                expected="two classes", fix='take "macro", "weighted", "micro", None, or class_id=')
        number = 1 if binary or self.class_id is None else self.class_id
        if not 0 <= number < classes:
            raise ArgumentError(f"metric {self.label!r} with class_id={number} for {classes} classes",
                                expected=f"a class from 0 to {classes - 1}", fix="classes are numbered from 0")
        return number


class Precision(RatioMetric):
    """The share of the rows predicted as a class that are of it: TP / (TP + FP).

    `average`, `class_id`, `threshold` and the rest are those of `Recall`; ArgumentError for options out of range,
    ShapeError for targets that do not fit the outputs.

    >>> import tarazu as tz
    >>> tz.train.Precision()(tz.tensor([2.0, 1.0, -1.0, -2.0]), tz.tensor([1, 0, 1, 0]))
    0.5
    """

    default_name: ClassVar[str] = "precision"

    def ratio(self, counts: Counts) -> tuple[np.ndarray, np.ndarray]:
        return counts.right, counts.predicted


class Recall(RatioMetric):
    """The share of the rows of a class that were predicted as it: TP / (TP + FN), the sensitivity.

    `average` is "binary", the number of class 1 of two; "macro", the mean of the classes that are there or predicted;
    "weighted", their mean weighted by how many rows each has; "micro", the ratio of the sums over classes; None, which
    gives one number for each class, "recall_0", "recall_1"; or "auto": "binary" for two classes, "macro" for more, and
    for labels by themselves. `class_id` asks for one class alone. One output, or a label, is class 1 where its
    probability is above `threshold`. Targets of `ignore_index` do not count, as beside a loss that has one.

    What outputs are, the loss says. `from_logits` (logits, or probabilities) and `multilabel` (each output is 0 or 1 by
    itself, or they are classes) say it where that is a function of yours; called by itself, the metric takes logits.

    0 / 0 is 0, as in scikit-learn, but NaN for a class that is neither there nor predicted. ArgumentError for options
    out of range, ShapeError for targets that do not fit the outputs.

    >>> import tarazu as tz
    >>> tz.train.Recall(average=None)(tz.tensor([[2.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), tz.tensor([0, 1, 1]))
    {'0': 1.0, '1': 0.5}
    """

    default_name: ClassVar[str] = "recall"

    def ratio(self, counts: Counts) -> tuple[np.ndarray, np.ndarray]:
        return counts.right, counts.actual


class Specificity(RatioMetric):
    """The share of the rows that are not of a class that were not predicted as it: TN / (TN + FP).

    Options and errors (ArgumentError, ShapeError) are those of `Recall`.

    >>> import tarazu as tz
    >>> tz.train.Specificity()(tz.tensor([2.0, 1.0, -1.0]), tz.tensor([1, 0, 0]))
    0.5
    """

    default_name: ClassVar[str] = "specificity"

    def ratio(self, counts: Counts) -> tuple[np.ndarray, np.ndarray]:
        return counts.neither, counts.rows - counts.actual


@dataclass(frozen=True)
class FBeta(RatioMetric):
    """The harmonic mean of precision and recall, where recall counts `beta` times as much (van Rijsbergen, 1979).

    (1 + beta ** 2) TP / ((1 + beta ** 2) TP + beta ** 2 FN + FP); with beta 1 it is F1, which is the Dice coefficient.
    Options and errors (ArgumentError, ShapeError) are those of `Recall`; the beta is above 0.

    >>> import tarazu as tz
    >>> tz.train.FBeta(1)(tz.tensor([2.0, 1.0, -1.0]), tz.tensor([1, 1, 1]))
    0.8
    """

    beta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta > 0:
            raise ArgumentError(f"FBeta with beta={self.beta!r}", expected="a number above 0",
                                fix="1 for F1, 2 where recall counts more")

    @property
    def label(self) -> str:
        """What the history calls it, such as "f1"."""
        return self.name or f"f{self.beta:g}"

    def ratio(self, counts: Counts) -> tuple[np.ndarray, np.ndarray]:
        square = self.beta**2
        return (1 + square) * counts.right, square * counts.actual + counts.predicted


class IoU(RatioMetric):
    """The intersection over the union of the rows (or pixels) of a class and those predicted as it (Jaccard, 1901).

    TP / (TP + FP + FN). `average="macro"` is the mean IoU of all classes, also of two. Options and errors
    (ArgumentError, ShapeError) are those of `Recall`.

    >>> import tarazu as tz
    >>> tz.train.IoU()(tz.tensor([2.0, 1.0, -1.0]), tz.tensor([1, 0, 1]))
    0.3333333333333333
    """

    default_name: ClassVar[str] = "iou"

    def ratio(self, counts: Counts) -> tuple[np.ndarray, np.ndarray]:
        return counts.right, counts.predicted + counts.actual - counts.right


class BalancedAccuracy(ClassMetric):
    """The mean recall of the classes that have rows (Brodersen and others, 2010). NaN where there is none.

    `threshold` and `ignore_index` are those of `Recall`; ArgumentError and ShapeError likewise.

    >>> import tarazu as tz
    >>> tz.train.BalancedAccuracy()(tz.tensor([2.0, 1.0, 1.0]), tz.tensor([1, 1, 0]))
    0.5
    """

    default_name: ClassVar[str] = "balanced_accuracy"

    def value(self, counts: Counts) -> Value:
        has_rows = counts.actual > 0
        return ratio((counts.right[has_rows] / counts.actual[has_rows]).sum(), has_rows.sum())


class Matthews(ClassMetric):
    """The correlation of predicted and true classes (Matthews, 1975; of several classes Gorodkin, 2004), from -1 to 1.

    0 where all rows are predicted as one class, or are of one. `threshold` and `ignore_index` are those of `Recall`;
    ArgumentError for labels by themselves.

    >>> import tarazu as tz
    >>> tz.train.Matthews()(tz.tensor([2.0, 1.0, -1.0, -2.0]), tz.tensor([1, 1, 0, 0]))
    1.0
    """

    default_name: ClassVar[str] = "matthews"

    def value(self, counts: Counts) -> Value:
        _require_classes(self.label, counts)
        rows = counts.rows
        covariance = rows * counts.right.sum() - (counts.predicted * counts.actual).sum()
        squares = (rows**2 - (counts.predicted**2).sum()) * (rows**2 - (counts.actual**2).sum())
        return float(covariance / np.sqrt(squares)) if squares > 0 else 0.0 if rows else np.nan


@dataclass(frozen=True, kw_only=True)
class CohenKappa(ClassMetric):
    """How much more predicted and true classes agree than by chance (Cohen, 1960): 1 always, 0 as by chance.

    With `weights` "linear" or "quadratic", for classes in an order, a miss costs the distance of the two classes, or
    its square (Cohen, 1968). NaN where chance always agrees. `threshold` and `ignore_index` are those of `Recall`;
    ArgumentError for other weights and for labels by themselves.

    >>> import tarazu as tz
    >>> tz.train.CohenKappa()(tz.tensor([2.0, 1.0, -1.0, -2.0]), tz.tensor([1, 0, 0, 0]))
    0.5
    """

    default_name: ClassVar[str] = "cohen_kappa"
    weights: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights not in (None, "linear", "quadratic"):
            raise ArgumentError(f"CohenKappa with weights={self.weights!r}", expected='None, "linear" or "quadratic"',
                                fix="leave it out for classes without an order")

    def metric(self, outputs: Outputs) -> Metric:
        """The metric, by sums over outputs of that meaning."""
        if self.weights is None:
            return super().metric(outputs)
        return Metric(self._sums(outputs, confusion), self._weighted, name=self.label)

    def value(self, counts: Counts) -> Value:
        _require_classes(self.label, counts)
        agreed, chance = counts.right.sum() * counts.rows, (counts.predicted * counts.actual).sum()
        return ratio(agreed - chance, counts.rows**2 - chance)

    def _weighted(self, sums: dict[str, np.ndarray]) -> float:
        matrix = sums["matrix"]
        number = np.arange(len(matrix))
        cost = np.abs(number[:, None] - number).astype(float) ** (2 if self.weights == "quadratic" else 1)
        chance = np.outer(matrix.sum(1), matrix.sum(0)) / max(matrix.sum(), 1)
        return 1 - ratio((cost * matrix).sum(), (cost * chance).sum())


class Confusion(ClassMetric):
    """How many rows of each class were predicted as each: "confusion_0_1" are of class 0 and were predicted as 1.

    `threshold` and `ignore_index` are those of `Recall`; ArgumentError for labels by themselves.

    >>> import tarazu as tz
    >>> tz.train.Confusion()(tz.tensor([2.0, 1.0, -1.0, -2.0]), tz.tensor([1, 0, 0, 0]))
    {'0_0': 2.0, '0_1': 1.0, '1_0': 0.0, '1_1': 1.0}
    """

    default_name: ClassVar[str] = "confusion"

    def metric(self, outputs: Outputs) -> Metric:
        """The metric, by sums over outputs of that meaning."""
        def sums(prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
            decided = decisions(self.label, prediction, target, outputs, self.threshold)
            if decided.has_labels:
                raise _labels_error(self.label)
            return confusion(decided)

        return Metric(sums, lambda sums: {f"{true}_{predicted}": float(count)
                                          for (true, predicted), count in np.ndenumerate(sums["matrix"])},
                      name=self.label)


@dataclass(frozen=True)
class ClassCount(ClassMetric):
    """How many rows are one of "true_positives", "true_negatives", "false_positives" and "false_negatives".

    They are counted for class 1 of two; with more classes, or labels, all of them are added up. `threshold` and
    `ignore_index` are those of `Recall`. ArgumentError for another `kind`.

    >>> import tarazu as tz
    >>> tz.train.ClassCount("false_positives")(tz.tensor([2.0, 1.0, -1.0]), tz.tensor([1, 0, 0]))
    1.0
    """

    kind: str = "true_positives"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in CLASS_COUNTS:
            raise ArgumentError(f"ClassCount({self.kind!r})", expected=f"one of {', '.join(CLASS_COUNTS)}",
                                fix="check the spelling")

    @property
    def label(self) -> str:
        """What the history calls it."""
        return self.name or self.kind

    def value(self, counts: Counts) -> Value:
        numbers = CLASS_COUNTS[self.kind](counts)
        return float(numbers[1] if len(numbers) == 2 and not counts.has_labels else numbers.sum())


CLASS_COUNTS: dict[str, Callable[[Counts], np.ndarray]] = {
    "true_positives": lambda counts: counts.right,
    "true_negatives": lambda counts: counts.neither,
    "false_positives": lambda counts: counts.predicted - counts.right,
    "false_negatives": lambda counts: counts.actual - counts.right,
}


def _require_classes(name: str, counts: Counts) -> None:
    if counts.has_labels:
        raise _labels_error(name)


def _labels_error(name: str) -> ArgumentError:
    return ArgumentError(f"metric {name!r} of labels that are 0 or 1 each by itself", expected="one class for each row",
                         fix="multilabel=False where each row has one class; else take another metric, such as f1")
