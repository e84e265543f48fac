"""The report: one whole, well-formed file with the numbers in it, for every kind of run."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import synthetic_runs as synthetic

from tarazu.base.errors import ShapeError
from tarazu.diagnose import (
    Calibration,
    ConfusionMatrix,
    DataTable,
    Importance,
    ImportanceChart,
    PredictedAgainstTrue,
    ThresholdCurves,
    judge,
    write_report,
)
from tarazu.diagnose.reporting import score_charts
from tarazu.picture.axis import make_axis
from tarazu.record import History
from tarazu.record.charts import scales_picture

VOID = {"meta"}


class Balance(HTMLParser):
    """Follows the open elements; fails on one that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page_of(folder, history: History, **options) -> str:
    page = write_report(folder / "report.html", **{"title": "a run", "history": history, "table": {}, **options})
    text = page.read_text(encoding="utf-8")
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(drawing)
    return text


def judged(history: History) -> History:
    history.verdict = judge(history)
    return history


def test_it_tells_the_verdict_the_evidence_the_advice_and_the_scores(tmp_path):
    history = judged(synthetic.overfit(0))
    text = page_of(tmp_path, history, table={"train": {"loss": 0.0123, "accuracy": 0.9961}, "test": {"loss": 1.5}})
    for finding in history.verdict.findings:
        assert finding.evidence.replace("'", "&#39;") in text
    assert all(line in text for line in history.verdict.advice)
    assert "99.6 %" in text and "0.0123" in text and "–" in text


def test_it_needs_nothing_else_and_leaves_no_other_file(tmp_path):
    text = page_of(tmp_path, judged(synthetic.healthy(0)))
    assert not re.search(r"<script|<link|<img|@import|url\(|src=", text)
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"] * text.count("<svg")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_names_from_the_user_are_escaped(tmp_path):
    history = synthetic.healthy(0)
    for row in history.rows:
        row["<b>"] = 1.0
    evil, one = "<script>", np.ones(1)
    panels = [ConfusionMatrix([evil, "&"], np.eye(2)), Calibration(one, one, evil),
              ThresholdCurves(one, one, evil),
              PredictedAgainstTrue(one, one, evil), ImportanceChart([Importance(evil, 1.0, 0.5, 1.5)], evil),
              DataTable(evil, [evil], [[evil]], evil)]
    table = {"<script>": {"&<": 1.0}}
    text = page_of(tmp_path, history, title=evil, panels=panels, notes=[evil], table=table, table_note=evil,
                   settings={evil: evil}, rows={evil: 3})
    assert "<script" not in text and "<b>" not in text


@pytest.mark.parametrize("epochs", [0, 1, 2, 5000])
def test_runs_of_any_length(tmp_path, epochs):
    history = History()
    for epoch in range(epochs):
        history.append(loss=1 / (epoch + 1), val_loss=0.5)
    assert len(page_of(tmp_path, history)) < 100_000


def test_runs_with_nan_infinity_and_missing_values(tmp_path):
    history = History()
    for loss, val_loss in [(1.0, None), (float("nan"), 2.0), (float("inf"), None), (-1.0, 3.0)]:
        history.append(loss=loss, val_loss=val_loss)
    text = page_of(tmp_path, history)
    assert not re.search(r"\b(nan|inf)\b", text) and text.count('class="point') == 4


def test_confusion_counts_and_right_total(tmp_path):
    matrix = ConfusionMatrix(["cat", "dog"], np.array([[1800, 200], [0, 1000]]), "test")
    text = page_of(tmp_path, History(), panels=[matrix])
    assert "Confusion on test data: 2,800 of 3,000 right (93 %)" in text
    assert "<strong>90 %</strong><small>1,800</small></td>" in text


def test_a_class_without_samples_is_no_division_by_zero(tmp_path):
    assert "0 of 0 right" in page_of(tmp_path, History(), panels=[ConfusionMatrix(["cat", "dog"], np.zeros((2, 2)))])


