"""The scores of the folds of a cross-validation, their means and intervals."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import plural
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.train.cross_validation.chart import fold_chart
from tarazu.train.cross_validation.ranges import Range

# The 0.975 quantiles of Student's distribution for 1 to 29 degrees of freedom; beyond that the normal one's.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045)


def student(freedom: int) -> float:
    """The 0.975 quantile of Student's distribution.

    >>> student(2), student(100)
    (4.303, 1.96)
    """
    return STUDENT[freedom - 1] if freedom <= len(STUDENT) else 1.96



@dataclass(frozen=True)
class CrossValidation:
    """What `cross_validate` found: `rows` has the scores of each fold by name.

    `mean`, `deviation` (of the sample, with folds - 1) and `interval` take the name of a score. Intervals are those of
    Nadeau and Bengio, 2003: folds share training rows, so the variance of the mean is (1 / folds + test / train) times
    that of the scores. All three leave out folds in which a score is undefined; of a fold whose loss is NaN, as the
    training failed there, every NaN counts. Printed it is a table, in notebooks a picture too; there intervals end
    where the range of the score does, which `ranges` has by name.

    >>> found = CrossValidation(({"loss": 0.5}, {"loss": 0.7}), 0.5)
    >>> found.mean("loss"), round(found.deviation("loss"), 4)
    (0.6, 0.1414)
    """

    rows: tuple[dict[str, float], ...]
    test_share: float  # of the rows of a fold
    ranges: Mapping[str, Range] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of all scores.

        >>> CrossValidation(({"loss": 0.5, "accuracy": 0.9},), 0.5).names
        ['loss', 'accuracy']
        """
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def values(self, name: str) -> np.ndarray:
        """The scores of the folds, (folds,), NaN where it is undefined; ArgumentError for a name that none has.

        >>> CrossValidation(({"loss": 0.5}, {"loss": 0.75}), 0.5).values("loss").tolist()
        [0.5, 0.75]
        """
        if name not in self.names:
            raise ArgumentError(f"no score {name!r}", expected=f"one of {', '.join(self.names)}", fix="choose one")
        return np.array([row.get(name, math.nan) for row in self.rows])

    def undefined(self, name: str) -> list[int]:
        """The numbers of the folds, from 0 on, in which a score is undefined: NaN, though the loss is not.

        >>> CrossValidation(({"loss": 0.5, "auc": math.nan}, {"loss": 0.7, "auc": 0.8}), 0.5).undefined("auc")
        [0]
        """
        return [fold for fold, value in enumerate(self.values(name))
                if math.isnan(value) and name != "loss" and not math.isnan(self.rows[fold].get("loss", 0.0))]

    def undefined_text(self, name: str) -> str:
        """In which folds a score is undefined, in words.

        >>> CrossValidation(({"loss": 0.5, "auc": math.nan}, {"loss": 0.7, "auc": 0.8}), 0.5).undefined_text("auc")
        'in 1 of 2 folds (fold 0, counted from 0)'
        """
        folds = self.undefined(name)
        numbers = f"{'fold' if len(folds) == 1 else 'folds'} {', '.join(map(str, folds))}"
        return f"in {len(folds)} of {plural(len(self.rows), 'fold')} ({numbers}, counted from 0)"

    def _defined(self, name: str) -> np.ndarray:
        return np.delete(self.values(name), self.undefined(name))

    def mean(self, name: str) -> float:
        """The mean over the folds in which the score is defined; NaN where it is in none.

        >>> CrossValidation(({"loss": 0.5}, {"loss": 0.75}), 0.5).mean("loss")
        0.625
        """
        values = self._defined(name)
        return float(values.mean()) if len(values) else math.nan

    def deviation(self, name: str) -> float:
        """The standard deviation over the folds in which the score is defined; NaN for one.

        >>> CrossValidation(({"loss": 1.0}, {"loss": 1.0}), 0.5).deviation("loss")
        0.0
        """
        values = self._defined(name)
        return float(values.std(ddof=1)) if len(values) > 1 else math.nan

    def interval(self, name: str) -> tuple[float, float]:
        """The 95 % interval of the mean.

        >>> CrossValidation(({"loss": 1.0}, {"loss": 1.0}), 0.5).interval("loss")
        (1.0, 1.0)
        """
        folds, share = len(self._defined(name)), self.test_share
        if folds < 2:
            return math.nan, math.nan
        half = student(folds - 1) * self.deviation(name) * math.sqrt(1 / folds + share / (1 - share))
        return self.mean(name) - half, self.mean(name) + half

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """The scores of the folds, their means and 95 % intervals, as a picture, saved to `path` if given.

        OSError where `path` cannot be written.

        >>> CrossValidation(({"loss": 0.5}, {"loss": 0.7}), 0.5).plot()
        <Picture: 2 folds, means with 95 % intervals>
        """
        charts = [fold_chart(name, self.values(name).tolist(), self.mean(name), self._interval_in_range(name))
                  for name in self.names]
        return written(Picture(f"{plural(len(self.rows), 'fold')}, means with 95 % intervals", tuple(charts),
                               columns=2), path)

    def _interval_in_range(self, name: str) -> tuple[float, float]:
        low, high = np.clip(self.interval(name), *self._range(name))
        return float(low), float(high)

    def __str__(self) -> str:
        lines = [f"{plural(len(self.rows), 'fold')}, means with 95 % intervals"]
        for name in self.names:
            low, high = self._interval_in_range(name)
            note = f", undefined {self.undefined_text(name)}" if self.undefined(name) else ""
            lines.append(f"{name:20} {self.mean(name):.4g}  ({low:.4g} to {high:.4g}){note}")
        return "\n".join(lines)

    def _range(self, name: str) -> Range:
        """The range of a score, or of the metric of whose parts it is one, such as "recall_low" of "recall"."""
        metric = max((known for known in self.ranges if f"{name}_".startswith(f"{known}_")), key=len, default="")
        return self.ranges.get(metric, (-math.inf, math.inf))

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))
