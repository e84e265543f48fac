"""What the trials of remedies found: by how much each change lowers the validation loss, and what was not tried."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import plural
from tarazu.diagnose.judging.formatting import number
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.record import History, Verdict
from tarazu.study.diagnosis.row_evidence import CORRECTED
from tarazu.study.interventions.chart import Bar, gain_chart
from tarazu.study.interventions.table import BALANCED
from tarazu.study.rows.shown import data_frame
from tarazu.study.trials.measured_advice import percents, with_measured_advice
from tarazu.study.trials.parts import MORE_ROWS
from tarazu.study.trials.trials import Gain

if TYPE_CHECKING:
    import pandas

NOTES = {
    MORE_ROWS: "carried on from fits to halves and quarters of the rows",
    CORRECTED: "judged by the rows whose targets are not in doubt",
}


class BalancedAccuracy(NamedTuple):
    """The mean recall of the classes as it is and with balanced class weights, and the interval of the difference.

    >>> print(BalancedAccuracy(0.71, 0.78, 0.02, 0.12))
    the balanced accuracy (the mean recall of the classes) goes from 0.71 to 0.78 (by 0.02 to 0.12)
    """

    before: float
    after: float
    low: float
    high: float

    def __str__(self) -> str:
        return (f"the balanced accuracy (the mean recall of the classes) goes from {self.before:.3g} to "
                f"{self.after:.3g} (by {self.low:.2g} to {self.high:.2g})")


@dataclass(frozen=True)
class Remedies:
    """By how much each change of a fit lowers its validation loss: what `tz.study.remedies` gives.

    `gains` are shares of `trivial_loss`, best first, or of `loss` where the trivial loss is not known (NaN). `loss` is
    the mean validation loss of the model as it is. `not_applicable` says of the changes that could not be made why;
    `diverged` how many fits were left out of each, with "" for the model as it is. `balanced_accuracy` is with
    balanced class weights, where they were tried. `history` is of the first fit of the model as it is; its verdict
    has the gains in place of guesses.

    >>> gain = Gain("dropout of 0.3", "too_much_capacity", 0.06, 0.01, 3)
    >>> found = Remedies((gain,), 0.35, 0.7, {"weight decay": "the model has weight decay of 0.5"}, {}, 3, 6)
    >>> print(found)
    validation loss as it is: 0.35, the mean of 3 fits; that of the best guess without inputs: 0.7
    with one thing changed, by the same seeds and rows, with 95 % intervals:
      dropout of 0.3                lowers it by 0.042 (0.028 to 0.056), 12 % (8 to 16)
    not tried:
      weight decay: the model has weight decay of 0.5
    """

    gains: tuple[Gain, ...]
    loss: float
    trivial_loss: float
    not_applicable: Mapping[str, str]
    diverged: Mapping[str, int]
    seeds: int
    fits: int
    balanced_accuracy: BalancedAccuracy | None = None
    history: History | None = field(default=None, compare=False)
    is_interrupted: bool = False  # by Ctrl-C; then it has the fits that were done

    @property
    def best(self) -> Gain | None:
        """The greatest gain of those whose interval is above 0; None where nothing lowers the loss for sure.

        >>> gain = Gain("weight decay", "too_much_capacity", 0.06, 0.05, 3)
        >>> Remedies((gain,), 0.35, 0.7, {}, {}, 3, 6).best is None
        True
        """
        return next((gain for gain in self.gains if gain.interval[0] > 0), None)

    def advise(self, history: History) -> Verdict:
        """Put the gains into the verdict of another run of the same model, in place of guesses, and give it.

        So `history.verdict` of your own `fit` says what was measured. ArgumentError for a history without a verdict.

        >>> history, gain = History(), Gain("dropout of 0.3", "too_much_capacity", 0.06, 0.01, 3)
        >>> history.verdict = Verdict("overfitting", "overfitting: a gap")
        >>> print(Remedies((gain,), 0.35, 0.7, {}, {}, 3, 6).advise(history))
        overfitting: a gap
          measured: 1 change of the fit
          what to try: dropout of 0.3: lowers the validation loss by 12 % (8 to 16), measured over 3 seeds
        """
        if history.verdict is None:
            raise ArgumentError("advise of a history without a verdict", expected="the history that fit gave",
                                fix="pass history = model.fit(...)")
        history.verdict = self.advised(history.verdict)
        return history.verdict

    def advised(self, verdict: Verdict) -> Verdict:
        """A verdict with the gains in place of guesses.

        >>> Remedies((), 0.35, 0.7, {}, {}, 3, 6).advised(Verdict("about right", "about right: no gap")).name
        'about right'
        """
        return with_measured_advice(verdict, self.gains, self.loss / self._unit)

    def to_frame(self) -> pandas.DataFrame:
        """The gains as a frame of pandas, in units of the loss and in percent of the model's own loss, with intervals.

        ArgumentError without pandas.

        >>> Remedies((), 0.35, 0.7, {}, {}, 3, 6).to_frame().shape
        (0, 10)
        """
        names = ["remedy", "cause", "gain", "gain_low", "gain_high", "percent", "percent_low", "percent_high", "seeds",
                 "diverged"]
        return data_frame([dict(zip(names, (gain.by, gain.cause, *self._in_units(gain), *self._in_percent(gain),
                                            gain.seeds, self.diverged.get(gain.by, 0)), strict=True))
                           for gain in self.gains], names)

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """By how much percent each change lowers the validation loss, as a picture, saved to `path` if given.

        Whiskers are 95 % intervals; blue bars lower the loss for sure, orange ones raise it. OSError where `path`
        cannot be written.

        >>> Remedies((), 0.35, 0.7, {}, {}, 3, 6).plot()
        <Picture: What lowers the validation loss>
        """
        bars = [Bar(gain.by, *self._in_percent(gain), percents(*self._in_percent(gain), "")) for gain in self.gains]
        name = f"by so many % of what it is ({number(self.loss)}); left of 0 it rises"
        return written(gain_chart("What lowers the validation loss", name, bars), path)

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        own = self.seeds - self.diverged.get("", 0)
        trivial = "" if math.isnan(self.trivial_loss) else (
            f"; that of the best guess without inputs: {number(self.trivial_loss)}")
        yield f"validation loss as it is: {number(self.loss)}, the mean of {plural(own, 'fit')}{trivial}"
        if self.is_interrupted:
            yield f"interrupted after {plural(self.fits, 'fit')}: what was done by then counts"
        if self.gains:
            yield "with one thing changed, by the same seeds and rows, with 95 % intervals:"
            yield from (f"  {gain.by:29} {self._change(gain)}" for gain in self.gains)
            yield from (f"  {gain.by}: {NOTES[gain.by]}" for gain in self.gains if gain.by in NOTES)
        if self.balanced_accuracy is not None:
            yield f"  {BALANCED}: {self.balanced_accuracy}"
        if self.gains and self.best is None:
            yield "nothing that was tried lowers it for sure"
        if self.diverged:
            yield "diverged, and left out: " + ", ".join(f"{plural(count, 'fit')} of {name or 'the model as it is'}"
                                                         for name, count in self.diverged.items())
        if self.not_applicable:
            yield "not tried:"
            for reason in dict.fromkeys(self.not_applicable.values()):
                names = [name for name, given in self.not_applicable.items() if given == reason]
                yield f"  {', '.join(names)}: {reason}"

    def _change(self, gain: Gain) -> str:
        sign = 1 if gain.mean >= 0 else -1
        mean, *ends = (sign * value for value in self._in_units(gain))
        low, high = sorted(ends)
        digits = _digits(max(abs(low), abs(high)))
        scale = 100 / (abs(self.loss) or 1.0)
        verb, doubt = "lowers" if sign > 0 else "raises", "" if low > 0 else "; not sure"
        return (f"{verb} it by {mean:.{digits}f} ({low:z.{digits}f} to {high:z.{digits}f}), "
                f"{percents(scale * mean, scale * low, scale * high)}{doubt}")

    @property
    def _unit(self) -> float:
        return self.trivial_loss if self.trivial_loss > 0 else abs(self.loss) or 1.0

    def _in_units(self, gain: Gain) -> tuple[float, float, float]:
        low, high = (end * self._unit for end in gain.interval)
        # A loss with a trivial one is never negative.
        return gain.mean * self._unit, low, min(high, max(self.loss, 0.0)) if self.trivial_loss > 0 else high

    def _in_percent(self, gain: Gain) -> tuple[float, float, float]:
        mean, low, high = (100 * value / (abs(self.loss) or 1.0) for value in self._in_units(gain))
        return mean, low, high


def _digits(largest: float) -> int:
    """So many decimals show two digits of a number."""
    return max(0, 1 - math.floor(math.log10(largest))) if largest > 0 else 0
