"""One column of a table, held as its distinct values (levels) and, for each row, the number of its level.

Every question about text (is it a number? is the cell missing?) is therefore asked once per distinct value and not
once per row, and the rest is NumPy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

import numpy as np

from tarazu.data.columns.values import (
    LARGEST_EXACT,
    MISSING_WORDS,
    TRUTH_KEYS,
    as_text,
    number_text,
    one_spelling,
    parse_number,
    value_key,
)

Known = TypeVar("Known")
BLOCK = 2**16  # rows


@dataclasses.dataclass(frozen=True, eq=False)
class Column:
    """A named column: `levels` are its distinct values, `codes` gives the level of each row, -1 a missing cell.

    Levels are either texts (dtype object) or numbers (float64). `stated_category` says that the data frame which it
    comes from already calls it categorical; `missing_words` are the words in it that were taken to mean "missing".
    `known` holds what was found out about the levels, for this column and those that `take` makes of it.

    >>> Column("city", np.array(["Lahore", "Delhi"], object), np.array([0, -1, 1])).level_texts
    ['Lahore', 'Delhi']
    """

    name: str
    levels: np.ndarray
    codes: np.ndarray
    stated_category: bool = False
    missing_words: tuple[str, ...] = ()
    known: dict[Hashable, Any] = dataclasses.field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.codes)

    def once(self, what: Hashable, find_out: Callable[[], Known]) -> Known:
        """What `find_out` says about the levels; asked only if it is not known under `what` yet.

        >>> column = Column("city", np.array(["Lahore"], object), np.array([0, 0]))
        >>> column.once("lengths", lambda: [len(text) for text in column.levels])
        [6]
        """
        if what not in self.known:
            self.known[what] = find_out()
        return self.known[what]

    @property
    def level_numbers(self) -> np.ndarray:
        """Each level as a number, float64 (levels,), NaN where it is a word."""
        if self.levels.dtype == np.float64:
            return self.levels
        return self.once("numbers", lambda: np.array([parse_number(text) for text in self.levels], np.float64))

    @property
    def level_texts(self) -> list[str]:
        """Each level as text; a whole number without its `.0`."""
        if self.levels.dtype == np.float64:
            return self.once("texts", lambda: [number_text(value) for value in self.levels.tolist()])
        return self.once("texts", self.levels.tolist)

    @property
    def level_keys(self) -> list[str]:
        """For each level the key of its value: the same for "1", "1.0" and True in whatever table."""
        return self.once("keys", lambda: [value_key(text) for text in self.level_texts])

    def places_in(self, names: Iterable[str]) -> np.ndarray:
        """For each level the place of the same value among `names`, int64 (levels,), -1 if it is not there.

        >>> Column("paid", np.array(["True", "no"], object), np.array([0, 1])).places_in(["0", "1.0"]).tolist()
        [1, -1]
        """
        place = {value_key(name): number for number, name in enumerate(names)}
        return np.array([place.get(key, -1) for key in self.level_keys], np.int64)

    def numbers(self) -> np.ndarray:
        """The number in each row, float64 (rows,), NaN where the cell is missing or a word.

        >>> Column("age", np.array(["31", "old"], object), np.array([0, 1, -1])).numbers().tolist()
        [31.0, nan, nan]
        """
        return np.append(self.level_numbers, np.nan)[self.codes]  # code -1 takes the appended NaN

    def missing(self) -> np.ndarray:
        """Whether the cell of each row is missing, bool (rows,).

        >>> Column("age", np.array([31.0]), np.array([0, -1])).missing().tolist()
        [False, True]
        """
        return self.codes < 0

    def counts(self) -> np.ndarray:
        """In how many rows each level stands, int64 (levels,).

        >>> Column("age", np.array([31.0, 47.0]), np.array([0, 1, 0, -1])).counts().tolist()
        [2, 1]
        """
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    def take(self, rows: np.ndarray) -> Column:
        """The column with `rows` only, given as row numbers or as a mask; its levels stay, some perhaps without a row.

        >>> Column("age", np.array([31.0, 47.0]), np.array([0, 1, 0])).take(np.array([0, 2])).counts().tolist()
        [2, 0]
        """
        return dataclasses.replace(self, codes=self.codes[rows])

    def first_row(self, level_mask: np.ndarray) -> int:
        """The first row whose level is marked in `level_mask`, bool (levels,); there must be one.

        >>> Column("age", np.array([31.0, 47.0]), np.array([0, 0, 1])).first_row(np.array([False, True]))
        2
        """
        return int(np.argmax(np.append(level_mask, False)[self.codes]))


class LevelNumbers(dict[str, int]):
    """The number of each distinct text, in order of appearance; a text that is new gets the next number."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number

    def encode(self, texts: Iterable[str]) -> np.ndarray:
        """The number of each text (int32)."""
        return np.fromiter(map(self.__getitem__, texts), np.int32)


def column_of_texts(name: str, numbers: LevelNumbers, codes: np.ndarray, stated_category: bool = False,
                    missing_words: Iterable[str] = MISSING_WORDS) -> Column:
    """A column of raw texts: blanks around them go, spellings of one value become one level, and texts that mean
    "missing" become missing cells.
    """
    words = {word.lower() for word in missing_words}
    level_of = LevelNumbers()
    texts: list[str] = []
    dropped: list[str] = []
    merged: list[int] = []
    for raw in numbers:
        text = raw.strip()
        if not text or text.lower() in words:
            merged.append(-1)
            dropped.append(text)
            continue
        spelling = one_spelling(text)
        level = level_of[TRUTH_KEYS.get(spelling, spelling)]
        if level == len(texts):
            texts.append(spelling)
        merged.append(level)
    found_words = tuple(sorted({text for text in dropped if text}))
    return Column(name, np.array(texts, dtype=object), _renumbered(codes, np.array([*merged, -1], np.int32)),
                  stated_category, found_words)


def _renumbered(codes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """`numbers[codes]`, some rows at a time: NumPy makes 8-byte indices of all that it is given at once."""
    out = np.empty(codes.shape, numbers.dtype)
    for start in range(0, len(codes), BLOCK):
        out[start:start + BLOCK] = numbers[codes[start:start + BLOCK]]
    return out


def column_of_numbers(name: str, values: np.ndarray) -> Column:
    """A column of numbers, NaN where a cell is missing; whole numbers that float64 cannot hold become texts."""
    whole = values.dtype.kind in "iu" and len(values) > 0
    if whole and max(int(values.max()), -int(values.min())) > LARGEST_EXACT:
        return column_of_objects(name, values.tolist(), np.zeros(len(values), bool))
    values = np.asarray(values, np.float64)
    present = ~np.isnan(values)
    levels, level_of = np.unique(values[present], return_inverse=True)
    codes = np.full(len(values), -1, np.int32)
    codes[present] = level_of
    return Column(name, levels, codes)


def column_of_objects(name: str, values: Iterable[object], missing: np.ndarray, stated_category: bool = False,
                      missing_words: Iterable[str] = MISSING_WORDS) -> Column:
    """A column of any Python values, as their texts; `missing` marks the cells without a value."""
    numbers = LevelNumbers()
    codes = numbers.encode("" if gone else value if type(value) is str else as_text(value)
                           for value, gone in zip(values, missing.tolist(), strict=True))
    return column_of_texts(name, numbers, codes, stated_category, missing_words)
