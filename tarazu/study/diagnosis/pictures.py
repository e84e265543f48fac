"""The pictures of a diagnosis as SVG text: causes by probability, losses over epochs and over the number of rows."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.diagnose.reporting import svg
from tarazu.diagnose.reporting.svg import drawing, element, label
from tarazu.record import History
from tarazu.study.curves.chart import Line, curve_chart
from tarazu.study.curves.estimates import Estimate
from tarazu.study.diagnosis.causes import in_words
from tarazu.study.diagnosis.findings import RowsLoss

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 420, 14, 406, 10, 40, 14
PERCENT = 100


def cause_chart(ranking: Sequence[tuple[str, float]]) -> str:
    """A bar for the probability of each cause; its end is certainty."""
    named = [(in_words(cause), probability) for cause, probability in ranking]
    parts = []
    for number, (name, probability) in enumerate(named):
        top = TOP + ROW * number
        parts += [label(LEFT, top + 10, name, "start", class_="name"),
                  label(RIGHT, top + 10, percent(probability), "end"),
                  *(element("rect", x=LEFT, y=top + 17, width=width, height=BAR, class_=style) for style, width in (
                      ("track", RIGHT - LEFT), ("bar", max(1.0, (RIGHT - LEFT) * probability))))]
    said = "; ".join(f"{name}: {percent(probability)}" for name, probability in named)
    return drawing(WIDTH, TOP + ROW * len(named), f"how probable each cause is; {said}", "".join(parts))


def percent(share: float) -> str:
    """A probability as people read it: no cause is ever certain or excluded.

    >>> percent(0.994), percent(0.9999), percent(0.0)
    ('99 %', 'over 99 %', 'under 1 %')
    """
    return "over 99 %" if share > 0.995 else "under 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def loss_curves(history: History, kept_epoch: int | None) -> str:
    """The loss on training and on validation rows by epoch, with a mark at the one that is kept; "" without epochs."""
    columns = history.history
    if not len(history) or "loss" not in columns:
        return ""
    series = {name: columns[key] for name, key in (("train", "loss"), ("validation", "val_loss")) if key in columns}
    return svg.curves("loss", [row["epoch"] for row in history.rows], series, kept_epoch)


def rows_chart(points: Sequence[RowsLoss]) -> str:
    """The loss on new rows by the number of training rows: as measured, and dashed as it is expected to go on."""
    def line(chosen: Sequence[RowsLoss], is_law: bool) -> Line:
        return Line("validation", [point.rows for point in chosen],
                    [Estimate(*(PERCENT * x for x in point.loss)) for point in chosen], is_law)

    measured = [point for point in points if point.is_measured]
    expected = [measured[-1], *(point for point in points if not point.is_measured)]
    lines = [line(measured, False)] + ([line(expected, True)] if len(expected) > 1 else [])
    return curve_chart("loss on new rows, in %", "training rows", lines,
                       {float(point.rows): f"{point.rows:,}" for point in points}, logarithmic=True)
