"""The pictures of a diagnosis: causes by probability, losses over epochs and over the number of rows."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.picture.axis import Axis
from tarazu.picture.bar_rows import Row, bar_rows
from tarazu.picture.picture import Picture
from tarazu.record import History
from tarazu.record.charts import metric_charts
from tarazu.study.curves.chart import Line, curve_chart
from tarazu.study.curves.estimates import Estimate
from tarazu.study.diagnosis.causes import in_words
from tarazu.study.diagnosis.findings import RowsLoss

PERCENT = 100


def cause_chart(ranking: Sequence[tuple[str, float]]) -> Picture:
    """A bar for the probability of each cause; its end is certainty."""
    rows = [Row(in_words(cause), probability, percent(probability)) for cause, probability in ranking]
    said = "; ".join(f"{row.name}: {row.text}" for row in rows)
    chart = bar_rows("", rows, Axis(0.0, 1.0, 0.0, 1.0, ()))
    return Picture(f"how probable each cause is; {said}", (chart,))


def percent(share: float) -> str:
    """A probability as people read it: no cause is ever certain or excluded.

    >>> percent(0.994), percent(0.9999), percent(0.0)
    ('99 %', 'over 99 %', 'under 1 %')
    """
    return "over 99 %" if share > 0.995 else "under 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def loss_curves(history: History, kept_epoch: int | None) -> Picture | None:
    """The loss on training and validation rows by epoch, with a mark at the one that is kept; None without epochs."""
    columns = history.history
    if not len(history) or "loss" not in columns:
        return None
    epochs = [row["epoch"] for row in history.rows]
    return Picture("loss by epoch", tuple(metric_charts(columns, epochs, kept_epoch, ["loss"])))


def rows_chart(points: Sequence[RowsLoss]) -> Picture:
    """The loss on new rows by the number of training rows: as measured, and dashed as it is expected to go on."""
    def line(chosen: Sequence[RowsLoss], is_law: bool) -> Line:
        return Line("validation", [point.rows for point in chosen],
                    [Estimate(*(PERCENT * x for x in point.loss)) for point in chosen], is_law)

    measured = [point for point in points if point.is_measured]
    expected = [measured[-1], *(point for point in points if not point.is_measured)]
    lines = [line(measured, False)] + ([line(expected, True)] if len(expected) > 1 else [])
    return curve_chart("loss on new rows, in %", "training rows", lines,
                       {float(point.rows): f"{point.rows:,}" for point in points}, logarithmic=True)
