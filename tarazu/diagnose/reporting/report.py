"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tarazu.base.messages import plural
from tarazu.diagnose.judging.formatting import number, percent
from tarazu.diagnose.reporting import svg
from tarazu.diagnose.reporting.plots import ConfusionMatrix, PredictedAgainstTrue
from tarazu.record import History, write_text

TEMPLATE = "report.html.jinja"
VALIDATION_PREFIX = "val_"
MISSING = "–"
# What the page says of the ends in `tarazu.record.STOPPED`; of a run over all epochs, nothing.
ENDINGS = {"early stopping": "stopped early", "interrupted": "interrupted", "not finite": "stopped as the loss was NaN",
           "end of the stream": "stopped as the stream ended"}


def write_report(path: str | os.PathLike, *, title: str, history: History,
                 table: Mapping[str, Mapping[str, float | None]],
                 plot: ConfusionMatrix | PredictedAgainstTrue | None = None, notes: Sequence[str] = ()) -> Path:
    """Writes one self-contained HTML page about a run to `path`, in place of what was there, and gives the path.

    `table` holds metrics by data set: {"train": {"loss": 0.1, "accuracy": 0.98}, "test": {...}}; `plot` is drawn last;
    each of `notes` becomes a paragraph. Raises OSError where the file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_report(Path(folder) / "report.html", title="Iris", history=History(), table={}).read_text()
    >>> page.startswith("<!DOCTYPE html>"), "<h1>Iris</h1>" in page
    (True, True)
    """
    import jinja2

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    verdict = history.verdict
    page = environment.get_template(TEMPLATE).render(
        title=title, verdict=verdict, headline=verdict.headline.removeprefix(f"{verdict.name}: ") if verdict else "",
        scales=svg.scales(verdict.name) if verdict else "", run=_run_line(history), table=_table(table),
        charts=_charts(history), notes=notes, matrix=_matrix(plot), scatter=_scatter(plot),
        subset=plot.subset if plot else "")
    return write_text(path, page)


def _run_line(history: History) -> str:
    """How long the run was, why it ended, how large model and data were."""
    measured, parts = history.measurements, [plural(len(history), "epoch")]
    if history.stopped in ENDINGS:
        parts.append(ENDINGS[history.stopped])
    for name, noun in (("num_parameters", "parameter"), ("train_samples", "training sample"),
                       ("validation_samples", "validation sample")):
        if isinstance(value := measured.get(name), int):
            parts.append(plural(value, noun))
    return ", ".join(parts)


def _charts(history: History) -> list[str]:
    """The curves of the loss and of the first other metric; the learning rate, a setting, is none."""
    columns = history.history
    metrics = [name for name in columns if f"{VALIDATION_PREFIX}{name}" in columns and name != "loss"]
    if not metrics:
        metrics = [name for name in columns if name not in ("loss", "val_loss", "learning_rate")]
    epochs = [row["epoch"] for row in history.rows]
    kept = history.measurements.get("kept_epoch") or history.best_epoch()
    charts = []
    for name in [metric for metric in ("loss", *metrics[:1]) if metric in columns]:
        series = {"train": columns[name]}
        if f"{VALIDATION_PREFIX}{name}" in columns:
            series["validation"] = columns[f"{VALIDATION_PREFIX}{name}"]
        charts.append(svg.curves(name, epochs, series, int(kept) if isinstance(kept, int | float) else None))
    return charts


def _table(table: Mapping[str, Mapping[str, float | None]]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for metrics in table.values() for name in metrics))
    rows = [(subset, [_cell(name, metrics.get(name)) for name in names]) for subset, metrics in table.items()]
    return {"names": names, "rows": rows}


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return MISSING
    return percent(value) if "accuracy" in name and 0 <= value <= 1 else number(value)


def _matrix(plot: object) -> dict[str, Any] | None:
    if not isinstance(plot, ConfusionMatrix):
        return None
    rows = [(name, [(int(cell), f"{share:.2f}") for cell, share in zip(counts, shares, strict=True)])
            for name, counts, shares in zip(plot.classes, plot.counts, plot.shares, strict=True)]
    right = f"{plot.right:,} of {plot.total:,} right" + (f" ({percent(plot.right / plot.total)})" if plot.total else "")
    return {"classes": plot.classes, "rows": rows, "right": right}


def _scatter(plot: object) -> str | None:
    if not isinstance(plot, PredictedAgainstTrue):
        return None
    return svg.predicted_against_true(plot.true, plot.predicted, plot.target)
