"""Columns that name rows instead of describing them: row numbers, identifiers, free text."""

from __future__ import annotations

import re

import numpy as np

from tarazu.base.messages import shortened
from tarazu.data.columns.column import Column

MOST_LEVELS = 1000  # a text column with more distinct values is taken for identifiers or free text,
MANY_LEVELS = 50  # and so is one with more than this if over half of its cells are distinct,
FEW_LEVELS = 10  # or with more than this, over half of them distinct, if they are texts of
FREE_TEXT_WORDS = 4  # so many words on average
FEWEST_ROWS = 20  # with fewer rows, whole numbers that happen to be distinct are no identifiers,
MANY_ROWS = 100  # and with fewer than this, 1, 2, 3, ... are no row numbers unless the column's name says so
ID_NAME = re.compile(r"(?i:(.*[\W_])?(id|uuid|guid|index|idx|key|rownum|row|rownames|no|nr|unnamed: ?\d+)[\W_]*)"
                     r"|column 1||.*[a-z]I[dD]")


def too_many_levels(levels: int, cells: int) -> bool:
    """Whether a text column with so many distinct values looks like identifiers or free text."""
    return levels > MOST_LEVELS or (levels > MANY_LEVELS and 2 * levels > cells)


def why_no_category(column: Column) -> str:
    """The reason to leave a text column out; "" for one that tells groups of rows apart."""
    used = np.flatnonzero(column.counts())
    cells = int(column.counts().sum())
    if not len(used):
        return ""
    example = shortened(column.level_texts[used[0]], 40)
    words = np.mean([column.level_texts[level].count(" ") + 1 for level in used[:1000]])
    if words >= FREE_TEXT_WORDS and len(used) > FEW_LEVELS and 2 * len(used) > cells:
        return f"free text, for example {example!r}"
    if too_many_levels(len(used), cells):
        return f"{len(used):,} distinct texts, for example {example!r}"
    return ""


def why_no_number(column: Column, numbers: np.ndarray) -> str:
    """The reason to leave a column of numbers out, which are given for each row; "" for one that measures something."""
    if len(numbers) < FEWEST_ROWS or np.isnan(numbers).any() or (numbers != np.floor(numbers)).any():
        return ""
    names_rows = ID_NAME.fullmatch(column.name) is not None
    if numbers[0] in (0, 1) and (np.diff(numbers) == 1).all() and (names_rows or len(numbers) >= MANY_ROWS):
        return f"it numbers the rows: {numbers[0]:.0f}, {numbers[1]:.0f}, {numbers[2]:.0f}, ..."
    distinct = int((column.counts() > 0).sum())
    if names_rows and distinct >= 0.95 * len(numbers):
        return f"an identifier: {distinct:,} distinct whole numbers in {len(numbers):,} rows"
    return ""
