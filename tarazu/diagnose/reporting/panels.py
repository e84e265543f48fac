"""From the data of panels to what the template of the report shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.diagnose.judging.formatting import percent
from tarazu.diagnose.reporting import score_charts
from tarazu.diagnose.reporting.plots import (
    Calibration,
    ConfusionMatrix,
    DataTable,
    ImportanceChart,
    Panel,
    PredictedAgainstTrue,
    ThresholdCurves,
)
from tarazu.diagnose.scoring.calibration import calibration_bins, expected_calibration_error
from tarazu.diagnose.scoring.classes import roc_auc
from tarazu.diagnose.scoring.threshold_curves import precision_recall_curve, roc_curve

MOST_WITH_SHARES = 8  # classes of a confusion matrix whose cells show shares beside counts
MOST_IN_A_MATRIX = 40  # classes: a larger matrix fills several screens, and one of thousands a disk
MOST_MISTAKES = 20


def all_panels(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """For each panel its `kind`, "matrix", "charts" or "table", its title, what that kind shows, and a note."""
    return [CONTENT[type(panel)](panel) for panel in panels]


def _matrix(plot: ConfusionMatrix) -> dict[str, Any]:
    """The cells as counts and shares of their rows; of very many classes the most frequent mistakes only."""
    right = f"{plot.right:,} of {plot.total:,} right" + (f" ({percent(plot.right / plot.total)})" if plot.total else "")
    title = f"Confusion on {plot.subset} data: {right}"
    if len(plot.classes) > MOST_IN_A_MATRIX:
        return {"kind": "table", "title": title, "header": ("true", "predicted", "rows", "of the class"),
                "rows": _mistakes(plot), "note": f"{_majority(plot)}These are the most frequent mistakes."}
    rows = [(name, [(int(cell), f"{share:.2f}", percent(share)) for cell, share in zip(counts, shares, strict=True)],
             int(np.sum(counts))) for name, counts, shares in zip(plot.classes, plot.counts, plot.shares, strict=True)]
    return {"kind": "matrix", "title": title, "classes": plot.classes, "rows": rows,
            "large": len(rows) > MOST_WITH_SHARES,
            "note": f"{_majority(plot)}Rows are true classes, columns what was predicted. Blue is right, orange is "
                    "wrong, the darker the larger its share of the row: a class whose row is orange is not recognized."}


def _mistakes(plot: ConfusionMatrix) -> list[tuple[str, str, str, str]]:
    """The most frequent pairs of a true and another predicted class."""
    wrong = np.array(plot.counts) - np.diag(np.diag(plot.counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_MISTAKES]
    pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True) if wrong[i, j]]
    shares = plot.shares
    return [(plot.classes[i], plot.classes[j], f"{int(wrong[i, j]):,}", percent(shares[i, j])) for i, j in pairs]


def _majority(plot: ConfusionMatrix) -> str:
    """What always saying the most frequent class would give."""
    if not plot.total:
        return ""
    sizes = np.sum(plot.counts, axis=1)
    name, count = plot.classes[int(sizes.argmax())], int(sizes.max())
    return f"Always saying {name} would be right for {count:,} ({percent(count / plot.total)}).\n"


def _numbers(plot: PredictedAgainstTrue) -> dict[str, Any]:
    charts = [draw(plot.true, plot.predicted, plot.target).svg_of_page()
              for draw in (score_charts.predicted_against_true, score_charts.residuals)]
    return {"kind": "charts", "title": f"Predicted against true, and residuals, on {plot.subset} data",
            "charts": charts, "note": "Each dot is a sample; a perfect prediction lies on the dashed line. Residuals "
            "that bend, or widen to one side, show what the model has not learned there."}


def _calibration(plot: Calibration) -> dict[str, Any]:
    bins = calibration_bins(plot.probabilities, plot.happened)
    error = percent(expected_calibration_error(bins))
    return {"kind": "charts", "title": f"Calibration on {plot.subset} data: {error} off on average",
            "charts": [score_charts.calibration(bins, plot.event).svg_of_page()],
            "note": "Each dot stands for the samples of about that probability (a larger dot for more), with the 95 % "
                    "interval of the share in which it happened. Below the dashed line the model is too sure."}


def _curves(plot: ThresholdCurves) -> dict[str, Any]:
    roc, precision = roc_curve(plot.happened, plot.scores), precision_recall_curve(plot.happened, plot.scores)
    area = roc_auc(np.asarray(plot.happened, np.int64), plot.scores)
    return {"kind": "charts", "title": f"Thresholds on {plot.subset} data: ROC AUC {area:.3f}, average precision "
                                       f"{precision.average:.3f}",
            "charts": [score_charts.roc(roc, plot.event).svg_of_page(),
                       score_charts.precision_recall(precision, plot.event).svg_of_page()],
            "note": "Each point of a curve is a threshold: above it a sample counts as predicted. Scores by chance lie "
                    "on the dashed lines."}


def _importance(plot: ImportanceChart) -> dict[str, Any]:
    return {"kind": "charts", "title": "Importance of the columns",
            "charts": [score_charts.importance(plot.columns).svg_of_page()],
            "note": f"The {plot.title}, with its 95 % interval. Of two columns that say the same, each alone seems to "
                    "matter little."}


def _table(plot: DataTable) -> dict[str, Any]:
    return {"kind": "table", "title": plot.title, "header": plot.header, "rows": plot.rows, "note": plot.note}


CONTENT: dict[type, Callable[..., dict[str, Any]]] = {
    ConfusionMatrix: _matrix, PredictedAgainstTrue: _numbers, Calibration: _calibration,
    ThresholdCurves: _curves, ImportanceChart: _importance, DataTable: _table}
