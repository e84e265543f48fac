"""Numbers as people write them: decimal commas, thousands separators, currencies, percent signs, units, -12 as (12)."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tarazu.data.columns.column import Column
from tarazu.data.columns.values import PERHAPS_THOUSANDS, parse_number

SPACES = "\u00a0\u202f\u2009 "
MINUS = str.maketrans({"\u2212": "-", "\u2012": "-", "\u2013": "-", "\ufe63": "-", "\uff0d": "-"})
CURRENCY = r"(?:[A-Z]{1,3}\$|[$\u00a2-\u00a5\u20a0-\u20cf]|Rs\.?|[A-Z]{3}(?=[\s\d.,+-]))"
POWER = r"(?:[cdkm]?m|ft|in|yd)\^?[23]"  # areas and volumes, the units that end with a digit
# A number with its separators between what may stand before and after it.
PARTS = re.compile(rf"(?P<sign>[+-]?)\s*(?P<before>{CURRENCY}?)\s*(?P<second_sign>[+-]?)"
                   rf"(?P<digits>\d[\d.,'\u2019{SPACES}]*(?<![{SPACES}])(?:[eE][+-]?\d+(?![A-Za-z]))?|[.,]\d+)\s*"
                   rf"(?P<after>\D{{0,16}}|{POWER}\s*)")
EXPONENT = r"(?:[eE][+-]?\d+)?"
LONGEST = 100  # characters of a number with a unit or separators: the patterns take long for long texts
MOST_STRAY = 0.05  # words in at most this share of the cells of a column of numbers count as missing


def _strict(decimal: str, thousands: str) -> re.Pattern[str]:
    """Digits with `decimal` as the decimal mark and groups of digits between `thousands`."""
    grouped = rf"[1-9]\d{{0,2}}(?P<mark>[{thousands}'\u2019{SPACES}])(?:\d{{2,3}}(?P=mark))*\d{{3}}"
    return re.compile(rf"(?:{grouped}|\d*)(?:{decimal}\d*)?{EXPONENT}")


STRICT = {".": _strict(r"\.", ","), ",": _strict(",", r".")}
GROUPS = re.compile(rf"[,.'\u2019{SPACES}]")


@dataclasses.dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written: the decimal mark, the unit (with "%" and currencies), and the words
    among them that count as missing.

    >>> NumberFormat(decimal=",", unit="km").parse("1.234,5 km")
    1234.5
    >>> [NumberFormat().parse(text) for text in ("$1,234", "(12)", "\\u22127", "True", "x")]
    [1234.0, -12.0, -7.0, 1.0, nan]
    """

    decimal: str = "."
    unit: str = ""
    stray_words: tuple[str, ...] = ()

    def parse(self, text: str) -> float:
        """The number that a cell denotes, NaN if it denotes none.

        The unit may lack; another one makes the cell a word.
        """
        number = parse_number(text)
        if self.decimal == "." and number == number:
            return number
        if text in ("True", "False"):
            return float(text == "True")
        if len(text) > LONGEST:
            return number
        digits, unit = split_unit(text)
        if unit not in ("", self.unit) and not (self.unit == "" and is_money(unit)):
            return np.nan
        value = parse_digits(digits, self.decimal)
        return number if value != value else value

    def numbers_of_levels(self, column: Column) -> np.ndarray:
        """The number of each level, float64 (levels,), NaN for words."""
        if column.levels.dtype == np.float64:
            return column.levels
        written = dataclasses.replace(self, stray_words=())  # which no level is read by
        return column.once(written, lambda: np.array([self.parse(text) for text in column.levels], np.float64))

    def numbers(self, column: Column) -> np.ndarray:
        """The number in each row, float64 (rows,), NaN where the cell is missing or a word."""
        return np.append(self.numbers_of_levels(column), np.nan)[column.codes]

    def words(self, column: Column) -> np.ndarray:
        """Which levels, with rows, are neither numbers nor among the stray words, bool (levels,)."""
        words = np.isnan(self.numbers_of_levels(column)) & (column.counts() > 0)
        stray = set(self.stray_words)
        words[[level for level in np.flatnonzero(words) if column.levels[level] in stray]] = False
        return words

    def note(self, column: Column) -> str:
        """What is unusual in how the numbers are written, with an example; "" for plain digits."""
        values = self.numbers_of_levels(column)
        unusual = np.flatnonzero(~np.isnan(values) & (values != column.level_numbers))
        if not len(unusual) or column.levels[unusual[0]] in ("True", "False"):
            return ""
        return f"numbers such as {column.levels[unusual[0]]!r} are read as {values[unusual[0]]:,.12g}"

    def to_json(self) -> dict[str, Any]:
        """All of the format as plain JSON content."""
        return {"decimal": self.decimal, "unit": self.unit, "stray_words": list(self.stray_words)}


