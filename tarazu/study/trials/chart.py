"""The picture of gains: what each change does to the loss, with intervals, best first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.picture.axis import Axis, make_axis
from tarazu.picture.bar_rows import MOST_ROWS, Row, bar_rows
from tarazu.picture.picture import Picture
from tarazu.study.trials.trials import Gain

AXIS_NAME = "by how much the loss falls, in % of that of a guess without inputs"
ROOM = 1.5  # an interval is cut where it goes further than so many times the largest mean


def gain_chart(gains: Sequence[Gain], title: str) -> Picture:
    """By how much each change lowers the loss, in percent of the trivial loss.

    The best is first. A bar to the right of the zero line lowers the loss, one to the left raises it; the line over it
    is the 95 % interval. Of more than 20 changes the best are shown.

    >>> gain_chart([Gain("4 x the rows", "too_little_data", 0.25, 0.0625, 1)], "remedies").charts[0].title
    'remedies'
    """
    shown = sorted(gains, key=lambda gain: -gain.mean)[:MOST_ROWS]
    rows = [Row(gain.by, 100 * gain.mean, _change(gain), 100 * gain.interval[0], 100 * gain.interval[1],
                "gain" if gain.mean >= 0 else "loss") for gain in shown]
    chart = bar_rows(title, rows, _axis(shown), AXIS_NAME, if_none="nothing was tried")
    return Picture(_summary(title, shown), (chart,))


def _axis(gains: Sequence[Gain]) -> Axis:
    """From the largest loss to the largest gain, in percent, with intervals as far as they leave the bars room."""
    most = ROOM * max((abs(gain.mean) for gain in gains), default=0.01)
    ends = [100 * min(max(end, -most), most) for gain in gains for end in (gain.mean, *gain.interval)]
    return make_axis([0.0, *(end for end in ends if math.isfinite(end)), 1.0], whole=True)


def _change(gain: Gain) -> str:
    """By how many percent of the trivial loss it falls or rises, with the interval."""
    falls = gain.mean >= 0
    first, second = sorted(100 * end if falls else -100 * end for end in gain.interval)
    return f"{'falls' if falls else 'rises'} by {abs(100 * gain.mean):.1f} ({first:z.1f} to {second:z.1f})"


def _summary(title: str, gains: Sequence[Gain]) -> str:
    """What the picture shows, for those who cannot see it."""
    return "; ".join([title, *(f"{gain.by}: {_change(gain)}" for gain in gains)])
