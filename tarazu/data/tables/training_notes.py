"""Notes on what a model learns from: columns that give the target away, rows in order of time, rare classes."""

from __future__ import annotations

import numpy as np

from tarazu.base.messages import plural
from tarazu.data.columns.column import Column
from tarazu.data.columns.dates import DateFormat, date_text, in_time_order
from tarazu.data.columns.notes import ColumnNote, kind_option
from tarazu.data.columns.numbers import NumberFormat
from tarazu.data.tables.column_kinds import ColumnKind
from tarazu.data.tables.table import Table
from tarazu.data.tables.target import CLASSIFICATION, Target

CERTAIN_CLASSES, CERTAIN_NUMBERS = 0.99, 0.995  # shares of rows, of the variance, that a column explains on its own
FEWEST_ROWS = 20


def target_notes(table: Table, target: Target) -> list[ColumnNote]:
    """How the numbers of a regression's target are read, if they are not in plain digits."""
    text = target.format.note(table[target.name]) if target.task != CLASSIFICATION else ""
    return [ColumnNote(target.name, text)] if text else []


def rare_class_notes(target: Target, labels: np.ndarray, rows: np.ndarray) -> list[ColumnNote]:
    """A note of classes that have rows in training only, because they have too few for each part."""
    if target.task != CLASSIFICATION or len(rows) == len(labels):
        return []
    counts = np.bincount(labels, minlength=len(target.classes))
    only = np.flatnonzero((counts == np.bincount(labels[rows], minlength=len(counts))) & (counts > 0))
    if not len(only):
        return []
    classes = [f"{target.classes[k]} ({plural(counts[k], 'row')})" for k in only[:5]]
    more = f" and {len(only) - 5} more" if len(only) > 5 else ""
    return [ColumnNote(target.name, f"too few rows to measure {'class' if len(only) == 1 else 'classes'} "
                       f"{', '.join(classes)}{more}: all of them are in training")]


def order_notes(column: Column, kind: ColumnKind, rows: np.ndarray) -> list[ColumnNote]:
    """Whether the rows besides the training `rows` are later ones by a column of dates, or lie among them."""
    if not isinstance(kind.format, DateFormat) or kind.format.order == "time" or len(rows) == len(column):
        return []
    seconds = kind.format.seconds(column)
    others = np.delete(seconds, rows)
    if np.isnan(seconds[rows]).all() or np.isnan(others).all():
        return []
    last = np.nanmax(seconds[rows])
    if last <= np.nanmin(others):
        text = f"the model learns from rows up to {date_text(last)} and is measured by later ones"
        return [ColumnNote(column.name, text)]
    if not in_time_order(seconds):
        return []
    return [ColumnNote(column.name, "the rows stand in its order, and a random split lets the model see the future of "
                       "the rows that it is measured by; to measure it by the last rows: --split time on the command "
                       'line, split="time" from Python')]


def giveaway_notes(column: Column, kind: ColumnKind, target: Target, labels: np.ndarray) -> list[ColumnNote]:
    """A warning if `column`, of the training rows, alone tells the target of nearly all of them.

    `labels` are their class numbers, or numbers. Each row is guessed from the others with its value.
    """
    if len(labels) < FEWEST_ROWS or labels.min() == labels.max():
        return []
    values = kind.format.numbers(column) if isinstance(kind.format, NumberFormat) else None
    chance = np.random.default_rng(0).permutation(len(labels))  # equal numbers in no order, lest rows be in one
    in_order = None if values is None else labels[np.lexsort((chance, values))]
    if target.task == CLASSIFICATION:
        share, certain = _accuracy(column.codes, labels, in_order), CERTAIN_CLASSES
    else:
        share, certain = _explained(column.codes, labels.astype(np.float64), in_order), CERTAIN_NUMBERS
    if share < certain:
        return []
    what = (f"predicts {target.name!r} in {_percent(share)} of rows" if target.task == CLASSIFICATION
            else f"explains {_percent(share)} of the variance of {target.name!r}")
    return [ColumnNote(column.name, f"it alone {what}; if it is only known once the target is, leave it out: "
                       f"{kind_option('ignore', column.name)}", warning=True)]


def _percent(share: float) -> str:
    return f"{np.floor(share * 1000) / 10:.3g} %"


def _accuracy(groups: np.ndarray, labels: np.ndarray, in_order: np.ndarray | None) -> float:
    """The share of rows whose class is that of most other rows with the same cell, or, with labels `in_order` of
    the column's numbers, of the next row; 0 if one class has nearly all rows.
    """
    classes = int(labels.max()) + 1
    if np.bincount(labels).max() > (1 - 2 * (1 - CERTAIN_CLASSES)) * len(labels):
        return 0.0
    pairs, counts = np.unique(groups.astype(np.int64) * classes + labels, return_counts=True)
    group = pairs // classes
    order = np.lexsort((-counts, group))
    first = np.r_[True, np.diff(group[order]) > 0]  # the most frequent class of each group
    runner_up = np.zeros(len(order), np.int64)
    following = np.flatnonzero(first[:-1] & ~first[1:])
    runner_up[following] = counts[order][following + 1]
    sure = first & (counts[order] - 1 > runner_up)
    share = float(counts[order][sure].sum() / len(labels))
    return share if in_order is None else max(share, float((in_order[1:] == in_order[:-1]).mean()))


def _explained(groups: np.ndarray, values: np.ndarray, in_order: np.ndarray | None) -> float:
    """The share of the variance that is between rows with different cells, as far as cells repeat enough to tell, or,
    with values `in_order` of the column's numbers, that is not between one row and the next (von Neumann, 1941).
    """
    share = 0.0
    _, number = np.unique(groups, return_inverse=True)
    counts = np.bincount(number)
    if 2 * len(counts) <= len(values):
        inside = values - (np.bincount(number, values) / counts)[number]
        share = float(1 - (inside**2).sum() / (len(values) - len(counts)) / values.var())
    if in_order is None:
        return share
    return max(share, float(1 - (np.diff(in_order.astype(np.float64))**2).mean() / 2 / values.var()))