PLAIN = NumberFormat()


def split_unit(text: str) -> tuple[str, str]:
    """The digits of a number with its sign, and its unit; ("", "") for what is no number.

    >>> split_unit("-$1,234.50"), split_unit("79.8 %"), split_unit("(12)"), split_unit("gate 12")
    (('-1,234.50', '$'), ('79.8', '%'), ('-12', ''), ('', ''))
    """
    text = text.translate(MINUS)
    negative = text.startswith("(") and text.endswith(")")
    match = PARTS.fullmatch(text[1:-1].strip() if negative else text)
    if match is None or (match["sign"] and match["second_sign"]) or (match["before"] and match["after"]):
        return "", ""
    sign = "-" if negative else match["sign"] or match["second_sign"]
    return sign + match["digits"], (match["before"] or match["after"]).strip()


def is_money(unit: str) -> bool:
    """Whether a unit is that of money or a percent sign, which may stand in some cells and lack in others."""
    return unit == "%" or re.fullmatch(CURRENCY.replace(r"(?=[\s\d.,+-])", ""), unit) is not None


def parse_digits(digits: str, decimal: str) -> float:
    """The number that digits with separators denote, NaN if the separators do not fit.

    >>> parse_digits("1.234,5", ","), parse_digits("12,34,567", "."), parse_digits("1,5", ".")
    (1234.5, 1234567.0, nan)
    """
    bare = digits.lstrip("+-")
    if not bare or not STRICT[decimal].fullmatch(bare):
        return np.nan
    whole, mark, rest = bare.partition(decimal)
    return parse_number(("-" if digits[0] == "-" else "") + GROUPS.sub("", whole) + ("." if mark else "") + rest)


def number_format(column: Column, decimal_comma: bool = False) -> NumberFormat:
    """The format that gives most cells of a column a number.

    What can be read in two ways, such as 1,234 or 1.234, is read with a decimal comma if `decimal_comma`, which tells
    how the rest of the file is written, and with a decimal point otherwise.
    """
    words = unread_levels(column)
    if column.levels.dtype == np.float64 or (not len(words) and not decimal_comma):
        return NumberFormat()
    counts = column.counts()
    used = np.flatnonzero(counts)
    parts = [split_unit(column.levels[level]) for level in used]
    rows: dict[str, int] = {}
    for (digits, unit), level in zip(parts, used, strict=True):
        if digits:
            rows[unit] = rows.get(unit, 0) + int(counts[level])
    unit = _common_unit(rows)
    decimal = _decimal_mark([digits for digits, _ in parts if digits], decimal_comma)
    return _with_stray_words(column, NumberFormat(decimal, unit))


def unread_levels(column: Column) -> np.ndarray:
    """The levels, with rows, that are no numbers in plain digits."""
    return np.flatnonzero(np.isnan(column.level_numbers) & (column.counts() > 0))


def _common_unit(rows: Mapping[str, int]) -> str:
    """The unit that all numbers have; money and percent signs may lack in some."""
    units = [unit for unit in rows if unit]
    if len(units) != 1:
        return ""
    return units[0] if "" not in rows or is_money(units[0]) else ""


def _decimal_mark(digits: Sequence[str], decimal_comma: bool) -> str:
    """The decimal mark by which most of the digits are numbers."""
    fits = {mark: sum(not math.isnan(parse_digits(text, mark)) for text in digits) for mark in ".,"}
    if fits["."] == fits[","]:
        return "," if decimal_comma else "."
    return max(fits, key=lambda mark: fits[mark])


def clearly_decimal_comma(column: Column) -> bool:
    """Whether a column holds numbers that only a decimal comma explains."""
    words = unread_levels(column)
    if not len(words):
        return False
    digits = [text for text in (split_unit(column.levels[level])[0] for level in words) if text]
    return 2 * len(digits) > len(words) and _decimal_mark(digits, False) == ","


def clearly_decimal_point(column: Column) -> bool:
    """Whether a column holds numbers that only a decimal point explains."""
    if column.levels.dtype == np.float64:
        return bool((column.levels != np.floor(column.levels)).any())
    return any("." in text and not PERHAPS_THOUSANDS.fullmatch(text) and not np.isnan(number)
               for text, number in zip(column.levels, column.level_numbers, strict=True))


def _with_stray_words(column: Column, format: NumberFormat) -> NumberFormat:
    """The format in which the few words of a column of numbers count as missing."""
    counts = column.counts()
    words = np.flatnonzero(format.words(column))
    if counts[words].sum() > MOST_STRAY * counts.sum():
        return format
    return dataclasses.replace(format, stray_words=tuple(sorted(column.levels[level] for level in words)))
