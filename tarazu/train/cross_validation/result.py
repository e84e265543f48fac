"""The scores of the folds of a cross-validation, their means and intervals."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import plural

# The 0.975 quantiles of Student's distribution for 1 to 29 degrees of freedom; beyond that the normal one's.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045)


@dataclass(frozen=True)
class CrossValidation:
    """What `cross_validate` found: `rows` has the scores of each fold by name.

    `mean`, `deviation` (of the sample, with folds - 1) and `interval` take the name of a score. Intervals are those of
    Nadeau and Bengio, 2003: folds share training rows, so the variance of the mean is (1 / folds + test / train) times
    that of the scores. Printed, and in notebooks, it is a table.

    >>> found = CrossValidation(({"loss": 0.5}, {"loss": 0.7}), 0.5)
    >>> found.mean("loss"), round(found.deviation("loss"), 4)
    (0.6, 0.1414)
    """

    rows: tuple[dict[str, float], ...]
    test_share: float  # of the rows of a fold

    def values(self, name: str) -> np.ndarray:
        """The scores of the folds, (folds,); ArgumentError for a name that none has.

        >>> CrossValidation(({"loss": 0.5}, {"loss": 0.75}), 0.5).values("loss").tolist()
        [0.5, 0.75]
        """
        if name not in self.rows[0]:
            raise ArgumentError(f"no score {name!r}", expected=f"one of {', '.join(self.rows[0])}", fix="choose one")
        return np.array([row[name] for row in self.rows])

    def mean(self, name: str) -> float:
        """The mean over the folds.

        >>> CrossValidation(({"loss": 0.5}, {"loss": 0.75}), 0.5).mean("loss")
        0.625
        """
        return float(self.values(name).mean())

    def deviation(self, name: str) -> float:
        """The standard deviation over the folds; NaN for one.

        >>> CrossValidation(({"loss": 1.0}, {"loss": 1.0}), 0.5).deviation("loss")
        0.0
        """
        values = self.values(name)
        return float(values.std(ddof=1)) if len(values) > 1 else math.nan

    def interval(self, name: str) -> tuple[float, float]:
        """The 95 % interval of the mean.

        >>> CrossValidation(({"loss": 1.0}, {"loss": 1.0}), 0.5).interval("loss")
        (1.0, 1.0)
        """
        folds, share = len(self.rows), self.test_share
        t = STUDENT[folds - 2] if 2 <= folds <= len(STUDENT) + 1 else 1.960
        half = t * self.deviation(name) * math.sqrt(1 / folds + share / (1 - share))
        return self.mean(name) - half, self.mean(name) + half

    def __str__(self) -> str:
        lines = [f"{plural(len(self.rows), 'fold')}, means with 95 % intervals"]
        for name in self.rows[0]:
            low, high = self.interval(name)
            lines.append(f"{name:20} {self.mean(name):.4g}  ({low:.4g} to {high:.4g})")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
