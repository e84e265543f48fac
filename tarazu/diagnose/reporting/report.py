"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tarazu.base.messages import plural
from tarazu.diagnose.judging.formatting import number, percent
from tarazu.diagnose.reporting import panels as panel_content
from tarazu.diagnose.reporting.page import rendered_page
from tarazu.diagnose.reporting.plots import Panel
from tarazu.picture.picture import Picture
from tarazu.record import History, write_text
from tarazu.record.charts import metric_charts, scales_picture

TEMPLATE = "report.html.jinja"
VALIDATION_PREFIX = "val_"
SHARES = ("F1", "precision", "recall")  # scores that are shown in percent, beside accuracies
COEFFICIENTS = ("R2", "ROC AUC")  # scores without a unit, around 0 to 1
SETS = {"train": "train_rows", "validation": "validation_rows"}  # the measurements of how many rows a set has
MISSING = "–"
# What the page says of the ends in `tarazu.record.STOPPED`; of a run over all epochs, nothing.
ENDINGS = {"early stopping": "stopped early", "interrupted": "interrupted", "not finite": "stopped as the loss was NaN",
           "end of the stream": "stopped as the stream ended"}


def write_report(path: str | os.PathLike, *, title: str, history: History,
                 table: Mapping[str, Mapping[str, float | None]], table_note: str = "", panels: Sequence[Panel] = (),
                 notes: Sequence[str] = (), rows: Mapping[str, int] | None = None,
                 settings: Mapping[str, str] | None = None, links: Mapping[str, str] | None = None) -> Path:
    """Writes one self-contained HTML page about a run to `path`, in place of what was there, and gives the path.

    `table` holds scores by data set: {"train": {"loss": 0.1, "accuracy": 0.98}, "test": {...}}, `table_note` a line on
    it; `panels` are tables and plots, in their order; each of `notes` is a line about the data, which may begin with
    "warning: "; `rows` says how many rows each set has (by default, what the verdict knows), `settings` how the run was
    made; `links` are pages beside this one, with what is to be read of each. Raises OSError where the file cannot be
    written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_report(Path(folder) / "report.html", title="Iris", history=History(), table={}).read_text()
    >>> page.startswith("<!DOCTYPE html>"), "<h1>Iris</h1>" in page
    (True, True)
    """
    verdict = history.verdict
    headline = verdict.headline.removeprefix(f"{verdict.name}: ") if verdict else ""
    page = rendered_page(
        TEMPLATE, title=title, verdict=verdict, headline=headline,
        scales=scales_picture(verdict.name).svg_of_page() if verdict else "", run=_run_line(history, rows),
        table=_table(table), table_note=table_note, charts=_charts(history),
        panels=panel_content.all_panels(panels), notes=notes, links=links or {}, settings=settings or {})
    return write_text(path, page)


def _run_line(history: History, rows: Mapping[str, int] | None) -> str:
    """How long the run was, why it ended, how large model and data were."""
    measured, parts = history.measurements, [plural(len(history), "epoch")]
    if history.stopped in ENDINGS:
        parts.append(ENDINGS[history.stopped])
    if isinstance(parameters := measured.get("num_parameters"), int):
        parts.append(plural(parameters, "parameter"))
    if rows is None:
        rows = {name: count for name, key in SETS.items() if isinstance(count := measured.get(key), int)}
    parts += [f"{count:,} {name} rows" for name, count in rows.items() if count]
    return ", ".join(parts)


def _charts(history: History) -> list[str]:
    """The curves of the loss and of the first other metric; the learning rate, a setting, is none."""
    columns = history.history
    metrics = [name for name in columns if f"{VALIDATION_PREFIX}{name}" in columns and name != "loss"]
    if not metrics:
        metrics = [name for name in columns if name not in ("loss", "val_loss", "learning_rate")]
    shown = [metric for metric in ("loss", *metrics[:1]) if metric in columns]
    charts = metric_charts(columns, [row["epoch"] for row in history.rows], history.kept_epoch, shown)
    return [Picture(f"{name} by epoch", (chart,)).svg_of_page() for name, chart in zip(shown, charts, strict=True)]


def _table(table: Mapping[str, Mapping[str, float | None]]) -> dict[str, Any]:
    """A row per score, a column per data set."""
    names = list(dict.fromkeys(name for metrics in table.values() for name in metrics))
    rows = [(name, [_cell(name, metrics.get(name)) for metrics in table.values()]) for name in names]
    return {"names": list(table), "rows": rows}


def _cell(name: str, value: float | None) -> str:
    if value is None or math.isnan(value):
        return MISSING
    if name in COEFFICIENTS:
        return f"{value:z.3f}"
    is_share = name.startswith(SHARES) or "accuracy" in name
    return percent(value) if is_share and 0 <= value <= 1 else number(value)
