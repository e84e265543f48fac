"""Metrics of numbers that are no means over rows: R2, root mean squared error, correlations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.nn.losses.checks import aligned
from tarazu.ops.elementwise import astype
from tarazu.ops.reduce import sum
from tarazu.ops.shape import reshape
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.metrics.meaning import Outputs
from tarazu.train.metrics.metric import Metric, Sums, Value, ratio
from tarazu.train.metrics.outputs import OutputMetric, suffixed

AVERAGES = ("uniform", "weighted", None)
ROUNDING = 1e-12  # of sums of squares in float64: a variance below that share of the mean square is none


class Moments(NamedTuple):
    """For each output the number of rows, the sums of squared errors and of errors, and centered sums of products."""

    rows: np.ndarray  # a scalar
    squared_error: np.ndarray
    error: np.ndarray
    target_square: np.ndarray  # sum of (target - its mean) ** 2
    prediction_square: np.ndarray
    product: np.ndarray  # sum of (target - its mean) * (prediction - its mean)
    target_sum: np.ndarray
    prediction_sum: np.ndarray

    @property
    def residual_square(self) -> np.ndarray:
        """The sum of (error - its mean) ** 2."""
        return np.maximum(self.squared_error - self.error**2 / np.maximum(self.rows, 1), 0)


def moments_of_sums(sums: dict[str, np.ndarray]) -> Moments:
    """Moments from the sums over all rows."""
    rows = sums["rows"]

    def centered(product: str, first: str, second: str) -> np.ndarray:
        means = sums[first] * sums[second] / np.maximum(rows, 1)
        value = sums[product] - means
        return np.where(np.abs(value) <= ROUNDING * np.abs(means), 0.0, value)

    return Moments(rows, sums["squared_error"], sums["error"], centered("tt", "t", "t"), centered("pp", "p", "p"),
                   centered("tp", "t", "p"), sums["t"], sums["p"])


def moments_of_rows(prediction: np.ndarray, target: np.ndarray) -> Moments:
    """Moments from all rows at once, centered before they are squared: exact also where the mean is far from 0."""
    outputs = prediction.shape[-1] if prediction.ndim > 1 else 1
    p, t = (np.asarray(x, np.float64).reshape(-1, outputs) for x in (prediction, target))
    error, dp, dt = t - p, p - p.mean(0), t - t.mean(0)
    return Moments(np.array(len(p), float), (error**2).sum(0), error.sum(0), (dt**2).sum(0), (dp**2).sum(0),
                   (dt * dp).sum(0), t.sum(0), p.sum(0))


@dataclass(frozen=True, kw_only=True)
class NumberMetric(OutputMetric):
    """A metric of each output's moments, and an average of these."""

    average: str | None = "uniform"
    needs: ClassVar[str] = "numbers"

    def __post_init__(self) -> None:
        if self.average not in AVERAGES:
            raise ArgumentError(f"metric {self.label!r} with average={self.average!r}",
                                expected=f"one of {', '.join(map(repr, AVERAGES))}", fix="check the spelling")

    def numbers(self, moments: Moments) -> np.ndarray:
        """The number of each output."""
        raise NotImplementedError

    def metric(self, outputs: Outputs) -> Metric:
        """The metric, by sums, or exactly by all rows at once."""
        def sums(prediction: Tensor, target: Tensor) -> Sums:
            prediction, target = aligned(self.label, prediction, target)
            size = prediction.shape[-1] if prediction.ndim > 1 else 1
            p, t = (reshape(astype(x, "float64"), (-1, size)) for x in (prediction, target))
            error = t - p
            terms = {"p": p, "t": t, "pp": p * p, "tt": t * t, "tp": t * p, "error": error, "squared_error": error**2}
            return {"rows": p.shape[0], **{name: sum(x, 0) for name, x in terms.items()}}

        def whole(prediction: np.ndarray, target: np.ndarray) -> Value:
            aligned(self.label, prediction, target)
            return self._average(moments_of_rows(prediction, target))

        return Metric(sums, lambda sums: self._average(moments_of_sums(sums)), name=self.label, whole=whole)

    def _average(self, moments: Moments) -> Value:
        values = self.numbers(moments)
        if self.average is None:
            return suffixed(values)
        weights = moments.target_square if self.average == "weighted" else np.ones(len(values))
        return ratio((values * weights).sum(), weights.sum())


