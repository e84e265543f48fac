"""The kinds of columns (number, category, date, ignore) and how their cells are written: as stated, else guessed."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Mapping

import numpy as np

from tarazu.base.errors import ArgumentError, DataError
from tarazu.base.messages import listing, plural
from tarazu.base.spelling import did_you_mean
from tarazu.data.columns.column import Column
from tarazu.data.columns.dates import ORDERS, DateFormat, date_format
from tarazu.data.columns.identifiers import why_no_category, why_no_number
from tarazu.data.columns.notes import ColumnNote, kind_option
from tarazu.data.columns.numbers import PLAIN, NumberFormat, number_format, unread_levels
from tarazu.data.columns.values import LARGEST_EXACT, TRUTH_KEYS
from tarazu.data.tables.date_encoder import DATE, check_dates
from tarazu.data.tables.table import Table

NUMBER, CATEGORY, IGNORE = "number", "category", "ignore"
KINDS = (NUMBER, CATEGORY, DATE, IGNORE)
SEPARATED_NUMBER = re.compile(r"[+-]?\d[\d.,'\u2019\u00a0\u202f ]*\d")  # digits with marks that do not fit together


@dataclasses.dataclass(frozen=True)
class ColumnKind:
    """The kind of a column, how its numbers or dates are written, why it is left out if it is, and what to say of it.

    `stated` tells a kind that the user chose.
    """

    kind: str
    format: NumberFormat | DateFormat | None = None
    left_out: str = ""
    notes: tuple[ColumnNote, ...] = ()
    stated: bool = False


def feature_kinds(table: Table, target: str | None, kinds: Mapping[str, str] | None = None) -> dict[str, ColumnKind]:
    """The kind of each column but the target: as `kinds` says, else guessed.

    Text and booleans are categories, dates are dates, whatever reads as numbers is a number (0 and 1 too: as one
    standardized column they carry what two one-hot columns would). Row numbers, identifiers and free text have a reason
    to be left out. Raises ArgumentError for unknown kinds and columns, DataError for columns that fit no kind.

    >>> table = Table.from_frame({"age": [31, 47], "city": ["Lahore", "Delhi"], "paid": [True, False]})
    >>> {name: each.kind for name, each in feature_kinds(table, target="paid").items()}
    {'age': 'number', 'city': 'category'}
    """
    stated = dict(kinds or {})
    check_kinds(table, stated)
    return {name: _leave_out(table[name], column_kind(table, name, stated.get(name)))
            for name in table.columns if name != target}


def check_kinds(table: Table, kinds: Mapping[str, str]) -> None:
    """Check that `kinds` names columns and kinds that exist. Raises ArgumentError."""
    for name, kind in kinds.items():
        if name not in table.columns:
            raise ArgumentError(f"kinds names a column {name!r}, which the table does not have",
                                expected=f"one of {listing(table.columns)}", fix=did_you_mean(name, table.columns))
        if kind not in KINDS:
            raise ArgumentError(f"{kind!r} is not a kind of column (for column {name!r})",
                                expected=f"one of {listing(KINDS)}", fix=did_you_mean(kind, KINDS))


def column_kind(table: Table, name: str, stated: str | None = None) -> ColumnKind:
    """The kind of one column, as stated or from its cells, and how they are written. Raises DataError.

    A column of which more than half of the cells are numbers and more than a few others words is more likely to hold
    typing errors than categories: a DataError asks the user which it is.
    """
    column = table[name]
    if stated == IGNORE:
        return ColumnKind(IGNORE, left_out="as asked", stated=True)
    is_stated = stated is not None
    format = _guess(table, column) if stated is None else _format_as(table, column, stated)
    if format is None:
        return ColumnKind(CATEGORY, notes=_missing_word_notes(column), stated=is_stated)
    if isinstance(format, DateFormat):
        return ColumnKind(DATE, format, notes=_date_notes(column, format), stated=is_stated)
    check_numbers(table, name, format, f"take the column as text: {kind_option(CATEGORY, name)}")
    return ColumnKind(NUMBER, format, notes=_number_notes(column, format), stated=is_stated)


def _guess(table: Table, column: Column) -> NumberFormat | DateFormat | None:
    """How the numbers or dates of a column are written that holds such; None for a category."""
    if column.stated_category:
        return None
    words = unread_levels(column)
    if not len(words):
        return None if _collapses(column) else number_format(column, table.decimal_comma)
    counts = column.counts()
    if all(column.levels[level] in TRUTH_KEYS for level in words):
        return number_format(column, table.decimal_comma) if len(words) < (counts > 0).sum() else None
    if dates := date_format(column):
        return dates
    format = number_format(column, table.decimal_comma)
    stray = format.words(column)
    cells = int(counts[stray].sum())
    if 2 * cells >= counts.sum():
        return None
    if cells:
        raise _stray_words(table, column, stray, cells)
    return format


def _format_as(table: Table, column: Column, kind: str) -> NumberFormat | DateFormat | None:
    """How the cells of a column of this kind are written. Raises DataError for one that holds no dates."""
    if kind == CATEGORY:
        return None
    if kind == NUMBER:
        return number_format(column, table.decimal_comma)
    dates = date_format(column) or DateFormat(ORDERS[0])
    check_dates(table, column, dates)
    return dates


def _collapses(column: Column) -> bool:
    """Whether different whole numbers of the column are one in float64: they are codes, and stay apart as texts."""
    if column.levels.dtype == np.float64:
        return False
    numbers = column.level_numbers
    large = np.isfinite(numbers) & (np.abs(numbers) >= LARGEST_EXACT)
    return len(np.unique(numbers[large])) < large.sum()


def _leave_out(column: Column, guess: ColumnKind) -> ColumnKind:
    """The guess, with the reason to leave the column out if it names rows instead of describing them."""
    if guess.stated:
        return guess
    reason = ""
    if guess.kind == CATEGORY:
        reason = why_no_category(column)
    elif isinstance(guess.format, NumberFormat):
        reason = why_no_number(column, guess.format.numbers(column))
    keep = f"; --kind {shlex.quote(f'{column.name}={guess.kind}')} keeps it" if reason else ""
    return dataclasses.replace(guess, left_out=f"{reason}{keep}")


def _missing_word_notes(column: Column) -> tuple[ColumnNote, ...]:
    """Words in a text column that mean "missing" and might as well be a class."""
    words = [word for word in column.missing_words if word.lower() == "none"]
    return tuple(ColumnNote(column.name, f"{word!r} is taken as missing; if it is a value, say which words mean "
                            "missing: --missing 'NA,?' on the command line, missing=['NA', '?'] from Python")
                 for word in words)


def _number_notes(column: Column, format: NumberFormat) -> tuple[ColumnNote, ...]:
    texts = [format.note(column)]
    if format.stray_words:
        stray = np.isnan(format.numbers_of_levels(column))
        texts.append(f"not a number and so missing in {plural(column.counts()[stray].sum(), 'row')}: "
                     f"{listing(format.stray_words, limit=3)}")
    return tuple(ColumnNote(column.name, text) for text in texts if text)


def _date_notes(column: Column, format: DateFormat) -> tuple[ColumnNote, ...]:
    text = format.note(column)
    return (ColumnNote(column.name, text),) if text else ()


def check_numbers(table: Table, name: str, format: NumberFormat, alternative: str) -> None:
    """Check that each cell of a column is missing or a finite number. Raises DataError with line and column, whose fix
    is to correct the cell or the `alternative`.
    """
    column = table[name]
    words = format.words(column)
    if words.any():
        row = column.first_row(words)
        text = column.level_texts[column.codes[row]]
        written = "" if format == PLAIN else " as those of this column are written"
        hint = ("take the thousands separators out of it, or " if SEPARATED_NUMBER.fullmatch(text) else "")
        raise table.error(f"{text!r} is not a number{written}", column=name, row=row, expected="numbers in this column",
                          fix=f"{hint}correct the cell, or {alternative}")
    infinite = np.isinf(format.numbers_of_levels(column)) & (column.counts() > 0)
    if infinite.any():
        row = column.first_row(infinite)
        raise table.error(f"{column.level_texts[column.codes[row]]!r} is infinite", column=name, row=row,
                          expected="finite numbers", fix="correct the cell, or empty it so that it counts as missing")


def _stray_words(table: Table, column: Column, words: np.ndarray, stray: int) -> DataError:
    row = column.first_row(words)
    cells = f"{stray:,} of its {column.counts().sum():,} cells {'is not' if stray == 1 else 'are not'}"
    return table.error(f"{column.level_texts[column.codes[row]]!r} is not a number in a column that is mostly numbers "
                       f"({cells})", column=column.name, row=row, expected="numbers only, or empty cells",
                       fix="correct or empty the cell, add it to the words that mean missing (--missing on the command "
                       f"line, missing= from Python), or take the column as text: {kind_option(CATEGORY, column.name)}")
