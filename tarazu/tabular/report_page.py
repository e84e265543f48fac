"""What the report of a fitted table shows: scores, plots, rows, notes about columns and settings."""

from __future__ import annotations

import math
from typing import TypedDict

from tarazu.data import Split, TableEncoder, TableSummary
from tarazu.diagnose import DataTable, ImportanceChart, Panel
from tarazu.diagnose.judging.formatting import percent
from tarazu.record import History
from tarazu.tabular import score_text
from tarazu.tabular.assessment import Assessment, Scores
from tarazu.tabular.network import describe_network
from tarazu.tabular.options import PATIENCE, TableOptions, usual_batch_size


class Content(TypedDict):
    """The arguments of `write_report` but its path."""

    title: str
    history: History
    table: Scores
    table_note: str
    panels: list[Panel]
    notes: list[str]
    settings: dict[str, str]
    rows: dict[str, int]


def content(encoder: TableEncoder, summary: TableSummary, split: Split, history: History, assessment: Assessment,
            options: TableOptions, title: str, made_by: str) -> Content:
    """All that the page says, as arguments of `write_report`."""
    rows = {part: len(numbers) for part, numbers in split._asdict().items()}
    return Content(title=title, history=history, table=_labeled(assessment),
                   table_note=score_text.explain_guess(assessment), panels=_panels(assessment),
                   notes=column_notes(summary), rows=rows,
                   settings=_settings(encoder, options, rows["train"], made_by))


def column_notes(summary: TableSummary) -> list[str]:
    """What the table holds, and a line for each column that there is something to say of."""
    counts, target, *_ = str(summary).split("\n")
    ignored = [f"{name}: left out, {reason}" for name, reason in summary.ignored.items()]
    return [counts, target, *ignored, *map(str, summary.notes)]


def _labeled(assessment: Assessment) -> Scores:
    """The scores under the names that people read."""
    return {part: {score_text.LABELS[name]: value for name, value in row.items()}
            for part, row in assessment.scores.items()}


def _panels(assessment: Assessment) -> list[Panel]:
    """Tables and plots, in the order of the page."""
    panels: list[Panel] = list(assessment.panels)
    if assessment.classes:
        panels.insert(1, _class_table(assessment))
    if assessment.importance:
        panels.append(ImportanceChart(assessment.importance, score_text.importance_title(assessment)))
    if assessment.worst:
        panels.append(_worst_table(assessment))
    return panels


def _class_table(assessment: Assessment) -> DataTable:
    keys = ("precision", "recall", "f1")
    rows = tuple((name, f"{row['rows']:,.0f}", *(_share(row[key]) for key in keys))
                 for name, row in assessment.classes.items())
    return DataTable(f"Classes, on {assessment.subset} data", ("", "rows", "precision", "recall", "F1"), rows,
                     "\n".join(score_text.missed(assessment)))


def _share(value: float) -> str:
    return "–" if math.isnan(value) else percent(value)


def _worst_table(assessment: Assessment) -> DataTable:
    names = list(assessment.worst[0].cells)
    measure = "log loss" if assessment.classes else "error"
    rows = tuple((row.name, row.true, row.predicted, f"{row.wrong:.4g}", *(row.cells[name] for name in names))
                 for row in assessment.worst)
    return DataTable(f"Most wrong rows of the {assessment.subset} data", ("", "true", "predicted", measure, *names),
                     rows, "The columns are those that matter most to the model.")


def _settings(encoder: TableEncoder, options: TableOptions, train_rows: int, made_by: str) -> dict[str, str]:
    """Model and training, by name."""
    batch = options.batch_size or usual_batch_size(train_rows)
    patience = f", until {PATIENCE} epochs bring no better validation loss" if options.validation else ""
    order = "at random" if options.order is None else f"in the order of {options.order}"
    loss = "cross-entropy" if encoder.classes else "mean squared error of the standardized target"
    return {
        "model": describe_network(encoder, options), "loss": loss,
        "optimizer": f"{options.optimizer}, learning rate {options.learning_rate:g}, batches of {batch} rows",
        "length": f"at most {options.epochs} epochs{patience}",
        "split": f"{order}, {options.validation:.0%} validation, {options.test:.0%} test; seed {options.seed}",
        "made by": made_by}
