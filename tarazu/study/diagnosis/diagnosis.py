"""What a diagnosis found: the cause, how probable each is, the evidence, and what helps by how much."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tarazu.base.messages import listing, plural
from tarazu.record import History
from tarazu.study.diagnosis.causes import CAUSES, HEALTHY, UNDECIDED, in_words
from tarazu.study.rows.shown import data_frame, notebook_html
from tarazu.study.trials.chart import gain_chart
from tarazu.study.trials.trials import Gain

if TYPE_CHECKING:
    import pandas


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
class Diagnosis:
    """Why a fit generalizes as it does, measured by small experiments: what `tz.study.diagnose` gives.

    `cause` is one of `tz.study.CAUSES`, "healthy", or "undecided"; `ranking` has pairs of cause and probability, the
    most probable first. `noise_rate` is the share of wrong targets, `overfit` whether the model fits its training rows
    much better than new ones for a cause that more rows or less freedom would mend; None where that is not known.
    `evidence` are the numbers with their studies, `remedies` what was tried and what it gains, best first, as shares
    of the loss of the best guess that looks at no inputs. `fits` is about how many fits it took.

    >>> found = Diagnosis("healthy", (("healthy", 0.97),), 0.0, False, (), (), 0.02, 3.0)
    >>> print(found)
    healthy (97 %): nothing that was tried would lower the loss by much
    """

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
    skipped: tuple[str, ...] = ()  # remedies that could help and were not tried, as the budget was spent

    def probability(self, cause: str) -> float:
        """That of a cause, from 0 to 1; 0 for one that was not measured.

        >>> Diagnosis("healthy", (("healthy", 0.97),), None, None, (), (), 0.02, 3.0).probability("shift")
        0.0
        """
        return dict(self.ranking).get(cause, 0.0)

    def to_frame(self) -> pandas.DataFrame:
        """The remedies as a frame of pandas: cause, gain, both ends of its interval, seeds.

        ArgumentError without pandas.

        >>> Diagnosis("healthy", (("healthy", 0.97),), None, None, (), (), 0.02, 3.0).to_frame().shape
        (0, 6)
        """
        return data_frame([{"remedy": gain.by, "cause": gain.cause, "gain": gain.mean, "low": gain.interval[0],
                            "high": gain.interval[1], "seeds": gain.seeds} for gain in self.remedies],
                          ["remedy", "cause", "gain", "low", "high", "seeds"])

    def plot(self, path: str | os.PathLike | None = None) -> str:
        """What each remedy gains, with its 95 % interval, as an SVG picture, written to `path` if given.

        OSError where `path` cannot be written.

        >>> Diagnosis("healthy", (("healthy", 0.97),), None, None, (), (), 0.02, 3.0).plot().startswith("<svg")
        True
        """
        return gain_chart(self.remedies, "what lowers the loss on new rows", path)

    def __str__(self) -> str:
        lines = [self._headline()]
        if self.is_interrupted:
            lines.append(f"  interrupted after {self.fits:.0f} fits: what was not tried by then is not known")
        if self.skipped:
            lines.append(f"  not tried, as the budget was spent: {listing(self.skipped)}")
        if self.cause in CAUSES:
            lines.append(f"  {CAUSES[self.cause].means} What helps: {CAUSES[self.cause].remedy}.")
        if self.remedies:
            lines.append("measured, in % of the loss of a guess without inputs (this model's: "
                         f"{100 * self.loss:.0f} %):")
            lines += [f"  {gain.by:32} {_change(gain)}" for gain in self.remedies]
        lines += [f"  {one}" for one in self.evidence]
        return "\n".join(lines)

    def _headline(self) -> str:
        if self.cause == UNDECIDED:
            likely = ", ".join(f"{in_words(cause)} {100 * p:.0f} %" for cause, p in self.ranking[:3])
            return f"undecided: {likely}"
        sure = f"{in_words(self.cause)} ({100 * self.probability(self.cause):.0f} %)"
        return f"{sure}: nothing that was tried would lower the loss by much" if self.cause == HEALTHY else sure

    def _repr_html_(self) -> str:
        return notebook_html(self.plot(), str(self))


def _change(gain: Gain) -> str:
    low, high = gain.interval if gain.mean >= 0 else (-gain.interval[1], -gain.interval[0])
    verb = "lowers it by" if gain.mean >= 0 else "raises it by"
    return f"{verb} {100 * abs(gain.mean):.1f} ({100 * low:.1f} to {100 * high:.1f}), {plural(gain.seeds, 'seed')}"
