"""Scores as text for a terminal: never wider than asked for, unless a single word is."""

from __future__ import annotations

import math
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import TextIO

import numpy as np

from tarazu.base.messages import plural, shortened
from tarazu.data import TableSummary
from tarazu.data.tables.target import CLASSIFICATION
from tarazu.tabular.assessment import MAJORITY, MEAN, Assessment

LABELS = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "F1, mean of classes",
          "roc_auc": "ROC AUC", "log_loss": "log loss", "r2": "R2", "mae": "MAE", "rmse": "RMSE"}
PERCENT = {"accuracy", "balanced_accuracy", "macro_f1", "precision", "recall", "f1"}
UNDEFINED = "-"
MOST_CLASSES, MOST_COLUMNS = 12, 8  # that a terminal shows; the report has all
OFTEN_MISSED = 0.5  # classes of which fewer rows than this share are recognized get a line of their own
LONGEST_NAME = 24
NO_BREAK = "\N{NO-BREAK SPACE}"


def score(name: str, value: float) -> str:
    """The value of a score, in percent where it is a share.

    >>> score("accuracy", 0.9804), score("rmse", 1234.5678), score("roc_auc", float("nan"))
    ('98.0%', '1,235', '-')
    """
    if not math.isfinite(value):
        return UNDEFINED
    if name in PERCENT:
        return f"{value:.1%}"
    if name in ("roc_auc", "r2"):
        return f"{value:z.3f}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}"


def all_scores(assessment: Assessment, width: int | None = None) -> str:
    """The scores by part, by class and the importance of the columns; `width` None breaks no lines."""
    guess = wrapped(explain_guess(assessment), width)
    blocks = [f"{by_part(assessment)}\n{guess}", by_class(assessment, width), importance(assessment, width)]
    return "\n\n".join(block for block in blocks if block)


def by_part(assessment: Assessment) -> str:
    """A row per score, a column per part and one for the trivial guess."""
    parts, names = list(assessment.scores), list(next(iter(assessment.scores.values())))
    rows = [[LABELS[name], *(score(name, assessment.scores[part][name]) for part in parts)] for name in names]
    return columns(["", *parts], rows)


def explain_guess(assessment: Assessment) -> str:
    """What the trivial guess is."""
    if assessment.task == CLASSIFICATION:
        return (f"{MAJORITY}: always {assessment.guess!r} in the {assessment.subset} rows; "
                "its log loss is that of the class frequencies")
    return f"{MEAN}: always {assessment.guess}, the mean of the training rows, in the {assessment.subset} rows"


def by_class(assessment: Assessment, width: int | None = None) -> str:
    """A row per class (those of lowest F1) with its scores, and a line for each class that is seldom recognized."""
    if not assessment.classes:
        return ""
    names = ["precision", "recall", "f1"]
    shown, hidden = list(assessment.classes.items()), len(assessment.classes) - MOST_CLASSES
    if hidden > 0:
        shown = sorted(shown, key=lambda item: np.nan_to_num(item[1]["f1"], nan=2.0))[:MOST_CLASSES]
    rows = [[name, f"{row['rows']:,.0f}", *(score(key, row[key]) for key in names)] for name, row in shown]
    header = [f"class ({assessment.subset})", "rows", "precision", "recall", "F1"]
    return "\n".join([columns(header, rows), *_more(hidden, "class", "classes", ", of higher F1,"),
                      *(wrapped(line, width) for line in missed(assessment))])


def missed(assessment: Assessment) -> list[str]:
    """A line for each class of which fewer than half of the rows are recognized, and what they are taken for."""
    lines = []
    for name, row in assessment.classes.items():
        if row["recall"] < OFTEN_MISSED:  # NaN, of a class without rows, is not
            other, count = assessment.mistaken[name]
            right, rows = round(row["recall"] * row["rows"]), plural(row["rows"], "row")
            lines.append(f"{name!r}: {right:,} of {rows} recognized, {count:,} taken for {other!r}")
    return lines[:MOST_CLASSES]


def importance(assessment: Assessment, width: int | None = None) -> str:
    """The columns by importance, with intervals."""
    if not assessment.importance:
        return ""
    shown = assessment.importance[:MOST_COLUMNS]
    decimals = max(0, 2 - math.floor(math.log10(shown[0].increase))) if 0 < shown[0].increase < math.inf else 3
    rows = [[each.column, *(f"{value:z,.{decimals}f}" if math.isfinite(value) else UNDEFINED for value in each[1:])]
            for each in shown]
    hidden = len(assessment.importance) - len(rows)
    return "\n".join([wrapped(importance_title(assessment), width),
                      columns(["column", "rise", "from", "to (95 %)"], rows),
                      *_more(hidden, "column", "columns")])


def _more(hidden: int, noun: str, several: str, kind: str = "") -> list[str]:
    """The line that says what is left out here."""
    return [f"and {hidden:,} more {noun if hidden == 1 else several}{kind} in the report"] if hidden > 0 else []


def importance_title(assessment: Assessment) -> str:
    """What the numbers of importance are."""
    measure = "log loss" if assessment.task == CLASSIFICATION else "MAE"
    return f"rise of the {measure} when a column is shuffled ({assessment.subset} rows)"


def summary(table: TableSummary, width: int | None = None) -> str:
    """What is in a table, and the notes about its columns."""
    return "\n".join(wrapped(line, width, "  ") for line in str(table).split("\n"))


def wrapped(text: str, width: int | None, indent: str = "") -> str:
    """`text` in lines of at most `width` characters, the later ones indented; unbroken for None.

    >>> print(wrapped("the model removes half of the loss", 20, "  "))
    the model removes
      half of the loss
    """
    if width is None:
        return text
    held = text.replace(" %", f"{NO_BREAK}%")  # a number and its sign stay together
    return textwrap.fill(held, width, subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False).replace(NO_BREAK, " ")


def terminal_width(stream: TextIO | None = None) -> int | None:
    """How wide the terminal behind `stream` (default: standard output) is; None where the output goes elsewhere."""
    return shutil.get_terminal_size().columns if (stream or sys.stdout).isatty() else None


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells in columns, the first one to the left, the others to the right; long names are cut.

    >>> print(columns(["", "train", "test"], [["accuracy", "98.0%", "7.0%"]]))
              train  test
    accuracy  98.0%  7.0%
    """
    lines = [[shortened(cells[0], LONGEST_NAME), *cells[1:]] for cells in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned: list[Callable[[str, int], str]] = [str.ljust, *[str.rjust] * (len(widths) - 1)]
    return "\n".join("  ".join(align(cell, width) for align, cell, width in zip(aligned, cells, widths, strict=True))
                     .rstrip() for cells in lines)
