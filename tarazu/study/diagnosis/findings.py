"""What a diagnosis found, as plain data: evidence, remedies, rows and columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tarazu.record import History
from tarazu.study.curves.estimates import Estimate
from tarazu.study.rows.leakage import SuspectFeature
from tarazu.study.rows.shift import ColumnDifference
from tarazu.study.trials.trials import Gain


@dataclass(frozen=True)
class Evidence:
    """One number that a study gave, with what it says; the interval is about 95 %.

    >>> print(Evidence("label_noise", "share of wrong targets", 0.1, (0.08, 0.12)))
    share of wrong targets: 0.1 (0.08 to 0.12)
    """

    study: str
    name: str
    value: float
    interval: tuple[float, float] | None = None
    says: str = ""

    def __str__(self) -> str:
        interval = f" ({self.interval[0]:.3g} to {self.interval[1]:.3g})" if self.interval else ""
        return f"{self.name}: {self.value:.3g}{interval}{'; ' if self.says else ''}{self.says}"


@dataclass(frozen=True)
class SuspectTarget:
    """A row whose target seems wrong: its number, its target, and what a kernel method expects from the other rows.

    `source` says what it is a row of: "x", or "validation_data" where that was given, or a table. `unit` says what
    `row` counts: rows, from 0, or lines of a file.

    >>> print(SuspectTarget("x", 7, 1, 0))
    row 7 of x has 1, expected 0
    """

    source: str
    row: int
    target: float | str
    expected: float | str
    unit: str = "row"

    def __str__(self) -> str:
        return f"{self.name} has {value_text(self.target)}, expected {value_text(self.expected)}"

    @property
    def name(self) -> str:
        """Which row it is.

        >>> SuspectTarget("flats.csv", 7, 1, 0, "line").name
        'line 7 of flats.csv'
        """
        return f"{self.unit} {self.row} of {self.source}"


def value_text(value: float | str) -> str:
    """A target as people read it: numbers with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class RowsLoss:
    """The loss on new rows, in trivial losses, after training on so many rows; `is_measured`, or carried on to there.

    >>> RowsLoss(400, Estimate(0.5, 0.4, 0.6), True).loss.mean
    0.5
    """

    rows: int
    loss: Estimate
    is_measured: bool


@dataclass(frozen=True)
class Findings:
    """All that `tz.study.diagnose` found; `Diagnosis` says what each field is, and shows it."""

    cause: str
    ranking: tuple[tuple[str, float], ...]
    noise_rate: float | None
    overfit: bool | None
    evidence: tuple[Evidence, ...]
    remedies: tuple[Gain, ...]
    loss: float  # on new rows, in trivial losses
    fits: float
    train_loss: float = math.nan  # on the training rows, in trivial losses
    history: History | None = None  # of the fit that is diagnosed
    is_interrupted: bool = False  # by Ctrl-C; then it says what was known by then
    skipped: tuple[str, ...] = ()  # remedies that could help and were not tried: no budget, or no known change
    by_rows: tuple[RowsLoss, ...] = ()  # the loss by the number of training rows, up to four times what there is
    suspect_targets: tuple[SuspectTarget, ...] = ()  # the most suspicious first; none where targets are not in doubt
    leaking: tuple[SuspectFeature, ...] = ()  # columns that may be made from the target
    shifted: tuple[ColumnDifference, ...] = ()  # columns in which validation rows are of another kind
    kept_epoch: int | None = None  # whose weights the fit ends with

    def probability(self, cause: str) -> float:
        """That of a cause, from 0 to 1; 0 for one that was not measured.

        >>> Findings("healthy", (("healthy", 0.97),), None, None, (), (), 0.02, 3.0).probability("shift")
        0.0
        """
        return dict(self.ranking).get(cause, 0.0)
