"""Predictions beside the truth: numbers in titles, names of classes, shapes that do not fit."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.picture.marks import Dots

RNG = np.random.default_rng(0)
HAPPENED = RNG.uniform(size=200) < 0.4
SCORES = HAPPENED + RNG.normal(size=200)


def test_confusion_takes_numbers_names_and_scores():
    wanted = [[1, 1], [0, 2]]
    names = ["cat", "dog"]
    for true, predicted in (([0, 0, 1, 1], [0, 1, 1, 1]), (["cat", "cat", "dog", "dog"], ["cat", "dog", "dog", "dog"]),
                            ([0, 0, 1, 1], tz.tensor([[1.0, 0], [0, 1], [0, 1], [0, 1]])),
                            (tz.one_hot(tz.tensor([0, 0, 1, 1]), 2), [[0], [1], [1], [1]])):
        picture = tz.draw.confusion(true, predicted, names)
        assert picture.values.tolist() == wanted and picture.title == "confusion: 3 of 4 right (75 %)"
        assert ">cat<" in picture.svg()
    with pytest.raises(ArgumentError, match="the class 'cow'\n  expected: one of cat, dog"):
        tz.draw.confusion(["cow"], ["cat"], names)


def test_classes_with_names_like_tags_are_escaped_and_many_have_no_counts():
    assert "<b>" not in tz.draw.confusion([0], [0], ["<b>"])._repr_html_()
    many = tz.draw.confusion(np.arange(50), np.arange(50))
    assert many.values.shape == (50, 50) and many.charts[0].color_bar is not None


def test_curves_have_their_areas_in_the_title():
    area = tz.diagnose.roc_auc(HAPPENED.astype(int), SCORES)
    assert tz.draw.roc(HAPPENED, SCORES, "rain").title == f"ROC curve of rain, area {area:.3g}"
    average = tz.diagnose.precision_recall_curve(HAPPENED, SCORES).average
    assert f"average precision {average:.3g}" in tz.draw.precision_recall(HAPPENED, SCORES).title


def test_several_classes_have_a_curve_each():
    labels, scores = np.arange(60) % 3, RNG.normal(size=(60, 3))
    picture = tz.draw.roc(labels, scores, ["a", "b", "<c>"])
    assert len(picture.values) == 3 and "&lt;c&gt;: 0." in picture.svg()
    with pytest.raises(ShapeError, match="2 names for scores of shape"):
        tz.draw.roc(labels, scores, ["a", "b"])


def test_calibration_predictions_and_residuals_have_their_numbers():
    probabilities = 1 / (1 + np.exp(-SCORES))
    found = tz.draw.calibration(HAPPENED, probabilities, "rain", bins=5)
    assert len(found.values) <= 5 and "% off on average" in found.title
    true = np.arange(5.0)
    assert tz.draw.predictions(true[:, None], true, "price in $").title.endswith("R2 1")
    assert tz.draw.residuals(true, true - 2).values.tolist() == [2.0] * 5
    with pytest.raises(ShapeError, match="5 true and 4 predicted"):
        tz.draw.residuals(true, true[:4])
    with pytest.raises(ShapeError, match=r"scores of shape \(5, 5\)|happened of shape"):
        tz.draw.precision_recall(np.ones(5), np.ones((5, 5)))


def test_confusion_takes_probabilities_of_one_class_and_no_other_broken_numbers():
    assert tz.draw.confusion([0, 1, 1], [[0.4], [0.6], [0.7]]).values.tolist() == [[1, 0], [0, 2]]
    with pytest.raises(ArgumentError, match="predicted with -1.5, which is no class number(.|\n)*predicted > 0"):
        tz.draw.confusion([0, 1], [-1.5, 2.5])
    with pytest.raises(ArgumentError, match="true with 0.9, which is no class number"):
        tz.draw.confusion([0.9, 1], [0, 1])
    with pytest.raises(ArgumentError, match=r"with 1 of 4 values NaN or infinite, the first \(nan\) in row 1"):
        tz.draw.confusion([0, 1], [[1.0, 0.0], [np.nan, 1.0]])
    with pytest.raises(ArgumentError, match="class numbers up to 1,000,000,000(.|\n)*at most 2,000 classes"):
        tz.draw.confusion([0, 1], [0, 10**9])


@pytest.mark.parametrize("draw", [tz.draw.roc, tz.draw.precision_recall, tz.draw.calibration])
def test_outcomes_and_scores_that_are_none(draw):
    for happened, shown in (([1, 2, 2], "1, 2"), (["no", "yes", "no"], "'no', 'yes'")):
        with pytest.raises(ArgumentError, match=f"happened with the values {shown}(.|\n)*compare: happened == "):
            draw(happened, [0.1, 0.2, 0.3])
    with pytest.raises(ArgumentError, match=r"with 1 of 3 values NaN or infinite, the first \(nan\) in row 2"):
        draw([0, 1, 1], [0.1, 0.2, np.nan])
    with pytest.raises(ShapeError, match="without rows"):
        draw([], [])


def test_a_curve_needs_rows_of_both_kinds_and_calibration_probabilities():
    for draw in (tz.draw.roc, tz.draw.precision_recall):
        with pytest.raises(ArgumentError, match="outcomes that are all true"):
            draw([1, 1], [0.1, 0.2])
    with pytest.raises(ArgumentError, match="class numbers from 1 to 3 for 3 scores a row"):
        tz.draw.roc([1, 2, 3], np.eye(3))
    with pytest.raises(ArgumentError, match="probabilities from -3 to 4(.|\n)*tz.sigmoid"):
        tz.draw.calibration([0, 1, 1], [-3.0, 2, 4])


def test_predictions_are_finite_numbers():
    with pytest.raises(ArgumentError, match=r"with 1 of 2 values NaN or infinite, the first \(inf\) in row 1"):
        tz.draw.predictions([1, 2], [1, np.inf])
    with pytest.raises(ArgumentError, match="true of <U1, such as"):
        tz.draw.residuals(["a"], ["b"])


@pytest.mark.parametrize("draw", [tz.draw.predictions, tz.draw.residuals])
def test_of_many_rows_those_furthest_off_are_drawn(draw):
    true = np.linspace(0, 1, 10_001)
    predicted = true.copy()
    predicted[[4321, 7777]] = 30, -40
    (dots,) = [mark for mark in draw(true, predicted).charts[0].marks if isinstance(mark, Dots)]
    assert {30, -40} <= {round(number) for number in (*dots.x, *dots.y)} and len(dots.x) < 2500
