"""Pictures of predictions beside the truth: those of the report, with titles of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.diagnose.reporting import score_charts
from tarazu.diagnose.reporting.score_charts import SQUARE
from tarazu.diagnose.scoring.calibration import BINS, calibration_bins, expected_calibration_error
from tarazu.diagnose.scoring.classes import confusion_counts, roc_auc
from tarazu.diagnose.scoring.numbers import r2, rmse
from tarazu.diagnose.scoring.threshold_curves import precision_recall_curve, roc_curve
from tarazu.draw.arrays import array, class_numbers, column, finite, outcomes, whole_numbers
from tarazu.ops.typing import ArrayLike
from tarazu.picture.colors import SERIES
from tarazu.picture.marks import Curve
from tarazu.picture.picture import Picture


def confusion(true: ArrayLike, predicted: ArrayLike, classes: Sequence[str] | None = None) -> Picture:
    """The confusion matrix: a cell for each true class (row) and predicted class (column), with counts.

    `true` (rows,) are class numbers or names, `predicted` too, or scores (rows, classes), of which the largest counts;
    `classes` are names. The darker a cell, the larger its share of the row; blue is right, orange is wrong. `values`
    are the counts, (classes, classes). ArgumentError for a class that is not among the names, and for NaN.

    >>> import tarazu as tz
    >>> tz.draw.confusion([0, 0, 1], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], ["cat", "dog"]).values.tolist()
    [[1, 1], [0, 1]]
    """
    truth, said, names = class_numbers(true, predicted, classes)
    return score_charts.confusion(names, confusion_counts(truth, said, len(names)))


def roc(happened: ArrayLike, scores: ArrayLike, event: str | Sequence[str] = "") -> Picture:
    """The ROC curve of `scores` (rows,) for what `happened` (rows,), true or false.

    With scores (rows, classes), `happened` are class numbers, and there is a curve of each class against the rest;
    `event` is then the names of the classes. `values` are the curves, as `tz.diagnose.roc_curve` gives them, in a list
    for several classes. ShapeError for shapes that do not fit, ArgumentError for NaN, and where nothing happened, or
    all.

    >>> import tarazu as tz
    >>> tz.draw.roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    <Picture: ROC curve, area 0.75>
    """
    given = array(scores)
    if given.ndim == 2 and given.shape[1] > 1:
        return _roc_of_classes(happened, finite("scores", given), event)
    truth, given = _mixed(happened), finite("scores", column("scores", given))
    curve = roc_curve(truth, given)
    area = f", area {_area(truth, given):.3g}"
    name = event if isinstance(event, str) else event[-1]
    picture = score_charts.roc(curve, name or "events")
    return _titled(picture, f"ROC curve{f' of {name}' if name else ''}{area}", curve)


def _mixed(happened: ArrayLike) -> np.ndarray:
    """Outcomes of which some are true and some are false; ArgumentError for others, which have no curve."""
    truth = outcomes(happened)
    if truth.all() or not truth.any():
        raise ArgumentError(f"outcomes that are all {'true' if truth[0] else 'false'}", expected="rows of both kinds",
                            fix="draw more rows, or another event")
    return truth


def _roc_of_classes(happened: ArrayLike, scores: np.ndarray, event: str | Sequence[str]) -> Picture:
    labels = whole_numbers("happened", happened, "pass the number of the class of each row")
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise ArgumentError(f"class numbers from {labels.min()} to {labels.max()} for {scores.shape[1]} scores a row",
                            expected=f"0 to {scores.shape[1] - 1}", fix="pass the scores of all classes")
    names = [str(n) for n in range(scores.shape[1])] if isinstance(event, str) else [str(name) for name in event]
    if len(names) != scores.shape[1]:
        raise ShapeError(f"{len(names)} names for scores of shape {scores.shape}", expected="a name for each class",
                         fix=f"pass {scores.shape[1]} names, or none")
    curves = [roc_curve(labels == number, scores[:, number]) for number in range(len(names))]
    picture = score_charts.roc(curves[0], "the class")
    diagonal, _ = picture.charts[0].marks
    lines = [Curve(curve.false_positive_rate, curve.true_positive_rate, SERIES[number % len(SERIES)],
                   f"{names[number]}: {_area(labels == number, scores[:, number]):.3g}",
                   is_dashed=number % (2 * len(SERIES)) >= len(SERIES))
             for number, curve in enumerate(curves)]
    chart = dataclasses.replace(picture.charts[0], marks=(diagonal, *lines))
    return _titled(dataclasses.replace(picture, charts=(chart,)), "ROC curve and area of each class", curves)


def _area(happened: np.ndarray, scores: np.ndarray) -> float:
    return roc_auc(np.asarray(happened, np.int64), scores)


def precision_recall(happened: ArrayLike, scores: ArrayLike, event: str = "") -> Picture:
    """Precision over recall at each threshold of `scores` (rows,), for what `happened` (rows,), true or false.

    Chance lies on the dashed line. `values` is the curve, as `tz.diagnose.precision_recall_curve` gives it. ShapeError
    for shapes that do not fit, ArgumentError for NaN, and where nothing happened, or all.

    >>> import tarazu as tz
    >>> tz.draw.precision_recall([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    <Picture: precision and recall, average precision 0.833>
    """
    given = finite("scores", column("scores", scores))
    curve = precision_recall_curve(_mixed(happened), given)
    title = f"precision and recall{f' of {event}' if event else ''}, average precision {curve.average:.3g}"
    return _titled(score_charts.precision_recall(curve, event or "events"), title, curve)


def calibration(happened: ArrayLike, probabilities: ArrayLike, event: str = "", bins: int = BINS) -> Picture:
    """How often an event `happened` (rows,) over how probable it was said to be, `probabilities` (rows,), in bins.

    A larger dot stands for more rows; lines are 95 % intervals. Below the dashed line the model is too sure. `values`
    are the bins, as `tz.diagnose.calibration_bins` gives them. ShapeError for shapes that do not fit, ArgumentError for
    what is no probability.

    >>> import tarazu as tz
    >>> tz.draw.calibration([1, 0, 0], [0.9, 0.9, 0.2])
    <Picture: calibration, 33 % off on average>
    """
    found = calibration_bins(_probabilities(probabilities), outcomes(happened), bins)
    error = score_charts.percent(expected_calibration_error(found))
    title = f"calibration{f' of {event}' if event else ''}, {error} off on average"
    return _titled(score_charts.calibration(found, event or "the event"), title, found)


def _probabilities(x: ArrayLike) -> np.ndarray:
    values = finite("probabilities", column("probabilities", x))
    if values.min() < 0 or values.max() > 1:
        raise ArgumentError(f"probabilities from {values.min():.3g} to {values.max():.3g}", expected="0 to 1",
                            fix="of logits: tz.sigmoid(logits), or tz.softmax(logits, -1) and a column of it")
    return values


def predictions(true: ArrayLike, predicted: ArrayLike, target: str = "target") -> Picture:
    """A dot for each row: the predicted over the true number, both (rows,); a perfect model lies on the dashed line.

    Of more than 2,000 rows some are drawn, with those that are furthest off among them. `target` names the numbers,
    with their unit: "price in $". ShapeError for shapes that do not fit, ArgumentError for NaN.

    >>> import tarazu as tz
    >>> tz.draw.predictions([1.0, 2.0, 3.0], [1.1, 2.0, 2.9], "price in $")
    <Picture: predicted against true price in $, R2 0.99>
    """
    truth, said = _pair(true, predicted)
    picture = score_charts.predicted_against_true(truth, said, target)
    return _titled(picture, f"{picture.title}, R2 {r2(truth, said):.3g}", None)


def residuals(true: ArrayLike, predicted: ArrayLike, target: str = "target") -> Picture:
    """A dot for each row: the true minus the predicted number over the predicted one, both (rows,).

    Of more than 2,000 rows some are drawn, with the largest residuals among them. `values` are the residuals, (rows,).
    ShapeError for shapes that do not fit, ArgumentError for NaN.

    >>> import tarazu as tz
    >>> tz.draw.residuals([1.0, 2.0, 3.0], [1.5, 2.0, 2.5], "price in $")
    <Picture: residuals of price in $, RMSE 0.408>
    """
    truth, said = _pair(true, predicted)
    picture = score_charts.residuals(truth, said, target)
    return _titled(picture, f"{picture.title}, RMSE {rmse(truth, said):.3g}", truth - said)


def _pair(true: ArrayLike, predicted: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    truth, said = (finite(name, column(name, x)) for name, x in (("true", true), ("predicted", predicted)))
    if truth.shape != said.shape:
        raise ShapeError(f"{len(truth)} true and {len(said)} predicted numbers", expected="one prediction per row",
                         fix="predict the same rows")
    return truth, said


def _titled(picture: Picture, title: str, values: object) -> Picture:
    """The picture with a title that is seen, as no page says it, and a little smaller."""
    size = 0.8 * SQUARE[0], 0.8 * SQUARE[1]
    charts = tuple(dataclasses.replace(chart, title=title, size=size) for chart in picture.charts)
    return Picture(title, charts, values=values)
