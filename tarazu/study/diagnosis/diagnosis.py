"""What a diagnosis found: the cause, how probable each is, the evidence, and what helps by how much."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tarazu.base.messages import listing, plural
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.study.diagnosis.causes import CAUSES, HEALTHY, UNDECIDED, in_words
from tarazu.study.diagnosis.findings import Findings
from tarazu.study.diagnosis.report import write_diagnosis
from tarazu.study.rows.shown import data_frame
from tarazu.study.trials.chart import gain_chart
from tarazu.study.trials.trials import Gain

if TYPE_CHECKING:
    import pandas

MOST_NAMED = 5  # columns and rows


@dataclass(frozen=True)
class Diagnosis(Findings):
    """Why a fit generalizes as it does, measured by small experiments: what `tz.study.diagnose` gives.

    `cause` is one of `tz.study.CAUSES`, "healthy", or "undecided"; `ranking` has pairs of cause and probability, the
    most probable first. `noise_rate` is the share of wrong targets, `overfit` whether the model fits its training rows
    much better than new ones for a cause that more rows or less freedom would mend; None where that is not known.
    `evidence` are the numbers with their studies, `remedies` what was tried and what it gains, best first, as shares
    of the loss of the best guess that looks at no inputs. `by_rows` has the loss by the number of training rows,
    `suspect_targets` rows whose targets seem wrong, `leaking` and `shifted` the columns that are to blame. `fits` is
    about how many fits it took.

    >>> found = Diagnosis("healthy", (("healthy", 0.97),), 0.0, False, (), (), 0.02, 3.0)
    >>> print(found)
    healthy (97 %): nothing that was tried would lower the loss by much
    """

    def to_frame(self) -> pandas.DataFrame:
        """The remedies as a frame of pandas: cause, gain, both ends of its interval, seeds.

        ArgumentError without pandas.

        >>> Diagnosis("healthy", (("healthy", 0.97),), None, None, (), (), 0.02, 3.0).to_frame().shape
        (0, 6)
        """
        return data_frame([{"remedy": gain.by, "cause": gain.cause, "gain": gain.mean, "low": gain.interval[0],
                            "high": gain.interval[1], "seeds": gain.seeds} for gain in self.remedies],
                          ["remedy", "cause", "gain", "low", "high", "seeds"])

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """What each remedy gains, with its 95 % interval, as a picture, saved to `path` if given.

        OSError where `path` cannot be written.

        >>> Diagnosis("healthy", (("healthy", 0.97),), None, None, (), (), 0.02, 3.0).plot()
        <Picture: what lowers the loss on new rows>
        """
        return written(gain_chart(self.remedies, "what lowers the loss on new rows"), path)

    def report(self, path: str | os.PathLike, *, title: str = "Why the model does as it does",
               notes: Sequence[str] = ()) -> Path:
        """Write one HTML page that needs no other file, with the answer, pictures and numbers, and give its path.

        `notes` are lines at its end that say how it was made. OSError where it cannot be written; what was there before
        is then as it was.

        >>> import tempfile
        >>> found = Diagnosis("healthy", (("healthy", 0.97),), 0.0, False, (), (), 0.02, 3.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     "Nothing has to be mended" in found.report(f"{folder}/why.html").read_text()
        True
        """
        return write_diagnosis(path, self, title, notes)

    def __str__(self) -> str:
        lines = [self.headline]
        if self.is_interrupted:
            lines.append(f"  interrupted after {self.fits:.0f} fits: what was not tried by then is not known")
        if self.skipped:
            lines.append(f"  not tried, for want of budget or of a way to change this model: {listing(self.skipped)}")
        if self.cause in CAUSES:
            lines.append(f"  {CAUSES[self.cause].means} What helps: {CAUSES[self.cause].remedy}.")
        if self.remedies:
            lines.append("measured, in % of the loss of a guess without inputs (this model's: "
                         f"{100 * self.loss:.0f} %):")
            lines += [f"  {gain.by:32} {_change(gain)}" for gain in self.remedies]
        lines += [f"  {one}" for one in self.evidence]
        if self.shifted:
            named = [f"{one.name!r} by {one.difference:.2g} standard deviations" for one in self.shifted[:MOST_NAMED]]
            lines.append(f"  columns that differ most: {', '.join(named)}")
        if self.suspect_targets:
            lines.append(f"  the most suspicious targets: {'; '.join(map(str, self.suspect_targets[:MOST_NAMED]))}")
        return "\n".join(lines)

    @property
    def headline(self) -> str:
        """The cause with its probability, or the most probable ones where none is named.

        >>> Diagnosis("shift", (("shift", 0.97),), 0.0, True, (), (), 0.6, 3.0).headline
        'shift (97 %)'
        """
        if self.cause == UNDECIDED:
            likely = ", ".join(f"{in_words(cause)} {100 * p:.0f} %" for cause, p in self.ranking[:3])
            return f"undecided: {likely}"
        sure = f"{in_words(self.cause)} ({100 * self.probability(self.cause):.0f} %)"
        return f"{sure}: nothing that was tried would lower the loss by much" if self.cause == HEALTHY else sure

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))


def _change(gain: Gain) -> str:
    low, high = gain.interval if gain.mean >= 0 else (-gain.interval[1], -gain.interval[0])
    verb = "lowers it by" if gain.mean >= 0 else "raises it by"
    return f"{verb} {100 * abs(gain.mean):.1f} ({100 * low:.1f} to {100 * high:.1f}), {plural(gain.seeds, 'seed')}"