def test_predicted_against_true_is_thinned_and_named(tmp_path):
    values = np.linspace(0, 1e6, 50_000)
    text = page_of(tmp_path, History(), panels=[PredictedAgainstTrue(values, values[:, None], "price in $")])
    assert "true price in $" in text and "predicted price in $" in text
    assert text.count('class="dot train"') <= 2 * score_charts.MAX_POINTS


def test_plots_whose_parts_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"\(2, 2\) for 3 class names"):
        ConfusionMatrix(["a", "b", "c"], np.eye(2))
    with pytest.raises(ShapeError, match="2 true and 3 predicted values"):
        PredictedAgainstTrue(np.ones(2), np.ones(3), "y")
    with pytest.raises(ShapeError, match=r"probabilities of shape \(2,\) and outcomes of shape \(3,\)"):
        Calibration(np.ones(2), np.ones(3), "rain")
    with pytest.raises(ShapeError, match=r"of shape \(2,\) and outcomes of shape \(3,\)"):
        ThresholdCurves(np.ones(2), np.ones(3), "rain")


def test_curves_of_thresholds_begin_and_end_in_the_corners(tmp_path):
    generator = np.random.default_rng(0)
    happened = generator.uniform(size=9000) < 0.3
    panel = ThresholdCurves(happened + generator.normal(size=9000), happened, "rain", "test")
    text = page_of(tmp_path, History(), panels=[panel])
    assert re.search(r"Thresholds on test data: ROC AUC 0\.7\d\d, average precision 0\.5\d\d", text)
    roc, precision = (points.split() for points in re.findall(r'polyline points="([^"]+)" class="curve train"', text))
    assert len(roc) == len(precision) == score_charts.MAX_POINTS
    corners = [list(map(float, point.split(","))) for point in (roc[0], roc[-1])]
    assert [b - a for a, b in zip(*corners, strict=True)] == [376.0, -376.0]
    assert precision[-1].split(",")[0] == roc[-1].split(",")[0]


def test_curves_where_nothing_happened_are_empty(tmp_path):
    text = page_of(tmp_path, History(), panels=[ThresholdCurves(np.ones(2), np.zeros(2), "rain")])
    assert "ROC AUC nan, average precision nan" in text and text.count("<polyline points=\"\"") == 2


@pytest.mark.parametrize("values", [[], [0.0], [5.0], [-3.0], [0.1, 0.2], [-1e9, 1e9], [1e-300, 1e300],
                                    [1e-9, 1e-9 + 1e-12]])
@pytest.mark.parametrize("logarithmic", [False, True])
def test_axes_hold_their_values_and_have_two_to_nine_ticks(values, logarithmic):
    axis = make_axis(values, 0, 100, logarithmic=logarithmic)
    assert 2 <= len(axis.ticks) <= 9
    assert all(-0.01 <= axis.pixel(value) <= 100.01 for value in values)
    assert len(set(axis.ticks)) == len(axis.ticks)


@pytest.mark.parametrize(("verdict", "heavier"), [("underfitting", "bias"), ("overfitting", "variance"),
                                                  ("about right", None), ("undecided", None)])
def test_the_scales_lean_to_the_verdict(verdict, heavier):
    drawing = scales_picture(verdict).svg()
    places = re.findall(r'y="([\d.]+)" text-anchor="middle" class="ink">(bias|variance)<', drawing)
    heights = {word: float(y) for y, word in places}
    lower = max(heights, key=heights.__getitem__) if len(set(heights.values())) == 2 else None
    assert lower == heavier


def test_the_majority_is_told_beside_the_confusion(tmp_path):
    """76 % right, and nothing of the smaller class: its row is orange, and the line below says why 76 % is nothing."""
    matrix = ConfusionMatrix(["no", "yes"], np.array([[76, 0], [24, 0]]))
    text = page_of(tmp_path, History(), panels=[matrix])
    assert "76 of 100 right (76 %)" in text and "Always saying no would be right for 76 (76 %)." in text
    assert '<td class="strong" style="--share: 1.00"><strong>100 %</strong><small>24</small></td>' in text
    assert '<td class="hit none" style="--share: 0.00"><strong>0 %</strong><small>0</small></td>' in text