def _quotient(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where the whole is 0."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


class R2(NumberMetric):
    """The share of the variance of the target that the predictions explain: 1 - squared errors / squared deviations.

    1 is perfect, 0 as good as the mean of the target, below 0 worse; NaN where the target is constant. Several outputs
    are averaged: "uniform", "weighted" by their variance, or None for a number each. ArgumentError for another average
    and beside a loss of classes, ShapeError for targets of another shape.

    >>> import tarazu as tz
    >>> round(tz.train.R2()(tz.tensor([2.5, 0.0, 2.0, 8.0]), tz.tensor([3.0, -0.5, 2.0, 7.0])), 3)
    0.949
    """

    default_name: ClassVar[str] = "r2"

    def numbers(self, moments: Moments) -> np.ndarray:
        """The number of each output."""
        return 1 - _quotient(moments.squared_error, moments.target_square)


class RMSE(NumberMetric):
    """The root of the mean squared error, in the unit of the target; of several outputs the mean of their roots.

    Options and errors (ArgumentError, ShapeError) are those of `R2`.

    >>> import tarazu as tz
    >>> tz.train.RMSE()(tz.tensor([1.0, 2.0]), tz.tensor([1.0, 4.0])) == 2**0.5
    True
    """

    default_name: ClassVar[str] = "rmse"

    def numbers(self, moments: Moments) -> np.ndarray:
        """The number of each output."""
        return np.sqrt(_quotient(moments.squared_error, np.broadcast_to(moments.rows, moments.squared_error.shape)))


class ExplainedVariance(NumberMetric):
    """Like `R2`, but a constant error costs nothing: 1 - variance of the errors / variance of the target.

    Options and errors (ArgumentError, ShapeError) are those of `R2`.

    >>> import tarazu as tz
    >>> tz.train.ExplainedVariance()(tz.tensor([2.0, 3.0, 4.0]), tz.tensor([1.0, 2.0, 3.0]))
    1.0
    """

    default_name: ClassVar[str] = "explained_variance"

    def numbers(self, moments: Moments) -> np.ndarray:
        """The number of each output."""
        return 1 - _quotient(moments.residual_square, moments.target_square)


class Pearson(NumberMetric):
    """The correlation of predictions and targets (Pearson, 1895), from -1 to 1; NaN where one of them is constant.

    Options and errors (ArgumentError, ShapeError) are those of `R2`.

    >>> import tarazu as tz
    >>> tz.train.Pearson()(tz.tensor([1.0, 2.0, 3.0]), tz.tensor([3.0, 5.0, 7.0]))
    1.0
    """

    default_name: ClassVar[str] = "pearson"

    def numbers(self, moments: Moments) -> np.ndarray:
        """The number of each output."""
        return _quotient(moments.product, np.sqrt(moments.target_square * moments.prediction_square))


class Concordance(NumberMetric):
    """The concordance correlation (Lin, 1989): like `Pearson`, but other means and variances cost, too.

    Options and errors (ArgumentError, ShapeError) are those of `R2`.

    >>> import tarazu as tz
    >>> round(tz.train.Concordance()(tz.tensor([1.0, 2.0, 3.0]), tz.tensor([2.0, 3.0, 4.0])), 4)
    0.5714
    """

    default_name: ClassVar[str] = "concordance"

    def numbers(self, moments: Moments) -> np.ndarray:
        """The number of each output."""
        distance = (moments.target_sum - moments.prediction_sum) ** 2 / np.maximum(moments.rows, 1)
        return _quotient(2 * moments.product, moments.target_square + moments.prediction_square + distance)


NUMBER_METRICS: tuple[Callable[[], NumberMetric], ...] = (R2, RMSE, ExplainedVariance, Pearson, Concordance)
