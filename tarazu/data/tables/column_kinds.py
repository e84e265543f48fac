"""The kinds of columns (number, category, ignore): as the user states them, else guessed from the cells."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from tarazu.base.errors import ArgumentError, DataError
from tarazu.base.messages import listing
from tarazu.base.spelling import did_you_mean
from tarazu.data.tables.column import Column
from tarazu.data.tables.table import Table

NUMBER, CATEGORY, IGNORE = "number", "category", "ignore"
KINDS = (NUMBER, CATEGORY, IGNORE)
MOST_LEVELS = 1000  # a text column with more distinct values is taken for identifiers or free text,
MANY_LEVELS = 50  # and so is one with more than this if over half of its cells are distinct

# 1,234  1.234,5  1 234  1'234.5 (separated thousands) and 3,5 (a decimal comma)
SEPARATED_NUMBER = re.compile(r"[+-]?(\d{1,3}([,.'\u00a0\u202f ]\d{3})+([.,]\d+)?|\d+,\d+)")


def feature_kinds(table: Table, target: str, kinds: Mapping[str, str] | None = None) -> dict[str, str]:
    """The kind of each column but the target: as `kinds` says, else guessed.

    Text, booleans and dates are categories, whatever reads as numbers is a number (0 and 1 too: as one standardized
    column they carry what two one-hot columns would). Raises ArgumentError for unknown kinds and columns, DataError
    for columns that fit no kind.

    >>> table = Table.from_frame({"age": [31, 47], "city": ["Lahore", "Delhi"], "paid": [True, False]})
    >>> feature_kinds(table, target="paid")
    {'age': 'number', 'city': 'category'}
    """
    check_kinds(table, kinds or {})
    stated = dict(kinds or {})
    kind_of = {name: stated.get(name) or guess_kind(table, name) for name in table.columns if name != target}
    check_numbers(table, [name for name, kind in kind_of.items() if kind == NUMBER])
    _check_level_counts(table, [name for name, kind in kind_of.items() if kind == CATEGORY and name not in stated])
    return kind_of


def check_kinds(table: Table, kinds: Mapping[str, str]) -> None:
    """Check that `kinds` names columns and kinds that exist. Raises ArgumentError."""
    for name, kind in kinds.items():
        if name not in table.columns:
            raise ArgumentError(f"kinds names a column {name!r}, which the table does not have",
                                expected=f"one of {listing(table.columns)}", fix=did_you_mean(name, table.columns))
        if kind not in KINDS:
            raise ArgumentError(f"{kind!r} is not a kind of column (for column {name!r})",
                                expected=f"one of {listing(KINDS)}", fix=did_you_mean(kind, KINDS))


def guess_kind(table: Table, name: str) -> str:
    """The kind of one column, from its cells.

    A column of which more than half of the cells are numbers and the others words is more likely to hold typing errors
    than categories: a DataError asks the user which it is.
    """
    column = table[name]
    if column.stated_category:
        return CATEGORY
    counts = column.counts()
    words = np.isnan(column.level_numbers) & (counts > 0)
    if not words.any():
        return NUMBER
    if all(SEPARATED_NUMBER.fullmatch(column.level_texts[level]) for level in np.flatnonzero(words)):
        raise _separated_number(table, column, words)
    if 2 * counts[words].sum() < counts.sum():
        raise _stray_words(table, column, words, int(counts[words].sum()))
    return CATEGORY


def check_numbers(table: Table, names: list[str]) -> None:
    """Check that each cell of these columns is missing or a finite number. Raises DataError with line and column."""
    for name in names:
        column = table[name]
        used = column.counts() > 0
        words = np.isnan(column.level_numbers) & used
        if words.any():
            row = column.first_row(words)
            text = column.level_texts[column.codes[row]]
            if SEPARATED_NUMBER.fullmatch(text):
                raise _separated_number(table, column, words)
            raise table.error(f"{text!r} is not a number", column=name, row=row, expected="numbers in this column",
                              fix=f"correct the cell, or take the column as text: {kind_option(CATEGORY, name)}")
        infinite = np.isinf(column.level_numbers) & used
        if infinite.any():
            row = column.first_row(infinite)
            raise table.error(f"{column.level_texts[column.codes[row]]!r} is infinite", column=name, row=row,
                              expected="finite numbers",
                              fix="correct the cell, or empty it so that it counts as missing")


def _separated_number(table: Table, column: Column, words: np.ndarray) -> DataError:
    row = column.first_row(words)
    return table.error(f"{column.level_texts[column.codes[row]]!r} has a thousands separator or a decimal comma",
                       column=column.name, row=row, expected="plain digits with a decimal point, such as 1234.5",
                       fix="export the numbers without separators, or take the column as text: "
                       f"{kind_option(CATEGORY, column.name)}")


def _stray_words(table: Table, column: Column, words: np.ndarray, stray: int) -> DataError:
    row = column.first_row(words)
    cells = f"{stray:,} of its {column.counts().sum():,} cells {'is not' if stray == 1 else 'are not'}"
    return table.error(f"{column.level_texts[column.codes[row]]!r} is not a number in a column that is mostly numbers "
                       f"({cells})", column=column.name, row=row, expected="numbers only, or empty cells",
                       fix="correct or empty the cell, or take the column as text: "
                       f"{kind_option(CATEGORY, column.name)}")


def too_many_levels(levels: int, cells: int) -> bool:
    """Whether a text column with so many distinct values looks like identifiers or free text."""
    return levels > MOST_LEVELS or (levels > MANY_LEVELS and 2 * levels > cells)


def _check_level_counts(table: Table, names: list[str]) -> None:
    suspects = []
    for name in names:
        counts = table[name].counts()
        if too_many_levels(int((counts > 0).sum()), int(counts.sum())):
            example = table[name].level_texts[int(np.argmax(counts > 0))]
            suspects.append((name, f"{name!r} ({(counts > 0).sum():,} distinct values, for example {example!r})"))
    if not suspects:
        return
    columns, texts = zip(*suspects, strict=True)
    subject = f"column {texts[0]} looks" if len(suspects) == 1 else f"columns {' and '.join(texts)} look"
    raise table.error(f"{subject} like identifiers or free text",
                      expected=f"at most {MOST_LEVELS:,} distinct values in a text column, many of them repeated",
                      fix=f"leave out what is no feature: {kind_option(IGNORE, *columns)}; "
                      f'the kind "{CATEGORY}" keeps a column all the same, as an embedding')


def kind_option(kind: str, *names: str) -> str:
    """How a user states that columns are of a kind, on the command line and in Python.

    >>> print(kind_option("ignore", "id"))
    --kind id=ignore on the command line, kinds={"id": "ignore"} from Python
    """
    import json
    import shlex

    flags = " ".join(f"--kind {shlex.quote(f'{name}={kind}')}" for name in names)
    kinds = json.dumps(dict.fromkeys(names, kind), ensure_ascii=False)
    return f"{flags} on the command line, kinds={kinds} from Python"
