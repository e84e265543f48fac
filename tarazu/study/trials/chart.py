"""The chart of gains as SVG text: what each change does to the loss, with intervals, best first. It has own colors."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from tarazu.base.messages import shortened
from tarazu.diagnose.reporting.axis import Axis, make_axis, tick_text
from tarazu.diagnose.reporting.rate_chart import STYLE
from tarazu.diagnose.reporting.svg import drawing, element, label
from tarazu.record.textfile import write_text
from tarazu.study.trials.trials import Gain

OWN_STYLE = (".name{fill:#5c6675}.gain{fill:#2f9e63}.loss{fill:#d9662b}.gain,.loss{fill-opacity:.75}"
             ".whisker{stroke:#7a8494;stroke-width:1.5}.zero{stroke:#7a8494;stroke-width:1.5}"
             "@media(prefers-color-scheme:dark){.name{fill:#b4bcc8}}")
WIDTH, LEFT, RIGHT = 420, 14, 406
TOP, ROW = 62, 40  # above the first row, and of each
BAR, CAP = 14, 4  # the height of a bar, and half of that of the end of a whisker
MOST_ROWS, LONGEST_NAME = 20, 44
AXIS_NAME = "by how much the loss falls, in % of that of a guess without inputs"
ROOM = 1.5  # an interval is cut where it goes further than so many times the largest mean


def gain_chart(gains: Sequence[Gain], title: str, path: str | os.PathLike | None = None) -> str:
    """By how much each change lowers the loss, in percent of the trivial loss, as the text of an SVG picture.

    The best is first. A bar to the right of the zero line lowers the loss, one to the left raises it; the line over it
    is the 95 % interval. Written to `path` if given; of more than 20 changes the best are shown. OSError where `path`
    cannot be written.

    >>> gain_chart([Gain("4 x the rows", "too_little_data", 0.25, 0.0625, 1)], "remedies").startswith("<svg")
    True
    """
    shown = sorted(gains, key=lambda gain: -gain.mean)[:MOST_ROWS]
    bottom = TOP + ROW * max(1, len(shown))
    axis = _axis(shown)
    parts = [element("style", STYLE + OWN_STYLE), label(LEFT, 18, title, "start", class_="title"),
             _grid(axis, bottom), *_directions(axis.pixel(0)),
             *(_row(gain, axis, TOP + ROW * number) for number, gain in enumerate(shown)),
             label((LEFT + RIGHT) / 2, bottom + 36, AXIS_NAME)]
    if not shown:
        parts.append(label((LEFT + RIGHT) / 2, TOP + ROW / 2, "nothing was tried"))
    picture = drawing(WIDTH, bottom + 44, _summary(title, shown), "".join(parts))
    if path is not None:
        write_text(path, picture)
    return picture


def _axis(gains: Sequence[Gain]) -> Axis:
    """From the largest loss to the largest gain, in percent, with intervals as far as they leave the bars room."""
    most = ROOM * max((abs(gain.mean) for gain in gains), default=0.01)
    ends = [100 * min(max(end, -most), most) for gain in gains for end in (gain.mean, *gain.interval)]
    return make_axis([0.0, *(end for end in ends if math.isfinite(end)), 1.0], LEFT + 12, RIGHT - 12, whole=True)


def _grid(axis: Axis, bottom: float) -> str:
    """A line and a number at each tick."""
    lines = [element("line", x1=axis.pixel(tick), y1=TOP - 8, x2=axis.pixel(tick), y2=bottom, class_="grid")
             for tick in axis.ticks]
    return "".join([*lines, *(label(axis.pixel(tick), bottom + 17, tick_text(tick)) for tick in axis.ticks)])


def _directions(zero: float) -> list[str]:
    """Which side of the zero line is good; the other one is named where there is room."""
    better = label(RIGHT, 42, "the loss falls: better ▶", "end")
    return [better, label(LEFT, 42, "◀ it rises: worse", "start")] if zero > LEFT + 0.1 * (RIGHT - LEFT) else [better]


def _row(gain: Gain, axis: Axis, top: float) -> str:
    """The name, and below it the bar with its interval."""
    low, high = (min(max(100 * end, axis.low), axis.high) for end in gain.interval)
    left, right = sorted([axis.pixel(0), axis.pixel(min(max(100 * gain.mean, axis.low), axis.high))])
    y = top + 24
    ends = [axis.pixel(low), axis.pixel(high)]
    whisker = [element("line", x1=ends[0], y1=y, x2=ends[1], y2=y, class_="whisker"),
               *(element("line", x1=x, y1=y - CAP, x2=x, y2=y + CAP, class_="whisker") for x in ends)]
    bar = element("rect", x=left, y=y - BAR / 2, width=max(right - left, 0.5), height=BAR,
                  class_="gain" if gain.mean >= 0 else "loss")
    zero = element("line", x1=axis.pixel(0), y1=y - BAR / 2 - 3, x2=axis.pixel(0), y2=y + BAR / 2 + 3, class_="zero")
    name = label(LEFT, top + 10, shortened(gain.by, LONGEST_NAME), "start", class_="name")
    return bar + zero + "".join(whisker) + name + label(RIGHT, top + 10, _change(gain), "end")


def _change(gain: Gain) -> str:
    """By how many percent of the trivial loss it falls or rises, with the interval."""
    falls = gain.mean >= 0
    first, second = sorted(100 * end if falls else -100 * end for end in gain.interval)
    return f"{'falls' if falls else 'rises'} by {abs(100 * gain.mean):.1f} ({first:z.1f} to {second:z.1f})"


def _summary(title: str, gains: Sequence[Gain]) -> str:
    """What the picture shows, for those who cannot see it."""
    return "; ".join([title, *(f"{gain.by}: {_change(gain)}" for gain in gains)])
