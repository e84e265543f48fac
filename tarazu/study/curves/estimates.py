"""The points of curves: the losses of several fits of one kind, and their means with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tarazu.base.messages import plural
from tarazu.train.cross_validation.result import student


class Estimate(NamedTuple):
    """A mean and the ends of its 95 % interval, which are NaN where there is a single value.

    >>> print(Estimate(0.314, 0.28, 0.35))
    0.314 (0.28 to 0.35)
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        interval = "" if math.isnan(self.low) else f" ({self.low:.3g} to {self.high:.3g})"
        return f"{self.mean:.3g}{interval}"


@dataclass(frozen=True)
class CurvePoint:
    """A point of a curve: what the fits have in common, and the mean losses of both parts after each of them.

    A fit that diverged has NaN in both. `parameters` is how many numbers the model learns.

    >>> point = CurvePoint(100, (0.5, 0.75, float("nan")), (0.75, 1.0, float("nan")), 41)
    >>> point.val_loss.mean, point.diverged
    (0.875, 1)
    """

    value: object
    losses: tuple[float, ...]
    val_losses: tuple[float, ...]
    parameters: int

    @property
    def loss(self) -> Estimate:
        """That of the rows it was trained on."""
        return _of_losses(self.losses)

    @property
    def val_loss(self) -> Estimate:
        """That of the validation rows."""
        return _of_losses(self.val_losses)

    @property
    def diverged(self) -> int:
        """How many fits ended with a loss that is not finite; no mean counts them."""
        return sum(math.isnan(loss) for loss in self.val_losses)

    @property
    def record(self) -> dict[str, object]:
        """The row of a table."""
        names = ("loss", "val_loss")
        made: dict[str, object] = {"fits": len(self.val_losses), "diverged": self.diverged,
                                   "parameters": self.parameters}
        for name, found in zip(names, (self.loss, self.val_loss), strict=True):
            made |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
        return made


COLUMNS = ("fits", "diverged", "parameters", "loss", "loss_low", "loss_high", "val_loss", "val_loss_low",
           "val_loss_high")


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of the values that are finite, and its interval by Student's distribution; NaN of none.

    >>> print(estimate([1.0, 2.0, 3.0]))
    2 (-0.484 to 4.48)
    """
    finite = np.array([value for value in values if math.isfinite(value)])
    if not len(finite):
        return Estimate(math.nan, math.nan, math.nan)
    mean = float(finite.mean())
    if len(finite) == 1:
        return Estimate(mean, math.nan, math.nan)
    half = student(len(finite) - 1) * float(finite.std(ddof=1)) / math.sqrt(len(finite))
    return Estimate(mean, mean - half, mean + half)


def _of_losses(losses: Sequence[float]) -> Estimate:
    """That of losses; where none is negative its interval begins at 0."""
    mean, low, high = estimate(losses)
    return Estimate(mean, max(low, 0.0) if low < 0 <= np.nanmin(losses) else low, high)


def all_diverged(points: Sequence[CurvePoint]) -> bool:
    """Whether no point has a validation loss that is a number.

    >>> all_diverged([CurvePoint(1, (0.5,), (0.75,), 41)])
    False
    """
    return all(math.isnan(point.val_loss.mean) for point in points)


def point_table(name: str, points: Sequence[CurvePoint], most: int = 20) -> str:
    """The losses of points as lines of text; of more than `most` an even choice.

    >>> print(point_table("rows", [CurvePoint(80, (0.5,), (0.75,), 41)]))
      rows  validation  training
        80        0.75       0.5
    """
    chosen = [points[i] for i in np.unique(np.linspace(0, len(points) - 1, min(most, len(points))).round().astype(int))]
    cells = [(name, "validation", "training"),
             *((value_text(point.value), str(point.val_loss), str(point.loss)) for point in chosen)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
                     for row in cells)


def notes(points: Sequence[CurvePoint], interrupted: bool) -> list[str]:
    """Lines about fits that are missing from the means.

    >>> notes([CurvePoint(80, (float("nan"),), (float("nan"),), 41)], True)
    ['1 fit of 1 diverged and is left out of the means (80: 1)', 'interrupted: fits are missing']
    """
    lines = []
    diverged, fits = sum(point.diverged for point in points), sum(len(point.val_losses) for point in points)
    if diverged:
        where = ", ".join(f"{value_text(point.value)}: {point.diverged}" for point in points if point.diverged)
        verb = "diverged and is" if diverged == 1 else "diverged and are"
        lines.append(f"{plural(diverged, 'fit')} of {fits} {verb} left out of the means ({where})")
    return lines + ["interrupted: fits are missing"] * interrupted


def value_text(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
