"""The picture of a cross-validation: for each score a dot for each fold, the mean and its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tarazu.picture.axis import make_axis
from tarazu.picture.chart import Chart
from tarazu.picture.marks import Band, Curve, Dots, Mark


def fold_chart(name: str, values: Sequence[float], mean: float, interval: tuple[float, float]) -> Chart:
    """The `values` of a score over the folds, counted from 0, NaN where it is undefined; a band is the interval.

    >>> fold_chart("loss", [0.5, 0.7], 0.6, (0.5, 0.7)).title
    'loss 0.6 (0.5 to 0.7)'
    """
    scores, ends = np.asarray(values, np.float64), np.asarray(interval, np.float64)
    defined, folds = np.isfinite(scores), np.arange(len(scores))
    x_axis = make_axis([-0.5, len(scores) - 0.5])._replace(low=-0.5, high=len(scores) - 0.5)
    ticks = make_axis(folds.tolist(), whole=True).ticks
    sides = [x_axis.low, x_axis.high]
    marks: list[Mark] = [Dots(folds[defined], scores[defined])]
    title = name
    if np.isfinite(mean):
        marks.insert(0, Curve(sides, [mean, mean], "muted", is_dashed=True))
        title = f"{name} {mean:.4g}"
    if np.isfinite(ends).all():
        marks.insert(0, Band(sides, [ends[0]] * 2, [ends[1]] * 2, "muted"))
        title += f" ({ends[0]:.4g} to {ends[1]:.4g})"
    every = np.concatenate([scores, ends])
    shown = tuple(tick for tick in ticks if 0 <= tick < len(scores))
    return Chart(title, x_axis._replace(ticks=shown), make_axis(every[np.isfinite(every)].tolist()), marks, "fold")