def test_a_matrix_of_many_classes_shows_counts_only(tmp_path):
    matrix = ConfusionMatrix([f"class {number}" for number in range(30)], 5 * np.eye(30, dtype=int))
    text = page_of(tmp_path, History(), panels=[matrix])
    assert text.count('<table class="confusion large">') == 1 and "<strong>" not in text


def test_of_hundreds_of_classes_the_frequent_mistakes_are_listed(tmp_path):
    counts = np.diag(np.full(500, 10))
    counts[3, 4] = 5
    text = page_of(tmp_path, History(), panels=[ConfusionMatrix([f"class {i}" for i in range(500)], counts)])
    assert len(text) < 50_000 and "5,000 of 5,005 right (99.9 %)" in text
    assert '<th scope="row">class 3</th><td>class 4</td><td>5</td><td>33 %</td></tr>' in text


def test_panels_stand_in_their_order_with_their_numbers(tmp_path):
    generator = np.random.default_rng(0)
    probabilities = generator.uniform(size=2000)
    panels = [DataTable("Worst", ("", "true"), [("line 7", "cat")], "first\nsecond"),
              Calibration(probabilities, generator.uniform(size=2000) < probabilities, "rain", "test"),
              ImportanceChart([Importance("age", 0.5, 0.4, 0.6), Importance("x" * 50, -0.01, -0.02, 0.0)], "rise"),
              PredictedAgainstTrue(np.arange(5.0), np.arange(5.0) + 1, "price", "test")]
    text = page_of(tmp_path, History(), panels=panels)
    titles = ["Worst", "Calibration on test data: ", "Importance of the columns",
              "Predicted against true, and residuals, on test data"]
    positions = [text.index(f"<h2>{title}") for title in titles]
    assert positions == sorted(positions)
    assert re.search(r"Calibration on test data: [1-4]\.\d % off", text)
    assert text.count('class="bar train"') == 2 and text.count('class="whisker ink"') == 12
    assert "x" * 43 + "…" in text and "x" * 44 not in text.replace("x" * 50, "")


@pytest.mark.parametrize("columns", [[], [Importance("a", 0.0, 0.0, 0.0)],
                                     [Importance("a", 1.0, -np.inf, np.inf), Importance("b", np.nan, np.nan, np.nan)]])
def test_importance_that_is_not_known_is_still_a_picture(columns):
    drawing = score_charts.importance(columns).svg()
    ElementTree.fromstring(drawing)
    assert not re.search(r"\b(nan|inf)\b", drawing)


def test_settings_rows_and_scores(tmp_path):
    table = {"train": {"R2": 0.97, "F1, mean of classes": 0.5}, "mean": {"R2": -5e-5}}
    text = page_of(tmp_path, History(), table=table, table_note="mean: always 3", rows={"train": 37_758, "test": 0},
                   settings={"loss": "cross-entropy", "made by": "tarazu fit a.csv"})
    assert "37,758 train rows" in text and "test rows" not in text
    for part in ("<td>0.970</td><td>0.000</td>", "<td>50 %</td><td>–</td>", "mean: always 3", "<dd>cross-entropy</dd>",
                 "<code>tarazu fit a.csv</code>"):
        assert part in text


def test_notes_that_warn_are_seen(tmp_path):
    text = page_of(tmp_path, History(), notes=["age: in years", "warning: code: it alone predicts the target"])
    assert "<p>age: in years</p>" in text
    assert '<p><span class="severity warning">warning</span> code: it alone predicts the target</p>' in text


def test_the_word_in_gurmukhi_needs_no_font(tmp_path):
    text = page_of(tmp_path, History())
    assert not re.search(r"[\u0a00-\u0a7f]", text) and "<title>Tarazu, a pair of scales</title>" in text
